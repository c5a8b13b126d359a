//! The built-in table of models: a sorted text searched where it lies, so that starting costs nothing.
//!
//! `models.tsv` is made by `catalog-gen`; its first lines say what the columns are. A line whose model
//! is `*` holds the dearest price of its provider, the line `*` alone the dearest of all.

use super::{Capabilities, Price, Rate, Rates, Special, Traits};
use crate::config::ModelId;
use crate::usage::Tier;

const TABLE: &str = include_str!("models.tsv");

/// One line: what the catalog says about a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// `provider:model`.
    pub(super) id: &'static str,
    pub(super) context_tokens: Option<u64>,
    pub(super) max_output_tokens: Option<u64>,
    pub(super) price: Price,
    pub(super) capabilities: Capabilities,
    pub(super) traits: Traits,
    /// `2026-11-30`: when the provider switches it off.
    pub(super) retires: Option<&'static str>,
}

/// The line of exactly this id.
pub(super) fn find(id: &str) -> Option<Row> {
    let line = TABLE.get(lower_bound(id)..)?.lines().next()?;
    row(line).filter(|row| row.id == id)
}

/// All models of a provider, sorted by name.
pub(super) fn of_provider(provider: &str) -> impl Iterator<Item = Row> {
    let prefix = format!("{provider}:");
    let lines = TABLE.get(lower_bound(&prefix)..).unwrap_or_default().lines();
    lines.take_while(move |line| line.starts_with(&prefix)).filter_map(row).filter(|row| !row.id.ends_with(":*"))
}

/// The price of a model of this provider that nobody told us: the dearest chat model it sells, or the
/// dearest of all where we know nothing of the provider. A budget that is charged too much is noticed
/// and put right in the configuration; one that is charged too little is overspent.
pub(super) fn dearest(provider: &str) -> Price {
    find(&format!("{provider}:*")).or_else(|| find("*")).map(|row| row.price).unwrap_or_default()
}

/// Where the first line begins whose id is not below `id`.
fn lower_bound(id: &str) -> usize {
    let (mut low, mut high) = (0, TABLE.len());
    while low < high {
        let middle = low.midpoint(high);
        let start = TABLE.as_bytes().get(..middle).unwrap_or_default();
        let start = start.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1).max(low);
        let line = TABLE.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        if line.split('\t').next().unwrap_or_default() < id {
            low = start + line.len() + 1;
        } else {
            high = start;
        }
    }
    low.min(TABLE.len())
}

fn row(line: &'static str) -> Option<Row> {
    let mut cells = line.split('\t');
    let id = cells.next()?;
    let mut cell = || cells.next().filter(|cell| !cell.is_empty());
    let context_tokens = cell().and_then(|cell| cell.parse().ok());
    let max_output_tokens = cell().and_then(|cell| cell.parse().ok());
    let mut prices = [0; 6].map(|_| cell().and_then(Rate::from_decimal));
    prices[0].get_or_insert_default();
    let price = Price::flat(complete(prices)?);
    let capabilities = Capabilities::from_letters(cell().unwrap_or_default());
    let traits = Traits::from_letters(cell().unwrap_or_default());
    let retires = cell();
    let price = cell().unwrap_or_default().split(' ').fold(price, special);
    Some(Row { id, context_tokens, max_output_tokens, price, capabilities, traits, retires })
}

/// Rates in the table's order: input, output, cache_read, cache_write, cache_write_1h, reasoning. What is
/// not said costs what it would without the special case.
fn complete(said: [Option<Rate>; 6]) -> Option<Rates> {
    let [input, output, cache_read, cache_write, cache_write_1h, reasoning] = said;
    let input = input?;
    let output = output.unwrap_or(input);
    let cache_write_5m = cache_write.unwrap_or(input);
    Some(Rates {
        input,
        output,
        cache_read: cache_read.unwrap_or(input),
        cache_write_5m,
        cache_write_1h: cache_write_1h.unwrap_or(cache_write_5m),
        reasoning: reasoning.unwrap_or(output),
    })
}

/// The tiers by their letters in the table.
pub(super) const TIERS: [(&str, Tier); 5] =
    [("", Tier::Standard), ("f", Tier::Flex), ("b", Tier::Batch), ("p", Tier::Priority), ("u", Tier::Fast)];

/// A price with one item of the last column: `a=32` (sound read), `A=64` (sound spoken), `i=5` (images
/// read), `q=2000` (a million searches), or the rates of a tier above a number of thousands of tokens of
/// prompt: `p=5/30/0.5`, `>200=5/22.5`, `f>272=2.5/11`, or `b*0.5`, half the list price. An item of a later table is passed over.
fn special(mut price: Price, item: &'static str) -> Price {
    let Some((name, value)) = item.split_once(['=', '*']) else { return price };
    match name {
        "a" => price.input_audio = Rate::from_decimal(value),
        "A" => price.output_audio = Rate::from_decimal(value),
        "i" => price.input_image = Rate::from_decimal(value),
        "q" => price.search = Rate::from_decimal(value).unwrap_or_default(),
        _ => {
            let (letter, thousands) = name.split_once('>').unwrap_or((name, "0"));
            let tier = TIERS.iter().find(|(known, _)| *known == letter).map(|(_, tier)| *tier);
            let above = thousands.parse::<u64>().ok().and_then(|thousands| thousands.checked_mul(1_000));
            let mut cells = value.split('/').map(Rate::from_decimal);
            let rates = match item.contains('*') {
                true => cells.next().flatten().and_then(|share| price.rates.share(share)),
                false => complete([0; 6].map(|_| cells.next().flatten())),
            };
            if let (Some(tier), Some(above), Some(rates)) = (tier, above, rates) {
                price.special.push(Special { tier, above, rates });
            }
        }
    }
    price
}

impl Row {
    /// The id as a type; the table holds none that has no good one.
    pub(super) fn id(&self) -> Option<ModelId> {
        ModelId::parse(self.id)
    }
}
