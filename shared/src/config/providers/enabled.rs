//! The providers that can be called now: what is known, what the document changes, what is bound.

use super::cloud::Place;
use super::credentials::{Auth, auth, header_value};
use super::{Api, BUILTIN, Bound, Builtin, DataPolicy, HeaderValue, Operations, ProviderOverride, builtin};
use crate::catalog::{Capabilities, Model};
use crate::config::Config;
use crate::config::bindings::{self, Bindings};
use crate::config::names::ProviderId;
use crate::config::problem::Problem;
use crate::config::timing::Timeouts;
use crate::config::url::{self, BaseUrl};
use crate::dialect::{Dialect, ProviderDialect, Quirks, SamplingSupport, ThinkingSupport};
use crate::secret::Secret;
use crate::sorted::{SortedMap, SortedSet};
use std::borrow::Cow;

/// A provider that can be called.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its name before the colon of a model id.
    pub id: ProviderId,
    /// Which dialect it speaks.
    pub dialect: ProviderDialect,
    /// Where it is.
    pub base_url: BaseUrl,
    /// The chat endpoints below the base URL.
    pub paths: Paths,
    /// Where it speaks the Responses dialect beside its own.
    pub responses_path: Option<&'static str>,
    /// How it is told who calls.
    pub auth: Auth,
    /// Headers sent with every call, the credential not among them. Values may be secrets.
    pub headers: Vec<(String, Secret)>,
    /// What it does differently from others of its dialect; see [`Provider::quirks_for`].
    pub quirks: Quirks,
    /// What it does beside chats.
    pub operations: Operations,
    /// Where it keeps data.
    pub region: Option<String>,
    /// What it promises about data.
    pub data_policy: SortedSet<DataPolicy>,
    /// Its timeouts: the document's with its own on top.
    pub timeouts: Timeouts,
}

/// The chat endpoints of a provider, in which `{model}` stands for the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// For whole answers.
    pub whole: Cow<'static, str>,
    /// For streams.
    pub stream: Cow<'static, str>,
    /// For counting a prompt's tokens.
    pub count: Option<Cow<'static, str>>,
}

impl Provider {
    /// The URL a chat with this model is posted to. A model's name is one segment of a path whatever
    /// stands in it: a caller chooses a model, never a path.
    pub fn chat_url(&self, model: &str, stream: bool) -> String {
        self.model_url(if stream { &self.paths.stream } else { &self.paths.whole }, model)
    }

    /// The URL of a path in which `{model}` or `{model/path}` stands for the model.
    pub fn model_url(&self, path: &str, model: &str) -> String {
        let segments = || model.split('/').map(url::segment).collect::<Vec<_>>().join("/");
        self.base_url.join(path).replace("{model}", &url::segment(model)).replace("{model/path}", &segments())
    }

    /// The URL that counts the tokens of a prompt for this model.
    pub fn count_url(&self, model: &str) -> Option<String> {
        self.paths.count.as_ref().map(|path| self.model_url(path, model))
    }

    /// The dialect in which it is asked what a caller of this dialect wants: the caller's own where it
    /// speaks that too.
    pub fn dialect_for(&self, caller: Dialect) -> ProviderDialect {
        match (caller, self.responses_path) {
            (Dialect::OpenAiResponses, Some(_)) => ProviderDialect::Both(Dialect::OpenAiResponses),
            (Dialect::OpenAiChat | Dialect::Anthropic | Dialect::OpenAiResponses | Dialect::Gemini, _) => self.dialect,
        }
    }

    /// The URL of an operation beside chats: `/embeddings`, below what its chat's path begins with.
    pub fn operation_url(&self, path: &str) -> String {
        let beside_chat = || self.paths.whole.strip_suffix("/chat/completions").unwrap_or_default();
        self.base_url.join(&format!("{}{path}", self.operations.prefix.unwrap_or_else(beside_chat)))
    }

    /// The URL of the endpoint for what [`Provider::dialect_for`] chose.
    pub fn url_for(&self, dialect: ProviderDialect, model: &str, stream: bool) -> String {
        match self.responses_path.filter(|_| dialect != self.dialect) {
            Some(path) => self.base_url.join(path),
            None => self.chat_url(model, stream),
        }
    }

