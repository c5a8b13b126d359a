//! A team's chain: its end, and the line that comes next.

use super::canonical::{canonical, string};
use super::merkle::{Frontier, Hash};
use crate::units::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The end of a team's chain: all that is wanted to append.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The hash of the last record; zero before the first.
    pub hash: Hash,
    /// The tree over all hashes so far. Its size is the last record's number.
    pub tree: Frontier,
    /// When the last record was written. Time does not go backwards in a chain, whatever the clock does.
    pub at: Timestamp,
}

/// A record in its place, as it is stored and exported: one line of canonical JSON,
/// `{"hash":…,"prev":…,"record":{…},"seq":…,"team":…}`. The hash is that of the line without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The key of its row.
    pub key: String,
    /// The text.
    pub text: String,
}

impl Head {
    /// Writes the next line. `record` is canonical JSON.
    pub fn append(&mut self, team: &str, record: &str, now: Timestamp) -> Line {
        let seq = self.tree.size().saturating_add(1);
        let rest = rest(&self.hash, record, seq, team);
        self.hash = Hash::of(&[b"{", rest.as_bytes()]);
        self.tree.push(&self.hash.0);
        self.at = self.at.max(now);
        Line { key: line_key(team, self.at, seq), text: format!("{{\"hash\":\"{}\",{rest}", self.hash) }
    }
}

fn rest(prev: &Hash, record: &str, seq: u64, team: &str) -> String {
    let mut rest = format!("\"prev\":\"{prev}\",\"record\":{record},\"seq\":{seq},\"team\":");
    string(team, &mut rest);
    rest.push('}');
    rest
}

/// A line that was read back.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Read {
    pub(super) hash: Hash,
    pub(super) prev: Hash,
    pub(super) record: Value,
    pub(super) seq: u64,
    pub(super) team: String,
}

impl Read {
    /// Reads a line, however it is spelled.
    pub(super) fn of(text: &str) -> Option<Read> {
        let line: Value = crate::json::tree(text).ok()?;
        let hash = |name: &str| Hash::parse(line.get(name)?.as_str()?);
        Some(Read {
            hash: hash("hash")?,
            prev: hash("prev")?,
            record: line.get("record")?.clone(),
            seq: line.get("seq")?.as_u64()?,
            team: line.get("team")?.as_str()?.to_owned(),
        })
    }

    /// The hash its content has.
    pub(super) fn digest(&self) -> Hash {
        Hash::of(&[b"{", rest(&self.prev, &canonical(&self.record), self.seq, &self.team).as_bytes()])
    }
}

/// The key of the [`Head`] that a team's chain had where it is archived up to.
pub fn archived_key(team: &str) -> String {
    format!("a/{team}")
}

/// The key of a team's [`Head`].
pub fn head_key(team: &str) -> String {
    format!("h/{team}")
}

/// How the keys of a team's lines begin.
pub fn line_prefix(team: &str) -> String {
    format!("e/{team}/")
}

/// When the line of a key was written, and its number.
pub fn line_place(key: &str) -> Option<(Timestamp, u64)> {
    let (at, seq) = key.rsplit('/').next()?.split_once('.')?;
    Some((Timestamp(at.parse().ok()?), seq.parse().ok()?))
}

/// The key of a line: in the order of keys, lines are in the order of their numbers and of time.
pub fn line_key(team: &str, at: Timestamp, seq: u64) -> String {
    format!("{}{:015}.{seq:012}", line_prefix(team), at.0)
}
