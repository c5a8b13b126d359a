//! One shelf in memory: what every store's answers are held against.

use super::{Expect, Range, Record, Write};
use crate::sorted::SortedMap;
use crate::units::Timestamp;

/// The records of one shelf.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    records: SortedMap<String, Kept>,
}

#[derive(Clone, Debug)]
struct Kept {
    value: String,
    version: u64,
    expires_at: Option<Timestamp>,
}

impl Shelf {
    /// A record, if there is one at `now`.
    pub fn read(&self, key: &str, now: Timestamp) -> Option<Record> {
        self.records.get(key).and_then(|kept| kept.record(key, now))
    }

    /// Records in the order of their keys.
    pub fn list(&self, range: &Range, now: Timestamp) -> Vec<Record> {
        let inside = |key: &str| {
            key.starts_with(&range.prefix)
                && range.after.as_deref().is_none_or(|after| if range.descending { key < after } else { key > after })
        };
        let found = |(key, kept): (&String, &Kept)| if inside(key) { kept.record(key, now) } else { None };
        match range.descending {
            false => self.records.iter().filter_map(found).take(range.limit).collect(),
            true => self.records.iter().rev().filter_map(found).take(range.limit).collect(),
        }
    }

    /// Makes a change, or nothing of it: `false` when an expectation does not hold.
    pub fn write(&mut self, writes: &[Write], now: Timestamp) -> bool {
        let version = |key: &str| self.read(key, now).map_or(0, |record| record.version);
        let holds = |write: &Write| match write.expect {
            Expect::Anything => true,
            Expect::Absent => version(&write.key) == 0,
            Expect::Version(wanted) => version(&write.key) == wanted,
        };
        if !writes.iter().all(holds) {
            return false;
        }
        for write in writes {
            let version = self.read(&write.key, now).map_or(0, |record| record.version) + 1;
            match &write.value {
                Some(value) => {
                    let kept = Kept { value: value.clone(), version, expires_at: write.expires_at };
                    self.records.insert(write.key.clone(), kept);
                }
                None => drop(self.records.remove(&write.key)),
            }
        }
        true
    }
}

impl Kept {
    fn record(&self, key: &str, now: Timestamp) -> Option<Record> {
        let alive = self.expires_at.is_none_or(|end| now < end);
        alive.then(|| Record { key: key.to_owned(), value: self.value.clone(), version: self.version })
    }
}
