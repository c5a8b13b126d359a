//! What a call consumed, with one meaning for every provider.

use crate::units::Tokens;
use serde::{Deserialize, Serialize};

/// Tokens of one call, split so that each part has one price. The parts never overlap.
///
/// Providers disagree about what includes what: OpenAI's `prompt_tokens` include cached ones,
/// Anthropic's `input_tokens` do not. A dialect's reader sorts that out; past it there is only this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Input read at full price.
    pub input: Tokens,
    /// Input read from the provider's prompt cache.
    pub cache_read: Tokens,
    /// Input written to a prompt cache that lives five minutes.
    pub cache_write_5m: Tokens,
    /// Input written to a prompt cache that lives one hour.
    pub cache_write_1h: Tokens,
    /// Output that is not reasoning.
    pub output: Tokens,
    /// Output spent on reasoning, billed as output.
    pub reasoning: Tokens,
    /// True when the provider did not say and we counted ourselves.
    pub estimated: bool,
}

impl Usage {
    /// All input, cached or not: OpenAI's `prompt_tokens`.
    pub fn prompt_tokens(&self) -> Tokens {
        [self.cache_read, self.cache_write_5m, self.cache_write_1h].into_iter().fold(self.input, Tokens::saturating_add)
    }

    /// All output, reasoning included: OpenAI's `completion_tokens`, Anthropic's `output_tokens`.
    pub fn completion_tokens(&self) -> Tokens {
        self.output.saturating_add(self.reasoning)
    }

    /// Input and output together.
    pub fn total_tokens(&self) -> Tokens {
        self.prompt_tokens().saturating_add(self.completion_tokens())
    }
}

impl Usage {
    /// Both together, part by part. Estimated if either is.
    pub fn plus(&self, other: &Usage) -> Usage {
        Usage {
            input: self.input.saturating_add(other.input),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            cache_write_5m: self.cache_write_5m.saturating_add(other.cache_write_5m),
            cache_write_1h: self.cache_write_1h.saturating_add(other.cache_write_1h),
            output: self.output.saturating_add(other.output),
            reasoning: self.reasoning.saturating_add(other.reasoning),
            estimated: self.estimated || other.estimated,
        }
    }
}
