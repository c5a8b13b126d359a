//! Classes: names for a kind of model, filled from the catalog.
//!
//! Each enabled provider nominates its two best models for a class, and all first nominations come
//! before all second ones: in the order of the providers, but for `cheap` and `long`, where the better
//! comes first. A model can be nominated when it is listed, calls tools, is not announced to be
//! switched off, is no fine-tune and no dated snapshot of another, and is not a free trial.
//!
//! | class | who | best first |
//! |---|---|---|
//! | `fast` | thinks when asked, at most $2 | the largest context (small models of the newest line have it), then the cheapest |
//! | `cheap` | reads 32,000 tokens | the cheapest |
//! | `smart` | thinks, at most $8 | the dearest: within one maker the price follows what the model can do |
//! | `reasoning` | thinks, at most $4 | the dearest |
//! | `code` | thinks, at most $4 | those named for code, then the dearest |
//! | `long` | reads 500,000 tokens | the largest context, then the cheapest |
//! | `vision` | reads images, at most $4 | the dearest |
//!
//! The dollars are for a million tokens, three of input for one of output. Among equals
//! the larger context comes first, then the shorter name (it has no special purpose), then the later
//! name (it has the higher version). Who wants another choice writes a route of that name.

use super::alias::without_date;
use super::{Capabilities, Catalog, Kind, Model, table};
use crate::config::ModelId;
use std::cmp::{Ordering, Reverse};

/// A kind of model a caller can ask for in place of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Small models, which answer soon.
    Fast,
    /// The lowest price.
    Cheap,
    /// The best that is not extravagant.
    Smart,
    /// Models that think, at a moderate price.
    Reasoning,
    /// Good at programming.
    Code,
    /// The largest context.
    Long,
    /// Models that read images.
    Vision,
}

/// How many models of one provider a class may hold.
const NOMINATIONS: usize = 2;

impl Class {
    /// All classes.
    pub const ALL: [Class; 7] =
        [Class::Fast, Class::Cheap, Class::Smart, Class::Reasoning, Class::Code, Class::Long, Class::Vision];

    /// The class as callers write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Fast => "fast",
            Class::Cheap => "cheap",
            Class::Smart => "smart",
            Class::Reasoning => "reasoning",
            Class::Code => "code",
            Class::Long => "long",
            Class::Vision => "vision",
        }
    }

    /// Reads a class's name.
    pub fn parse(text: &str) -> Option<Class> {
        Class::ALL.into_iter().find(|class| class.as_str() == text)
    }

    /// Whether a model that can be nominated at all can be nominated here.
    fn admits(self, model: &Model) -> bool {
        let thinks = model.capabilities.has(Capabilities::REASONING);
        // What is not known is not held against a model of the operator's own.
        let reads = |tokens| model.context_tokens.is_none_or(|context| context >= tokens);
        let at_most = |usd: u64| model.price.blended() <= usd * 1_000_000_000;
        match self {
            Class::Fast => thinks && at_most(2),
            Class::Cheap => reads(32_000),
            Class::Smart => thinks && at_most(8),
            Class::Reasoning | Class::Code => thinks && at_most(4),
            Class::Long => model.context_tokens.is_some() && reads(500_000),
            Class::Vision => model.capabilities.has(Capabilities::VISION) && at_most(4),
        }
    }

    /// The better nomination first, where a class is about one number.
    fn between_providers(self, a: &Model, b: &Model) -> Ordering {
        match self {
            Class::Cheap | Class::Long => self.order(a, b),
            Class::Fast | Class::Smart | Class::Reasoning | Class::Code | Class::Vision => Ordering::Equal,
        }
    }

    /// The better model first. Models of two providers that differ in name alone are equal.
    fn order(self, a: &Model, b: &Model) -> Ordering {
        let largest = |model: &Model| Reverse(model.context_tokens);
        let cheapest = |model: &Model| model.price.blended();
        let dearest = |model: &Model| Reverse(model.price.blended());
        let for_code = |model: &Model| {
            let name = model.id.model.as_str();
            Reverse(["code", "codex", "devstral", "codestral"].iter().any(|word| name.contains(word)))
        };
        let first = match self {
            Class::Fast | Class::Long => (largest(a), cheapest(a)).cmp(&(largest(b), cheapest(b))),
            Class::Cheap => cheapest(a).cmp(&cheapest(b)),
            Class::Smart | Class::Reasoning | Class::Vision => dearest(a).cmp(&dearest(b)),
            Class::Code => (for_code(a), dearest(a)).cmp(&(for_code(b), dearest(b))),
        };
        first.then(largest(a).cmp(&largest(b)))
    }
}

/// The shorter name first, then the later one.
fn by_name(a: &Model, b: &Model) -> Ordering {
    let (a, b) = (a.id.model.as_str(), b.id.model.as_str());
    a.len().cmp(&b.len()).then_with(|| b.cmp(a))
}

/// All classes at once, as [`Class::ALL`]: one walk over the models of the enabled providers.
pub(super) fn fill(catalog: &Catalog) -> [Vec<ModelId>; 7] {
    let by_provider: Vec<Vec<Model>> = catalog.by_provider().map(|models| models.filter(nominable).collect()).collect();
    Class::ALL.map(|class| {
        let mut nominated: Vec<(usize, &Model)> = Vec::new();
        for models in &by_provider {
            let mut best: Vec<&Model> = Vec::new();
            for model in models.iter().filter(|model| class.admits(model)) {
                insert(&mut best, model, |a, b| class.order(a, b).then_with(|| by_name(a, b)));
                best.truncate(NOMINATIONS);
            }
            for nomination in best.into_iter().enumerate() {
                insert(&mut nominated, nomination, |(a_round, a), (b_round, b)| {
                    a_round.cmp(b_round).then_with(|| class.between_providers(a, b))
                });
            }
        }
        nominated.into_iter().map(|(_, model)| model.id.clone()).collect()
    })
}

/// Puts `item` before the first one that comes after it, so behind its equals. The lists are short.
fn insert<T>(sorted: &mut Vec<T>, item: T, order: impl Fn(&T, &T) -> Ordering) {
    let place = sorted.iter().position(|other| order(&item, other) == Ordering::Less);
    sorted.insert(place.unwrap_or(sorted.len()), item);
}

/// Whether a model can be nominated for any class.
fn nominable(model: &Model) -> bool {
    let (provider, name) = (model.id.provider.as_str(), model.id.model.as_str());
    let is_snapshot = || without_date(name).is_some_and(|plain| table::find(&format!("{provider}:{plain}")).is_some());
    let is_trial = || model.price.blended() == 0 && table::dearest(provider).blended() > 0;
    model.capabilities.has(Capabilities::TOOLS)
        && model.traits.kind.is_none_or(|kind| kind == Kind::Chat)
        // Whoever serves it may not be asked by the API it speaks.
        && !model.traits.only_responses
        && model.retires.is_none()
        && !name.starts_with("ft:")
        && !is_snapshot()
        && !is_trial()
}
