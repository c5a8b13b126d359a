//! Virtual keys: create, list, show, revoke.

use super::{Admin, Answer, Ask, unavailable};
use crate::config::{DEFAULT_TEAM, ModelPattern};
use crate::error::{ApiError, Code};
use crate::gateway::keys::{KeyRecord, generate, token};
use crate::gateway::policy::lock;
use crate::ports::Ports;
use crate::time::{self, rfc3339};
use crate::units::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

const MAX_NAME_BYTES: usize = 128;
const MAX_MODELS: usize = 256;

/// The body of `POST /admin/v1/keys`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKey {
    name: String,
    #[serde(default = "default_team")]
    team: String,
    user: Option<String>,
    models: Option<Vec<String>>,
    /// RFC 3339.
    expires_at: Option<String>,
}

fn default_team() -> String {
    DEFAULT_TEAM.to_owned()
}

impl<P: Ports> Admin<P> {
    pub(super) async fn create_key(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let Some(hasher) = &self.hasher else {
            return Err(ApiError::new(Code::NotConfigured, "Set SIGNALBOX_SECRET (at least 32 bytes) first."));
        };
        let new: NewKey = ask.json("{\"name\": …, \"team\": …, \"user\": …, \"models\": […], \"expires_at\": …}")?;
        let expires_at = self.check(&new)?;
        let ports = &self.ports;
        let key = generate(|| ports.entropy());
        let record = KeyRecord {
            id: format!("key_{}", token(|| ports.entropy(), 16)),
            hash: hasher.hash(&key),
            name: new.name,
            team: new.team,
            user: new.user,
            models: new.models,
            created_at: ports.now(),
            expires_at,
            ..KeyRecord::default()
        };
        ports.put_key(&record).await.map_err(unavailable)?;
        lock(&self.keys).put(&record.hash, Some(record.clone()), ports.now());
        let mut shown = show(&record);
        if let Some(members) = shown.as_object_mut() {
            members.insert("key".to_owned(), Value::String(key));
        }
        Ok(Answer::created(shown))
    }

    fn check(&self, new: &NewKey) -> Result<Option<Timestamp>, ApiError> {
        let sane = |text: &str| !text.is_empty() && text.len() <= MAX_NAME_BYTES && !text.chars().any(char::is_control);
        if !sane(&new.name) {
            return Err(ApiError::invalid("name", "name must be 1 to 128 printable bytes."));
        }
        if new.user.as_deref().is_some_and(|user| !sane(user)) {
            return Err(ApiError::invalid("user", "user must be 1 to 128 printable bytes."));
        }
        if self.config.team(&new.team).is_none() {
            return Err(ApiError::invalid(
                "team",
                "There is no such team in the configuration. Add it under [teams] first.",
            ));
        }
        let bad = |pattern: &String| ModelPattern::parse(pattern).is_none();
        if new.models.as_ref().is_some_and(|models| models.len() > MAX_MODELS || models.iter().any(bad)) {
            return Err(ApiError::invalid(
                "models",
                "models must be at most 256 patterns such as \"fast\" or \"openai:*\".",
            ));
        }
        let Some(text) = &new.expires_at else { return Ok(None) };
        match time::parse_rfc3339(text) {
            Some(at) if at > self.ports.now() => Ok(Some(at)),
            Some(_) => Err(ApiError::invalid("expires_at", "expires_at lies in the past.")),
            None => Err(ApiError::invalid(
                "expires_at",
                "expires_at must be an instant in UTC such as 2027-01-31T00:00:00Z.",
            )),
        }
    }

    pub(super) async fn list_keys(&self, _ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let mut records = self.ports.keys().await.map_err(unavailable)?;
        records.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(Answer::ok(json!({ "object": "list", "data": records.iter().map(show).collect::<Vec<_>>() })))
    }

    pub(super) async fn show_key(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        Ok(Answer::ok(show(&self.find_key(ask.id()).await?)))
    }

    pub(super) async fn delete_key(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        self.revoke_key(ask).await
    }

    pub(super) async fn revoke_key(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let mut record = self.find_key(ask.id()).await?;
        let now = self.ports.now();
        // Revoking twice keeps the first time.
        record.revoked_at = record.revoked_at.or(Some(now));
        self.ports.put_key(&record).await.map_err(unavailable)?;
        lock(&self.keys).put(&record.hash, Some(record.clone()), now);
        Ok(Answer::ok(show(&record)))
    }

    async fn find_key(&self, id: &str) -> Result<KeyRecord, ApiError> {
        let records = self.ports.keys().await.map_err(unavailable)?;
        let found = records.into_iter().find(|record| record.id == id);
        found.ok_or_else(|| ApiError::new(Code::NotFound, "There is no key of this id. GET /admin/v1/keys lists them."))
    }
}

/// A key as the admin plane shows it: never its hash.
fn show(record: &KeyRecord) -> Value {
    json!({
        "object": "key",
        "id": record.id,
        "name": record.name,
        "team": record.team,
        "user": record.user,
        "models": record.models,
        "created_at": rfc3339(record.created_at),
        "expires_at": record.expires_at.map(rfc3339),
        "revoked_at": record.revoked_at.map(rfc3339),
    })
}
