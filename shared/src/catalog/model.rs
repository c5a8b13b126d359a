//! What the catalog answers about one model.

use super::{Capabilities, Price};
use crate::config::ModelId;

/// A model with everything that is known of it: the built-in table, with the configuration on top.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// As it was asked for; the provider is sent this name.
    pub id: ModelId,
    /// The context window in tokens. `None`: unknown.
    pub context_tokens: Option<u64>,
    /// The longest answer in tokens. `None`: unknown.
    pub max_output_tokens: Option<u64>,
    /// What it costs.
    pub price: Price,
    /// The price is not on any list: it is the dearest of its provider, or of all.
    pub estimated_price: bool,
    /// What it can do; everything, where nothing is known of it.
    pub capabilities: Capabilities,
    /// How good its answers are, from 0 to 1, where the configuration says.
    pub quality: Option<f64>,
    /// The day its provider switches it off: `2026-11-30`.
    pub retires: Option<&'static str>,
    /// Whether the table or the configuration knows it; else it may well not exist.
    pub known: bool,
}
