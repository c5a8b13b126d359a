//! A signed token in its compact form (RFC 7515, section 7.1), read strictly.

use super::{Algorithm, object};
use crate::base64url;
use serde_json::{Map, Value};

/// The longest token that is looked at.
pub const MAX_BYTES: usize = 16 * 1024;

/// A token that is well formed. Nothing in it is to be believed before its signature has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jws<'t> {
    /// How it says it is signed.
    pub algorithm: Algorithm,
    /// Which key it says it is signed with.
    pub kid: Option<String>,
    /// What it says it is.
    pub typ: Option<String>,
    /// What the signature is over.
    pub signed: &'t [u8],
    /// The payload.
    pub payload: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
}

/// Whether a credential has a token's outer form: three parts. What has not is not worth being decoded.
pub fn is_compact(text: &str) -> bool {
    text.len() <= MAX_BYTES && text.bytes().filter(|byte| *byte == b'.').count() == 2
}

impl<'t> Jws<'t> {
    /// Reads a token; `None` for anything that is not to the letter what it should be.
    ///
    /// Keys and places of keys that a token brings along (`jwk`, `jku`, `x5u`, `x5c`) are never looked at. Everything
    /// that would change what a token means is refused: `crit`, `b64`, `zip`, nested tokens.
    pub fn parse(text: &'t str) -> Option<Jws<'t>> {
        if !is_compact(text) {
            return None;
        }
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let header = object(&base64url::decode(header)?)?;
        if ["crit", "b64", "zip", "cty"].iter().any(|name| header.contains_key(*name)) {
            return None;
        }
        Some(Jws {
            algorithm: Algorithm::parse(header.get("alg")?.as_str()?)?,
            kid: text_of(&header, "kid")?,
            typ: text_of(&header, "typ")?,
            signed: signed.as_bytes(),
            payload: base64url::decode(payload)?,
            signature: base64url::decode(signature)?,
        })
    }

    /// Whether its type is one of these, compared as media types are: without case, `application/` left out.
    pub fn is_of_type(&self, types: &[&str]) -> bool {
        let Some(typ) = &self.typ else { return false };
        let typ = typ.to_ascii_lowercase();
        types.contains(&typ.strip_prefix("application/").unwrap_or(&typ))
    }
}

/// The text of a member, `Some(None)` where there is none; `None` where it is no text.
fn text_of(members: &Map<String, Value>, name: &str) -> Option<Option<String>> {
    match members.get(name) {
        None => Some(None),
        Some(value) => value.as_str().map(|text| Some(text.to_owned())),
    }
}

/// What is signed for a token of these parts; the signature is added by [`seal`].
pub fn unsigned(header: &Value, payload: &Value) -> String {
    let part = |value: &Value| base64url::encode(value.to_string().as_bytes());
    format!("{}.{}", part(header), part(payload))
}

/// The token: what was signed, and its signature.
pub fn seal(unsigned: &str, signature: &[u8]) -> String {
    format!("{unsigned}.{}", base64url::encode(signature))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn token(header: &str) -> String {
        format!("{}.{}.c2ln", base64url::encode(header.as_bytes()), base64url::encode(b"{}"))
    }

    #[test]
    fn a_header_is_read_or_the_token_is_refused() {
        let good = token(r#"{"alg":"ES256","kid":"a","typ":"application/at+JWT","jku":"https://elsewhere.example"}"#);
        let jws = Jws::parse(&good).unwrap();
        assert_eq!((jws.algorithm, jws.kid.as_deref()), (Algorithm::Es256, Some("a")));
        assert!(jws.is_of_type(&["at+jwt"]) && !jws.is_of_type(&["jwt"]));
        for header in [
            r#"{"kid":"a"}"#,
            r#"{"alg":"none"}"#,
            r#"{"alg":"HS256"}"#,
            r#"{"alg":"es256"}"#,
            r#"{"alg":["ES256"]}"#,
            r#"{"alg":"ES256","alg":"ES256"}"#,
            r#"{"alg":"ES256","kid":1}"#,
            r#"{"alg":"ES256","typ":1}"#,
            r#"{"alg":"ES256","crit":[]}"#,
            r#"{"alg":"ES256","b64":false}"#,
            r#"{"alg":"ES256","zip":"DEF"}"#,
            r#"{"alg":"ES256","cty":"JWT"}"#,
            r#"["ES256"]"#,
            "",
        ] {
            assert_eq!(Jws::parse(&token(header)), None, "{header}");
        }
    }

    #[test]
    fn what_has_no_three_parts_is_no_token() {
        for text in ["", ".", "..", "a.b", "a.b.c.d", "sk-sb-x"] {
            assert_eq!(Jws::parse(text), None, "{text}");
        }
        assert!(!is_compact(&format!("a.b.{}", "c".repeat(MAX_BYTES))));
    }

    #[test]
    fn a_token_that_is_written_is_read() {
        let unsigned = unsigned(&crate::json::json!({ "alg": "EdDSA" }), &crate::json::json!({ "sub": "x" }));
        let token = seal(&unsigned, b"signature");
        let jws = Jws::parse(&token).unwrap();
        assert_eq!((jws.signed, jws.signature.as_slice()), (unsigned.as_bytes(), &b"signature"[..]));
        assert_eq!(jws.payload, br#"{"sub":"x"}"#);
    }
}
