//! How upstreams stand, what was decided and what could be done better: `/admin/v1/health`, `/admin/v1/decisions`,
//! `/admin/v1/router`, `/admin/v1/recommendations`.
//!
//! What this instance knows comes from the router, through a function: the gateway does not know routers. What was kept
//! for longer is read from its shelf.

use super::ask::MAX_PAGE;
use super::{Admin, Answer, Ask, unavailable};
use crate::config::DEFAULT_TEAM;
use crate::error::{ApiError, Code};
use crate::json::json;
use crate::ports::Ports;
use crate::records::{Range, Record};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// The shelf on which decisions are kept, and that on which they are counted.
const SHELF: &str = "decisions";
const TALLIES: &str = "tallies";
/// The most days that are counted together.
const MOST_DAYS: u64 = 31;
/// The days by which something is recommended.
const LATELY: u64 = 7;

/// The shelf on which feedback is kept.
const FEEDBACK: &str = "feedback";
/// Pages of feedback that are read for one report.
const MOST_PAGES: usize = 10;
/// What a calibration is asked with.
const CALIBRATION: [&str; 7] = ["team", "route", "strong_share", "min_quality", "usd_per_call", "records", "learn"];

/// What is asked of whoever knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look<'a> {
    /// Every upstream as it stands.
    Health,
    /// What routes have learned.
    Learning,
    /// What a route would do on these records; `problem` is what is wrong with the ask.
    Calibrate(&'a Value),
    /// The name behind which the sums of so many days stand on their shelf.
    Tallied(u64),
    /// Decisions in numbers, by the sums that were kept.
    Summary(&'a [Record]),
    /// What could be done better, by the same.
    Recommend(&'a [Record]),
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

    pub(super) async fn show_learning(&self, _ask: &Ask<'_>) -> Result<Answer, ApiError> {
        Ok(Answer::ok((self.routing.0)(Look::Learning)))
    }

    /// Reports on a route by the records sent along, or by what feedback left behind.
    pub(super) async fn calibrate_router(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let mut asked = ask.members()?;
        if let Some(unknown) = asked.keys().find(|name| !CALIBRATION.contains(&name.as_str())) {
            let sentence = format!("There is no member `{unknown:.64}` here. Known: {}.", CALIBRATION.join(", "));
            return Err(ApiError::new(Code::InvalidRequest, sentence));
        }
        let team = asked.entry("team").or_insert_with(|| DEFAULT_TEAM.into()).as_str().map(str::to_owned);
        let team = team.ok_or_else(|| ApiError::invalid("team", "team must be a text."))?;
        let route = asked.get("route").and_then(Value::as_str).map(str::to_owned);
        let route =
            route.ok_or_else(|| ApiError::invalid("route", "route names a route with the strategy `learned`."))?;
        if !asked.contains_key("records") {
            // Those were learned from when they came.
            asked.insert("learn".to_owned(), false.into());
            asked.insert("records".to_owned(), self.judged(&team, &route).await?.into());
        }
        let told = (self.routing.0)(Look::Calibrate(&asked.into()));
        match told.get("problem").and_then(Value::as_str) {
            Some(problem) => Err(ApiError::new(Code::InvalidRequest, problem)),
            None => Ok(Answer::ok(told)),
        }
    }

    /// What a team said of a route's answers, some pages of it.
    async fn judged(&self, team: &str, route: &str) -> Result<Vec<Value>, ApiError> {
        let mut range = Range { prefix: format!("{team}/"), limit: MAX_PAGE, ..Range::default() };
        let mut found = Vec::new();
        for _ in 0..MOST_PAGES {
            let records = self.ports.list_records(FEEDBACK, &range).await.map_err(unavailable)?;
            let read = records.iter().filter_map(|record| crate::json::tree(&record.value).ok());
            found.extend(read.filter(|record| record.get("route").and_then(Value::as_str) == Some(route)));
            range.after = match records.last() {
                Some(last) if records.len() == range.limit => Some(last.key.clone()),
                Some(_) | None => break,
            };
        }
        Ok(found)
    }

    pub(super) async fn summarize_decisions(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let days =
            ask.query("days").map_or(Some(1), |days| days.parse().ok()).filter(|days| (1..=MOST_DAYS).contains(days));
        let days = days.ok_or_else(|| ApiError::invalid("days", "days must be a whole number from 1 to 31."))?;
        let kept = self.tallied(days).await?;
        let mut summary = (self.routing.0)(Look::Summary(&kept));
        if let Some(members) = summary.as_object_mut() {
            members.insert("days".to_owned(), days.into());
        }
        Ok(Answer::ok(summary))
    }

    pub(super) async fn list_recommendations(&self, _ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let kept = self.tallied(LATELY).await?;
        Ok(Answer::ok((self.routing.0)(Look::Recommend(&kept))))
    }

    /// The fleet's sums of so many days.
    async fn tallied(&self, days: u64) -> Result<Vec<Record>, ApiError> {
        let since = (self.routing.0)(Look::Tallied(days)).as_str().map(str::to_owned);
        let mut range = Range { after: since, limit: MAX_PAGE, ..Range::default() };
        let mut kept = Vec::new();
        loop {
            let page = self.ports.list_records(TALLIES, &range).await.map_err(unavailable)?;
            let more = page.len() == range.limit;
            kept.extend(page);
            range.after = kept.last().map(|record| record.key.clone()).filter(|_| more);
            if range.after.is_none() {
                return Ok(kept);
            }
        }
    }

    /// Those that were kept, in the order of their ids, which is none of time.
    pub(super) async fn list_decisions(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let range = Range { after: ask.query("after"), limit: ask.limit()?, ..Range::default() };
        let records = self.ports.list_records(SHELF, &range).await.map_err(unavailable)?;
        let data: Vec<Value> = records.iter().filter_map(|record| crate::json::tree(&record.value).ok()).collect();
        let next = records.last().map(|record| record.key.clone()).filter(|_| records.len() == range.limit);
        Ok(Answer::ok(json!({ "object": "list", "data": data, "next": next })))
    }

    pub(super) async fn show_decision(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let known = (self.routing.0)(Look::Decision(ask.id()));
        if !known.is_null() {
            return Ok(Answer::ok(known));
        }
        let kept = self.ports.read_record(SHELF, ask.id()).await.map_err(unavailable)?;
        let kept = kept.and_then(|record| crate::json::tree(&record.value).ok());
        kept.map(Answer::ok).ok_or_else(|| {
            let sentence = "No decision of this id is kept. One in ten is, and every one that fell back or was to be explained (x-signalbox-explain: 1), for a day.";
            ApiError::new(Code::NotFound, sentence)
        })
    }
}
