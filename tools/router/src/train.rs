//! From recorded outcomes to coefficients: one head a source, and one over all that is shipped.
//!
//! A head foretells the gain of the stronger model, (strong − weak + 1) / 2, not the failure of the weaker:
//! where both fail a strong call is wasted. How much ridge it needs is chosen by cross-validation.

use crate::data::{Row, Source};
use crate::fit::{Example, Fitted, Ridge, fit};
use crate::metrics::{apgr, mean};
use crate::quantise::quantise;
use signalbox::router::learn::model::Model;
use signalbox::router::learn::scan::BUCKETS;

/// The ridges that are tried.
const RIDGES: [Ridge; 4] = [
    Ridge { dense: 10.0, grams: 30.0 },
    Ridge { dense: 100.0, grams: 300.0 },
    Ridge { dense: 1_000.0, grams: 3_000.0 },
    Ridge { dense: 3_000.0, grams: 3_000.0 },
];
/// The ridge of the head over all sources, chosen by leaving a source out.
const GENERAL: Ridge = Ridge { dense: 100.0, grams: 300.0 };
/// Folds of a cross-validation.
const FOLDS: u64 = 5;
/// How often the folds are drawn anew: a single draw is worth ±.02.
const DRAWS: u64 = 3;
/// How many deviations of the prior count as one of a source's own head: it keeps its say where prompts
/// come that the source never showed.
const SOURCE_PRIOR: f64 = 0.5;
/// The same for the head over all sources, which knows nothing of the traffic it will meet.
const GENERAL_PRIOR: f64 = 1.5;

/// Coefficients and how they did on prompts they were not trained on.
#[derive(Clone, Debug)]
pub struct Head {
    /// The source's name, or `general`.
    pub name: String,
    /// The coefficients, as they are shipped.
    pub model: Model,
    /// Score of every row of the training sources, from a model that had not seen it; source after source.
    pub unseen: Vec<Vec<f64>>,
}

/// A number that looks drawn, for folds that are the same every time.
pub(crate) fn shuffle(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn example(row: &Row, base: f64) -> Option<Example> {
    let (weak, strong) = row.worth?;
    let dense = row.dense.0.iter().map(|value| f64::from(*value)).collect();
    Some(Example { dense, grams: row.scan.grams().buckets().collect(), target: (strong - weak - base) / 2.0 + 0.5 })
}

/// Every row's logit, from a model of the other folds.
fn cross_validated(sets: &[Vec<Example>], ridge: Ridge, draw: u64) -> Vec<Vec<f64>> {
    let fold = |at: usize| shuffle(at as u64 * 1_000 + draw) % FOLDS;
    let mut logits: Vec<Vec<f64>> = sets.iter().map(|set| vec![0.0; set.len()]).collect();
    for left_out in 0..FOLDS {
        let chosen = sets.iter().flat_map(|set| set.iter().enumerate().filter(|(at, _)| fold(*at) != left_out));
        let training: Vec<Example> = chosen.map(|(_, example)| example.clone()).collect();
        let fitted = fit(&training, BUCKETS, ridge);
        for (set, logits) in sets.iter().zip(&mut logits) {
            for ((at, example), logit) in set.iter().enumerate().zip(logits) {
                if fold(at) == left_out {
                    *logit = fitted.logit(&example.dense, &example.grams);
                }
            }
        }
    }
    logits
}

/// The rows of a source that can teach: those with both models' outcomes.
fn taught(source: &Source) -> Vec<&Row> {
    source.rows.iter().filter(|row| row.worth.is_some()).collect()
}

fn deviation(values: &[f64]) -> f64 {
    let middle = mean(values);
    mean(&values.iter().map(|value| (value - middle).powi(2)).collect::<Vec<_>>()).sqrt().max(1e-9)
}

/// Trains the head of one source; `None` when it has too few prompts to divide into folds.
pub fn source_head(source: &Source, version: u16) -> Option<Head> {
    let rows = taught(source);
    if rows.len() < 100 {
        return None;
    }
    let sets = [rows.iter().filter_map(|row| example(row, 0.0)).collect::<Vec<_>>()];
    let (weak, strong) = source.worths();
    let mut best: Option<(f64, Ridge, Vec<f64>)> = None;
    for ridge in RIDGES {
        let draws: Vec<Vec<f64>> =
            (0..DRAWS).filter_map(|draw| cross_validated(&sets, ridge, draw).into_iter().next()).collect();
        let score = mean(&draws.iter().map(|logits| apgr(logits, &weak, &strong)).collect::<Vec<_>>());
        if best.as_ref().is_none_or(|(found, _, _)| score > *found) {
            best = Some((score, ridge, draws.into_iter().next()?));
        }
    }
    let (_, ridge, logits) = best?;
    let [set] = &sets;
    let fitted = fit(set, BUCKETS, ridge);
    Some(assemble(&source.name, version, &fitted, SOURCE_PRIOR, &[rows], &[logits]))
}

/// Trains the head over all sources. Each source's mean gain is taken out: which benchmark a prompt comes
/// from is not to be learned.
pub fn general_head(sources: &[Source], version: u16) -> Head {
    let rows: Vec<Vec<&Row>> = sources.iter().map(taught).collect();
    let sets: Vec<Vec<Example>> = rows
        .iter()
        .zip(sources)
        .map(|(rows, source)| {
            let (weak, strong) = source.worths();
            let base = mean(&strong) - mean(&weak);
            rows.iter().filter_map(|row| example(row, base)).collect()
        })
        .collect();
    let logits = cross_validated(&sets, GENERAL, 0);
    let fitted = fit(&sets.concat(), BUCKETS, GENERAL);
    assemble("general", version, &fitted, GENERAL_PRIOR, &rows, &logits)
}

fn assemble(name: &str, version: u16, fitted: &Fitted, prior: f64, rows: &[Vec<&Row>], logits: &[Vec<f64>]) -> Head {
    let complexities: Vec<f64> = rows.iter().flatten().map(|row| f64::from(row.complexity)).collect();
    let all = logits.concat();
    // A score is in deviations of the head: its order is what counts, its scale fits the integers.
    let scale = 1.0 / deviation(&all);
    let prior = prior / deviation(&complexities);
    let unseen: Vec<Vec<f64>> = logits
        .iter()
        .zip(rows)
        .map(|(logits, rows)| {
            logits.iter().zip(rows).map(|(logit, row)| logit * scale + prior * f64::from(row.complexity)).collect()
        })
        .collect();
    let did: Vec<f64> = rows
        .iter()
        .flatten()
        .filter_map(|row| row.worth)
        .map(|(weak, strong)| if weak >= strong { 1.0 } else { 0.0 })
        .collect();
    let model = quantise(fitted, scale, prior, version, &unseen.concat(), &did);
    Head { name: name.to_owned(), model, unseen }
}
