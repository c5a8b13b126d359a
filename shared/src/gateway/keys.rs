//! Virtual keys: made, hashed and recognised. The key itself is shown once and stored nowhere.

use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

pub use super::key_record::{KeyKind, KeyRecord, Previous};

/// Every virtual key starts with this, so that secret scanners and people recognise it.
pub const PREFIX: &str = "sk-sb-";
/// 43 characters of 6 bits: 258 bits.
pub const SECRET_CHARS: usize = 43;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// The least `SIGNALBOX_SECRET` may have, in bytes.
pub const MIN_SECRET_BYTES: usize = 32;

/// The key with which credentials are hashed, derived from `SIGNALBOX_SECRET` (HKDF-SHA-256).
///
/// Only keyed hashes are compared and stored: a leaked store gives nobody a credential, and the
/// time a comparison takes says nothing about one.
#[derive(Clone)]
pub struct Hasher {
    mac: Hmac<Sha256>,
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hasher(…)")
    }
}

impl Hasher {
    /// Derives the hashing key; `None` when the secret is shorter than [`MIN_SECRET_BYTES`].
    pub fn derive(secret: &[u8]) -> Option<Hasher> {
        if secret.len() < MIN_SECRET_BYTES {
            return None;
        }
        let mut key = [0u8; 32];
        Hkdf::<Sha256>::new(Some(b"signalbox"), secret).expand(b"virtual keys v1", &mut key).ok()?;
        Some(Hasher { mac: Hmac::new_from_slice(&key).ok()? })
    }

    /// HMAC-SHA-256 of a credential, in lower-case hexadecimal.
    pub fn hash(&self, credential: &str) -> String {
        let mut mac = self.mac.clone();
        mac.update(credential.as_bytes());
        let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
        mac.finalize().into_bytes().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
    }

    /// The key that belongs to `salt`: made again from it by whoever has the secret, and by nobody else.
    pub fn key_of(&self, salt: &str) -> String {
        let mut draws = 0u32;
        generate(|| {
            draws += 1;
            // No header can carry NUL, so this is the hash of no credential.
            let hash = self.hash(&format!("key of\0{salt}\0{draws}"));
            hash.get(..16).and_then(|half| u64::from_str_radix(half, 16).ok()).unwrap_or_default()
        })
    }

    /// Whether a stored hash is this credential's, without telling by time how far they agree.
    pub fn is_hash_of(&self, credential: &str, hash: &str) -> bool {
        self.hash(credential).as_bytes().ct_eq(hash.as_bytes()).into()
    }

    /// Whether two credentials are the same, without telling by time how far they agree.
    pub fn same(&self, one: &str, other: &str) -> bool {
        self.hash(one).as_bytes().ct_eq(self.hash(other).as_bytes()).into()
    }
}

/// Makes a new key's text from a source of randomness.
pub fn generate(mut entropy: impl FnMut() -> u64) -> String {
    let mut key = String::with_capacity(PREFIX.len() + SECRET_CHARS);
    key.push_str(PREFIX);
    key.push_str(&token(&mut entropy, SECRET_CHARS));
    key
}

/// `chars` random characters that need no escaping anywhere, 6 bits each.
pub fn token(mut entropy: impl FnMut() -> u64, chars: usize) -> String {
    let (mut bits, mut left) = (0u64, 0);
    (0..chars)
        .map(|_| {
            if left < 6 {
                (bits, left) = (entropy(), 64);
            }
            let index = (bits & 63) as usize;
            (bits, left) = (bits >> 6, left - 6);
            char::from(ALPHABET.get(index).copied().unwrap_or(b'A'))
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn counter() -> impl FnMut() -> u64 {
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state ^ (state >> 29)
        }
    }

    #[test]
    fn a_key_has_its_prefix_and_256_bits_of_randomness() {
        let mut entropy = counter();
        let (one, two) = (generate(&mut entropy), generate(&mut entropy));
        assert!(one.starts_with(PREFIX));
        assert_eq!(one.len(), PREFIX.len() + SECRET_CHARS);
        assert_ne!(one, two);
    }

    #[test]
    fn a_short_secret_is_refused() {
        assert!(Hasher::derive(b"too short").is_none());
        assert!(Hasher::derive(&[7; 32]).is_some());
    }

    #[test]
    fn hashes_depend_on_the_secret_and_on_every_bit_of_the_key() {
        let (one, other) = (Hasher::derive(&[1; 32]).unwrap(), Hasher::derive(&[2; 32]).unwrap());
        assert_ne!(one.hash("sk-sb-a"), other.hash("sk-sb-a"));
        assert_ne!(one.hash("sk-sb-a"), one.hash("sk-sb-b"));
        assert_eq!(one.hash("sk-sb-a").len(), 64);
        assert!(one.same("x", "x") && !one.same("x", "y"));
    }

    #[test]
    fn a_salt_has_one_key_under_one_secret() {
        let (one, other) = (Hasher::derive(&[1; 32]).unwrap(), Hasher::derive(&[2; 32]).unwrap());
        assert_eq!(one.key_of("salt"), one.key_of("salt"));
        assert_eq!(one.key_of("salt").len(), PREFIX.len() + SECRET_CHARS);
        assert!(one.key_of("salt") != one.key_of("pepper") && one.key_of("salt") != other.key_of("salt"));
    }

    #[test]
    fn the_hasher_never_prints_its_key() {
        assert_eq!(format!("{:?}", Hasher::derive(&[1; 32]).unwrap()), "Hasher(…)");
    }
}
