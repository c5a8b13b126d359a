//! Who presents a token: the part of identity that is not a virtual key.
//!
//! A credential with a token's form goes to the issuer it names, if the configuration knows that one, and is held to that
//! issuer's rules. What comes of it is a [`Caller`] like any other: nothing behind it knows where an identity came from.

pub mod claims;
pub mod clients;
mod introspection;
pub mod issuers;
pub mod jwks;
pub mod oauth;
pub mod recent;
pub mod session;
pub mod sign_in;
pub mod signer;
pub mod tokens;

use crate::config::Config;
use crate::config::authentication::{Idp, Secrets};
use crate::error::{ApiError, Code};
use crate::gateway::Caller;
use crate::gateway::caller::Via;
use crate::gateway::denial;
use crate::gateway::keys::Hasher;
use crate::jose::{Jwk, Jws, jws};
use crate::ports::{Crypto, Ports};
use crate::units::Millis;
use claims::{Expected, Refused};
use clients::{Clients, Scope};
use introspection::Questions;
use issuers::{Descriptions, Issuers, NoKey, Place};
use serde_json::{Map, Value};
use signer::Signer;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokens::{Good, Tokens};

/// What access tokens call themselves; id tokens of some providers say `JWT` or nothing.
const ACCESS: [&str; 2] = ["at+jwt", "jwt"];

/// The source of the gateway's own tokens, in the log.
const OWN: &str = "own";

/// What one process remembers of identity, across changes of the configuration.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    issuers: Issuers,
    descriptions: Descriptions,
    /// Signs the gateway's own tokens.
    pub signer: Signer,
    /// Programs that may have such tokens.
    pub clients: Clients,
}

impl Shared {
    /// Nothing is remembered yet.
    pub fn new(signer: Signer) -> Shared {
        Shared { signer, ..Shared::default() }
    }
}

/// Identity by one configuration.
#[derive(Debug)]
pub struct Identity<P> {
    ports: P,
    config: Arc<Config>,
    shared: Shared,
    secrets: Secrets,
    tokens: Mutex<Tokens>,
    questions: Questions,
}

/// What is wrong with a token, or with those who could tell.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    Refused(Refused),
    /// The issuer does not answer.
    Down,
    /// A binding is missing that it takes to ask.
    Unset(String),
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Fault {
        Fault::Refused(refused)
    }
}

impl<P: Ports> Identity<P> {
    /// Identity by `config`. No token is remembered yet.
    pub fn new(ports: P, config: Arc<Config>, shared: Shared, secrets: Secrets) -> Identity<P> {
        Identity { ports, config, shared, secrets, tokens: Mutex::default(), questions: Questions::default() }
    }

    /// Whether a credential is the administrator's, who is known on the admin plane alone.
    pub(super) fn is_admin_key(&self, hasher: &Hasher, credential: &str) -> bool {
        self.secrets.admin_key().is_some_and(|key| hasher.same(credential, key.expose()))
    }

    /// Who presents a credential that is no virtual key. `None`: it is nothing that is known here.
    pub async fn caller(&self, credential: &str) -> Result<Option<Caller>, ApiError> {
        let token = tokens::fingerprint(credential);
        if let Some(good) = self.remembered(&token) {
            return self.stands_for(&good).await.map(Some);
        }
        if let Some(caller) = self.signed(token, credential).await? {
            return Ok(Some(caller));
        }
        // A client's secret is nobody's token.
        let is_opaque = introspection::is_token(credential) && !credential.starts_with(clients::SECRET_PREFIX);
        match self.config.auth.introspector(credential).filter(|_| is_opaque) {
            Some(source) => self.introspected(token, credential, source).await.map(Some),
            None => Ok(None),
        }
    }

