//! What a caller's `model` means.
//!
//! In this order; the first that fits is taken:
//! 1. nothing, or `auto`: the default route;
//! 2. a route of the configuration, then a class;
//! 3. `provider:model` with an enabled provider; `provider/model` too, if that model is known there;
//! 4. a bare name: every enabled provider that knows it, in the order of the providers (makers before
//!    those who serve others' models, the configuration's own last), under this name or as a snapshot;
//! 5. a bare name that begins as an enabled maker's names do (`gpt-…`, `claude-…`): that maker, so
//!    that a model works the day it comes out;
//! 6. `provider/model` with an enabled provider that does not know the model;
//! 7. a bare name where a provider with models of the customer's own is enabled (`ollama`): that one.
//!
//! For 4, what such a provider has is known only where the configuration names it.

use super::{Catalog, Class, ModelName, ModelRef, own_models};
use crate::config::providers::{BUILTIN, Builtin, builtin};
use crate::config::suggest::nearest;
use crate::config::{ModelId, ProviderId, RouteName, Target};
use crate::error::{ApiError, Code};

/// What a caller asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A route of the configuration.
    Route(RouteName),
    /// A class.
    Class(Class),
    /// One model, at everyone who serves it: never empty, the first choice first.
    Models(Vec<ModelId>),
}

impl Catalog {
    /// Looks up what the caller wrote as `model`; `None` when it wrote nothing.
    pub fn resolve(&self, asked: Option<&ModelRef>) -> Result<Asked, ApiError> {
        let Some(name) = asked.map(ModelRef::as_str).filter(|name| *name != "auto") else {
            return Ok(match &self.default_route {
                Target::Route(route) => Asked::Route(route.clone()),
                Target::Class(class) => Asked::Class(*class),
                Target::Model(id) => Asked::Models(vec![id.clone()]),
            });
        };
        if let Some(route) = self.route(name) {
            return Ok(Asked::Route(route.clone()));
        }
        if let Some(class) = Class::parse(name) {
            return Ok(Asked::Class(class));
        }
        let qualified = self.qualified(name, ':');
        let slashed = self.qualified(name, '/');
        let known = slashed.clone().filter(|id| self.model(id).known);
        let models = match qualified.or(known) {
            Some(id) => vec![id],
            None => match ModelName::parse(name).map(|model| self.bare(&model)) {
                Some(models) if !models.is_empty() => models,
                Some(_) | None => slashed.or_else(|| self.at_own_models(name)).into_iter().collect(),
            },
        };
        if models.is_empty() { Err(self.unknown(name)) } else { Ok(Asked::Models(models)) }
    }

    /// `name` as provider and model, when that provider is enabled.
    fn qualified(&self, name: &str, separator: char) -> Option<ModelId> {
        let (provider, model) = name.split_once(separator)?;
        let provider = self.providers.iter().find(|enabled| enabled.as_str() == provider)?;
        Some(ModelId { provider: provider.clone(), model: ModelName::parse(model)? })
    }

    /// Everyone who knows the model, or else its maker.
    fn bare(&self, model: &ModelName) -> Vec<ModelId> {
        let at = |provider: &ProviderId| ModelId { provider: provider.clone(), model: model.clone() };
        let listed =
            |id: &ModelId| self.overrides.contains_key(id) || (!own_models(&id.provider) && self.model(id).known);
        let known: Vec<ModelId> = self.providers.iter().map(at).filter(listed).collect();
        if !known.is_empty() {
            return known;
        }
        let maker =
            |provider: &&ProviderId| builtin(provider.as_str()).is_some_and(|maker| makes(maker, model.as_str()));
        self.providers.iter().find(maker).map(at).into_iter().collect()
    }

    /// The built-in provider that serves whatever its customer has put there.
    fn at_own_models(&self, name: &str) -> Option<ModelId> {
        let own = |provider: &&ProviderId| builtin(provider.as_str()).is_some_and(Builtin::own_models);
        let provider = self.providers.iter().find(own)?;
        Some(ModelId { provider: provider.clone(), model: ModelName::parse(name)? })
    }

    /// A message that helps without repeating more than a provider's name.
    fn unknown(&self, name: &str) -> ApiError {
        let named = name.split([':', '/']).next().filter(|provider| *provider != name);
        let maker = || BUILTIN.iter().find(|maker| makes(maker, name)).map(|maker| maker.id);
        let provider = named.filter(|id| builtin(id).is_some()).or_else(maker).unwrap_or_default();
        let message = if self.providers.is_empty() {
            "No provider is enabled: bind a provider's key, such as OPENAI_API_KEY.".to_owned()
        } else if let Some(binding) = builtin(provider).map(|known| known.key_binding.unwrap_or(known.base_url_binding))
        {
            format!("The provider `{provider}` is not enabled here: it is when {binding} is bound.")
        } else {
            let names: Vec<String> = self.names().into_iter().map(|(name, _)| name).collect();
            let bare = names.iter().map(|name| name.split_once(':').map_or(name.as_str(), |(_, model)| model));
            match nearest(name, names.iter().map(String::as_str)).or_else(|| nearest(name, bare)) {
                Some(close) => format!("There is no such model, class or route. Did you mean `{close}`?"),
                None => "There is no such model, class or route. GET /v1/models lists them.".to_owned(),
            }
        };
        let code = if self.providers.is_empty() { Code::NotConfigured } else { Code::ModelNotFound };
        ApiError { param: Some("model".to_owned()), ..ApiError::new(code, message) }
    }
}

/// Whether a bare name begins as this maker's names do.
fn makes(maker: &Builtin, name: &str) -> bool {
    maker.families.iter().any(|family| name.starts_with(family))
}
