//! Sign-in of people: OpenID Connect's authorization code flow with a proof key (RFC 6749, 7636, 9207, 9700).
//!
//! What must be remembered between the two ways lies in a cookie, as a *ticket*: chance and a time. State, nonce and proof
//! key are derived from it under the gateway's secret, so nothing is stored for people who never come back, and nobody
//! who has not this browser's ticket can end a sign-in that it began.

use super::claims::{self, Expected, Refused};
use super::issuers::SignIn;
use super::{Fault, Identity};
use crate::base64url;
use crate::config::authentication::{Console, Idp};
use crate::config::segment;
use crate::error::{ApiError, Code};
use crate::gateway::Caller;
use crate::gateway::caller::Via;
use crate::gateway::journal::checkpoint::base64;
use crate::gateway::keys::{Hasher, token};
use crate::http::{form, query_parameters};
use crate::jose::{Jws, object};
use crate::ports::{Outgoing, Ports};
use crate::units::{Millis, Timestamp};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// How long somebody may take to sign in.
const PATIENCE: Millis = Millis(600_000);
/// How long the identity provider may take to answer, and how much it may say.
const EXCHANGE: Millis = Millis(10_000);
const MAX_BYTES: usize = 128 * 1024;
/// The longest code that is redeemed.
const MAX_CODE_BYTES: usize = 4 * 1024;

/// What is derived from a ticket.
struct Proofs {
    state: String,
    nonce: String,
    verifier: String,
}

impl Proofs {
    fn of(hasher: &Hasher, ticket: &str) -> Proofs {
        // No header can carry NUL, so none of these is the hash of a credential.
        let derived = |what: &str| hasher.hash(&["sign-in", what, ticket].join("\0"));
        Proofs { state: derived("state"), nonce: derived("nonce"), verifier: derived("verifier") }
    }
}

/// Whether a ticket is of the last minutes.
fn is_recent(ticket: &str, now: Timestamp) -> bool {
    let begun = ticket.rsplit_once('.').and_then(|(_, at)| at.parse().ok()).map(Timestamp);
    begun.is_some_and(|begun| begun <= now && now.since(begun) <= PATIENCE)
}

fn forbidden(sentence: &str) -> ApiError {
    ApiError::new(Code::PermissionDenied, sentence)
}

impl<P: Ports> Identity<P> {
    /// The rules of sign-in, and the identity provider.
    pub fn console(&self) -> Result<(&Console, &Idp), ApiError> {
        let auth = &self.config.auth;
        let found = auth.console.as_ref().and_then(|console| Some((console, auth.idp.get(&console.idp)?)));
        found.ok_or_else(|| {
            ApiError::new(Code::NotFound, "Nobody can sign in here: the configuration has no section auth.console.")
        })
    }

    fn callback(&self) -> String {
        let url = self.config.auth.public_url.as_ref().map(ToString::to_string).unwrap_or_default();
        url + "/console/callback"
    }

    async fn places(&self, name: &str, idp: &Idp) -> Result<SignIn, ApiError> {
        self.shared.descriptions.of(&self.ports, &idp.issuer).await.map_err(|problem| self.silent(name, problem))
    }

    /// The error about an identity provider that does not do its part; the operator is told which.
    fn silent(&self, name: &str, problem: &str) -> ApiError {
        let line = crate::json::json!({ "event": "issuer_error", "issuer": name, "problem": problem });
        self.ports.log(&line.to_string());
        let sentence = "The identity provider does not answer as it should. Try again in a moment.";
        ApiError::new(Code::LimiterUnavailable, sentence).retry_after(Millis(5_000))
    }

    /// Begins a sign-in: where the browser goes, and the ticket it keeps.
    pub async fn begin(&self, hasher: &Hasher) -> Result<(String, String), ApiError> {
        let (console, idp) = self.console()?;
        let places = self.places(&console.idp, idp).await?;
        let ticket = format!("{}.{}", token(|| self.ports.entropy(), 43), self.ports.now().0);
        let proofs = Proofs::of(hasher, &ticket);
        let query = form(&[
            ("response_type", "code"),
            ("client_id", &console.client_id),
            ("redirect_uri", &self.callback()),
            ("scope", &console.scopes.join(" ")),
            ("state", &proofs.state),
            ("nonce", &proofs.nonce),
            ("code_challenge", &base64url::encode(&Sha256::digest(proofs.verifier.as_bytes()))),
            ("code_challenge_method", "S256"),
        ]);
        Ok((format!("{}?{query}", places.authorization), ticket))
    }

