//! The weights of the embedding, which are not in the product: stored by an administrator, read behind the callers' backs by
//! every process that has a use for them.
//!
//! They lie in pieces on a shelf of their own, under a name that their content gives; a record on the shelf of the admin
//! plane says which is in force. So a change is one write, and nobody ever reads half of one and half of another.

use super::live::{self, SHELF as ADMIN};
use super::parts;
use super::policy::{Keys, lock};
use super::turn::Turn;
use crate::base64url;
use crate::config::Config;
use crate::context::Meanings;
use crate::embed::Weights;
use crate::json::json;
use crate::ports::{Clock, Records, StoreError};
use crate::records::{Record, Write};
use crate::units::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::Arc;

const SHELF: &str = "embedding";
/// Which weights are in force.
const HEAD: &str = "embedding";

/// What a process knows of the weights.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The head's version, as last heard.
    heard: u64,
    /// The one that was read.
    read: u64,
    reading: Turn,
    weights: Option<Arc<Weights>>,
    /// What definitions mean by them,
    meanings: Arc<Meanings>,
    /// as of so many changes of definitions.
    meant: u64,
}

/// What can be said of meanings at the moment.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The weights, once they were read.
    pub weights: Option<Arc<Weights>>,
    /// What definitions mean by them.
    pub meanings: Arc<Meanings>,
    /// Nobody stored any weights, or nobody can read them.
    pub is_lacking: bool,
}

/// What of a configuration needs weights, as the header for warnings names it.
pub fn wanted(config: &Config) -> Vec<&'static str> {
    let meaning = config.context.values().any(|policy| policy.meaning.is_some());
    let wanted = [(config.cache.semantic.is_some(), SEMANTIC), (meaning, MEANING)];
    wanted.into_iter().filter(|(is_wanted, _)| *is_wanted).map(|(_, name)| name).collect()
}

/// Whether weights are of any use to a configuration. Topics are told without them, too, if not as well.
pub fn are_of_use(config: &Config) -> bool {
    let chosen_by = config.routes.values().any(|route| route.group.tells_topics());
    let asked_for = config.rules.iter().any(|rule| rule.when.source().contains("topic"));
    !wanted(config).is_empty() || !config.router.topics.is_empty() || chosen_by || asked_for
}

/// The semantic cache goes without weights: every question is new.
pub const SEMANTIC: &str = "cache.semantic;no_weights";
/// Definitions are not chosen by meaning.
pub const MEANING: &str = "context.meaning;no_weights";

impl Loaded {
    /// Notes which version is in force.
    pub fn hear(&mut self, version: u64) {
        self.heard = version;
    }

    /// What is known.
    pub fn known(&self) -> Known {
        let is_lacking = self.weights.is_none() && self.heard == self.read;
        Known { weights: self.weights.clone(), meanings: self.meanings.clone(), is_lacking }
    }

    /// Whether there is something to be read or computed, with definitions as they are after so many changes, where they
    /// count; whoever is told so does it.
    pub fn due(&mut self, changes: Option<u64>, now: Timestamp) -> bool {
        let meaning = changes.is_some_and(|changes| changes != self.meant) && self.weights.is_some();
        (self.heard != self.read || meaning) && self.reading.take(now)
    }
}

/// The head's version; 0 where there are none.
pub async fn version(ports: &impl Records) -> Result<u64, StoreError> {
    Ok(ports.read_record(ADMIN, HEAD).await?.map_or(0, |record| record.version))
}

/// What is in force, for people.
pub async fn shown(ports: &impl Records) -> Result<Option<Record>, StoreError> {
    ports.read_record(ADMIN, HEAD).await
}

/// Stores weights and puts them in force, in place of those `before` if anybody cares; `None`: others were faster.
pub async fn store<P: Records + Clock>(
    ports: &P,
    weights: &Weights,
    before: Option<&Record>,
) -> Result<Option<Value>, StoreError> {
    let bytes = weights.bytes();
    let digest = Sha256::digest(&bytes);
    let name = base64url::encode(digest.get(..12).unwrap_or_default());
    let count = parts::write(ports, SHELF, &name, &base64url::encode(&bytes), None).await?;
    let head = json!({
        "object": "embedding", "name": name, "pieces": count, "bytes": bytes.len(), "dimensions": weights.dimensions(),
    });
    let mut writes = live::tell(ports.now(), &[]);
    let text = head.to_string();
    writes.push(before.map_or_else(|| Write::put(HEAD, &text), |before| Write::replace(before, &text)));
    Ok(ports.write_records(ADMIN, writes).await?.then_some(head))
}

/// Reads what is in force where that is news, and remembers it, with what definitions mean by it.
pub async fn refresh<P: Records + Clock>(ports: &P, keys: &Keys) {
    let is_news = {
        let loaded = &lock(keys).weights;
        loaded.heard != loaded.read
    };
    let read = if is_news { Some(load(ports).await) } else { None };
    let (library, changes) = lock(keys).live.definitions();
    let loaded = &mut lock(keys).weights;
    loaded.reading.end();
    match read {
        Some(Ok((version, weights))) => {
            if weights.is_none() && version > 0 {
                ports.log(&json!({ "event": "embedding_unreadable", "version": version }).to_string());
            }
            (loaded.read, loaded.weights, loaded.meanings) = (version, weights.map(Arc::new), Arc::default());
        }
        Some(Err(problem)) => ports.log(&super::denial::store_line("embedding", &problem)),
        None => {}
    }
    if let Some(embedding) = loaded.weights.as_ref().and_then(|weights| weights.embedding()) {
        let (meanings, all) = Meanings::of(&library, &loaded.meanings, &embedding);
        loaded.meanings = Arc::new(meanings);
        loaded.meant = if all { changes } else { loaded.meant };
    }
}

async fn load<P: Records>(ports: &P) -> Result<(u64, Option<Weights>), StoreError> {
    let Some(head) = ports.read_record(ADMIN, HEAD).await? else { return Ok((0, None)) };
    let said: Value = crate::json::tree(&head.value).unwrap_or_default();
    let name = said.get("name").and_then(Value::as_str).unwrap_or_default();
    let count = said.get("pieces").and_then(Value::as_u64).unwrap_or(0);
    let text = parts::read(ports, SHELF, name, count as usize).await?;
    Ok((head.version, text.and_then(|text| base64url::decode(&text)).and_then(Weights::kept)))
}
