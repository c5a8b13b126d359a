//! What a call is charged: its provider's word, our own count of what was seen, or a flat amount where
//! neither can be had. Unknown is never nothing.

use crate::catalog::Catalog;
use crate::config::ModelId;
use crate::dialect::{Finish as Ending, Observed};
use crate::units::NanoUsd;
use crate::usage::Usage;

/// Bytes of text a token stands for, on average over languages and tokenizers, erring to the dear side.
pub(super) const BYTES_PER_TOKEN: u64 = 4;

/// How the calls of one request are charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tariff {
    /// What the request itself consumes, by estimate: charged where a provider never said.
    pub expected: Usage,
    /// What a call costs whose answer tells no usage, in place of our own count.
    pub flat: Option<NanoUsd>,
}

/// What one call comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bill {
    pub usage: Usage,
    pub cost: NanoUsd,
    /// At a price that nobody told us.
    pub guess: bool,
}

impl Tariff {
    /// The bill for a call to `model`; `observed` is what came of it, if anything did.
    pub(super) fn bill(&self, catalog: &Catalog, model: &ModelId, observed: Option<&Observed>) -> Bill {
        let usage = match (self.flat, observed) {
            (None, Some(observed)) => self.consumed(observed),
            (None, None) => Usage { estimated: true, ..self.expected },
            (Some(flat), observed) => match observed.and_then(|observed| observed.usage) {
                Some(said) => said,
                None => {
                    let estimated = flat > NanoUsd::ZERO;
                    return Bill { usage: Usage { estimated, ..Usage::default() }, cost: flat, guess: estimated };
                }
            },
        };
        let model = catalog.model(model);
        Bill { usage, cost: model.price.cost(&usage), guess: model.estimated_price }
    }

    /// What an answer consumed: the provider's word, or our count of what was seen. A provider's word
    /// from before the end (Anthropic counts as it goes) does not cover what came after it.
    fn consumed(&self, observed: &Observed) -> Usage {
        let seen = observed.output_bytes.div_ceil(BYTES_PER_TOKEN);
        let Some(said) = observed.usage else {
            return Usage { output: seen, estimated: true, ..self.expected };
        };
        match observed.finish {
            Ending::Complete => said,
            Ending::Truncated | Ending::Error(_) if said.completion_tokens() >= seen => said,
            Ending::Truncated | Ending::Error(_) => {
                Usage { output: seen.saturating_sub(said.reasoning), estimated: true, ..said }
            }
        }
    }
}
