//! Signatures and encryption by `ring`: what [`signalbox::ports::Crypto`] asks for, where there is no WebCrypto.
//!
//! The function and the tests on virtual time use the same code, so that the vectors the tests run are run on what is
//! deployed. Every function is total: whatever is wrong with a key or a signature makes it not good.

#![forbid(unsafe_code)]

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::rand::SystemRandom;
use ring::signature::{
    self, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use signalbox::jose::{Algorithm, PublicKey};
use signalbox::ports::{DataKey, RsaKey, Seed};

/// Whether a signature over `message` is good.
pub fn verify(key: &PublicKey, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    match (key, scheme(algorithm)) {
        (PublicKey::Rsa { n, e }, Scheme::Rsa(parameters)) => {
            RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok()
        }
        (PublicKey::P256 { x, y } | PublicKey::P384 { x, y }, Scheme::Ecdsa(parameters)) => {
            // SEC 1: an uncompressed point.
            let point = [&[4], x.as_slice(), y.as_slice()].concat();
            UnparsedPublicKey::new(parameters, point).verify(message, signature).is_ok()
        }
        (PublicKey::Ed25519(point), Scheme::Ed25519) => {
            UnparsedPublicKey::new(&signature::ED25519, point).verify(message, signature).is_ok()
        }
        (
            PublicKey::Rsa { .. } | PublicKey::P256 { .. } | PublicKey::P384 { .. } | PublicKey::Ed25519(_),
            Scheme::Rsa(_) | Scheme::Ecdsa(_) | Scheme::Ed25519,
        ) => false,
    }
}

enum Scheme {
    Rsa(&'static RsaParameters),
    Ecdsa(&'static signature::EcdsaVerificationAlgorithm),
    Ed25519,
}

fn scheme(algorithm: Algorithm) -> Scheme {
    match algorithm {
        Algorithm::Rs256 => Scheme::Rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Scheme::Rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Scheme::Rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Ps256 => Scheme::Rsa(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Scheme::Rsa(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Scheme::Rsa(&signature::RSA_PSS_2048_8192_SHA512),
        Algorithm::Es256 => Scheme::Ecdsa(&signature::ECDSA_P256_SHA256_FIXED),
        Algorithm::Es384 => Scheme::Ecdsa(&signature::ECDSA_P384_SHA384_FIXED),
        Algorithm::EdDsa => Scheme::Ed25519,
    }
}

/// Signs with Ed25519.
pub fn sign(seed: &Seed, message: &[u8]) -> Option<[u8; 64]> {
    pair(seed)?.sign(message).as_ref().try_into().ok()
}

/// Signs with RSA, PKCS #1 v1.5 and SHA-256.
pub fn sign_rs256(key: &RsaKey, message: &[u8]) -> Option<Vec<u8>> {
    let pair = RsaKeyPair::from_pkcs8(key.expose()).ok()?;
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).ok()?;
    Some(signature)
}

/// The public half of a seed's key pair.
pub fn public_key(seed: &Seed) -> Option<[u8; 32]> {
    pair(seed)?.public_key().as_ref().try_into().ok()
}

/// Encrypts with AES-256-GCM.
pub fn encrypt(key: &DataKey, nonce: &[u8; 12], about: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let mut sealed = text.to_vec();
    let nonce = Nonce::assume_unique_for_key(*nonce);
    cipher(key)?.seal_in_place_append_tag(nonce, Aad::from(about), &mut sealed).ok()?;
    Some(sealed)
}

/// Decrypts what was encrypted about the same.
pub fn decrypt(key: &DataKey, nonce: &[u8; 12], about: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let mut text = sealed.to_vec();
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let length = cipher(key)?.open_in_place(nonce, Aad::from(about), &mut text).ok()?.len();
    text.truncate(length);
    Some(text)
}

fn cipher(key: &DataKey) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, key.expose()).ok().map(LessSafeKey::new)
}

fn pair(seed: &Seed) -> Option<Ed25519KeyPair> {
    Ed25519KeyPair::from_seed_unchecked(seed.expose()).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// Test case 14 of "The Galois/Counter Mode of Operation" (McGrew, Viega).
    #[test]
    fn aes_256_gcm_is_what_its_authors_say() {
        let (key, nonce) = (DataKey::new([0; 32]), [0; 12]);
        let sealed = encrypt(&key, &nonce, b"", &[0; 16]).unwrap();
        let hex: String = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
    }

    #[test]
    fn what_was_sealed_about_one_thing_is_opened_about_that_alone() {
        let (key, nonce) = (DataKey::new([7; 32]), [9; 12]);
        let mut sealed = encrypt(&key, &nonce, b"req_1", b"said").unwrap();
        assert_eq!(decrypt(&key, &nonce, b"req_1", &sealed).as_deref(), Some(&b"said"[..]));
        assert_eq!(decrypt(&key, &nonce, b"req_2", &sealed), None);
        assert_eq!(decrypt(&DataKey::new([8; 32]), &nonce, b"req_1", &sealed), None);
        sealed[0] ^= 1;
        assert_eq!(decrypt(&key, &nonce, b"req_1", &sealed), None);
        assert_eq!(decrypt(&key, &nonce, b"req_1", b"short"), None);
    }
}
