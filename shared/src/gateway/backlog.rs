//! Ends of requests that the store did not take: kept in the process and delivered with the next ones.
//!
//! Bounded. When it is full the oldest is let go, which is logged: its reservation was never settled, so it turns up in the
//! journal as lost, at what the ledger counts for it. Nothing disappears without a trace.

use super::allowances::Allowances;
use super::audit::Record;
use super::bodies::{Subjects, Vault};
use super::denial;
use super::journal::{Entry, Posting};
use super::ledger::Settle;
use super::policy::TENANT;
use super::sealing::Sealing;
use super::system::Strangers;
use crate::json::json;
use crate::ports::Ports;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many are kept: some megabytes.
pub const MOST: usize = 2_048;
/// How many go along with one that was taken, so that nobody waits for all of them.
const AT_ONCE: usize = 16;

/// What one process has not delivered yet.
type Backlog = Arc<Mutex<VecDeque<Posting>>>;

/// Writes down how requests end, and what that needs to know across changes of the configuration.
#[derive(Clone, Debug)]
pub struct Recorder {
    backlog: Backlog,
    /// Seals the chains.
    pub sealing: Sealing,
    /// Keeps what was said.
    pub vault: Vault,
    /// Whom this process has turned away.
    pub(super) strangers: Strangers,
    /// What was lent to this process.
    pub(crate) allowances: Allowances,
}

impl Recorder {
    /// One whose checkpoints are signed by a key derived from `SIGNALBOX_SECRET`, as what texts are kept under is; those kept
    /// under the `previous` one stay readable.
    pub fn new(secret: Option<&str>, previous: Option<&str>) -> Recorder {
        Recorder {
            backlog: Backlog::default(),
            sealing: Sealing::derive(secret),
            vault: Vault { subjects: Subjects::derive(secret, previous) },
            strangers: Strangers::default(),
            allowances: Allowances::default(),
        }
    }

    /// Posts the end of a request, at the shard that admitted it, and writes it down; its record is kept for so many days.
    pub(super) async fn conclude<P: Ports>(
        &self,
        ports: &P,
        settle: Option<Settle>,
        shard: Option<String>,
        record: &Record,
        days: u32,
    ) {
        let line = record.line();
        if let Some(entry) = entry(record, &line, days) {
            let team = entry.team.clone();
            self.deliver(ports, Posting { settle, entry: Entry { shard, ..entry } }).await;
            self.sealing.appended(ports, &team, days);
        }
        ports.log(&line);
    }

    /// Hands a posting to the store, or keeps it for later.
    pub(super) async fn deliver<P: Ports>(&self, ports: &P, posting: Posting) {
        deliver(ports, &self.backlog, posting).await;
    }
}

/// The record as it goes into its team's chain. What nobody can be held to (no key, or none of ours) has none.
pub(super) fn entry(record: &Record, line: &str, days: u32) -> Option<Entry> {
    let (team, id) = (record.team.clone()?, record.request_id.clone());
    Some(Entry { team, id, record: line.to_owned(), days, shard: None })
}

/// Nothing panics while the lock is held, so a poisoned lock guards good data all the same.
fn lock(backlog: &Backlog) -> MutexGuard<'_, VecDeque<Posting>> {
    backlog.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn deliver<P: Ports>(ports: &P, backlog: &Backlog, posting: Posting) {
    match ports.post(TENANT, posting.clone()).await {
        Ok(()) => {
            if !lock(backlog).is_empty() {
                let (ports, backlog) = (ports.clone(), backlog.clone());
                let spawner = ports.clone();
                spawner.spawn(async move { catch_up(&ports, &backlog).await });
            }
        }
        Err(problem) => {
            ports.log(&denial::store_line("settle", &problem));
            keep(ports, backlog, posting);
        }
    }
}

fn keep<P: Ports>(ports: &P, backlog: &Backlog, posting: Posting) {
    let mut kept = lock(backlog);
    let gone = if kept.len() >= MOST { kept.pop_front() } else { None };
    kept.push_back(posting);
    if let Some(gone) = gone {
        ports.log(&json!({ "event": "audit_overflow", "request_id": gone.entry.id }).to_string());
    }
}

/// Each stays where it is until it was taken: whoever does this may be ended at any time, or be two.
async fn catch_up<P: Ports>(ports: &P, backlog: &Backlog) {
    for _ in 0..AT_ONCE {
        let Some(next) = lock(backlog).front().cloned() else { return };
        let id = next.entry.id.clone();
        if ports.post(TENANT, next).await.is_err() {
            return;
        }
        lock(backlog).retain(|kept| kept.entry.id != id);
    }
}
