//! From fractions to the integers of a file of coefficients, and the calibration of their scores.

use crate::fit::Fitted;
use signalbox::router::learn::fixed::ONE;
use signalbox::router::learn::model::Model;

/// The most steps of a calibration table.
const STEPS: usize = 12;

/// The shipped form. `scale` and `prior` are what a unit of log-odds and a thousandth of complexity add to
/// the score; `scores` and `did` calibrate it: scores of prompts that were not trained on, and whether the
/// cheaper model's answer did.
pub fn quantise(fitted: &Fitted, scale: f64, prior: f64, version: u16, scores: &[f64], did: &[f64]) -> Model {
    let one = f64::from(ONE);
    let largest = fitted.grams.iter().fold(0.0_f64, |found, weight| found.max(weight.abs()));
    let unit = (largest * scale * one / 127.0).max(1.0);
    let dense = fitted.dense.iter().map(|weight| (weight * scale * one).round() as i16).collect();
    let grams = fitted.grams.iter().map(|weight| (weight * scale * one / unit).round() as i8).collect();
    Model {
        version,
        bias: (fitted.bias * scale * one).round() as i32,
        prior: (prior * one).round() as i32,
        unit: unit.round() as i32,
        dense,
        grams,
        calibration: calibrate(scores, did),
    }
}

/// A block of prompts of neighbouring scores.
#[derive(Clone, Copy)]
struct Block {
    score: f64,
    did: f64,
    count: f64,
}

/// Isotonic regression: shares that never rise with the score, by pooling neighbours that would.
fn calibrate(scores: &[f64], did: &[f64]) -> Vec<(i32, u16)> {
    let mut pairs: Vec<(f64, f64)> = scores.iter().copied().zip(did.iter().copied()).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let size = pairs.len().div_ceil(STEPS).max(1);
    let mut blocks: Vec<Block> = Vec::new();
    for chunk in pairs.chunks(size) {
        let count = chunk.len() as f64;
        let (scores, did) = chunk.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
        let mut block = Block { score: scores / count, did: did / count, count };
        while let Some(last) = blocks.last().copied().filter(|last| last.did < block.did) {
            let count = last.count + block.count;
            let pooled = |a: f64, b: f64| (a * last.count + b * block.count) / count;
            block = Block { score: pooled(last.score, block.score), did: pooled(last.did, block.did), count };
            blocks.pop();
        }
        blocks.push(block);
    }
    let one = f64::from(ONE);
    let steps =
        blocks.iter().map(|block| ((block.score * one).round() as i32, (block.did * (one - 1.0)).round() as u16));
    steps.collect()
}
