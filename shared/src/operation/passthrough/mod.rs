//! Pass-through: the rest of a provider's API (images, sound, moderations, files, batches), as it is.
//!
//! The caller names a provider and a path of its API; host, scheme and credential are the provider's
//! own, always. What goes by is only watched, for the usage it may tell.

mod address;
mod meter;

pub use meter::Meter;

use crate::config::{BaseUrl, ProviderId};
use crate::error::{ApiError, Code};

/// Where paths begin that are passed through.
pub const PREFIX: &str = "/passthrough/";

/// The methods that are passed on.
pub const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// One call of a provider's API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whose API.
    pub provider: ProviderId,
    /// The method, in capitals.
    pub method: &'static str,
    /// The path below the provider's base URL: it begins with `/` and leads nowhere else.
    path: String,
    query: Option<String>,
}

impl Target {
    /// Reads `/passthrough/{provider}/{path}`, still percent-encoded, as it was asked for.
    pub fn read(method: &str, path: &str, query: &str) -> Result<Target, ApiError> {
        let method = METHODS.into_iter().find(|known| *known == method).ok_or_else(|| {
            ApiError::new(Code::MethodNotAllowed, "Pass-through takes GET, HEAD, POST, PUT, PATCH and DELETE.")
        })?;
        let nothing = || {
            ApiError::new(Code::NotFound, "Name a provider and a path of its API: /passthrough/openai/v1/moderations.")
        };
        let (provider, path) = path.strip_prefix(PREFIX).and_then(|rest| rest.split_once('/')).ok_or_else(nothing)?;
        let provider = ProviderId::parse(provider).filter(|_| !path.is_empty()).ok_or_else(nothing)?;
        let refuse = |why: &str| ApiError::invalid("path", format!("The path {why}, so it is not passed on."));
        let path = address::path(path).map_err(refuse)?;
        let query = address::query(query).map_err(refuse)?;
        Ok(Target { provider, method, path, query })
    }

    /// What access to it is called, as if it were a model: `openai:passthrough`. Who may use all of a
    /// provider (`openai:*`) may use its whole API.
    pub fn name(&self) -> String {
        format!("{}:passthrough", self.provider)
    }

    /// The URL at the provider.
    pub fn url(&self, base: &BaseUrl) -> String {
        let mut url = base.join(&self.path);
        if let Some(query) = &self.query {
            url.push('?');
            url.push_str(query);
        }
        url
    }

    /// Method and path, for the audit line: no query, which may hold anything.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path).chars().take(256).collect()
    }

    /// Whether the call makes the provider do something that it may bill. Looking and deleting is free.
    pub fn is_billed(&self) -> bool {
        matches!(self.method, "POST" | "PUT" | "PATCH")
    }
}

/// Headers of the caller's that a provider gets, beside those every call forwards. Nothing of a hop, no
/// credential, no cookie: what is not named here stays.
pub const REQUEST_HEADERS: [&str; 7] =
    ["accept", "content-type", "content-encoding", "idempotency-key", "range", "if-match", "if-none-match"];

/// Headers of a provider's that a caller gets. The rest is between us and the provider.
pub const ANSWER_HEADERS: [&str; 9] = [
    "content-type",
    "content-encoding",
    "content-disposition",
    "content-range",
    "accept-ranges",
    "etag",
    "last-modified",
    "retry-after",
    "retry-after-ms",
];

#[cfg(test)]
mod tests;
