//! One upstream as its calls show it.

use super::breaker::Breaker;
use super::retry::Budget;
use super::{Cause, Met, Outcome};
use crate::router::facts::as_if_short;
use crate::router::view::{Circuit, Standing};
use crate::units::{Millis, Timestamp};

/// How much the latest call weighs in the error rate.
const ERROR_WEIGHT: f64 = 1.0 / 16.0;
/// The error rate, over so many calls at the least, at which a failure is no accident.
const FAILS_OFTEN: f64 = 0.15;
const ENOUGH_CALLS: u64 = 8;
/// How fast an old time to first token is forgotten while there are new ones.
const MEMORY: f64 = 10_000.0;
/// How fast one is forgotten while nobody asks: who was slow must be asked again some day.
const FADING: u64 = 60_000;
/// A rate limit's room is news for this long.
const ROOM_IS_NEWS: Millis = Millis(60_000);
/// A limit that does not say how long is taken to last this long, doubled each time in a row.
const SHORT_REST: Millis = Millis(1_000);
/// The longest rest that is believed.
const LONG_REST: Millis = Millis(600_000);

/// What is remembered of one upstream.
#[derive(Clone, Debug, Default)]
pub(super) struct Upstream {
    breaker: Breaker,
    retries: Budget,
    calls: u64,
    error_rate: f64,
    causes: [u64; Cause::ALL.len()],
    limits_in_a_row: u32,
    cooling_until: Option<Timestamp>,
    ttft: Option<(f64, Timestamp)>,
    tokens_per_s: Option<f64>,
    in_flight: u32,
    headroom: Option<(u32, Timestamp)>,
    answered_at: Option<Timestamp>,
}

/// Whether others should hear of a call soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum News {
    /// It was as usual.
    None,
    /// A circuit changed, or somebody asked for rest.
    Urgent,
}

impl Upstream {
    pub(super) fn is_busy(&self) -> bool {
        self.in_flight > 0
    }

    pub(super) fn answered_at(&self) -> Option<Timestamp> {
        self.answered_at
    }

    pub(super) fn begin(&mut self, only: bool, now: Timestamp) -> bool {
        let may = self.breaker.admit(now) || only;
        if may {
            self.in_flight = self.in_flight.saturating_add(1);
            self.retries.called();
        }
        may
    }

    pub(super) fn may_retry(&mut self, only: bool, now: Timestamp) -> bool {
        // Where calls fail often, a failure is no accident: waiting to see it again costs the caller more than asking the
        // next one does.
        let fails_often = self.calls >= ENOUGH_CALLS && self.error_rate > FAILS_OFTEN;
        (only || !fails_often) && self.retries.spend(now)
    }

    pub(super) fn observe(&mut self, outcome: &Outcome) -> News {
        let news = self.learn(outcome);
        let Some(rest) = outcome.rest else { return news };
        // It answered, and would refuse the next one.
        self.cooling_until = self.cooling_until.max(Some(outcome.at + rest.min(LONG_REST)));
        News::Urgent
    }

    fn learn(&mut self, outcome: &Outcome) -> News {
        self.in_flight = self.in_flight.saturating_sub(1);
        let now = outcome.at;
        if let Some(room) = outcome.headroom_permille {
            self.headroom = Some((room, now));
        }
        match outcome.met {
            Met::Blameless => {
                self.breaker.unknown(now);
                News::None
            }
            Met::Outrun => {
                self.breaker.unknown(now);
                // It takes at least as long as that; of one that is not known nothing is learned.
                let waited = as_if_short(outcome.took.0, outcome.tokens_in) as f64;
                if self.ttft.is_some_and(|(known, _)| waited > known) {
                    self.measure(outcome.took.0, outcome, now);
                }
                News::None
            }
            Met::Answered => {
                self.count(false);
                self.limits_in_a_row = 0;
                self.cooling_until = None;
                self.answered_at = Some(now);
                // An answer in one piece hides its first token: a guess, at a usual speed.
                let guess =
                    outcome.took.0.saturating_sub(outcome.tokens_out.saturating_mul(10)).max(outcome.took.0 / 4);
                self.measure(outcome.ttft.map_or(guess, |ttft| ttft.0), outcome, now);
                if let Some(ttft) = outcome.ttft {
                    let spoke = outcome.took.0.saturating_sub(ttft.0);
                    if spoke > 0 && outcome.tokens_out > 1 {
                        let speed = outcome.tokens_out as f64 * 1_000.0 / spoke as f64;
                        self.tokens_per_s = Some(self.tokens_per_s.map_or(speed, |old| old + (speed - old) / 8.0));
                    }
                }
                if self.breaker.good(now) { News::Urgent } else { News::None }
            }
            Met::Failed(cause, wish) => {
                self.count(true);
                if let Some(count) =
                    Cause::ALL.iter().position(|one| *one == cause).and_then(|at| self.causes.get_mut(at))
                {
                    *count = count.saturating_add(1);
                }
                self.failed(cause, wish, outcome, now)
            }
        }
    }

