//! The journal against what it promises: a chain that shows every change, repetitions that change nothing, sums that are
//! those of the records.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::gateway::ledger::ReservationId;
use crate::gateway::ledger::reservation::Hold;
use crate::json::json;
use crate::records::{Range, Shelf};
use crate::sorted::SortedMap;
use crate::units::{Millis, NanoUsd, Timestamp};
use proptest::prelude::*;
use serde_json::Value;

const NOON: Timestamp = Timestamp(1_768_478_400_000);

#[derive(Default)]
struct Store {
    shelf: Shelf,
    now: u64,
}

impl Store {
    fn append(&mut self, entries: Vec<Entry>) -> Vec<Unsettled> {
        let (batch, now) = (Batch::new(entries), NOON + Millis(self.now));
        let wanted = batch.heads().into_iter().chain(batch.others());
        let stored = wanted.filter_map(|key| Some((key.clone(), self.shelf.read(&key, now)?.value))).collect();
        let appended = batch.append(now, stored);
        assert!(self.shelf.write(&appended.writes, now));
        appended.unsettled
    }

    fn list(&self, prefix: &str) -> Vec<String> {
        let range = Range { prefix: prefix.to_owned(), limit: usize::MAX, ..Range::default() };
        self.shelf.list(&range, NOON + Millis(self.now)).into_iter().map(|record| record.value).collect()
    }

    fn lines(&self, team: &str) -> Vec<String> {
        self.list(&line_prefix(team))
    }
}

fn entry(team: &str, id: &str, more: Value) -> Entry {
    let mut record = json!({"at": NOON.0, "request_id": id, "outcome": "ok", "cost_nano_usd": 0});
    record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Entry { team: team.to_owned(), id: id.to_owned(), record: record.to_string(), days: 30, shard: None }
}

fn walk(team: &str, lines: &[String]) -> Result<Walk, Broken> {
    let mut walk = Walk::new(team);
    lines.iter().try_for_each(|line| walk.step(line))?;
    Ok(walk)
}

fn lost(id: &str, granted: u64) -> Entry {
    let note = json!({"team": "a", "key_id": "key_1", "user": null, "at": NOON.0, "days": 30}).to_string();
    let charge = serde_json::from_value(json!({"scope": "team:a", "window": "total"})).unwrap();
    let hold = Hold {
        granted: NanoUsd(granted),
        charges: vec![charge],
        draws: Vec::new(),
        slice: 0,
        parts: NanoUsd::ZERO,
        note,
    };
    Entry::lost(&ReservationId(id.to_owned()), &hold).unwrap()
}

#[test]
fn every_change_to_a_chain_is_found_where_it_is() {
    let mut store = Store::default();
    for number in 0..6 {
        store.append(vec![entry("a", &format!("req_{number}"), json!({"cost_nano_usd": number}))]);
    }
    let lines = store.lines("a");
    let walked = walk("a", &lines).unwrap();
    assert_eq!((walked.records(), walked.cost(), walked.first()), (6, NanoUsd(15), Some(1)));
    let head: Head = serde_json::from_str(&store.list(&head_key("a"))[0]).unwrap();
    assert_eq!(walked.last(), Some((6, head.hash)));
    assert_eq!(walked.holds(6, &head.hash, &head.tree.root()), Some(Ok(())));
    assert!(walked.holds(6, &head.hash, &Hash::default()).unwrap().is_err());
    assert!(walked.holds(6, &Hash::default(), &head.tree.root()).unwrap().is_err());
    assert_eq!(walked.holds(5, &head.hash, &head.tree.root()), None);

    let altered = |at: usize, from: &str, to: &str| {
        let mut lines = lines.clone();
        lines[at] = lines[at].replace(from, to);
        walk("a", &lines).unwrap_err().seq
    };
    assert_eq!(altered(2, "\"cost_nano_usd\":2", "\"cost_nano_usd\":1"), 3);
    assert_eq!(altered(3, "\"seq\":4", "\"seq\":5"), 4);
    assert_eq!(altered(0, "\"team\":\"a\"", "\"team\":\"b\""), 1);
    assert_eq!(altered(4, "{", "["), 5);
    let without = |at: usize| lines.iter().enumerate().filter(move |(number, _)| *number != at).map(|(_, l)| l.clone());
    assert_eq!(walk("a", &without(3).collect::<Vec<_>>()).unwrap_err().seq, 4);
    // Whoever rewrites a record and its hash breaks the link to the next.
    let mut forged = Store::default();
    for number in 0..6 {
        let cost = if number == 2 { 1 } else { number };
        forged.append(vec![entry("a", &format!("req_{number}"), json!({"cost_nano_usd": cost}))]);
    }
    let mut lines = lines.clone();
    lines[2] = forged.lines("a")[2].clone();
    assert_eq!(walk("a", &lines).unwrap_err().seq, 4);
}

