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

/// How a model differs from what its dialect usually takes. The default is a current model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traits {
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
        let letters = [
            (self.budget_thinking, 'b'),
            (self.fixed_sampling, 'f'),
            (self.minimal_effort, 'm'),
            (self.system_in_conversation, 's'),
        ];
        letters.into_iter().filter(|(is, _)| *is).map(|(_, letter)| letter).collect()
    }

    /// Reads the letters of the table; a letter of a later table is passed over.
    pub(super) fn from_letters(letters: &str) -> Traits {
        Traits {
            budget_thinking: letters.contains('b'),
            fixed_sampling: letters.contains('f'),
            system_in_conversation: letters.contains('s'),
            minimal_effort: letters.contains('m'),
        }
    }
}
