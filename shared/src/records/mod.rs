//! Records: named documents that are written with a condition, all of a change or none of it.
//!
//! Everything the product keeps beside keys and books is a record on a *shelf*: administration, versions of the
//! configuration, what a fleet knows of its upstreams, learned figures. A shelf has one serialised owner (a Durable
//! Object, a partition of a table), so a change of several records on one shelf is one transaction. Nothing spans two.
//!
//! What is written is text, mostly JSON; what it says is its writer's business. [`Shelf`] is the specification, held in
//! memory; stores are held to it by [`spec`].

mod shelf;
pub mod spec;

pub use shelf::Shelf;

use crate::units::Timestamp;
use serde::{Deserialize, Serialize};

/// The longest text of a record: what every store takes in one piece.
pub const MAX_RECORD_BYTES: usize = 256 * 1024;
/// The most records one change may touch.
pub const MAX_WRITES: usize = 50;

/// A record as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its name on the shelf. Names are ordered by their bytes.
    pub key: String,
    /// What was written.
    pub value: String,
    /// Counts the writes since the record was made, from 1.
    pub version: u64,
}

/// One record's part of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// Which record.
    pub key: String,
    /// What to write; `None` removes the record.
    pub value: Option<String>,
    /// What must hold for the whole change to be made.
    pub expect: Expect,
    /// From then on there is no such record any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// What a writer takes for granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// Nothing: the last one to write wins.
    Anything,
    /// There is no such record yet.
    Absent,
    /// It is still as it was read. Written, it has the next version.
    Version(u64),
}

/// Which records to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// How their keys begin.
    pub prefix: String,
    /// The key to go on after, in the direction of the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// From the last key to the first.
    pub descending: bool,
    /// How many at the most. A store may give fewer only at the end.
    pub limit: usize,
}

impl Write {
    /// Writes whatever was there before.
    pub fn put(key: impl Into<String>, value: impl Into<String>) -> Write {
        Write { key: key.into(), value: Some(value.into()), expect: Expect::Anything, expires_at: None }
    }

    /// Makes a record that is not there yet.
    pub fn create(key: impl Into<String>, value: impl Into<String>) -> Write {
        Write { expect: Expect::Absent, ..Write::put(key, value) }
    }

    /// Replaces a record as it was read.
    pub fn replace(read: &Record, value: impl Into<String>) -> Write {
        Write { expect: Expect::Version(read.version), ..Write::put(&read.key, value) }
    }

    /// Removes a record, if it is there.
    pub fn remove(key: impl Into<String>) -> Write {
        Write { key: key.into(), value: None, expect: Expect::Anything, expires_at: None }
    }

    /// The same, until that instant.
    #[must_use]
    pub fn until(self, expires_at: Timestamp) -> Write {
        Write { expires_at: Some(expires_at), ..self }
    }
}
