//! A route on records whose truth is known.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::router::tests::router;

fn pair() -> Pair {
    Pair { models: ["a:small".into(), "a:large".into()], cost: [1_000, 20_000] }
}

/// The small model fails at proofs, the large one never does; of every second record one outcome alone is known.
fn records(count: usize, whole: bool) -> Vec<Record> {
    let reader = PromptReader::built_in().unwrap();
    let record = |at: usize| {
        let proof = at.is_multiple_of(3);
        let prompt =
            if proof { format!("Prove that {at} is prime.") } else { format!("Write poem {at} about the sea.") };
        let mut outcomes = json!({ "a:small": if proof { 0.0 } else { 1.0 }, "a:large": 1.0 });
        if !whole && at.is_multiple_of(2) {
            outcomes.as_object_mut().unwrap().remove(if at.is_multiple_of(4) { "a:small" } else { "a:large" });
        }
        Record::read(&json!({ "prompt": prompt, "outcomes": outcomes }), &pair(), &reader).unwrap()
    };
    (0..count).map(record).collect()
}

#[test]
fn on_records_that_can_be_told_apart_little_strong_work_recovers_the_gap() {
    for whole in [true, false] {
        let told = report(&records(300, whole), &pair(), Goal::Quality(0.95));
        assert_eq!(told["enough"], true);
        let apgr = told["apgr"]["estimate"].as_f64().unwrap();
        assert!(apgr > 0.75, "{whole}: {told}");
        let between = told["apgr"]["between"].as_array().unwrap();
        assert!(between[0].as_f64() <= Some(apgr) && Some(apgr) <= between[1].as_f64(), "{told}");
        let share = told["at_goal"]["strong_share"]["estimate"].as_f64().unwrap();
        assert!((0.2..0.5).contains(&share), "{told}");
        assert!(told["at_goal"]["saved_share"]["estimate"].as_f64().unwrap() > 0.5, "{told}");
    }
}

#[test]
fn a_share_and_a_cost_are_taken_at_their_word() {
    let records = records(120, true);
    let told = report(&records, &pair(), Goal::StrongShare(0.3));
    assert_eq!(told["at_goal"]["strong_share"]["estimate"], 0.3);
    assert_eq!(told["at_goal"]["saved_share"]["estimate"], 0.665);
    let told = report(&records, &pair(), Goal::PerCall(NanoUsd(10_500)));
    assert_eq!(told["at_goal"]["strong_share"]["estimate"], 0.5);
    let told = report(&records, &pair(), Goal::PerCall(NanoUsd(10)));
    assert_eq!(told["at_goal"]["strong_share"]["estimate"], Value::Null, "nothing is as cheap");
}

#[test]
fn few_records_and_models_that_are_as_good_claim_nothing() {
    let told = report(&records(10, true), &pair(), Goal::StrongShare(0.3));
    assert_eq!(told["enough"], false);
    let told = report(&[], &pair(), Goal::StrongShare(0.3));
    assert_eq!((told["records"].clone(), told["apgr"]["estimate"].clone()), (json!(0), Value::Null));
    let same = records(60, true).into_iter().map(|record| Record { worth: [Some(ONE); 2], ..record });
    let told = report(&same.collect::<Vec<_>>(), &pair(), Goal::StrongShare(0.3));
    assert_eq!(told["apgr"]["estimate"], Value::Null, "{told}");
}

#[test]
fn what_is_no_record_is_none() {
    let reader = PromptReader::built_in().unwrap();
    for broken in [
        json!(null),
        json!({ "prompt": "x" }),
        json!({ "prompt": "x", "outcomes": {} }),
        json!({ "prompt": "x", "outcomes": { "a:small": 1.5 } }),
        json!({ "prompt": "x", "outcomes": { "b:other": 1 } }),
        json!({ "model": "a:small", "score": 1 }),
    ] {
        assert!(Record::read(&broken, &pair(), &reader).is_none(), "{broken}");
    }
}

#[test]
fn an_administrators_ask_is_held_to_a_route_that_learns_and_to_one_goal() {
    let router = router(
        "[routes.picks]\nstrategy = \"learned\"\ncandidates = [\"openai:cheap\", \"openai:dear\"]\n[routes.plain]\ncandidates = [\"openai:cheap\"]",
    );
    let records: Vec<Value> = (0..60)
        .map(|at| json!({ "prompt": format!("Prove {at}."), "outcomes": { "openai:cheap": 0, "openai:dear": 1 } }))
        .collect();
    let told = router
        .calibrate(
            &json!({ "team": "payments", "route": "picks", "records": records, "learn": true, "min_quality": 0.5 }),
        )
        .unwrap();
    assert_eq!((told["records"].clone(), told["goal"].clone()), (json!(60), json!({ "min_quality": 0.5 })));
    assert_eq!(router.lessons().report("payments/picks").len(), 2, "and the route has learned from them");
    for wrong in [
        json!({ "team": "t", "route": "plain" }),
        json!({ "team": "t", "route": "none" }),
        json!({ "team": "t", "route": "picks", "strong_share": 1.5 }),
        json!({ "team": "t", "route": "picks", "strong_share": "x" }),
        json!({ "team": "t", "route": "picks", "strong_share": 0.5, "min_quality": 0.5 }),
    ] {
        assert!(router.calibrate(&wrong).is_err(), "{wrong}");
    }
}
