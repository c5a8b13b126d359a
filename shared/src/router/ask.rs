//! What is wanted, in the router's terms.

use super::learn::bandit::Cell;
use super::learn::online::Features;
use crate::catalog::Kind;
use crate::config::ModelAccess;
use crate::sorted::SortedMap;
use crate::units::Tokens;
use serde::{Deserialize, Serialize};

/// A request as the router sees it. As JSON it can be kept, asked of another service, and decided again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ask {
    /// `provider:model`, a bare model name, a class or a route; `None` or `auto` is the default route.
    pub model: Option<String>,
    /// What the model must be made for.
    pub kind: Kind,
    /// What is asked for: `chat`, `embeddings`.
    pub operation: String,
    /// What the model must be able to do.
    pub needs: Needs,
    /// Estimated input tokens.
    pub tokens_in: Tokens,
    /// The longest answer the caller asked for.
    pub max_output_tokens: Option<Tokens>,
    /// What the model or route must be within, all of them: the team's access, then the key's.
    pub allowed: Vec<ModelAccess>,
    /// For attribution and rules.
    pub tags: SortedMap<String, String>,
    /// The caller's team.
    pub team: String,
    /// Whom the call is for.
    pub user: Option<String>,
    /// The team's organisation, where there is one.
    pub organisation: Option<String>,
    /// What belongs together: calls of one session share a provider's prompt cache.
    pub session: Option<String>,
    /// An agent's role or stage.
    pub role: Option<String>,
    /// What was found of the request's text.
    pub signals: Signals,
}

impl Ask {
    /// The session, under a name that no other team's can have.
    pub fn session_key(&self) -> Option<String> {
        self.session.as_ref().map(|session| format!("{}\n{session}", self.team))
    }
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
    /// Documents as input.
    pub documents: bool,
    /// Sound as input.
    pub audio: bool,
}

/// A prompt as learners see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its counters and n-grams.
    pub features: Features,
    /// What kind of prompt it is.
    pub cell: Cell,
    /// How much a stronger model would gain, by the shipped coefficients.
    pub gain: i32,
}

/// What was found of a request's text, by whoever looked at it; nothing, where nobody did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Signals {
    /// How hard it is, from 0 to 1, in thousandths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complexity_permille: Option<u32>,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The user said nothing new: a model is at work with tools.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub in_tool_loop: bool,
    /// The tool that was called says that it failed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tool_failed: bool,
    /// What a learner sees of it. A decision needs only what was [learned](super::View::advice) from it.
    #[serde(skip)]
    pub seen: Option<Box<Seen>>,
    /// Kinds of data found in it: `email`, `health`.
    pub data_classes: Vec<String>,
}
