//! Learning from a route's own traffic: for each arm (a model of the route) how likely its answer is to
//! do, by a prompt's counters and n-grams.
//!
//! The state is sums: how many outcomes, what they moved each coefficient by, and how much was learned
//! of it. What instances learn apart is added up, in any order, and gives the same state. A coefficient's
//! step is divided by the root of what is known of it, and the same figure tells how sure a forecast is.

use super::dense::DENSE;
use super::fixed::{ONE, logit, sigmoid, sqrt_q8};
use super::signals::PromptSignals;
use serde::{Deserialize, Serialize};

/// Buckets of n-grams a learner keeps: the scan's, folded. Hundreds of outcomes cannot fill more.
pub const FOLDED: usize = 512;
/// How many coefficients there are.
pub const WEIGHTS: usize = DENSE + FOLDED;
/// The length of the two halves of a prompt's features, in Q12.
const UNIT: i64 = 1 << 12;

/// What one arm has learned. Sums only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arm {
    /// Outcomes learned from.
    pub count: u32,
    /// Their worth together, in parts of 65,536.
    pub worth: u64,
    /// Coefficients, in Q16.
    pub weights: Vec<i32>,
    /// What is known of each coefficient: the sum of squared slopes, in Q16.
    pub known: Vec<u32>,
}

/// A prompt as a learner sees it. As text it is 1,208 letters, to be kept until its outcome is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Features {
    counters: [u8; DENSE],
    grams: [i8; FOLDED],
}

/// A forecast, in parts of 65,536.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// The likeliest chance.
    pub share: i32,
    /// Nine times in ten the chance is no less.
    pub low: i32,
    /// Nine times in ten the chance is no more.
    pub high: i32,
}

impl Features {
    /// Of a prompt's signals.
    pub fn of(signals: &PromptSignals) -> Features {
        let mut features = Features { counters: [0; DENSE], grams: [0; FOLDED] };
        for (counter, value) in features.counters.iter_mut().zip(&signals.dense.0) {
            *counter = u8::try_from(*value).unwrap_or(u8::MAX);
        }
        for bucket in signals.scan.grams().buckets() {
            if let Some(count) = features.grams.get_mut(bucket % FOLDED) {
                // Which part of the fold it comes from gives the sign, so that what collides cancels out.
                let sign = if (bucket / FOLDED).count_ones().is_multiple_of(2) { 1 } else { -1 };
                *count = count.saturating_add(sign);
            }
        }
        features
    }

    /// Whether two prompts say about the same: three quarters of their n-grams, of four at the least.
    pub fn resemble(&self, other: &Features) -> bool {
        let (mut both, mut either) = (0, 0);
        for (own, theirs) in self.grams.iter().zip(&other.grams) {
            either += u32::from(*own != 0 || *theirs != 0);
            both += u32::from(*own != 0 && *theirs != 0);
        }
        both >= 4 && both * 4 >= either * 3
    }

    /// As text.
    pub fn to_text(&self) -> String {
        let bytes = self.counters.iter().copied().chain(self.grams.iter().map(|count| count.cast_unsigned()));
        bytes.flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|half| char::from_digit(half.into(), 16)).collect()
    }

    /// Reads [`Features::to_text`]; `None` when it is something else.
    pub fn parse(text: &str) -> Option<Features> {
        let digits = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<Vec<u32>>>()?;
        if digits.len() != 2 * WEIGHTS {
            return None;
        }
        let bytes = digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, half| byte << 4 | half) as u8);
        let bytes: Vec<u8> = bytes.collect();
        let (counters, grams) = bytes.split_first_chunk::<DENSE>()?;
        let grams: Vec<i8> = grams.iter().map(|byte| byte.cast_signed()).collect();
        Some(Features { counters: *counters, grams: grams.try_into().ok()? })
    }

    /// Places and values in Q12; counters and n-grams are each one long.
    fn values(&self) -> impl Iterator<Item = (usize, i64)> + '_ {
        // Counters are centred on what an ordinary prompt shows, so that a step moves the difference.
        let centred = |value: &u8| i64::from(*value) - 24;
        let length = length(self.counters.iter().map(centred));
        let counters = self.counters.iter().map(move |value| centred(value) * UNIT * 256 / length);
        let long = self::length(self.grams.iter().map(|count| i64::from(*count)));
        let grams = self.grams.iter().map(move |count| i64::from(*count) * UNIT * 256 / long);
        counters.chain(grams).enumerate().filter(|(_, value)| *value != 0)
    }
}