    fn failed(&mut self, cause: Cause, wish: Option<Millis>, outcome: &Outcome, now: Timestamp) -> News {
        let rest = match (cause, wish) {
            (_, Some(wish)) => Some(wish),
            (Cause::RateLimit | Cause::Quota, None) => {
                self.limits_in_a_row = self.limits_in_a_row.saturating_add(1);
                Some(Millis(SHORT_REST.0 << self.limits_in_a_row.saturating_sub(1).min(5)))
            }
            (Cause::Overload | Cause::Outage | Cause::Timeout | Cause::Credential | Cause::Missing, None) => None,
        };
        if let Some(rest) = rest {
            let until = now + rest.min(LONG_REST);
            self.cooling_until = self.cooling_until.max(Some(until));
        }
        let opened = match cause {
            // It is well, only not for us now: the rest is enough.
            Cause::RateLimit | Cause::Quota => {
                self.breaker.unknown(now);
                false
            }
            Cause::Timeout => {
                // Nobody knows how long it would have taken: at least this long.
                self.measure(outcome.took.0, outcome, now);
                self.breaker.bad(now)
            }
            Cause::Overload | Cause::Outage | Cause::Credential | Cause::Missing => self.breaker.bad(now),
        };
        if opened || rest.is_some() { News::Urgent } else { News::None }
    }

    fn count(&mut self, failed: bool) {
        self.calls = self.calls.saturating_add(1);
        let weight = (1.0 / self.calls as f64).max(ERROR_WEIGHT);
        self.error_rate += (if failed { 1.0 } else { 0.0 } - self.error_rate) * weight;
    }

    /// A peak is believed at once, an improvement bit by bit.
    fn measure(&mut self, ms: u64, outcome: &Outcome, now: Timestamp) {
        let short = as_if_short(ms, outcome.tokens_in) as f64;
        let value = match self.ttft {
            Some((old, at)) if short < old => {
                let span = now.since(at).0 as f64;
                old + (short - old) * (span / (span + MEMORY)).max(0.05)
            }
            Some(_) | None => short,
        };
        self.ttft = Some((value, now));
    }

    pub(super) fn standing(&self, now: Timestamp) -> Standing {
        let (circuit, retry_at) = self.breaker.state(now);
        let fading = |(value, at): (f64, Timestamp)| {
            let idle = now.since(at).0;
            value as u64 * FADING / (FADING + idle)
        };
        Standing {
            circuit,
            retry_at: retry_at.filter(|_| circuit != Circuit::Closed),
            // No rest is longer: what is, was said by a clock that has jumped back since.
            cooling_until: self.cooling_until.filter(|until| now < *until && until.since(now) <= LONG_REST),
            calls: self.calls,
            errors_permille: (self.error_rate * 1_000.0) as u32,
            ttft_ms: self.ttft.map(fading),
            tokens_per_s: self.tokens_per_s.map(|speed| speed as u64),
            in_flight: self.in_flight,
            headroom_permille: self.headroom.filter(|(_, at)| now.since(*at) < ROOM_IS_NEWS).map(|(room, _)| room),
        }
    }

    /// How often it failed at what.
    pub(super) fn causes(&self) -> Vec<(Cause, u64)> {
        Cause::ALL.into_iter().zip(self.causes).filter(|(_, count)| *count > 0).collect()
    }
}
