//! A linear model of how much a stronger model would gain on a prompt: coefficients over the
//! counters and, perhaps, the hashed n-grams (int8), with the hand-written prior as one term more.
//!
//! Coefficients are data (`tools/router` makes them, its README is their card). A calibration table turns
//! the score into the chance that the cheaper model's answer will do.

use super::dense::{DENSE, Dense};
use super::fixed::{ONE, sqrt_q8};
use super::scan::{BUCKETS, Grams};
use std::fmt;

/// What a file of coefficients begins with: the name and the layout's version.
pub const MAGIC: &[u8; 8] = b"SBRM0001";

/// The coefficients that come with the product.
static BUILT_IN: &[u8] = include_bytes!("learned.sbrm");

/// Coefficients, as they are in their file (little endian):
///
/// `MAGIC`, `u16` version, `u16` counters, `u16` buckets, `u16` steps of the calibration, `i32` bias,
/// `i32` of the prior's thousandths, `i32` unit of the n-grams, then `i16` a counter, `i8` a bucket, and
/// a step's `i32` score and `u16` share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// Which training made it.
    pub version: u16,
    /// Score of an empty prompt.
    pub bias: i32,
    /// Score a thousandth of complexity adds.
    pub prior: i32,
    /// Score one unit of an n-gram's coefficient adds, before it is divided by the root of their number.
    pub unit: i32,
    /// Score a counter's value adds.
    pub dense: Vec<i16>,
    /// An n-gram's coefficient, in units; none at all where n-grams say nothing.
    pub grams: Vec<i8>,
    /// Ascending scores, and the share of prompts at each for which the cheaper model did.
    pub calibration: Vec<(i32, u16)>,
}

/// Why bytes are no coefficients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadModel {
    /// They do not begin with [`MAGIC`].
    NotOne,
    /// They were made for other counters or buckets than this version counts.
    OtherFeatures,
    /// They end too early, go on too long, or their calibration does not ascend.
    Broken,
}

impl fmt::Display for BadModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadModel::NotOne => "this is no file of router coefficients",
            BadModel::OtherFeatures => "these coefficients were made for another version's features",
            BadModel::Broken => "these coefficients are cut short or damaged",
        })
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], BadModel> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(BadModel::Broken)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn short(&mut self) -> Result<u16, BadModel> {
        self.take().map(u16::from_le_bytes)
    }

    fn int(&mut self) -> Result<i32, BadModel> {
        self.take().map(i32::from_le_bytes)
    }
}

impl Model {
    /// The one that comes with the product.
    pub fn built_in() -> Result<Model, BadModel> {
        Model::parse(BUILT_IN)
    }

    /// Reads a file of coefficients.
    pub fn parse(bytes: &[u8]) -> Result<Model, BadModel> {
        let mut reader = Reader(bytes.strip_prefix(MAGIC).ok_or(BadModel::NotOne)?);
        let version = reader.short()?;
        let (counters, buckets, steps) = (reader.short()?, reader.short()?, reader.short()?);
        if usize::from(counters) != DENSE || ![0, BUCKETS].contains(&usize::from(buckets)) {
            return Err(BadModel::OtherFeatures);
        }
        let (bias, prior, unit) = (reader.int()?, reader.int()?, reader.int()?);
        let dense = (0..counters).map(|_| reader.take().map(i16::from_le_bytes)).collect::<Result<_, _>>()?;
        let grams = (0..buckets).map(|_| reader.take().map(i8::from_le_bytes)).collect::<Result<_, _>>()?;
        let calibration =
            (0..steps).map(|_| Ok((reader.int()?, reader.short()?))).collect::<Result<Vec<(i32, u16)>, _>>()?;
        let ascends = calibration.is_sorted_by(|a, b| a.0 < b.0);
        if !reader.0.is_empty() || calibration.is_empty() || !ascends {
            return Err(BadModel::Broken);
        }
        Ok(Model { version, bias, prior, unit, dense, grams, calibration })
    }

