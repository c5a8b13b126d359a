//! The section `models`: what the operator knows better than the built-in catalog.

use super::names::ModelId;
use super::shape::{Dict, Fields, List, OneOf, Real, Record, Whole};
use crate::catalog::{Capabilities, Price, Rate, Rates};

/// What one entry adds to the catalog or says instead of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelOverride {
    /// Input and output together, in tokens.
    pub context_tokens: Option<u64>,
    /// The longest answer, in tokens.
    pub max_output_tokens: Option<u64>,
    /// What it costs; replaces the catalog's price as a whole.
    pub price: Option<Price>,
    /// What it can do; replaces the catalog's list as a whole.
    pub capabilities: Option<Capabilities>,
    /// How good its answers are, from 0 to 1.
    pub quality: Option<f64>,
}

const TOKENS: Whole = Whole { min: 1, max: 1_000_000_000 };
/// A million dollars for a million tokens: beyond any real price, within exact arithmetic.
const USD: Real = Real { min: 0.0, max: 1_000_000.0, hint: "Use dollars for a million tokens, from 0 to 1000000" };

const QUALITY: Real = Real { min: 0.0, max: 1.0, hint: "Use a number from 0 to 1" };

pub(super) fn section() -> Dict<ModelId, Record<ModelOverride>> {
    Dict {
        name: ModelId::parse,
        pattern: "^[a-z0-9][a-z0-9_-]{0,63}:[A-Za-z0-9._:/@+~=-]{1,256}$",
        rule: "Write provider:model, such as \"openai:gpt-5.4\"",
        of: Record(model),
    }
}

fn model(fields: &mut Fields<'_, '_>) -> Option<ModelOverride> {
    let capability = OneOf { words: Capabilities::WORDS, later: &[] };
    Some(ModelOverride {
        context_tokens: fields.optional("context_tokens", "input and output together", TOKENS),
        max_output_tokens: fields.optional("max_output_tokens", "the longest answer", TOKENS),
        price: fields.optional("usd_per_million", "dollars for a million tokens", Record(price)),
        capabilities: fields
            .optional("capabilities", "everything the model can do", List { of: capability, min: 0 })
            .map(|list| list.into_iter().fold(Capabilities::NONE, Capabilities::with)),
        quality: fields.optional("quality", "how good its answers are, from 0 to 1", QUALITY),
    })
}

/// What is not said costs what it would without the special case: cached input as input, an hour's
/// cache as five minutes', reasoning as output.
fn price(fields: &mut Fields<'_, '_>) -> Option<Price> {
    let input = fields.required("input", "dollars for a million tokens of input", USD);
    let output = fields.required("output", "dollars for a million tokens of output", USD);
    let cache_read = fields.optional("cache_read", "input read from the prompt cache; else as input", USD);
    let cache_write = fields.optional("cache_write", "input written to the prompt cache; else as input", USD);
    let cache_write_1h = fields.optional("cache_write_1h", "the same for an hour; else as cache_write", USD);
    let reasoning = fields.optional("reasoning", "output spent on reasoning; else as output", USD);
    let search = fields.optional("search", "a million searches, where rerank is billed by those; else nothing", USD);
    let (input, output) = (input?, output?);
    let cache_write = cache_write.unwrap_or(input);
    let search = Rate::from_usd_per_million(search.unwrap_or(0.0))?;
    let rates = Rates {
        input: Rate::from_usd_per_million(input)?,
        output: Rate::from_usd_per_million(output)?,
        cache_read: Rate::from_usd_per_million(cache_read.unwrap_or(input))?,
        cache_write_5m: Rate::from_usd_per_million(cache_write)?,
        cache_write_1h: Rate::from_usd_per_million(cache_write_1h.unwrap_or(cache_write))?,
        reasoning: Rate::from_usd_per_million(reasoning.unwrap_or(output))?,
    };
    Some(Price { search, ..Price::flat(rates) })
}