    /// Ends a sign-in: who it is that came back with this query and this ticket.
    pub async fn finish(&self, hasher: &Hasher, ticket: Option<&str>, query: &str) -> Result<Caller, ApiError> {
        let (console, idp) = self.console()?;
        let back = Back::read(query).ok_or_else(|| forbidden("The answer of the identity provider is malformed."))?;
        let ticket = ticket.filter(|ticket| is_recent(ticket, self.ports.now()));
        let proofs = ticket.map(|ticket| Proofs::of(hasher, ticket));
        // Somebody else's code must not sign this browser in.
        let Some(proofs) = proofs.filter(|proofs| hasher.same(&proofs.state, &back.state)) else {
            return Err(forbidden("This sign-in was not begun in this browser, or took too long. Begin again."));
        };
        let places = self.places(&console.idp, idp).await?;
        // An answer of another provider's must not be redeemed with this one.
        let is_its = back.issuer.as_ref().map_or(!places.says_issuer, |issuer| *issuer == idp.issuer);
        if !is_its {
            return Err(forbidden("The answer is not of the identity provider that was asked. Begin again."));
        }
        let code = back.code.map_err(|error| forbidden(&format!("The identity provider let nobody in: {error}.")))?;
        let id_token = self.redeem(console, &places, &code, &proofs).await?;
        self.who(console, idp, &id_token, &proofs.nonce, hasher)
            .await
            .map_err(|fault| self.refuse(&console.idp, &fault))
    }

    /// Trades the code for the id token.
    async fn redeem(
        &self,
        console: &Console,
        places: &SignIn,
        code: &str,
        proofs: &Proofs,
    ) -> Result<String, ApiError> {
        let callback = self.callback();
        let mut members = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &callback),
            ("code_verifier", &proofs.verifier),
        ];
        let mut headers = vec![
            (Cow::Borrowed("content-type"), "application/x-www-form-urlencoded".to_owned()),
            (Cow::Borrowed("accept"), "application/json".to_owned()),
        ];
        match &console.client_secret {
            None => members.push(("client_id", &console.client_id)),
            Some(binding) => {
                let Some(secret) = self.secrets.get(binding) else {
                    return Err(self.refuse(&console.idp, &Fault::Unset(binding.as_str().to_owned())));
                };
                let pair = [&segment(&console.client_id), ":", &segment(secret.expose())].concat();
                headers.push((Cow::Borrowed("authorization"), ["Basic ", &base64(pair.as_bytes())].concat()));
            }
        }
        let body = form(&members).into_bytes();
        let call = Outgoing { method: "POST", url: places.token.clone(), headers, body, forward: false };
        let answer = self.ports.exchange(call, EXCHANGE, MAX_BYTES).await;
        let answer = answer.map_err(|_| self.silent(&console.idp, "its token endpoint does not answer"))?;
        match answer.status {
            200 => {
                let told = answer.body.as_deref().and_then(object);
                let id_token = told.as_ref().and_then(|told| told.get("id_token")).and_then(Value::as_str);
                id_token.map(str::to_owned).ok_or_else(|| self.silent(&console.idp, "its answer has no id token"))
            }
            // The code is spent, too old or not its own.
            400 => Err(forbidden("The identity provider does not know this sign-in any more. Begin again.")),
            _ => Err(self.silent(&console.idp, "its token endpoint answers with an error")),
        }
    }

    /// Whom an id token speaks of (OpenID Connect Core 1.0, section 3.1.3.7), by the rules of every token.
    async fn who(
        &self,
        console: &Console,
        idp: &Idp,
        id_token: &str,
        nonce: &str,
        hasher: &Hasher,
    ) -> Result<Caller, Fault> {
        let jws = Jws::parse(id_token).ok_or(Refused::Payload)?;
        let expected = Expected {
            issuer: &idp.issuer,
            audience: &console.client_id,
            types: &["jwt"],
            untyped: true,
            longest: idp.longest,
        };
        let payload = claims::payload(&jws)?;
        let (told, _) = self.verified(idp, &expected, &jws, payload).await?;
        if !is_answer(&told.claims, &console.client_id, |said| hasher.same(said, nonce)) {
            return Err(Fault::Refused(Refused::Claim));
        }
        let key_id = format!("session:{}:{}", console.idp, told.subject);
        Ok(claims::caller(&idp.claims, &told.claims, Via::Session, key_id)?)
    }
}

