//! What is remembered of routes that learn: for each team and route what its models' answers were worth, and
//! how its goal is being met.
//!
//! What was learned here is at once used here. What others learned arrives when a [`Lessons::merge`] adds what is
//! new here to what is kept for all of them: sums, so that it does not matter who adds first.

use super::bandit::{self, Cell, Choice, Leave, Record, Tally};
use super::controller::{Call, Controller, Goal};
use super::fixed::ONE;
use super::online::{Arm, Features, Forecast};
use crate::sorted::SortedMap;
use crate::units::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Routes remembered, over all teams.
const MOST_ROUTES: usize = 256;
/// Models remembered of a route: what is kept must fit a record.
const MOST_ARMS: usize = 12;
/// When a model has this many outcomes on a route, all of them count half.
const LONG_AGO: u32 = 10_000;
/// How often a route's sums are merged with what is kept, while it learns or is used.
const MERGE_AFTER: Millis = Millis(5_000);
/// What a deviation of complexity is worth before anything is learned, in parts of 65,536: what is learned
/// of a route's own prompts soon outweighs it.
const PRIOR_GAIN: i32 = ONE / 25;

/// The memory of every route that learns.
#[derive(Debug, Default)]
pub struct Lessons(Mutex<SortedMap<String, Route>>);

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
    merged_at: Option<Timestamp>,
}

/// What is kept: sums only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    arms: SortedMap<String, Lesson>,
}

/// One model's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Lesson {
    #[serde(flatten)]
    arm: Arm,
    cells: Record,
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

impl Lessons {
    fn routes(&self) -> MutexGuard<'_, SortedMap<String, Route>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, name: &str, then: impl FnOnce(&mut Route) -> T) -> T {
        let mut routes = self.routes();
        if !routes.contains_key(name) && routes.len() >= MOST_ROUTES {
            // Whoever was merged longest ago is forgotten; what is kept of it can be read again.
            let oldest = routes.iter().min_by_key(|(_, route)| route.merged_at).map(|(name, _)| name.clone());
            oldest.map(|name| routes.remove(&name));
        }
        then(routes.entry(name.to_owned()).or_default())
    }

    /// Places a call with one of two models, so that the goal is met.
    pub fn place(&self, asked: Asked<'_>, pair: Pair<'_>, goal: Goal) -> Placed {
        self.with(asked.route, |route| {
            let unknown = Arm::default();
            let arm = |name: &str| route.known.arms.get(name).map_or(&unknown, |lesson| &lesson.arm);
            let (cheap, better) =
                (arm(pair.cheap).forecast(asked.features, 0), arm(pair.strong).forecast(asked.features, 0));
            let prior = i64::from(asked.gain.clamp(-4 * ONE, 4 * ONE)) * i64::from(PRIOR_GAIN) / i64::from(ONE);
            let gain = better.share - cheap.share + prior as i32;
            let call = Call { gain, will_do: (cheap.share, better.share), cost: pair.cost };
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
            bandit::choose(&records, costs, cell, leave, route.placed)
        })
    }

    /// Learns what a model's answer to a prompt was worth, 0 to 65,536.
    pub fn learn(&self, route: &str, model: &str, features: &Features, cell: Cell, worth: i32) {
        self.with(route, |route| {
            if !route.known.arms.contains_key(model) && route.known.arms.len() >= MOST_ARMS {
                return;
            }
            let known = route.known.arms.entry(model.to_owned()).or_default();
            let lesson = known.arm.lesson(features, 0, worth);
            let fresh = route.fresh.arms.entry(model.to_owned()).or_default();
            for to in [known, fresh] {
                to.arm.add(&lesson);
                to.cells.learn(cell, worth);
            }
        });
    }

    /// How a route's models stand.
    pub fn report(&self, route: &str) -> Vec<Standing> {
        let standing = |(model, lesson): (&String, &Lesson)| Standing {
            model: model.clone(),
            outcomes: lesson.arm.count,
            worth: lesson.cells.total(),
        };
        self.with(route, |route| route.known.arms.iter().map(standing).collect())
    }

    /// Whether a route's sums should be merged with what is kept; asking takes it on.
    pub fn due(&self, route: &str, now: Timestamp) -> bool {
        self.with(route, |route| {
            let due = route.merged_at.is_none_or(|at| now.since(at) >= MERGE_AFTER || now < at);
            if due {
                route.merged_at = Some(now);
            }
            due
        })
    }

    /// Adds what was learned here to what is `kept` for all, and takes over the sum. The text is to be kept in its place;
    /// `None` when there is nothing to add. Until [`Lessons::kept`] says that it was, what is new stays new.
    pub fn merge(&self, route: &str, kept: Option<&str>) -> Option<String> {
        self.with(route, |route| {
            // A record of an older layout is begun anew.
            let mut all: State = kept.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
            all.arms.retain(|_, lesson| lesson.arm.is_sound());
            let fresh = std::mem::take(&mut route.fresh);
            route.sent.add(&fresh);
            all.add(&route.sent);
            all.arms.values_mut().filter(|lesson| lesson.arm.count > LONG_AGO).for_each(Lesson::fade);
            route.known = all;
            (!route.sent.arms.is_empty()).then(|| serde_json::to_string(&route.known).unwrap_or_default())
        })
    }

    /// What was merged is kept.
    pub fn kept(&self, route: &str) {
        self.with(route, |route| route.sent = State::default());
    }
}

