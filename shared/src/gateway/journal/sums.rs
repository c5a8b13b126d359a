//! What a record adds to the figures: which hour, grouped by what, how much. Sums are kept per hour as records are
//! appended, so that a month's usage is not a walk over every request.

use super::canonical::canonical;
use super::merkle::Hash;
use crate::json::json;
use crate::units::{NanoUsd, Timestamp, Tokens};
use crate::window::{Period, Window};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What is summed, by name; from `input` to `searches` it is a record's `usage`. A new one stands at the end: rows that are
/// shorter are older.
pub const NAMES: [&str; 14] = [
    "requests",
    "input",
    "input_audio",
    "input_image",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "output",
    "reasoning",
    "output_audio",
    "searches",
    COST,
    "prompt_cache_saved_nano_usd",
    "prompt_cache_extra_nano_usd",
];

const COST: &str = "cost_nano_usd";

/// Whether a figure counts tokens.
pub fn is_tokens(name: &str) -> bool {
    !name.ends_with("_nano_usd") && !["requests", "searches"].contains(&name)
}

/// What figures can be grouped by, as records name it. Tags stand beside them.
pub const GROUPS: [&str; 8] = ["organisation", "project", "user", "key_id", "model", "route", "operation", "outcome"];

/// Sums, in the order of [`NAMES`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<u64>", into = "Vec<u64>")]
pub struct Sums(pub [u64; NAMES.len()]);

impl From<Vec<u64>> for Sums {
    fn from(row: Vec<u64>) -> Sums {
        let mut sums = Sums::default();
        sums.0.iter_mut().zip(row).for_each(|(sum, kept)| *sum = kept);
        sums
    }
}

impl From<Sums> for Vec<u64> {
    fn from(sums: Sums) -> Vec<u64> {
        sums.0.into()
    }
}

impl Sums {
    /// Both together.
    pub fn add(&mut self, other: &Sums) {
        self.0.iter_mut().zip(&other.0).for_each(|(sum, more)| *sum = sum.saturating_add(*more));
    }

    /// By name.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        NAMES.into_iter().zip(self.0)
    }

    /// What it cost.
    pub fn cost(&self) -> NanoUsd {
        NanoUsd(self.named().find(|(name, _)| *name == COST).map_or(0, |(_, cost)| cost))
    }

    /// Input and output together, whatever they were billed as.
    pub fn tokens(&self) -> Tokens {
        let counted = self.named().filter(|(name, _)| is_tokens(name));
        counted.fold(0, |sum, (_, tokens)| sum.saturating_add(tokens))
    }
}

/// What the figures want to know of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The hour the request came in.
    pub hour: Window,
    /// What it is grouped by: [`GROUPS`] and `tags`, canonical.
    pub group: String,
    /// What it adds.
    pub sums: Sums,
}

impl Facts {
    /// Of a record.
    pub fn of(record: &Value) -> Facts {
        let at = Timestamp(record.get("at").and_then(Value::as_u64).unwrap_or(0));
        let mut group: Map<String, Value> = Map::new();
        for name in GROUPS.into_iter().chain(["tags"]) {
            if let Some(value) = record.get(name) {
                group.insert(name.to_owned(), value.clone());
            }
        }
        let usage = record.get("usage");
        let number = |name: &str| match name {
            "requests" => Some(1),
            money if money.ends_with("_nano_usd") => record.get(money)?.as_u64(),
            of_usage => usage?.get(of_usage)?.as_u64(),
        };
        Facts {
            hour: Window::at(Period::Hour, at),
            group: canonical(&json!(group)),
            sums: Sums(NAMES.map(|name| number(name).unwrap_or(0))),
        }
    }

    /// The key of the row its figures are summed in. Those of a loss have one to themselves, so that they can be taken
    /// away again without looking at it.
    pub(super) fn key(&self, team: &str, lost: Option<&String>) -> String {
        let digest = Hash::of(&[lost.unwrap_or(&self.group).as_bytes()]).to_string();
        format!("{}{}/{}", sums_prefix(team), self.hour, digest.get(..24).unwrap_or_default())
    }
}

/// A row of figures: what its records agree in, and their sums.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// [`Facts::group`].
    pub group: String,
    /// The sums.
    pub sums: Sums,
}

/// How the keys of a team's figures begin; an hour's name and a slash follow.
pub fn sums_prefix(team: &str) -> String {
    format!("u/{team}/")
}
