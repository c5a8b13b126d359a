//! What tokens cost, in whole numbers from the price list to the bill.

use crate::units::{NanoUsd, Tokens};
use crate::usage::Usage;

/// Nano-dollars for a million tokens. A price list's $0.05 for a million is 50,000,000.
///
/// One part is a millionth of a nano-dollar a token, so every price on a provider's list is exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(pub u64);

impl Rate {
    /// From dollars for a million tokens; `None` for NaN, negative or too large.
    pub fn from_usd_per_million(usd: f64) -> Option<Rate> {
        NanoUsd::from_usd(usd).map(|nano| Rate(nano.0))
    }

    /// From dollars as the table writes them: digits with at most nine after one point.
    pub(super) fn from_decimal(text: &str) -> Option<Rate> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let missing = u32::try_from(9_usize.checked_sub(fraction.len())?).ok()?;
        let digits = |text: &str| if text.is_empty() { Some(0) } else { text.parse::<u64>().ok() };
        let fraction = digits(fraction)?.checked_mul(10_u64.checked_pow(missing)?)?;
        digits(whole)?.checked_mul(1_000_000_000)?.checked_add(fraction).map(Rate)
    }

    /// In millionths of a nano-dollar.
    fn times(self, tokens: Tokens) -> u128 {
        u128::from(self.0) * u128::from(tokens)
    }
}

/// What a model's tokens cost, one rate for each part of [`Usage`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Price {
    /// Input at full price.
    pub input: Rate,
    /// Output that is not reasoning.
    pub output: Rate,
    /// Input read from the provider's prompt cache.
    pub cache_read: Rate,
    /// Input written to a cache of five minutes.
    pub cache_write_5m: Rate,
    /// Input written to a cache of one hour.
    pub cache_write_1h: Rate,
    /// Output spent on reasoning.
    pub reasoning: Rate,
}

impl Price {
    /// What a call cost, rounded up to a whole nano-dollar.
    pub fn cost(&self, usage: &Usage) -> NanoUsd {
        let parts = [
            self.input.times(usage.input),
            self.output.times(usage.output),
            self.cache_read.times(usage.cache_read),
            self.cache_write_5m.times(usage.cache_write_5m),
            self.cache_write_1h.times(usage.cache_write_1h),
            self.reasoning.times(usage.reasoning),
        ];
        // Six products below 2^128 may not fit one sum; what does not is beyond any budget anyway.
        let sum = parts.into_iter().fold(0_u128, u128::saturating_add);
        let nano = u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX);
        NanoUsd(nano.min(NanoUsd::MAX.0))
    }

    /// The most that a call of at most these sizes can cost, however its tokens turn out to be split:
    /// what is reserved before it is made.
    pub fn most(&self, input: Tokens, output: Tokens) -> NanoUsd {
        let dearest_input = self.input.max(self.cache_read).max(self.cache_write_5m).max(self.cache_write_1h);
        let price = Price { input: dearest_input, output: self.output.max(self.reasoning), ..Price::default() };
        price.cost(&Usage { input, output, ..Usage::default() })
    }

    /// One number to order models by, in nano-dollars for a million tokens: three of input for one of
    /// output, the usual mix of a chat.
    pub(super) fn blended(&self) -> u64 {
        self.input.0.saturating_mul(3).saturating_add(self.output.0) / 4
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_decimal_of_the_table_is_exact() {
        for (text, want) in [
            ("0", 0),
            ("2.5", 2_500_000_000),
            ("0.0028", 2_800_000),
            ("150", 150_000_000_000),
            ("0.000000001", 1),
            (".5", 500_000_000),
        ] {
            assert_eq!(Rate::from_decimal(text), Some(Rate(want)), "{text}");
        }
        for bad in ["x", "1.0000000001", "-1", "1.2.3", "1e3", "99999999999999999999"] {
            assert_eq!(Rate::from_decimal(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_call_is_billed_by_the_parts_of_its_usage() {
        let usd = |usd| Rate::from_usd_per_million(usd).unwrap();
        let price = Price {
            input: usd(3.0),
            output: usd(15.0),
            cache_read: usd(0.3),
            cache_write_5m: usd(3.75),
            cache_write_1h: usd(6.0),
            reasoning: usd(15.0),
        };
        let usage = Usage {
            input: 1_000,
            cache_read: 10_000,
            cache_write_5m: 2_000,
            cache_write_1h: 100,
            output: 500,
            reasoning: 200,
            estimated: false,
        };
        // 0.003 + 0.003 + 0.0075 + 0.0006 + 0.0075 + 0.003
        assert_eq!(price.cost(&usage), NanoUsd(24_600_000));
        assert_eq!(price.cost(&Usage::default()), NanoUsd::ZERO);
    }

    #[test]
    fn a_fraction_of_a_nano_dollar_is_rounded_up_once_for_the_whole_call() {
        let price = Price { input: Rate(1), output: Rate(1), ..Price::default() };
        assert_eq!(price.cost(&Usage { input: 1, output: 1, ..Usage::default() }), NanoUsd(1));
        assert_eq!(price.cost(&Usage { input: 1_000_000, ..Usage::default() }), NanoUsd(1));
        assert_eq!(price.cost(&Usage { input: 1_000_001, ..Usage::default() }), NanoUsd(2));
    }

    #[test]
    fn absurd_usage_costs_the_largest_sum_and_does_not_wrap() {
        let rate = Rate(u64::MAX);
        let price = Price {
            input: rate,
            output: rate,
            cache_read: rate,
            cache_write_5m: rate,
            cache_write_1h: rate,
            reasoning: rate,
        };
        let most = u64::MAX;
        let usage = Usage {
            input: most,
            output: most,
            cache_read: most,
            cache_write_5m: most,
            cache_write_1h: most,
            reasoning: most,
            estimated: true,
        };
        assert_eq!(price.cost(&usage), NanoUsd::MAX);
    }

    proptest! {
        #[test]
        fn no_split_of_the_tokens_costs_more_than_was_reserved(
            rates in prop::array::uniform6(0_u64..1_000_000_000_000),
            input in prop::array::uniform4(0_u64..2_000_000),
            output in prop::array::uniform2(0_u64..2_000_000),
        ) {
            let [a, b, c, d, e, f] = rates.map(Rate);
            let price = Price { input: a, output: b, cache_read: c, cache_write_5m: d, cache_write_1h: e, reasoning: f };
            let [full, read, five, hour] = input;
            let [text, reasoning] = output;
            let usage = Usage { input: full, cache_read: read, cache_write_5m: five, cache_write_1h: hour, output: text, reasoning, estimated: false };
            prop_assert!(price.cost(&usage) <= price.most(usage.prompt_tokens(), usage.completion_tokens()));
        }
    }
}
