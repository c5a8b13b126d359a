//! What tokens cost, in whole numbers from the price list to the bill.

use crate::units::{NanoUsd, Tokens};
use crate::usage::{Tier, Usage};

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

/// What a model's tokens cost, one rate for each part of [`Usage`] that depends on band and tier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
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

impl Rates {
    /// A part of each: half of it is a share of 0.5.
    pub(super) fn share(self, Rate(share): Rate) -> Option<Rates> {
        let of = |Rate(rate): Rate| u64::try_from(u128::from(rate) * u128::from(share) / 1_000_000_000).ok().map(Rate);
        Some(Rates {
            input: of(self.input)?,
            output: of(self.output)?,
            cache_read: of(self.cache_read)?,
            cache_write_5m: of(self.cache_write_5m)?,
            cache_write_1h: of(self.cache_write_1h)?,
            reasoning: of(self.reasoning)?,
        })
    }

    /// The dearer of both, part by part.
    fn max(self, other: Rates) -> Rates {
        Rates {
            input: self.input.max(other.input),
            output: self.output.max(other.output),
            cache_read: self.cache_read.max(other.cache_read),
            cache_write_5m: self.cache_write_5m.max(other.cache_write_5m),
            cache_write_1h: self.cache_write_1h.max(other.cache_write_1h),
            reasoning: self.reasoning.max(other.reasoning),
        }
    }
}

/// Rates that take the place of the list price's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Special {
    /// For calls served under this tier,
    pub tier: Tier,
    /// whose whole prompt, cached or not, is longer than this. A provider's long-context band holds for
    /// the whole call, not for the tokens above it.
    pub above: Tokens,
    /// these rates.
    pub rates: Rates,
}

/// What a model costs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Price {
    /// The list price.
    pub rates: Rates,
    /// Sound read; as input where it has no price of its own.
    pub input_audio: Option<Rate>,
    /// Images read; as input where they have no price of their own.
    pub input_image: Option<Rate>,
    /// Sound spoken; as output where it has no price of its own.
    pub output_audio: Option<Rate>,
    /// A million searches; nothing where tokens are all that is billed.
    pub search: Rate,
    /// Long-context bands and service tiers.
    pub special: Vec<Special>,
}

/// How large a call can become, before it is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Input tokens, whatever they turn out to be.
    pub input: Tokens,
    /// Output tokens, whatever they turn out to be.
    pub output: Tokens,
    /// Searches.
    pub searches: u64,
    /// The input may hold sound.
    pub audio: bool,
    /// The input may hold images.
    pub images: bool,
    /// The dearest tier it may be served under.
    pub tier: Tier,
}

impl Price {
    /// A price without bands or tiers.
    pub fn flat(rates: Rates) -> Price {
        Price { rates, ..Price::default() }
    }

    /// The rates of a call with this many tokens of prompt. Where a tier is not told for the call's band,
    /// the dearer of the tier's and the band's, part by part.
    fn rates(&self, tier: Tier, prompt: Tokens) -> Rates {
        let holds = |special: &&Special| special.above == 0 || prompt > special.above;
        let of = |tier| self.special.iter().filter(holds).filter(move |s| s.tier == tier).max_by_key(|s| s.above);
        let (band, standard) = of(Tier::Standard).map_or((0, self.rates), |special| (special.above, special.rates));
        match of(tier).filter(|_| tier != Tier::Standard) {
            Some(special) if special.above >= band => special.rates,
            Some(special) => special.rates.max(standard),
            None => standard,
        }
    }

    /// What a call cost, rounded up to a whole nano-dollar.
    pub fn cost(&self, usage: &Usage) -> NanoUsd {
        let rates = self.rates(usage.tier, usage.prompt_tokens());
        let parts = [
            rates.input.times(usage.input),
            self.input_audio.unwrap_or(rates.input).times(usage.input_audio),
            self.input_image.unwrap_or(rates.input).times(usage.input_image),
            rates.output.times(usage.output),
            rates.cache_read.times(usage.cache_read),
            rates.cache_write_5m.times(usage.cache_write_5m),
            rates.cache_write_1h.times(usage.cache_write_1h),
            rates.reasoning.times(usage.reasoning),
            self.output_audio.unwrap_or(rates.output).times(usage.output_audio),
            self.search.times(usage.searches),
        ];
        bill(parts)
    }

    /// What a provider's prompt cache changed over reading all of a prompt anew: saved by reading from it, and spent beyond by
    /// writing to it.
    pub fn prompt_cache(&self, usage: &Usage) -> (NanoUsd, NanoUsd) {
        let rates = self.rates(usage.tier, usage.prompt_tokens());
        let beyond = |dear: Rate, cheap: Rate, tokens| Rate(dear.0.saturating_sub(cheap.0)).times(tokens);
        let saved = bill([beyond(rates.input, rates.cache_read, usage.cache_read)]);
        let extra = bill([
            beyond(rates.cache_write_5m, rates.input, usage.cache_write_5m),
            beyond(rates.cache_write_1h, rates.input, usage.cache_write_1h),
        ]);
        (saved, extra)
    }

