//! The admin plane, `/admin/v1/`: what an operator does without touching a deployment.
//!
//! Deny by default: nothing is looked at before the admin key has been checked.

mod budgets;
mod config;
mod keys;

use super::keys::Hasher;
use super::policy::Keys;
use crate::config::Config;
use crate::error::{ApiError, Code};
use crate::ports::{Ports, StoreError, StoredConfig};
use serde_json::Value;
use std::sync::Arc;

/// The largest body of an admin request: a configuration document.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// What the admin plane works on.
#[derive(Debug)]
pub struct Admin<P> {
    /// The stores.
    pub ports: P,
    /// The configuration in force.
    pub config: Arc<Config>,
    /// Hashes keys; `None` without `SIGNALBOX_SECRET`.
    pub hasher: Option<Hasher>,
    /// `SIGNALBOX_ADMIN_KEY`.
    pub admin_key: Option<String>,
    /// This process's memory of keys, so that what it revokes ends here at once.
    pub keys: Keys,
}

/// An answer of the admin plane.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON body.
    pub body: Value,
    /// The stored configuration was changed to this: take it over now.
    pub config: Option<StoredConfig>,
}

impl Answer {
    fn ok(body: Value) -> Answer {
        Answer { status: 200, body, config: None }
    }

    fn created(body: Value) -> Answer {
        Answer { status: 201, ..Answer::ok(body) }
    }
}

impl<P: Ports> Admin<P> {
    /// Whether `credential` opens the admin plane.
    pub fn authorize(&self, credential: Option<&str>) -> Result<(), ApiError> {
        let closed = |binding: &str| {
            Err(ApiError::new(
                Code::NotConfigured,
                format!(
                    "The admin plane is closed because {binding} is not set. Bind it (for instance as a secret) and deploy again."
                ),
            ))
        };
        let Some(admin_key) = self.admin_key.as_deref() else { return closed("SIGNALBOX_ADMIN_KEY") };
        let Some(hasher) = &self.hasher else { return closed("SIGNALBOX_SECRET (at least 32 bytes)") };
        match credential {
            Some(credential) if hasher.same(credential, admin_key) => Ok(()),
            Some(_) | None => Err(ApiError::new(
                Code::InvalidApiKey,
                "This is not the admin key. Send SIGNALBOX_ADMIN_KEY as `Authorization: Bearer …`.",
            )),
        }
    }

    /// Serves one authorised request. `path` is what follows `/admin/v1/`.
    pub async fn serve(&self, method: &str, path: &str, body: &[u8]) -> Result<Answer, ApiError> {
        let segments: Vec<&str> = path.split('/').collect();
        match (segments.as_slice(), method) {
            (["keys"], "POST") => self.create_key(body).await,
            (["keys"], "GET") => self.list_keys().await,
            (["keys", id], "GET") => self.show_key(id).await,
            (["keys", id], "DELETE") | (["keys", id, "revoke"], "POST") => self.revoke_key(id).await,
            (["budgets"], "GET") => self.list_budgets().await,
            (["config"], "GET") => self.show_config().await,
            (["config"], "PUT") => self.put_config(body).await,
            (["config"], "DELETE") => self.remove_config().await,
            (["config", "validate"], "POST") => Ok(self.validate_config(body)),
            (["keys"] | ["keys", _] | ["keys", _, "revoke"] | ["budgets"] | ["config"] | ["config", "validate"], _) => {
                Err(ApiError::new(Code::MethodNotAllowed, "This resource does not support that method."))
            }
            _ => Err(ApiError::new(Code::NotFound, "There is no such admin resource. See the README's reference.")),
        }
    }
}

fn unavailable(problem: StoreError) -> ApiError {
    ApiError::new(Code::LimiterUnavailable, format!("The store does not answer: {}", problem.0))
}
