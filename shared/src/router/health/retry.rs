//! A retry budget: repeated calls are a part of all calls, so that an outage is not made worse by everybody trying again.

use crate::units::{Millis, Timestamp};

/// What every call adds, in thousandths of a retry: one in five.
const DEPOSIT: u64 = 200;
/// One retry.
const PRICE: u64 = 1_000;
/// What may always be spent, so that a quiet upstream has retries too: ten, one more each second.
const LEAST: u64 = 10 * PRICE;
const REFILL: Millis = Millis(1_000);
/// What may be saved up.
const MOST: u64 = 100 * PRICE;

/// What is left of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    left: u64,
    filled_at: Timestamp,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget { left: LEAST, filled_at: Timestamp(0) }
    }
}

impl Budget {
    /// A call was made.
    pub(super) fn called(&mut self) {
        self.left = (self.left + DEPOSIT).min(MOST);
    }

    /// Whether one more may be repeated, which is then spent.
    pub(super) fn spend(&mut self, now: Timestamp) -> bool {
        let refills = now.since(self.filled_at).0 / REFILL.0;
        if refills > 0 || now < self.filled_at {
            self.filled_at = now;
            if self.left < LEAST {
                self.left = (self.left + refills.saturating_mul(PRICE)).min(LEAST);
            }
        }
        let may = self.left >= PRICE;
        self.left -= if may { PRICE } else { 0 };
        may
    }
}
