//! The generic cell rate algorithm: a rate limit in one number.
//!
//! The number is the theoretical arrival time: when a caller who had always kept to the rate would
//! be due again. It lies in the future by as much as the caller has drawn ahead, and the limit is
//! how far ahead it may lie. Nothing has to run for the allowance to refill.
//! (ITU-T I.371 Annex A; the burst is the whole limit, as the providers' own limits are.)

use super::command::{RateLine, RateState};
use crate::units::{Millis, Timestamp};

/// A theoretical arrival time in microseconds since 1970; 0 for a caller never seen.
pub type Tat = u64;

/// What taking a line's cost comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// There is room; the number moves to this.
    Granted(Tat),
    /// There is none until this much later.
    Wait(Millis),
    /// The cost exceeds the whole limit: waiting does not help.
    Never,
}

/// An instant on the algorithm's scale.
pub fn micros(at: Timestamp) -> Tat {
    at.0.saturating_mul(1_000)
}

/// How long a line's whole limit takes to refill.
pub fn span(line: &RateLine) -> u64 {
    line.per.0.saturating_mul(1_000)
}

/// How far `cost` moves the number; rounded up, so that rounding never lets more through.
pub fn advance(line: &RateLine, cost: u64) -> u64 {
    let exact = (u128::from(cost) * u128::from(span(line))).div_ceil(u128::from(line.limit.max(1)));
    u64::try_from(exact).unwrap_or(u64::MAX)
}

/// Whether the line's cost can be taken now.
pub fn take(line: &RateLine, tat: Tat, now: Timestamp) -> Take {
    if line.cost > line.limit {
        return Take::Never;
    }
    let now = micros(now);
    let next = tat.max(now).saturating_add(advance(line, line.cost));
    match next.saturating_sub(now).saturating_sub(span(line)) {
        0 => Take::Granted(next),
        excess => Take::Wait(Millis(excess.div_ceil(1_000))),
    }
}

/// What a caller may know about the line: the `x-ratelimit-*` headers.
pub fn state(line: &RateLine, tat: Tat, now: Timestamp) -> RateState {
    let drawn = tat.saturating_sub(micros(now));
    let left = span(line).saturating_sub(drawn);
    let remaining = (u128::from(left) * u128::from(line.limit)).checked_div(u128::from(span(line))).unwrap_or(0);
    RateState {
        scope: line.scope.clone(),
        kind: line.kind,
        per: line.per,
        limit: line.limit,
        remaining: u64::try_from(remaining).unwrap_or(line.limit),
        reset_after: Millis(drawn.div_ceil(1_000)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use super::*;
    use crate::gateway::ledger::RateKind;
    use proptest::prelude::*;

    fn line(limit: u64, cost: u64) -> RateLine {
        RateLine { scope: "team:a".into(), kind: RateKind::Requests, per: Millis(60_000), limit, cost }
    }

    #[test]
    fn the_whole_limit_may_be_drawn_at_once_and_then_refills_evenly() {
        let line = line(3, 1);
        let (mut tat, start) = (0, Timestamp(1_000_000));
        for remaining in [2, 1, 0] {
            let Take::Granted(next) = take(&line, tat, start) else { panic!("limit reached early") };
            tat = next;
            assert_eq!(state(&line, tat, start).remaining, remaining);
        }
        assert_eq!(take(&line, tat, start), Take::Wait(Millis(20_000)));
        assert_eq!(take(&line, tat, start + Millis(19_999)), Take::Wait(Millis(1)));
        assert!(matches!(take(&line, tat, start + Millis(20_000)), Take::Granted(_)));
        assert_eq!(state(&line, tat, start).reset_after, Millis(60_000));
    }

    /// Fault 27.
    #[test]
    fn what_exceeds_the_whole_limit_never_passes() {
        assert_eq!(take(&line(50_000, 100_000), 0, Timestamp(0)), Take::Never);
        assert_eq!(take(&line(0, 1), 0, Timestamp(9)), Take::Never);
        assert!(matches!(take(&line(50_000, 50_000), 0, Timestamp(5)), Take::Granted(_)));
    }

    proptest! {
        #[test]
        fn no_span_ever_sees_more_than_twice_the_limit_and_the_stated_wait_suffices(
            limit in 1u64..50, steps in prop::collection::vec((0u64..20_000, 1u64..10), 1..200),
        ) {
            let (mut tat, mut now, mut passed) = (0, Timestamp(1_000_000_000), Vec::new());
            for (pause, cost) in steps {
                now = now + Millis(pause);
                let line = line(limit, cost);
                match take(&line, tat, now) {
                    Take::Granted(next) => { tat = next; passed.push((now, cost)); }
                    Take::Wait(wait) => {
                        prop_assert!(matches!(take(&line, tat, now + wait), Take::Granted(_)));
                        prop_assert!(matches!(take(&line, tat, Timestamp(now.0 + wait.0 - 1)), Take::Wait(_)));
                    }
                    Take::Never => prop_assert!(cost > limit),
                }
            }
            for (from, _) in &passed {
                let within = passed.iter().filter(|(at, _)| at >= from && at.since(*from) < Millis(60_000));
                prop_assert!(within.map(|(_, cost)| cost).sum::<u64>() <= 2 * limit);
            }
        }
    }
}
