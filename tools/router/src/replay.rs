//! Replays recorded outcomes as traffic: what learning on line, the controller, the bandit and the agreement of
//! two cheap models would have done.

use crate::data::{Row, Source};
use crate::metrics::{apgr, mean};
use crate::train::shuffle;
use serde_json::Value;
use signalbox::router::learn::agreement::agree;
use signalbox::router::learn::bandit::{Cell, Leave, Record, choose};
use signalbox::router::learn::controller::{Call, Controller, Goal};
use signalbox::router::learn::fixed::ONE;
use signalbox::router::learn::online::{Arm, Features};
use signalbox::router::learn::signals::{PromptReader, PromptSignals};
use std::path::Path;

/// How often prompts are put in another order.
const ORDERS: u64 = 8;

fn fixed(worth: f64) -> i32 {
    (worth * f64::from(ONE)).round() as i32
}

fn signals(reader: &PromptReader, row: &Row) -> PromptSignals {
    reader.judge(row.scan.clone())
}

fn order(count: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|at| shuffle(*at as u64 * 7_919 + seed));
    order
}

/// A prompt of a replay: what a learner sees, the prior's say as a gain, and both outcomes.
struct Shown {
    features: Features,
    prior: f64,
    weak: f64,
    strong: f64,
}

/// Outcomes of both models for the first prompts, then the rest is foretold: learning curves, in APGR.
pub fn learning(source: &Source, reader: &PromptReader) -> Option<String> {
    let shown: Vec<Shown> = (source.rows.iter())
        .filter_map(|row| {
            let (weak, strong) = row.worth?;
            let signals = signals(reader, row);
            // The hand-written prior's: the shipped coefficients were trained on these very prompts. As `Lessons` has
            // it, a deviation (about 180 thousandths of complexity) is worth a twenty-fifth.
            let prior = f64::from(row.complexity) / 180.0 / 25.0;
            Some(Shown { features: Features::of(&signals), prior, weak, strong })
        })
        .collect();
    let after = |labels: usize| {
        if labels * 5 > shown.len() * 4 {
            return "–".to_owned();
        }
        let scores = (0..ORDERS).map(|seed| foretold(&shown, labels, seed)).collect::<Vec<f64>>();
        format!("{:.3}", mean(&scores))
    };
    let columns = [0, 100, 200, 300, 1_000, 3_000].map(after);
    (!shown.is_empty()).then(|| format!("| {} | {} |\n", source.file, columns.join(" | ")))
}

fn foretold(shown: &[Shown], labels: usize, seed: u64) -> f64 {
    let order = order(shown.len(), seed);
    let (mut cheap, mut better) = (Arm::default(), Arm::default());
    let of = |at: &usize| shown.get(*at);
    for shown in order.iter().take(labels).filter_map(of) {
        for (arm, worth) in [(&mut cheap, shown.weak), (&mut better, shown.strong)] {
            let lesson = arm.lesson(&shown.features, 0, fixed(worth));
            arm.add(&lesson);
        }
    }
    let (mut scores, mut weak, mut strong) = (Vec::new(), Vec::new(), Vec::new());
    for shown in order.iter().skip(labels).filter_map(of) {
        let gain = better.forecast(&shown.features, 0).share - cheap.forecast(&shown.features, 0).share;
        scores.push(f64::from(gain) / f64::from(ONE) + shown.prior);
        weak.push(shown.weak);
        strong.push(shown.strong);
    }
    apgr(&scores, &weak, &strong)
}

/// Sources one after the other, 500 calls each: the share of strong calls in each of them, per cent.
pub fn shares(sources: &[Source], reader: &PromptReader, wanted: f64) -> Vec<f64> {
    let (mut controller, mut placed) = (Controller::default(), 0_u64);
    let realised = sources.iter().filter(|source| source.rows.len() >= 200).map(|source| {
        let order = order(source.rows.len(), 1);
        let calls = order.iter().cycle().take(500).filter_map(|at| source.rows.get(*at));
        let strong = calls.filter(|row| {
            let gain = signals(reader, row).gain / 25;
            let call = Call { gain, will_do: (0, 0), cost: (0, 0) };
            placed = placed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            controller.place(call, Goal::Share(fixed(wanted)), placed)
        });
        strong.count() as f64 / 5.0
    });
    realised.collect()
}

/// Four models of the mix, of unequal price: what a call is worth after its price, with the bandit and with the
/// best single model; `feedback` is the share of calls whose outcome becomes known.
pub fn bandit(source: &Source, reader: &PromptReader, models: &[(&str, f64)], feedback: f64) -> (f64, f64) {
    let worths = |row: &Row| -> Option<Vec<f64>> {
        let of = |name: &str| row.outcomes.iter().find(|(model, _)| model == name).map(|(_, worth)| *worth);
        models.iter().map(|(model, price)| Some(of(model)? - price)).collect()
    };
    let rows: Vec<(Cell, Vec<f64>)> =
        source.rows.iter().filter_map(|row| Some((Cell::of(&signals(reader, row).scan), worths(row)?))).collect();
    let costs: Vec<i32> = models.iter().map(|(_, price)| fixed(*price)).collect();
    let single = (0..models.len())
        .map(|arm| mean(&rows.iter().filter_map(|(_, worths)| worths.get(arm).copied()).collect::<Vec<_>>()))
        .enumerate()
        .fold((0, f64::MIN), |best, (arm, worth)| if worth > best.1 { (arm, worth) } else { best });
    let mut earned = Vec::new();
    for seed in 0..ORDERS {
        let mut records = vec![Record::default(); models.len()];
        // What is rarely told takes longer to learn.
        for pass in 0..if feedback < 0.1 { 12 } else { 3 } {
            for at in order(rows.len(), seed * 3 + pass) {
                let Some((cell, worths)) = rows.get(at) else { continue };
                let draw = shuffle(seed << 40 | pass << 32 | at as u64);
                let choice = choose(&records, &costs, *cell, Leave { settled: false, exploration: ONE / 20 }, draw);
                // While it only watches, traffic goes where the operator sends it: to all alike here, so that there is
                // something to see.
                let arm = if choice.watching { draw as usize % models.len() } else { choice.arm };
                let (Some(worth), Some(record), Some((_, price))) =
                    (worths.get(arm), records.get_mut(arm), models.get(arm))
                else {
                    continue;
                };
                if !choice.watching {
                    earned.push(*worth);
                }
                if (shuffle(draw) % 1_000) as f64 / 1_000.0 < feedback {
                    record.learn(*cell, fixed(worth + price));
                }
            }
        }
    }
    (mean(&earned), single.1)
}

/// Two cheap models are asked; where they do not agree a strong one is: the share of strong calls, and what is right
/// with the first cheap one alone, with the cascade, with the strong one alone. Per cent.
pub fn cascade(file: &Path, cheap: (&str, &str), strong: &str) -> Result<[f64; 4], String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut sums = [0.0; 5];
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let of = |model: &str| {
            let answer = row.get("models")?.get(model)?;
            Some((answer.get("output")?.as_str()?.to_owned(), answer.get("correct")?.as_f64()?))
        };
        let (Some(first), Some(second), Some(strong)) = (of(cheap.0), of(cheap.1), of(strong)) else { continue };
        let agreed = agree(&first.0, &second.0) == Some(true);
        let taken = if agreed { second.1 } else { strong.1 };
        let values = [if agreed { 0.0 } else { 1.0 }, first.1, taken, strong.1, 1.0];
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }
    let [strong_calls, first, taken, strong, count] = sums;
    Ok([strong_calls, first, taken, strong].map(|sum| 100.0 * sum / f64::max(count, 1.0)))
}
