//! What the simulator was asked, and what became of each answer.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::ask::Ask;
use crate::harness::locked;

/// Entries kept; the oldest go first.
const KEPT: usize = 20_000;

/// One request in the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Seen {
    /// Counts requests from 1, over all scripts.
    pub serial: u64,
    /// The script's name.
    pub script: String,
    /// HTTP method.
    pub method: String,
    /// Path with query.
    pub path: String,
    /// Headers; names lower case, repeated ones joined by `, `.
    pub headers: BTreeMap<String, String>,
    /// The body as text; bytes that are no UTF-8 are replaced.
    pub body: String,
    /// The status of the answer, sent or not.
    pub status: u16,
    /// Body bytes handed to the connection.
    pub bytes_sent: u64,
    /// True when the answer is over: played to its end, or the caller has left.
    pub done: bool,
    /// The caller closed before the script had ended.
    pub client_gone: bool,
    /// Milliseconds from request to `done`; 0 before.
    pub ms: f64,
}

#[derive(Debug)]
pub(crate) struct Log {
    keep: bool,
    entries: Mutex<VecDeque<Arc<Mutex<Seen>>>>,
}

/// The open entry of one request. Dropping it before [`Entry::finish`] means that the caller left.
#[derive(Debug)]
pub(crate) struct Entry {
    seen: Arc<Mutex<Seen>>,
    since: Instant,
}

impl Log {
    pub(crate) fn new(keep: bool) -> Log {
        Log { keep, entries: Mutex::default() }
    }

    pub(crate) fn open(&self, serial: u64, ask: Ask, script: &str, status: u16) -> Entry {
        let mut headers = BTreeMap::<String, String>::new();
        for (name, value) in ask.headers {
            headers.entry(name).and_modify(|all| *all = format!("{all}, {value}")).or_insert(value);
        }
        let seen = Seen {
            serial,
            script: script.to_owned(),
            method: ask.method,
            path: ask.path,
            headers,
            body: if self.keep { String::from_utf8_lossy(&ask.body).into_owned() } else { String::new() },
            status,
            bytes_sent: 0,
            done: false,
            client_gone: false,
            ms: 0.0,
        };
        let seen = Arc::new(Mutex::new(seen));
        if self.keep {
            let mut entries = locked(&self.entries);
            if entries.len() >= KEPT {
                entries.pop_front();
            }
            entries.push_back(Arc::clone(&seen));
        }
        Entry { seen, since: Instant::now() }
    }

    pub(crate) fn seen(&self, script: Option<&str>) -> Vec<Seen> {
        let entries = locked(&self.entries);
        let all = entries.iter().map(|entry| locked(entry).clone());
        all.filter(|seen| script.is_none_or(|name| seen.script == name)).collect()
    }

    pub(crate) fn clear(&self, script: Option<&str>) {
        locked(&self.entries).retain(|entry| script.is_some_and(|name| locked(entry).script != name));
    }
}

impl Entry {
    pub(crate) fn sent(&self, bytes: usize) {
        let mut seen = locked(&self.seen);
        seen.bytes_sent = seen.bytes_sent.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// The script was played to its end, which includes ends that were scripted badly.
    pub(crate) fn finish(&self) {
        self.close(false);
    }

    fn close(&self, client_gone: bool) {
        let mut seen = locked(&self.seen);
        if !seen.done {
            seen.done = true;
            seen.client_gone = client_gone;
            seen.ms = self.since.elapsed().as_secs_f64() * 1000.0;
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.close(true);
    }
}
