//! A chat request in the common form.

use super::{Json, Message, Part};
use crate::dialect::{Dialect, Warnings};
use crate::error::ApiError;

/// What a caller asks of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatRequest {
    /// The dialect it was read from: paths in warnings are spelled in it.
    pub origin: Dialect,
    /// The model as the caller named it.
    pub model: Option<String>,
    /// Instructions that stand above the conversation (Anthropic's `system`).
    pub instructions: Vec<Part>,
    /// The conversation.
    pub messages: Vec<Message>,
    /// Tools the model may call.
    pub tools: Vec<Tool>,
    /// Whether and which tool it must call.
    pub tool_choice: Option<ToolChoice>,
    /// Whether it may call several at once.
    pub parallel_tool_calls: Option<bool>,
    /// The form of the answer.
    pub output: Option<OutputFormat>,
    /// How much to think.
    pub reasoning: Reasoning,
    /// How to choose tokens.
    pub sampling: Sampling,
    /// The longest answer, reasoning included.
    pub max_output_tokens: Option<u64>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// Whether the answer streams.
    pub stream: bool,
    /// Whether the stream ends with usage (OpenAI; other dialects always do).
    pub include_usage: bool,
    /// An opaque id of the caller's own user.
    pub user: Option<String>,
    /// The provider's priority class, in the origin's words.
    pub service_tier: Option<String>,
    /// Free key-value pairs kept by the provider (OpenAI).
    pub metadata: Option<Json>,
    /// Whether the provider may keep the exchange (OpenAI).
    pub store: Option<bool>,
    /// A cache breakpoint for the whole prompt (Anthropic's top-level `cache_control`).
    pub cache: Option<Json>,
    /// How wordy the answer should be: low, medium, high (OpenAI).
    pub verbosity: Option<String>,
    /// What cannot be said in another dialect without changing what is asked.
    pub native_only: Vec<NativeOnly>,
    /// Members of the request nobody here knows, in order.
    pub extra: Vec<(String, Json)>,
    /// Paths of members inside messages and tools that were not understood and are not carried.
    pub unread: Vec<String>,
    /// Where the caller has each part of each message, where that is not `messages[i].content[j]`.
    pub places: Vec<Vec<String>>,
}

/// A member that speaks of what only the provider of its own dialect keeps or does: leaving it out
/// would not lose a detail but ask something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeOnly {
    /// Its path in the caller's body.
    pub path: String,
    /// What the caller can do instead, as a sentence.
    pub instead: &'static str,
}

impl ChatRequest {
    /// An empty request of a dialect.
    pub fn new(origin: Dialect) -> ChatRequest {
        ChatRequest {
            origin,
            model: None,
            instructions: Vec::new(),
            messages: Vec::new(),
            tools: Vec::new(),
            tool_choice: None,
            parallel_tool_calls: None,
            output: None,
            reasoning: Reasoning::default(),
            sampling: Sampling::default(),
            max_output_tokens: None,
            stop: Vec::new(),
            stream: false,
            include_usage: false,
            user: None,
            service_tier: None,
            metadata: None,
            store: None,
            cache: None,
            verbosity: None,
            native_only: Vec::new(),
            extra: Vec::new(),
            unread: Vec::new(),
            places: Vec::new(),
        }
    }

    /// Whether a file that was uploaded before is at OpenAI.
    pub(crate) fn has_files_at_openai(&self) -> bool {
        matches!(self.origin, Dialect::OpenAiChat | Dialect::OpenAiResponses)
    }

    /// Where the caller has a part of a message.
    pub fn place(&self, message: usize, part: usize) -> String {
        let told = self.places.get(message).and_then(|places| places.get(part)).cloned();
        told.unwrap_or_else(|| format!("messages[{message}].content[{part}]"))
    }

    /// Why a provider of another dialect cannot be asked this, if it cannot.
    pub fn needs_native(&self) -> Option<ApiError> {
        let NativeOnly { path, instead } = self.native_only.first()?;
        Some(ApiError::invalid(
            path.as_str(),
            format!("`{path}` only works with a provider that speaks {} itself. {instead}", self.origin.as_str()),
        ))
    }
}

/// Something the model may call.
#[derive(Clone, Debug, PartialEq)]
pub enum Tool {
    /// A function the caller runs.
    Function {
        /// Its name.
        name: String,
        /// What it does.
        description: Option<String>,
        /// JSON Schema of its arguments, every keyword kept.
        parameters: Option<Json>,
        /// Whether the arguments must follow the schema.
        strict: Option<bool>,
        /// A prompt-cache breakpoint.
        cache: Option<Json>,
        /// Members only the origin knows.
        extra: Vec<(String, Json)>,
    },
    /// A tool of one dialect: run by the provider, or with another grammar.
    Opaque {
        /// The dialect that understands it.
        origin: Dialect,
        /// Its `type` there.
        kind: String,
        /// The tool as it came.
        json: Json,
    },
}

/// Whether and which tool the model must call.
#[derive(Clone, Debug, PartialEq)]
pub enum ToolChoice {
    /// As it likes.
    Auto,
    /// None.
    None,
    /// At least one.
    Required,
    /// This one.
    Named(String),
    /// A form only one dialect knows.
    Opaque {
        /// The dialect that understands it.
        origin: Dialect,
        /// The choice as it came.
        json: Json,
    },
}

