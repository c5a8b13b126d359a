//! What is remembered of routes that learn: for each team and route what its models' answers were worth, and
//! how its goal is being met.
//!
//! What was learned here is at once used here. What others learned arrives when a [`Lessons::merge`] adds what is
//! new here to what is kept for all of them: sums, so that it does not matter who adds first.

mod state;
#[cfg(test)]
mod tests;

pub use state::{Chosen, Report, Standing};

use super::bandit::{self, Cell, Choice, Leave, Record};
use super::controller::{Call, Controller, Goal};
use super::draw::Draws;
use super::fixed::ONE;
use super::online::{Arm, Features, Forecast};
use crate::sorted::SortedMap;
use crate::units::{Millis, Timestamp};
use serde_json::Value;
use state::{Lesson, State};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Routes remembered, over all teams.
const MOST_ROUTES: usize = 256;
/// When a model has this many outcomes on a route, all of them count half.
const LONG_AGO: u32 = 10_000;
/// How often a route's sums are merged with what is kept, while it learns or is used.
const MERGE_AFTER: Millis = Millis(5_000);
/// The least between two rounds of merging, and the routes of one round.
const ROUND_AFTER: Millis = Millis(1_000);
const ROUND: usize = 4;
/// A merge that has not ended by then never will.
const GIVEN_UP: Millis = Millis(60_000);
/// What a deviation of complexity is worth before anything is learned, in parts of 65,536: what is learned
/// of a route's own prompts soon outweighs it.
const PRIOR_GAIN: i32 = ONE / 25;

/// The memory of every route that learns.
#[derive(Debug, Default)]
pub struct Lessons(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    routes: SortedMap<String, Route>,
    round_at: Option<Timestamp>,
}

/// One team's route.
#[derive(Debug, Default)]
struct Route {
    /// All that is known.
    known: State,
    /// What of it was not yet given to others.
    fresh: State,
    /// What was given and is perhaps not kept yet.
    sent: State,
    controller: Controller,
    /// Calls placed: spreads what the controller leaves to chance evenly.
    placed: u64,
    /// It was used since it was merged.
    used: bool,
    /// It is being merged.
    merging: bool,
    merged_at: Option<Timestamp>,
}

/// A prompt on a route that learns.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// `team/route`.
    pub route: &'a str,
    /// What the prompt shows.
    pub features: &'a Features,
    /// The shipped coefficients' score of it: deviations from an ordinary prompt, in Q16.
    pub gain: i32,
}

/// Two models between which is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair<'a> {
    /// The cheaper one.
    pub cheap: &'a str,
    /// The stronger one.
    pub strong: &'a str,
    /// What a call costs with each, in nano-dollars.
    pub cost: (u64, u64),
}

/// Which of two models a call goes to, and what is expected of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Whether it goes to the stronger one.
    pub strong: bool,
    /// That the cheaper one's answer will do.
    pub cheap: Forecast,
    /// That the stronger one's will.
    pub better: Forecast,
}

/// How much the stronger model is expected to gain on a prompt: by what was learned, and by the shipped coefficients.
pub fn gain(cheap: Forecast, better: Forecast, shipped: i32) -> i32 {
    let prior = i64::from(shipped.clamp(-4 * ONE, 4 * ONE)) * i64::from(PRIOR_GAIN) / i64::from(ONE);
    better.share - cheap.share + prior as i32
}

