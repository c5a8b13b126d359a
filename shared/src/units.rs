//! Newtypes for everything that has a unit, so that a price is never added to a duration.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// Money in billionths of a US dollar. Never negative; arithmetic saturates.
///
/// 2^63 nano-dollars are nine billion dollars, so an `i64` store holds every sum we make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NanoUsd(pub u64);

impl NanoUsd {
    /// Nothing.
    pub const ZERO: NanoUsd = NanoUsd(0);
    /// The largest sum any store holds (`i64::MAX`).
    pub const MAX: NanoUsd = NanoUsd(i64::MAX as u64);

    /// From dollars as people write them in a configuration; `None` for NaN, negative or too large.
    pub fn from_usd(usd: f64) -> Option<NanoUsd> {
        let nano = usd * 1e9;
        (nano.is_finite() && nano >= 0.0 && nano <= NanoUsd::MAX.0 as f64).then(|| NanoUsd(nano.round() as u64))
    }

    /// Whether it is nothing.
    pub fn is_zero(&self) -> bool {
        *self == NanoUsd::ZERO
    }

    /// `self - other`, not below zero.
    pub fn saturating_sub(self, other: NanoUsd) -> NanoUsd {
        NanoUsd(self.0.saturating_sub(other.0))
    }
}

impl Add for NanoUsd {
    type Output = NanoUsd;
    fn add(self, other: NanoUsd) -> NanoUsd {
        NanoUsd(self.0.saturating_add(other.0).min(NanoUsd::MAX.0))
    }
}

impl AddAssign for NanoUsd {
    fn add_assign(&mut self, other: NanoUsd) {
        *self = *self + other;
    }
}

/// Dollars in decimal without rounding: `0.000412`.
impl fmt::Display for NanoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        if fraction == 0 {
            return write!(f, "{whole}");
        }
        let digits = format!("{fraction:09}");
        write!(f, "{whole}.{}", digits.trim_end_matches('0'))
    }
}

/// A count of model tokens.
pub type Tokens = u64;

/// A span of time in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub u64);

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The time from `earlier` to `self`; zero when the clock went backwards.
    pub fn since(self, earlier: Timestamp) -> Millis {
        Millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Millis> for Timestamp {
    type Output = Timestamp;
    fn add(self, span: Millis) -> Timestamp {
        Timestamp(self.0.saturating_add(span.0))
    }
}

impl Sub<Millis> for Timestamp {
    type Output = Timestamp;
    fn sub(self, span: Millis) -> Timestamp {
        Timestamp(self.0.saturating_sub(span.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_printed_in_dollars_without_rounding() {
        assert_eq!(NanoUsd(412_000).to_string(), "0.000412");
        assert_eq!(NanoUsd(1).to_string(), "0.000000001");
        assert_eq!(NanoUsd(2_500_000_000).to_string(), "2.5");
        assert_eq!(NanoUsd(3_000_000_000).to_string(), "3");
    }

    #[test]
    fn money_is_never_made_from_nonsense() {
        for usd in [f64::NAN, -0.01, f64::INFINITY, 1e300] {
            assert_eq!(NanoUsd::from_usd(usd), None);
        }
        assert_eq!(NanoUsd::from_usd(0.1), Some(NanoUsd(100_000_000)));
    }
}
