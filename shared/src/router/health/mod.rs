//! What a process remembers of the upstreams it calls, and what it hears from others like it.
//!
//! An upstream is a model at a provider, in its region and with its key: one configuration has one of each. Decisions
//! see it as a [`View`], which is a copy; what became of calls comes back as an [`Outcome`]. A process reacts to its own
//! failures at once. What others saw arrives as their [`snapshot`](Health::snapshot)s, read and written by whoever has
//! a store, behind the callers' backs.
//!
//! Health belongs to a configuration: who changes it, perhaps because of an outage, begins with a clean slate.

mod breaker;
mod fleet;
mod retry;
mod sessions;
#[cfg(test)]
mod tests;
mod upstream;

pub use fleet::{Due, Report};

use super::view::{Standing, View, Waste};
use crate::config::{ModelId, ProviderId};
use crate::sorted::SortedMap;
use crate::units::{Millis, NanoUsd, Timestamp, Tokens};
use fleet::Fleet;
use sessions::Sessions;
use std::sync::{Mutex, MutexGuard, PoisonError};
use upstream::Upstream;

/// Upstreams remembered. Names come from callers, so this bounds what inventing them costs.
const CAPACITY: usize = 1_024;
/// Races' spending beyond this is halved, with what was lost of it: old losses fade.
const LONG_AGO: NanoUsd = NanoUsd(10_000_000_000);

/// What became of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Who was asked.
    pub model: ModelId,
    /// When it ended.
    pub at: Timestamp,
    /// How it went.
    pub met: Met,
    /// From sending to the first content of a stream.
    pub ttft: Option<Millis>,
    /// From sending to the end.
    pub took: Millis,
    /// How long the prompt was.
    pub tokens_in: Tokens,
    /// How long the answer was.
    pub tokens_out: Tokens,
    /// Whose session it was.
    pub session: Option<String>,
    /// What the provider's rate limit leaves, in thousandths, where it says.
    pub headroom_permille: Option<u32>,
    /// How long that is nothing.
    pub rest: Option<Millis>,
}

/// How a call went, as far as it speaks for the one who was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// It answered.
    Answered,
    /// It failed, and may want to be left alone for a while.
    Failed(Cause, Option<Millis>),
    /// Another one was faster: by then it had not answered.
    Outrun,
    /// It is not to blame: the request was at fault, or nobody waited for the end.
    Blameless,
}

/// Why an upstream failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Its rate limit.
    RateLimit,
    /// Its credit or its quota is spent: a matter of the key, not of the model.
    Quota,
    /// It has too much to do.
    Overload,
    /// It failed, could not be reached or answered nonsense.
    Outage,
    /// It took too long.
    Timeout,
    /// It refused the key.
    Credential,
    /// It does not know the model.
    Missing,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Cause; 7] = [
        Cause::RateLimit,
        Cause::Quota,
        Cause::Overload,
        Cause::Outage,
        Cause::Timeout,
        Cause::Credential,
        Cause::Missing,
    ];

    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Cause::RateLimit => "rate_limit",
            Cause::Quota => "quota",
            Cause::Overload => "overload",
            Cause::Outage => "outage",
            Cause::Timeout => "timeout",
            Cause::Credential => "credential",
            Cause::Missing => "missing",
        }
    }
}

/// The memory of one configuration's upstreams.
#[derive(Debug, Default)]
pub struct Health(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    upstreams: SortedMap<ModelId, Upstream>,
    /// Until when a provider's key is better not used.
    keys: SortedMap<ProviderId, Timestamp>,
    sessions: Sessions,
    races: SortedMap<String, Waste>,
    fleet: Fleet,
}

impl Memory {
    fn upstream(&mut self, model: &ModelId) -> &mut Upstream {
        if self.upstreams.len() >= CAPACITY && !self.upstreams.contains_key(model) {
            self.upstreams.retain(|_, upstream| upstream.is_busy());
        }
        self.upstreams.entry(model.clone()).or_default()
    }

