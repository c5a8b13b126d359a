//! The chat dialects: those both callers and providers speak ([`Dialect`]), and those of providers
//! alone ([`ProviderDialect`]).
//!
//! Hub and spokes: every dialect reads into and writes from one common form ([`ir`]), so a new one
//! costs one folder, not one per pair. Where caller and provider speak the same dialect nothing is
//! translated: the request's bytes are spliced ([`Dialect::rewrite_request`]), the answer's are
//! forwarded and only watched ([`Dialect::observe_response`], [`Meter`]).
//!
//! Every dialect is a folder with the same rooms: `request`, `response`, `stream`, `error`.
//! What a translation cannot carry is named in [`Warnings`], never dropped silently.

pub(crate) mod adjust;
mod anthropic;
pub(crate) mod base64;
mod bedrock;
mod codec;
mod cohere;
mod echo;
mod endpoint;
mod facts;
mod gemini;
pub mod ir;
pub(crate) mod json_read;
pub(crate) mod json_write;
pub(crate) mod lenient;
mod meter;
mod ollama;
mod openai_chat;
mod openai_responses;
mod prompt;
mod provider;
mod spelling;
mod system;
mod target;
mod text;
mod turns;
mod upstream;
mod warnings;
pub(crate) mod wire;
pub(crate) mod words;
mod workers_ai;

pub(crate) use codec::LARGEST_EVENT;
pub use codec::{Decoder, Encoder};
pub use echo::Echo;
pub use endpoint::{Endpoint, Framing};
pub use facts::{BYTES_PER_TOKEN, Facts, Needs};
pub use meter::{Finish, Meter, Observed, State};
pub use openai_chat::stream::Stripper;
pub use prompt::{Prompt, last_turn};
pub use provider::ProviderDialect;
pub use target::{
    Edits, MaxTokensField, Quirks, ReasoningReplay, ResponseContext, SamplingSupport, StreamContext, Target,
    ThinkingSupport,
};
pub use upstream::{ProtocolError, UpstreamClass, UpstreamError};
pub use warnings::{Effect, Warning, Warnings};

use crate::error::ApiError;
use crate::json::Document;
use serde::{Deserialize, Serialize};

/// A way to speak of chats on the wire, for callers and for providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// OpenAI Chat Completions and everything compatible with it.
    #[serde(rename = "openai_chat")]
    OpenAiChat,
    /// Anthropic Messages.
    Anthropic,
    /// OpenAI Responses.
    #[serde(rename = "openai_responses")]
    OpenAiResponses,
    /// Gemini `generateContent`, of AI Studio and of Vertex AI.
    Gemini,
}

