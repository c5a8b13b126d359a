//! What other instances of ourselves saw: each writes a snapshot, reads everybody's, and counts them beside its own.
//!
//! Snapshots are small and soon old. A store is asked for them while there is traffic, every two seconds, and written to
//! at most once a second, when a circuit changed or somebody asked for rest, else every ten.

use super::Cause;
use super::upstream::{News, Upstream};
use crate::config::{ModelId, ProviderId};
use crate::router::view::{Circuit, Standing};
use crate::sorted;
use crate::sorted::SortedMap;
use crate::units::{Millis, Timestamp};
use serde::{Deserialize, Serialize};

/// How old others' figures may become before they are read again.
const READ_AFTER: Millis = Millis(2_000);
/// The least between two writes.
const WRITE_AFTER: Millis = Millis(1_000);
/// The most, while there is traffic.
const WRITE_BY: Millis = Millis(10_000);
/// A snapshot is believed for this long.
const BELIEVED: Millis = Millis(15_000);
/// Upstreams of one snapshot: it is one small record.
const MOST: usize = 64;

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Others' snapshots should be read.
    pub read: bool,
    /// The own one should be written.
    pub write: bool,
}

/// One upstream for a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Which.
    pub model: ModelId,
    /// How it stands.
    pub standing: Standing,
    /// How often it failed at what, here.
    pub causes: Vec<(Cause, u64)>,
}

/// One instance's figures.
#[derive(Debug, Serialize, Deserialize)]
struct Snapshot {
    at: Timestamp,
    upstreams: SortedMap<String, Standing>,
    #[serde(default)]
    keys: SortedMap<String, Timestamp>,
}

/// What was heard.
#[derive(Debug, Default)]
pub(super) struct Fleet {
    heard: SortedMap<ModelId, Heard>,
    keys: SortedMap<String, Timestamp>,
    read_at: Option<Timestamp>,
    asked_at: Option<Timestamp>,
    written_at: Option<Timestamp>,
    urgent: bool,
    traffic: bool,
}

/// What others say of one upstream, together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    pub standing: Standing,
    /// The latest of them.
    pub at: Timestamp,
}

impl Fleet {
    pub(super) fn note(&mut self, news: News) {
        self.traffic = true;
        self.urgent |= news == News::Urgent;
    }

    pub(super) fn age(&self, now: Timestamp) -> Option<Millis> {
        self.read_at.map(|at| now.since(at))
    }

    pub(super) fn models(&self) -> impl Iterator<Item = &ModelId> {
        self.heard.keys()
    }

    pub(super) fn due(&mut self, now: Timestamp) -> Due {
        let old = |at: Option<Timestamp>, span: Millis| at.is_none_or(|at| now.since(at) >= span || now < at);
        let read = old(self.asked_at, READ_AFTER);
        let wait = if self.urgent { WRITE_AFTER } else { WRITE_BY };
        let write = self.traffic && old(self.written_at, wait);
        if read {
            self.asked_at = Some(now);
        }
        if write {
            (self.written_at, self.urgent, self.traffic) = (Some(now), false, false);
        }
        Due { read, write }
    }

    pub(super) fn deaf(&mut self) {
        self.urgent = true;
    }

