//! What the price list says of one model, with its gaps closed to the dear side.

use serde_json::Value;
use signalbox::catalog::{Capabilities, Kind, Rate, Traits};
use std::collections::BTreeMap;

/// What each capability is called in the list.
const FLAGS: &[(&str, Capabilities)] = &[
    ("supports_function_calling", Capabilities::TOOLS),
    ("supports_parallel_function_calling", Capabilities::PARALLEL_TOOLS),
    ("supports_vision", Capabilities::VISION),
    ("supports_pdf_input", Capabilities::DOCUMENTS),
    ("supports_audio_input", Capabilities::AUDIO),
    ("supports_response_schema", Capabilities::JSON_SCHEMA),
    ("supports_reasoning", Capabilities::REASONING),
    ("supports_prompt_caching", Capabilities::PROMPT_CACHE),
];

/// The list's names for the parts of a price.
const PARTS: [&str; 6] = [
    "input_cost_per_token",
    "output_cost_per_token",
    "cache_read_input_token_cost",
    "cache_creation_input_token_cost",
    "cache_creation_input_token_cost_above_1hr",
    "output_cost_per_reasoning_token",
];

/// How the list's names end for each tier, and the tier's letter in the table. Both orders of tier and
/// band are in use.
const TIERS: [(&str, &str); 5] = [("", ""), ("_flex", "f"), ("_batches", "b"), ("_priority", "p"), ("_ultrafast", "u")];

/// Thousands of tokens above which some model costs more.
const BANDS: [u64; 7] = [0, 32, 100, 128, 200, 256, 272];

/// An embedding dearer than this is a slip of the list: dollars for a million tokens.
const DEAREST_EMBEDDING: Rate = Rate(10_000_000_000);

/// Input, output, cache_read, cache_write, cache_write_1h, reasoning; `None` where the table's rule for
/// empty cells says the same.
pub(crate) type Parts = [Option<Rate>; 6];

/// One model's facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) context: Option<u64>,
    pub(crate) max_output: Option<u64>,
    pub(crate) price: Parts,
    /// Sound read, sound spoken, images read, a million searches.
    pub(crate) others: [Option<Rate>; 4],
    /// By tier letter and thousands of tokens.
    pub(crate) special: BTreeMap<(&'static str, u64), Parts>,
    pub(crate) capabilities: Capabilities,
    pub(crate) traits: Traits,
    pub(crate) retires: String,
}

impl Facts {
    /// The facts of an entry; `None` where the list has no price for it. A price of nothing is a gap of
    /// the list, except where the models run on one's own machine.
    pub(crate) fn of(entry: &Value, kind: Kind, id: &str) -> Option<Facts> {
        let runs_here = id.starts_with("ollama:");
        // Dollars a token to dollars a million tokens.
        let listed = |name: &str| Rate::from_usd_per_million(entry.get(name)?.as_f64()? * 1e6);
        let rate = |name: &str| listed(name).filter(|rate| rate.0 > 0);
        let search = rate("input_cost_per_query").filter(|_| kind == Kind::Rerank);
        let input = match kind {
            // Searches are all that is billed.
            Kind::Rerank if search.is_some() => Some(Rate(0)),
            Kind::Chat | Kind::Completion | Kind::Embedding | Kind::Rerank => listed(PARTS[0]),
        }?;
        let output = match kind {
            Kind::Chat | Kind::Completion => listed(PARTS[1])?,
            Kind::Embedding | Kind::Rerank => Rate(0),
        };
        let is_gap = input.0 == 0 && output.0 == 0 && search.is_none() && !runs_here;
        if is_gap || (kind == Kind::Embedding && input > DEAREST_EMBEDDING) {
            return None;
        }
        let mut price = PARTS.map(rate);
        price[0] = Some(input);
        price[1] = Some(output);
        let price = shortened(price);
        let size = |name: &str| entry.get(name).and_then(Value::as_u64).filter(|size| *size > 0);
        let flag = |name: &str| entry.get(name).and_then(Value::as_bool).unwrap_or(false);
        let capabilities =
            FLAGS.iter().filter(|(name, _)| flag(name)).fold(Capabilities::NONE, |set, (_, one)| set.with(*one));
        let own = |rate: Option<Rate>, like: Rate| rate.filter(|rate| *rate != like);
        let others = [
            own(rate("input_cost_per_audio_token"), input),
            own(rate("output_cost_per_audio_token"), output),
            own(rate("input_cost_per_image_token"), input),
            search,
        ];
        Some(Facts {
            context: size("max_input_tokens"),
            max_output: size("max_output_tokens").filter(|_| matches!(kind, Kind::Chat | Kind::Completion)),
            price,
            others,
            special: special(&price, rate).into_iter().chain(fast_mode(entry, &price)).collect(),
            capabilities,
            traits: traits(entry, kind, id, capabilities, flag),
            retires: retires(entry),
        })
    }

    /// What decides which of two entries for one model is the dearer.
    pub(crate) fn dearness(&self) -> (Option<Rate>, Option<Rate>, Option<Rate>) {
        (self.price[0], self.price[1], self.others[3])
    }

