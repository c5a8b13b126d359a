//! Which models there are, what they cost and can do, and what a caller's `model` means.
//!
//! Facts come from a built-in table with the configuration's `models` on top; who is there to be
//! called comes from the enabled providers. Nothing is computed until it is asked for.

mod alias;
mod capabilities;
mod class;
mod model;
mod name;
mod price;
mod resolve;
mod table;
#[cfg(test)]
mod tests;

pub use capabilities::Capabilities;
pub use class::Class;
pub use model::{Kind, Model, Traits};
pub use name::{ModelName, ModelRef};
pub use price::{Price, Rate, Rates, Size, Special};
pub use resolve::Asked;

use crate::config::providers::{Builtin, builtin};
use crate::config::{Config, ModelId, ModelOverride, ProviderId, Providers, RouteName, Target};
use crate::sorted::SortedMap;
use alias::Kinship;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use table::Row;

/// The catalog as one configuration and its enabled providers make it.
#[derive(Debug)]
pub struct Catalog {
    overrides: SortedMap<ModelId, ModelOverride>,
    /// The enabled providers, in the order in which a bare name is looked for.
    providers: Vec<ProviderId>,
    /// Sorted.
    routes: Vec<RouteName>,
    default_route: Target,
    /// The models of each class; filled when the first class is asked for.
    classes: OnceLock<[Vec<ModelId>; 7]>,
    /// Models asked for before: a request asks several times for the same few.
    recent: Mutex<SortedMap<ModelId, Arc<Model>>>,
}

/// Models remembered. Names come from callers, so this bounds what inventing them costs.
const RECENT: usize = 256;

impl Catalog {
    /// The catalog for these providers. Costs a copy of the configuration's `models`.
    pub fn new(config: &Config, providers: &Providers) -> Catalog {
        Catalog {
            overrides: config.models.clone(),
            providers: providers.iter().map(|provider| provider.id.clone()).collect(),
            routes: config.routes.keys().cloned().collect(),
            default_route: config.default_route.clone(),
            classes: OnceLock::new(),
            recent: Mutex::default(),
        }
    }

    /// Everything known of a model. Always answers: a model nobody knows has the dearest price of its
    /// provider (flagged as estimated), unknown sizes and every capability, so that the provider
    /// decides whether it exists.
    pub fn model(&self, id: &ModelId) -> Arc<Model> {
        // Nothing panics while the lock is held, so a poisoned lock guards good data all the same.
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(model) = recent.get(id) {
            return model.clone();
        }
        if recent.len() >= RECENT {
            recent.clear();
        }
        let model = Arc::new(self.look_up(id));
        recent.insert(id.clone(), model.clone());
        model
    }

    fn look_up(&self, id: &ModelId) -> Model {
        let (provider, name) = (id.provider.as_str(), id.model.as_str());
        let alias =
            || alias::aliases(provider, name).into_iter().find_map(|(id, kinship)| Some((table::find(&id)?, kinship)));
        let mut model = self.describe(id, table::find(&id.to_string()).map(|row| (row, Kinship::Same)).or_else(alias));
        // How a model differs is its maker's doing, whoever runs it.
        let makers = alias::on_bedrock(provider, name).into_iter().find_map(|(id, _)| table::find(&id));
        model.traits = makers.map_or(model.traits, |row| row.traits);
        model
    }

    /// What the table and the configuration say together; `found` is the line of the table.
    fn describe(&self, id: &ModelId, found: Option<(Row, Kinship)>) -> Model {
        let mut model = Model {
            id: id.clone(),
            context_tokens: None,
            max_output_tokens: None,
            price: table::dearest(id.provider.as_str()),
            estimated_price: true,
            capabilities: Capabilities::ALL,
            traits: Traits::default(),
            quality: None,
            retires: None,
            known: false,
        };
        if let Some((row, kinship)) = found {
            model.context_tokens = row.context_tokens;
            model.max_output_tokens = row.max_output_tokens;
            model.capabilities = row.capabilities;
            model.traits = row.traits;
            model.retires = row.retires;
            // That it runs somewhere does not say that it runs here.
            model.known = kinship != Kinship::Hosted;
            (model.price, model.estimated_price) = match kinship {
                Kinship::Same => (row.price, false),
                Kinship::Resold => (row.price, true),
                Kinship::Hosted => (model.price, true),
            };
        }
        if let Some(over) = self.overrides.get(id) {
            model.known = true;
            model.context_tokens = over.context_tokens.or(model.context_tokens);
            model.max_output_tokens = over.max_output_tokens.or(model.max_output_tokens);
            model.estimated_price &= over.price.is_none();
            model.price = over.price.clone().unwrap_or(model.price);
            model.capabilities = over.capabilities.unwrap_or(model.capabilities);
            model.quality = over.quality;
        }
        model
    }

    /// Whether a provider can be called.
    pub fn is_enabled(&self, provider: &ProviderId) -> bool {
        self.providers.contains(provider)
    }

    /// Whether no provider can be called at all.
    pub fn has_no_provider(&self) -> bool {
        self.providers.is_empty()
    }

    /// Every model that can be listed: by provider in their order, within one by name, those that only
    /// the configuration names last. Of a provider whose models are the customer's own
    /// ([`Builtin::own_models`]) only what the configuration names.
    pub fn models(&self) -> impl Iterator<Item = Model> {
        self.by_provider().flatten()
    }

    /// The listed models of each enabled provider.
    fn by_provider(&self) -> impl Iterator<Item = impl Iterator<Item = Model>> {
        self.providers.iter().map(|provider| {
            let rows = (!own_models(provider)).then(|| table::of_provider(provider.as_str())).into_iter().flatten();
            let rows = rows.filter_map(|row| Some(self.describe(&row.id()?, Some((row, Kinship::Same)))));
            let in_table = |id: &ModelId| !own_models(&id.provider) && table::find(&id.to_string()).is_some();
            let added = self.overrides.keys().filter(move |id| id.provider == *provider && !in_table(id));
            rows.chain(added.map(|id| self.look_up(id)))
        })
    }

    /// The models of a class among the enabled providers, the first choice first. Empty when no
    /// enabled provider has one.
    pub fn class(&self, class: Class) -> &[ModelId] {
        let classes = self.classes.get_or_init(|| class::fill(self));
        let members = Class::ALL.iter().zip(classes).find(|(named, _)| **named == class);
        members.map(|(_, models)| models.as_slice()).unwrap_or_default()
    }

    fn route(&self, name: &str) -> Option<&RouteName> {
        let found = self.routes.binary_search_by(|route| route.as_str().cmp(name)).ok()?;
        self.routes.get(found)
    }

    /// Every name a caller can use as `model`, with who owns it: routes and classes (owned by
    /// `signalbox`), then models.
    pub fn names(&self) -> Vec<(String, String)> {
        let ours = |name: &str| (name.to_owned(), "signalbox".to_owned());
        let routes = self.routes.iter().map(|route| ours(route.as_str()));
        let is_class = |class: &&Class| !self.class(**class).is_empty() && self.route(class.as_str()).is_none();
        let classes = Class::ALL.iter().filter(is_class).map(|class| ours(class.as_str()));
        let models = self.models().map(|model| (model.id.to_string(), model.id.provider.to_string()));
        routes.chain(classes).chain(models).collect()
    }
}

/// Whether what this provider serves is the customer's business and not on any list.
fn own_models(provider: &ProviderId) -> bool {
    builtin(provider.as_str()).is_none_or(Builtin::own_models)
}
