//! How upstreams stand and what was decided: `/admin/v1/health`, `/admin/v1/decisions`.
//!
//! What this instance knows comes from the router, through a function: the gateway does not know routers. What was kept
//! for longer is read from its shelf.

use super::{Admin, Answer, Ask, unavailable};
use crate::error::{ApiError, Code};
use crate::ports::Ports;
use crate::records::Range;
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;

/// The shelf on which decisions are kept.
const SHELF: &str = "decisions";

/// What is asked of whoever knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look<'a> {
    /// Every upstream as it stands.
    Health,
    /// Decisions in numbers.
    Summary,
    /// One decision; null when it is not remembered.
    Decision(&'a str),
}

/// Whoever knows, as JSON.
#[derive(Clone)]
pub struct Routing(pub Arc<dyn Fn(Look<'_>) -> Value>);

impl fmt::Debug for Routing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Routing")
    }
}

impl<P: Ports> Admin<P> {
    pub(super) async fn show_health(&self, _ask: &Ask<'_>) -> Result<Answer, ApiError> {
        Ok(Answer::ok((self.routing.0)(Look::Health)))
    }

    pub(super) async fn summarize_decisions(&self, _ask: &Ask<'_>) -> Result<Answer, ApiError> {
        Ok(Answer::ok((self.routing.0)(Look::Summary)))
    }

    /// Those that were kept, in the order of their ids, which is none of time.
    pub(super) async fn list_decisions(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let range = Range { after: ask.query("after"), limit: ask.limit()?, ..Range::default() };
        let records = self.ports.list_records(SHELF, &range).await.map_err(unavailable)?;
        let data: Vec<Value> = records.iter().filter_map(|record| serde_json::from_str(&record.value).ok()).collect();
        let next = records.last().map(|record| record.key.clone()).filter(|_| records.len() == range.limit);
        Ok(Answer::ok(json!({ "object": "list", "data": data, "next": next })))
    }

    pub(super) async fn show_decision(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let known = (self.routing.0)(Look::Decision(ask.id()));
        if !known.is_null() {
            return Ok(Answer::ok(known));
        }
        let kept = self.ports.read_record(SHELF, ask.id()).await.map_err(unavailable)?;
        let kept = kept.and_then(|record| serde_json::from_str(&record.value).ok());
        kept.map(Answer::ok).ok_or_else(|| {
            let sentence = "No decision of this id is kept. One in ten is, and every one that fell back or was to be explained (x-signalbox-explain: 1), for a day.";
            ApiError::new(Code::NotFound, sentence)
        })
    }
}
