//! A chat as its endpoint names it: the dialect, and what stands beside the body.

use super::{Dialect, Facts};

/// What a path and a query say about a chat. In most dialects that is the dialect alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The dialect of the request and of its answer.
    pub dialect: Dialect,
    /// The model, where the path names it (Gemini).
    pub model: Option<String>,
    /// Whether the answer streams, where the path says so (Gemini).
    pub stream: Option<bool>,
    /// How a streamed answer is framed.
    pub framing: Framing,
}

/// How the events of a streamed answer are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// As server-sent events.
    #[default]
    Events,
    /// As the elements of one JSON array, sent one by one (Gemini without `alt=sse`).
    JsonArray,
}

impl From<Dialect> for Endpoint {
    fn from(dialect: Dialect) -> Endpoint {
        Endpoint { dialect, model: None, stream: None, framing: Framing::Events }
    }
}

impl Endpoint {
    /// What a body says, with what stands beside it.
    pub fn complete(&self, facts: Facts) -> Facts {
        Facts {
            model: self.model.clone().or(facts.model),
            stream: self.stream.unwrap_or(facts.stream),
            framing: self.framing,
            ..facts
        }
    }
}
