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
mod tests;
