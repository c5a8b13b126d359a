//! Signed checkpoints of the chains: `GET /admin/v1/audit/checkpoints`. Whoever keeps them elsewhere can prove later that
//! nothing before them was changed, by us either.

use super::audit::format;
use super::{Admin, Answer, Ask, unavailable};
use crate::error::{ApiError, Code};
use crate::gateway::journal::checkpoint::{
    Checkpoint, KEY_NAME, Signed, base64, checkpoint_key, checkpoint_prefix, key_id, shown,
};
use crate::gateway::journal::{hex, read, shelf};
use crate::gateway::policy::TENANT;
use crate::jose::{Algorithm, PublicKey};
use crate::json::json;
use crate::ports::{Ports, StoreError};
use crate::records::{Range, Record};
use crate::sorted::SortedMap;
use serde_json::Value;

impl<P: Ports> Admin<P> {
    /// One team's checkpoints, oldest first; the chain is sealed first if it has not been just now.
    pub(super) async fn list_checkpoints(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let team = ask.query("team").ok_or_else(|| ApiError::invalid("team", "team says whose chain is meant."))?;
        let cursor = match ask.query("cursor") {
            Some(cursor) => Some(cursor.parse::<u64>().map_err(|_| {
                ApiError::invalid("cursor", "cursor is the `next_cursor` of the page before, as it was given.")
            })?),
            None => None,
        };
        let jsonl = format(ask, &["json", "jsonl"])? == "jsonl";
        let limit = ask.limit()?;
        self.pending().await?;
        let days = self.config.team(&team).map(|team| team.audit).unwrap_or_default().retention_days;
        self.recorder.sealing.seal(&self.ports, &team, days).await.map_err(unavailable)?;
        let after = cursor.map(|size| checkpoint_key(&team, size));
        let range = Range { prefix: checkpoint_prefix(&team), after, descending: false, limit: limit + 1 };
        let mut found = self.ports.list_records(&shelf(TENANT), &range).await.map_err(unavailable)?;
        let more = found.len() > limit;
        found.truncate(limit);
        let show = |record: &Record| {
            let size = Signed::parse(&record.value).map_or(0, |signed| signed.checkpoint.size);
            shown(&team, size, &record.value)
        };
        let data: Vec<Value> = found.iter().map(show).collect();
        if jsonl {
            let text: String = data.iter().map(|line| format!("{line}\n")).collect();
            return Ok(Answer::text("application/x-ndjson", text));
        }
        let next = data.last().filter(|_| more).and_then(|last| last.get("size")?.as_u64());
        let key = self.public_key().await?;
        Ok(Answer::ok(json!({
            "object": "list",
            "key": { "name": KEY_NAME, "id": hex(&key_id(&key)), "public_key": base64(&key) },
            "data": data,
            "has_more": more,
            "next_cursor": next.map(|size| size.to_string()),
        })))
    }

    async fn public_key(&self) -> Result<[u8; 32], ApiError> {
        let failed = || ApiError::new(Code::LimiterUnavailable, "The platform gives no key to sign with.");
        self.ports.public_key(self.recorder.sealing.seed().ok_or_else(failed)?).await.ok_or_else(failed)
    }

    /// A team's checkpoints by size; `None` for one that our key has not signed.
    pub(super) async fn checkpoints(&self, team: &str) -> Result<SortedMap<u64, Option<Checkpoint>>, StoreError> {
        let (mut notes, prefix) = (Vec::new(), checkpoint_prefix(team));
        read::all(&self.ports, &shelf(TENANT), prefix, None, |_| true, |record| notes.push(record)).await?;
        let public_key = match self.recorder.sealing.seed() {
            Some(seed) => self.ports.public_key(seed).await.unwrap_or_default(),
            None => [0; 32],
        };
        let mut checkpoints = SortedMap::new();
        for record in notes {
            let size = record.key.rsplit('/').next().and_then(|size| size.parse().ok()).unwrap_or(0);
            let signed = Signed::parse(&record.value).filter(|signed| signed.checkpoint.size == size);
            let good = match &signed {
                Some(signed) => {
                    let (key, text) = (PublicKey::Ed25519(public_key.to_vec()), signed.text.as_bytes());
                    self.ports.verify(&key, Algorithm::EdDsa, text, &signed.signature).await
                }
                None => false,
            };
            checkpoints.insert(size, signed.filter(|_| good).map(|signed| signed.checkpoint));
        }
        Ok(checkpoints)
    }
}
