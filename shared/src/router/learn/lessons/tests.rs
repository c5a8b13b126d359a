//! What several instances learn together, and what a route remembers.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::state::MOST_ARMS;
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
        lessons.merge("t/r", Some(&text.replace("\"weights\":[", "\"weights\":[0,"))).unwrap().contains("\"count\":6")
    );
}

#[test]
fn memory_is_bounded() {
    let lessons = Lessons::default();
    let (features, cell) = seen("x");
    (0..400).for_each(|at| lessons.learn(&format!("t/{at}"), "a:b", &features, cell, ONE));
    assert!(lessons.lock().routes.len() <= MOST_ROUTES);
    (0..40).for_each(|at| lessons.learn("t/r", &format!("a:{at}"), &features, cell, ONE));
    assert_eq!(lessons.report("t/r").len(), MOST_ARMS);
}

#[test]
fn processes_that_see_one_call_each_meet_a_share_together() {
    let features = seen("x").0;
    let strong = (0..1_000).filter(|n| {
        let asked = Asked { route: "t/r", features: &features, gain: n * 37 - 9_000 };
        Lessons::default().place(asked, PAIR, Goal::Share(ONE * 3 / 10)).strong
    });
    let strong = strong.count();
    assert!((270..=330).contains(&strong), "{strong}");
}

#[test]
fn who_learns_just_now_is_not_the_one_that_is_forgotten() {
    let lessons = Lessons::default();
    let (features, cell) = seen("x");
    let learn = |route: &str| lessons.learn(route, "a:b", &features, cell, ONE);
    (0..MOST_ROUTES).for_each(|at| learn(&format!("t/{at}")));
    (0..MOST_ROUTES as u64)
        .for_each(|at| lessons.due(Timestamp(at * 2_000)).iter().for_each(|route| lessons.merged(route)));
    ["t/new", "t/newer"].into_iter().for_each(learn);
    assert_eq!((lessons.report("t/new").len(), lessons.lock().routes.len()), (1, MOST_ROUTES));
}

#[test]
fn merging_is_due_every_few_seconds_a_few_routes_at_a_time_and_only_where_there_is_traffic() {
    let lessons = Lessons::default();
    let due = |now| lessons.due(Timestamp(now)).len();
    (0..6).for_each(|at| lessons.called(&format!("t/{at}"), "a:b", 0));
    assert_eq!((due(1_000), due(1_999), due(2_000), due(9_000)), (ROUND, 0, 2, 0), "six routes, four at a time");
    (0..6).for_each(|at| lessons.called(&format!("t/{at}"), "a:b", 0));
    assert_eq!(due(10_000), 0, "those that are being merged are not merged twice");
    (0..6).for_each(|at| lessons.merged(&format!("t/{at}")));
    assert_eq!((due(11_000), due(12_000)), (ROUND, 2));
    lessons.called("t/0", "a:b", 0);
    assert_eq!(due(10), 1, "a clock that jumped back does not stop it");
}

#[test]
fn what_a_bandit_forgoes_is_added_up_and_merged_like_the_rest() {
    let lessons = Lessons::default();
    teach(&lessons, 300);
    let (_, cell) = seen("Prove that 97 is prime.");
    let models = [PAIR.cheap.to_owned(), PAIR.strong.to_owned()];
    let leave = Leave { settled: false, exploration: ONE };
    for _ in 0..400 {
        lessons.choose("t/r", &models, &[0, 0], cell, leave);
    }
    let text = lessons.merge("t/r", None).unwrap();
    lessons.kept("t/r");
    let elsewhere = Lessons::default();
    assert_eq!(elsewhere.merge("t/r", Some(&text)), None, "there is nothing to add");
    let reports = elsewhere.reports();
    assert_eq!((reports[0].chosen.calls, reports[0].route.as_str()), (400, "t/r"));
    assert_eq!(reports[0].chosen, lessons.reports()[0].chosen);
    assert!(reports[0].chosen.forgone < 400 * ONE as u64 / 50, "of four hundred tries few are dear");
}

#[test]
fn a_model_whose_calls_go_wrong_is_worth_less_than_one_that_is_as_good_and_answers() {
    let lessons = Lessons::default();
    let (features, cell) = seen("Write a poem.");
    let models = [PAIR.cheap.to_owned(), PAIR.strong.to_owned()];
    for _ in 0..600 {
        models.iter().for_each(|model| lessons.learn("t/r", model, &features, cell, ONE));
        lessons.called("t/r", PAIR.cheap, ONE / 4);
        lessons.called("t/r", PAIR.strong, 0);
    }
    let leave = Leave { settled: true, exploration: 0 };
    assert_eq!(lessons.choose("t/r", &models, &[0, 0], cell, leave).arm, 1);
}
