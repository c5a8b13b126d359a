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
//! 6. `provider/model` with an enabled provider that does not know the model.

use super::{Catalog, Class, ModelName, ModelRef};
use crate::config::providers::{builtin, is_later};
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
        if let Some(route) = self.routes.get(name) {
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
            None => self.bare(name).or_else(|| slashed.map(|id| vec![id])).unwrap_or_default(),
        };
        if models.is_empty() { Err(self.unknown(name)) } else { Ok(Asked::Models(models)) }
    }

    /// `name` as provider and model, when that provider is enabled.
    fn qualified(&self, name: &str, separator: char) -> Option<ModelId> {
        let (provider, model) = name.split_once(separator)?;
        let provider = self.providers.iter().find(|enabled| enabled.as_str() == provider)?;
        Some(ModelId { provider: provider.clone(), model: ModelName::parse(model)? })
    }

    fn bare(&self, name: &str) -> Option<Vec<ModelId>> {
        let model = ModelName::parse(name)?;
        let at = |provider: &ProviderId| ModelId { provider: provider.clone(), model: model.clone() };
        let known: Vec<ModelId> = self.providers.iter().map(at).filter(|id| self.model(id).known).collect();
        if !known.is_empty() {
            return Some(known);
        }
        let makes = |provider: &&ProviderId| {
            builtin(provider.as_str()).is_some_and(|maker| maker.families.iter().any(|family| name.starts_with(family)))
        };
        self.providers.iter().find(makes).map(|maker| vec![at(maker)])
    }

    /// A message that helps without repeating more than a provider's name.
    fn unknown(&self, name: &str) -> ApiError {
        let provider = name.split([':', '/']).next().filter(|provider| *provider != name).unwrap_or_default();
        let message = if self.providers.is_empty() {
            "No provider is enabled: bind a provider's key, such as OPENAI_API_KEY.".to_owned()
        } else if let Some(binding) = builtin(provider).map(|known| known.key_binding.unwrap_or(known.base_url_binding)) {
            format!("The provider `{provider}` is not enabled here: it is when {binding} is bound.")
        } else if is_later(provider) {
            format!("The provider `{provider}` is not available in this version.")
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
