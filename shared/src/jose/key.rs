//! A public key as issuers publish it (RFC 7517), taken only if it is meant for signatures and strong enough.

use super::{Algorithm, roca};
use crate::base64url;
use serde_json::{Map, Value};

/// RSA keys from 2048 to 8192 bits: below is weak (RFC 7518, section 3.3), above is a way to burn our time.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// A public key, its numbers checked for length and form. Whether a point lies on its curve, the platform checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// Modulus and exponent, big-endian, without leading zeros.
    Rsa {
        /// The modulus, 2048 to 8192 bits.
        n: Vec<u8>,
        /// The exponent: odd, 65537 or more, at most 32 bits.
        e: Vec<u8>,
    },
    /// A point on P-256: coordinates of 32 bytes.
    P256 {
        /// The first coordinate.
        x: Vec<u8>,
        /// The second coordinate.
        y: Vec<u8>,
    },
    /// A point on P-384: coordinates of 48 bytes.
    P384 {
        /// The first coordinate.
        x: Vec<u8>,
        /// The second coordinate.
        y: Vec<u8>,
    },
    /// An encoded point of Ed25519, 32 bytes.
    Ed25519(Vec<u8>),
}

impl PublicKey {
    /// Whether the key is of the algorithm's kind.
    pub fn suits(&self, algorithm: Algorithm) -> bool {
        match algorithm {
            Algorithm::Rs256
            | Algorithm::Rs384
            | Algorithm::Rs512
            | Algorithm::Ps256
            | Algorithm::Ps384
            | Algorithm::Ps512 => matches!(self, PublicKey::Rsa { .. }),
            Algorithm::Es256 => matches!(self, PublicKey::P256 { .. }),
            Algorithm::Es384 => matches!(self, PublicKey::P384 { .. }),
            Algorithm::EdDsa => matches!(self, PublicKey::Ed25519(_)),
        }
    }

    /// How long its signatures are, in bytes.
    pub fn signature_bytes(&self) -> usize {
        match self {
            PublicKey::Rsa { n, .. } => n.len(),
            PublicKey::P256 { .. } | PublicKey::Ed25519(_) => 64,
            PublicKey::P384 { .. } => 96,
        }
    }

    /// The key as a JWK in the one spelling its thumbprint is made of (RFC 7638, RFC 8037): its identity.
    pub fn jwk(&self) -> String {
        let b64 = base64url::encode;
        match self {
            PublicKey::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, b64(e), b64(n)),
            PublicKey::P256 { x, y } => {
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, b64(x), b64(y))
            }
            PublicKey::P384 { x, y } => {
                format!(r#"{{"crv":"P-384","kty":"EC","x":"{}","y":"{}"}}"#, b64(x), b64(y))
            }
            PublicKey::Ed25519(x) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, b64(x)),
        }
    }

    /// The key among the members of a JWK. `None`: of a kind that is not known here (symmetric ones among them), badly
    /// written, or weak.
    fn read(members: &Map<String, Value>) -> Option<PublicKey> {
        let text = |name: &str| members.get(name)?.as_str();
        let number = |name: &str| base64url::decode(text(name)?);
        match (text("kty")?, text("crv")) {
            ("RSA", _) => rsa(number("n")?, number("e")?),
            ("EC", Some("P-256")) => {
                let (x, y) = (number("x")?, number("y")?);
                (x.len() == 32 && y.len() == 32).then_some(PublicKey::P256 { x, y })
            }
            ("EC", Some("P-384")) => {
                let (x, y) = (number("x")?, number("y")?);
                (x.len() == 48 && y.len() == 48).then_some(PublicKey::P384 { x, y })
            }
            ("OKP", Some("Ed25519")) => number("x").filter(|x| x.len() == 32).map(PublicKey::Ed25519),
            _ => None,
        }
    }
}

