//! The keys an issuer publishes (RFC 7517, section 5).

use super::{Algorithm, Jwk, object};

/// More keys than any issuer needs; what follows them is left out.
const MOST: usize = 64;

/// The usable keys of a set. Those of other kinds, for other uses or too weak are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySet {
    keys: Vec<Jwk>,
}

/// What a set has for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice<'s> {
    /// The one key it can be.
    Key(&'s Jwk),
    /// No key of that name: it may have been published since.
    Unknown,
    /// There are keys, but none that may be used so, or several: another fetch would change nothing.
    Unfit,
}

impl KeySet {
    /// Reads a set; `None` where it is none.
    pub fn read(bytes: &[u8]) -> Option<KeySet> {
        let document = object(bytes)?;
        let keys = document.get("keys")?.as_array()?;
        Some(KeySet { keys: keys.iter().take(MOST).filter_map(|key| Jwk::read(key.as_object()?)).collect() })
    }

    /// The key for a token. One without a name is only good where there is no choice.
    pub fn choose(&self, kid: Option<&str>, algorithm: Algorithm) -> Choice<'_> {
        let named = |jwk: &&Jwk| kid.is_none() || jwk.kid.as_deref() == kid;
        let mut named = self.keys.iter().filter(named);
        match (named.next(), named.next()) {
            (Some(key), None) if key.suits(algorithm) => Choice::Key(key),
            (None, _) => Choice::Unknown,
            (Some(_), _) => Choice::Unfit,
        }
    }

    /// Whether it has no usable key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether every key of `other` is still here, under its name.
    pub fn keeps(&self, other: &KeySet) -> bool {
        other.keys.iter().all(|key| self.keys.contains(key))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn set(keys: Value) -> KeySet {
        KeySet::read(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
    }

    fn key(kid: Option<&str>) -> Value {
        let mut key = json!({ "kty": "OKP", "crv": "Ed25519", "x": "pk0W25mNx44GJJfrm0n8kFof969s41QNMNvw0agXtCE" });
        if let Some(kid) = kid {
            key.as_object_mut().unwrap().insert("kid".to_owned(), kid.into());
        }
        key
    }

    #[test]
    fn a_token_without_a_name_is_only_good_where_there_is_no_choice() {
        let (one, two) = (set(json!([key(Some("a"))])), set(json!([key(Some("a")), key(Some("b"))])));
        assert!(matches!(one.choose(None, Algorithm::EdDsa), Choice::Key(_)));
        assert_eq!(two.choose(None, Algorithm::EdDsa), Choice::Unfit);
        assert!(matches!(two.choose(Some("b"), Algorithm::EdDsa), Choice::Key(_)));
        assert_eq!(two.choose(Some("b"), Algorithm::Es256), Choice::Unfit);
        assert_eq!(two.choose(Some("c"), Algorithm::EdDsa), Choice::Unknown);
        assert_eq!(set(json!([key(None)])).choose(Some("c"), Algorithm::EdDsa), Choice::Unknown);
    }

    #[test]
    fn two_keys_of_one_name_are_ambiguous() {
        assert_eq!(set(json!([key(Some("a")), key(Some("a"))])).choose(Some("a"), Algorithm::EdDsa), Choice::Unfit);
    }

    #[test]
    fn keys_of_other_kinds_are_left_out_and_a_broken_set_is_none() {
        assert!(set(json!([{ "kty": "oct", "k": "AAAA", "kid": "a" }, { "kty": "FUT" }, 1])).is_empty());
        for text in ["", "[]", "{}", r#"{"keys":1}"#, r#"{"keys":[],"keys":[]}"#] {
            assert_eq!(KeySet::read(text.as_bytes()), None, "{text}");
        }
    }
}
