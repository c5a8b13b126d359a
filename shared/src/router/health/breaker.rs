//! A circuit breaker: an upstream that fails is left alone, longer each time, and exactly one call finds out whether it
//! is well again.

use crate::router::view::Circuit;
use crate::units::{Millis, Timestamp};

/// Failures in a row that open the circuit.
const IN_A_ROW: u32 = 5;
/// Calls in a window, and how many of a thousand must fail, to open it.
const WINDOW: Millis = Millis(10_000);
const WINDOW_CALLS: u32 = 10;
const WINDOW_PERMILLE: u32 = 500;
/// How long it stays open: doubled each time the upstream is found still failing.
const FIRST: Millis = Millis(3_000);
const LONGEST: Millis = Millis(60_000);
/// A probe that has not come back by then is forgotten.
const PROBE: Millis = Millis(60_000);

/// One circuit.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Breaker {
    state: State,
    in_a_row: u32,
    /// Times it opened without closing in between.
    trips: u32,
    window: Window,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Closed,
    Open {
        until: Timestamp,
    },
    Probing {
        since: Timestamp,
    },
}

/// Calls since `since`.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    since: Timestamp,
    calls: u32,
    failed: u32,
}

impl Breaker {
    /// The state at `now`, and when an open one is tried again.
    pub(super) fn state(&self, now: Timestamp) -> (Circuit, Option<Timestamp>) {
        match self.state {
            State::Closed => (Circuit::Closed, None),
            // Further ahead than any circuit is open lies what a clock said that has jumped back since.
            State::Open { until } if now < until && until.since(now) <= LONGEST => (Circuit::Open, Some(until)),
            State::Open { until } => (Circuit::HalfOpen, Some(until)),
            State::Probing { since } if since <= now && now.since(since) < PROBE => {
                (Circuit::Probing, Some(since + PROBE))
            }
            State::Probing { since } => (Circuit::HalfOpen, Some(since + PROBE)),
        }
    }

    /// Whether a call may be made. Of all who ask a half-open circuit, one may.
    pub(super) fn admit(&mut self, now: Timestamp) -> bool {
        match self.state(now).0 {
            Circuit::Closed => true,
            Circuit::HalfOpen => {
                self.state = State::Probing { since: now };
                true
            }
            Circuit::Open | Circuit::Probing => false,
        }
    }

    /// A call went well. `true`: the circuit closed by it.
    pub(super) fn good(&mut self, now: Timestamp) -> bool {
        self.in_a_row = 0;
        self.count(now, false);
        match self.state {
            State::Closed => false,
            State::Open { .. } | State::Probing { .. } => {
                *self = Breaker::default();
                true
            }
        }
    }

    /// A call failed. `true`: the circuit opened by it.
    pub(super) fn bad(&mut self, now: Timestamp) -> bool {
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.count(now, true);
        let Window { calls, failed, .. } = self.window;
        let often = calls >= WINDOW_CALLS && failed.saturating_mul(1_000) >= calls.saturating_mul(WINDOW_PERMILLE);
        let opens = match self.state {
            State::Closed => self.in_a_row >= IN_A_ROW || often,
            State::Probing { .. } => true,
            // Late news of a call from before it opened.
            State::Open { until } => now >= until,
        };
        if opens {
            let span = FIRST.0.saturating_mul(1 << self.trips.min(10)).min(LONGEST.0);
            self.trips = self.trips.saturating_add(1);
            self.state = State::Open { until: now + Millis(span) };
            self.window = Window { since: now, ..Window::default() };
        }
        opens
    }

    /// A call ended that says nothing: a probe was none.
    pub(super) fn unknown(&mut self, now: Timestamp) {
        if let State::Probing { .. } = self.state {
            self.state = State::Open { until: now };
        }
    }

    fn count(&mut self, now: Timestamp, failed: bool) {
        // A clock that jumped back begins a window anew, too.
        if now.since(self.window.since) > WINDOW || now < self.window.since {
            self.window = Window { since: now, ..Window::default() };
        }
        self.window.calls = self.window.calls.saturating_add(1);
        self.window.failed = self.window.failed.saturating_add(u32::from(failed));
    }
}
