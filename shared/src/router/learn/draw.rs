//! Draws from a beta distribution, from given entropy and in integers: the same everywhere, in a replay too.
//!
//! A beta variate is one gamma variate over the sum of two. A gamma variate is drawn by Wilson and Hilferty's
//! cube (1931): `k (1 − 1/9k + z/3√k)³` with a normal `z`, good to a hundredth from k = 1; below that,
//! `gamma(k + 1) · u^(1/k)` (Marsaglia and Tsang 2000, section 6).

use super::fixed::{ONE, log2};

/// A stream of numbers out of one (SplitMix64).
#[derive(Clone, Debug)]
pub struct Draws(u64);

impl Draws {
    /// From a request's entropy.
    pub fn from(entropy: u64) -> Draws {
        Draws(entropy)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Whether something of this chance, in parts of 65,536, comes to pass.
    pub fn chance(&mut self, share: i32) -> bool {
        ((self.bits() >> 48) as i32) < share
    }

    /// A normal variate in Q16: the sum of twelve uniform ones, less six (tails end at 6).
    fn normal(&mut self) -> i64 {
        let sum: u64 = (0..3)
            .map(|_| self.bits())
            .map(|bits| (0..4).map(|part| (bits >> (16 * part)) & 0xffff).sum::<u64>())
            .sum();
        sum as i64 - 6 * i64::from(ONE)
    }

    /// A gamma variate of this shape, both in Q16.
    fn gamma(&mut self, shape: i64) -> i64 {
        let one = i64::from(ONE);
        if shape < one {
            let boosted = self.gamma(shape + one);
            // u^(1/k) = 2^(log2(u) / k).
            let uniform = (self.bits() >> 48) + 1;
            let exponent = (i64::from(log2(uniform)) - 16 * one) * one / shape.max(one / 64);
            return ((i128::from(boosted) * i128::from(power_of_two(exponent))) >> 16) as i64;
        }
        let root = ((shape as u64) << 16).isqrt() as i64;
        let base = one - one * one / (9 * shape) + self.normal() * one / (3 * root.max(1));
        let base = base.max(0);
        let cube = (i128::from(base) * i128::from(base) * i128::from(base)) >> 32;
        ((cube * i128::from(shape)) >> 16) as i64
    }

    /// A beta variate of these two counts in Q16, in parts of 65,536.
    pub fn beta(&mut self, won: i64, lost: i64) -> i32 {
        let (won, lost) = (self.gamma(won.max(1)), self.gamma(lost.max(1)));
        (i128::from(won) * i128::from(ONE) / i128::from(won + lost).max(1)) as i32
    }
}

/// 2^x for x ≤ 0, in Q16: halves as shifts, the rest by a parabola that is right at both ends.
fn power_of_two(exponent: i64) -> i64 {
    let one = i64::from(ONE);
    let shift = (-exponent).div_euclid(one) + i64::from((-exponent).rem_euclid(one) > 0);
    let rest = exponent + shift * one;
    // 2^f ≈ 1 + f (0.6565 + 0.3435 f), within a quarter of a hundredth on [0, 1).
    let power = one + rest * (43_024 + 22_512 * rest / one) / one;
    if shift > 40 { 0 } else { power >> shift }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn beta_variates_have_the_mean_and_the_deviation_of_their_distribution() {
        let mut draws = Draws::from(1);
        for (won, lost) in [(0.5, 0.5), (0.5, 3.0), (1.0, 1.0), (2.0, 5.0), (30.0, 10.0), (400.0, 900.0)] {
            let fixed = |value: f64| (value * 65_536.0) as i64;
            let values: Vec<f64> =
                (0..20_000).map(|_| f64::from(draws.beta(fixed(won), fixed(lost))) / 65_536.0).collect();
            let mean = values.iter().sum::<f64>() / 20_000.0;
            let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 20_000.0;
            let all: f64 = won + lost;
            assert!((mean - won / all).abs() < 0.015, "{won} {lost}: mean {mean}");
            let deviation = (won * lost / (all * all * (all + 1.0))).sqrt();
            assert!(
                (variance.sqrt() / deviation - 1.0).abs() < 0.06,
                "{won} {lost}: {} for {deviation}",
                variance.sqrt()
            );
        }
    }

    #[test]
    fn the_same_entropy_draws_the_same_and_any_counts_can_be_drawn_from() {
        assert_eq!(Draws::from(5).beta(70_000, 90_000), Draws::from(5).beta(70_000, 90_000));
        for counts in [(0, 0), (-5, 1), (i64::from(ONE) << 30, 1), (1, i64::from(ONE) << 30)] {
            let share = Draws::from(9).beta(counts.0, counts.1);
            assert!((0..=ONE).contains(&share), "{counts:?}: {share}");
        }
    }
}
