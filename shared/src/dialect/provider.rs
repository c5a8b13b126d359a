//! The dialects providers speak: those callers speak too, and those no caller does.
//!
//! A provider's side of a dialect is to write a request and to read what comes back. A caller's side
//! (read a request, write an answer) exists for [`Dialect`] alone, so nothing here pretends to it.

use super::{
    Decoder, Dialect, ProtocolError, Target, UpstreamError, Warnings, bedrock, cohere, ir, ollama, workers_ai,
};

/// A way in which a provider speaks of chats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderDialect {
    /// One that callers speak too.
    Both(Dialect),
    /// Amazon Bedrock's Converse and ConverseStream.
    Bedrock,
    /// Cohere's v2 chat.
    Cohere,
    /// Ollama's own chat.
    Ollama,
    /// Workers AI's own form.
    WorkersAi,
}

impl ProviderDialect {
    /// The name in configuration and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            ProviderDialect::Both(dialect) => dialect.as_str(),
            ProviderDialect::Bedrock => "bedrock",
            ProviderDialect::Cohere => "cohere",
            ProviderDialect::Ollama => "ollama",
            ProviderDialect::WorkersAi => "workers_ai",
        }
    }

    /// The same dialect among those callers speak, if it is one.
    pub fn of_callers(self) -> Option<Dialect> {
        match self {
            ProviderDialect::Both(dialect) => Some(dialect),
            ProviderDialect::Bedrock
            | ProviderDialect::Cohere
            | ProviderDialect::Ollama
            | ProviderDialect::WorkersAi => None,
        }
    }

    /// The media type of its streams.
    pub fn stream_type(self) -> &'static str {
        match self {
            ProviderDialect::Both(_) | ProviderDialect::Cohere | ProviderDialect::WorkersAi => "text/event-stream",
            ProviderDialect::Ollama => "application/x-ndjson",
            ProviderDialect::Bedrock => "application/vnd.amazon.eventstream",
        }
    }

    /// Whether its answers name the model that gave them.
    pub fn names_its_model(self) -> bool {
        match self {
            ProviderDialect::Both(_) | ProviderDialect::Ollama => true,
            ProviderDialect::Bedrock | ProviderDialect::Cohere | ProviderDialect::WorkersAi => false,
        }
    }

    /// Writes a request. What this dialect or the target cannot carry goes to `warnings`.
    pub fn write_request(self, request: &ir::ChatRequest, target: &Target<'_>, warnings: &mut Warnings) -> Vec<u8> {
        match self {
            ProviderDialect::Both(dialect) => dialect.write_request(request, target, warnings),
            ProviderDialect::Bedrock => bedrock::request::write(request, target, warnings),
            ProviderDialect::Cohere => cohere::request::write(request, target, warnings),
            ProviderDialect::Ollama => ollama::request::write(request, target, warnings),
            ProviderDialect::WorkersAi => workers_ai::request::write(request, target, warnings),
        }
    }

    /// Reads a whole answer of status 200.
    pub fn read_response(self, body: &[u8]) -> Result<ir::ChatResponse, ProtocolError> {
        match self {
            ProviderDialect::Both(dialect) => dialect.read_response(body),
            ProviderDialect::Bedrock => bedrock::response::read(body),
            ProviderDialect::Cohere => cohere::response::read(body),
            ProviderDialect::Ollama => ollama::response::read(body),
            ProviderDialect::WorkersAi => workers_ai::response::read(body),
        }
    }

    /// A reader of its streams.
    pub fn decoder(self) -> Decoder {
        Decoder::new(self)
    }

    /// Reads the body of an answer whose status is an error, whatever its shape.
    pub fn read_error(self, status: u16, body: &[u8]) -> UpstreamError {
        match self {
            ProviderDialect::Both(dialect) => dialect.read_error(status, body),
            ProviderDialect::Bedrock => bedrock::error::read(status, body),
            ProviderDialect::Cohere => cohere::error::read(status, body),
            ProviderDialect::Ollama => ollama::error::read(status, body),
            ProviderDialect::WorkersAi => workers_ai::error::read(status, body),
        }
    }
}

impl From<Dialect> for ProviderDialect {
    fn from(dialect: Dialect) -> ProviderDialect {
        ProviderDialect::Both(dialect)
    }
}

impl PartialEq<Dialect> for ProviderDialect {
    fn eq(&self, other: &Dialect) -> bool {
        *self == ProviderDialect::Both(*other)
    }
}
