//! Opaque tokens: what one is worth is asked of its issuer (RFC 7662).
//!
//! An answer is believed for seconds, never past the token's end; that a token is no good, for fewer. While the issuer
//! does not answer nobody enters by what it said before. Strangers decide how many unknown tokens are presented, so the
//! configuration bounds what they cost it: one question at a time for each token, few for all, and a rest after a failure.

use super::claims::{self, Refused, SKEW};
use super::tokens::{Fingerprint, Good, Tokens};
use super::{Fault, Identity};
use crate::config::authentication::Introspection;
use crate::config::segment;
use crate::error::ApiError;
use crate::gateway::Caller;
use crate::gateway::caller::Via;
use crate::gateway::journal::checkpoint::base64;
use crate::gateway::turn::LOST_AFTER;
use crate::http::form;
use crate::jose::object;
use crate::ports::{Outgoing, Ports};
use crate::secret::Secret;
use crate::sorted::SortedMap;
use crate::units::{Millis, Timestamp};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The longest token that is shown to an issuer.
const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// The longest answer an issuer may give, and how long it may take for it.
const MAX_BYTES: usize = 64 * 1024;
const PATIENCE: Millis = Millis(5_000);
/// Questions under way at a time.
const AT_ONCE: usize = 64;
/// An issuer that failed is left alone for so long.
const REST: Millis = Millis(1_000);
/// How long a token that is no good is remembered as such.
const NO_GOOD: Millis = Millis(5_000);
/// How long a request waits for a question that another asks, and how often it looks.
const WAITS: u32 = 700;
const LOOK_EVERY: Millis = Millis(10);

/// What one process knows of its questions, by one configuration.
#[derive(Debug, Default)]
pub(super) struct Questions {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Since when each is asked about.
    under_way: SortedMap<Fingerprint, Timestamp>,
    refused: Tokens<Refused>,
    resting: SortedMap<String, Timestamp>,
}

/// What to do about a token.
enum Step {
    /// Ask; the question is over when this is dropped.
    Ask(Turn),
    /// Somebody asks: look again in a moment.
    Wait,
    /// It is known to be no good.
    Refused(Refused),
    /// Its issuer cannot be asked now.
    Down,
}

struct Turn {
    state: Arc<Mutex<State>>,
    token: Fingerprint,
}

impl Drop for Turn {
    fn drop(&mut self) {
        lock(&self.state).under_way.remove(&self.token);
    }
}

/// Nothing panics while the lock is held, so a poisoned lock guards good data all the same.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Questions {
    fn step(&self, source: &str, token: Fingerprint, now: Timestamp) -> Step {
        let mut state = lock(&self.state);
        if let Some(refused) = state.refused.get(&token, now) {
            return Step::Refused(*refused);
        }
        // The platform may end a request without a word: what it asked nobody waits for.
        state.under_way.retain(|_, since| *since <= now && now.since(*since) <= LOST_AFTER);
        if state.under_way.contains_key(&token) {
            return Step::Wait;
        }
        // A clock that jumps back wakes it, too.
        let rests = state.resting.get(source).is_some_and(|until| now < *until && now + REST >= *until);
        if rests || state.under_way.len() >= AT_ONCE {
            return Step::Down;
        }
        state.under_way.insert(token, now);
        Step::Ask(Turn { state: self.state.clone(), token })
    }

    fn failed(&self, source: &str, token: Fingerprint, fault: &Fault, now: Timestamp) {
        let mut state = lock(&self.state);
        match fault {
            Fault::Refused(refused) => state.refused.put(token, *refused, now + NO_GOOD, now),
            Fault::Down => drop(state.resting.insert(source.to_owned(), now + REST)),
            Fault::Unset(_) => {}
        }
    }
}

/// Whether a credential can be a token at all (RFC 6750, section 2.1).
pub(super) fn is_token(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    text.len() <= MAX_TOKEN_BYTES && text.bytes().all(plain)
}

impl<P: Ports> Identity<P> {
    /// Who presents an opaque token.
    pub(super) async fn introspected(
        &self,
        token: Fingerprint,
        credential: &str,
        (name, rules): (&str, &Introspection),
    ) -> Result<Caller, ApiError> {
        for _ in 0..WAITS {
            match self.questions.step(name, token, self.ports.now()) {
                Step::Ask(_turn) => {
                    let asked = self.ask(credential, name, rules).await;
                    let now = self.ports.now();
                    return match asked.and_then(|answer| judge(name, rules, answer, now)) {
                        Ok((caller, until)) => {
                            self.lock().put(token, Good::Told(Box::new(caller.clone())), until, now);
                            Ok(caller)
                        }
                        Err(fault) => {
                            self.questions.failed(name, token, &fault, now);
                            Err(self.refuse(name, &fault))
                        }
                    };
                }
                Step::Wait => self.ports.sleep(LOOK_EVERY).await,
                Step::Refused(refused) => return Err(self.refuse(name, &Fault::Refused(refused))),
                Step::Down => return Err(self.refuse(name, &Fault::Down)),
            }
            if let Some(Good::Told(caller)) = self.remembered(&token) {
                return Ok(*caller);
            }
        }
        Err(self.refuse(name, &Fault::Down))
    }

