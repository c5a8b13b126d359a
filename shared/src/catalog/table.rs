//! The built-in table of models: a sorted text searched where it lies, so that starting costs nothing.
//!
//! `models.tsv` is made by `catalog-gen`; its first lines say what the columns are. A line whose model
//! is `*` holds the dearest price of its provider, the line `*` alone the dearest of all.

use super::{Capabilities, Price, Rate, Traits};
use crate::config::ModelId;

const TABLE: &str = include_str!("models.tsv");

/// One line: what the catalog says about a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    let mut rate = |or: Rate| cell().and_then(Rate::from_decimal).unwrap_or(or);
    let input = rate(Rate(0));
    let output = rate(input);
    let cache_read = rate(input);
    let cache_write_5m = rate(input);
    let cache_write_1h = rate(cache_write_5m);
    let reasoning = rate(output);
    let capabilities = Capabilities::from_letters(cell().unwrap_or_default());
    let traits = Traits::from_letters(cell().unwrap_or_default());
    let retires = cell();
    let price = Price { input, output, cache_read, cache_write_5m, cache_write_1h, reasoning };
    Some(Row { id, context_tokens, max_output_tokens, price, capabilities, traits, retires })
}

impl Row {
    /// The id as a type; the table holds none that has no good one.
    pub(super) fn id(&self) -> Option<ModelId> {
        ModelId::parse(self.id)
    }
}
