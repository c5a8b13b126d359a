//! Health over time: what opens a circuit, what closes it, what is heard of others.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::router::Circuit;

fn id(text: &str) -> ModelId {
    ModelId::parse(text).unwrap()
}

fn outcome(model: &str, at: u64, met: Met) -> Outcome {
    Outcome {
        model: id(model),
        at: Timestamp(at),
        met,
        ttft: Some(Millis(100)),
        took: Millis(100),
        tokens_in: 0,
        tokens_out: 1,
        session: None,
        headroom_permille: None,
        rest: None,
    }
}

const A: &str = "openai:a";
const OUTAGE: Met = Met::Failed(Cause::Outage, None);

fn call(health: &Health, model: &str, at: u64, met: Met) {
    health.begin(&id(model), true, Timestamp(at));
    health.observe(&outcome(model, at, met));
}

fn standing(health: &Health, model: &str, at: u64) -> Standing {
    health.view(&[id(model)], None, None, Timestamp(at)).of(&id(model))
}

#[test]
fn a_circuit_opens_after_failures_in_a_row_and_half_opens_in_time() {
    let health = Health::default();
    for at in 0..4 {
        call(&health, A, at, OUTAGE);
    }
    assert_eq!(standing(&health, A, 4).circuit, Circuit::Closed);
    call(&health, A, 5, OUTAGE);
    let open = standing(&health, A, 6);
    assert_eq!((open.circuit, open.retry_at), (Circuit::Open, Some(Timestamp(3_005))));
    assert_eq!(standing(&health, A, 3_005).circuit, Circuit::HalfOpen);
}

#[test]
fn fault_95_of_a_thousand_who_wait_for_a_half_open_circuit_exactly_one_may_call() {
    let health = Health::default();
    (0..5).for_each(|at| call(&health, A, at, OUTAGE));
    let admitted = (0..1_000).filter(|n| health.begin(&id(A), false, Timestamp(5_000 + n / 100))).count();
    assert_eq!(admitted, 1);
    health.observe(&outcome(A, 5_100, Met::Answered));
    assert_eq!(standing(&health, A, 5_100).circuit, Circuit::Closed);
    assert!(health.begin(&id(A), false, Timestamp(5_101)));
}

#[test]
fn a_probe_that_fails_opens_it_for_longer_and_one_that_is_abandoned_for_no_time() {
    let health = Health::default();
    (0..5).for_each(|at| call(&health, A, at, OUTAGE));
    assert!(health.begin(&id(A), false, Timestamp(4_000)));
    health.observe(&outcome(A, 4_000, OUTAGE));
    assert_eq!(standing(&health, A, 4_001).retry_at, Some(Timestamp(10_000)), "twice as long");
    assert!(health.begin(&id(A), false, Timestamp(10_000)));
    health.observe(&outcome(A, 10_001, Met::Blameless));
    assert_eq!(standing(&health, A, 10_002).circuit, Circuit::HalfOpen);
}

#[test]
fn half_of_many_failing_opens_it_too_though_never_in_a_row() {
    let health = Health::default();
    for at in 0..10 {
        call(&health, A, at, if at % 2 == 0 { Met::Answered } else { OUTAGE });
    }
    assert_eq!(standing(&health, A, 12).circuit, Circuit::Open);
}

#[test]
fn fault_40_who_asks_for_rest_is_left_alone_for_so_long_and_a_success_ends_it() {
    let health = Health::default();
    call(&health, A, 1_000, Met::Failed(Cause::RateLimit, Some(Millis(5_000))));
    assert_eq!(standing(&health, A, 5_999).cooling_until, Some(Timestamp(6_000)));
    assert_eq!(standing(&health, A, 6_000).cooling_until, None);
    assert_eq!(standing(&health, A, 1_001).circuit, Circuit::Closed, "a limit is no outage");
    call(&health, A, 7_000, Met::Failed(Cause::RateLimit, Some(Millis(5_000))));
    call(&health, A, 7_001, Met::Answered);
    assert_eq!(standing(&health, A, 7_002).cooling_until, None);
}

#[test]
fn fault_41_a_spent_quota_rests_the_key_for_every_model_of_its_provider() {
    let health = Health::default();
    call(&health, A, 1_000, Met::Failed(Cause::Quota, None));
    assert!(standing(&health, "openai:b", 1_001).cooling_until.is_some());
    assert!(standing(&health, "anthropic:b", 1_001).cooling_until.is_none());
}

#[test]
fn fault_94_retries_are_a_fifth_of_the_calls_and_a_minimum() {
    let health = Health::default();
    let mut retries = 0;
    for at in 0..60_000 {
        health.begin(&id(A), true, Timestamp(at));
        health.observe(&outcome(A, at, OUTAGE));
        retries += u64::from(health.may_retry(&id(A), true, Timestamp(at)));
    }
    assert!((10_000..12_100).contains(&retries), "{retries}");
    let quiet = Health::default();
    let burst = (0..50).filter(|_| quiet.may_retry(&id(A), true, Timestamp(1_000))).count();
    assert_eq!(burst, 10);
    assert!(quiet.may_retry(&id(A), true, Timestamp(3_000)), "one more each second");
}