    /// What the issuer says of a token.
    async fn ask(&self, credential: &str, name: &str, rules: &Introspection) -> Result<Map<String, Value>, Fault> {
        let Some(secret) = self.secrets.get(&rules.client_secret) else {
            return Err(Fault::Unset(rules.client_secret.as_str().to_owned()));
        };
        let call = question(rules, secret, credential);
        let problem = match self.ports.exchange(call, PATIENCE, MAX_BYTES).await {
            Err(_) => "it does not answer",
            Ok(answer) if answer.status != 200 => "it answers with an error",
            Ok(answer) => match answer.body.as_deref().and_then(object) {
                Some(told) if told.get("active").is_some_and(Value::is_boolean) => return Ok(told),
                Some(_) => "its answer does not say whether the token is active",
                None => "its answer is too long, or no object of JSON",
            },
        };
        let line = crate::json::json!({ "event": "issuer_error", "issuer": name, "problem": problem });
        self.ports.log(&line.to_string());
        Err(Fault::Down)
    }
}

/// The question, with this gateway's name and secret (RFC 6749, section 2.3.1).
fn question(rules: &Introspection, secret: &Secret, credential: &str) -> Outgoing {
    let pair = [&segment(&rules.client_id), ":", &segment(secret.expose())].concat();
    let headers = vec![
        (Cow::Borrowed("content-type"), "application/x-www-form-urlencoded".to_owned()),
        (Cow::Borrowed("accept"), "application/json".to_owned()),
        (Cow::Borrowed("authorization"), ["Basic ", &base64(pair.as_bytes())].concat()),
    ];
    let body = form(&[("token", credential), ("token_type_hint", "access_token")]).into_bytes();
    Outgoing { method: "POST", url: rules.url.as_str().to_owned(), headers, body, forward: false }
}

