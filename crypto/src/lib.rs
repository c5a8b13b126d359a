//! Signatures by `ring`: what [`signalbox::ports::Crypto`] asks for, where there is no WebCrypto.
//!
//! The function and the tests on virtual time use the same code, so that the vectors the tests run are run on what is
//! deployed. Every function is total: whatever is wrong with a key or a signature makes it not good.

#![forbid(unsafe_code)]

use ring::rand::SystemRandom;
use ring::signature::{
    self, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use signalbox::jose::{Algorithm, PublicKey};
use signalbox::ports::{RsaKey, Seed};

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

fn pair(seed: &Seed) -> Option<Ed25519KeyPair> {
    Ed25519KeyPair::from_seed_unchecked(seed.expose()).ok()
}
