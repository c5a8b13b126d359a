//! Tokens of an identity provider that exists in the tests alone.
//!
//! A token is signed with Ed25519 by the key its header names: the key's seed is that name, repeated. Whoever reads this
//! can make them, which is why no gateway but a case's own knows these keys.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use signalbox::base64url;
use signalbox::jose::jws;
use signalbox::ports::Seed;

use super::document::Names;

/// What a token says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Over `{"alg": "EdDSA", "typ": "at+jwt", "kid": "a"}`; null takes a member away.
    #[serde(default)]
    pub header: Map<String, Value>,
    /// The claims. The text `now+60` is that instant in seconds.
    pub claims: Map<String, Value>,
}

impl Token {
    /// The token, signed at this instant.
    pub fn sign(&self, now: u64, names: &Names) -> String {
        let mut header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "a" });
        super::document::lay_over(&mut header, &Value::Object(self.header.clone()));
        let claims: Map<String, Value> =
            self.claims.iter().map(|(name, value)| (name.clone(), at(&names.fill_value(value), now))).collect();
        let kid = header.get("kid").and_then(Value::as_str).unwrap_or("a").to_owned();
        let unsigned = jws::unsigned(&header, &Value::Object(claims));
        let signature = signalbox_crypto::sign(&seed(&kid), unsigned.as_bytes()).unwrap_or([0; 64]);
        jws::seal(&unsigned, &signature)
    }
}

/// The public key of that name, as its issuer publishes it.
pub fn jwk(kid: &str) -> Value {
    let x = signalbox_crypto::public_key(&seed(kid)).map(|x| base64url::encode(&x));
    json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": x })
}

fn seed(kid: &str) -> Seed {
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().zip(kid.bytes().cycle()) {
        *place = byte;
    }
    Seed::new(bytes)
}

fn at(value: &Value, now: u64) -> Value {
    let offset = value.as_str().and_then(|text| text.strip_prefix("now")).and_then(|text| text.parse::<i64>().ok());
    offset.map_or_else(|| value.clone(), |offset| json!(now.saturating_add_signed(offset)))
}
