//! What a caller can ask for. A chat is one operation among several, and all of them walk the same
//! path: known, admitted, routed, tried, settled and written down exactly once.
//!
//! An operation says what its request means to policy and routing ([`Operation::inspect`]) and which
//! models it is for ([`Operation::kind`]). How chats are spelled is the dialects' business; each other
//! operation has a room here, for what callers write and for what providers want. Nothing in here
//! knows who calls, who pays or how bytes travel.

mod answer;
mod completions;
pub mod count_tokens;
pub mod embeddings;
pub mod passthrough;
pub mod rerank;

pub use answer::Written;

use crate::catalog::Kind;
use crate::dialect::{Dialect, Endpoint, Facts};
use crate::error::ApiError;
use crate::json::{self, Document};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The next turn of a conversation, in the dialect of an endpoint.
    Chat(Endpoint),
    /// How many tokens a conversation in a dialect has.
    CountTokens(Endpoint),
    /// How a text goes on: OpenAI's API from before there were conversations.
    Completions,
    /// Texts as vectors.
    Embeddings,
    /// Documents in the order of their relevance to a query.
    Rerank,
    /// A call of a provider's API, as it is.
    PassThrough(passthrough::Target),
}

impl Operation {
    /// The name in the audit line.
    pub fn as_str(&self) -> &'static str {
        match self {
            Operation::Chat(_) => "chat",
            Operation::CountTokens(_) => "count_tokens",
            Operation::Completions => "completions",
            Operation::Embeddings => "embeddings",
            Operation::Rerank => "rerank",
            Operation::PassThrough(_) => "passthrough",
        }
    }

    /// The dialect its errors are spelled in.
    pub fn dialect(&self) -> Dialect {
        match self {
            Operation::Chat(endpoint) | Operation::CountTokens(endpoint) => endpoint.dialect,
            Operation::Completions | Operation::Embeddings | Operation::Rerank | Operation::PassThrough(_) => {
                Dialect::OpenAiChat
            }
        }
    }

    /// What a model must be made for.
    pub fn kind(&self) -> Kind {
        match self {
            // No model is chosen for a call that is passed through: whatever it is for, its provider sees to it.
            Operation::Chat(_) | Operation::CountTokens(_) | Operation::PassThrough(_) => Kind::Chat,
            Operation::Completions => Kind::Completion,
            Operation::Embeddings => Kind::Embedding,
            Operation::Rerank => Kind::Rerank,
        }
    }

    /// Whether its body is JSON and nothing else.
    pub fn takes_json(&self) -> bool {
        match self {
            Operation::Chat(_)
            | Operation::CountTokens(_)
            | Operation::Completions
            | Operation::Embeddings
            | Operation::Rerank => true,
            Operation::PassThrough(_) => false,
        }
    }

    /// What policy and routing need to know of a request. A body that is not strict JSON, or has a member
    /// of the wrong type, is a 400 that says so.
    pub fn inspect(&self, body: &[u8]) -> Result<Facts, ApiError> {
        let scan = || json::scan(body, &json::Limits::default());
        match self {
            Operation::Chat(endpoint) => Ok(endpoint.complete(endpoint.dialect.inspect(&scan()?)?)),
            Operation::CountTokens(endpoint) => {
                let facts = endpoint.complete(endpoint.dialect.inspect_count(&scan()?)?);
                Ok(Facts { stream: false, ..facts })
            }
            Operation::Completions => completions::inspect(&scan()?),
            Operation::Embeddings => embeddings::inspect(&scan()?),
            Operation::Rerank => rerank::inspect(&scan()?),
            Operation::PassThrough(target) => {
                Ok(Facts { model: Some(target.name()), max_output_tokens: Some(0), n: 1, ..Facts::default() })
            }
        }
    }
}

/// The model, which an operation without a default route must name.
fn model(text: Option<&str>) -> Result<Option<String>, ApiError> {
    let model = text.map(crate::json::parse::<Option<String>>);
    match model.transpose().map_err(|_| ApiError::invalid("model", "`model` must be a string."))?.flatten() {
        Some(model) => Ok(Some(model)),
        None => Err(ApiError::invalid("model", "`model` is missing. GET /v1/models lists what you may use.")),
    }
}

/// A caller's body with another model in it, every other byte as it came.
fn with_model(body: &Document<'_>, model: &str) -> Vec<u8> {
    let model = serde_json::Value::from(model).to_string();
    let mut edits = crate::json::Edits::new(body);
    edits.set("model", &model);
    edits.apply()
}