/// The caller an answer speaks of, and until when it is believed.
fn judge(
    name: &str,
    rules: &Introspection,
    answer: Map<String, Value>,
    now: Timestamp,
) -> Result<(Caller, Timestamp), Fault> {
    let is = |member: &str, wanted: &str| answer.get(member).is_some_and(|value| value == wanted);
    // Some servers tell of refresh tokens, too. A token that is bound to its caller's key is good with that key alone,
    // which nobody asks for here.
    let word = |kind: &Value| {
        kind.as_str().is_some_and(|kind| ["bearer", "access_token"].contains(&kind.to_ascii_lowercase().as_str()))
    };
    let refused = match () {
        () if answer.get("active") != Some(&Value::Bool(true)) => Some(Refused::Inactive),
        () if !answer.get("token_type").is_none_or(word) || answer.contains_key("cnf") => Some(Refused::Type),
        () if rules.issuer.as_ref().is_some_and(|issuer| !is("iss", issuer)) => Some(Refused::Issuer),
        () if rules.audience.as_ref().is_some_and(|audience| !claims::is_for(&answer, audience)) => {
            Some(Refused::Audience)
        }
        () => None,
    };
    if let Some(refused) = refused {
        return Err(Fault::Refused(refused));
    }
    let expires_at = claims::instant(&answer, "exp")?;
    for start in ["nbf", "iat"] {
        if claims::instant(&answer, start)?.is_some_and(|at| at > now + SKEW) {
            return Err(Fault::Refused(Refused::Early));
        }
    }
    if expires_at.is_some_and(|at| at + SKEW <= now) {
        return Err(Fault::Refused(Refused::Expired));
    }
    let caller = claims::caller(&rules.claims, &answer, Via::Idp, String::new())?;
    let key_id = format!("introspection:{name}:{}", caller.user.as_deref().unwrap_or_default());
    let until = expires_at.unwrap_or(now + rules.cache).min(now + rules.cache);
    Ok((Caller { key_id, ..caller }, until))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::config::Config;
    use serde_json::json;

    const NOW: Timestamp = Timestamp(1_000_000_000);

    fn rules(more: &Value) -> Introspection {
        let mut rules = json!({ "url": "https://login.example.com/introspect", "client_id": "sig nal", "client_secret": { "binding": "S" } });
        rules.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let config = Config::from_value(&json!({ "auth": { "introspection": { "corp": rules } } })).unwrap();
        config.auth.introspection.get("corp").unwrap().clone()
    }

    fn judged(rules: &Introspection, answer: &Value) -> Result<(Caller, Timestamp), Fault> {
        judge("corp", rules, answer.as_object().unwrap().clone(), NOW)
    }

    #[test]
    fn an_answer_is_believed_for_seconds_and_never_past_the_tokens_end() {
        let rules = rules(&json!({}));
        let until = |answer: Value| judged(&rules, &answer).map(|(_, until)| until);
        assert_eq!(until(json!({ "active": true, "sub": "ada" })), Ok(NOW + Millis(30_000)));
        assert_eq!(until(json!({ "active": true, "sub": "ada", "exp": 1_000_007 })), Ok(NOW + Millis(7_000)));
        assert_eq!(
            until(json!({ "active": true, "sub": "ada", "exp": 999_900 })),
            Err(Fault::Refused(Refused::Expired))
        );
        let (caller, _) = judged(&rules, &json!({ "active": true, "sub": "ada" })).unwrap();
        assert_eq!((caller.user.as_deref(), caller.key_id.as_str()), (Some("ada"), "introspection:corp:ada"));
    }

    #[test]
    fn an_answer_that_leaves_a_doubt_makes_nobody_a_caller() {
        let rules = rules(&json!({ "issuer": "https://login.example.com", "audience": "gateway" }));
        let good = json!({ "active": true, "sub": "ada", "iss": "https://login.example.com", "aud": ["gateway"], "token_type": "Bearer" });
        assert!(judged(&rules, &good).is_ok());
        for (member, value, refused) in [
            ("active", json!(false), Refused::Inactive),
            ("token_type", json!("DPoP"), Refused::Type),
            ("token_type", json!("refresh_token"), Refused::Type),
            ("token_type", json!(1), Refused::Type),
            ("cnf", json!({ "jkt": "x" }), Refused::Type),
            ("iss", json!("https://login.example.com/"), Refused::Issuer),
            ("iss", json!(null), Refused::Issuer),
            ("aud", json!("mail"), Refused::Audience),
            ("aud", json!(["gateway", 1]), Refused::Audience),
            ("exp", json!("tomorrow"), Refused::Times),
            ("exp", json!(-1), Refused::Times),
            ("nbf", json!(1_000_100), Refused::Early),
            ("sub", json!(null), Refused::Claim),
            ("sub", json!("a\nb"), Refused::Claim),
            ("sub", json!(7), Refused::Claim),
        ] {
            let mut bad = good.clone();
            bad.as_object_mut().unwrap().insert(member.to_owned(), value.clone());
            assert_eq!(judged(&rules, &bad).map(|_| ()), Err(Fault::Refused(refused)), "{member}: {value}");
        }
    }

    #[test]
    fn the_question_carries_the_gateways_credentials_and_no_more() {
        let call = question(&rules(&json!({})), &Secret::new("s:ü"), "a+b/c=");
        assert_eq!(call.body, b"token=a%2Bb%2Fc%3D&token_type_hint=access_token");
        let basic = base64(b"sig%20nal:s%3A%C3%BC");
        assert!(call.headers.iter().any(|(name, value)| name == "authorization" && *value == format!("Basic {basic}")));
    }

    #[test]
    fn fault_8_one_question_at_a_time_for_a_token_few_for_all_and_none_while_the_issuer_rests() {
        let questions = Questions::default();
        let token = |n: usize| super::super::tokens::fingerprint(&n.to_string());
        let turns: Vec<Step> = (0..AT_ONCE).map(|n| questions.step("corp", token(n), NOW)).collect();
        assert!(turns.iter().all(|step| matches!(step, Step::Ask(_))));
        assert!(matches!(questions.step("corp", token(3), NOW), Step::Wait));
        assert!(matches!(questions.step("corp", token(AT_ONCE), NOW), Step::Down));
        drop(turns);
        questions.failed("corp", token(3), &Fault::Refused(Refused::Inactive), NOW);
        assert!(matches!(questions.step("corp", token(3), NOW + Millis(4_999)), Step::Refused(Refused::Inactive)));
        assert!(matches!(questions.step("corp", token(3), NOW + Millis(5_000)), Step::Ask(_)));
        questions.failed("corp", token(4), &Fault::Down, NOW);
        assert!(matches!(questions.step("corp", token(5), NOW + Millis(999)), Step::Down));
        assert!(matches!(questions.step("other", token(5), NOW + Millis(999)), Step::Ask(_)));
        assert!(matches!(questions.step("corp", token(5), NOW + Millis(1_000)), Step::Ask(_)));
    }

    #[test]
    fn a_question_that_nobody_comes_back_from_keeps_nobody_out() {
        let questions = Questions::default();
        let token = |n: usize| super::super::tokens::fingerprint(&n.to_string());
        let turns: Vec<Step> = (0..AT_ONCE).map(|n| questions.step("corp", token(n), NOW)).collect();
        let later = NOW + LOST_AFTER + Millis(1);
        assert!(matches!(questions.step("corp", token(3), NOW + LOST_AFTER), Step::Wait));
        assert!(matches!(questions.step("corp", token(3), later), Step::Ask(_)));
        assert!(matches!(questions.step("corp", token(AT_ONCE), later), Step::Ask(_)));
        drop(turns);
    }

    #[test]
    fn what_cannot_be_a_token_is_shown_to_nobody() {
        assert!(is_token("opq_A-1.~+/=="));
        for bad in ["a b", "a\u{e9}", "a\"", "a,b", &"x".repeat(MAX_TOKEN_BYTES + 1)] {
            assert!(!is_token(bad), "{bad}");
        }
    }
}
