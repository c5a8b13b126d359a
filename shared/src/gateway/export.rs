//! Telling a collector of every request, behind the callers' backs.
//!
//! Of all requests that end at the same time one sends, and takes along what came in meanwhile: under load many go
//! together. A collector that does not answer is tried again with a later request; what waits is bounded, and what is let
//! go is logged. Nothing is told here that the audit does not hold for good.

use super::audit::Record;
use super::otlp::{self, Told};
use crate::http::Header;
use crate::json::json;
use crate::ports::{Outgoing, Ports, is_success};
use crate::secret::Secret;
use crate::units::{Millis, Timestamp};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How long the collector may take.
const PATIENCE: Millis = Millis(5_000);
/// The longest answer that is read; nothing in it is of interest.
const MAX_BYTES: usize = 64 * 1024;
/// How many requests are told at a time, and how many may wait.
const AT_ONCE: usize = 128;
const MOST: usize = 2_048;

/// Who tells the collector, if there is one.
#[derive(Clone, Debug, Default)]
pub struct Exporter {
    place: Option<Arc<Place>>,
    queue: Arc<Mutex<Queue>>,
}

/// Where the collector is, and what it knows us by.
#[derive(Debug)]
pub struct Place {
    /// Without `/v1/traces`.
    pub url: String,
    /// Sent with every call.
    pub headers: Vec<(String, Secret)>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Told>,
    /// Until then somebody sends, or the collector is left alone.
    busy: Timestamp,
    let_go: u64,
}

impl Exporter {
    /// One that tells a collector.
    pub fn to(place: Place) -> Exporter {
        Exporter { place: Some(Arc::new(place)), queue: Arc::default() }
    }

    /// Tells of a request, once: what was told has no trace any more.
    pub(super) fn tell<P: Ports>(&self, ports: &P, record: &mut Record) {
        let Some(place) = self.place.as_ref().filter(|_| !record.trace.is_empty()) else { return };
        let told = Told::of(record);
        record.trace.clear();
        if lock(&self.queue).begin(told, ports.now()) {
            let (work, place, queue) = (ports.clone(), place.clone(), self.queue.clone());
            ports.spawn(async move { drain(&work, &place, &queue).await });
        }
    }
}

impl Queue {
    /// Takes one more; whether its sender is to send what waits.
    fn begin(&mut self, told: Told, now: Timestamp) -> bool {
        self.waiting.push_back(told);
        self.bound();
        let free = now >= self.busy;
        if free {
            self.busy = now + PATIENCE + PATIENCE;
        }
        free
    }

    /// What is sent next; nothing where nothing waits, and then nobody sends any more.
    fn next(&mut self, now: Timestamp) -> Vec<Told> {
        let next: Vec<Told> = self.waiting.drain(..self.waiting.len().min(AT_ONCE)).collect();
        self.busy = if next.is_empty() { Timestamp(0) } else { now + PATIENCE + PATIENCE };
        next
    }

    /// What could not be sent waits in its old place; the collector is left alone for a while.
    fn put_back(&mut self, told: Vec<Told>, now: Timestamp) -> u64 {
        told.into_iter().rev().for_each(|told| self.waiting.push_front(told));
        self.bound();
        self.busy = now + PATIENCE;
        std::mem::take(&mut self.let_go)
    }

    fn bound(&mut self) {
        let over = self.waiting.len().saturating_sub(MOST);
        self.waiting.drain(..over);
        self.let_go += over as u64;
    }
}

/// Sends what waits until nothing does, or the collector fails.
async fn drain<P: Ports>(ports: &P, place: &Place, queue: &Mutex<Queue>) {
    loop {
        let mut told = lock(queue).next(ports.now());
        if told.is_empty() {
            return;
        }
        let problem = match otlp::traces(&told) {
            Some(traces) => post(ports, place, "/v1/traces", traces).await,
            None => None,
        };
        let problem = match problem {
            Some(problem) => Some(problem),
            None => {
                told.iter_mut().for_each(|told| told.span = None);
                post(ports, place, "/v1/metrics", otlp::metrics(&told)).await
            }
        };
        if let Some(problem) = problem {
            let waiting = told.len();
            let let_go = lock(queue).put_back(told, ports.now());
            let line = json!({ "event": "export_failed", "problem": problem, "waiting": waiting, "let_go": let_go });
            return ports.log(&line.to_string());
        }
    }
}

/// Sends one message; why it must be sent again, if it must. What a collector refuses as such it would refuse again: that is
/// logged and let go.
async fn post<P: Ports>(ports: &P, place: &Place, path: &str, body: String) -> Option<String> {
    let own = place.headers.iter().map(|(name, value)| (Cow::Owned(name.clone()), value.expose().to_owned()));
    let headers: Vec<Header> =
        [("content-type".into(), "application/json".to_owned())].into_iter().chain(own).collect();
    let url = [&place.url, path].concat();
    let call = Outgoing { method: "POST", url, headers, body: body.into_bytes(), forward: false };
    match ports.exchange(call, PATIENCE, MAX_BYTES).await {
        Ok(answer) if is_success(answer.status) => None,
        Ok(answer) if matches!(answer.status, 408 | 429 | 500..) => Some(answer.status.to_string()),
        Ok(answer) => {
            ports.log(&json!({ "event": "export_refused", "path": path, "status": answer.status }).to_string());
            None
        }
        Err(_) => Some("no answer".to_owned()),
    }
}

/// Nothing panics while the lock is held, so a poisoned lock guards good data all the same.
fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sends_for_all_and_what_fails_waits_in_its_place_within_bounds() {
        let mut queue = Queue::default();
        let told = |id: &str| Told::of(&Record { request_id: id.into(), ..Record::default() });
        assert!(queue.begin(told("1"), Timestamp(1)));
        assert!(!queue.begin(told("2"), Timestamp(2)), "somebody sends");
        let sent = queue.next(Timestamp(3));
        assert_eq!(sent, [told("1"), told("2")]);
        queue.begin(told("3"), Timestamp(4));
        assert_eq!(queue.put_back(sent, Timestamp(5)), 0);
        assert!(!queue.begin(told("4"), Timestamp(6)), "the collector is left alone");
        assert_eq!(queue.next(Timestamp(20_000)), [told("1"), told("2"), told("3"), told("4")]);
        assert!(queue.next(Timestamp(20_001)).is_empty());
        assert!(queue.begin(told("5"), Timestamp(20_002)));
        for _ in 0..MOST {
            queue.begin(told("6"), Timestamp(20_003));
        }
        assert_eq!((queue.waiting.len(), queue.let_go), (MOST, 1));
    }
}
