//! The weights of the embedding, which are not in the product: stored by an administrator, read behind the callers' backs by
//! every process that has a use for them.
//!
//! They lie in pieces on a shelf of their own, under a name that their content gives; a record on the shelf of the admin
//! plane says which is in force. So a change is one write, and nobody ever reads half of one and half of another.

use super::live::{self, SHELF as ADMIN};
use super::policy::{Keys, lock};
use crate::base64url;
use crate::embed::Weights;
use crate::ports::{Clock, Records, StoreError};
use crate::records::Write;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

const SHELF: &str = "embedding";
/// Which weights are in force.
const HEAD: &str = "embedding";
/// Bytes of a piece; as text a third more, within what a record holds.
const PIECE: usize = 180 * 1024;

/// What a process knows of the weights.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The head's version, as last heard.
    heard: u64,
    /// The one that was read.
    read: u64,
    reading: bool,
    weights: Option<Arc<Weights>>,
}

impl Loaded {
    /// Notes which version is in force.
    pub fn hear(&mut self, version: u64) {
        self.heard = version;
    }

    /// The weights, once they were read.
    pub fn get(&self) -> Option<Arc<Weights>> {
        self.weights.clone()
    }

    /// Whether they are to be read; whoever is told so reads them.
    pub fn due(&mut self) -> bool {
        let due = self.heard != self.read && !self.reading;
        self.reading |= due;
        due
    }
}

/// The head's version; 0 where there are none.
pub async fn version(ports: &impl Records) -> Result<u64, StoreError> {
    Ok(ports.read_record(ADMIN, HEAD).await?.map_or(0, |record| record.version))
}

/// What is in force, for people.
pub async fn shown(ports: &impl Records) -> Result<Option<Value>, StoreError> {
    let head = ports.read_record(ADMIN, HEAD).await?;
    Ok(head.and_then(|head| crate::json::parse(&head.value).ok()))
}

/// Stores weights and puts them in force.
pub async fn store<P: Records + Clock>(ports: &P, weights: &Weights) -> Result<Value, StoreError> {
    let bytes = weights.bytes();
    let digest = Sha256::digest(&bytes);
    let name = base64url::encode(digest.get(..12).unwrap_or_default());
    let pieces = bytes.chunks(PIECE);
    let count = pieces.len();
    for (number, piece) in pieces.enumerate() {
        let write = Write::put(format!("{name}/{number:04}"), base64url::encode(piece));
        ports.write_records(SHELF, vec![write]).await?;
    }
    let head = json!({
        "object": "embedding", "name": name, "pieces": count, "bytes": bytes.len(), "dimensions": weights.dimensions(),
    });
    let mut writes = live::tell(ports.now(), &[]);
    writes.push(Write::put(HEAD, head.to_string()));
    ports.write_records(ADMIN, writes).await?;
    Ok(head)
}

/// Reads what is in force, and remembers it.
pub async fn refresh<P: Records + Clock>(ports: &P, keys: &Keys) {
    let read = load(ports).await;
    let loaded = &mut lock(keys).weights;
    loaded.reading = false;
    match read {
        Ok((version, weights)) => {
            if weights.is_none() && version > 0 {
                ports.log(&json!({ "event": "embedding_unreadable", "version": version }).to_string());
            }
            (loaded.read, loaded.weights) = (version, weights.map(Arc::new));
        }
        Err(problem) => ports.log(&super::denial::store_line("embedding", &problem)),
    }
}

async fn load<P: Records>(ports: &P) -> Result<(u64, Option<Weights>), StoreError> {
    let Some(head) = ports.read_record(ADMIN, HEAD).await? else { return Ok((0, None)) };
    let said: Value = crate::json::parse(&head.value).unwrap_or_default();
    let name = said.get("name").and_then(Value::as_str).unwrap_or_default();
    let mut bytes = Vec::new();
    for number in 0..said.get("pieces").and_then(Value::as_u64).unwrap_or(0) {
        let piece = ports.read_record(SHELF, &format!("{name}/{number:04}")).await?;
        let piece = piece.and_then(|piece| base64url::decode(&piece.value));
        bytes.extend(piece.unwrap_or_default());
    }
    Ok((head.version, Weights::kept(bytes)))
}
