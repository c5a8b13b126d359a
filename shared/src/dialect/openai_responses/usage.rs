//! Token counts as the Responses API tells them, and back.

use crate::dialect::json_write::Members;
use crate::dialect::lenient::{Count, One};
use crate::dialect::openai_chat::usage::Told;
use crate::dialect::wire::wire;
use crate::usage::Usage;

wire! {
    /// `usage`.
    #[derive(Debug)]
    pub(super) struct UsageWire {
        input_tokens: Count,
        output_tokens: Count,
        total_tokens: Count,
        input_tokens_details: One<InputDetails>,
        output_tokens_details: One<OutputDetails>,
    }
}

wire! {
    #[derive(Debug)]
    struct InputDetails {
        cached_tokens: Count,
        cache_write_tokens: Count,
        audio_tokens: Count,
        image_tokens: Count,
    }
}

wire! {
    #[derive(Debug)]
    struct OutputDetails {
        reasoning_tokens: Count,
        audio_tokens: Count,
    }
}

impl UsageWire {
    /// The usage, unless nothing believable was said.
    pub(super) fn usage(&self) -> Option<Usage> {
        let input = self.input_tokens_details.0.as_ref();
        let output = self.output_tokens_details.0.as_ref();
        let told = Told {
            prompt: self.input_tokens.tokens(),
            completion: self.output_tokens.tokens(),
            total: self.total_tokens.tokens(),
            cached: input.and_then(|details| details.cached_tokens.tokens()),
            written: input.and_then(|details| details.cache_write_tokens.tokens()),
            reasoning: output.and_then(|details| details.reasoning_tokens.tokens()),
            audio: input.and_then(|details| details.audio_tokens.tokens()),
            images: input.and_then(|details| details.image_tokens.tokens()),
            spoken: output.and_then(|details| details.audio_tokens.tokens()),
        };
        told.usage()
    }
}

/// Writes the members of `usage`.
pub(super) fn write(o: &mut Members<'_>, usage: &Usage) {
    o.number("input_tokens", usage.prompt_tokens());
    o.object("input_tokens_details", |o| {
        o.number("cached_tokens", usage.cache_read);
        o.number("cache_write_tokens", usage.cache_write_5m.saturating_add(usage.cache_write_1h));
    });
    o.number("output_tokens", usage.completion_tokens());
    o.object("output_tokens_details", |o| o.number("reasoning_tokens", usage.reasoning));
    o.number("total_tokens", usage.total_tokens());
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::dialect::json_write::object;

    #[test]
    fn parts_never_overlap_add_up_and_survive_the_way_back() {
        let json = r#"{"input_tokens":1220,"input_tokens_details":{"cache_write_tokens":1000,"cached_tokens":200},
            "output_tokens":100,"output_tokens_details":{"reasoning_tokens":54},"total_tokens":1320}"#;
        let usage = serde_json::from_str::<UsageWire>(json).unwrap().usage().unwrap();
        assert_eq!((usage.input, usage.cache_read, usage.cache_write_5m), (20, 200, 1_000));
        assert_eq!((usage.output, usage.reasoning, usage.total_tokens()), (46, 54, 1_320));
        let mut out = Vec::new();
        object(&mut out, |o| write(o, &usage));
        assert_eq!(serde_json::from_slice::<UsageWire>(&out).unwrap().usage(), Some(usage));
    }

    #[test]
    fn unbelievable_counts_are_absent() {
        for json in ["{}", r#"{"input_tokens":-1,"output_tokens":"4"}"#, r#"{"input_tokens":1e99}"#] {
            assert_eq!(serde_json::from_str::<UsageWire>(json).unwrap().usage(), None, "{json}");
        }
    }
}
