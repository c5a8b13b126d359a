//! Appending: which rows are wanted, and what is made of them. Synchronous and without a store, as the ledger is.

use super::canonical::canonical;
use super::chain::{Head, head_key};
use super::entry::Entry;
use super::sums::{Facts, Figures, Sums};
use crate::gateway::ledger::{ReservationId, Settle};
use crate::json::json;
use crate::records::Write;
use crate::sorted::{SortedMap, SortedSet};
use crate::units::{Millis, NanoUsd, Timestamp, Tokens};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const DAY: Millis = Millis(24 * 3_600_000);
/// How long figures are kept: two years and a month, so that any month can be compared with its namesake.
const KEEP_SUMS: Millis = Millis(762 * DAY.0);

/// Entries to be appended together.
#[derive(Clone, Debug)]
pub struct Batch {
    entries: Vec<Parsed>,
}

#[derive(Clone, Debug)]
struct Parsed {
    team: String,
    id: String,
    record: Value,
    facts: Facts,
    /// The key of the figures it adds to, unless it is lost.
    figures: String,
    days: u32,
    shard: Option<String>,
}

/// What an append comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// The rows to write, all in one transaction, each whatever was there before. The store sees to it that the heads among
    /// the rows it was decided on are still the same.
    pub writes: Vec<Write>,
    /// Requests that are lost to the ledger and whose record was there already: they ended, and their settlement never
    /// arrived. Settling them at what the record says makes both agree.
    pub unsettled: Vec<Unsettled>,
}

/// A request whose record says what its settlement would have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsettled {
    /// The request.
    pub id: String,
    /// What it cost.
    pub cost: NanoUsd,
    /// What it used.
    pub tokens: Tokens,
    /// The shard that admitted it, where one did.
    pub shard: Option<String>,
}

impl Unsettled {
    /// The settlement that never arrived. The reservation knows what it is charged to.
    pub fn settle(self, now: Timestamp) -> Settle {
        let (id, amount, tokens) = (ReservationId(self.id), self.cost, Some(self.tokens));
        Settle { id, now, amount, tokens, charge: Vec::new(), of: None }
    }
}

/// What is kept of a request that has its record: `i/<id>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    /// The key of its line.
    line: String,
    seq: u64,
    cost: NanoUsd,
    tokens: Tokens,
    /// The key of the figures of a loss: a record that supersedes it takes them away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lost: Option<String>,
}

impl Batch {
    /// Reads the entries; one that is no JSON object is left out.
    pub fn new(entries: Vec<Entry>) -> Batch {
        let parse = |entry: Entry| {
            let record: Value = crate::json::tree(&entry.record).ok().filter(Value::is_object)?;
            let facts = Facts::of(&record);
            let figures = facts.key(&entry.team, None);
            Some(Parsed {
                team: entry.team,
                id: entry.id,
                record,
                facts,
                figures,
                days: entry.days,
                shard: entry.shard,
            })
        };
        Batch { entries: entries.into_iter().filter_map(parse).collect() }
    }

    /// Whether there is anything to append.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The keys of the heads it is decided on. They must be read before the [`others`](Batch::others).
    pub fn heads(&self) -> Vec<String> {
        let teams: SortedSet<&str> = self.entries.iter().map(|entry| entry.team.as_str()).collect();
        teams.into_iter().map(head_key).collect()
    }

    /// The keys of the other rows that must be known.
    pub fn others(&self) -> Vec<String> {
        let keys = self.entries.iter().flat_map(|entry| [known_key(&entry.id), entry.figures.clone()]);
        keys.collect::<SortedSet<String>>().into_iter().collect()
    }

