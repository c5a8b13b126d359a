//! Decision: which model gets this call, and which next if it fails.
//!
//! A pure, synchronous function of an [`Ask`], a [`View`] and a number: the same three give the same [`Decision`], on any
//! platform, so a decision that was written down can be made again. What is remembered between calls stands apart, in
//! [`Health`]: it is shown to a decision as a view, and learns from what became of it. The router knows no HTTP, no
//! keys and not who pays: **it imports neither the gateway nor the proxy**.

mod advice;
mod ask;
mod calibrate;
mod choose;
mod decision;
mod entry;
mod facts;
pub mod feedback;
pub mod health;
mod journal;
pub mod learn;
pub mod null;
mod order;
mod rails;
mod recommend;
mod remote;
#[cfg(test)]
mod replay_tests;
mod standard;
mod tally;
#[cfg(test)]
mod tests;
mod tickets;
mod topics;
mod view;

pub use ask::{Ask, Needs, Seen as SeenPrompt, Signals};
pub use calibrate::MOST_RECORDS;
pub use decision::{Considered, Decision, Drop, Reason, Role, Scores, Seen, Step, Strategy, Told, Verdict};
pub use entry::holding;
pub use health::{Cause, Due, Health, Met, Outcome};
pub use journal::{Concluded, Journal, KEPT_DECISIONS};
pub use standard::Standard;
pub use tally::{TALLIES, TALLY_LIFE, Tally};
pub use tickets::{TICKETS, Ticket, Tickets};
pub use view::{Advice, Chance, Circuit, Grounds, Standing, View, Warm, Waste};

use crate::config::ModelId;
use crate::embed::Weights;
use crate::error::ApiError;
use crate::units::{NanoUsd, Timestamp};
use std::sync::Arc;

/// The decision layer.
///
/// For one request the pipeline asks for the [`reach`](Router::reach) (what admission must be able to pay for), the
/// [`view`](Router::view) and the decision, in this order; then, for every call of the plan, whether it may be made
/// ([`begin`](Router::begin)), and exactly once for every call that was, what became of it
/// ([`observe`](Router::observe)).
pub trait Router {
    /// Whether what users say matters to this decision: whoever has the text need not look for it otherwise.
    fn reads_prompts(&self, _ask: &Ask) -> bool {
        false
    }

    /// What the last thing a user said shows; with the weights of an embedding, where there are some.
    fn read(&self, _prompt: learn::sample::Sample<'_>, _weights: Option<&Arc<Weights>>) -> Signals {
        Signals::default()
    }

    /// The routes and classes this ask goes by: the one it names, and the one that a rule leads it to.
    fn routes(&self, ask: &Ask) -> Vec<String> {
        ask.model.iter().cloned().collect()
    }

    /// The models this ask could lead to by any path.
    fn reach(&self, ask: &Ask) -> Result<Reach, Refusal>;

    /// What is known of the world, as far as it matters to this ask.
    fn view(&self, ask: &Ask, now: Timestamp) -> View;

    /// The plan for this ask, with a verdict for every candidate considered.
    fn decide(&self, ask: &Ask, view: &View, entropy: u64) -> Result<Decision, Refusal>;

    /// Whether a call to this model may be made now. `false`: its circuit is half open and somebody else is already
    /// finding out; ask the next one. `only`: there is no next one, so that this is asked whatever its state.
    fn begin(&self, model: &ModelId, only: bool, now: Timestamp) -> bool;

    /// Whether a failed call to this model may be repeated: retries are a part of the calls, whatever happens. `only`: there is
    /// nobody else to ask, so that even who fails often is asked again.
    fn may_retry(&self, model: &ModelId, only: bool, now: Timestamp) -> bool;

    /// A model answers: what somebody will say of the answer is said of this model and this ask.
    fn opened(&self, _id: &str, _ask: &Ask, _decision: &Decision, _model: &ModelId, _now: Timestamp) {}

    /// Learns what a model's answer to an ask was worth, 0 to 65,536, by somebody's judgement: of a cascade, or of a copy.
    fn learn(&self, _ask: &Ask, _route: &str, _model: &ModelId, _worth: i32) {}

    /// Who is taken to be right on a route that learns, where its two models differ.
    fn stronger(&self, _route: &str) -> Option<ModelId> {
        None
    }

    /// Learns what became of one call.
    fn observe(&self, outcome: &Outcome);

    /// A request is over: what was decided for it and what became of that.
    fn conclude(&self, concluded: Concluded);

    /// A race of a route is over: what it cost in all, and what of it went to who lost.
    fn raced(&self, route: &str, spent: NanoUsd, lost: NanoUsd);
}

/// What an ask could lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Every model, best first and each once, as far as that is known before the decision.
    pub models: Vec<ModelId>,
    /// How many of them may give a whole answer that is paid for: a race has two, a cascade all its steps.
    pub answers: usize,
    /// Who judges all of these answers but the last.
    pub judge: Option<ModelId>,
}

/// Everything that a decision is made by: as it is asked of somebody else, and as it is kept to be decided again.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Question {
    /// What is wanted.
    pub ask: Ask,
    /// What to take the world for; else what is known here.
    #[serde(default)]
    pub view: Option<View>,
    /// What to draw by; else chance.
    #[serde(default)]
    pub entropy: Option<u64>,
}

impl Question {
    /// As it is sent, and kept.
    pub fn json(&self) -> Vec<u8> {
        // Plain data with string keys cannot fail to serialise.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such name, or none that could be one: what to tell the caller.
    Unknown(ApiError),
    /// No provider is enabled at all.
    NoProvider,
    /// A rail left nobody.
    Rails {
        /// The route or class; `None` when a model was named.
        route: Option<String>,
        /// What each candidate failed at.
        dropped: Vec<(ModelId, Drop)>,
    },
}
