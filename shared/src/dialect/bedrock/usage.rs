//! Token counts as Bedrock tells them.

use crate::dialect::lenient::{Count, Many, One, ServiceTier, Text};
use crate::dialect::wire::wire;
use crate::usage::Usage;

wire! {
    /// `usage`. `inputTokens` exclude what the cache gave or took; `outputTokens` include reasoning,
    /// which is not told apart.
    #[derive(Debug)]
    pub(super) struct UsageWire<'a> {
        input_tokens: Count as "inputTokens",
        output_tokens: Count as "outputTokens",
        cache_read_input_tokens: Count as "cacheReadInputTokens",
        cache_write_input_tokens: Count as "cacheWriteInputTokens",
        /// The older names of the two.
        cache_read_input_token_count: Count as "cacheReadInputTokenCount",
        cache_write_input_token_count: Count as "cacheWriteInputTokenCount",
        cache_details: Many<One<Written<'a>>> as "cacheDetails",
    }
}

wire! {
    /// What was written to the cache for one time to live.
    #[derive(Debug)]
    struct Written<'a> {
        ttl: Text<'a>,
        input_tokens: Count as "inputTokens",
    }
}

wire! {
    /// `serviceTier`, which stands beside the usage.
    #[derive(Clone, Copy, Debug)]
    pub(super) struct TierWire {
        kind: ServiceTier as "type",
    }
}

impl UsageWire<'_> {
    /// The usage, unless nothing believable was said, as it was served under this tier.
    pub(super) fn usage(&self, tier: Option<TierWire>) -> Option<Usage> {
        let (input, output) = (self.input_tokens.tokens(), self.output_tokens.tokens());
        input.or(output)?;
        let either = |new: Count, old: Count| new.tokens().or(old.tokens()).unwrap_or(0);
        let written = either(self.cache_write_input_tokens, self.cache_write_input_token_count);
        let details = self.cache_details.0.iter().filter_map(|detail| detail.0.as_ref());
        let long = details.filter(|detail| detail.ttl.some() == Some("1h"));
        let long = long.filter_map(|detail| detail.input_tokens.tokens()).fold(0, u64::saturating_add).min(written);
        Some(Usage {
            input: input.unwrap_or(0),
            cache_read: either(self.cache_read_input_tokens, self.cache_read_input_token_count),
            cache_write_5m: written - long,
            cache_write_1h: long,
            output: output.unwrap_or(0),
            tier: tier.unwrap_or_default().kind.0,
            ..Usage::default()
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn cached_input_stands_beside_plain_input_and_by_its_time_to_live() {
        #[rustfmt::skip]
        let table = [
            (r#"{"inputTokens":3,"outputTokens":121,"totalTokens":2072}"#, Some([3, 0, 0, 0, 121])),
            (r#"{"inputTokens":3,"outputTokens":1,"cacheReadInputTokens":1712,"cacheWriteInputTokens":236,
                "cacheDetails":[{"inputTokens":236,"ttl":"5m"}]}"#, Some([3, 1712, 236, 0, 1])),
            (r#"{"inputTokens":3,"outputTokens":1,"cacheWriteInputTokens":50,
                "cacheDetails":[{"inputTokens":20,"ttl":"5m"},{"inputTokens":30,"ttl":"1h"},7]}"#, Some([3, 0, 20, 30, 1])),
            (r#"{"inputTokens":3,"outputTokens":1,"cacheReadInputTokenCount":5,"cacheWriteInputTokenCount":6}"#, Some([3, 5, 6, 0, 1])),
            // More in the details than in all.
            (r#"{"inputTokens":3,"cacheWriteInputTokens":5,"cacheDetails":[{"inputTokens":9,"ttl":"1h"}]}"#, Some([3, 0, 0, 5, 0])),
            (r#"{"inputTokens":-3,"outputTokens":"many"}"#, None),
            ("{}", None),
        ];
        for (json, expected) in table {
            let usage = serde_json::from_str::<UsageWire<'_>>(json).unwrap().usage(None);
            let parts = usage.map(|u| [u.input, u.cache_read, u.cache_write_5m, u.cache_write_1h, u.output]);
            assert_eq!(parts, expected, "{json}");
        }
    }
}
