//! Token counts as Cohere tells them: twice. `tokens` are what the model read and wrote, the tools'
//! preamble included; `billed_units` are what the invoice has. The first is what other providers mean.

use crate::dialect::lenient::{Count, One};
use crate::dialect::wire::wire;
use crate::usage::Usage;

wire! {
    #[derive(Debug)]
    pub(super) struct UsageWire {
        tokens: One<Tokens>,
        billed_units: One<Tokens>,
        cached_tokens: Count,
    }
}

wire! {
    #[derive(Clone, Copy, Debug)]
    struct Tokens {
        input_tokens: Count,
        output_tokens: Count,
        reasoning_tokens: Count,
    }
}

impl UsageWire {
    /// The usage, unless nothing believable was said. Input includes what the cache gave, output
    /// includes reasoning.
    pub(super) fn usage(&self) -> Option<Usage> {
        let told = |tokens: &Tokens| tokens.input_tokens.tokens().or(tokens.output_tokens.tokens()).is_some();
        let tokens = self.tokens.0.filter(told).or(self.billed_units.0.filter(told))?;
        let (input, output) = (tokens.input_tokens.tokens().unwrap_or(0), tokens.output_tokens.tokens().unwrap_or(0));
        let cached = self.cached_tokens.tokens().unwrap_or(0).min(input);
        let reasoning = tokens.reasoning_tokens.tokens().unwrap_or(0).min(output);
        Some(Usage {
            input: input - cached,
            cache_read: cached,
            output: output - reasoning,
            reasoning,
            ..Usage::default()
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_the_model_read_and_wrote_counts_before_what_was_billed() {
        #[rustfmt::skip]
        let table = [
            (r#"{"billed_units":{"input_tokens":83,"output_tokens":109},
                "tokens":{"input_tokens":379,"output_tokens":164,"reasoning_tokens":54},"cached_tokens":144}"#, Some([235, 144, 110, 54])),
            (r#"{"billed_units":{"input_tokens":7.0,"output_tokens":9}}"#, Some([7, 0, 9, 0])),
            (r#"{"tokens":{},"billed_units":{"input_tokens":7,"output_tokens":9},"cached_tokens":null}"#, Some([7, 0, 9, 0])),
            (r#"{"tokens":{"input_tokens":5,"output_tokens":3,"reasoning_tokens":8},"cached_tokens":9}"#, Some([0, 5, 0, 3])),
            (r#"{"tokens":[],"billed_units":null}"#, None),
            ("{}", None),
        ];
        for (json, expected) in table {
            let usage = serde_json::from_str::<UsageWire>(json).unwrap().usage();
            assert_eq!(usage.map(|u| [u.input, u.cache_read, u.output, u.reasoning]), expected, "{json}");
        }
    }
}
