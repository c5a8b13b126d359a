//! What the router may know of the world when it decides.
//!
//! Figures are whole numbers: as JSON they are read back as they were, so a decision can be made again.

use crate::config::ModelId;
use crate::sorted::SortedMap;
use crate::units::{Millis, NanoUsd, Timestamp, Tokens};
use serde::{Deserialize, Serialize};

/// What is known, as far as it matters to one ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    /// The present.
    pub now: Timestamp,
    /// How old the fleet's figures are; `None`: this process knows only what it saw itself.
    pub health_age_ms: Option<Millis>,
    /// How upstreams stand, those of which something is known.
    pub upstreams: SortedMap<String, Standing>,
    /// What the call may cost; `None`: no hard budget binds it.
    pub afford: Option<NanoUsd>,
    /// Whose prompt cache holds the beginning of this session.
    pub warm: Option<Warm>,
    /// What races of this ask's route have spent so far.
    pub waste: Waste,
    /// What was learned of groups that ask for it, by their candidates' names.
    #[serde(skip_serializing_if = "SortedMap::is_empty")]
    pub advice: SortedMap<String, Advice>,
    /// That a model's answer will do, on a route that learns.
    #[serde(skip_serializing_if = "SortedMap::is_empty")]
    pub chances: SortedMap<String, Chance>,
}

/// Whom to ask first of a group, by what was learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    /// The candidate's place.
    pub first: usize,
    /// On what grounds.
    pub grounds: Grounds,
}

/// The grounds of advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grounds {
    /// The cheaper one will probably do.
    CheaperWillDo,
    /// The stronger one is worth it.
    StrongerWorthIt,
    /// It did best on prompts like this one.
    DidBest,
    /// It is tried out.
    TriedOut,
    /// Too little is known.
    Watching,
}

/// A forecast, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chance {
    /// The likeliest.
    pub permille: u32,
    /// Nine times in ten it is no less than the first of these and no more than the second.
    pub between: (u32, u32),
}

/// How one upstream (a model at a provider, in its region, with its key) stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Standing {
    /// Whether it may be called.
    pub circuit: Circuit,
    /// When an open circuit is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
    /// It asked not to be called before this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cooling_until: Option<Timestamp>,
    /// Calls seen.
    pub calls: u64,
    /// Of a thousand recent calls, those that failed.
    pub errors_permille: u32,
    /// Time to first token of a short prompt, weighted towards the latest and the slowest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttft_ms: Option<u64>,
    /// Tokens a second, once it speaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_s: Option<u64>,
    /// Calls under way.
    pub in_flight: u32,
    /// What its provider's rate limit leaves, in thousandths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headroom_permille: Option<u32>,
}

/// A circuit breaker's state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Circuit {
    /// Calls go through.
    #[default]
    Closed,
    /// None do.
    Open,
    /// One may find out.
    HalfOpen,
    /// One is finding out.
    Probing,
}

/// A prompt cache that is probably warm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warm {
    /// Whose it is.
    pub model: String,
    /// How much of the session it has read.
    pub tokens: Tokens,
}

/// What races cost and what of it was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waste {
    /// All they cost.
    pub spent: NanoUsd,
    /// What went to losers.
    pub lost: NanoUsd,
}

impl View {
    /// How a model stands; nothing is known of most.
    pub fn of(&self, model: &ModelId) -> Standing {
        self.upstreams.get(model.to_string().as_str()).copied().unwrap_or_default()
    }
}

impl Standing {
    /// Whether an ordinary call should leave it alone, and until when.
    pub fn resting(&self, now: Timestamp) -> Option<(super::Drop, Timestamp)> {
        if let Some(until) = self.cooling_until.filter(|until| now < *until) {
            return Some((super::Drop::CoolingDown, until));
        }
        match self.circuit {
            Circuit::Closed | Circuit::HalfOpen => None,
            Circuit::Open | Circuit::Probing => Some((super::Drop::CircuitOpen, self.retry_at.unwrap_or(now))),
        }
    }
}
