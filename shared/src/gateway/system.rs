//! The system's own chain: what administrators did, and who was turned away. It is a chain as teams' are, under a name that no
//! team can have.
//!
//! Whoever is turned away has no key of ours, and shall not be able to fill a store: a process chains so many a minute, and says
//! of the rest how many there were. What they said of themselves is not believed and not written down.

use super::backlog::Recorder;
use super::journal::{Entry, Posting};
use super::keys::token;
use super::policy::TENANT;
use crate::config::AuditPolicy;
use crate::json::json;
use crate::ports::{Ports, StoreError};
use crate::units::{Millis, Timestamp};
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};

/// The chain's name, where others have their team's.
pub const SYSTEM: &str = "@system";
/// How many of those turned away one process chains in a minute.
const MOST: u32 = 10;
const MINUTE: Millis = Millis(60_000);

/// What one process has seen of strangers lately.
#[derive(Clone, Debug, Default)]
pub struct Strangers(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    since: Timestamp,
    /// How many were chained since.
    chained: u32,
    /// How many were not, since the last that was.
    passed_over: u64,
}

impl Strangers {
    /// Whether the next one is chained; how many were passed over before it.
    fn next(&self, now: Timestamp) -> Option<u64> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.since(seen.since) >= MINUTE {
            (seen.since, seen.chained) = (now, 0);
        }
        if seen.chained >= MOST {
            seen.passed_over += 1;
            return None;
        }
        seen.chained += 1;
        Some(std::mem::take(&mut seen.passed_over))
    }
}

impl Recorder {
    /// Chains what an administrator did, behind the caller's back.
    pub fn witness<P: Ports>(&self, ports: &P, what: Value) {
        self.chain(ports, entry(new_id(ports), what));
    }

    /// Chains that somebody was turned away, as long as there are not too many.
    pub fn turned_away<P: Ports>(&self, ports: &P, id: Option<String>, mut what: Value) {
        let Some(passed_over) = self.strangers.next(ports.now()) else { return };
        let id = id.unwrap_or_else(|| new_id(ports));
        if let (Some(members), true) = (what.as_object_mut(), passed_over > 0) {
            members.insert("passed_over".to_owned(), json!(passed_over));
        }
        self.chain(ports, entry(id, what));
    }

    fn chain<P: Ports>(&self, ports: &P, entry: Entry) {
        let (recorder, work) = (self.clone(), ports.clone());
        ports.spawn(async move {
            let days = entry.days;
            recorder.deliver(&work, Posting { settle: None, entry }).await;
            recorder.sealing.appended(&work, SYSTEM, days);
        });
    }

    /// Chains it and waits until it is: where the answer must not come before.
    pub async fn witnessed<P: Ports>(&self, ports: &P, what: Value) -> Result<(), StoreError> {
        let entry = entry(new_id(ports), what);
        ports.post(TENANT, Posting { settle: None, entry }).await?;
        // What lingers in this process is delivered before the books are read.
        ports.pending(TENANT, ports.now()).await.map(drop)
    }
}

fn new_id(ports: &impl Ports) -> String {
    format!("adm_{}", token(|| ports.entropy(), 22))
}

fn entry(id: String, mut what: Value) -> Entry {
    if let Some(members) = what.as_object_mut() {
        members.insert("request_id".to_owned(), json!(id));
    }
    let days = AuditPolicy::DEFAULT.retention_days;
    Entry { team: SYSTEM.to_owned(), id, record: what.to_string(), days, shard: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_fills_no_store_and_none_goes_uncounted() {
        let strangers = Strangers::default();
        let at = |ms: u64| Timestamp(1_768_478_400_000 + ms);
        let chained = (0..1_000).filter(|number| strangers.next(at(*number)).is_some()).count();
        assert_eq!(chained, 10);
        assert_eq!(strangers.next(at(59_999)), None);
        assert_eq!(
            strangers.next(at(60_000)),
            Some(991),
            "the first of the next minute tells of all who were passed over"
        );
        assert_eq!(strangers.next(at(60_001)), Some(0));
    }
}
