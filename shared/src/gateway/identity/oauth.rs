//! The token endpoint: client credentials for an access token (RFC 6749, sections 2.3.1, 4.4 and 5; RFC 9068).

use super::Identity;
use super::clients::{Client, Scope};
use crate::base64url;
use crate::gateway::denial;
use crate::gateway::keys::{Hasher, token};
use crate::http::percent_decoded;
use crate::json::json;
use crate::ports::Ports;
use serde_json::Value;

/// The largest form that is read.
pub const MAX_FORM_BYTES: usize = 8 * 1024;

/// An answer of the token endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON body.
    pub body: Value,
}

/// What is wrong with a request for a token (RFC 6749, section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Request(&'static str),
    Client,
    GrantType,
    Scope,
    Unavailable,
}

impl Wrong {
    fn answer(self) -> Answer {
        let (status, error, description) = match self {
            Wrong::Request(what) => (400, "invalid_request", what),
            // One sentence, whatever is wrong: nobody learns which clients there are.
            Wrong::Client => (401, "invalid_client", "The client is not known here, or its secret is wrong."),
            Wrong::GrantType => (400, "unsupported_grant_type", "Only grant_type=client_credentials is supported."),
            Wrong::Scope => (400, "invalid_scope", "The client may not have one of these scopes."),
            Wrong::Unavailable => (503, "temporarily_unavailable", "Clients cannot be looked up right now. Try again."),
        };
        Answer { status, body: json!({ "error": error, "error_description": description }) }
    }
}

impl<P: Ports> Identity<P> {
    /// Serves `POST /oauth/token`.
    pub async fn token(
        &self,
        hasher: &Hasher,
        authorization: Option<&str>,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Answer {
        match self.issue(hasher, authorization, content_type, body).await {
            Ok(body) => Answer { status: 200, body },
            Err(wrong) => wrong.answer(),
        }
    }

    async fn issue(
        &self,
        hasher: &Hasher,
        authorization: Option<&str>,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Value, Wrong> {
        let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Wrong::Request("Send a form: application/x-www-form-urlencoded."));
        }
        let form = Form::read(body).ok_or(Wrong::Request("The form is malformed, or names something twice."))?;
        let client = self.client(hasher, authorization, &form).await?;
        match form.get("grant_type") {
            Some("client_credentials") => {}
            Some(_) => return Err(Wrong::GrantType),
            None => return Err(Wrong::Request("grant_type is missing.")),
        }
        let scopes = match form.get("scope") {
            Some(text) => Scope::list(text).filter(|scopes| scopes.iter().all(|scope| client.scopes.contains(scope))),
            None => Some(client.scopes.clone()),
        };
        let scopes = scopes.filter(|scopes| !scopes.is_empty()).ok_or(Wrong::Scope)?;
        let scope = scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ");
        let rules = &self.config.auth.tokens;
        let (now, lifetime) = (self.ports.now().0 / 1_000, rules.lifetime.0 / 1_000);
        let claims = json!({
            "iss": self.config.auth.issuer(), "aud": rules.audience, "sub": client.id, "client_id": client.id,
            "iat": now, "exp": now + lifetime, "jti": token(|| self.ports.entropy(), 22), "scope": scope,
        });
        let signed = self.shared.signer.sign(&self.ports, "at+jwt", &claims).await.ok_or(Wrong::Unavailable)?;
        Ok(json!({ "access_token": signed, "token_type": "Bearer", "expires_in": lifetime, "scope": scope }))
    }

    /// The client that asks, by its secret: in the header or in the form, not in both.
    async fn client(&self, hasher: &Hasher, authorization: Option<&str>, form: &Form) -> Result<Client, Wrong> {
        let in_form = form.get("client_id").zip(form.get("client_secret"));
        let (id, secret) = match (authorization, in_form) {
            (Some(_), Some(_)) => return Err(Wrong::Request("The client authenticates in two ways. Use one.")),
            (Some(header), None) => basic(header).ok_or(Wrong::Client)?,
            (None, Some((id, secret))) => (id.to_owned(), secret.to_owned()),
            (None, None) => return Err(Wrong::Client),
        };
        let found = self.shared.clients.read(&self.ports, &id).await.map_err(|problem| {
            self.ports.log(&denial::store_line("oauth_clients", &problem));
            Wrong::Unavailable
        })?;
        let now = self.ports.now();
        let good = |client: &Client| {
            client.revoked_at.is_none() && client.hashes(now).any(|hash| hasher.is_hash_of(&secret, hash))
        };
        found.filter(good).ok_or(Wrong::Client)
    }
}

/// RFC 7617, with both halves form-encoded as RFC 6749 wants it.
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    let encoded: String = encoded.trim().trim_end_matches('=').replace('+', "-").replace('/', "_");
    let pair = String::from_utf8(base64url::decode(&encoded)?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then_some(())?;
    Some((form_decoded(id)?, form_decoded(secret)?))
}

/// The members of a form; none is there twice.
struct Form(Vec<(String, String)>);

impl Form {
    fn read(body: &[u8]) -> Option<Form> {
        let mut members: Vec<(String, String)> = Vec::new();
        for pair in str::from_utf8(body).ok()?.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=')?;
            let (name, value) = (form_decoded(name)?, form_decoded(value)?);
            if members.iter().any(|(known, _)| *known == name) {
                return None;
            }
            members.push((name, value));
        }
        Some(Form(members))
    }

    /// A member; one without a value counts as absent (RFC 6749, section 3.2).
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }
}

fn form_decoded(text: &str) -> Option<String> {
    String::from_utf8(percent_decoded(&text.replace('+', " "))?).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn fault_11_a_form_is_read_strictly() {
        let form = Form::read(b"grant_type=client_credentials&scope=a+b%20c&empty=").unwrap();
        assert_eq!(form.get("scope"), Some("a b c"));
        assert_eq!((form.get("empty"), form.get("none")), (None, None));
        for bad in [&b"{\"grant_type\":1}"[..], b"a=1&a=2", b"a=%zz", b"a", b"a=\xff"] {
            assert!(Form::read(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn a_client_in_the_header_is_decoded_twice() {
        let header = |pair: &str| format!("Basic {}", base64url::encode(pair.as_bytes()));
        assert_eq!(basic(&header("client_1:cs-sb-x")), Some(("client_1".into(), "cs-sb-x".into())));
        assert_eq!(basic(&header("a%3Ab:c+d")), Some(("a:b".into(), "c d".into())));
        assert_eq!(basic("basic Zm86YmE="), Some(("fo".into(), "ba".into())));
        for bad in ["Basic", "Bearer Zm86YmE=", "Basic Zm9v", "Basic !!", ""] {
            assert_eq!(basic(bad), None, "{bad}");
        }
    }
}
