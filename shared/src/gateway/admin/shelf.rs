//! The shelf of the admin plane: reading, pages, and changes that hold their preconditions.
//!
//! All of it is one shelf, so that a change, what repeats it and what tells of it are one transaction.

use super::ask::changed;
use super::{Admin, Answer, Ask, unavailable};
use crate::error::{ApiError, Code};
use crate::gateway::live::SHELF;
use crate::json::json;
use crate::ports::Ports;
use crate::records::{Range, Record, Write};
use serde_json::Value;

/// How often a change is tried against others at the same record.
const TRIES: u32 = 5;
/// How many pages are read for one that is filtered.
const MAX_READS: u32 = 10;

/// How the entries of a list are found.
pub(super) struct List<'a> {
    /// How their records' keys begin.
    pub prefix: &'a str,
    /// From the last to the first.
    pub descending: bool,
    /// An entry as it is shown; `None` for one that the caller did not ask for, or may not see.
    pub show: &'a dyn Fn(&Record) -> Option<Value>,
}

impl<P: Ports> Admin<P> {
    /// A record, if there is one.
    pub(super) async fn read(&self, key: &str) -> Result<Option<Record>, ApiError> {
        self.ports.read_record(SHELF, key).await.map_err(unavailable)
    }

    /// Makes a change, or nothing of it: `false` when an expectation does not hold.
    pub(super) async fn write(&self, writes: Vec<Write>) -> Result<bool, ApiError> {
        self.ports.write_records(SHELF, writes).await.map_err(unavailable)
    }

    /// Changes a record by what `make` makes of it: the writes of the whole change, and something for the answer. Holds
    /// `if-match`, and tries again where somebody else was faster. Gives the record's new version.
    pub(super) async fn change<T>(
        &self,
        ask: &Ask<'_>,
        key: &str,
        noun: &str,
        make: impl Fn(&Record) -> Result<(Vec<Write>, T), ApiError>,
    ) -> Result<(T, u64), ApiError> {
        for _ in 0..TRIES {
            let record = self.read(key).await?;
            let record = record.ok_or_else(|| nothing(noun))?;
            ask.precondition(Some(&record))?;
            let (writes, made) = make(&record)?;
            if self.write(writes).await? {
                return Ok((made, record.version + 1));
            }
        }
        Err(changed())
    }

    /// A page of a list, as `limit` and `after` say. `next` in the answer is where the next one goes on.
    pub(super) async fn page(&self, ask: &Ask<'_>, list: List<'_>) -> Result<Answer, ApiError> {
        let limit = ask.limit()?;
        let mut data = Vec::new();
        let mut after = ask.query("after").map(|id| format!("{}{id}", list.prefix));
        for _ in 0..MAX_READS {
            let range = Range {
                prefix: list.prefix.to_owned(),
                after: after.clone(),
                descending: list.descending,
                limit: limit + 1,
            };
            let records = self.ports.list_records(SHELF, &range).await.map_err(unavailable)?;
            let is_last = records.len() <= limit;
            for record in &records {
                if data.len() == limit {
                    return Ok(listed(data, after.as_deref().and_then(|key| key.strip_prefix(list.prefix))));
                }
                data.extend((list.show)(record));
                after = Some(record.key.clone());
            }
            if is_last {
                return Ok(listed(data, None));
            }
        }
        Ok(listed(data, after.as_deref().and_then(|key| key.strip_prefix(list.prefix))))
    }
}

/// A list as it is answered.
pub(super) fn listed(data: Vec<Value>, next: Option<&str>) -> Answer {
    Answer::ok(json!({ "object": "list", "data": data, "next": next }))
}

/// The answer about something that is not there.
pub(super) fn nothing(noun: &str) -> ApiError {
    ApiError::new(Code::NotFound, format!("There is no {noun} of this id."))
}
