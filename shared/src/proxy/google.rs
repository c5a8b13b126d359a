//! Tokens of Google's cloud: exchanged for what the configuration holds, kept until shortly before they end, and
//! renewed behind the callers' backs.
//!
//! One exchange at a time for each provider. Who has to wait for one asks again and again in place of listening to it:
//! on the Worker, a request cannot wait for the work of another.

use super::failure::{Failure, Retry};
use crate::config::{GoogleAccount, Grant, Subject};
use crate::error::{ApiError, Code};
use crate::http::{self, Header};
use crate::jose::jws::{seal, unsigned};
use crate::json::json;
use crate::ports::{ExchangeError, Outgoing, Ports, is_success};
use crate::secret::Secret;
use crate::sorted::SortedMap;
use crate::time::parse_rfc3339;
use crate::units::{Millis, Timestamp};
use serde_json::Value;
use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the tokens are for.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// How long a token is wished for, in seconds.
const LIFETIME: u64 = 3_600;
/// An exchange that takes longer is given up.
const PATIENCE: Millis = Millis(10_000);
/// Between two looks at an exchange that somebody else makes.
const PAUSE: Millis = Millis(10);
/// A failed exchange is not repeated for so long.
const REST: Millis = Millis(1_000);
/// The most that is read of an answer.
const MOST: usize = 64 * 1024;

/// The tokens of all accounts, by provider.
pub(super) type Tokens = Arc<Mutex<SortedMap<String, Slot>>>;

/// What is known of one account's token.
#[derive(Debug, Default)]
pub(super) struct Slot {
    token: Option<Kept>,
    /// Since when somebody is asking for a new one.
    asked_at: Option<Timestamp>,
    failed: Option<(Failure, Timestamp)>,
}

#[derive(Debug)]
struct Kept {
    token: Secret,
    renew_at: Timestamp,
    ends_at: Timestamp,
}

/// What there is to do.
enum Step {
    Use(Secret),
    /// The one who is told so asks for a new one; what is left of the old one may be used.
    Ask(Option<Secret>),
    Wait,
    Fail(Failure),
}

impl Slot {
    fn step(&mut self, now: Timestamp) -> Step {
        let asking = self.asked_at.is_some_and(|at| now.since(at) < PATIENCE);
        let good = self.token.as_ref().filter(|kept| now < kept.ends_at);
        let failed = self.failed.as_ref().filter(|(_, at)| now.since(*at) < REST);
        match (good, failed) {
            (Some(kept), _) if now < kept.renew_at || asking => Step::Use(kept.token.clone()),
            (Some(kept), Some(_)) => Step::Use(kept.token.clone()),
            (None, Some((failure, _))) if !asking => Step::Fail(failure.clone()),
            (None, _) if asking => Step::Wait,
            (good, _) => {
                self.asked_at = Some(now);
                Step::Ask(good.map(|kept| kept.token.clone()))
            }
        }
    }

    fn end(&mut self, exchanged: Result<(Secret, Millis), Failure>, now: Timestamp) {
        self.asked_at = None;
        match exchanged {
            Ok((token, lifetime)) => {
                self.failed = None;
                // Renewed in its last fifth, and not used in its last twentieth: clocks differ, and calls take time.
                let part = |twentieths: u64| now + Millis(lifetime.0 / 20 * twentieths);
                self.token = Some(Kept { token, renew_at: part(16), ends_at: part(19) });
            }
            Err(failure) => self.failed = Some((failure, now)),
        }
    }
}

fn lock(tokens: &Tokens) -> MutexGuard<'_, SortedMap<String, Slot>> {
    // Nothing is left half done under the lock.
    tokens.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A token of this account, which is this provider's, good for a call now.
