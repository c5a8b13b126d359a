//! Signed tokens and the keys they are checked with: JOSE (RFC 7515, 7517, 7518, 8037), the part of it that is safe.
//!
//! Reading is strict and by hand. `jwt-compact` was measured and left out: it verifies synchronously, which WebCrypto
//! does not, costs the Worker 41 kB compressed for its smallest set of algorithms, and accepts 15 of the 133 attacks
//! that are tested here (repeated members, `typ` of other uses, tokens without a subject). What is read here is no more
//! than text and bytes: whether a signature is good is asked of [`ports::Crypto`](crate::ports::Crypto).

pub mod jws;
pub mod key;
mod roca;
pub mod set;

pub use jws::Jws;
pub use key::{Jwk, PublicKey};
pub use set::KeySet;

use crate::json;
use serde_json::{Map, Value};

/// Deeper than any token or key set is.
const DEPTH: json::Limits = json::Limits { depth: 32 };

/// An object of JSON without repeated names, to any depth (RFC 8725, section 2.4; RFC 7519, section 4).
pub fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    json::scan(bytes, &DEPTH).ok()?;
    json::text(bytes).and_then(json::object).ok()
}

/// How a token is signed. Symmetric algorithms and `none` are not among them: a verifier that shares its secret with
/// callers is no proof, and one that knows both kinds can be tricked into taking a public key for a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256 and a salt of 32 bytes.
    Ps256,
    /// RSASSA-PSS with SHA-384 and a salt of 48 bytes.
    Ps384,
    /// RSASSA-PSS with SHA-512 and a salt of 64 bytes.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// All of them, under their registered names.
    pub const ALL: [(&'static str, Algorithm); 9] = [
        ("RS256", Algorithm::Rs256),
        ("RS384", Algorithm::Rs384),
        ("RS512", Algorithm::Rs512),
        ("PS256", Algorithm::Ps256),
        ("PS384", Algorithm::Ps384),
        ("PS512", Algorithm::Ps512),
        ("ES256", Algorithm::Es256),
        ("ES384", Algorithm::Es384),
        ("EdDSA", Algorithm::EdDsa),
    ];

    /// The algorithm of this name, to the letter.
    pub fn parse(name: &str) -> Option<Algorithm> {
        Algorithm::ALL.iter().find(|(known, _)| *known == name).map(|(_, algorithm)| *algorithm)
    }

    /// Its registered name.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Rs256 => "RS256",
            Algorithm::Rs384 => "RS384",
            Algorithm::Rs512 => "RS512",
            Algorithm::Ps256 => "PS256",
            Algorithm::Ps384 => "PS384",
            Algorithm::Ps512 => "PS512",
            Algorithm::Es256 => "ES256",
            Algorithm::Es384 => "ES384",
            Algorithm::EdDsa => "EdDSA",
        }
    }
}
