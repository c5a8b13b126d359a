//! Governed context: what a company's words mean, said once, by somebody who answers for it.
//!
//! A [`Definition`] is one version of one meaning, and never changes: a new meaning is a new version. A
//! [`Library`] is all of them that are in force, ready to be looked up by tag and found by their words in a text, or by what they mean. What a
//! request is given of it is [`choose`]n by the configuration's policies and said in one block of
//! system text.
//!
//! All of it is pure: where definitions are kept, who may change them and where in a body the block stands is known
//! elsewhere.

mod library;
mod meaning;
mod read;
mod render;
mod select;

pub use library::{Library, MAX_DEFINITIONS};
pub use meaning::{Meanings, Near, vector};
pub use read::{Wrong, read};
pub use select::{Chosen, Stale, Wanted, choose};

use crate::time::rfc3339;
use crate::units::{Millis, Timestamp};

/// One version of what a term means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definition {
    /// Its name, the same in every version.
    pub id: String,
    /// Counts the versions, from 1.
    pub version: u64,
    /// What it is called: the first is the term itself. At least one.
    pub terms: Vec<String>,
    /// What people call it, too; found in texts, not told to models.
    pub aliases: Vec<String>,
    /// What it means.
    pub text: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Who said that it is right.
    pub certified_by: Option<String>,
    /// When they said so.
    pub certified_at: Option<Timestamp>,
    /// How long that is good; for ever without.
    pub valid_for: Option<Millis>,
    /// When the server it came from no longer had it.
    pub vanished_at: Option<Timestamp>,
    /// What it belongs to, to be chosen by.
    pub tags: Vec<String>,
    /// Who may see it; everybody where there are none.
    pub teams: Vec<String>,
}

impl Definition {
    /// How a version is cited: `revenue@7`.
    pub fn name(&self) -> String {
        format!("{}@{}", self.id, self.version)
    }

    /// When its certification ends; `None`: never. What its server no longer stands by is certified by nobody.
    pub fn valid_until(&self) -> Option<Timestamp> {
        let certified = self.certified_at.zip(self.valid_for).map(|(at, span)| at + span);
        certified.into_iter().chain(self.vanished_at).min()
    }

    /// Whether its certification has ended.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.valid_until().is_some_and(|end| end <= now)
    }

    /// The day on which its certification ended, if it has: nothing finer, so that what is said of it stays the same.
    pub fn ended(&self, now: Timestamp) -> Option<String> {
        let end = self.valid_until().filter(|_| self.is_stale(now))?;
        Some(rfc3339(end).chars().take(10).collect())
    }

    /// Whether a team may see it.
    pub fn is_for(&self, team: &str) -> bool {
        self.teams.is_empty() || self.teams.iter().any(|one| one == team)
    }

    /// The term itself.
    pub fn term(&self) -> &str {
        self.terms.first().map_or(self.id.as_str(), String::as_str)
    }
}