    /// The most that a call of at most this size can cost, however its tokens turn out to be split, in
    /// whichever band and tier: what is reserved before it is made.
    pub fn most(&self, size: &Size) -> NanoUsd {
        let reachable = |special: &&Special| {
            (special.tier == Tier::Standard || special.tier == size.tier) && special.above < size.input.max(1)
        };
        let rates = self.special.iter().filter(reachable).fold(self.rates, |rates, special| rates.max(special.rates));
        let input = [rates.cache_read, rates.cache_write_5m, rates.cache_write_1h]
            .into_iter()
            .chain(self.input_audio.filter(|_| size.audio))
            .chain(self.input_image.filter(|_| size.images))
            .fold(rates.input, Rate::max);
        let output = rates.output.max(rates.reasoning).max(self.output_audio.unwrap_or_default());
        bill([input.times(size.input), output.times(size.output), self.search.times(size.searches)])
    }

    /// One number to order models by, in nano-dollars for a million tokens: three of input for one of
    /// output, the usual mix of a chat.
    pub(super) fn blended(&self) -> u64 {
        self.rates.input.0.saturating_mul(3).saturating_add(self.rates.output.0) / 4
    }
}

/// The sum of products of rates, rounded up to a whole nano-dollar.
fn bill<const N: usize>(parts: [u128; N]) -> NanoUsd {
    // Products below 2^128 may not fit one sum; what does not is beyond any budget anyway.
    let sum = parts.into_iter().fold(0_u128, u128::saturating_add);
    let nano = u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX);
    NanoUsd(nano.min(NanoUsd::MAX.0))
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

    fn usd(usd: f64) -> Rate {
        Rate::from_usd_per_million(usd).unwrap()
    }

    fn rates(input: f64, output: f64) -> Rates {
        let [input, output] = [input, output].map(usd);
        Rates { input, output, cache_read: input, cache_write_5m: input, cache_write_1h: input, reasoning: output }
    }

    #[test]
    fn what_a_prompt_cache_saves_and_what_it_costs_are_told_apart() {
        let rates =
            Rates { cache_read: usd(0.1), cache_write_5m: usd(1.25), cache_write_1h: usd(2.0), ..rates(1.0, 2.0) };
        let price = Price::flat(rates);
        let usage = |cache_read, cache_write_5m, cache_write_1h| Usage {
            input: 7,
            cache_read,
            cache_write_5m,
            cache_write_1h,
            ..Usage::default()
        };
        assert_eq!(price.prompt_cache(&usage(1_000, 0, 0)), (NanoUsd(900_000), NanoUsd::ZERO));
        assert_eq!(price.prompt_cache(&usage(0, 1_000, 10)), (NanoUsd::ZERO, NanoUsd(260_000)));
        // Where writing is not dearer than reading (OpenAI, Gemini), nothing is lost by it.
        let cheap = Price::flat(Rates { cache_write_5m: usd(0.5), ..rates });
        assert_eq!(cheap.prompt_cache(&usage(0, 1_000, 0)), (NanoUsd::ZERO, NanoUsd::ZERO));
    }

    #[test]
    fn a_call_is_billed_by_the_parts_of_its_usage() {
        let price = Price {
            input_audio: Some(usd(32.0)),
            output_audio: Some(usd(64.0)),
            search: usd(2000.0),
            ..Price::flat(Rates {
                input: usd(3.0),
                output: usd(15.0),
                cache_read: usd(0.3),
                cache_write_5m: usd(3.75),
                cache_write_1h: usd(6.0),
                reasoning: usd(15.0),
            })
        };
        let usage = Usage {
            input: 1_000,
            cache_read: 10_000,
            cache_write_5m: 2_000,
            cache_write_1h: 100,
            output: 500,
            reasoning: 200,
            ..Usage::default()
        };
        // 0.003 + 0.003 + 0.0075 + 0.0006 + 0.0075 + 0.003
        assert_eq!(price.cost(&usage), NanoUsd(24_600_000));
        let heard = Usage { input_audio: 100, input_image: 10, output_audio: 10, searches: 2, ..usage };
        // + 0.0032 + 0.00003 (images as input) + 0.00064 + 0.004
        assert_eq!(price.cost(&heard), NanoUsd(32_470_000));
        assert_eq!(price.cost(&Usage::default()), NanoUsd::ZERO);
    }

    #[test]
    fn a_long_prompt_and_a_tier_have_their_own_rates_for_the_whole_call() {
        let special = |tier, above, rates| Special { tier, above, rates };
        let price = Price {
            special: vec![
                special(Tier::Standard, 200_000, rates(2.0, 3.0)),
                special(Tier::Flex, 0, rates(0.5, 1.0)),
                special(Tier::Flex, 200_000, rates(1.0, 1.5)),
                special(Tier::Priority, 0, rates(4.0, 2.5)),
            ],
            ..Price::flat(rates(1.0, 2.0))
        };
        let cost = |tier, input, cache_read, output| {
            price.cost(&Usage { tier, input, cache_read, output, ..Usage::default() }).0
        };
        for (what, tier, input, cached, output, nano) in [
            ("short", Tier::Standard, 100_000, 100_000, 1_000, 202_000_000),
            ("one token over, cached input included", Tier::Standard, 100_000, 100_001, 1_000, 403_002_000),
            ("flex", Tier::Flex, 200_000, 0, 1_000, 101_000_000),
            ("flex in the band", Tier::Flex, 300_000, 0, 1_000, 301_500_000),
            ("priority", Tier::Priority, 1_000, 0, 1_000, 6_500_000),
            ("priority without a price for the band", Tier::Priority, 300_000, 0, 1_000, 1_203_000_000),
            ("a tier without a price", Tier::Batch, 300_000, 0, 1_000, 603_000_000),
        ] {
            assert_eq!(cost(tier, input, cached, output), nano, "{what}");
        }
        let most = |tier, input| price.most(&Size { input, output: 1_000, tier, ..Size::default() }).0;
        assert_eq!(most(Tier::Standard, 200_000), 202_000_000);
        assert_eq!(most(Tier::Standard, 200_001), 403_002_000, "reserved at the band's price");
        assert_eq!(most(Tier::Flex, 1_000), 3_000_000, "flex may be served as standard");
        assert_eq!(most(Tier::Priority, 1_000), 6_500_000);
    }

    #[test]
    fn a_fraction_of_a_nano_dollar_is_rounded_up_once_for_the_whole_call() {
        let price = Price::flat(Rates { input: Rate(1), output: Rate(1), ..Rates::default() });
        assert_eq!(price.cost(&Usage { input: 1, output: 1, ..Usage::default() }), NanoUsd(1));
        assert_eq!(price.cost(&Usage { input: 1_000_000, ..Usage::default() }), NanoUsd(1));
        assert_eq!(price.cost(&Usage { input: 1_000_001, ..Usage::default() }), NanoUsd(2));
    }

    #[test]
    fn absurd_usage_costs_the_largest_sum_and_does_not_wrap() {
        let rate = Rate(u64::MAX);
        let rates = Rates {
            input: rate,
            output: rate,
            cache_read: rate,
            cache_write_5m: rate,
            cache_write_1h: rate,
            reasoning: rate,
        };
        let price = Price { search: rate, ..Price::flat(rates) };
        let most = u64::MAX;
        let usage = Usage {
            input: most,
            input_audio: most,
            cache_read: most,
            cache_write_5m: most,
            cache_write_1h: most,
            output: most,
            reasoning: most,
            searches: most,
            ..Usage::default()
        };
        assert_eq!(price.cost(&usage), NanoUsd::MAX);
    }

    fn any_rates() -> impl Strategy<Value = Rates> {
        prop::array::uniform6(0_u64..1_000_000_000_000).prop_map(|rates| {
            let [input, output, cache_read, cache_write_5m, cache_write_1h, reasoning] = rates.map(Rate);
            Rates { input, output, cache_read, cache_write_5m, cache_write_1h, reasoning }
        })
    }

    fn any_tier() -> impl Strategy<Value = Tier> {
        prop::sample::select(vec![Tier::Standard, Tier::Flex, Tier::Batch, Tier::Priority, Tier::Fast])
    }

    prop_compose! {
        fn any_price()(
            rates in any_rates(),
            special in prop::collection::vec(
                (any_tier(), prop::sample::select(vec![0_u64, 128_000, 200_000]), any_rates()), 0..6,
            ),
            others in prop::array::uniform4(prop::option::of(0_u64..1_000_000_000_000)),
        ) -> Price {
            let [input_audio, input_image, output_audio, search] = others.map(|rate| rate.map(Rate));
            let special = special.into_iter().map(|(tier, above, rates)| Special { tier, above, rates }).collect();
            Price { rates, input_audio, input_image, output_audio, search: search.unwrap_or_default(), special }
        }
    }

    proptest! {
        #[test]
        fn no_split_of_the_tokens_costs_more_than_was_reserved(
            price in any_price(),
            input in prop::array::uniform6(0_u64..200_000),
            output in prop::array::uniform3(0_u64..200_000),
            tier in any_tier(),
            served in any::<bool>(),
            searches in 0_u64..100,
        ) {
            let [full, input_audio, input_image, read, five, hour] = input;
            let [text, reasoning, output_audio] = output;
            let usage = Usage {
                input: full, input_audio, input_image, cache_read: read, cache_write_5m: five, cache_write_1h: hour,
                output: text, reasoning, output_audio, searches,
                // What was asked for, or what the provider had left.
                tier: if served { tier } else { Tier::Standard },
                estimated: false,
            };
            let size = Size {
                input: usage.prompt_tokens(), output: usage.completion_tokens(), searches, audio: true, images: true, tier,
            };
            prop_assert!(price.cost(&usage) <= price.most(&size));
        }
    }
}
