//! What is handed to the journal, and what of it a reservation keeps until then.

use crate::gateway::caller::Caller;
use crate::gateway::ledger::reservation::Hold;
use crate::gateway::ledger::{ReservationId, Settle};
use crate::json::json;
use crate::units::{NanoUsd, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A record on its way into its team's chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Whose chain.
    pub team: String,
    /// The request it is about. There is one record of each.
    pub id: String,
    /// The record as JSON, as it is logged.
    pub record: String,
    /// How long it is kept.
    pub days: u32,
    /// The shard that admitted the request, and settles it; `None`: the tenant's own ledger did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<String>,
}

/// The end of a request: what it came to, for the ledger, and its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// What the call came to; `None` for one that took nothing.
    pub settle: Option<Settle>,
    /// Its record.
    pub entry: Entry,
}

/// What a reservation says of its request, for the case that nothing else ever will.
pub fn note(caller: &Caller, at: Timestamp, days: u32) -> String {
    let who = (&caller.organisation, &caller.project, &caller.user);
    json!({
        "organisation": who.0, "team": caller.team, "project": who.1, "key_id": caller.key_id, "user": who.2,
        "at": at, "days": days,
    })
    .to_string()
}

/// What a reservation says that was lent to a process for calls of a team.
pub fn lent(team: &str, at: Timestamp, days: u32) -> String {
    json!({ "team": team, "at": at, "days": days }).to_string()
}

/// A note for the case that a shard holds the reservation, whose loss is written down elsewhere.
pub fn at_shard(note: &str, shard: &str) -> String {
    // Names of shards need no escapes.
    note.strip_prefix('{').map_or_else(String::new, |rest| format!("{{\"shard\":\"{shard}\",{rest}"))
}

impl Entry {
    /// The record of a request whose process ended before it could say how it went: it costs what its reservation goes on
    /// counting. `None` for a reservation that does not say whose it is.
    pub fn lost(id: &ReservationId, hold: &Hold) -> Option<Entry> {
        let mut record: Value = crate::json::tree(&hold.note).ok()?;
        let members = record.as_object_mut()?;
        members.retain(|_, value| !value.is_null());
        let (team, days) = (members.get("team")?.as_str()?.to_owned(), members.remove("days")?.as_u64()?);
        let shard = members.remove("shard").and_then(|shard| shard.as_str().map(str::to_owned));
        // A reservation that no budget counts costs nothing.
        let cost = if hold.charges.is_empty() { NanoUsd::ZERO } else { hold.granted };
        members.insert("event".to_owned(), json!("request"));
        members.insert("request_id".to_owned(), json!(id));
        members.insert("outcome".to_owned(), json!("lost"));
        members.insert("cost_nano_usd".to_owned(), json!(cost));
        members.insert("cost_usd".to_owned(), json!(cost.to_string()));
        Some(Entry { team, id: id.0.clone(), record: record.to_string(), days: u32::try_from(days).ok()?, shard })
    }
}
