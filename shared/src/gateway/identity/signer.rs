//! The keys the gateway signs its own tokens with: derived from its secret, so that nothing has to be stored, and every
//! instance has the same.
//!
//! A rotation is a change of the secret: the one before it (`SIGNALBOX_SECRET_PREVIOUS`) signs nothing any more, but is
//! published and believed until what it signed has ended.

use crate::base64url;
use crate::gateway::keys::MIN_SECRET_BYTES;
use crate::jose::{Algorithm, Jws, PublicKey, jws};
use crate::json::json;
use crate::ports::{Crypto, Seed};
use hkdf::Hkdf;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, PoisonError};

/// The present key's seed first.
#[derive(Clone, Debug, Default)]
pub struct Signer {
    seeds: Vec<Seed>,
    /// Their public halves, once they were computed.
    public: Arc<Mutex<Vec<Public>>>,
}

#[derive(Clone, Debug)]
struct Public {
    kid: String,
    key: PublicKey,
}

impl Signer {
    /// The keys of the present secret and the one before. Too short a secret has none.
    pub fn derive(secret: Option<&str>, previous: Option<&str>) -> Signer {
        let seed = |secret: &str| {
            let mut seed = [0; 32];
            let derived =
                Hkdf::<Sha256>::new(Some(b"signalbox"), secret.as_bytes()).expand(b"access tokens v1", &mut seed);
            derived.ok().filter(|()| secret.len() >= MIN_SECRET_BYTES).map(|()| Seed::new(seed))
        };
        let Some(present) = secret.and_then(seed) else { return Signer::default() };
        Signer {
            seeds: [Some(present), previous.and_then(seed)].into_iter().flatten().collect(),
            public: Arc::default(),
        }
    }

    /// The public halves, the present key's first. Empty where there is no secret or the platform fails.
    async fn public(&self, crypto: &impl Crypto) -> Vec<Public> {
        let known = self.public.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if !known.is_empty() {
            return known;
        }
        let mut all = Vec::new();
        for seed in &self.seeds {
            let Some(point) = crypto.public_key(seed).await else { return Vec::new() };
            let key = PublicKey::Ed25519(point.to_vec());
            // RFC 7638: a key's thumbprint is a name that nobody has to give it.
            let kid = base64url::encode(&Sha256::digest(key.jwk().as_bytes()));
            all.push(Public { kid, key });
        }
        self.public.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&all);
        all
    }

    /// A token of that type with these claims. `None` where nothing can be signed.
    pub async fn sign(&self, crypto: &impl Crypto, typ: &str, claims: &Value) -> Option<String> {
        let public = self.public(crypto).await;
        let (seed, Public { kid, .. }) = (self.seeds.first()?, public.first()?);
        let unsigned = jws::unsigned(&json!({ "alg": "EdDSA", "typ": typ, "kid": kid }), claims);
        let signature = crypto.sign(seed, unsigned.as_bytes()).await?;
        Some(jws::seal(&unsigned, &signature))
    }

    /// Whether a token is signed by one of the keys.
    pub async fn signed(&self, crypto: &impl Crypto, jws: &Jws<'_>) -> bool {
        let public = self.public(crypto).await;
        let Some(named) = public.iter().find(|public| jws.kid.as_deref() == Some(&public.kid)) else { return false };
        jws.algorithm == Algorithm::EdDsa
            && jws.signature.len() == named.key.signature_bytes()
            && crypto.verify(&named.key, jws.algorithm, jws.signed, &jws.signature).await
    }

    /// The keys as they are published (RFC 7517, RFC 8037).
    pub async fn jwks(&self, crypto: &impl Crypto) -> Value {
        let jwk = |Public { kid, key }: Public| {
            let mut jwk: Value = crate::json::tree(&key.jwk()).unwrap_or_default();
            if let Some(members) = jwk.as_object_mut() {
                members.extend(
                    [("kid", kid.as_str()), ("use", "sig"), ("alg", "EdDSA")]
                        .map(|(name, value)| (name.to_owned(), value.into())),
                );
            }
            jwk
        };
        json!({ "keys": self.public(crypto).await.into_iter().map(jwk).collect::<Vec<_>>() })
    }
}
