//! The versions of the configuration document: each as it was stored, by whom, when. None is ever changed.

use super::config::utf8;
use super::diff::differences;
use super::shelf::{List, nothing};
use super::{Admin, Answer, Ask, unavailable};
use crate::config::Config;
use crate::error::{ApiError, Code};
use crate::gateway::Caller;
use crate::gateway::live::{self, CURRENT, SHELF};
use crate::json::json;
use crate::ports::{Ports, Records, StoreError, StoredConfig};
use crate::records::{MAX_RECORD_BYTES, Record, Write};
use crate::time::rfc3339;
use crate::units::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

const PREFIX: &str = "config/v/";

/// A version as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    at: Timestamp,
    /// The credential's public id.
    by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// What it was made from, if it was a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rolled_back_to: Option<u64>,
    /// SHA-256 of the document; nothing where the stored one was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    document: Option<String>,
}

/// The version of this number, as every process takes it over.
pub(crate) async fn read<P: Records>(ports: &P, version: u64) -> Result<Option<StoredConfig>, StoreError> {
    let Some(record) = ports.read_record(SHELF, &key(version)).await? else { return Ok(None) };
    let kept: Kept = crate::json::parse(&record.value)
        .map_err(|error| StoreError(format!("version {version} cannot be read: {error}")))?;
    Ok(Some(StoredConfig { version, at: kept.at, document: kept.document }))
}

/// In the order of their numbers.
fn key(version: u64) -> String {
    format!("{PREFIX}{version:010}")
}

fn sha256(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl<P: Ports> Admin<P> {
    /// Stores a document (`None`: the binding's is in force) as the next version, if `if-match` names the present one.
    pub(super) async fn store_version(
        &self,
        ask: &Ask<'_>,
        document: Option<String>,
        rolled_back_to: Option<u64>,
    ) -> Result<u64, ApiError> {
        let before = self.read(CURRENT).await?;
        ask.precondition(before.as_ref())?;
        let version = before.as_ref().map_or(1, |record| record.version + 1);
        let Caller { key_id, user, .. } = ask.who;
        let (at, sha256) = (self.ports.now(), document.as_deref().map(sha256));
        let kept =
            Kept { at, by: key_id.clone(), user: user.clone(), rolled_back_to, sha256, document: document.clone() };
        // Plain data with string keys cannot fail to serialise.
        let text = serde_json::to_string(&kept).unwrap_or_default();
        if text.len() > MAX_RECORD_BYTES {
            return Err(ApiError::new(Code::TooLarge, "The document is too large to be stored: 256 KiB are the most."));
        }
        let current = match &before {
            Some(record) => Write::replace(record, ""),
            None => Write::create(CURRENT, ""),
        };
        let mut writes = live::tell(at, &[]);
        writes.extend([current, Write::create(key(version), text)]);
        if !self.write(writes).await? {
            return Err(super::ask::changed());
        }
        // New processes begin with this one; while it lags, they find the newer on the shelf.
        self.ports.put_config(&StoredConfig { version, at, document }).await.map_err(unavailable)?;
        Ok(version)
    }

    pub(super) async fn list_versions(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let show = |record: &Record| {
            let (version, kept) = opened(record).ok()?;
            Some(shown(version, &kept))
        };
        self.page(ask, List { prefix: PREFIX, descending: true, show: &show }).await
    }

    pub(super) async fn show_version(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let number = ask.id().parse().map_err(|_| nothing("version"))?;
        let kept = self.version(number).await?;
        let mut shown = shown(number, &kept);
        if let Some(members) = shown.as_object_mut() {
            members.insert("document".to_owned(), kept.document.into());
        }
        Ok(Answer::ok(shown))
    }

    /// What changed from one version to another, path by path.
    pub(super) async fn diff_versions(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let number = |name: &'static str| {
            let number = ask.query(name).and_then(|text| text.parse::<u64>().ok());
            number.ok_or_else(|| ApiError::invalid(name, format!("{name} must be the number of a version.")))
        };
        let (from, to) = (number("from")?, number("to")?);
        let (before, after) = (self.tree(from).await?, self.tree(to).await?);
        Ok(Answer::ok(json!({
            "object": "config.diff", "from": from, "to": to, "changes": differences(&before, &after),
        })))
    }

    /// Stores an earlier version once more, as the next one.
    pub(super) async fn rollback_config(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let members = ask.members()?;
        let number = members.get("version").and_then(Value::as_u64).filter(|_| members.len() == 1);
        let number = number.ok_or_else(|| {
            ApiError::invalid("version", "The body must be {\"version\": n} with the number of a version.")
        })?;
        let document = self.version(number).await?.document;
        if let Some(Err(invalid)) = document.as_deref().map(Config::parse) {
            // What was good then may name what is gone now.
            return Ok(super::config::refused(&invalid));
        }
        let is_stored = document.is_some();
        let version = self.store_version(ask, document, Some(number)).await?;
        Ok(super::config::stored(is_stored, version))
    }

    async fn version(&self, number: u64) -> Result<Kept, ApiError> {
        let record = self.read(&key(number)).await?.ok_or_else(|| nothing("version"))?;
        opened(&record).map(|(_, kept)| kept)
    }

    /// A version's document as a tree; an empty one where the binding's was in force.
    async fn tree(&self, number: u64) -> Result<Value, ApiError> {
        let text = self.version(number).await?.document.unwrap_or_default();
        Config::tree(utf8(text.as_bytes())?)
            .map_err(|invalid| ApiError::new(Code::InternalError, format!("Version {number}: {invalid}")))
    }
}

fn opened(record: &Record) -> Result<(u64, Kept), ApiError> {
    let version = record.key.strip_prefix(PREFIX).and_then(|number| number.parse().ok()).unwrap_or_default();
    let kept = crate::json::parse(&record.value)
        .map_err(|error| ApiError::new(Code::InternalError, format!("A version cannot be read: {error}")))?;
    Ok((version, kept))
}

fn shown(version: u64, kept: &Kept) -> Value {
    json!({
        "object": "config.version",
        "version": version,
        "created_at": rfc3339(kept.at),
        "by": kept.by,
        "user": kept.user,
        "source": if kept.document.is_some() { "stored" } else { "binding" },
        "sha256": kept.sha256,
        "rolled_back_to": kept.rolled_back_to,
    })
}