    pub(super) fn hear<'r>(&mut self, snapshots: impl Iterator<Item = &'r str>, now: Timestamp) {
        self.heard.clear();
        self.keys.clear();
        for text in snapshots {
            let Ok(snapshot) = crate::json::parse::<Snapshot>(text) else { continue };
            // Nor is what comes from the future: its clock is not ours.
            if now.since(snapshot.at).max(snapshot.at.since(now)) > BELIEVED {
                continue;
            }
            self.keys.extend(snapshot.keys);
            for (name, standing) in snapshot.upstreams {
                let Some(model) = ModelId::parse(&name) else { continue };
                let heard = Heard { standing, at: snapshot.at };
                let all = self.heard.get(&model).map_or(heard, |known| Heard {
                    standing: sum(known.standing, standing),
                    at: known.at.max(snapshot.at),
                });
                self.heard.insert(model, all);
            }
        }
        self.read_at = Some(now);
    }

    pub(super) fn heard(&self, model: &ModelId, now: Timestamp) -> Option<Heard> {
        let key = self.keys.get(model.provider.as_str()).copied().filter(|until| now < *until);
        let heard = self.heard.get(model).copied().filter(|heard| now.since(heard.at) <= BELIEVED);
        let mut heard = match (heard, key) {
            (None, None) => return None,
            (heard, _) => heard.unwrap_or(Heard { standing: Standing::default(), at: now }),
        };
        // An instance that opened its circuit finds out itself when the time has come; until then it counts.
        let open = heard.standing.retry_at.filter(|at| heard.standing.circuit != Circuit::Closed && now < *at);
        heard.standing.circuit = if open.is_some() { Circuit::Open } else { Circuit::Closed };
        heard.standing.retry_at = open;
        heard.standing.cooling_until = heard.standing.cooling_until.filter(|until| now < *until).max(key);
        Some(heard)
    }
}

/// Two instances' figures of one upstream.
fn sum(a: Standing, b: Standing) -> Standing {
    let weigh = |x: Option<u64>, y: Option<u64>| match (x, y) {
        (Some(x), Some(y)) => {
            let calls = a.calls.saturating_add(b.calls).max(1);
            Some((x.saturating_mul(a.calls) + y.saturating_mul(b.calls)) / calls)
        }
        (x, y) => x.or(y),
    };
    let errors = weigh(Some(a.errors_permille.into()), Some(b.errors_permille.into()));
    let worse =
        if (a.circuit == Circuit::Closed, a.retry_at) <= (b.circuit == Circuit::Closed, b.retry_at) { a } else { b };
    Standing {
        circuit: worse.circuit,
        retry_at: a.retry_at.max(b.retry_at),
        cooling_until: a.cooling_until.max(b.cooling_until),
        calls: a.calls.saturating_add(b.calls),
        errors_permille: errors.and_then(|errors| u32::try_from(errors).ok()).unwrap_or(0),
        ttft_ms: weigh(a.ttft_ms, b.ttft_ms),
        tokens_per_s: weigh(a.tokens_per_s, b.tokens_per_s),
        in_flight: a.in_flight.saturating_add(b.in_flight),
        headroom_permille: match (a.headroom_permille, b.headroom_permille) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        },
    }
}

/// The own figures with what others say. An own answer that is younger than their news says that it is well.
pub(super) fn together(own: Standing, heard: Heard, answered_at: Option<Timestamp>) -> Standing {
    let refuted = answered_at.is_some_and(|at| at > heard.at);
    let theirs = match refuted {
        true => Standing { circuit: Circuit::Closed, retry_at: None, cooling_until: None, ..heard.standing },
        false => heard.standing,
    };
    let (circuit, retry_at) = match (own.circuit, theirs.circuit) {
        (Circuit::Closed, Circuit::Open) => (Circuit::Open, theirs.retry_at),
        (own_circuit, _) => (own_circuit, own.retry_at),
    };
    // What was seen here is what callers here will see: the path to an upstream differs from place to place.
    Standing { circuit, retry_at, ttft_ms: own.ttft_ms.or(theirs.ttft_ms), ..sum(own, theirs) }
}

pub(super) fn snapshot(
    upstreams: &SortedMap<ModelId, Upstream>,
    keys: &SortedMap<ProviderId, Timestamp>,
    now: Timestamp,
) -> String {
    let mut all: Vec<(String, Standing)> =
        upstreams.iter().map(|(model, upstream)| (model.to_string(), upstream.standing(now))).collect();
    // Those that are not well matter most.
    sorted::sort_by_key(&mut all, |(_, standing)| (standing.resting(now).is_none(), std::cmp::Reverse(standing.calls)));
    all.truncate(MOST);
    let keys = keys.iter().filter(|(_, until)| now < **until).map(|(key, until)| (key.to_string(), *until));
    let snapshot = Snapshot { at: now, upstreams: all.into_iter().collect(), keys: keys.collect() };
    // Plain data with string keys cannot fail to serialise.
    serde_json::to_string(&snapshot).unwrap_or_default()
}
