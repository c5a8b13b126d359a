//! Makes the built-in table of models (`shared/src/catalog/models.tsv`) from a price list in JSON.
//!
//! The list is keyed by model and names provider, mode, prices in dollars a token, sizes and
//! capabilities. Only facts are taken, and only of chat models that can be called through the
//! dialects we speak. The same list gives the same bytes.

use serde_json::Value;
use signalbox::catalog::{Capabilities, ModelName, Rate, Traits};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The list's name of a provider, ours, and what its model names begin with in the list.
const PROVIDERS: &[(&str, &str, &str)] = &[
    ("anthropic", "anthropic", "anthropic/"),
    ("azure", "azure", "azure/"),
    ("cerebras", "cerebras", "cerebras/"),
    ("deepseek", "deepseek", "deepseek/"),
    ("fireworks_ai", "fireworks", "fireworks_ai/"),
    ("gemini", "gemini", "gemini/"),
    ("groq", "groq", "groq/"),
    ("mistral", "mistral", "mistral/"),
    ("ollama", "ollama", "ollama/"),
    ("openai", "openai", "openai/"),
    ("perplexity", "perplexity", "perplexity/"),
    ("together_ai", "together", "together_ai/"),
    ("vertex_ai", "vertex", "vertex_ai/"),
    ("vertex_ai-language-models", "vertex", "vertex_ai/"),
    ("xai", "xai", "xai/"),
];

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

/// `#` sorts before every id, so the table stays sorted with these lines on top.
const HEAD: &str = "\
#\tBuilt-in models, sorted by id as bytes. Made by catalog-gen; do not edit.
#\tPrices are dollars for a million tokens. An empty cell is as: cache_read and cache_write input,
#\tcache_write_1h cache_write, reasoning output; other empty cells are unknown.
#\tA model named * is the dearest of its provider part by part; the id * the dearest of all.
#\tReaders pass over columns after the last they know: bands by prompt size and service tiers go there.
#\tid\tcontext\tmax_output\tinput\toutput\tcache_read\tcache_write\tcache_write_1h\treasoning\tcapabilities\ttraits\tretires
";

/// One model's facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Facts {
    context: Option<u64>,
    max_output: Option<u64>,
    input: Rate,
    output: Rate,
    cache_read: Option<Rate>,
    cache_write: Option<Rate>,
    cache_write_1h: Option<Rate>,
    reasoning: Option<Rate>,
    capabilities: Capabilities,
    traits: Traits,
    retires: String,
}

/// The table for a price list; the error says why the list is unusable.
pub fn table(list: &str) -> Result<String, String> {
    let list: BTreeMap<String, Value> = serde_json::from_str(list).map_err(|error| error.to_string())?;
    let mut rows: BTreeMap<String, Facts> = BTreeMap::new();
    for (key, entry) in &list {
        let Some(id) = id(key, entry) else { continue };
        let Some(facts) = facts(&id, entry) else { continue };
        // Some models are listed with and without their provider's name. Where the two differ, the
        // dearer one is believed.
        let known = rows.get(&id).map(|known| (known.input, known.output));
        if known.is_none_or(|known| known < (facts.input, facts.output)) {
            rows.insert(id, facts);
        }
    }
    // A short name beside the same model's full one is no second model.
    let twin =
        |id: &str| id.strip_prefix("fireworks:").map(|short| format!("fireworks:accounts/fireworks/models/{short}"));
    let twins: Vec<String> =
        rows.keys().filter(|id| twin(id).is_some_and(|twin| rows.contains_key(&twin))).cloned().collect();
    rows.retain(|id, _| !twins.contains(id));
    for (id, facts) in rows.clone() {
        let provider = id.split(':').next().unwrap_or_default();
        for dearest in [format!("{provider}:*"), "*".to_owned()] {
            dearer(rows.entry(dearest).or_default(), &facts);
        }
    }
    let mut text = HEAD.to_owned();
    for (id, facts) in &rows {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{id}\t{}", line(facts));
    }
    Ok(text)
}

