//! What the catalog answers about one model.

use super::{Capabilities, Price};
use crate::config::ModelId;

/// A model with everything that is known of it: the built-in table, with the configuration on top.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// As it was asked for; the provider is sent this name.
    pub id: ModelId,
    /// The longest prompt in tokens; where the provider states one window for prompt and answer, that
    /// window. `None`: unknown.
    pub context_tokens: Option<u64>,
    /// The longest answer in tokens. `None`: unknown.
    pub max_output_tokens: Option<u64>,
    /// What it costs.
    pub price: Price,
    /// The price is not on any list: it is the dearest of its provider, or of all.
    pub estimated_price: bool,
    /// What it can do; everything, where nothing is known of it.
    pub capabilities: Capabilities,
    /// How it differs from its dialect.
    pub traits: Traits,
    /// How good its answers are, from 0 to 1, where the configuration says.
    pub quality: Option<f64>,
    /// The day its provider switches it off: `2026-11-30`.
    pub retires: Option<&'static str>,
    /// Whether the table or the configuration knows it; else it may well not exist.
    pub known: bool,
}

/// What a model is made for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Conversations.
    #[default]
    Chat,
    /// Going on with a text, as before there were conversations.
    Completion,
    /// Texts as vectors.
    Embedding,
    /// Documents in the order of their relevance.
    Rerank,
}

/// How a model differs from what its dialect usually takes. The default is a current model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    /// What it is made for, where the table knows it.
    pub kind: Option<Kind>,
    /// Speaks OpenAI's Responses and not Chat Completions.
    pub only_responses: bool,
    /// Thinks by a number of tokens, not by effort.
    pub budget_thinking: bool,
    /// Takes no `temperature`, `top_p` or `top_k`.
    pub fixed_sampling: bool,
    /// Takes instructions between the turns.
    pub system_in_conversation: bool,
    /// Thinks as little as `minimal`.
    pub minimal_effort: bool,
}

impl Traits {
    /// The letters of the table.
    pub fn letters(self) -> String {
        let kind = [(Kind::Completion, 'C'), (Kind::Embedding, 'E'), (Kind::Rerank, 'R')];
        let kind = kind.into_iter().map(|(kind, letter)| (self.kind == Some(kind), letter));
        let letters = [
            (self.budget_thinking, 'b'),
            (self.fixed_sampling, 'f'),
            (self.minimal_effort, 'm'),
            (self.system_in_conversation, 's'),
            (self.only_responses, 'o'),
        ];
        kind.chain(letters).filter(|(is, _)| *is).map(|(_, letter)| letter).collect()
    }

    /// Reads the letters of the table; a letter of a later table is passed over.
    pub(super) fn from_letters(letters: &str) -> Traits {
        let kind = match letters.bytes().find(u8::is_ascii_uppercase) {
            Some(b'C') => Kind::Completion,
            Some(b'E') => Kind::Embedding,
            Some(b'R') => Kind::Rerank,
            Some(_) | None => Kind::Chat,
        };
        Traits {
            kind: Some(kind),
            only_responses: letters.contains('o'),
            budget_thinking: letters.contains('b'),
            fixed_sampling: letters.contains('f'),
            system_in_conversation: letters.contains('s'),
            minimal_effort: letters.contains('m'),
        }
    }
}
