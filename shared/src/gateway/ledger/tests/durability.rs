//! A ledger read back from its rows goes on as if nothing had happened.

use crate::gateway::journal::{Entry, at_shard};
use crate::gateway::ledger::spec::commands;
use crate::gateway::ledger::{Admit, Ledger, ReservationId, Row};
use crate::sorted::SortedMap;
use crate::units::{Millis, NanoUsd, Timestamp};
use proptest::prelude::*;

fn write(store: &mut SortedMap<String, String>, changes: Vec<Row>) {
    for Row { key, value } in changes {
        match value {
            Some(value) => store.insert(key, value),
            None => store.remove(&key),
        };
    }
}

proptest! {
    #[test]
    fn a_ledger_restarted_at_any_time_answers_as_one_that_ran_on(seed: u64, restart_every in 1usize..40) {
        let (mut steady, mut restarted, mut store) = (Ledger::new(), Ledger::new(), SortedMap::new());
        for (at, command) in commands(seed, 300).into_iter().enumerate() {
            // The clock is only as monotonic as the rows remember.
            let now = steady.last.max(command.now());
            let command = command.at(now);
            prop_assert_eq!(steady.apply(vec![command.clone()]), restarted.apply(vec![command]));
            write(&mut store, restarted.changes());
            if at % restart_every == 0 {
                restarted = Ledger::load(store.clone()).unwrap();
                prop_assert!(restarted.changes().is_empty());
            }
        }
    }

    #[test]
    fn the_books_stay_bounded(seed: u64) {
        let (mut ledger, mut store) = (Ledger::new(), SortedMap::new());
        for command in commands(seed, 3_000) {
            ledger.apply(vec![command]);
            write(&mut store, ledger.changes());
        }
        // 12 ids, 3 scopes with few live windows, 18 rates.
        prop_assert!(store.len() < 12 + 3 * 20 + 18, "{}", store.len());
    }
}

#[test]
fn rows_of_another_kind_are_refused_by_name() {
    for (key, value) in [("x", "1"), ("", "1"), ("w{}", "1"), ("r\"a\"", "{\"open\":{}}"), ("t\"", "1")] {
        let refused = Ledger::load([(key.to_owned(), value.to_owned())]).unwrap_err();
        assert_eq!(refused.key, key);
    }
}

#[test]
fn a_shard_tells_of_its_losses_across_a_restart_until_they_are_written_down() {
    let shard = "default~payments~1";
    let (mut ledger, mut store) = (Ledger::new(), SortedMap::new());
    let admit = |id: &str| Admit {
        id: ReservationId(id.into()),
        slice: 0,
        now: Timestamp(1_000),
        lease: Millis(1_000),
        most: NanoUsd(5),
        least: NanoUsd(5),
        budgets: Vec::new(),
        rates: Vec::new(),
        note: at_shard(r#"{"team":"payments","at":1000,"days":30}"#, shard),
        escrowed: true,
        share: 0,
        calls: 0,
        enough: NanoUsd::ZERO,
    };
    for id in ["a", "b"] {
        ledger.admit(&admit(id));
    }
    assert_eq!(ledger.losses().count(), 0);
    ledger.expire(Timestamp(2_000));
    let told: Vec<Entry> = ledger.losses().filter_map(|(id, hold)| Entry::lost(id, hold)).collect();
    assert!(told.iter().all(|entry| entry.shard.as_deref() == Some(shard) && !entry.record.contains("shard")));
    assert_eq!(told.len(), 2);
    ledger.told(&[ReservationId("a".into())]);
    write(&mut store, ledger.changes());
    let ledger = Ledger::load(store).unwrap();
    assert_eq!(ledger.losses().map(|(id, _)| id.0.as_str()).collect::<Vec<_>>(), ["b"]);
}
