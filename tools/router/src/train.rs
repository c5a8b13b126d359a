//! From recorded outcomes to coefficients: one head a source, and one over all that is shipped.
//!
//! A head foretells the gain of the stronger model, (strong − weak + 1) / 2, not the failure of the weaker:
//! where both fail a strong call is wasted. How much ridge it needs is chosen by cross-validation: over prompts and, where
//! a source has many subjects, over subjects, so that what holds for one subject alone is not taken for a sign of difficulty.

use crate::data::{Row, Source};
use crate::fit::{Example, Fitted, Ridge, fit};
use crate::metrics::{apgr, mean};
use crate::quantise::quantise;
use signalbox::router::learn::model::Model;
use signalbox::router::learn::scan::BUCKETS;

/// The ridges that are tried.
const RIDGES: [Ridge; 7] = [
    Ridge { dense: 10.0, grams: 30.0 },
    Ridge { dense: 100.0, grams: 300.0 },
    Ridge { dense: 1_000.0, grams: 3_000.0 },
    Ridge { dense: 3_000.0, grams: 3_000.0 },
    Ridge { dense: 10_000.0, grams: 1_000.0 },
    Ridge { dense: 10_000.0, grams: 3_000.0 },
    Ridge { dense: 30_000.0, grams: 1_000.0 },
];
/// The ridge of the head over all sources, chosen by leaving a source out. It has no n-grams: what words of one source's
/// subjects foretell is worse than nothing for the next source.
const GENERAL: Ridge = Ridge { dense: 75_000.0, grams: 0.0 };
/// A source of so many subjects and more is asked for those it was not shown, too.
const MANY_SUBJECTS: usize = 20;
/// Folds of a cross-validation.
const FOLDS: u64 = 5;
/// How often the folds are drawn anew: a single draw is worth ±.02.
const DRAWS: u64 = 3;
/// How many deviations of the prior count as one of a source's own head: it keeps its say where prompts
/// come that the source never showed.
const SOURCE_PRIOR: f64 = 0.75;
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
    /// The same from a model that had seen nothing of the row's subject; empty for a source of few subjects.
    pub foreign: Vec<Vec<f64>>,
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

/// Which fold each row of each set is in: drawn for rows, or for the subjects of a source that has many.
fn folds(rows: &[Vec<&Row>], by_subject: bool, draw: u64) -> Vec<Vec<u64>> {
    let fold = |seed: u64| shuffle(seed.wrapping_mul(1_000).wrapping_add(draw)) % FOLDS;
    let name = |row: &Row| row.subject.bytes().fold(0, |sum: u64, byte| shuffle(sum ^ u64::from(byte)));
    let of = |rows: &Vec<&Row>| match by_subject && has_many_subjects(rows) {
        true => rows.iter().map(|row| fold(name(row))).collect(),
        false => (0..rows.len()).map(|at| fold(at as u64)).collect(),
    };
    rows.iter().map(of).collect()
}

fn has_many_subjects(rows: &[&Row]) -> bool {
    let subjects: std::collections::BTreeSet<&str> = rows.iter().map(|row| row.subject.as_str()).collect();
    subjects.len() >= MANY_SUBJECTS
}

