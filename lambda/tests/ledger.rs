//! The ledger over DynamoDB told the same stories as the machine in memory, then by many at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use signalbox::error::{ApiError, Code};
use signalbox::gateway::ledger::spec::{check, commands, compare, scenarios};
use signalbox::gateway::ledger::*;
use signalbox::units::{Millis, NanoUsd, Timestamp};
use signalbox_lambda::store::DynamoLedger;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const NOW: Timestamp = Timestamp(1_791_206_055_000);

#[tokio::test]
async fn every_scenario_is_told_as_specified() {
    let store = support::store(&support::database().await);
    for (at, scenario) in scenarios().iter().enumerate() {
        assert_eq!(check(scenario, &mut store.ledger(format!("tenant-{at}"))).await, Ok(()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mixed_traffic_is_answered_as_by_the_machine() {
    let store = support::store(&support::database().await);
    for seed in 0..10 {
        let mut ledger = store.ledger(format!("tenant-{seed}"));
        let told = compare(commands(seed, 400), &mut Ledger::new(), &mut ledger).await;
        assert_eq!(told, Ok(()), "seed {seed}");
    }
}

/// Faults 23 and 24: throttled, in conflict, or carried out without an answer, the books are the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fails_every_few_requests_gives_the_same_answers() {
    let connection = support::database().await;
    for every in [3, 4, 9] {
        let (store, faults) = support::faulty_store(&connection, every);
        for seed in 0..3 {
            let mut ledger = store.ledger(format!("tenant-{every}-{seed}"));
            let told = compare(commands(100 + seed, 150), &mut Ledger::new(), &mut ledger).await;
            assert_eq!(told, Ok(()), "every {every}, seed {seed}");
        }
        assert!(faults.load(Ordering::Relaxed) > 100);
    }
}

/// Fault 23.
#[tokio::test]
async fn a_store_that_never_answers_admits_nothing() {
    let (store, faults) = support::faulty_store(&support::database().await, 1);
    let refused = store.ledger("t").admit(&admit("a".into(), NOW, 1, 1, 100)).await.unwrap_err();
    assert!(faults.load(Ordering::Relaxed) >= 10);
    assert_eq!(ApiError::from(refused).code, Code::LimiterUnavailable);
}

fn window() -> Window {
    Window::at(Period::Month, NOW)
}

fn admit(id: String, now: Timestamp, most: u64, least: u64, limit: u64) -> Admit {
    Admit {
        id: ReservationId(id),
        slice: 0,
        now,
        lease: Millis(600_000),
        most: NanoUsd(most),
        least: NanoUsd(least),
        budgets: vec![BudgetLine { scope: "team:a".into(), window: window(), limit: NanoUsd(limit), hard: true }],
        rates: vec![],
        note: String::new(),
        escrowed: false,
        share: 0,
        calls: 0,
        enough: NanoUsd::ZERO,
    }
}

fn settle(id: String, now: Timestamp, amount: u64) -> Settle {
    let charge = vec![Charge { scope: "team:a".into(), window: window() }];
    Settle { id: ReservationId(id), now, amount: NanoUsd(amount), tokens: None, charge, of: None }
}

async fn books(ledger: &DynamoLedger, now: Timestamp) -> (u64, u64, u64) {
    let standings = ledger.report(&Report { scope: "team:a".into(), all: false, now }).await.unwrap();
    standings.first().map_or((0, 0, 0), |s| (s.posted.0, s.held.0, s.unconfirmed.0))
}

/// 10,000 calls (2,000 where nothing is optimised), 64 in flight, from 8 processes that share nothing
/// but the table. `SIGNALBOX_CALLS` says otherwise.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_at_once_spend_a_hard_budget_to_the_last_nano_dollar() {
    let wanted = std::env::var("SIGNALBOX_CALLS").ok().and_then(|calls| calls.parse().ok());
    let calls: u64 = wanted.unwrap_or(if cfg!(debug_assertions) { 2_000 } else { 10_000 });
    // Enough for about half of what is wanted.
    let limit = calls * 25 + 3;
    let connection = support::database().await;
    let processes: Vec<DynamoLedger> = (0..8).map(|_| support::patient_store(&connection).ledger("t")).collect();
    let (next, spent, admitted) =
        (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let began = std::time::Instant::now();
    let workers: Vec<_> = (0..64)
        .map(|worker| {
            let ledger = processes[worker % processes.len()].clone();
            let (next, spent, admitted) = (next.clone(), spent.clone(), admitted.clone());
            tokio::spawn(async move {
                loop {
                    let call = next.fetch_add(1, Ordering::Relaxed);
                    if call >= calls {
                        return;
                    }
                    let (id, now) = (format!("call-{call}"), NOW + Millis(call / 10));
                    let wanted = 50 + call % 101;
                    match ledger.admit(&admit(id.clone(), now, wanted, 1, limit)).await.unwrap() {
                        Verdict::Admitted(admission) => {
                            assert!(admission.granted.0 <= wanted);
                            admitted.fetch_add(1, Ordering::Relaxed);
                            // Some use all of it, some part, some nothing.
                            let used = admission.granted.0 * (call % 4) / 3;
                            spent.fetch_add(used, Ordering::Relaxed);
                            assert_eq!(ledger.settle(&settle(id, now, used)).await.unwrap().posted.0, used);
                            if call % 7 == 0 {
                                assert!(
                                    ledger.settle(&settle(format!("call-{call}"), now, used)).await.unwrap().already
                                );
                            }
                        }
                        Verdict::Denied(denial) => assert!(matches!(denial, Denial::Budget(_)), "{denial:?}"),
                    }
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    let elapsed = began.elapsed();
    let spent = spent.load(Ordering::Relaxed);
    println!("{calls} calls in {elapsed:?}, {} admitted, spent {spent} of {limit}", admitted.load(Ordering::Relaxed));
    assert_eq!(books(&processes[0], NOW).await, (spent, 0, 0));
    // What is left is what the last ones in flight held and did not use, with nobody after them to ask for it. It is
    // neither more nor less than the limit lacks: one caller alone gets exactly that, and the next one nothing.
    assert!(spent <= limit, "{spent} of {limit}");
    let left = limit - spent;
    if left > 0 {
        let Verdict::Admitted(rest) = processes[1].admit(&admit("rest".into(), NOW, limit, 1, limit)).await.unwrap()
        else {
            panic!("{left} are left and were refused");
        };
        assert_eq!(rest.granted.0, left);
        processes[2].settle(&settle("rest".into(), NOW, left)).await.unwrap();
    }
    assert_eq!(books(&processes[0], NOW).await, (limit, 0, 0));
    let refused = processes[3].admit(&admit("over".into(), NOW, 1, 1, limit)).await.unwrap();
    assert!(matches!(refused, Verdict::Denied(Denial::Budget(_))), "{refused:?}");
}

/// Fault 15.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_at_once_a_budget_for_ten_admits_ten() {
    let connection = support::database().await;
    let calls: Vec<_> = (0..50)
        .map(|call| {
            let ledger = support::store(&connection).ledger("t");
            tokio::spawn(async move { ledger.admit(&admit(format!("{call}"), NOW, 7, 7, 70)).await.unwrap() })
        })
        .collect();
    let mut admitted = 0;
    for call in calls {
        admitted += u32::from(matches!(call.await.unwrap(), Verdict::Admitted(_)));
    }
    assert_eq!(admitted, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_shared_by_many_processes_admits_its_limit() {
    let connection = support::database().await;
    let calls: Vec<_> = (0..100)
        .map(|call| {
            let ledger = support::store(&connection).ledger("t");
            let rates = vec![RateLine {
                scope: "team:a".into(),
                kind: RateKind::Requests,
                per: Millis(60_000),
                limit: 30,
                cost: 1,
            }];
            let admit = Admit { rates, budgets: vec![], ..admit(format!("{call}"), NOW, 0, 0, 0) };
            tokio::spawn(async move { ledger.admit(&admit).await.unwrap() })
        })
        .collect();
    let mut admitted = 0;
    for call in calls {
        admitted += u32::from(matches!(call.await.unwrap(), Verdict::Admitted(_)));
    }
    assert_eq!(admitted, 30);
}

#[tokio::test]
async fn a_reservation_is_settled_by_a_process_that_did_not_make_it() {
    let connection = support::database().await;
    let (one, other) = (support::store(&connection).ledger("t"), support::store(&connection).ledger("t"));
    one.admit(&admit("a".into(), NOW, 60, 60, 100)).await.unwrap();
    let settled = other.settle(&settle("a".into(), NOW, 20)).await.unwrap();
    assert_eq!(settled, Settled { posted: NanoUsd(20), overdraft: false, already: false });
    assert!(one.settle(&settle("a".into(), NOW, 60)).await.unwrap().already);
    assert_eq!(books(&one, NOW).await, (20, 0, 0));
}

#[tokio::test]
async fn tenants_do_not_share_books() {
    let store = support::store(&support::database().await);
    for tenant in ["a", "a#books", "ab"] {
        let verdict = store.ledger(tenant).admit(&admit("x".into(), NOW, 100, 100, 100)).await.unwrap();
        assert!(matches!(verdict, Verdict::Admitted(_)));
    }
}