#[test]
fn a_walk_may_begin_where_retention_has_left_off() {
    let mut store = Store::default();
    for number in 0..40 {
        store.now = number * 86_400_000;
        store.append(vec![entry("a", &format!("req_{number}"), json!({}))]);
    }
    let lines = store.lines("a");
    let walked = walk("a", &lines).unwrap();
    // Kept thirty days: the one that was written thirty days ago is gone.
    assert_eq!((walked.first(), walked.last().unwrap().0), (Some(11), 40));
    let head: Head = serde_json::from_str(&store.list(&head_key("a"))[0]).unwrap();
    assert_eq!(walked.holds(40, &head.hash, &head.tree.root()), Some(Ok(())));
}

#[test]
fn a_repeated_append_changes_nothing_alone_or_among_others() {
    let mut store = Store::default();
    store.append(vec![entry("a", "req_1", json!({})), entry("a", "req_1", json!({"cost_nano_usd": 5}))]);
    let (lines, sums) = (store.lines("a"), store.list("u/"));
    assert_eq!((lines.len(), sums.len()), (1, 1));
    store.now += 1_000;
    assert_eq!(store.append(vec![entry("a", "req_1", json!({"cost_nano_usd": 7}))]), []);
    assert_eq!((store.lines("a"), store.list("u/")), (lines, sums));
}

#[test]
fn of_what_a_process_was_lent_and_lost_what_turns_up_is_taken_from_the_loss() {
    let mut store = Store::default();
    store.append(vec![lost("lent_1", 900)]);
    store.append(vec![entry("a", "req_1", json!({"cost_nano_usd": 250})), lost("lent_1", 650)]);
    assert_eq!(store.append(vec![lost("lent_1", 650)]), []);
    store.append(vec![lost("lent_1", 900)]);
    let walked = walk("a", &store.lines("a")).unwrap();
    assert_eq!((walked.cost(), walked.records(), walked.lost()), (NanoUsd(900), 3, 1));
    store.append(vec![lost("lent_1", 0)]);
    assert_eq!(walk("a", &store.lines("a")).unwrap().cost(), NanoUsd(250));
}

#[test]
fn fault_93_a_crash_leaves_a_record_of_the_loss_and_a_late_settlement_supersedes_it() {
    let mut store = Store::default();
    store.append(vec![lost("req_1", 900)]);
    assert_eq!(store.append(vec![lost("req_1", 900)]), [], "a loss is written down once");
    assert_eq!(walk("a", &store.lines("a")).unwrap().cost(), NanoUsd(900));
    store.append(vec![entry("a", "req_1", json!({"cost_nano_usd": 250}))]);
    let lines = store.lines("a");
    assert!(lines[1].contains("\"supersedes\":1"), "{lines:?}");
    let walked = walk("a", &lines).unwrap();
    assert_eq!((walked.cost(), walked.lost(), walked.records()), (NanoUsd(250), 0, 2));
    assert_eq!(
        total(&store).0,
        NAMES.map(|name| match name {
            "requests" => 1,
            "cost_nano_usd" => 250,
            _ => 0,
        })
    );
}

