//! The admin plane, `/admin/v1/`: what an operator does without touching a deployment.
//!
//! Deny by default: nothing is looked at before the caller is known, and nobody may do anything that the
//! [table](routes) does not open to one of their roles.
//!
//! # How to add a resource
//!
//! 1. A row in [`routes`]: method, path, roles, the function, and for the OpenAPI document what it is about, which query
//!    parameters it reads, what it takes and what it gives.
//! 2. The function, `async fn list_things(&self, ask: &Ask<'_>) -> Result<Answer, ApiError>` in a room of its own, on
//!    [`Admin`]. It finds who asks, what stands in the path's braces, query, preconditions and body in the [`Ask`].
//!    What is kept is a record of the shelf `admin`: `shelf` has pages and changes that hold `if-match`, `once` has creates that
//!    may be repeated, `resources` all of it for documents by name.
//! 3. Its schemas in `app/openapi/schemas.json`, a row in the README's table, cases in `tests/cases`.
//!

mod ask;
mod audit;
mod bodies;
mod budgets;
mod cache;
mod checkpoints;
mod clients;
mod config;
mod context;
mod diff;
mod embedding;
mod key_fields;
mod keys;
mod limits;
mod once;
mod owners;
mod people;
mod provenance;
mod resources;
pub mod routes;
pub mod routing;
mod shelf;
mod teams;
mod usage;
mod verify;
pub(crate) mod versions;

use super::Caller;
use super::backlog::Recorder;
use super::caller::Via;
use super::identity;
use super::keys::Hasher;
use super::ledger::Pending;
use super::policy::Keys;
use super::roles::{Role, Roles};
use super::shards;
use super::sync::Source;
use crate::config::Config;
use crate::error::{ApiError, Code};
use crate::ports::{Ports, StoreError};
pub use ask::{Answer, Ask, Content, Request};
pub use routes::ROUTES;
use routes::Route;
use serde_json::Value;
use std::sync::Arc;

/// The largest body of an admin request: a configuration document.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// The largest body of one.
pub fn max_body_bytes(route: &Route) -> usize {
    if route.takes == "Weights" { embedding::MAX_BYTES } else { MAX_BODY_BYTES }
}

/// The path everything here is below.
pub const PREFIX: &str = "/admin/v1/";

/// What the admin plane works on.
#[derive(Debug)]
pub struct Admin<P> {
    /// The stores.
    pub ports: P,
    /// The configuration in force.
    pub config: Arc<Config>,
    /// The document it was read from, without the teams kept beside it.
    pub document: Arc<Value>,
    /// Hashes keys; `None` without `SIGNALBOX_SECRET`.
    pub hasher: Option<Hasher>,
    /// What the router of this instance knows.
    pub routing: routing::Routing,
    /// `SIGNALBOX_ADMIN_KEY`.
    pub admin_key: Option<String>,
    /// This process's memory of keys, so that what it revokes ends here at once.
    pub keys: Keys,
    /// Writes down, seals the chains of records and keeps what was said.
    pub recorder: Recorder,
    /// Servers that definitions are taken from.
    pub sources: Arc<[Source]>,
    /// Its memory of OAuth clients, to the same end.
    pub identity: identity::Shared,
}

impl<P: Ports> Admin<P> {
    /// The requests that are open anywhere, after the journal was brought up to date.
    async fn pending(&self) -> Result<Vec<Pending>, ApiError> {
        self.recorder.allowances.give_back(&self.ports, true).await;
        shards::pending(&self.ports, &self.config).await.map(|(open, _)| open).map_err(unavailable)
    }

    /// The admin key and the hasher. Without them the plane is closed to everybody.
    pub fn is_open(&self) -> Result<(&str, &Hasher), ApiError> {
        let closed = |binding: &str| {
            ApiError::new(
                Code::NotConfigured,
                format!(
                    "The admin plane is closed because {binding} is not set. Bind it (for instance as a secret) and deploy again."
                ),
            )
        };
        let admin_key = self.admin_key.as_deref().ok_or_else(|| closed("SIGNALBOX_ADMIN_KEY"))?;
        let hasher = self.hasher.as_ref().ok_or_else(|| closed("SIGNALBOX_SECRET (at least 32 bytes)"))?;
        Ok((admin_key, hasher))
    }

    /// Whether `credential` is the bootstrap administrator's. `None`: it may be somebody else's, whom the gateway knows.
    pub fn bootstrap(&self, credential: Option<&str>) -> Result<Option<Caller>, ApiError> {
        let (admin_key, hasher) = self.is_open()?;
        let Some(credential) = credential else {
            return Err(ApiError::new(
                Code::InvalidApiKey,
                "No credential was given. Send SIGNALBOX_ADMIN_KEY, or a key with a role, as `Authorization: Bearer …`.",
            ));
        };
        Ok(hasher.same(credential, admin_key).then(|| Caller {
            via: Via::AdminKey,
            key_id: "admin".to_owned(),
            roles: Roles::from([Role::Admin]),
            ..Caller::default()
        }))
    }

    /// The route of a request, if there is one and `who` may use it, with what stands in the braces of its path.
    pub fn open(&self, who: &Caller, method: &str, path: &str) -> Result<(&'static Route, Vec<String>), ApiError> {
        let mut found = ROUTES.iter().filter_map(|route| Some((route, route.arguments(path)?))).peekable();
        if found.peek().is_none() {
            return Err(ApiError::new(
                Code::NotFound,
                "There is no such admin resource. See /openapi.json, or the README's reference.",
            ));
        }
        let Some((route, args)) = found.find(|(route, _)| route.method == method) else {
            return Err(ApiError::new(Code::MethodNotAllowed, "This resource does not support that method."));
        };
        if route.roles.iter().any(|role| who.roles.contains(role)) {
            return Ok((route, args));
        }
        let roles: Vec<&str> = route.roles.iter().map(|role| role.as_str()).collect();
        Err(ApiError::new(
            Code::PermissionDenied,
            format!("This needs the role {}. Ask your administrator.", roles.join(" or ")),
        ))
    }
}

fn unavailable(problem: StoreError) -> ApiError {
    ApiError::new(Code::LimiterUnavailable, format!("The store does not answer: {}", problem.0))
}