    /// What is different when it is asked for this model: the provider's quirks and the model's own.
    pub fn quirks_for(&self, model: &Model) -> Quirks {
        let thinks = !model.known || model.capabilities.has(Capabilities::REASONING);
        let quirks = Quirks {
            reasoning_effort: self.quirks.reasoning_effort && thinks,
            encrypted_reasoning: model.known && thinks,
            system_in_conversation: model.traits.system_in_conversation,
            minimal_effort: model.traits.minimal_effort,
            ..self.quirks
        };
        let free_sampling = match self.dialect {
            ProviderDialect::Both(Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::Gemini)
            | ProviderDialect::Cohere
            | ProviderDialect::Ollama
            | ProviderDialect::WorkersAi => SamplingSupport::All,
            // Anthropic's models that let themselves be steered take temperature or top_p, not both.
            ProviderDialect::Both(Dialect::Anthropic) | ProviderDialect::Bedrock if model.known => {
                SamplingSupport::OneOf
            }
            ProviderDialect::Both(Dialect::Anthropic) | ProviderDialect::Bedrock => SamplingSupport::All,
        };
        let thinking = match (thinks, model.traits.budget_thinking) {
            (false, _) => ThinkingSupport::None,
            (true, true) => ThinkingSupport::Budget,
            (true, false) => ThinkingSupport::Adaptive,
        };
        let sampling = if model.traits.fixed_sampling { SamplingSupport::None } else { free_sampling };
        Quirks { thinking, sampling, ..quirks }
    }
}

/// The providers that are enabled, and why others are not.
#[derive(Clone, Debug, Default)]
pub struct Providers {
    enabled: Vec<Provider>,
    problems: Vec<Problem>,
}

impl Providers {
    /// Enables every provider whose binding is there: the built-in ones in their order, then the
    /// document's own by name. A provider whose bindings are unusable is left out and named in
    /// [`Providers::problems`]: one bad variable does not stop the others.
    pub fn from(config: &Config, bindings: &(impl Bindings + ?Sized)) -> Providers {
        let mut providers = Providers::default();
        let own = config.providers.keys().map(ProviderId::as_str).filter(|id| builtin(id).is_none());
        for id in BUILTIN.iter().map(|builtin| builtin.id).chain(own) {
            let Some(id) = ProviderId::parse(id) else { continue };
            match enable(&id, config, bindings) {
                Ok(Some(provider)) => providers.enabled.push(provider),
                Ok(None) => {}
                Err(problem) => providers.problems.push(problem),
            }
        }
        providers
    }

    /// The enabled provider of this id.
    pub fn get(&self, id: &str) -> Option<&Provider> {
        self.enabled.iter().find(|provider| provider.id.as_str() == id)
    }

    /// All enabled providers, in the order in which a bare model name is looked for.
    pub fn iter(&self) -> impl Iterator<Item = &Provider> {
        self.enabled.iter()
    }

    /// Whether there is none: nothing can be called, which deserves its own answer.
    pub fn is_empty(&self) -> bool {
        self.enabled.is_empty()
    }