pub(super) async fn token<P: Ports>(
    ports: &P,
    tokens: &Tokens,
    provider: &str,
    account: &GoogleAccount,
) -> Result<Secret, Failure> {
    let since = ports.now();
    loop {
        let now = ports.now();
        let step = lock(tokens).entry(provider.to_owned()).or_default().step(now);
        match step {
            Step::Use(token) => return Ok(token),
            Step::Fail(failure) => return Err(failure),
            Step::Ask(old) => {
                let (there, kept, id, account) = (ports.clone(), tokens.clone(), provider.to_owned(), account.clone());
                ports.spawn(async move {
                    let exchanged = exchange(&there, &id, &account).await;
                    lock(&kept).entry(id).or_default().end(exchanged, there.now());
                });
                if let Some(old) = old {
                    return Ok(old);
                }
            }
            Step::Wait => {}
        }
        if now.since(since) >= PATIENCE {
            return Err(refused(provider, Code::Timeout, "gave no access token in time"));
        }
        ports.sleep(PAUSE).await;
    }
}

/// Forgets a token that the provider refused before its time.
pub(super) fn forget(tokens: &Tokens, provider: &str) {
    if let Some(slot) = lock(tokens).get_mut(provider) {
        slot.token = None;
    }
}

/// Asks for a token. Tells for how long it is good.
async fn exchange<P: Ports>(ports: &P, provider: &str, account: &GoogleAccount) -> Result<(Secret, Millis), Failure> {
    let (url, now) = (account.token_url.as_str(), ports.now());
    match &account.grant {
        Grant::Key { email, key_id, key } => {
            let at = now.0 / 1_000;
            let head = json!({ "alg": "RS256", "typ": "JWT", "kid": key_id });
            let claims = json!({ "iss": email, "scope": SCOPE, "aud": url, "iat": at, "exp": at + LIFETIME });
            let text = unsigned(&head, &claims);
            let signature = ports.sign_rs256(key, text.as_bytes()).await;
            let signature = signature
                .ok_or_else(|| refused(provider, Code::NotConfigured, "has a service account whose key cannot sign"))?;
            let assertion = seal(&text, &signature);
            let form =
                [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion.as_str())];
            let answer = post(ports, provider, url, &form).await?;
            read(provider, &answer, "access_token", now)
        }
        Grant::Federated { audience, token_type, subject, impersonation_url } => {
            let subject = subject_token(ports, provider, subject).await?;
            let form = [
                ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
                ("audience", audience),
                ("scope", SCOPE),
                ("subject_token_type", token_type),
                ("subject_token", subject.expose()),
            ];
            let answer = post(ports, provider, url, &form).await?;
            let (token, lifetime) = read(provider, &answer, "access_token", now)?;
            let Some(url) = impersonation_url else { return Ok((token, lifetime)) };
            let wish = json!({ "scope": [SCOPE], "lifetime": format!("{LIFETIME}s") }).to_string();
            let headers = vec![
                (Cow::Borrowed("content-type"), "application/json".to_owned()),
                (Cow::Borrowed("authorization"), format!("Bearer {}", token.expose())),
            ];
            let body = ask(ports, provider, "POST", url.as_str(), headers, wish.into_bytes()).await?;
            read(provider, &body, "accessToken", now)
        }
    }
}

/// The token and its lifetime, an hour where the answer does not tell.
fn read(provider: &str, body: &[u8], member: &str, now: Timestamp) -> Result<(Secret, Millis), Failure> {
    let answer = crate::json::text(body).and_then(crate::json::tree).unwrap_or_default();
    let fits = |token: &&str| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    let token = answer.get(member).and_then(Value::as_str).filter(fits);
    let token = token.ok_or_else(|| refused(provider, Code::UpstreamError, "gave no access token"))?;
    let hour = Millis(LIFETIME * 1_000);
    let seconds = answer.get("expires_in").and_then(Value::as_u64);
    let span = seconds.map(|seconds| Millis(seconds.saturating_mul(1_000)));
    let until = || Some(parse_rfc3339(answer.get("expireTime")?.as_str()?)?.since(now));
    Ok((Secret::new(token), span.or_else(until).unwrap_or(hour).min(Millis(12 * hour.0))))
}