impl Lesson {
    /// Lets the past count half: models and traffic change.
    fn fade(&mut self) {
        self.arm.fade();
        self.cells.discount(ONE / 2);
    }
}

impl State {
    fn add(&mut self, other: &State) {
        for (model, lesson) in &other.arms {
            if self.arms.contains_key(model) || self.arms.len() < MOST_ARMS {
                let own = self.arms.entry(model.clone()).or_default();
                own.arm.add(&lesson.arm);
                own.cells.add(&lesson.cells);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::router::learn::sample::Sample;
    use crate::router::learn::signals::PromptReader;

    const PAIR: Pair<'static> = Pair { cheap: "a:small", strong: "a:large", cost: (1_000, 20_000) };

    fn seen(text: &str) -> (Features, Cell) {
        let signals = PromptReader::built_in().unwrap().read(Sample::of(text));
        (Features::of(&signals), Cell::of(&signals.scan))
    }

    /// The small model fails at proofs; the large one never fails.
    fn teach(lessons: &Lessons, rounds: u32) {
        for round in 0..rounds {
            for (text, small) in [(format!("Prove that {round} is prime."), 0), (format!("Write poem {round}."), ONE)] {
                let (features, cell) = seen(&text);
                lessons.learn("t/r", PAIR.cheap, &features, cell, small);
                lessons.learn("t/r", PAIR.strong, &features, cell, ONE);
            }
        }
    }

    #[test]
    fn what_fails_cheaply_goes_to_the_stronger_model_and_the_goal_is_met() {
        let lessons = Lessons::default();
        teach(&lessons, 60);
        let (proof, poem) = (seen("Prove that 97 is prime.").0, seen("Write poem 9.").0);
        let mut strong = [0; 2];
        for at in 0..600 {
            let features = if at % 2 == 0 { &proof } else { &poem };
            let placed = lessons.place(Asked { route: "t/r", features, gain: 0 }, PAIR, Goal::Share(ONE * 3 / 10));
            strong[at % 2] += i32::from(placed.strong);
        }
        assert_eq!(strong[1], 0, "a poem is never worth it");
        assert!((162..=198).contains(&strong[0]), "{strong:?}");
    }

    #[test]
    fn before_anything_is_learned_the_prior_speaks() {
        let (features, lessons) = (seen("Anything").0, Lessons::default());
        let mut strong = [0; 2];
        for at in 0..600 {
            let gain = if at % 2 == 0 { 2 * ONE } else { -ONE };
            let placed = lessons.place(Asked { route: "t/r", features: &features, gain }, PAIR, Goal::Share(ONE / 2));
            assert!(placed.cheap.low < ONE / 4 && placed.cheap.high > ONE * 3 / 4, "and it says how little is known");
            strong[at % 2] += i32::from(placed.strong);
        }
        assert!(strong[0] > 280 && strong[1] < 20, "{strong:?}");
    }

    #[test]
    fn instances_come_to_know_the_same_whoever_merges_first() {
        let kept_after = |order: [usize; 2]| {
            let instances = [Lessons::default(), Lessons::default()];
            teach(&instances[0], 5);
            teach(&instances[1], 9);
            let mut kept: Option<String> = None;
            for at in order {
                kept = instances[at].merge("t/r", kept.as_deref());
                instances[at].kept("t/r");
            }
            assert_eq!(instances[order[1]].report("t/r")[0].outcomes, 28);
            // Merging again adds nothing twice.
            assert_eq!(instances[order[0]].merge("t/r", kept.as_deref()), None);
            assert_eq!(instances[order[0]].report("t/r"), instances[order[1]].report("t/r"));
            kept
        };
        assert_eq!(kept_after([0, 1]), kept_after([1, 0]));
    }

    #[test]
    fn what_could_not_be_kept_stays_new_and_a_broken_record_is_begun_anew() {
        let lessons = Lessons::default();
        teach(&lessons, 2);
        let text = lessons.merge("t/r", None).unwrap();
        assert!(text.len() < 20_000, "{}", text.len());
        teach(&lessons, 1);
        assert!(lessons.merge("t/r", Some("{\"arms\":{\"x\":{}}}")).unwrap().contains("\"count\":6"));
        assert!(
            lessons
                .merge("t/r", Some(&text.replace("\"weights\":[", "\"weights\":[0,")))
                .unwrap()
                .contains("\"count\":6")
        );
    }

    #[test]
    fn memory_is_bounded_and_merging_is_due_every_few_seconds() {
        let lessons = Lessons::default();
        let (features, cell) = seen("x");
        (0..400).for_each(|at| lessons.learn(&format!("t/{at}"), "a:b", &features, cell, ONE));
        assert!(lessons.routes().len() <= MOST_ROUTES);
        (0..40).for_each(|at| lessons.learn("t/r", &format!("a:{at}"), &features, cell, ONE));
        assert_eq!(lessons.report("t/r").len(), MOST_ARMS);
        assert!(lessons.due("t/r", Timestamp(1_000)));
        assert!(!lessons.due("t/r", Timestamp(5_999)));
        assert!(lessons.due("t/r", Timestamp(6_000)));
        assert!(lessons.due("t/r", Timestamp(10)), "a clock that jumped back does not stop it");
    }
}