#[test]
fn a_peak_is_believed_at_once_and_forgotten_slowly() {
    let health = Health::default();
    let slow = |at, ms| Outcome { ttft: Some(Millis(ms)), took: Millis(ms), ..outcome(A, at, Met::Answered) };
    health.observe(&slow(1_000, 100));
    health.observe(&slow(2_000, 2_000));
    assert_eq!(standing(&health, A, 2_000).ttft_ms, Some(2_000));
    health.observe(&slow(3_000, 100));
    let after = standing(&health, A, 3_000).ttft_ms.unwrap();
    assert!((1_500..2_000).contains(&after), "{after}");
    let idle = standing(&health, A, 603_000).ttft_ms.unwrap();
    assert!(idle < 200, "who was slow must be asked again some day: {idle}");
}

#[test]
fn fault_89_a_clock_that_jumps_back_breaks_nothing() {
    let health = Health::default();
    (0..5).for_each(|at| call(&health, A, 1_000_000 + at, OUTAGE));
    call(&health, A, 5, Met::Answered);
    assert_eq!(standing(&health, A, 6).circuit, Circuit::Closed);
    assert!(health.may_retry(&id(A), true, Timestamp(5)));
    health.due(Timestamp(1_000_000));
    assert!(health.due(Timestamp(5)).read, "a jump back does not silence it");
}

#[test]
fn fault_89_what_a_clock_said_that_jumped_back_keeps_nobody_out() {
    let hour = 3_600_000;
    let (open, probed, cooling, other) = (Health::default(), Health::default(), Health::default(), Health::default());
    for health in [&open, &probed] {
        (0..5).for_each(|at| call(health, A, hour + at, OUTAGE));
    }
    assert!(probed.begin(&id(A), false, Timestamp(hour + 10_000)), "one finds out");
    assert_eq!(standing(&open, A, 1_000).circuit, Circuit::HalfOpen);
    assert_eq!(standing(&probed, A, 1_000).circuit, Circuit::HalfOpen);
    call(&cooling, A, hour, Met::Failed(Cause::RateLimit, Some(Millis(5_000))));
    assert_eq!(standing(&cooling, A, 1_000).cooling_until, None);
    other.hear([open.snapshot(Timestamp(hour + 10)).as_str()].into_iter(), Timestamp(1_000));
    assert_eq!(standing(&other, A, 1_000).circuit, Circuit::Closed, "news from the future is none");
}

#[test]
fn the_fleet_hears_of_an_outage_and_an_own_answer_refutes_it() {
    let (one, other) = (Health::default(), Health::default());
    (0..5).for_each(|at| call(&one, A, 1_000 + at, OUTAGE));
    assert!(one.due(Timestamp(1_010)).write);
    let snapshot = one.snapshot(Timestamp(1_010));
    other.hear([snapshot.as_str(), "nonsense", "{}"].into_iter(), Timestamp(1_500));
    let heard = other.view(&[id(A)], None, None, Timestamp(1_600));
    assert_eq!(heard.of(&id(A)).circuit, Circuit::Open);
    assert_eq!(heard.health_age_ms, Some(Millis(100)));
    assert_eq!(standing(&other, A, 4_100).circuit, Circuit::Closed, "who opened it finds out");
    call(&other, A, 1_700, Met::Answered);
    assert_eq!(standing(&other, A, 1_800).circuit, Circuit::Closed, "it answers here");
    let stale = Health::default();
    stale.hear([snapshot.as_str()].into_iter(), Timestamp(60_000));
    assert_eq!(standing(&stale, A, 60_000).circuit, Circuit::Closed, "old news is none");
}

#[test]
fn at_most_one_write_a_second_and_one_read_in_two() {
    let health = Health::default();
    let (mut reads, mut writes) = (0, 0);
    for at in 0..10_000 {
        call(&health, A, at, Met::Failed(Cause::RateLimit, Some(Millis(1))));
        let due = health.due(Timestamp(at));
        reads += u32::from(due.read);
        writes += u32::from(due.write);
    }
    assert!(reads <= 5 && writes <= 10, "{reads} {writes}");
    assert!(!Health::default().due(Timestamp(0)).write, "nothing happened");
}

#[test]
fn a_session_is_warm_where_it_was_answered_last_for_a_while() {
    let health = Health::default();
    let answered = Outcome { session: Some("t\ns".into()), tokens_in: 500, ..outcome(A, 1_000, Met::Answered) };
    health.observe(&answered);
    let warm = |at| health.view(&[], Some("t\ns"), None, Timestamp(at)).warm;
    assert_eq!(warm(2_000).unwrap(), crate::router::Warm { model: A.to_owned(), tokens: 501 });
    assert_eq!(warm(400_000), None);
    assert_eq!(health.view(&[], Some("u\ns"), None, Timestamp(2_000)).warm, None);
}

#[test]
fn inventing_models_does_not_grow_the_memory_without_bound() {
    let health = Health::default();
    for n in 0..3_000 {
        call(&health, &format!("openai:m{n}"), n, Met::Answered);
    }
    assert!(health.lock().upstreams.len() <= CAPACITY);
    assert!(health.snapshot(Timestamp(3_000)).len() < 32_000);
}