/// Whether an id token answers our question: our nonce, and made for us alone or on our word.
fn is_answer(claims: &Map<String, Value>, client_id: &str, is_nonce: impl Fn(&str) -> bool) -> bool {
    let several = claims.get("aud").and_then(Value::as_array).is_some_and(|all| all.len() > 1);
    let party = claims.get("azp").map_or(!several, |azp| azp == client_id);
    party && claims.get("nonce").and_then(Value::as_str).is_some_and(is_nonce)
}

/// What somebody comes back with.
#[derive(Debug, PartialEq, Eq)]
struct Back {
    state: String,
    issuer: Option<String>,
    /// `Err`: the provider's word for why there is none.
    code: Result<String, String>,
}

impl Back {
    /// `None` where a parameter is missing, or there twice.
    fn read(query: &str) -> Option<Back> {
        let all: Vec<(String, String)> = query_parameters(query).collect();
        let get = |name: &str| {
            let mut its = all.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone());
            its.next().filter(|value| !value.is_empty())
        };
        let once = |name: &str| all.iter().filter(|(known, _)| known == name).count() <= 1;
        ["state", "iss", "code", "error"].into_iter().all(once).then_some(())?;
        let code = match (get("code"), get("error")) {
            (Some(code), None) if code.len() <= MAX_CODE_BYTES => Ok(code),
            (None, Some(error)) => {
                Err(error.chars().filter(|c| c.is_ascii_lowercase() || *c == '_').take(64).collect())
            }
            (Some(_) | None, Some(_) | None) => return None,
        };
        Some(Back { state: get("state")?, issuer: get("iss"), code })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_derived_from_a_ticket_is_its_own_and_three_different_things() {
        let hasher = Hasher::derive(&[7; 32]).unwrap();
        let (one, other) = (Proofs::of(&hasher, "a.1"), Proofs::of(&hasher, "a.2"));
        assert!(one.state != one.nonce && one.nonce != one.verifier && one.state != one.verifier);
        assert!(one.state != other.state && one.verifier != other.verifier);
        // RFC 7636, section 4.1: 43 to 128 unreserved characters.
        assert!((43..=128).contains(&one.verifier.len()));
    }

    #[test]
    fn a_ticket_is_good_for_ten_minutes() {
        let now = Timestamp(1_000_000);
        for (ticket, good) in [
            ("x.1000000", true),
            ("x.400000", true),
            ("x.399999", false),
            ("x.1000001", false),
            ("x", false),
            ("x.y", false),
        ] {
            assert_eq!(is_recent(ticket, now), good, "{ticket}");
        }
    }

    #[test]
    fn an_answer_is_read_strictly() {
        let good = Back::read("code=a%2Fb&state=s&iss=https%3A%2F%2Fi.example").unwrap();
        assert_eq!((good.code, good.issuer.as_deref()), (Ok("a/b".to_owned()), Some("https://i.example")));
        assert_eq!(Back::read("error=access_denied%3Cb%3E&state=s").unwrap().code, Err("access_deniedb".to_owned()));
        for bad in
            ["", "code=a", "state=s", "code=a&state=s&state=t", "code=a&code=b&state=s", "code=a&error=e&state=s"]
        {
            assert_eq!(Back::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_id_token_is_for_this_sign_in_and_this_client() {
        let is = |claims: Value| is_answer(claims.as_object().unwrap(), "console", |said| said == "n");
        assert!(is(json!({ "aud": "console", "nonce": "n" })));
        assert!(is(json!({ "aud": ["console", "other"], "azp": "console", "nonce": "n" })));
        for bad in [
            json!({ "aud": "console" }),
            json!({ "aud": "console", "nonce": "m" }),
            json!({ "aud": "console", "nonce": 1 }),
            json!({ "aud": ["console", "other"], "nonce": "n" }),
            json!({ "aud": "console", "azp": "other", "nonce": "n" }),
        ] {
            assert!(!is(bad.clone()), "{bad}");
        }
    }
}
