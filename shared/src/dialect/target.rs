//! What a writer must know beside the common form: which model it writes for and how that one differs.

use super::Echo;
use serde::Deserialize;

/// The model a request is written for.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The model's name at its provider.
    pub model: &'a str,
    /// Whether to ask for a stream.
    pub stream: bool,
    /// Policy's limit of output tokens; a larger wish is cut to it, no wish becomes it.
    pub max_output_tokens: Option<u64>,
    /// What to ask for where the dialect demands a limit and nobody named one.
    pub default_max_output_tokens: u64,
    /// How the provider or model differs from its dialect.
    pub quirks: &'a Quirks,
}

/// What changes in a body that otherwise goes on as it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edits<'a> {
    /// The model's name at its provider.
    pub model: Option<&'a str>,
    /// Have a stream end with usage, which settlement needs.
    pub include_usage: bool,
    /// Policy's limit of output tokens; a larger wish is cut to it, no wish becomes it.
    pub max_output_tokens: Option<u64>,
    /// The member that carries the limit where the body has none.
    pub max_tokens_field: MaxTokensField,
}

/// How a provider or model differs from its dialect, as data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quirks {
    /// OpenAI: the member for the limit of output tokens.
    pub max_tokens_field: MaxTokensField,
    /// OpenAI: knows the role `developer`; else it is sent as `system`.
    pub developer_role: bool,
    /// OpenAI: knows `stream_options.include_usage`.
    pub stream_usage: bool,
    /// OpenAI: takes `reasoning_effort`.
    pub reasoning_effort: bool,
    /// OpenAI: takes `service_tier`, `store`, `metadata` and `verbosity`, which only some know and strict
    /// servers refuse.
    pub account_members: bool,
    /// OpenAI: how many stop texts it takes.
    pub stops: usize,
    /// OpenAI: takes `user`.
    pub user: bool,
    /// OpenAI: how earlier reasoning is given back.
    pub reasoning_replay: ReasoningReplay,
    /// OpenAI Responses: the model reasons, so its reasoning can be asked for sealed.
    pub encrypted_reasoning: bool,
    /// Anthropic: what `thinking` it takes. Gemini: a level (as adaptive thinking) or a budget.
    pub thinking: ThinkingSupport,
    /// Anthropic: takes instructions between the turns.
    pub system_in_conversation: bool,
    /// Takes a JSON Schema for its answer.
    pub json_schema: bool,
    /// Takes `cache_control`. Every Anthropic model does; of OpenAI's kind some do.
    pub cache_control: bool,
    /// Which sampling parameters it takes.
    pub sampling: SamplingSupport,
    /// Gemini: takes the ids of tool calls. Vertex refuses them.
    pub call_ids: bool,
    /// Gemini: takes the thinking level `minimal`.
    pub minimal_effort: bool,
}

impl Quirks {
    /// A current model behind the dialect's own provider.
    pub const STANDARD: Quirks = Quirks {
        max_tokens_field: MaxTokensField::MaxCompletionTokens,
        developer_role: true,
        stream_usage: true,
        reasoning_effort: true,
        account_members: true,
        stops: 4,
        user: true,
        reasoning_replay: ReasoningReplay::None,
        encrypted_reasoning: false,
        thinking: ThinkingSupport::Adaptive,
        system_in_conversation: false,
        json_schema: true,
        cache_control: false,
        sampling: SamplingSupport::All,
        call_ids: true,
        minimal_effort: false,
    };
}

impl Default for Quirks {
    fn default() -> Quirks {
        Quirks::STANDARD
    }
}

/// OpenAI's two names for the limit of output tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxTokensField {
    /// OpenAI itself; the only one its reasoning models take.
    #[default]
    MaxCompletionTokens,
    /// Most others.
    MaxTokens,
}

impl MaxTokensField {
    /// The member's name.
    pub fn as_str(self) -> &'static str {
        match self {
            MaxTokensField::MaxCompletionTokens => "max_completion_tokens",
            MaxTokensField::MaxTokens => "max_tokens",
        }
    }
}

/// How a provider of OpenAI's dialect takes earlier reasoning back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasoningReplay {
    /// Not at all (OpenAI).
    #[default]
    None,
    /// As `reasoning_content` (DeepSeek, Z.ai, vLLM).
    ReasoningContent,
    /// As `reasoning_details`, signatures included (OpenRouter).
    ReasoningDetails,
}

/// What `thinking` an Anthropic model takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThinkingSupport {
    /// `adaptive`, with `output_config.effort`.
    #[default]
    Adaptive,
    /// `enabled`, with a number of tokens.
    Budget,
    /// None.
    None,
}

/// Which sampling parameters a model takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SamplingSupport {
    /// All of its dialect.
    #[default]
    All,
    /// `temperature` or `top_p`, not both.
    OneOf,
    /// None, but for values that ask for nothing; nor stop texts, nor what tells or changes probabilities of tokens.
    None,
}

impl SamplingSupport {
    /// Whether a model takes a parameter that says the same as leaving it out.
    pub(crate) fn takes(self, value: f64, usual: f64) -> bool {
        self != SamplingSupport::None || value == usual
    }
}

/// How an answer is labelled.
#[derive(Clone, Copy, Debug)]
pub struct ResponseContext<'a> {
    /// The id where the provider gave none; unique.
    pub id: &'a str,
    /// The model to name; the provider's own word where it is `None`.
    pub model: Option<&'a str>,
    /// Now, in seconds since 1970, where the provider gave no time.
    pub created: u64,
    /// What the answer repeats of the request.
    pub echo: &'a Echo,
}

/// How a stream is labelled, and what the caller asked of it.
#[derive(Clone, Debug)]
pub struct StreamContext {
    /// The id where the provider gave none; unique.
    pub id: String,
    /// The model to name; the provider's own word where it is `None`.
    pub model: Option<String>,
    /// Now, in seconds since 1970.
    pub created: u64,
    /// OpenAI: whether the caller asked for a usage chunk.
    pub include_usage: bool,
    /// The gateway's id of the request, for errors inside the stream.
    pub request_id: String,
    /// What the answer repeats of the request.
    pub echo: Echo,
}