    /// Decides what to write, given the rows that are there.
    pub fn append(self, now: Timestamp, stored: SortedMap<String, String>) -> Appended {
        let mut rows = Rows { stored, now, ..Rows::default() };
        let mut unsettled = Vec::new();
        for entry in self.entries {
            let known: Option<Known> = rows.read(&known_key(&entry.id));
            let lost = entry.record.get("outcome").and_then(Value::as_str) == Some("lost");
            match known {
                None => rows.append(entry, lost, None),
                Some(before) if !lost && before.lost.is_some() => rows.append(entry, lost, Some(before)),
                // Of what was lent and lost something has turned up.
                Some(before) if before.lost.is_some() && entry.facts.sums.cost() < before.cost => {
                    rows.append(entry, lost, Some(before));
                }
                Some(Known { lost: None, cost, tokens, .. }) if lost => {
                    unsettled.push(Unsettled { id: entry.id, cost, tokens, shard: entry.shard });
                }
                Some(_) => {}
            }
        }
        Appended { writes: rows.writes(), unsettled }
    }
}

/// The rows as they are, and as they will be. Those that one record after another changes are written at the end.
#[derive(Default)]
struct Rows {
    stored: SortedMap<String, String>,
    changed: SortedMap<String, Write>,
    heads: SortedMap<String, Head>,
    figures: SortedMap<String, Figures>,
    now: Timestamp,
}

impl Rows {
    /// A row; one that cannot be read counts as missing.
    fn read<T: for<'de> Deserialize<'de>>(&self, key: &str) -> Option<T> {
        let text = match self.changed.get(key) {
            Some(write) => write.value.as_ref(),
            None => self.stored.get(key),
        };
        crate::json::parse(text?).ok()
    }

    fn write(&mut self, key: String, value: String, until: Option<Timestamp>) {
        let write = Write { expires_at: until, ..Write::put(key.clone(), value) };
        self.changed.insert(key, write);
    }

    fn append(&mut self, mut entry: Parsed, lost: bool, supersedes: Option<Known>) {
        if let (Some(before), Some(members)) = (&supersedes, entry.record.as_object_mut()) {
            members.insert("supersedes".to_owned(), json!(before.seq));
        }
        let head_key = head_key(&entry.team);
        let mut head: Head = self.heads.remove(&head_key).or_else(|| self.read(&head_key)).unwrap_or_default();
        let line = head.append(&entry.team, &canonical(&entry.record), self.now);
        let until = Some(self.now + Millis(DAY.0.saturating_mul(u64::from(entry.days))));
        let of_loss = lost.then(|| entry.facts.key(&entry.team, Some(&entry.id)));
        let known = Known {
            line: line.key.clone(),
            seq: head.tree.size(),
            cost: entry.facts.sums.cost(),
            tokens: entry.facts.sums.tokens(),
            lost: of_loss.clone(),
        };
        if let Some(figures) = supersedes.and_then(|before| before.lost) {
            self.figures.remove(&figures);
            self.changed.insert(figures.clone(), Write::remove(figures));
        }
        self.count(of_loss.unwrap_or(entry.figures), &entry.facts);
        self.heads.insert(head_key, head);
        self.write(known_key(&entry.id), json(&known), until);
        self.write(line.key, line.text, until);
    }

    fn count(&mut self, key: String, facts: &Facts) {
        let kept = self.figures.remove(&key).or_else(|| self.read(&key));
        let mut row = kept.unwrap_or_else(|| Figures { group: facts.group.clone(), sums: Sums::default() });
        row.sums.add(&facts.sums);
        self.figures.insert(key, row);
    }

    fn writes(mut self) -> Vec<Write> {
        for (key, head) in std::mem::take(&mut self.heads) {
            self.write(key, json(&head), None);
        }
        let until = Some(self.now + KEEP_SUMS);
        for (key, row) in std::mem::take(&mut self.figures) {
            self.write(key, json(&row), until);
        }
        self.changed.into_values().collect()
    }
}

/// The key of what is known of a request.
pub fn known_key(id: &str) -> String {
    format!("i/{id}")
}

/// The key of the line that what is known of a request leads to.
pub fn line_of(known: &str) -> Option<String> {
    crate::json::parse::<Known>(known).ok().map(|known| known.line)
}

/// Strings, integers and lists of them: nothing here can fail to be written.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