/// Every row's logit, from a model of the other folds. Each model's mean over what it was trained on is put in the place of
/// the others': a fold that gains much leaves its model a low mean, and comparing rows by it would tell folds apart, not prompts.
fn cross_validated(sets: &[Vec<Example>], folds: &[Vec<u64>], buckets: usize, ridge: Ridge) -> Vec<Vec<f64>> {
    let mut logits: Vec<Vec<f64>> = sets.iter().map(|set| vec![0.0; set.len()]).collect();
    let all = sets.concat().iter().map(|example| example.target).sum::<f64>() / logits.concat().len().max(1) as f64;
    let usual = (all / (1.0 - all).max(1e-9)).ln();
    for left_out in 0..FOLDS {
        let chosen = sets.iter().flatten().zip(folds.iter().flatten()).filter(|(_, fold)| **fold != left_out);
        let training: Vec<Example> = chosen.map(|(example, _)| example.clone()).collect();
        let fitted = fit(&training, buckets, ridge);
        let logit = |example: &Example| fitted.logit(&example.dense, &example.grams);
        let middle = mean(&training.iter().map(logit).collect::<Vec<_>>());
        for ((set, folds), logits) in sets.iter().zip(folds).zip(&mut logits) {
            for ((example, fold), score) in set.iter().zip(folds).zip(logits) {
                if *fold == left_out {
                    *score = logit(example) - middle + usual;
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

/// A cross-validation, drawn several times.
struct Draws {
    /// APGR on average.
    mean: f64,
    /// Each draw's, with its logits.
    draws: Vec<(f64, Vec<f64>)>,
}

impl Draws {
    fn of(draws: Vec<Vec<f64>>, weak: &[f64], strong: &[f64]) -> Draws {
        let draws: Vec<_> = draws.into_iter().map(|logits| (apgr(&logits, weak, strong), logits)).collect();
        Draws { mean: mean(&draws.iter().map(|draw| draw.0).collect::<Vec<_>>()), draws }
    }

    /// The logits of the draw that is neither the luckiest nor the unluckiest: those that are reported.
    fn middle(&mut self) -> Option<Vec<f64>> {
        self.draws.sort_by(|a, b| a.0.total_cmp(&b.0));
        let middle = self.draws.len() / 2;
        self.draws.get_mut(middle).map(|draw| std::mem::take(&mut draw.1))
    }
}

/// Trains the head of one source; `None` when it has too few prompts to divide into folds.
pub fn source_head(source: &Source, version: u16) -> Option<Head> {
    let rows = taught(source);
    if rows.len() < 100 {
        return None;
    }
    let sets = [rows.iter().filter_map(|row| example(row, 0.0)).collect::<Vec<_>>()];
    let rows = [rows];
    let (weak, strong) = source.worths();
    let mut best: Option<(f64, Ridge, Vec<Vec<f64>>)> = None;
    for ridge in RIDGES {
        let draws = |by_subject: bool| -> Vec<Vec<f64>> {
            let logits =
                |draw| cross_validated(&sets, &folds(&rows, by_subject, draw), BUCKETS, ridge).into_iter().flatten();
            (0..DRAWS).map(|draw| logits(draw).collect()).collect()
        };
        let mut seen = Draws::of(draws(false), &weak, &strong);
        let (mut total, mut kept) = (seen.mean, vec![seen.middle()?]);
        if rows.iter().any(|rows| has_many_subjects(rows)) {
            let mut foreign = Draws::of(draws(true), &weak, &strong);
            total = (total + foreign.mean) / 2.0;
            kept.push(foreign.middle()?);
        }
        if best.as_ref().is_none_or(|(found, _, _)| total > *found) {
            best = Some((total, ridge, kept));
        }
    }
    let (_, ridge, kept) = best?;
    let [set] = &sets;
    let fitted = fit(set, BUCKETS, ridge);
    let (seen, foreign) = kept.split_at(1);
    Some(assemble(&source.name, version, &fitted, SOURCE_PRIOR, &rows, (seen, foreign)))
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
    let logits = |by_subject| cross_validated(&sets, &folds(&rows, by_subject, 0), 0, GENERAL);
    let fitted = fit(&sets.concat(), 0, GENERAL);
    assemble("general", version, &fitted, GENERAL_PRIOR, &rows, (&logits(false), &logits(true)))
}

/// `seen`: logits of rows that were not trained on; `foreign`: of rows nothing of whose subject was.
fn assemble(
    name: &str,
    version: u16,
    fitted: &Fitted,
    prior: f64,
    rows: &[Vec<&Row>],
    (seen, foreign): (&[Vec<f64>], &[Vec<f64>]),
) -> Head {
    let complexities: Vec<f64> = rows.iter().flatten().map(|row| f64::from(row.complexity)).collect();
    // A score is in deviations of the head: its order is what counts, its scale fits the integers.
    let scale = 1.0 / deviation(&seen.concat());
    let prior = prior / deviation(&complexities);
    let scores = |logits: &[Vec<f64>]| -> Vec<Vec<f64>> {
        let score = |(logit, row): (&f64, &&Row)| logit * scale + prior * f64::from(row.complexity);
        logits.iter().zip(rows).map(|(logits, rows)| logits.iter().zip(rows).map(score).collect()).collect()
    };
    let unseen = scores(seen);
    let mut foreign = scores(foreign);
    foreign.iter_mut().zip(rows).filter(|(_, rows)| !has_many_subjects(rows)).for_each(|(logits, _)| logits.clear());
    let did: Vec<f64> = rows
        .iter()
        .flatten()
        .filter_map(|row| row.worth)
        .map(|(weak, strong)| if weak >= strong { 1.0 } else { 0.0 })
        .collect();
    let model = quantise(fitted, scale, prior, version, &unseen.concat(), &did);
    Head { name: name.to_owned(), model, unseen, foreign }
}