    /// Who presents a signed token. `None`: it is none, or of an issuer that is not known here.
    async fn signed(&self, token: tokens::Fingerprint, credential: &str) -> Result<Option<Caller>, ApiError> {
        if !jws::is_compact(credential) {
            return Ok(None);
        }
        let Some(jws) = Jws::parse(credential) else { return Ok(None) };
        let Ok(payload) = claims::payload(&jws) else { return Ok(None) };
        if payload.get("iss").is_some_and(|iss| iss == self.config.auth.issuer()) {
            return self.own(token, &jws, payload).await.map(Some);
        }
        let Some((name, idp)) =
            self.config.auth.idp.iter().find(|(_, idp)| payload.get("iss").is_some_and(|iss| *iss == idp.issuer))
        else {
            return Ok(None);
        };
        match self.check(name, idp, &jws, payload).await {
            Ok((good, told)) => {
                self.lock().put(token, good.clone(), told.expires_at, self.ports.now());
                self.stands_for(&good).await.map(Some)
            }
            Err(fault) => Err(self.refuse(name, &fault)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token that was good, and whose key is still one of its issuer's.
    fn remembered(&self, token: &tokens::Fingerprint) -> Option<Good> {
        let good = self.lock().get(token, self.ports.now()).cloned()?;
        match &good {
            Good::Foreign { source, epoch, .. } => {
                let idp = self.config.auth.idp.get(source)?;
                (self.shared.issuers.refresh(&self.ports, &place(idp)) == *epoch).then_some(good)
            }
            Good::Told(_) | Good::Own { .. } => Some(good),
        }
    }

    /// Who presents a good token. One of the gateway's own is worth what its client is worth now.
    async fn stands_for(&self, good: &Good) -> Result<Caller, ApiError> {
        let (client, scopes) = match good {
            Good::Foreign { caller, .. } | Good::Told(caller) => return Ok((**caller).clone()),
            Good::Own { client, scopes } => (client, scopes),
        };
        match self.shared.clients.find(&self.ports, client).await {
            Ok(Some(client)) if client.revoked_at.is_none() => Ok(client.caller(scopes)),
            Ok(Some(_) | None) => Err(self.refuse(OWN, &Fault::Refused(Refused::Revoked))),
            Err(problem) => {
                self.ports.log(&denial::store_line("oauth_clients", &problem));
                Err(self.refuse(OWN, &Fault::Down))
            }
        }
    }

    /// One of the gateway's own tokens (RFC 9068, section 4).
    async fn own(
        &self,
        token: tokens::Fingerprint,
        jws: &Jws<'_>,
        payload: Map<String, Value>,
    ) -> Result<Caller, ApiError> {
        let rules = &self.config.auth.tokens;
        let expected = Expected {
            issuer: self.config.auth.issuer(),
            audience: &rules.audience,
            types: &["at+jwt"],
            untyped: false,
            longest: rules.lifetime,
        };
        let refuse = |refused| self.refuse(OWN, &Fault::Refused(refused));
        let told = claims::read(jws, payload, &expected).map_err(refuse)?;
        if !self.shared.signer.signed(&self.ports, jws).await {
            return Err(refuse(Refused::Signature));
        }
        told.at(self.ports.now()).map_err(refuse)?;
        let scopes = told.claims.get("scope").and_then(Value::as_str).and_then(Scope::list);
        let good = Good::Own { client: told.subject, scopes: scopes.ok_or_else(|| refuse(Refused::Claim))? };
        self.lock().put(token, good.clone(), told.expires_at, self.ports.now());
        self.stands_for(&good).await
    }

    async fn check(
        &self,
        name: &str,
        idp: &Idp,
        jws: &Jws<'_>,
        payload: Map<String, Value>,
    ) -> Result<(Good, claims::Told), Fault> {
        let expected = Expected {
            issuer: &idp.issuer,
            audience: &idp.audience,
            types: &ACCESS,
            untyped: true,
            longest: idp.longest,
        };
        let (told, epoch) = self.verified(idp, &expected, jws, payload).await?;
        let caller = claims::caller(&idp.claims, &told.claims, Via::Idp, format!("idp:{name}:{}", told.subject))?;
        Ok((Good::Foreign { caller: Box::new(caller), source: name.to_owned(), epoch }, told))
    }

    /// What a token of an identity provider says, if it says what is expected and is signed by its issuer; and the state
    /// of the issuer's keys.
    async fn verified(
        &self,
        idp: &Idp,
        expected: &Expected<'_>,
        jws: &Jws<'_>,
        payload: Map<String, Value>,
    ) -> Result<(claims::Told, u64), Fault> {
        let told = claims::read(jws, payload, expected)?;
        if !idp.algorithms.contains(&jws.algorithm) {
            return Err(Fault::Refused(Refused::Algorithm));
        }
        let (key, epoch) = self.shared.issuers.key(&self.ports, &place(idp), jws).await.map_err(|none| match none {
            NoKey::Unknown => Fault::Refused(Refused::Key),
            NoKey::Down => Fault::Down,
        })?;
        if !is_signed_by(&self.ports, &key, jws).await {
            return Err(Fault::Refused(Refused::Signature));
        }
        told.at(self.ports.now())?;
        Ok((told, epoch))
    }

    /// Tells the operator what is wrong, and the caller no more than they must know.
    fn refuse(&self, source: &str, fault: &Fault) -> ApiError {
        let reason = match fault {
            Fault::Refused(refused) => refused.as_str(),
            Fault::Down => "issuer_down",
            Fault::Unset(_) => "not_configured",
        };
        let line = crate::json::json!({ "event": "token_refused", "source": source, "reason": reason });
        self.ports.log(&line.to_string());
        match fault {
            Fault::Refused(Refused::Expired) => {
                ApiError::new(Code::TokenExpired, "The token has expired. Get a new one where this one came from.")
            }
            Fault::Refused(_) => ApiError::new(
                Code::InvalidApiKey,
                "The token is not good here. Get one that is meant for this gateway.",
            ),
            Fault::Down => ApiError::new(
                Code::LimiterUnavailable,
                "The issuer of this token does not answer, so it cannot be checked. Try again in a moment.",
            )
            .retry_after(Millis(5_000)),
            Fault::Unset(binding) => ApiError::new(
                Code::NotConfigured,
                format!("The issuer of this token cannot be asked because {binding} is not set. Bind it."),
            ),
        }
    }
}

fn place(idp: &Idp) -> Place {
    Place { issuer: idp.issuer.clone(), jwks_uri: idp.jwks_uri.as_ref().map(|uri| uri.as_str().to_owned()) }
}

/// Whether a token's signature is by this key.
pub async fn is_signed_by(crypto: &impl Crypto, key: &Jwk, jws: &Jws<'_>) -> bool {
    key.suits(jws.algorithm)
        && jws.signature.len() == key.key.signature_bytes()
        && crypto.verify(&key.key, jws.algorithm, jws.signed, &jws.signature).await
}
