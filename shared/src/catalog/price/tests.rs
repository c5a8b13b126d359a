//! What calls come to at a price, by band, tier and part.
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
    let rates = Rates { cache_read: usd(0.1), cache_write_5m: usd(1.25), cache_write_1h: usd(2.0), ..rates(1.0, 2.0) };
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
    let cost =
        |tier, input, cache_read, output| price.cost(&Usage { tier, input, cache_read, output, ..Usage::default() }).0;
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
