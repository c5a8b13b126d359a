//! Work that one does for all, behind the callers' backs: whose turn it is.
//!
//! Whoever has the turn may be ended amid the work without a word: a Worker's request whose context is over is not woken again, a
//! function can be frozen for hours. So a turn that was not ended in time is anybody's.

use crate::units::{Millis, Timestamp};

/// Work that has not ended by now never will.
pub const LOST_AFTER: Millis = Millis(20_000);

/// Since when somebody has the turn.
#[derive(Clone, Copy, Debug, Default)]
pub struct Turn(Option<Timestamp>);

impl Turn {
    /// Takes it, unless somebody has it.
    pub fn take(&mut self, now: Timestamp) -> bool {
        let is_free = self.0.is_none_or(|since| now < since || now.since(since) > LOST_AFTER);
        if is_free {
            self.0 = Some(now);
        }
        is_free
    }

    /// The work is done.
    pub fn end(&mut self) {
        self.0 = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_the_turn_until_it_ends_or_is_lost() {
        let (mut turn, start) = (Turn::default(), Timestamp(1_000_000));
        assert!(turn.take(start) && !turn.take(start));
        assert!(!turn.take(start + LOST_AFTER), "it may still end");
        assert!(turn.take(start + LOST_AFTER + Millis(1)), "nobody comes back");
        turn.end();
        assert!(turn.take(start));
    }

    #[test]
    fn fault_89_a_clock_that_jumps_back_keeps_nobody_from_the_work() {
        let mut turn = Turn::default();
        assert!(turn.take(Timestamp(1_000_000)) && turn.take(Timestamp(999_999)));
    }
}