    fn standing(&self, model: &ModelId, now: Timestamp) -> Option<Standing> {
        let own = self.upstreams.get(model).map(|upstream| upstream.standing(now));
        let heard = self.fleet.heard(model, now);
        let key = self.keys.get(&model.provider).copied().filter(|until| now < *until);
        let since = self.upstreams.get(model).and_then(Upstream::answered_at);
        let mut standing = match (own, heard) {
            (Some(own), Some(heard)) => fleet::together(own, heard, since),
            (Some(own), None) => own,
            (None, Some(heard)) => heard.standing,
            (None, None) => key.map(|_| Standing::default())?,
        };
        standing.cooling_until = standing.cooling_until.max(key);
        Some(standing)
    }
}

impl Health {
    /// Nothing panics while the lock is held, so a poisoned lock guards good data all the same.
    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a decision over these models should know.
    pub fn view(&self, models: &[ModelId], session: Option<&str>, route: Option<&str>, now: Timestamp) -> View {
        let memory = self.lock();
        let known = models.iter().filter_map(|model| Some((model.to_string(), memory.standing(model, now)?)));
        View {
            now,
            health_age_ms: memory.fleet.age(now),
            upstreams: known.collect(),
            afford: None,
            warm: session.and_then(|session| memory.sessions.get(session, now)),
            waste: route.and_then(|route| memory.races.get(route)).copied().unwrap_or_default(),
            ..View::default()
        }
    }

    /// Whether a call may be made now, which is then under way. `false`: somebody else is already finding out whether
    /// the upstream is well again. `only`: there is nobody else to ask.
    pub fn begin(&self, model: &ModelId, only: bool, now: Timestamp) -> bool {
        self.lock().upstream(model).begin(only, now)
    }

    /// Whether a failed call may be repeated. `only`: there is nobody else to ask.
    pub fn may_retry(&self, model: &ModelId, only: bool, now: Timestamp) -> bool {
        self.lock().upstream(model).may_retry(only, now)
    }

    /// Learns what became of a call that [`begin`](Health::begin) let through.
    pub fn observe(&self, outcome: &Outcome) {
        let mut memory = self.lock();
        let news = memory.upstream(&outcome.model).observe(outcome);
        if let Met::Failed(Cause::Quota, wish) = outcome.met {
            let until = outcome.at + wish.unwrap_or(Millis(60_000)).min(Millis(600_000));
            memory.keys.insert(outcome.model.provider.clone(), until);
        }
        if let (Met::Answered, Some(session)) = (outcome.met, &outcome.session) {
            let tokens = outcome.tokens_in.saturating_add(outcome.tokens_out);
            memory.sessions.put(session, &outcome.model, tokens, outcome.at);
        }
        memory.fleet.note(news);
    }

    /// A race of a route is over: what it cost in all, and what of it went to who lost.
    pub fn raced(&self, route: &str, spent: NanoUsd, lost: NanoUsd) {
        let mut memory = self.lock();
        let waste = memory.races.entry(route.to_owned()).or_default();
        (waste.spent, waste.lost) = (waste.spent + spent, waste.lost + lost);
        if waste.spent > LONG_AGO {
            (waste.spent, waste.lost) = (NanoUsd(waste.spent.0 / 2), NanoUsd(waste.lost.0 / 2));
        }
    }

    /// Every upstream as it stands, with what it failed at.
    pub fn report(&self, now: Timestamp) -> Vec<Report> {
        let memory = self.lock();
        let own = memory.upstreams.keys().chain(memory.fleet.models());
        let models: crate::sorted::SortedSet<&ModelId> = own.collect();
        let report = |model: &ModelId| {
            let causes = memory.upstreams.get(model).map(Upstream::causes).unwrap_or_default();
            Some(Report { model: model.clone(), standing: memory.standing(model, now)?, causes })
        };
        models.into_iter().filter_map(report).collect()
    }

    /// Whether others' snapshots should be read and the own one written now. Whoever is told so does it.
    pub fn due(&self, now: Timestamp) -> Due {
        self.lock().fleet.due(now)
    }

    /// What others should know, as JSON.
    pub fn snapshot(&self, now: Timestamp) -> String {
        let memory = self.lock();
        fleet::snapshot(&memory.upstreams, &memory.keys, now)
    }

    /// Takes over what others wrote; what cannot be read is passed over.
    pub fn hear<'r>(&self, snapshots: impl Iterator<Item = &'r str>, now: Timestamp) {
        self.lock().fleet.hear(snapshots, now);
    }

    /// The store did not answer: asked again when it is due.
    pub fn deaf(&self) {
        self.lock().fleet.deaf();
    }
}