fn rsa(n: Vec<u8>, e: Vec<u8>) -> Option<PublicKey> {
    let bare = |bytes: Vec<u8>| -> Vec<u8> { bytes.into_iter().skip_while(|byte| *byte == 0).collect() };
    let (n, e) = (bare(n), bare(e));
    let exponent = e.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    let sound = RSA_BYTES.contains(&n.len())
        && n.last().is_some_and(|byte| byte & 1 == 1)
        && e.len() <= 4
        && exponent >= 65_537
        && exponent & 1 == 1
        && !roca::is_likely(&n);
    sound.then_some(PublicKey::Rsa { n, e })
}

/// A key of an issuer's, with what it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwk {
    /// Its name among the issuer's keys.
    pub kid: Option<String>,
    /// The only algorithm it may be used with, where it says so.
    algorithm: Option<Algorithm>,
    /// The key.
    pub key: PublicKey,
}

impl Jwk {
    /// A key that verifies signatures; `None` for one that does not or must not.
    pub fn read(members: &Map<String, Value>) -> Option<Jwk> {
        let is = |name: &str, wanted: &str| members.get(name).is_none_or(|value| value == wanted);
        let operations = members.get("key_ops");
        let verifies =
            operations.is_none_or(|all| all.as_array().is_some_and(|all| all.iter().any(|op| op == "verify")));
        let algorithm = match members.get("alg") {
            None => None,
            Some(name) => Some(Algorithm::parse(name.as_str()?)?),
        };
        let kid = match members.get("kid") {
            None => None,
            Some(kid) => Some(kid.as_str()?.to_owned()),
        };
        let key = PublicKey::read(members)?;
        let consistent = is("use", "sig") && verifies && algorithm.is_none_or(|algorithm| key.suits(algorithm));
        consistent.then_some(Jwk { kid, algorithm, key })
    }

    /// Whether it may check signatures of this algorithm.
    pub fn suits(&self, algorithm: Algorithm) -> bool {
        self.key.suits(algorithm) && self.algorithm.is_none_or(|only| only == algorithm)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(jwk: Value) -> Option<Jwk> {
        Jwk::read(jwk.as_object().unwrap())
    }

    fn ed25519(over: Value) -> Value {
        let mut jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": "pk0W25mNx44GJJfrm0n8kFof969s41QNMNvw0agXtCE" });
        jwk.as_object_mut().unwrap().extend(over.as_object().unwrap().clone());
        jwk
    }

    #[test]
    fn a_key_that_is_not_for_signatures_is_no_key() {
        for over in [json!({}), json!({ "use": "sig", "alg": "EdDSA", "kid": "a", "key_ops": ["verify"] })] {
            assert!(read(ed25519(over)).is_some());
        }
        for over in [
            json!({ "use": "enc" }),
            json!({ "use": ["sig"] }),
            json!({ "key_ops": ["encrypt"] }),
            json!({ "key_ops": "verify" }),
            json!({ "alg": "ES256" }),
            json!({ "alg": "HS256" }),
            json!({ "alg": 1 }),
            json!({ "kid": 1 }),
            json!({ "kty": "oct", "k": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY" }),
            json!({ "x": "AA" }),
            json!({ "crv": "X25519" }),
        ] {
            assert_eq!(read(ed25519(over.clone())), None, "{over}");
        }
    }

    #[test]
    fn an_rsa_key_is_long_and_its_exponent_usual() {
        let n = |bytes: usize| {
            let mut n = vec![0xb5; bytes];
            n.extend([0x01]);
            base64url::encode(&n)
        };
        let rsa = |n: String, e: &str| read(json!({ "kty": "RSA", "n": n, "e": e })).is_some();
        assert!(rsa(n(255), "AQAB") && rsa(n(511), "AQAB"));
        assert!(!rsa(n(127), "AQAB"), "1024 bits");
        assert!(!rsa(n(2047), "AQAB"), "16384 bits");
        for e in ["AQ", "Aw", "AQAA", "AQAAAAE", ""] {
            assert!(!rsa(n(255), e), "{e}");
        }
    }

    #[test]
    fn rfc_8037s_example_has_its_thumbprints_text() {
        let key = read(json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }));
        let text = r#"{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        assert_eq!(key.unwrap().key.jwk(), text);
    }
}
