//! What a call is charged: its provider's word, our own count of what was seen, or a flat amount where
//! neither can be had. Unknown is never nothing.

use crate::catalog::{Catalog, ModelName};
use crate::config::ModelId;
use crate::dialect::{BYTES_PER_TOKEN, Finish as Ending, Observed};
use crate::units::NanoUsd;
use crate::usage::Usage;

/// How the calls of one request are charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tariff {
    /// What the request itself consumes, by estimate: charged where a provider never said.
    pub expected: Usage,
    /// What a call costs whose answer tells no usage, in place of our own count.
    pub flat: Option<NanoUsd>,
    /// The caller's own provider key pays: usage counts, money does not.
    pub byok: bool,
}

/// What one call comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bill {
    pub usage: Usage,
    pub cost: NanoUsd,
    /// At a price that nobody told us.
    pub guess: bool,
    /// What the provider's prompt cache saved, and what writing to it cost more.
    pub prompt_cache: (NanoUsd, NanoUsd),
}

impl Tariff {
    /// The bill for a call to `model`; `observed` is what came of it, if anything did.
    pub(super) fn bill(&self, catalog: &Catalog, model: &ModelId, observed: Option<&Observed>) -> Bill {
        let bill = self.priced(catalog, model, observed);
        if self.byok { Bill { usage: bill.usage, ..Bill::default() } } else { bill }
    }

    fn priced(&self, catalog: &Catalog, model: &ModelId, observed: Option<&Observed>) -> Bill {
        let usage = match (self.flat, observed) {
            (None, Some(observed)) => self.consumed(observed),
            (None, None) => Usage { estimated: true, ..self.expected },
            (Some(flat), observed) => return passed(catalog, model, flat, observed),
        };
        let model = catalog.model(model);
        let (cost, prompt_cache) = (model.price.cost(&usage), model.price.prompt_cache(&usage));
        Bill { usage, cost, guess: model.estimated_price, prompt_cache }
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

/// The bill for a call that was passed through: by its usage where it tells one, and a model whose price is
/// known; else the flat amount. A refusal costs nothing.
fn passed(catalog: &Catalog, called: &ModelId, flat: NanoUsd, observed: Option<&Observed>) -> Bill {
    let said = observed.and_then(|observed| observed.usage);
    let named = observed.and_then(|observed| observed.model.as_deref()).and_then(ModelName::parse);
    let model = named.map(|model| catalog.model(&ModelId { provider: called.provider.clone(), model }));
    let usage = said.unwrap_or_default();
    match (said, model.filter(|model| !model.estimated_price)) {
        (Some(_), Some(model)) => {
            let (cost, prompt_cache) = (model.price.cost(&usage), model.price.prompt_cache(&usage));
            Bill { usage, cost, prompt_cache, guess: false }
        }
        (Some(said), None) if said == Usage::default() => Bill { usage, ..Bill::default() },
        (Some(_), None) | (None, _) => {
            let estimated = flat > NanoUsd::ZERO && said.is_none();
            let usage = Usage { estimated, ..usage };
            Bill { usage, cost: flat, guess: flat > NanoUsd::ZERO, ..Bill::default() }
        }
    }
}
