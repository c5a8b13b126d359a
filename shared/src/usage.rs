//! What a call consumed, with one meaning for every provider.

use crate::units::Tokens;
use serde::{Deserialize, Serialize};

/// Tokens of one call, split so that each part has one price. The parts never overlap.
///
/// Providers disagree about what includes what: OpenAI's `prompt_tokens` include cached ones,
/// Anthropic's `input_tokens` do not. A dialect's reader sorts that out; past it there is only this.
/// Readers name the parts they know and leave the rest to `..Usage::default()`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Text read at full price.
    pub input: Tokens,
    /// Sound read at full price.
    #[serde(skip_serializing_if = "is_zero")]
    pub input_audio: Tokens,
    /// Images read at full price, where the provider counts them apart from text.
    #[serde(skip_serializing_if = "is_zero")]
    pub input_image: Tokens,
    /// Input read from the provider's prompt cache.
    pub cache_read: Tokens,
    /// Input written to a prompt cache that lives five minutes.
    pub cache_write_5m: Tokens,
    /// Input written to a prompt cache that lives one hour.
    pub cache_write_1h: Tokens,
    /// Text written that is not reasoning.
    pub output: Tokens,
    /// Output spent on reasoning, billed as output.
    pub reasoning: Tokens,
    /// Sound spoken.
    #[serde(skip_serializing_if = "is_zero")]
    pub output_audio: Tokens,
    /// Searches, where a provider bills those (rerank): a query over up to a hundred documents.
    #[serde(skip_serializing_if = "is_zero")]
    pub searches: u64,
    /// Under which tier the provider served the call.
    #[serde(skip_serializing_if = "Tier::is_standard")]
    pub tier: Tier,
    /// True when the provider did not say and we counted ourselves.
    pub estimated: bool,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A provider's service tier, as far as prices differ by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// The list price.
    #[default]
    Standard,
    /// Cheaper and slower.
    Flex,
    /// Within a day.
    Batch,
    /// Ahead of others.
    Priority,
    /// The same model run faster: Anthropic's fast mode, OpenAI's `ultrafast`.
    Fast,
}

impl Tier {
    /// The tier a provider's answer names, with Vertex AI's `ON_DEMAND_` before it or without; a word that changes no price
    /// is the standard one.
    pub fn parse(word: &str) -> Tier {
        match word.to_ascii_lowercase().trim_start_matches("on_demand_") {
            "flex" => Tier::Flex,
            "batch" => Tier::Batch,
            "priority" => Tier::Priority,
            "fast" | "ultrafast" => Tier::Fast,
            _ => Tier::Standard,
        }
    }

    /// The dearest tier that a request's wish can lead to. `auto` leaves the choice to the provider.
    pub fn dearest(wish: &str) -> Tier {
        match wish.to_ascii_lowercase().as_str() {
            "auto" => Tier::Priority,
            wish => Tier::parse(wish),
        }
    }

    /// Whether it is the list price's.
    pub fn is_standard(&self) -> bool {
        *self == Tier::Standard
    }
}

impl Usage {
    /// All input, cached or not: OpenAI's `prompt_tokens`.
    pub fn prompt_tokens(&self) -> Tokens {
        [self.input_audio, self.input_image, self.cache_read, self.cache_write_5m, self.cache_write_1h]
            .into_iter()
            .fold(self.input, Tokens::saturating_add)
    }

    /// All output, reasoning included: OpenAI's `completion_tokens`, Anthropic's `output_tokens`.
    pub fn completion_tokens(&self) -> Tokens {
        self.output.saturating_add(self.reasoning).saturating_add(self.output_audio)
    }

    /// Input and output together.
    pub fn total_tokens(&self) -> Tokens {
        self.prompt_tokens().saturating_add(self.completion_tokens())
    }

    /// Both together, part by part. Estimated if either is; of two tiers the dearer.
    pub fn plus(&self, other: &Usage) -> Usage {
        Usage {
            input: self.input.saturating_add(other.input),
            input_audio: self.input_audio.saturating_add(other.input_audio),
            input_image: self.input_image.saturating_add(other.input_image),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            cache_write_5m: self.cache_write_5m.saturating_add(other.cache_write_5m),
            cache_write_1h: self.cache_write_1h.saturating_add(other.cache_write_1h),
            output: self.output.saturating_add(other.output),
            reasoning: self.reasoning.saturating_add(other.reasoning),
            output_audio: self.output_audio.saturating_add(other.output_audio),
            searches: self.searches.saturating_add(other.searches),
            tier: self.tier.max(other.tier),
            estimated: self.estimated || other.estimated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_the_parts_is_the_total() {
        let usage = Usage {
            input: 1,
            input_audio: 2,
            input_image: 4,
            cache_read: 8,
            cache_write_5m: 16,
            cache_write_1h: 32,
            output: 64,
            reasoning: 128,
            output_audio: 256,
            ..Usage::default()
        };
        assert_eq!((usage.prompt_tokens(), usage.completion_tokens(), usage.total_tokens()), (63, 448, 511));
        assert_eq!(usage.plus(&usage).total_tokens(), 1022);
    }

    #[test]
    fn tiers_are_told_by_every_word_in_use() {
        for (word, answered, wished) in [
            ("default", Tier::Standard, Tier::Standard),
            ("standard_only", Tier::Standard, Tier::Standard),
            ("on_demand", Tier::Standard, Tier::Standard),
            ("auto", Tier::Standard, Tier::Priority),
            ("flex", Tier::Flex, Tier::Flex),
            ("PRIORITY", Tier::Priority, Tier::Priority),
            ("batch", Tier::Batch, Tier::Batch),
            ("ultrafast", Tier::Fast, Tier::Fast),
        ] {
            assert_eq!((Tier::parse(word), Tier::dearest(word)), (answered, wished), "{word}");
        }
    }
}
