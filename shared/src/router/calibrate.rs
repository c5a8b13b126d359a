//! What a route that learns is worth on one's own records: `POST /admin/v1/router/calibrate`.
//!
//! A record is a prompt and what the cheaper model's answer to it was worth, or the stronger one's, or both: what feedback
//! left behind, or what the operator sends. Who would have been asked is foretold for each from the others alone (five
//! folds), as on traffic that has not come yet. Figures as RouteLLM defines them, with nine tenths' certainty.

mod curve;

use super::learn::bandit::Cell;
use super::learn::fixed::ONE;
use super::learn::lessons::gain;
use super::learn::online::{Arm, Features};
use super::learn::sample::Sample;
use super::learn::signals::PromptReader;
use super::{Standard, Ticket, advice, tickets};
use crate::config::Goal;
use crate::json::json;
use crate::units::NanoUsd;
use curve::{Curve, Point, intervals};
use serde_json::Value;

/// The most records that are looked at: all of it runs within one request.
pub const MOST_RECORDS: usize = 2_000;
/// How many records are held back at a time: one in so many.
const FOLDS: usize = 5;
/// Outcomes of each model below which nothing is claimed.
const ENOUGH: usize = 50;

/// A prompt with what is known of its answers, in parts of 65,536.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// What the prompt shows.
    pub features: Features,
    /// What kind it is.
    pub cell: Cell,
    /// The shipped coefficients' score.
    pub gain: i32,
    /// Of the cheaper and the stronger model.
    pub worth: [Option<i32>; 2],
}

/// The two models of a route and what a usual call costs with each, in nano-dollars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// The cheaper one, the stronger one.
    pub models: [String; 2],
    /// What a call costs.
    pub cost: [u64; 2],
}

impl Record {
    /// Reads what an operator sends, `{"prompt": "…", "outcomes": {"openai:…": 0.5}}`, or what feedback left behind.
    pub(super) fn read(value: &Value, pair: &Pair, reader: &PromptReader) -> Option<Record> {
        let worth =
            |score: &Value| score.as_f64().filter(|s| (0.0..=1.0).contains(s)).map(|s| (s * f64::from(ONE)) as i32);
        if let Some(prompt) = value.get("prompt").and_then(Value::as_str) {
            let outcomes = value.get("outcomes")?;
            let of = |model: &String| outcomes.get(model.as_str()).and_then(worth);
            let [cheap, strong] = &pair.models;
            let signals = reader.read(Sample::of(prompt));
            let (features, cell) = (Features::of(&signals), Cell::of(&signals.scan));
            return Some(Record { features, cell, gain: signals.gain, worth: [of(cheap), of(strong)] })
                .filter(Record::says);
        }
        let Ticket { features, cell, gain, model, .. } = tickets::Ticket::read("", "", value)?;
        let score = worth(value.get("score")?);
        let of = |own: &String| score.filter(|_| *own == model);
        let [cheap, strong] = &pair.models;
        Some(Record { features, cell, gain, worth: [of(cheap), of(strong)] }).filter(Record::says)
    }

    fn says(&self) -> bool {
        self.worth.iter().any(Option::is_some)
    }
}

impl Standard {
    /// Reports on a route by an administrator's ask: `team`, `route`, a goal perhaps (else the route's own), `records`, and
    /// whether to `learn` from them. `Err` says what is wrong with it.
    pub fn calibrate(&self, asked: &Value) -> Result<Value, String> {
        let text = |name: &str| asked.get(name).and_then(Value::as_str).unwrap_or_default();
        let (team, route) = (text("team"), text("route"));
        let (config, catalog) = self.grounds();
        let (pair, own) = advice::pair(config, catalog, route)
            .ok_or_else(|| format!("`{route:.64}` is no route with the strategy `learned`."))?;
        let goal = wanted(asked)?.unwrap_or(own);
        let reader = PromptReader::built_in().map_err(|_| "The coefficients cannot be read.".to_owned())?;
        let given = asked.get("records").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let read = given.iter().take(MOST_RECORDS).filter_map(|record| Record::read(record, &pair, &reader));
        let records: Vec<Record> = read.collect();
        let learns = asked.get("learn").and_then(Value::as_bool) == Some(true);
        if learns {
            let lessons = [team, "/", route].concat();
            for record in &records {
                for (model, worth) in pair.models.iter().zip(record.worth) {
                    if let Some(worth) = worth {
                        self.lessons().learn(&lessons, model, &record.features, record.cell, worth);
                    }
                }
            }
        }
        let mut told = report(&records, &pair, goal);
        if let Some(members) = told.as_object_mut() {
            members.insert("team".to_owned(), team.into());
            members.insert("route".to_owned(), route.into());
            members.insert("learned".to_owned(), learns.into());
            members.insert("passed_over".to_owned(), given.len().saturating_sub(records.len()).into());
        }
        Ok(told)
    }
}