    /// Bindings that are there and unusable, for the operator: a path is a binding's name here.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

/// `Ok(None)`: its bindings are absent, so it is not meant to be used.
fn enable(id: &ProviderId, config: &Config, bindings: &(impl Bindings + ?Sized)) -> Result<Option<Provider>, Problem> {
    let known = builtin(id.as_str());
    let nothing = ProviderOverride::default();
    let over = config.providers.get(id.as_str()).unwrap_or(&nothing);
    let Some(api) = api(known, over.dialect) else { return Ok(None) };

    let url_binding = url_binding(id, known);
    let bound_url = bindings::text(bindings, &url_binding);
    let has_url = bound_url.is_some() || over.base_url.is_some();
    let key = auth(known, over, api.auth, has_url, bindings)?;
    let usual_url = known.and_then(|known| known.base_url);
    let (api, auth, usual_url) = match (key, known.and_then(|known| known.bound).filter(|_| !has_url)) {
        (Some(auth), _) => (api, auth, usual_url),
        (None, Some(bound)) if is_bound(&bound, over, bindings) => (bound.api, Auth::None, Some(bound.base_url)),
        (None, _) => return Ok(None),
    };
    let place = known.and_then(|known| known.cloud).map(|cloud| Place::read(&cloud, auth.account(), bindings));
    let place = place.transpose()?;
    let usual_url = usual_url.map(|url| place.as_ref().map_or_else(|| url.to_owned(), |place| place.base_url(url)));
    let fill = |path: &'static str| place.as_ref().map_or(Cow::Borrowed(path), |place| Cow::Owned(place.fill(path)));
    Ok(Some(Provider {
        id: id.clone(),
        dialect: api.dialect,
        base_url: base_url(&url_binding, bound_url, usual_url, id, over, bindings)?,
        paths: Paths {
            whole: fill(api.chat_path),
            stream: fill(api.stream_path.unwrap_or(api.chat_path)),
            count: api.count_path.map(fill),
        },
        responses_path: api.responses_path,
        auth,
        headers: headers(&api, id, over, bindings)?,
        quirks: api.quirks,
        operations: operations(api.operations, over),
        region: over.region.clone(),
        data_policy: over.data_policy.clone(),
        timeouts: config.timeouts.with(&over.timeouts),
    }))
}

/// Whether the platform has the binding, and nothing else is asked for.
fn is_bound(bound: &Bound, over: &ProviderOverride, bindings: &(impl Bindings + ?Sized)) -> bool {
    let fits = over.dialect.is_none_or(|dialect| dialect == bound.api.dialect);
    fits && over.api_key.is_none() && bindings.get(bound.method).is_some()
}

fn api(known: Option<&Builtin>, dialect: Option<ProviderDialect>) -> Option<Api> {
    match (known, dialect) {
        (Some(known), None) => Some(known.api),
        // A dialect that is written down is the only one.
        (known, Some(dialect)) => known.and_then(|known| known.api.only(dialect)).or(Some(Api::of(dialect))),
        (None, None) => None,
    }
}

/// What is known, with what the document says in its place.
fn operations(known: Operations, over: &ProviderOverride) -> Operations {
    Operations {
        completions: over.completions.unwrap_or(known.completions),
        embeddings: over.embeddings.unwrap_or(known.embeddings),
        rerank: over.rerank.unwrap_or(known.rerank),
        ..known
    }
}

/// `ACME_BASE_URL` of `acme`, unless the provider's SDK calls it something else.
fn url_binding(id: &ProviderId, known: Option<&Builtin>) -> String {
    match known {
        Some(known) => known.base_url_binding.to_owned(),
        None => format!("{}_BASE_URL", id.as_str().to_ascii_uppercase().replace('-', "_")),
    }
}

fn base_url(
    binding: &str,
    bound: Option<String>,
    usual: Option<String>,
    id: &ProviderId,
    over: &ProviderOverride,
    bindings: &(impl Bindings + ?Sized),
) -> Result<BaseUrl, Problem> {
    let text = match (bound, &over.base_url, usual) {
        (Some(text), _, _) => text,
        (None, Some(url), _) => return Ok(url.clone()),
        (None, None, Some(text)) => filled(&text, bindings)?,
        (None, None, None) => {
            return Err(problem(
                binding,
                "is missing",
                "Every customer of this provider has a URL of their own: bind it",
            ));
        }
    };
    let url = BaseUrl::parse(&text).map_err(|wrong| problem(binding, wrong, url::RULE))?;
    if url.is_private() || over.allow_http {
        return Ok(url);
    }
    let hint = format!("Use https://, or set providers.{id}.allow_http = true");
    Err(problem(binding, "would send keys and prompts unencrypted", &hint))
}

/// A base URL with the texts of the bindings it names.
fn filled(template: &str, bindings: &(impl Bindings + ?Sized)) -> Result<String, Problem> {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, (name, after))) =
        rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        let text = bindings::text(bindings, name)
            .ok_or_else(|| problem(name, "is missing", "The provider's URL has it in it: bind it"))?;
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
            return Err(problem(name, "cannot stand in a URL", "Use letters, digits, - and _"));
        }
        out.push_str(before);
        out.push_str(&text);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// The dialect's headers, then the document's, which win where both name the same.
fn headers(
    api: &Api,
    id: &ProviderId,
    over: &ProviderOverride,
    bindings: &(impl Bindings + ?Sized),
) -> Result<Vec<(String, Secret)>, Problem> {
    let usual = api.headers.iter().filter(|(name, _)| !over.headers.contains_key(*name));
    let usual = usual.map(|(name, value)| Ok(((*name).to_owned(), Secret::new(*value))));
    let own = bound_headers(&over.headers, bindings, &format!("providers.{id}"))?;
    usual.chain(own.into_iter().map(Ok)).collect()
}

/// Headers of the document, with what is bound to them; `of` is whose they are.
pub(in crate::config) fn bound_headers(
    headers: &SortedMap<String, HeaderValue>,
    bindings: &(impl Bindings + ?Sized),
    of: &str,
) -> Result<Vec<(String, Secret)>, Problem> {
    let bound = |(name, value): (&String, &HeaderValue)| {
        let value = match value {
            HeaderValue::Literal(text) => Secret::new(text.as_str()),
            HeaderValue::Binding(binding) => {
                let hint = || format!("{of}.headers refers to it: bind it");
                let text = bindings::text(bindings, binding.as_str());
                header_value(binding.as_str(), text.ok_or_else(|| problem(binding.as_str(), "is missing", &hint()))?)?
            }
        };
        Ok((name.clone(), value))
    };
    headers.iter().map(bound).collect()
}

pub(super) fn problem(path: &str, message: &str, hint: &str) -> Problem {
    Problem { path: path.to_owned(), message: message.to_owned(), hint: hint.to_owned() }
}
