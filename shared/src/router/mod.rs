//! Decision: which model gets this call, and which next if it fails.
//!
//! A pure, synchronous function of an [`Ask`] and a [`View`]: the same two give the same
//! [`Decision`]. The router knows no HTTP, no keys and not who pays: **it imports neither the
//! gateway nor the proxy**.

pub mod learn;
pub mod null;
pub mod ordered;

use crate::catalog::Kind;
use crate::config::{ModelAccess, ModelId, TimeoutsOverride};
use crate::error::ApiError;
use crate::units::{Millis, Timestamp, Tokens};
use serde::{Deserialize, Serialize};

pub use ordered::Ordered;

/// The decision layer.
pub trait Router {
    /// The models this ask could reach by any path of its route, best first and without
    /// duplicates: what admission must be able to pay for.
    fn candidates(&self, ask: &Ask) -> Result<Vec<ModelId>, Refusal>;

    /// The plan for this ask, with a verdict for every candidate considered.
    fn decide(&self, ask: &Ask, view: &View, entropy: u64) -> Result<Decision, Refusal>;

    /// Learns what became of one attempt.
    fn observe(&self, outcome: &Outcome);
}

/// What is wanted, in the router's terms.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ask {
    /// `provider:model`, a bare model name, a class or a route; `None` or `auto` is the default route.
    pub model: Option<String>,
    /// What the model must be made for.
    pub kind: Kind,
    /// What the request cannot do without.
    pub needs: Needs,
    /// Estimated input tokens.
    pub tokens_in: Tokens,
    /// The longest answer the caller asked for.
    pub max_output_tokens: Option<Tokens>,
    /// What the model or route must be within, all of them: the team's access, then the key's.
    pub allowed: Vec<ModelAccess>,
}

/// Capabilities a request cannot do without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Needs {
    /// Function calling.
    pub tools: bool,
    /// Image input.
    pub vision: bool,
    /// Output bound to a JSON Schema.
    pub json_schema: bool,
}

/// What the router may know of the world when it decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// The present.
    pub now: Timestamp,
}

/// What became of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Who was asked.
    pub model: ModelId,
    /// When it ended.
    pub at: Timestamp,
    /// Whether it speaks for the model's health: it answered, or the request itself was at fault.
    pub ok: bool,
    /// From sending to the first content.
    pub ttft: Option<Millis>,
}

/// An ordered plan and how it came about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    /// The request's id.
    pub id: String,
    /// The route or class the ask resolved to; `None` when a model was named.
    pub route: Option<String>,
    /// How the plan was ordered.
    pub strategy: Strategy,
    /// Why the first step is first, in one word.
    pub reason: Reason,
    /// Whom to ask, in this order.
    pub plan: Vec<Step>,
    /// Every candidate and its verdict.
    pub considered: Vec<Considered>,
    /// The route's own time limits, for every step of the plan.
    #[serde(skip)]
    pub timeouts: TimeoutsOverride,
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Whom to ask.
    pub model: ModelId,
    /// Why it is in the plan.
    pub role: Role,
}

/// The role of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Asked first.
    Primary,
    /// Asked when those before it failed.
    Fallback,
}

/// How a plan was ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The caller named the model.
    Direct,
    /// In the order of the configuration.
    Fallback,
    /// At random, by weight.
    Weighted,
}

/// Why the first step is first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The caller named it.
    Named,
    /// It stands first in the route.
    First,
    /// The draw fell on it.
    Drawn,
    /// Those before it were dropped.
    OnlyFit,
}

impl Reason {
    /// The word as it stands in `x-signalbox-reason`.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Named => "named",
            Reason::First => "first",
            Reason::Drawn => "drawn",
            Reason::OnlyFit => "only_fit",
        }
    }
}

/// A candidate's verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Considered {
    /// Who was considered.
    pub model: ModelId,
    /// Whether it is in the plan.
    pub verdict: Verdict,
    /// Why it is not; `None` unless dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Drop>,
}

/// Whether a candidate is in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// First in the plan.
    Chosen,
    /// Further down in the plan.
    Kept,
    /// Not in the plan.
    Dropped,
}

/// The rail a candidate did not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drop {
    /// The team or the key may not use it.
    NotAllowed,
    /// It is made for something else: an embedding model cannot chat.
    OtherKind,
    /// It cannot call tools.
    LacksTools,
    /// It cannot see images.
    LacksVision,
    /// It cannot be bound to a JSON Schema.
    LacksJsonSchema,
    /// The prompt and the answer do not fit its context window.
    ContextTooSmall,
    /// Its provider has no credential here.
    NotEnabled,
}

impl Drop {
    /// The reason as it stands in a decision.
    pub fn as_str(self) -> &'static str {
        match self {
            Drop::NotAllowed => "not_allowed",
            Drop::OtherKind => "other_kind",
            Drop::LacksTools => "lacks_tools",
            Drop::LacksVision => "lacks_vision",
            Drop::LacksJsonSchema => "lacks_json_schema",
            Drop::ContextTooSmall => "context_too_small",
            Drop::NotEnabled => "not_enabled",
        }
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