/// The length of a vector in Q8, at least a 256th.
fn length(values: impl Iterator<Item = i64>) -> i64 {
    let square: i64 = values.map(|value| value * value).sum();
    sqrt_q8(u32::try_from(square).unwrap_or(u32::MAX)).max(1)
}

/// A step's size, in Q16.
const STEP: i64 = 3 * (ONE as i64) / 10;
/// What is taken to be known of a coefficient before anything is, in Q16: it keeps first steps short.
const GROUND: i64 = ONE as i64;

/// How short coefficients are, by experience, as what is known of one from the start: the inverse of their
/// variance, in Q16.
const SHORT: i64 = 8 * ONE as i64;

impl Default for Arm {
    fn default() -> Arm {
        Arm { count: 0, worth: 0, weights: vec![0; WEIGHTS], known: vec![0; WEIGHTS] }
    }
}

impl Arm {
    /// Lets what was seen count half: what it amounts to stays, and is moved more easily.
    pub fn fade(&mut self) {
        (self.count, self.worth) = (self.count / 2, self.worth / 2);
        self.known.iter_mut().for_each(|known| *known /= 2);
    }

    /// Whether it was made for the features of this version.
    pub fn is_sound(&self) -> bool {
        self.weights.len() == WEIGHTS && self.known.len() == WEIGHTS
    }

    /// The chance that this arm's answer does. `base` is the score, in Q16, that is expected of a prompt
    /// like this one before anything is learned.
    pub fn forecast(&self, features: &Features, base: i32) -> Forecast {
        let (mut sum, mut unsure) = (0_i64, 0_i64);
        for (at, value) in features.values() {
            sum += self.weights.get(at).map_or(0, |weight| i64::from(*weight) * value);
            let known = self.known.get(at).map_or(0, |known| i64::from(*known));
            unsure += value * value * i64::from(ONE) / (SHORT + known);
        }
        let score = i64::from(base) + self.mean_score() + sum / UNIT;
        let score = score.clamp(i64::from(-12 * ONE), i64::from(12 * ONE)) as i32;
        // The mean itself is known to about 4 / n; 1.64 deviations are nine tenths to either side.
        let variance = unsure / 256 + i64::from(4 * ONE) / i64::from(self.count.max(1));
        let spread = ((variance.max(0) as u64).isqrt() as i64 * 420).min(i64::from(12 * ONE)) as i32;
        Forecast { share: sigmoid(score), low: sigmoid(score - spread), high: sigmoid(score + spread) }
    }

    /// What is to be learned from what an answer was worth, 0 to 65,536: steps against what was forecast, to
    /// be [added](Arm::add) here and wherever else this arm is remembered.
    pub fn lesson(&self, features: &Features, base: i32, worth: i32) -> Arm {
        let worth = worth.clamp(0, ONE);
        let missed = i64::from(worth - self.forecast(features, base).share);
        let mut lesson = Arm { count: 1, worth: worth.unsigned_abs().into(), ..Arm::default() };
        for (at, value) in features.values() {
            let slope = missed * value / UNIT;
            let square = ((slope * slope) >> 16) as u32;
            let known = self.known.get(at).copied().unwrap_or(0).saturating_add(square);
            let root = sqrt_q8((GROUND as u32).saturating_add(known));
            if let (Some(weight), Some(known)) = (lesson.weights.get_mut(at), lesson.known.get_mut(at)) {
                (*weight, *known) = ((STEP * slope / root.max(1)) as i32, square);
            }
        }
        lesson
    }