async fn subject_token<P: Ports>(ports: &P, provider: &str, subject: &Subject) -> Result<Secret, Failure> {
    let (url, headers, member) = match subject {
        Subject::Bound(token) => return Ok(token.clone()),
        Subject::Served { url, headers, member } => (url, headers, member),
    };
    let headers = headers.iter().map(|(name, value)| (Cow::Owned(name.clone()), value.expose().to_owned())).collect();
    let body = ask(ports, provider, "GET", url, headers, Vec::new()).await?;
    let text = String::from_utf8(body).ok();
    let token = match member {
        None => text,
        Some(member) => text
            .and_then(|text| crate::json::tree(&text).ok())
            .and_then(|answer| answer.get(member)?.as_str().map(str::to_owned)),
    };
    let token = token.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty());
    token
        .map(Secret::new)
        .ok_or_else(|| refused(provider, Code::UpstreamError, "has a subject whose token is not there"))
}

/// Posts a form.
async fn post<P: Ports>(ports: &P, provider: &str, url: &str, form: &[(&str, &str)]) -> Result<Vec<u8>, Failure> {
    let headers = vec![(Cow::Borrowed("content-type"), "application/x-www-form-urlencoded".to_owned())];
    ask(ports, provider, "POST", url, headers, http::form(form).into_bytes()).await
}

async fn ask<P: Ports>(
    ports: &P,
    provider: &str,
    method: &'static str,
    url: &str,
    headers: Vec<Header>,
    body: Vec<u8>,
) -> Result<Vec<u8>, Failure> {
    let call = Outgoing { method, url: url.to_owned(), headers, body, forward: false };
    let answer = ports.exchange(call, PATIENCE, MOST).await.map_err(|error| match error {
        ExchangeError::Failed(_) => refused(provider, Code::UpstreamError, "could not be asked for an access token"),
        ExchangeError::TimedOut => refused(provider, Code::Timeout, "gave no access token in time"),
    })?;
    match answer.status {
        status if is_success(status) => Ok(answer.body.unwrap_or_default().to_vec()),
        // The grant is at fault, and stays so: the operator's to mend.
        400..=499 => Err(refused(provider, Code::UpstreamAuthError, "gives no access token for the bound credentials")),
        _ => Err(refused(provider, Code::UpstreamError, "could not be asked for an access token")),
    }
}

/// A call that was not made, because there was no token for it.
fn refused(provider: &str, code: Code, what: &str) -> Failure {
    Failure {
        error: ApiError::new(code, format!("{provider} {what}.")),
        retry: Retry::Elsewhere,
        status: None,
        may_be_billed: false,
        content_policy: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(slot: &mut Slot, at: u64) -> Option<String> {
        match slot.step(Timestamp(at)) {
            Step::Use(token) => Some(token.expose().to_owned()),
            Step::Ask(old) => Some(format!("ask {}", old.map_or_else(String::new, |old| old.expose().to_owned()))),
            Step::Wait => None,
            Step::Fail(failure) => Some(failure.error.message),
        }
    }

    #[test]
    fn a_token_is_asked_for_once_and_renewed_by_one_before_it_ends() {
        let (mut slot, hour) = (Slot::default(), Millis(3_600_000));
        assert_eq!(kept(&mut slot, 0).as_deref(), Some("ask "));
        assert_eq!(kept(&mut slot, 1), None, "somebody else is asking");
        slot.end(Ok((Secret::new("a"), hour)), Timestamp(2));
        assert_eq!(kept(&mut slot, 2_800_000).as_deref(), Some("a"));
        assert_eq!(kept(&mut slot, 2_900_000).as_deref(), Some("ask a"));
        assert_eq!(kept(&mut slot, 2_900_001).as_deref(), Some("a"), "one renews, the others go on");
        slot.end(Err(refused("vertex", Code::UpstreamError, "fails")), Timestamp(2_900_002));
        assert_eq!(kept(&mut slot, 2_900_003).as_deref(), Some("a"), "a failed renewal hurts nobody yet");
        assert_eq!(kept(&mut slot, 2_902_000).as_deref(), Some("ask a"));
        assert_eq!(kept(&mut slot, 3_500_000).as_deref(), Some("ask "), "nobody came back, and the token has ended");
        slot.end(Err(refused("vertex", Code::UpstreamError, "fails")), Timestamp(3_500_001));
        assert_eq!(kept(&mut slot, 3_500_002).as_deref(), Some("vertex fails."));
        assert_eq!(kept(&mut slot, 3_501_002).as_deref(), Some("ask "));
    }
}
