//! A whole answer in the common form.

use super::{Json, Part};
use crate::dialect::ProviderDialect;
use crate::usage::Usage;

/// What a model answered.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatResponse {
    /// The dialect it was read from.
    pub origin: ProviderDialect,
    /// The provider's id of the answer.
    pub id: Option<String>,
    /// The model as the provider names it.
    pub model: Option<String>,
    /// When it was made, in seconds since 1970.
    pub created: Option<u64>,
    /// One answer, or several when `n` asked for them. Never empty.
    pub choices: Vec<Choice>,
    /// What it consumed.
    pub usage: Option<Usage>,
    /// The priority class it was served in.
    pub service_tier: Option<String>,
    /// Members of the answer nobody here knows, in order.
    pub extra: Vec<(String, Json)>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Its place among the answers.
    pub index: u64,
    /// Text, thoughts and tool calls, in order.
    pub content: Vec<Part>,
    /// Why it ended; `None` when the provider did not say.
    pub finish: Option<FinishReason>,
    /// Token probabilities in OpenAI's form.
    pub logprobs: Option<Json>,
    /// Members of the choice or its message nobody here knows, in order.
    pub extra: Vec<(String, Json)>,
}

/// Why an answer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FinishReason {
    /// It was complete.
    Stop,
    /// A stop text came up; Anthropic says which.
    StopSequence(Option<String>),
    /// The limit of output tokens.
    Length,
    /// The context window was full.
    ContextWindow,
    /// It calls tools.
    ToolCalls,
    /// A filter cut it off.
    ContentFilter,
    /// The model or its provider declined.
    Refusal,
    /// A long turn was paused; send it back to continue.
    PauseTurn,
    /// A word nobody here knows.
    Other(String),
}
