//! Walking a chain from record to record: what anybody can do with the exported lines, without us.

use super::chain::{Head, Read};
use super::merkle::{Frontier, Hash};
use crate::sorted::SortedMap;
use crate::units::{NanoUsd, Timestamp};
use serde::Serialize;
use serde_json::Value;

/// Where a chain is broken first, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// The number of the record, or the one that should be there.
    pub seq: u64,
    /// Why, in a sentence.
    pub reason: &'static str,
}

/// A walk along one team's chain.
///
/// It may begin anywhere: earlier records may be past their retention. The first one's predecessor is then taken on trust,
/// until a checkpoint is passed: its signature covers the hash of the record it was made at, and so all before it.
#[derive(Clone, Debug)]
pub struct Walk {
    team: String,
    first: Option<u64>,
    last: Option<(u64, Hash)>,
    /// The tree over everything, as long as the walk began at the beginning.
    tree: Option<Frontier>,
    /// What each loss added, so that what supersedes it takes that away.
    lost: SortedMap<u64, NanoUsd>,
    cost: NanoUsd,
    records: u64,
}

impl Walk {
    /// A walk along the chain of `team`.
    pub fn new(team: impl Into<String>) -> Walk {
        Walk {
            team: team.into(),
            first: None,
            last: None,
            tree: Some(Frontier::default()),
            lost: SortedMap::new(),
            cost: NanoUsd::ZERO,
            records: 0,
        }
    }

    /// A walk that goes on where another stood ([`Walk::end`]).
    pub fn after(team: impl Into<String>, end: Head) -> Walk {
        let seq = end.tree.size();
        let last = (seq > 0).then_some((seq, end.hash));
        Walk { last, tree: Some(end.tree).filter(Frontier::is_sound), ..Walk::new(team) }
    }

    /// Where it stands, for another to go on from there; `at` is when that record was written.
    pub fn end(&self, at: Timestamp) -> Head {
        let (seq, hash) = self.last.unwrap_or_default();
        Head { hash, tree: self.tree.clone().unwrap_or(Frontier::of_unknown(seq)), at }
    }

    /// Takes the next line.
    pub fn step(&mut self, text: &str) -> Result<(), Broken> {
        let expected = self.last.map_or(1, |(seq, _)| seq.saturating_add(1));
        let broken = |seq, reason| Err(Broken { seq, reason });
        let Some(line) = Read::of(text) else { return broken(expected, "The line is no audit record.") };
        if line.team != self.team {
            return broken(line.seq, "The record belongs to another team's chain.");
        }
        if self.last.is_some() && line.seq != expected {
            return broken(expected, "Records are missing or out of order: the next one has another number.");
        }
        match self.last {
            Some((_, last)) if last != line.prev => {
                return broken(
                    line.seq,
                    "The record does not name its predecessor's hash: one of the two was replaced.",
                );
            }
            None if line.seq == 1 && line.prev != Hash::default() => {
                return broken(1, "The first record names a predecessor.");
            }
            Some(_) | None => {}
        }
        if line.digest() != line.hash {
            return broken(line.seq, "The record's content does not have its hash: it was altered.");
        }
        self.tree = self.tree.take().filter(|tree| tree.size().saturating_add(1) == line.seq);
        if let Some(tree) = &mut self.tree {
            tree.push(&line.hash.0);
        }
        self.first = self.first.or(Some(line.seq));
        self.last = Some((line.seq, line.hash));
        self.count(&line);
        Ok(())
    }

    fn count(&mut self, line: &Read) {
        let cost = NanoUsd(line.record.get("cost_nano_usd").and_then(Value::as_u64).unwrap_or(0));
        if line.record.get("outcome").and_then(Value::as_str) == Some("lost") {
            self.lost.insert(line.seq, cost);
        }
        let superseded = line.record.get("supersedes").and_then(Value::as_u64).and_then(|seq| self.lost.remove(&seq));
        self.cost = (self.cost + cost).saturating_sub(superseded.unwrap_or_default());
        self.records = self.records.saturating_add(1);
    }

    /// Holds what a signed checkpoint says against the record the walk stands at. `None`: it is about another one.
    pub fn holds(&self, size: u64, hash: &Hash, root: &Hash) -> Option<Result<(), Broken>> {
        let (_, last) = self.last.filter(|(seq, _)| *seq == size)?;
        let broken = |reason| Err(Broken { seq: size, reason });
        Some(match &self.tree {
            _ if last != *hash => {
                broken("A signed checkpoint names another hash for this record: the chain was rewritten.")
            }
            Some(tree) if tree.root() != *root => {
                broken("A signed checkpoint has another Merkle root: the chain was rewritten.")
            }
            Some(_) | None => Ok(()),
        })
    }

    /// The number of the first record.
    pub fn first(&self) -> Option<u64> {
        self.first
    }

    /// The number and the hash of the last record.
    pub fn last(&self) -> Option<(u64, Hash)> {
        self.last
    }

    /// How many records were walked.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// What they cost, those that were superseded not counted.
    pub fn cost(&self) -> NanoUsd {
        self.cost
    }

    /// How many losses stand.
    pub fn lost(&self) -> usize {
        self.lost.len()
    }
}
