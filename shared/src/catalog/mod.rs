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

pub use capabilities::Capabilities;
pub use class::Class;
pub use model::Model;
pub use name::{ModelName, ModelRef};
pub use price::{Price, Rate};
pub use resolve::Asked;

use crate::config::{Config, ModelId, ModelOverride, ProviderId, Providers, RouteName, Target};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// The catalog as one configuration and its enabled providers make it.
#[derive(Debug)]
pub struct Catalog {
    overrides: BTreeMap<ModelId, ModelOverride>,
    /// The enabled providers, in the order in which a bare name is looked for.
    providers: Vec<ProviderId>,
    routes: BTreeSet<RouteName>,
    default_route: Target,
    /// The models of each class; filled when the first class is asked for.
    classes: OnceLock<BTreeMap<Class, Vec<ModelId>>>,
}

impl Catalog {
    /// The catalog for these providers. Costs a copy of the configuration's `models`.
    pub fn new(config: &Config, providers: &Providers) -> Catalog {
        Catalog {
            overrides: config.models.clone(),
            providers: providers.iter().map(|provider| provider.id.clone()).collect(),
            routes: config.routes.keys().cloned().collect(),
            default_route: config.default_route.clone(),
            classes: OnceLock::new(),
        }
    }

    /// Everything known of a model. Always answers: a model nobody knows has the dearest price of its
    /// provider (flagged as estimated), unknown sizes and every capability, so that the provider
    /// decides whether it exists.
    pub fn model(&self, id: &ModelId) -> Model {
        let (provider, name) = (id.provider.as_str(), id.model.as_str());
        let alias = || alias::aliases(provider, name).into_iter().find_map(|alias| Some((table::find(&alias.id)?, alias.same_price)));
        let found = table::find(&id.to_string()).map(|row| (row, true)).or_else(alias);
        let mut model = match found {
            Some((row, same_price)) => Model {
                id: id.clone(),
                context_tokens: row.context_tokens,
                max_output_tokens: row.max_output_tokens,
                price: if same_price { row.price } else { table::dearest(provider) },
                estimated_price: !same_price,
                capabilities: row.capabilities,
                quality: None,
                retires: row.retires,
                known: true,
            },
            None => Model {
                id: id.clone(),
                context_tokens: None,
                max_output_tokens: None,
                price: table::dearest(provider),
                estimated_price: true,
                capabilities: Capabilities::ALL,
                quality: None,
                retires: None,
                known: false,
            },
        };
        if let Some(over) = self.overrides.get(id) {
            model.known = true;
            model.context_tokens = over.context_tokens.or(model.context_tokens);
            model.max_output_tokens = over.max_output_tokens.or(model.max_output_tokens);
            model.estimated_price &= over.price.is_none();
            model.price = over.price.unwrap_or(model.price);
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

    /// Every known model of the enabled providers: by provider in their order, within one by name.
    pub fn models(&self) -> impl Iterator<Item = ModelId> {
        self.providers.iter().flat_map(|provider| {
            let own = self.overrides.keys().filter(|id| id.provider == *provider).cloned();
            let listed = table::of_provider(provider.as_str()).filter_map(|row| row.id());
            listed.chain(own).collect::<BTreeSet<ModelId>>()
        })
    }

    /// The models of a class among the enabled providers, the first choice first. Empty when no
    /// enabled provider has one.
    pub fn class(&self, class: Class) -> &[ModelId] {
        let classes = self.classes.get_or_init(|| class::fill(self));
        classes.get(&class).map(Vec::as_slice).unwrap_or_default()
    }

    /// Every name a caller can use as `model`, with who owns it: routes and classes (owned by
    /// `signalbox`), then models.
    pub fn names(&self) -> Vec<(String, String)> {
        let ours = |name: &str| (name.to_owned(), "signalbox".to_owned());
        let routes = self.routes.iter().map(|route| ours(route.as_str()));
        let is_class = |class: &&Class| !self.class(**class).is_empty() && !self.routes.contains(class.as_str());
        let classes = Class::ALL.iter().filter(is_class).map(|class| ours(class.as_str()));
        let models = self.models().map(|id| (id.to_string(), id.provider.to_string()));
        routes.chain(classes).chain(models).collect()
    }
}