    /// Adds what was learned, here or by another instance: the order of such sums does not matter.
    pub fn add(&mut self, other: &Arm) {
        self.count = self.count.saturating_add(other.count);
        self.worth = self.worth.saturating_add(other.worth);
        self.weights.iter_mut().zip(&other.weights).for_each(|(own, new)| *own = own.saturating_add(*new));
        self.known.iter_mut().zip(&other.known).for_each(|(own, new)| *own = own.saturating_add(*new));
    }

    /// The log-odds of the mean outcome, with a success and a failure taken as given, in Q16.
    fn mean_score(&self) -> i64 {
        let won = self.worth + u64::from(ONE as u32);
        let all = (u64::from(self.count) + 2) * u64::from(ONE as u32);
        i64::from(logit(won, all.saturating_sub(won)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::router::learn::sample::Sample;
    use crate::router::learn::signals::PromptReader;

    fn features(text: &str) -> Features {
        Features::of(&PromptReader::built_in().unwrap().read(Sample::of(text)))
    }

    /// Proofs fail, poems do.
    fn taught(rounds: u32) -> Arm {
        let mut arm = Arm::default();
        for round in 0..rounds {
            let proof = features(&format!("Prove that {round} is the sum of two primes."));
            let poem = features(&format!("Write a poem about the colour {round}."));
            for (features, worth) in [(proof, 0), (poem, ONE)] {
                let lesson = arm.lesson(&features, 0, worth);
                arm.add(&lesson);
            }
        }
        arm
    }

    #[test]
    fn a_prompt_is_about_as_long_as_any_other() {
        for text in ["", "Hi", "Prove it.", &"def f(x): return x ".repeat(300)] {
            let square: i64 = features(text).values().map(|(_, value)| value.pow(2)).sum();
            assert!(square <= 2 * UNIT * UNIT && square > UNIT * UNIT / 2, "{text}: {square}");
        }
    }

    #[test]
    fn a_prompts_features_are_read_back_as_they_were_written() {
        let features = features("Prove that 97 is the sum of two primes.");
        let text = features.to_text();
        assert_eq!((text.len(), Features::parse(&text)), (1_208, Some(features)));
        let short: String = text.chars().skip(2).collect();
        for bad in ["", "zz", short.as_str(), &format!("{text}0"), &format!("{text}00")] {
            assert_eq!(Features::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_failed_is_told_from_what_did_and_the_longer_the_surer() {
        let (proof, poem) =
            (features("Prove that 97 is the sum of two primes."), features("Write a poem about the colour 9."));
        let mut width = ONE;
        for rounds in [2, 10, 50, 200] {
            let arm = taught(rounds);
            let (bad, good) = (arm.forecast(&proof, 0), arm.forecast(&poem, 0));
            assert!(bad.share < good.share, "after {rounds}");
            assert!(bad.low <= bad.share && bad.share <= bad.high);
            assert!(good.high - good.low < width, "after {rounds}");
            width = good.high - good.low;
        }
        assert!(taught(200).forecast(&proof, 0).share < ONE / 4);
        assert!(taught(200).forecast(&poem, 0).share > ONE * 3 / 4);
    }

    #[test]
    fn a_learner_that_knows_nothing_says_so() {
        let forecast = Arm::default().forecast(&features("Anything"), 0);
        assert_eq!(forecast.share, ONE / 2);
        assert!(forecast.low < ONE / 10 && forecast.high > ONE * 9 / 10);
    }

    #[test]
    fn what_instances_learned_apart_adds_up_to_the_same_in_any_order() {
        let (a, b, c) = (taught(3), taught(7), taught(11));
        let sum = |arms: [&Arm; 3]| {
            let mut sum = Arm::default();
            arms.into_iter().for_each(|arm| sum.add(arm));
            sum
        };
        assert_eq!(sum([&a, &b, &c]), sum([&c, &a, &b]));
        assert_eq!(sum([&a, &b, &c]).count, 42);
    }
}