#[test]
fn fault_93_a_loss_after_the_record_names_what_was_never_settled() {
    let mut store = Store::default();
    store.append(vec![entry("a", "req_1", json!({"cost_nano_usd": 250, "usage": {"input": 3, "output": 4}}))]);
    let unsettled = Unsettled { id: "req_1".to_owned(), cost: NanoUsd(250), tokens: 7, shard: None };
    assert_eq!(store.append(vec![lost("req_1", 900)]), [unsettled]);
    assert_eq!(store.lines("a").len(), 1);
}

#[test]
fn chains_of_teams_do_not_know_each_other() {
    let mut store = Store::default();
    store.append(vec![entry("a", "req_1", json!({})), entry("b", "req_2", json!({})), entry("a", "req_3", json!({}))]);
    assert_eq!(walk("a", &store.lines("a")).unwrap().records(), 2);
    assert_eq!(walk("b", &store.lines("b")).unwrap().records(), 1);
    assert_eq!(walk("b", &store.lines("a")).unwrap_err().seq, 1);
}

fn total(store: &Store) -> Sums {
    let mut total = Sums::default();
    for row in store.list("u/") {
        let row: Value = serde_json::from_str(&row).unwrap();
        total.add(&serde_json::from_value(row["sums"].clone()).unwrap());
    }
    total
}

proptest! {
    /// The figures, kept step by step, are what a walk over all records adds up, whatever order and grouping they came in.
    #[test]
    fn the_figures_are_the_sums_of_the_records(
        steps in proptest::collection::vec((0..12_u64, 0..3_u64, 0..3_u64, 0..1_000_u64, any::<bool>(), 1..4_usize), 1..40),
    ) {
        let mut store = Store::default();
        let mut waiting: Vec<Entry> = Vec::new();
        for (id, user, hour, cost, is_lost, together) in steps {
            let id = format!("req_{id}");
            waiting.push(if is_lost {
                lost(&id, cost)
            } else {
                entry("a", &id, json!({
                    "at": NOON.0 + hour * 3_600_000, "user": format!("u{user}"), "cost_nano_usd": cost,
                    "organisation": format!("o{}", user % 2), "project": format!("p{}", cost % 3),
                    "usage": {"input": cost % 7, "output": cost % 11}, "tags": {"t": (cost % 2).to_string()},
                }))
            });
            if waiting.len() >= together {
                store.now += 10;
                store.append(std::mem::take(&mut waiting));
            }
        }
        store.append(waiting);
        let lines = store.lines("a");
        let mut by_seq: SortedMap<u64, Value> = SortedMap::new();
        for line in &lines {
            let line: Value = serde_json::from_str(line).unwrap();
            if let Some(before) = line["record"]["supersedes"].as_u64() {
                by_seq.remove(&before);
            }
            by_seq.insert(line["seq"].as_u64().unwrap(), line["record"].clone());
        }
        let mut scanned: SortedMap<(String, String), Sums> = SortedMap::new();
        for record in by_seq.values() {
            let facts = Facts::of(record);
            scanned.entry((facts.hour.to_string(), facts.group)).or_default().add(&facts.sums);
        }
        let mut kept: SortedMap<(String, String), Sums> = SortedMap::new();
        let range = Range { prefix: sums_prefix("a"), limit: usize::MAX, ..Range::default() };
        for row in store.shelf.list(&range, NOON) {
            let hour = row.key.split('/').nth(2).unwrap().to_owned();
            let row: Value = serde_json::from_str(&row.value).unwrap();
            let sums: Sums = serde_json::from_value(row["sums"].clone()).unwrap();
            kept.entry((hour, row["group"].as_str().unwrap().to_owned())).or_default().add(&sums);
        }
        let cost = scanned.values().fold(NanoUsd::ZERO, |sum, sums| sum + sums.cost());
        prop_assert_eq!(&scanned, &kept);
        prop_assert_eq!(walk("a", &lines).unwrap().cost(), cost);
    }
}
