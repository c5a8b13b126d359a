//! The real Durable Object, on workerd, against the specifications of the ledger and of a shelf.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use futures_util::FutureExt;
use signalbox::gateway::ledger::spec::{check, commands, compare, scenarios};
use signalbox::gateway::ledger::*;
use signalbox::records;
use signalbox::units::{Millis, NanoUsd, Timestamp};
use signalbox_tests::suite::tenant::{Object, Objects};
use std::sync::OnceLock;
use std::time::SystemTime;

fn objects() -> &'static Objects {
    static OBJECTS: OnceLock<Objects> = OnceLock::new();
    OBJECTS.get_or_init(|| Objects::start().unwrap())
}

fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp(u64::try_from(since_epoch.as_millis()).unwrap())
}

#[test]
fn the_object_tells_every_scenario_as_specified() {
    for (at, scenario) in scenarios().into_iter().enumerate() {
        let mut object = objects().object(format!("scenario-{at}"));
        assert_eq!(check(&scenario, &mut object).now_or_never().unwrap(), Ok(()));
    }
}

#[test]
fn the_object_answers_mixed_traffic_as_the_machine_in_memory_does() {
    for seed in 0..4 {
        let mut object = objects().object(format!("traffic-{seed}"));
        let told = compare(commands(seed, 300), &mut Ledger::new(), &mut object).now_or_never().unwrap();
        assert_eq!(told, Ok(()), "seed {seed}");
    }
}

#[test]
fn the_object_keeps_a_shelf_as_specified() {
    for seed in 0..3 {
        let mut object = objects().object(format!("shelf-{seed}"));
        let told = records::spec::check(&mut object, seed, 200, now()).now_or_never().unwrap();
        assert_eq!(told, Ok(()), "seed {seed}");
    }
}

fn admit(id: &str, lease: u64) -> Command {
    let window = Window::at(Period::Total, now());
    Command::Admit(Admit {
        id: ReservationId(id.into()),
        now: now(),
        lease: Millis(lease),
        most: NanoUsd(60),
        least: NanoUsd(60),
        budgets: vec![BudgetLine { scope: "team:a".into(), window, limit: NanoUsd(100), hard: true }],
        rates: vec![],
        note: String::new(),
    })
}

/// What stands in the books at an instant long past: the question itself moves nothing.
fn books(object: &Object) -> (u64, u64, u64) {
    let report = Command::Report(Report { scope: "team:a".into(), all: false, now: Timestamp(1) });
    let replies = object.perform(&[report]).unwrap();
    let [Reply::Report(standings)] = replies.as_slice() else { panic!("{replies:?}") };
    standings.first().map_or((0, 0, 0), |s| (s.posted.0, s.held.0, s.unconfirmed.0))
}

#[test]
fn a_lease_ends_by_the_objects_alarm_without_any_traffic() {
    let object = objects().object("alarm");
    // The second lease ends earlier than the alarm that was set for the first.
    object.perform(&[admit("long", 600_000)]).unwrap();
    let denied = object.perform(&[admit("other", 1_000)]).unwrap();
    assert!(matches!(denied[0], Reply::Verdict(Verdict::Denied(Denial::Budget(_)))));
    assert_eq!(books(&object), (0, 60, 0));
    let short = objects().object("alarm-short");
    short.perform(&[admit("long", 600_000)]).unwrap();
    let settle =
        Settle { id: ReservationId("long".into()), now: now(), amount: NanoUsd(10), tokens: None, charge: vec![] };
    short.perform(&[Command::Settle(settle), admit("short", 1_500)]).unwrap();
    assert_eq!(books(&short), (10, 60, 0));
    objects().sleep(6_000).unwrap();
    assert_eq!(books(&short), (10, 0, 60), "the alarm moved the lease to unconfirmed");
    assert_eq!(books(&object), (0, 60, 0));
}
