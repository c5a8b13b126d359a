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
    /// Adds to what a body says what stands beside it.
    pub fn complete(&self, facts: &mut Facts) {
        if let Some(model) = &self.model {
            facts.model = Some(model.clone());
        }
        facts.stream = self.stream.unwrap_or(facts.stream);
        facts.framing = self.framing;
    }
}
