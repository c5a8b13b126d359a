//! What is kept of a route that learns, and how it is told: sums only, so that what instances learn apart is added in
//! any order.

use crate::json::json;
use crate::router::learn::bandit::{ENOUGH, Record, Tally};
use crate::router::learn::fixed::ONE;
use crate::router::learn::online::Arm;
use crate::sorted::SortedMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Models remembered of a route: what is kept must fit a record.
pub(super) const MOST_ARMS: usize = 12;

/// What is kept: sums only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub arms: SortedMap<String, Lesson>,
    #[serde(default)]
    pub chosen: Chosen,
}

/// What a bandit's choices came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// Calls it placed.
    pub calls: u64,
    /// Those on which another than the best was tried out.
    pub tried: u64,
    /// What they are expected to have been worth less than the best, in parts of 65,536: the regret.
    pub forgone: u64,
}

/// One model's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lesson {
    #[serde(flatten)]
    pub arm: Arm,
    pub cells: Record,
}

/// How a model stands on a route, for reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which model.
    pub model: String,
    /// Outcomes learned from.
    pub outcomes: u32,
    /// What they were worth together, in parts of 65,536 of the best there is.
    pub worth: Tally,
    /// Calls that went well, and those that did not, in parts of 65,536.
    pub calls: Tally,
}

/// How a route stands, for reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// `team/route`.
    pub route: String,
    /// Its models.
    pub models: Vec<Standing>,
    /// What its choices came to.
    pub chosen: Chosen,
}

impl Chosen {
    pub(super) fn add(&mut self, other: Chosen) {
        self.calls = self.calls.saturating_add(other.calls);
        self.tried = self.tried.saturating_add(other.tried);
        self.forgone = self.forgone.saturating_add(other.forgone);
    }
}

impl Lesson {
    /// Lets the past count half: models and traffic change.
    pub(super) fn fade(&mut self) {
        self.arm.fade();
        self.cells.discount(ONE / 2);
    }
}

impl State {
    /// What is known of a model; `None` where there are too many others.
    pub(super) fn arm(&mut self, model: &str) -> Option<&mut Lesson> {
        let room = self.arms.contains_key(model) || self.arms.len() < MOST_ARMS;
        room.then(|| self.arms.entry(model.to_owned()).or_default())
    }

    pub(super) fn add(&mut self, other: &State) {
        self.chosen.add(other.chosen);
        for (model, lesson) in &other.arms {
            if let Some(own) = self.arm(model) {
                own.arm.add(&lesson.arm);
                own.cells.add(&lesson.cells);
            }
        }
    }

    pub(super) fn standings(&self) -> Vec<Standing> {
        let standing = |(model, lesson): (&String, &Lesson)| Standing {
            model: model.clone(),
            outcomes: lesson.arm.count,
            worth: lesson.cells.total(),
            calls: lesson.cells.calls,
        };
        self.arms.iter().map(standing).collect()
    }
}

impl Standing {
    /// The mean worth of its answers, and nine tenths' room to either side of it.
    pub fn mean(&self) -> (f64, f64) {
        let (won, lost) = (share(self.worth.won), share(self.worth.lost));
        // One success and one failure are taken as given, as when it is chosen.
        let (all, mean) = (won + lost, (won + 1.0) / (won + lost + 2.0));
        (mean, 1.645 * (mean * (1.0 - mean) / (all + 3.0)).sqrt())
    }

    /// As an administrator sees it.
    pub fn told(&self) -> Value {
        let (mean, spread) = self.mean();
        json!({
            "model": self.model,
            "outcomes": self.outcomes,
            "worth": thousandths(mean),
            "between": [thousandths((mean - spread).max(0.0)), thousandths((mean + spread).min(1.0))],
            "calls": share(self.calls.won + self.calls.lost).round() as u64,
            "went_wrong": thousandths(share(self.calls.lost)),
        })
    }
}

impl Report {
    /// As an administrator sees it.
    pub fn json(&self) -> Value {
        let outcomes: u64 = self.models.iter().map(|model| u64::from(model.outcomes)).sum();
        let calls = self.chosen.calls.max(1) as f64;
        json!({
            "route": self.route,
            "outcomes": outcomes,
            "observing": outcomes < ENOUGH,
            "models": self.models.iter().map(Standing::told).collect::<Vec<_>>(),
            "bandit": {
                "calls": self.chosen.calls,
                "tried_out": self.chosen.tried,
                "regret": thousandths(self.chosen.forgone as f64 / f64::from(ONE)),
                "regret_per_call": thousandths(self.chosen.forgone as f64 / f64::from(ONE) / calls),
            },
        })
    }
}

fn share(sum: i64) -> f64 {
    sum as f64 / f64::from(ONE)
}

fn thousandths(figure: f64) -> f64 {
    (figure * 1_000.0).round() / 1_000.0
}