impl Lessons {
    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, name: &str, then: impl FnOnce(&mut Route) -> T) -> T {
        let routes = &mut self.lock().routes;
        if !routes.contains_key(name) && routes.len() >= MOST_ROUTES {
            // Who was not used is forgotten first, then whoever was merged longest ago: what is kept of it can be read again. Last
            // are those that never were, and have nothing kept.
            let last = |route: &Route| (route.used, route.merged_at.is_none(), route.merged_at);
            let oldest = routes.iter().min_by_key(|(_, route)| last(route)).map(|(name, _)| name.clone());
            oldest.map(|name| routes.remove(&name));
        }
        then(routes.entry(name.to_owned()).or_default())
    }

    /// Places a call with one of two models, so that the goal is met.
    pub fn place(&self, asked: Asked<'_>, pair: Pair<'_>, goal: Goal) -> Placed {
        self.with(asked.route, |route| {
            route.used = true;
            let unknown = Arm::default();
            let arm = |name: &str| route.known.arms.get(name).map_or(&unknown, |lesson| &lesson.arm);
            let (cheap, better) =
                (arm(pair.cheap).forecast(asked.features, 0), arm(pair.strong).forecast(asked.features, 0));
            let gain = gain(cheap, better, asked.gain);
            let call = Call { gain, will_do: (cheap.share, better.share), cost: pair.cost };
            // Every process begins somewhere else, or a fleet of such as see one call would send none to the stronger model.
            if route.placed == 0 {
                route.placed = Draws::from(u64::from(asked.gain.unsigned_abs())).bits();
            }
            // The golden ratio's multiples fill an interval more evenly than chance does.
            route.placed = route.placed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let strong = route.controller.place(call, goal, route.placed);
            Placed { strong, cheap, better }
        })
    }

    /// Chooses one of several models by what became of prompts like this one.
    pub fn choose(&self, route: &str, models: &[String], costs: &[i32], cell: Cell, leave: Leave) -> Choice {
        self.with(route, |route| {
            let of = |name: &String| route.known.arms.get(name).map(|lesson| lesson.cells.clone()).unwrap_or_default();
            let records: Vec<Record> = models.iter().map(of).collect();
            route.placed = route.placed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            // What is known differs from moment to moment, where how many calls were placed does not.
            let known = records.iter().fold(0_i64, |sum, record| sum.wrapping_add(record.total().won));
            let entropy = route.placed ^ Draws::from(known.cast_unsigned()).bits();
            let choice = bandit::choose(&records, costs, cell, leave, entropy);
            let forgone = choice.forgone.unsigned_abs().into();
            route.note(|state| state.chosen.add(Chosen { calls: 1, tried: choice.explored.into(), forgone }));
            choice
        })
    }

    /// Learns what a model's answer to a prompt was worth, 0 to 65,536.
    pub fn learn(&self, route: &str, model: &str, features: &Features, cell: Cell, worth: i32) {
        self.with(route, |route| {
            let Some(known) = route.known.arm(model) else { return };
            let lesson = known.arm.lesson(features, 0, worth);
            route.note(|state| {
                if let Some(own) = state.arm(model) {
                    own.arm.add(&lesson);
                    own.cells.learn(cell, worth);
                }
            });
        });
    }

    /// Takes note of what showed by itself: how much of a model's call went wrong, 0 to 65,536.
    pub fn called(&self, route: &str, model: &str, wrong: i32) {
        self.with(route, |route| route.record(model, |record| record.call(wrong)));
    }

    /// A call that was noted as good turned out to be of no use.
    pub fn blame(&self, route: &str, model: &str) {
        self.with(route, |route| route.record(model, Record::blame));
    }

    /// How a route's models stand.
    pub fn report(&self, route: &str) -> Vec<Standing> {
        self.with(route, |route| route.known.standings())
    }

    /// How every route stands, as an administrator sees it.
    pub fn told(&self) -> Vec<Value> {
        self.reports().iter().map(Report::json).collect()
    }

    /// How every route stands.
    pub fn reports(&self) -> Vec<Report> {
        let report = |(name, route): (&String, &Route)| Report {
            route: name.clone(),
            models: route.known.standings(),
            chosen: route.known.chosen,
        };
        self.lock().routes.iter().map(report).collect()
    }

    /// The routes whose sums should be merged with what is kept, a few at a time; asking takes them on.
    pub fn due(&self, now: Timestamp) -> Vec<String> {
        let mut memory = self.lock();
        if memory.round_at.is_some_and(|at| now.since(at) < ROUND_AFTER && now >= at) {
            return Vec::new();
        }
        let due = |route: &Route| {
            let waits = if route.merging { GIVEN_UP } else { MERGE_AFTER };
            route.used && route.merged_at.is_none_or(|at| now.since(at) >= waits || now < at)
        };
        let mut names: Vec<(Option<Timestamp>, String)> = memory
            .routes
            .iter()
            .filter(|(_, route)| due(route))
            .map(|(name, route)| (route.merged_at, name.clone()))
            .collect();
        crate::sorted::sort(&mut names);
        names.truncate(ROUND);
        for (_, name) in &names {
            if let Some(route) = memory.routes.get_mut(name) {
                (route.merging, route.used, route.merged_at) = (true, false, Some(now));
            }
        }
        if !names.is_empty() {
            memory.round_at = Some(now);
        }
        names.into_iter().map(|(_, name)| name).collect()
    }

    /// Adds what was learned here to what is `kept` for all, and takes over the sum. The text is to be kept in its place;
    /// `None` when there is nothing to add. Until [`Lessons::kept`] says that it was, what is new stays new.
    pub fn merge(&self, route: &str, kept: Option<&str>) -> Option<String> {
        self.with(route, |route| {
            // A record of an older layout is begun anew.
            let mut all: State = kept.and_then(|text| crate::json::parse(text).ok()).unwrap_or_default();
            all.arms.retain(|_, lesson| lesson.arm.is_sound());
            let fresh = std::mem::take(&mut route.fresh);
            route.sent.add(&fresh);
            all.add(&route.sent);
            all.arms.values_mut().filter(|lesson| lesson.arm.count > LONG_AGO).for_each(Lesson::fade);
            route.known = all;
            (route.sent != State::default()).then(|| serde_json::to_string(&route.known).unwrap_or_default())
        })
    }

    /// What was merged is kept.
    pub fn kept(&self, route: &str) {
        self.with(route, |route| route.sent = State::default());
    }

    /// Merging a route is over, whatever came of it.
    pub fn merged(&self, route: &str) {
        self.with(route, |route| route.merging = false);
    }
}

impl Route {
    fn record(&mut self, model: &str, change: impl Fn(&mut Record)) {
        self.note(|state| {
            if let Some(own) = state.arm(model) {
                change(&mut own.cells);
            }
        });
    }

    /// Adds to what is known, and to what others do not know yet.
    fn note(&mut self, add: impl Fn(&mut State)) {
        self.used = true;
        add(&mut self.known);
        add(&mut self.fresh);
    }
}