/// `provider:model`, if the entry is a chat model of a provider we speak to.
fn id(key: &str, entry: &Value) -> Option<String> {
    let text = |name| entry.get(name).and_then(Value::as_str);
    let provider = text("litellm_provider")?;
    let (_, ours, prefix) = PROVIDERS.iter().find(|(theirs, _, _)| *theirs == provider)?;
    let model = key.strip_prefix(prefix).unwrap_or(key);
    let endpoints = entry.get("supported_endpoints").and_then(Value::as_array);
    let only_elsewhere = endpoints.is_some_and(|list| list.iter().all(|path| path != "/v1/chat/completions"));
    // Azure's regions and Together's and Fireworks' price bands by size are no names of models.
    let no_model = match *ours {
        "azure" => model.contains('/'),
        "together" => model.starts_with("together-ai-"),
        "fireworks" => model.starts_with("fireworks-ai-"),
        // Google's other chat models are called in other ways, or were trials without a price.
        "gemini" | "vertex" => !model.starts_with("gemini-") || model.starts_with("gemini-exp-"),
        _ => false,
    };
    let wanted = text("mode") == Some("chat") && !only_elsewhere && !no_model && ModelName::parse(model).is_some();
    wanted.then(|| format!("{ours}:{model}"))
}

fn facts(id: &str, entry: &Value) -> Option<Facts> {
    // Dollars a token to dollars a million tokens.
    let rate = |name: &str| Rate::from_usd_per_million(entry.get(name)?.as_f64()? * 1e6);
    let (input, output) = (rate("input_cost_per_token")?, rate("output_cost_per_token")?);
    // A special price of zero beside a real one is a gap in the list, not a gift.
    let special = |name: &str, or: Rate| rate(name).filter(|rate| rate.0 > 0 && *rate != or);
    let cache_write = special("cache_creation_input_token_cost", input);
    let size = |name: &str| entry.get(name).and_then(Value::as_u64).filter(|size| *size > 0);
    let flag = |name: &str| entry.get(name).and_then(Value::as_bool).unwrap_or(false);
    let capabilities =
        FLAGS.iter().filter(|(name, _)| flag(name)).fold(Capabilities::NONE, |set, (_, one)| set.with(*one));
    let anthropic = entry.get("litellm_provider").and_then(Value::as_str) == Some("anthropic");
    let thinks = capabilities.has(Capabilities::REASONING);
    Some(Facts {
        context: size("max_input_tokens"),
        max_output: size("max_output_tokens"),
        input,
        output,
        cache_read: special("cache_read_input_token_cost", input),
        cache_write,
        cache_write_1h: special("cache_creation_input_token_cost_above_1hr", cache_write.unwrap_or(input)),
        reasoning: special("output_cost_per_reasoning_token", output),
        capabilities,
        traits: Traits {
            budget_thinking: thinks
                && ((anthropic && !flag("supports_adaptive_thinking")) || id.contains(":gemini-2.5")),
            fixed_sampling: entry.get("supports_sampling_params").and_then(Value::as_bool) == Some(false),
            system_in_conversation: flag("supports_mid_conversation_system"),
            minimal_effort: flag("supports_minimal_reasoning_effort") && id.contains(":gemini-"),
        },
        retires: entry
            .get("deprecation_date")
            .and_then(Value::as_str)
            .filter(|date| is_date(date))
            .unwrap_or_default()
            .to_owned(),
    })
}

/// Raises each price of `dearest` to that of `facts`. Caches count: a cache written for an hour is
/// the dearest input there is.
fn dearer(dearest: &mut Facts, facts: &Facts) {
    let written = facts.cache_write.unwrap_or(facts.input);
    let written_1h = facts.cache_write_1h.unwrap_or(written);
    dearest.input = dearest.input.max(facts.input);
    dearest.output = dearest.output.max(facts.output).max(facts.reasoning.unwrap_or_default());
    dearest.cache_write = dearest.cache_write.max(Some(written));
    dearest.cache_write_1h = dearest.cache_write_1h.max(Some(written_1h));
}

fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(i, byte)| if i == 4 || i == 7 { byte == b'-' } else { byte.is_ascii_digit() })
}

fn line(facts: &Facts) -> String {
    let number = |value: Option<u64>| value.map(|value| value.to_string()).unwrap_or_default();
    let dollars = |rate: Rate| signalbox::units::NanoUsd(rate.0).to_string();
    let special = |rate: Option<Rate>| rate.map(dollars).unwrap_or_default();
    let letters =
        Capabilities::LETTERS.iter().filter(|(_, one)| facts.capabilities.has(*one)).map(|(letter, _)| *letter);
    let cells = [
        number(facts.context),
        number(facts.max_output),
        dollars(facts.input),
        dollars(facts.output),
        special(facts.cache_read),
        special(facts.cache_write),
        special(facts.cache_write_1h),
        special(facts.reasoning),
        letters.collect(),
        facts.traits.letters(),
        facts.retires.clone(),
    ];
    cells.join("\t").trim_end().to_owned()
}