impl Dialect {
    /// The name in configuration and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Dialect::OpenAiChat => "openai_chat",
            Dialect::Anthropic => "anthropic",
            Dialect::OpenAiResponses => "openai_responses",
            Dialect::Gemini => "gemini",
        }
    }

    /// What policy and routing need to know of a request, without building the common form. A member
    /// of the wrong type is a 400 that names it.
    pub fn inspect(self, body: &Document<'_>) -> Result<Facts, ApiError> {
        match self {
            Dialect::OpenAiChat => openai_chat::request::inspect(body),
            Dialect::Anthropic => anthropic::request::inspect(body),
            Dialect::OpenAiResponses => openai_responses::request::inspect(body),
            Dialect::Gemini => gemini::request::inspect(body),
        }
    }

    /// Reads a caller's request into the common form.
    pub fn read_request(self, body: &[u8]) -> Result<ir::ChatRequest, ApiError> {
        match self {
            Dialect::OpenAiChat => openai_chat::request::read(body),
            Dialect::Anthropic => anthropic::request::read(body),
            Dialect::OpenAiResponses => openai_responses::request::read(body),
            Dialect::Gemini => gemini::request::read(body),
        }
    }

    /// Writes a request for a provider. What this dialect or the target cannot carry goes to `warnings`.
    pub fn write_request(self, request: &ir::ChatRequest, target: &Target<'_>, warnings: &mut Warnings) -> Vec<u8> {
        match self {
            Dialect::OpenAiChat => openai_chat::request::write(request, target, warnings),
            Dialect::Anthropic => anthropic::request::write(request, target, warnings),
            Dialect::OpenAiResponses => openai_responses::request::write(request, target, warnings),
            Dialect::Gemini => gemini::request::write(request, target, warnings),
        }
    }

    /// The caller's bytes for a provider of the same dialect: what `edits` name is spliced in, every
    /// other byte stays.
    pub fn rewrite_request(self, body: &Document<'_>, edits: &Edits<'_>) -> Vec<u8> {
        match self {
            Dialect::OpenAiChat => openai_chat::request::rewrite(body, edits),
            Dialect::Anthropic => anthropic::request::rewrite(body, edits),
            Dialect::OpenAiResponses => openai_responses::request::rewrite(body, edits),
            Dialect::Gemini => gemini::request::rewrite(body, edits),
        }
    }

    /// What a request to count tokens says, as [`Dialect::inspect`] does of a chat.
    pub fn inspect_count(self, body: &Document<'_>) -> Result<Facts, ApiError> {
        match self {
            Dialect::OpenAiChat | Dialect::Anthropic | Dialect::OpenAiResponses => self.inspect(body),
            Dialect::Gemini => gemini::request::inspect_count(body),
        }
    }

    /// The caller's request to count tokens, for this model of a provider of the same dialect.
    pub fn rewrite_count(self, body: &Document<'_>, model: &str) -> Vec<u8> {
        match self {
            Dialect::OpenAiChat | Dialect::Anthropic | Dialect::OpenAiResponses => {
                self.rewrite_request(body, &Edits { model: Some(model), ..Edits::default() })
            }
            Dialect::Gemini => gemini::request::rewrite_count(body, model),
        }
    }

    /// The member of an answer that tells how many tokens a prompt has.
    pub fn count_member(self) -> &'static str {
        match self {
            Dialect::OpenAiChat | Dialect::Anthropic | Dialect::OpenAiResponses => "input_tokens",
            Dialect::Gemini => "totalTokens",
        }
    }

    /// Reads a provider's whole answer of status 200.
    pub fn read_response(self, body: &[u8]) -> Result<ir::ChatResponse, ProtocolError> {
        match self {
            Dialect::OpenAiChat => openai_chat::response::read(body),
            Dialect::Anthropic => anthropic::response::read(body),
            Dialect::OpenAiResponses => openai_responses::response::read(body),
            Dialect::Gemini => gemini::response::read(body),
        }
    }

    /// What an answer that we write repeats of the caller's request.
    pub fn echo(self, request: &[u8]) -> Echo {
        match self {
            Dialect::OpenAiResponses => openai_responses::response::echo(request),
            Dialect::OpenAiChat | Dialect::Anthropic | Dialect::Gemini => Echo::default(),
        }
    }

    /// Writes an answer for a caller. What this dialect cannot carry goes to `warnings`.
    pub fn write_response(
        self,
        response: &ir::ChatResponse,
        context: &ResponseContext<'_>,
        warnings: &mut Warnings,
    ) -> Vec<u8> {
        match self {
            Dialect::OpenAiChat => openai_chat::response::write(response, context, warnings),
            Dialect::Anthropic => anthropic::response::write(response, context, warnings),
            Dialect::OpenAiResponses => openai_responses::response::write(response, context, warnings),
            Dialect::Gemini => gemini::response::write(response, context, warnings),
        }
    }

    /// What settlement needs of an answer that is forwarded untouched.
    pub fn observe_response(self, body: &[u8]) -> Result<Observed, ProtocolError> {
        match self {
            Dialect::OpenAiChat => openai_chat::response::observe(body),
            Dialect::Anthropic => anthropic::response::observe(body),
            Dialect::OpenAiResponses => openai_responses::response::observe(body),
            Dialect::Gemini => gemini::response::observe(body),
        }
    }

    /// A reader of a provider's stream.
    pub fn decoder(self) -> Decoder {
        Decoder::new(self.into())
    }

    /// A writer of a caller's stream.
    pub fn encoder(self, context: StreamContext) -> Encoder {
        Encoder::new(self, context)
    }

    /// A watcher of a stream that is forwarded untouched.
    pub fn meter(self) -> Meter {
        Meter::new(self)
    }

    /// The body of an error answer.
    pub fn write_error(self, error: &ApiError, request_id: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        match self {
            Dialect::OpenAiChat => openai_chat::error::write(&mut out, error, request_id),
            Dialect::Anthropic => anthropic::error::write(&mut out, error, request_id),
            Dialect::OpenAiResponses => openai_responses::error::write(&mut out, error, request_id),
            Dialect::Gemini => gemini::error::write(&mut out, error, request_id),
        }
        out
    }

    /// The event that ends a stream which fails after its head was sent.
    pub fn write_stream_error(self, error: &ApiError, request_id: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        match self {
            Dialect::OpenAiChat => openai_chat::error::write_event(&mut out, error, request_id),
            Dialect::Anthropic => anthropic::error::write_event(&mut out, error, request_id),
            Dialect::OpenAiResponses => openai_responses::error::write_event(&mut out, error, request_id),
            Dialect::Gemini => gemini::error::write_event(&mut out, error, request_id),
        }
        out
    }

    /// Reads the body of an answer whose status is an error, whatever its shape.
    pub fn read_error(self, status: u16, body: &[u8]) -> UpstreamError {
        match self {
            Dialect::OpenAiChat | Dialect::Anthropic | Dialect::OpenAiResponses => {
                UpstreamError::from_body(status, body)
            }
            Dialect::Gemini => gemini::error::read(status, body),
        }
    }
}