    /// The bytes [`Model::parse`] reads.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        let sizes =
            [DENSE, self.grams.len(), self.calibration.len()].map(|size| u16::try_from(size).unwrap_or(u16::MAX));
        let shorts = [self.version].into_iter().chain(sizes);
        bytes.extend(shorts.flat_map(u16::to_le_bytes));
        bytes.extend([self.bias, self.prior, self.unit].into_iter().flat_map(i32::to_le_bytes));
        bytes.extend(self.dense.iter().flat_map(|value| value.to_le_bytes()));
        bytes.extend(self.grams.iter().flat_map(|value| value.to_le_bytes()));
        for (score, share) in &self.calibration {
            bytes.extend(score.to_le_bytes());
            bytes.extend(share.to_le_bytes());
        }
        bytes
    }

    /// How much a stronger model would gain: only the order of scores means something.
    pub fn score(&self, complexity: u32, dense: &Dense, grams: &Grams) -> i32 {
        let counters = self.dense.iter().zip(&dense.0).map(|(weight, value)| i64::from(*weight) * i64::from(*value));
        let (mut sum, mut count) = (0_i64, 0_u32);
        for bucket in grams.buckets().take_while(|_| !self.grams.is_empty()) {
            sum += self.grams.get(bucket).map_or(0, |weight| i64::from(*weight));
            count += 1;
        }
        let grams = sum * i64::from(self.unit) * 256 / sqrt_q8(count.max(1));
        let prior = i64::from(self.prior) * i64::from(complexity);
        let score = i64::from(self.bias) + prior + counters.sum::<i64>() + grams;
        score.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
    }

    /// The chance that the cheaper model's answer will do, in parts of 65,536.
    pub fn will_do(&self, score: i32) -> i32 {
        let after = self.calibration.iter().position(|step| step.0 >= score);
        let step = |at: usize| self.calibration.get(at).map(|(score, share)| (i64::from(*score), i64::from(*share)));
        let edge = after.unwrap_or(self.calibration.len().saturating_sub(1));
        let Some((above, high)) = step(edge) else { return ONE / 2 };
        let before = edge.checked_sub(1).and_then(step);
        match (after, before) {
            (Some(_), Some((below, low))) => {
                let within = (i64::from(score) - below) * (high - low) / (above - below).max(1);
                (low + within) as i32
            }
            (Some(_) | None, _) => high as i32,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn small() -> Model {
        let calibration = vec![(-ONE, 60_000), (0, 40_000), (ONE, 10_000)];
        Model { version: 3, bias: 5, prior: -7, unit: 11, dense: vec![1; DENSE], grams: vec![-2; BUCKETS], calibration }
    }

    #[test]
    fn the_shipped_coefficients_are_whole_small_and_calibrated() {
        let model = Model::built_in().unwrap();
        assert!(BUILT_IN.len() <= 1_024);
        assert!(model.version >= 1);
        assert!(model.calibration.is_sorted_by(|a, b| a.1 >= b.1), "a harder prompt is never likelier to do");
    }

    #[test]
    fn a_file_is_read_back_as_it_was_written_and_any_damage_is_refused() {
        let bytes = small().to_bytes();
        assert_eq!(Model::parse(&bytes), Ok(small()));
        assert_eq!(Model::parse(b"not one"), Err(BadModel::NotOne));
        for length in MAGIC.len()..bytes.len() {
            assert!(Model::parse(&bytes[..length]).is_err(), "{length}");
        }
        assert_eq!(Model::parse(&[bytes.clone(), vec![0]].concat()), Err(BadModel::Broken));
        let mut other = bytes;
        other[10] += 1;
        assert_eq!(Model::parse(&other), Err(BadModel::OtherFeatures));
    }

    #[test]
    fn the_chance_is_interpolated_between_steps_and_flat_beyond_them() {
        let model = small();
        for (score, share) in
            [(i32::MIN, 60_000), (-ONE, 60_000), (-ONE / 2, 50_000), (0, 40_000), (ONE / 2, 25_000), (i32::MAX, 10_000)]
        {
            assert_eq!(model.will_do(score), share, "{score}");
        }
    }
}