/// The form of the answer.
#[derive(Clone, Debug, PartialEq)]
pub enum OutputFormat {
    /// Any JSON object.
    JsonObject,
    /// JSON that follows a schema.
    JsonSchema {
        /// A label OpenAI asks for.
        name: Option<String>,
        /// What the answer is for.
        description: Option<String>,
        /// The schema, every keyword kept.
        schema: Option<Json>,
        /// Whether to hold to it.
        strict: Option<bool>,
    },
    /// A form only one dialect knows.
    Opaque {
        /// The dialect that understands it.
        origin: Dialect,
        /// The form as it came.
        json: Json,
    },
}

/// How much to think. Both members may be set: Anthropic's newer models take an effort and a mode.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reasoning {
    /// A level.
    pub effort: Option<Effort>,
    /// Anthropic's `thinking`.
    pub thinking: Option<Thinking>,
    /// How Anthropic shows thoughts: `summarized`, `omitted`.
    pub display: Option<String>,
    /// That thoughts are to be shown, and how much of them: `auto`, `concise`, `detailed` (OpenAI Responses).
    pub summary: Option<String>,
}

impl Reasoning {
    /// The wish as a level, for dialects that know nothing else.
    pub fn level(&self) -> Option<Effort> {
        match self.thinking {
            // Off is what a model without an effort does where it can.
            Some(Thinking::Disabled) => self.effort.map(|_| Effort::None),
            Some(Thinking::Adaptive) | None => self.effort,
            Some(Thinking::Budget(tokens)) => self.effort.or(Some(Effort::from_budget(tokens))),
        }
    }

    /// Whether reasoning is asked for.
    pub fn is_wanted(&self) -> bool {
        let by_effort = self.effort.is_some_and(|effort| effort != Effort::None);
        match self.thinking {
            Some(Thinking::Disabled) => false,
            Some(Thinking::Adaptive | Thinking::Budget(_)) => true,
            None => by_effort,
        }
    }
}

/// A level of reasoning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// Not at all.
    None,
    /// As little as possible.
    Minimal,
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// More.
    XHigh,
    /// All there is (Anthropic).
    Max,
}

impl Effort {
    const ALL: [Effort; 7] =
        [Effort::None, Effort::Minimal, Effort::Low, Effort::Medium, Effort::High, Effort::XHigh, Effort::Max];

    /// The level's name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Effort::None => "none",
            Effort::Minimal => "minimal",
            Effort::Low => "low",
            Effort::Medium => "medium",
            Effort::High => "high",
            Effort::XHigh => "xhigh",
            Effort::Max => "max",
        }
    }

    /// The level of this name.
    pub fn from_name(name: &str) -> Option<Effort> {
        Effort::ALL.into_iter().find(|effort| effort.as_str() == name)
    }

    /// Thinking tokens worth this level, for models that take a number.
    pub fn budget(self) -> u64 {
        match self {
            Effort::None => 0,
            Effort::Minimal => 1_024,
            Effort::Low => 2_048,
            Effort::Medium => 8_192,
            Effort::High => 16_384,
            Effort::XHigh => 24_576,
            Effort::Max => 32_768,
        }
    }

    /// The level a number of thinking tokens stands for.
    pub fn from_budget(tokens: u64) -> Effort {
        match tokens {
            0..=4_095 => Effort::Low,
            4_096..=12_287 => Effort::Medium,
            12_288.. => Effort::High,
        }
    }
}

/// Anthropic's `thinking`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thinking {
    /// Off.
    Disabled,
    /// The model decides.
    Adaptive,
    /// At most so many tokens.
    Budget(u64),
}

/// How to choose tokens.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sampling {
    /// Randomness: 0..2 in OpenAI's scale, 0..1 in Anthropic's.
    pub temperature: Option<f64>,
    /// Nucleus sampling.
    pub top_p: Option<f64>,
    /// Only the k likeliest tokens.
    pub top_k: Option<u64>,
    /// For repeatable answers.
    pub seed: Option<i64>,
    /// How many answers.
    pub n: Option<u64>,
    /// Against what was said at all.
    pub presence_penalty: Option<f64>,
    /// Against what was said often.
    pub frequency_penalty: Option<f64>,
    /// Per-token biases.
    pub logit_bias: Option<Json>,
    /// Whether to tell probabilities.
    pub logprobs: Option<bool>,
    /// Of how many alternatives.
    pub top_logprobs: Option<u64>,
}

impl Sampling {
    /// Names what was asked for and is none of `temperature`, `top_p` and `top_k`: for dialects that
    /// have nothing else.
    pub(crate) fn warn_of_the_rest(&self, warnings: &mut Warnings) {
        let asked = [
            ("seed", self.seed.is_some()),
            ("n", self.n.is_some_and(|n| n > 1)),
            ("presence_penalty", self.presence_penalty.is_some_and(|penalty| penalty != 0.0)),
            ("frequency_penalty", self.frequency_penalty.is_some_and(|penalty| penalty != 0.0)),
            ("logit_bias", self.logit_bias.is_some()),
            ("logprobs", self.logprobs == Some(true)),
            ("top_logprobs", self.top_logprobs.is_some_and(|top| top > 0)),
        ];
        asked.into_iter().filter(|(_, asked)| *asked).for_each(|(name, _)| warnings.dropped(name));
    }
}
