//! What to do when an attempt failed: try again, try the next model, or give up.
//!
//! A synchronous state machine over a plan. It holds two rules: the caller's own fault is never
//! retried anywhere, and nothing is tried past the request's deadline.

use crate::config::Retries;
use crate::proxy::Retry;
use crate::units::{Millis, Timestamp};

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Wait, then call the same step again.
    Again(Millis),
    /// Call the plan's next step at once.
    Step(usize),
    /// Answer with the failure.
    GiveUp,
}

/// Progress through a plan.
#[derive(Clone, Copy, Debug)]
pub struct Attempts {
    steps: usize,
    policy: Retries,
    deadline: Timestamp,
    step: usize,
    retries: u32,
}

impl Attempts {
    /// At the first step of a plan of `steps`, to be over by `deadline`.
    pub fn new(steps: usize, policy: Retries, deadline: Timestamp) -> Attempts {
        Attempts { steps, policy, deadline, step: 0, retries: 0 }
    }

    /// Decides after a failure. `retry_after` is what the provider asked for; `entropy` draws the
    /// jitter (full jitter: uniform between nothing and the ceiling).
    pub fn after(&mut self, retry: Retry, retry_after: Option<Millis>, now: Timestamp, entropy: u64) -> Next {
        let elsewhere = self.step + 1 < self.steps;
        match retry {
            Retry::Never => Next::GiveUp,
            Retry::Same if self.retries < self.policy.max => {
                let pause = self.pause(retry_after, entropy);
                // Another model now beats this one later.
                let worth_it = !elsewhere || retry_after.is_none_or(|wait| wait <= self.policy.base);
                if worth_it && pause <= self.patience() && now + pause < self.deadline {
                    self.retries += 1;
                    return Next::Again(pause);
                }
                self.next_step(elsewhere, now)
            }
            Retry::Same | Retry::Elsewhere => self.next_step(elsewhere, now),
        }
    }

    /// Decides where a step is passed over without a call.
    pub fn skip(&mut self, now: Timestamp) -> Next {
        self.next_step(self.step + 1 < self.steps, now)
    }

    /// Goes on at `step`, which must be further down.
    pub fn jump(&mut self, step: usize) {
        self.step = step.max(self.step);
        self.retries = 0;
    }

    fn next_step(&mut self, elsewhere: bool, now: Timestamp) -> Next {
        if !elsewhere || now >= self.deadline {
            return Next::GiveUp;
        }
        self.step += 1;
        self.retries = 0;
        Next::Step(self.step)
    }

    /// A provider that asks for more than this is not waited for: the caller's SDK can do that.
    fn patience(&self) -> Millis {
        self.policy.cap
    }

    fn pause(&self, retry_after: Option<Millis>, entropy: u64) -> Millis {
        let ceiling = self.policy.base.0.saturating_mul(1 << self.retries.min(20)).min(self.policy.cap.0);
        let jitter = entropy % (ceiling + 1);
        // `retry-after` is a floor: coming earlier is refused, all coming at once is a herd.
        Millis(retry_after.map_or(jitter, |wait| wait.0.saturating_add(jitter / 4)))
    }
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_000);

    const POLICY: Retries = Retries { max: 2, base: Millis(200), cap: Millis(5_000) };

    fn attempts(steps: usize) -> Attempts {
        Attempts::new(steps, POLICY, START + Millis(60_000))
    }

    #[test]
    fn the_callers_fault_is_never_retried() {
        assert_eq!(attempts(3).after(Retry::Never, None, START, 0), Next::GiveUp);
    }

    #[test]
    fn a_model_is_retried_then_the_next_is_asked_then_it_is_over() {
        let mut attempts = attempts(2);
        let mut seen = Vec::new();
        for _ in 0..6 {
            seen.push(match attempts.after(Retry::Same, None, START, 0) {
                Next::Again(_) => "again",
                Next::Step(1) => "step",
                Next::Step(_) => "?",
                Next::GiveUp => "give up",
            });
        }
        assert_eq!(seen, ["again", "again", "step", "again", "again", "give up"]);
    }

    #[test]
    fn jitter_is_full_and_its_ceiling_doubles_up_to_the_cap() {
        for (retries, ceiling) in [(0, 200), (1, 400), (2, 800), (5, 5_000), (60, 5_000)] {
            let mut attempts = attempts(1);
            attempts.policy.max = u32::MAX;
            attempts.retries = retries;
            assert_eq!(attempts.pause(None, ceiling), Millis(ceiling), "the ceiling itself is reachable");
            assert_eq!(attempts.pause(None, ceiling + 1), Millis(0), "and so is no pause at all");
        }
    }

    #[test]
    fn fault_40_retry_after_is_a_floor_and_a_long_one_means_elsewhere() {
        let Next::Again(pause) = attempts(1).after(Retry::Same, Some(Millis(1_500)), START, 77) else {
            panic!("one and a half seconds are worth waiting when there is nobody else")
        };
        assert!(pause >= Millis(1_500));
        assert_eq!(attempts(2).after(Retry::Same, Some(Millis(1_500)), START, 0), Next::Step(1));
        assert_eq!(attempts(1).after(Retry::Same, Some(Millis(3_600_000)), START, 0), Next::GiveUp);
    }

    #[test]
    fn nothing_is_tried_past_the_deadline() {
        let late = START + Millis(60_000);
        assert_eq!(attempts(2).after(Retry::Same, None, late, 0), Next::GiveUp);
        assert_eq!(attempts(2).after(Retry::Elsewhere, None, late, 0), Next::GiveUp);
        assert_eq!(attempts(1).after(Retry::Same, Some(Millis(2_000)), late - Millis(100), 0), Next::GiveUp);
    }
}