/// The goal of an ask, at the most one; `None`: none is said.
fn wanted(asked: &Value) -> Result<Option<Goal>, String> {
    let mut goals = Vec::new();
    for (name, most) in [("strong_share", 1.0), ("min_quality", 1.0), ("usd_per_call", 1_000.0)] {
        let Some(value) = asked.get(name).filter(|value| !value.is_null()) else { continue };
        let figure = value.as_f64().filter(|figure| (0.0..=most).contains(figure));
        let figure = figure.ok_or_else(|| format!("{name} must be a number from 0 to {most}."))?;
        goals.push(match name {
            "strong_share" => Goal::StrongShare(figure),
            "min_quality" => Goal::Quality(figure),
            _ => Goal::PerCall(NanoUsd((figure * 1e9) as u64)),
        });
    }
    match goals.as_slice() {
        [] => Ok(None),
        [goal] => Ok(Some(*goal)),
        [_, _, ..] => Err("strong_share, min_quality and usd_per_call exclude each other.".to_owned()),
    }
}

/// What the records say of a route with this goal.
pub(super) fn report(records: &[Record], pair: &Pair, goal: Goal) -> Value {
    let points = foretold(records);
    let known = |at: usize| points.iter().filter(|point| point.worth.get(at).is_some_and(Option::is_some)).count();
    let (cheap, strong) = (known(0), known(1));
    let curve = Curve::of(&points);
    let found = intervals(&points, |curve| {
        let share = share(curve, pair, goal);
        [
            curve.apgr(),
            curve.reaches(0.5),
            curve.reaches(0.8),
            share,
            share.map(|s| curve.quality(s)),
            share.map(|s| saved(pair, s)),
        ]
    });
    let told = |at: usize, value: Option<f64>| {
        let between = found.get(at).copied().flatten();
        json!({ "estimate": value.map(rounded), "between": between.map(|(low, high)| [rounded(low), rounded(high)]) })
    };
    let wanted = share(&curve, pair, goal);
    json!({
        "object": "calibration",
        "records": records.len(),
        "outcomes": { "cheaper": cheap, "stronger": strong },
        "enough": cheap >= ENOUGH && strong >= ENOUGH,
        "models": { "cheaper": pair.models.first(), "stronger": pair.models.last() },
        "quality": { "cheaper": rounded(curve.quality(0.0)), "stronger": rounded(curve.quality(1.0)) },
        "apgr": told(0, curve.apgr()),
        "cpt_50": told(1, curve.reaches(0.5)),
        "cpt_80": told(2, curve.reaches(0.8)),
        "goal": goal_json(goal),
        "at_goal": {
            "strong_share": told(3, wanted),
            "quality": told(4, wanted.map(|share| curve.quality(share))),
            "saved_share": told(5, wanted.map(|share| saved(pair, share))),
            "usd_per_call": wanted.map(|share| cost(pair, share) / 1e9),
        },
        "savings": "against asking the stronger model always, for a usual call of 500 tokens in and 400 out: an estimate",
    })
}

/// Each record with the gain that the other folds foretell for it.
fn foretold(records: &[Record]) -> Vec<Point> {
    let mut points = Vec::with_capacity(records.len());
    for fold in 0..FOLDS {
        let mut arms = [Arm::default(), Arm::default()];
        for (_, record) in records.iter().enumerate().filter(|(at, _)| at % FOLDS != fold) {
            for (arm, worth) in arms.iter_mut().zip(record.worth) {
                if let Some(worth) = worth {
                    let lesson = arm.lesson(&record.features, 0, worth);
                    arm.add(&lesson);
                }
            }
        }
        let [cheap, strong] = &arms;
        for (_, record) in records.iter().enumerate().filter(|(at, _)| at % FOLDS == fold) {
            let of = |arm: &Arm| arm.forecast(&record.features, 0);
            points.push(Point { gain: gain(of(cheap), of(strong), record.gain), worth: record.worth });
        }
    }
    points
}

/// The share of calls to the stronger model that meets the goal; `None`: nothing does.
fn share(curve: &Curve, pair: &Pair, goal: Goal) -> Option<f64> {
    match goal {
        Goal::StrongShare(share) => Some(share),
        Goal::PerCall(money) => {
            let [cheap, strong] = pair.cost.map(|cost| cost as f64);
            let left = money.0 as f64 - cheap;
            (left >= 0.0).then(|| if strong > cheap { (left / (strong - cheap)).min(1.0) } else { 1.0 })
        }
        Goal::Quality(floor) => curve.share_for(floor),
    }
}

fn goal_json(goal: Goal) -> Value {
    match goal {
        Goal::StrongShare(share) => json!({ "strong_share": share }),
        Goal::PerCall(money) => json!({ "usd_per_call": money.0 as f64 / 1e9 }),
        Goal::Quality(floor) => json!({ "min_quality": floor }),
    }
}

fn cost(pair: &Pair, share: f64) -> f64 {
    let [cheap, strong] = pair.cost.map(|cost| cost as f64);
    share * strong + (1.0 - share) * cheap
}

fn saved(pair: &Pair, share: f64) -> f64 {
    let [_, strong] = pair.cost.map(|cost| cost as f64);
    if strong > 0.0 { 1.0 - cost(pair, share) / strong } else { 0.0 }
}

fn rounded(figure: f64) -> f64 {
    (figure * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
#[path = "calibrate/tests.rs"]
mod tests;
