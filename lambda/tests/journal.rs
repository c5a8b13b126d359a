//! A tenant's journal in the table, with many processes at its end: every record once, in one chain, whoever ends when.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use futures_util::future::{join_all, select};
use signalbox::gateway::journal::{Entry, Walk, line_prefix, shelf};
use signalbox::records::Range;
use signalbox::units::{Millis, Timestamp};
use signalbox_lambda::store::Store;
use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

const NOW: Timestamp = Timestamp(1_791_206_055_000);

fn entry(id: &str, team: &str) -> Entry {
    let record = serde_json::json!({ "event": "request", "request_id": id, "team": team, "cost_nano_usd": 7 });
    Entry { team: team.to_owned(), id: id.to_owned(), record: record.to_string(), days: 30, shard: None }
}

async fn lines(store: &Store, team: &str) -> Vec<String> {
    let range = Range { prefix: line_prefix(team), limit: usize::MAX, ..Range::default() };
    let records = store.list_records(&shelf("t"), &range, NOW).await.unwrap();
    records.into_iter().map(|record| record.value).collect()
}

async fn waiting(store: &Store) -> usize {
    let range = Range { prefix: "o/".to_owned(), limit: usize::MAX, ..Range::default() };
    store.list_records(&shelf("t"), &range, NOW).await.unwrap().len()
}

/// The requests of a chain that holds, each once.
fn requests(team: &str, lines: &[String]) -> BTreeSet<String> {
    let mut walk = Walk::new(team);
    let mut ids = BTreeSet::new();
    for line in lines {
        assert_eq!(walk.step(line), Ok(()), "{line}");
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let id = line["record"]["request_id"].as_str().unwrap().to_owned();
        assert!(ids.insert(id), "twice: {line}");
    }
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_processes_at_the_end_of_one_chain_write_each_record_once() {
    let connection = support::database().await;
    let processes = (0..64).map(|process| {
        let store = support::patient_store(&connection);
        async move {
            for call in 0..10 {
                let at = NOW + Millis(call * 1_500);
                let id = format!("{process}-{call}");
                store.put_entry("t", &entry(&id, "a"), at).await.unwrap();
                // A delivery that is repeated changes nothing.
                if call % 3 == 0 {
                    store.put_entry("t", &entry(&id, "a"), at + Millis(1)).await.unwrap();
                }
                store.append_some("t", at).await.unwrap();
            }
        }
    });
    join_all(processes).await;
    let store = support::patient_store(&connection);
    store.append_all("t", NOW + Millis(60_000)).await.unwrap();
    assert_eq!(waiting(&store).await, 0);
    assert_eq!(requests("a", &lines(&store, "a").await).len(), 640);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_ends_in_its_turn_loses_nothing_and_chains_nothing_twice() {
    let connection = support::database().await;
    let store = support::patient_store(&connection);
    let mut now = NOW;
    for round in 0..12_u64 {
        for call in 0..40 {
            let team = if call % 3 == 0 { "b" } else { "a" };
            store.put_entry("t", &entry(&format!("{round}-{call}"), team), now).await.unwrap();
        }
        // It is ended somewhere in the middle, its turn and all.
        let ended = tokio::time::sleep(Duration::from_millis(round * 3));
        let appending = store.append_some("t", now);
        drop(select(pin!(appending), pin!(ended)).await);
        // The lease of the turn runs out.
        now = now + Millis(6_000);
    }
    store.append_all("t", now).await.unwrap();
    assert_eq!(waiting(&store).await, 0);
    let (a, b) = (requests("a", &lines(&store, "a").await), requests("b", &lines(&store, "b").await));
    assert_eq!((a.len() + b.len(), a.intersection(&b).count()), (480, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_that_is_taken_keeps_passers_by_away_and_a_reader_waits_for_it() {
    let connection = support::database().await;
    let (one, other) = (support::patient_store(&connection), support::patient_store(&connection));
    one.put_entry("t", &entry("1", "a"), NOW).await.unwrap();
    one.append_some("t", NOW).await.unwrap();
    other.put_entry("t", &entry("2", "a"), NOW).await.unwrap();
    // It was done just now.
    other.append_some("t", NOW + Millis(500)).await.unwrap();
    assert_eq!((waiting(&one).await, lines(&one, "a").await.len()), (1, 1));
    // A reader does not care.
    other.append_all("t", NOW + Millis(500)).await.unwrap();
    assert_eq!((waiting(&one).await, lines(&one, "a").await.len()), (0, 2));
}

/// Faults 23 and 24: throttled, in conflict, or carried out without an answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fails_every_few_requests_keeps_the_chain_whole() {
    let connection = support::database().await;
    let (store, _) = support::faulty_store(&connection, 5);
    for call in 0..120_u64 {
        store.put_entry("t", &entry(&format!("{call}"), "a"), NOW + Millis(call)).await.unwrap();
    }
    for pass in 0..20 {
        // What fails this time is done the next.
        drop(store.append_some("t", NOW + Millis(pass * 10_000)).await);
    }
    let calm = support::patient_store(&connection);
    calm.append_all("t", NOW + Millis(300_000)).await.unwrap();
    assert_eq!(waiting(&calm).await, 0);
    assert_eq!(requests("a", &lines(&calm, "a").await).len(), 120);
}
