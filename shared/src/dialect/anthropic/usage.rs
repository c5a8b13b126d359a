//! Token counts as Anthropic tells them, and back.

use crate::dialect::json_write::Members;
use crate::dialect::lenient::{Count, One, ServiceTier};
use crate::dialect::wire::wire;
use crate::usage::Usage;

wire! {
    /// `usage`. In a stream it comes twice; what the second says replaces what the first said.
    #[derive(Clone, Debug)]
    pub(super) struct UsageWire {
        input_tokens: Count,
        output_tokens: Count,
        cache_read_input_tokens: Count,
        cache_creation_input_tokens: Count,
        cache_creation: One<CacheCreation>,
        output_tokens_details: One<OutputDetails>,
        service_tier: ServiceTier,
        speed: ServiceTier,
    }
}

wire! {
    #[derive(Clone, Copy, Debug)]
    struct CacheCreation {
        ephemeral_5m_input_tokens: Count,
        ephemeral_1h_input_tokens: Count,
    }
}

wire! {
    #[derive(Clone, Copy, Debug)]
    struct OutputDetails {
        thinking_tokens: Count,
    }
}

impl UsageWire {
    /// Takes over what a later report says.
    pub(super) fn merge(&mut self, later: UsageWire) {
        for (mine, theirs) in [
            (&mut self.input_tokens, later.input_tokens),
            (&mut self.output_tokens, later.output_tokens),
            (&mut self.cache_read_input_tokens, later.cache_read_input_tokens),
            (&mut self.cache_creation_input_tokens, later.cache_creation_input_tokens),
        ] {
            if theirs.tokens().is_some() {
                *mine = theirs;
            }
        }
        self.service_tier.0 = self.service_tier.0.max(later.service_tier.0);
        self.speed.0 = self.speed.0.max(later.speed.0);
        if later.cache_creation.0.is_some() {
            self.cache_creation = later.cache_creation;
        }
        if later.output_tokens_details.0.is_some() {
            self.output_tokens_details = later.output_tokens_details;
        }
    }

    /// The usage, unless nothing believable was said. `input_tokens` exclude what the cache gave or
    /// took; `output_tokens` include thinking.
    pub(super) fn usage(&self) -> Option<Usage> {
        let (input, output) = (self.input_tokens.tokens(), self.output_tokens.tokens());
        input.or(output)?;
        let creation = self.cache_creation.0.unwrap_or_default();
        let (short, long) = (creation.ephemeral_5m_input_tokens.tokens(), creation.ephemeral_1h_input_tokens.tokens());
        let named = short.unwrap_or(0) + long.unwrap_or(0);
        let written = self.cache_creation_input_tokens.tokens().unwrap_or(named);
        let long = long.unwrap_or(0).min(written);
        let thinking = self.output_tokens_details.0.and_then(|details| details.thinking_tokens.tokens()).unwrap_or(0);
        let output = output.unwrap_or(0);
        let thinking = thinking.min(output);
        Some(Usage {
            input: input.unwrap_or(0),
            cache_read: self.cache_read_input_tokens.tokens().unwrap_or(0),
            cache_write_5m: written - long,
            cache_write_1h: long,
            output: output - thinking,
            reasoning: thinking,
            tier: self.service_tier.0.max(self.speed.0),
            ..Usage::default()
        })
    }
}

/// Writes the members of `usage`.
pub(super) fn write(o: &mut Members<'_>, usage: &Usage) {
    // Sound and images are input like any other here.
    let plain = usage.input.saturating_add(usage.input_audio).saturating_add(usage.input_image);
    o.number("input_tokens", plain);
    o.number("cache_creation_input_tokens", usage.cache_write_5m.saturating_add(usage.cache_write_1h));
    o.number("cache_read_input_tokens", usage.cache_read);
    if usage.cache_write_5m > 0 || usage.cache_write_1h > 0 {
        o.object("cache_creation", |o| {
            o.number("ephemeral_5m_input_tokens", usage.cache_write_5m);
            o.number("ephemeral_1h_input_tokens", usage.cache_write_1h);
        });
    }
    o.number("output_tokens", usage.completion_tokens());
    if usage.reasoning > 0 {
        o.object("output_tokens_details", |o| o.number("thinking_tokens", usage.reasoning));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn cached_input_stands_beside_plain_input() {
        let json = r#"{"input_tokens":4,"cache_creation_input_tokens":30,"cache_read_input_tokens":200,
            "cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},"output_tokens":9,
            "output_tokens_details":{"thinking_tokens":5}}"#;
        let usage = serde_json::from_str::<UsageWire>(json).unwrap().usage().unwrap();
        assert_eq!((usage.input, usage.cache_read, usage.cache_write_5m, usage.cache_write_1h), (4, 200, 10, 20));
        assert_eq!((usage.output, usage.reasoning, usage.prompt_tokens(), usage.total_tokens()), (4, 5, 234, 243));
        let mut out = Vec::new();
        crate::dialect::json_write::object(&mut out, |o| write(o, &usage));
        assert_eq!(serde_json::from_slice::<UsageWire>(&out).unwrap().usage(), Some(usage));
    }

    #[test]
    fn images_and_sound_are_input() {
        let mut out = Vec::new();
        let usage = Usage { input: 4, input_audio: 20, input_image: 100, output: 1, ..Usage::default() };
        crate::dialect::json_write::object(&mut out, |o| write(o, &usage));
        assert_eq!(serde_json::from_slice::<UsageWire>(&out).unwrap().input_tokens.tokens(), Some(124));
    }

    #[test]
    fn a_later_report_replaces_only_what_it_names() {
        let mut first: UsageWire =
            serde_json::from_str(r#"{"input_tokens":10,"cache_read_input_tokens":3,"output_tokens":1}"#).unwrap();
        first.merge(serde_json::from_str(r#"{"input_tokens":null,"output_tokens":7}"#).unwrap());
        let usage = first.usage().unwrap();
        assert_eq!((usage.input, usage.cache_read, usage.output), (10, 3, 7));
    }

    #[test]
    fn unbelievable_counts_are_absent() {
        for json in ["{}", r#"{"input_tokens":-1,"output_tokens":1.5}"#, r#"{"input_tokens":1e99}"#] {
            assert_eq!(serde_json::from_str::<UsageWire>(json).unwrap().usage(), None, "{json}");
        }
    }
}
