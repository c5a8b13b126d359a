//! The real Durable Object, on workerd, against the specifications of the ledger and of a shelf.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use futures_util::FutureExt;
use signalbox::gateway::ledger::escrow::{Escrow, Purse, Slice};
use signalbox::gateway::ledger::spec::{check, commands, compare, lending, lending_commands, scenarios};
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
    for (at, scenario) in scenarios().into_iter().chain(lending()).enumerate() {
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
        let mut object = objects().object(format!("lending-{seed}"));
        let told = compare(lending_commands(seed, 300), &mut Ledger::new(), &mut object).now_or_never().unwrap();
        assert_eq!(told, Ok(()), "seed {seed}, lending");
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
        slice: 0,
        now: now(),
        lease: Millis(lease),
        most: NanoUsd(60),
        least: NanoUsd(60),
        budgets: vec![BudgetLine { scope: "team:a".into(), window, limit: NanoUsd(100), hard: true }],
        rates: vec![],
        note: String::new(),
        escrowed: false,
        share: 0,
        calls: 0,
        enough: NanoUsd::ZERO,
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
    let settle = Settle {
        id: ReservationId("long".into()),
        now: now(),
        amount: NanoUsd(10),
        tokens: None,
        charge: vec![],
        of: None,
    };
    short.perform(&[Command::Settle(settle), admit("short", 1_500)]).unwrap();
    assert_eq!(books(&short), (10, 60, 0));
    objects().sleep(6_000).unwrap();
    assert_eq!(books(&short), (10, 0, 60), "the alarm moved the lease to unconfirmed");
    assert_eq!(books(&object), (0, 60, 0));
}

/// What an object answers to one command.
fn told(object: &Object, command: Command) -> Reply {
    object.perform(&[command]).unwrap().remove(0)
}

#[test]
fn shards_admit_what_they_were_lent_give_back_the_rest_and_add_up_to_their_lenders_books() {
    let window = Window::at(Period::Total, now());
    let line = BudgetLine { scope: "team:a".into(), window, limit: NanoUsd(1_000), hard: true };
    let charge = Charge { scope: "team:a".into(), window };
    let lender = objects().object("lender");
    let names = ["shard-0", "shard-1", "shard-2", "shard-3"];
    let purse = |name: &str, lent: Option<Slice>, heard: Vec<u64>, spare: bool| {
        let escrow = Escrow { charge: charge.clone(), now: now(), lent, heard, spare, lost: false };
        let Reply::Purse(purse) = told(&objects().object(name), Command::Escrow(escrow)) else { panic!("no purse") };
        purse
    };
    let call = |name: &str, number: u64| Admit {
        id: ReservationId(format!("{name}-{number}")),
        escrowed: true,
        share: 0,
        enough: NanoUsd::ZERO,
        note: String::new(),
        ..Purse::default().draw(name, &line, NanoUsd(60), NanoUsd(60), now())
    };
    let mut calls = Vec::new();
    for name in names {
        // Nothing is lent yet.
        let refused = told(&objects().object(name), Command::Admit(call(name, 99)));
        assert!(matches!(refused, Reply::Verdict(Verdict::Denied(Denial::Budget(_)))), "{refused:?}");
        let draw = purse(name, None, vec![], false).draw(name, &line, NanoUsd(300), NanoUsd(1), now());
        let Reply::Verdict(Verdict::Admitted(Admission { granted, .. })) = told(&lender, Command::Admit(draw)) else {
            panic!("nothing lent to {name}")
        };
        let lent = Slice { number: 0, amount: granted };
        // The news may come twice.
        purse(name, Some(lent), vec![], false);
        assert_eq!(purse(name, Some(lent), vec![], false).lent(), granted);
        for number in 0..9 {
            if let Reply::Verdict(Verdict::Admitted(_)) =
                told(&objects().object(name), Command::Admit(call(name, number)))
            {
                calls.push((name, number));
            }
        }
    }
    // Three were lent 300, the last what was left.
    assert_eq!(calls.len(), 5 + 5 + 5 + 1);
    assert_eq!(books(&lender), (0, 1_000, 0));
    for (name, number) in &calls {
        let id = call(name, *number).id;
        let settle = Settle { id, now: now(), amount: NanoUsd(40), tokens: None, charge: vec![], of: None };
        told(&objects().object(*name), Command::Settle(settle));
    }
    for name in names {
        let purse = purse(name, None, vec![], true);
        for end in purse.ends(name, &charge, now()).into_iter().map(Command::Settle) {
            told(&lender, end.clone());
            told(&lender, end);
        }
    }
    assert_eq!(books(&lender), (16 * 40, 0, 0));
    let shards: u64 = names.iter().map(|name| books(&objects().object(*name)).0).sum();
    assert_eq!(shards, 16 * 40);
}