    /// Raises each price to that of `facts`, for the model nobody knows. Caches count, because a cache
    /// written for an hour is the dearest input there is, and so do bands and the dear tiers.
    pub(crate) fn raise(&mut self, facts: &Facts) {
        let whole = |parts: &Parts| {
            let [input, output, _, write, write_1h, reasoning] = *parts;
            let write = write.or(input);
            [input, output.max(reasoning), None, write, write_1h.or(write), None]
        };
        let raise = |dearest: &mut Parts, parts: &Parts| {
            dearest.iter_mut().zip(whole(parts)).for_each(|(dearest, part)| *dearest = (*dearest).max(part));
        };
        raise(&mut self.price, &facts.price);
        for ((tier, _), parts) in &facts.special {
            match *tier {
                "" => raise(&mut self.price, parts),
                "p" | "u" => raise(self.special.entry((tier, 0)).or_default(), parts),
                _ => {}
            }
        }
        self.others.iter_mut().zip(facts.others).for_each(|(dearest, other)| *dearest = (*dearest).max(other));
    }
}

impl Facts {
    /// For the model nobody knows, sound and images cost no less than text.
    pub(crate) fn even_out(&mut self) {
        let [input, output, ..] = self.price;
        self.others
            .iter_mut()
            .zip([input, output, input])
            .for_each(|(other, text)| *other = other.filter(|_| *other > text));
    }
}

/// Leaves out what the table's rule for empty cells says anyway.
fn shortened(price: Parts) -> Parts {
    let [input, output, read, write, write_1h, reasoning] = price;
    let other = |part: Option<Rate>, than: Option<Rate>| part.filter(|part| Some(*part) != than);
    let write_1h = other(write_1h, write.or(input));
    [input, output, other(read, input), other(write, input), write_1h, other(reasoning, output)]
}

/// Every band and tier. A part the list leaves out where the plain price has it keeps its proportion to
/// the input, or to the output, rounded up.
fn special(plain: &Parts, rate: impl Fn(&str) -> Option<Rate>) -> BTreeMap<(&'static str, u64), Parts> {
    let mut all = BTreeMap::new();
    for (suffix, letter) in TIERS {
        for band in BANDS {
            if suffix.is_empty() && band == 0 {
                continue;
            }
            let listed = PARTS.map(|part| match band {
                0 => rate(&format!("{part}{suffix}")),
                band => rate(&format!("{part}_above_{band}k_tokens{suffix}"))
                    .or_else(|| rate(&format!("{part}{suffix}_above_{band}k_tokens"))),
            });
            let Some(input) = listed[0] else { continue };
            let mut parts = listed;
            let read = (Some(input), plain[0]);
            let written = if listed[1].is_some() { (listed[1], plain[1]) } else { read };
            let whole = [read, written, read, read, read, written];
            for ((part, plain), (now, then)) in parts.iter_mut().zip(plain).zip(whole) {
                *part = part.or_else(|| in_proportion((*plain)?, now?, then?));
            }
            all.insert((letter, band), shortened(parts));
        }
    }
    all
}

/// Anthropic's fast mode, which multiplies every price.
fn fast_mode(entry: &Value, price: &Parts) -> Option<((&'static str, u64), Parts)> {
    let times = entry.get("provider_specific_entry")?.get("fast")?.as_f64().and_then(Rate::from_usd_per_million)?;
    let one = Rate(1_000_000_000);
    Some((("u", 0), price.map(|part| in_proportion(part?, times, one))))
}

fn in_proportion(part: Rate, now: Rate, then: Rate) -> Option<Rate> {
    let product = u128::from(part.0) * u128::from(now.0);
    u64::try_from(product.div_ceil(u128::from(then.0.max(1)))).ok().map(Rate)
}

fn traits(entry: &Value, kind: Kind, id: &str, capabilities: Capabilities, flag: impl Fn(&str) -> bool) -> Traits {
    let text = |name| entry.get(name).and_then(Value::as_str);
    let anthropic = text("litellm_provider") == Some("anthropic");
    let thinks = capabilities.has(Capabilities::REASONING);
    let endpoints = entry.get("supported_endpoints").and_then(Value::as_array);
    let chats = endpoints.map(|list| list.iter().any(|path| path == "/v1/chat/completions"));
    Traits {
        kind: Some(kind),
        only_responses: kind == Kind::Chat && !chats.unwrap_or(text("mode") != Some("responses")),
        budget_thinking: thinks && ((anthropic && !flag("supports_adaptive_thinking")) || id.contains(":gemini-2.5")),
        fixed_sampling: entry.get("supports_sampling_params").and_then(Value::as_bool) == Some(false)
            // OpenAI's models that always think; those that can leave it take what they are told meanwhile.
            || (thinks && id.starts_with("openai:") && !flag("supports_none_reasoning_effort") && !id.contains("chat")),
        system_in_conversation: flag("supports_mid_conversation_system"),
        minimal_effort: flag("supports_minimal_reasoning_effort") && id.contains(":gemini-"),
    }
}

fn retires(entry: &Value) -> String {
    let is_date = |text: &&str| {
        let at = |(i, byte): (usize, u8)| if i == 4 || i == 7 { byte == b'-' } else { byte.is_ascii_digit() };
        text.len() == 10 && text.bytes().enumerate().all(at)
    };
    entry.get("deprecation_date").and_then(Value::as_str).filter(is_date).unwrap_or_default().to_owned()
}
