//! The configuration document: parsed into types that cannot hold nonsense, or refused whole.
//!
//! [`Config::parse`] takes TOML or JSON and gives a [`Config`] or every problem of the document at
//! once, each with its path, what is wrong and what would be right. Nothing is ignored: an unknown
//! key is a problem, and so is a section of a later version, because a guardrail that is written
//! down and not enforced would be a lie. Nothing is half applied: on any problem the caller keeps
//! the configuration it has.
//!
//! Secrets are not here. The document refers to bindings, and [`Providers::from`] brings both
//! together.

mod audit;
pub mod authentication;
mod bindings;
pub mod cache;
mod check;
pub mod context;
mod export;
pub mod guardrails;
pub mod mcp;
mod models;
mod names;
mod overlay;
mod problem;
pub mod providers;
#[cfg(test)]
mod reference_tests;
mod router;
mod routes;
mod rules;
#[cfg(test)]
mod schema_tests;
mod scope;
mod service;
mod shape;
mod source;
mod strategy;
pub(crate) mod suggest;
mod teams;
mod terms;
#[cfg(test)]
mod tests;
mod timing;
pub mod transforms;
mod url;

pub use audit::{AuditPolicy, Bodies};
pub use authentication::Authentication;
pub use bindings::Bindings;
pub use cache::Cache;
pub use export::{Export, Otlp};
pub use models::ModelOverride;
pub use names::{BindingName, ContextName, GuardrailName, ModelId, ProviderId, RouteName, TeamName, TransformName};
pub use overlay::Overlaid;
pub use problem::{Invalid, Problem};
pub use providers::{Auth, DataPolicy, HeaderValue, Provider, ProviderOverride, Providers};
pub use providers::{GoogleAccount, Grant, Subject};
pub use router::{Remote, RemoteAccess, Routing};
pub use routes::{Canary, Candidate, Choice, Group, Route, Shadow, TOPICS, Target};
pub use rules::{Require, Rule, VARIABLES};
pub use scope::{Party, Scope};
pub use service::{Cors, Limits, Origins, PassThrough, Streams};
pub use strategy::{Cascade, Goal, Judge, Race, Sticky, Strategy};
pub use teams::{ModelAccess, ModelPattern, Team};
pub use terms::{Budget, Measure, Period, Terms, UsageLimit};
pub use timing::{Retries, Timeouts, TimeoutsOverride};
pub use url::BaseUrl;
pub(crate) use url::segment;

use crate::catalog::Class;
use crate::sorted::SortedMap;
use context::Context;
use guardrails::Guardrails;
use mcp::Mcp;
use problem::At;
use serde_json::Value;
use shape::{Fields, Kind as _, Record};
use transforms::Transform;

/// A configuration that is valid as a whole: names are good, references lead somewhere, fallbacks
/// end, numbers are in range.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Changes to the built-in providers, and the operator's own.
    pub providers: SortedMap<ProviderId, ProviderOverride>,
    /// Changes to the built-in catalog.
    pub models: SortedMap<ModelId, ModelOverride>,
    /// Routes by the name callers use.
    pub routes: SortedMap<RouteName, Route>,
    /// Where requests go by what they are, and what must be kept; in order.
    pub rules: Vec<Rule>,
    /// Where a request goes that names no model, or `auto`.
    pub default_route: Target,
    /// What is looked for in words, by name.
    pub guardrails: Guardrails,
    /// Which governed definitions requests are given, by name.
    pub context: Context,
    /// What is added to requests and what they are held to, by name.
    pub transforms: SortedMap<TransformName, Transform>,
    /// Servers that definitions are taken from, by name.
    pub mcp: Mcp,
    /// Teams by name; see [`Config::team`].
    pub teams: SortedMap<TeamName, Team>,
    /// Timeouts where neither provider nor route has its own.
    pub timeouts: Timeouts,
    /// How failed attempts are repeated.
    pub retries: Retries,
    /// What any request is held to.
    pub limits: Limits,
    /// How streams are passed on.
    pub streams: Streams,
    /// How calls are passed through to providers' APIs.
    pub passthrough: PassThrough,
    /// Whether and how long answers are kept.
    pub cache: Cache,
    /// What our router is told beside routes and rules.
    pub router: Routing,
    /// Which web pages may call.
    pub cors: Cors,
    /// Whom the gateway believes beside its own keys.
    pub auth: Authentication,
    /// Who is told of every request.
    pub export: Export,
}

/// The team of keys that name no other; it exists even where the document does not mention it.
pub const DEFAULT_TEAM: &str = "default";

impl Default for Config {
    /// What holds without a document: every enabled provider, the classes, no limits.
    fn default() -> Config {
        Config {
            providers: SortedMap::new(),
            models: SortedMap::new(),
            routes: SortedMap::new(),
            rules: Vec::new(),
            default_route: Target::Class(Class::Fast),
            guardrails: SortedMap::new(),
            context: SortedMap::new(),
            transforms: SortedMap::new(),
            mcp: SortedMap::new(),
            teams: SortedMap::new(),
            timeouts: Timeouts::default(),
            retries: Retries::default(),
            limits: Limits::default(),
            streams: Streams::default(),
            passthrough: PassThrough::default(),
            cache: Cache::default(),
            router: Routing::default(),
            cors: Cors::default(),
            auth: Authentication::default(),
            export: Export::default(),
        }
    }
}

impl Config {
    /// Reads a document in TOML, or in JSON when its first byte that is not white space is `{`.
    /// An empty document is the default configuration.
    pub fn parse(text: &str) -> Result<Config, Invalid> {
        let mut problems = Vec::new();
        let value = source::read(text, &mut problems);
        Config::build(value.as_ref(), problems)
    }

    /// Reads a document into a tree, which is not checked yet: see [`Config::from_value`].
    pub fn tree(text: &str) -> Result<Value, Invalid> {
        let mut problems = Vec::new();
        source::read(text, &mut problems).ok_or(Invalid { problems })
    }

    /// Reads a document that is a JSON value already: a JSON object binding, an API call.
    pub fn from_value(value: &Value) -> Result<Config, Invalid> {
        Config::build(Some(value), Vec::new())
    }

    /// What holds for a team. `None`: there is no such team. [`DEFAULT_TEAM`] always exists, without
    /// limits unless the document says otherwise.
    pub fn team(&self, name: &str) -> Option<&Team> {
        static UNLIMITED: Team = Team {
            organisation: None,
            models: ModelAccess::All,
            terms: Terms::NONE,
            guardrails: None,
            transform: None,
            audit: AuditPolicy::DEFAULT,
            provider_keys: false,
            shards: None,
            escrow: false,
            slices: false,
        };
        self.teams.get(name).or((name == DEFAULT_TEAM).then_some(&UNLIMITED))
    }

    fn build(value: Option<&Value>, mut problems: Vec<Problem>) -> Result<Config, Invalid> {
        if let Some(value) = value
            && let Some(mut config) = Record(document).read(value, &mut At::root(&mut problems))
        {
            check::references(&mut config, value, &mut problems);
            if problems.is_empty() {
                return Ok(config);
            }
        }
        Err(Invalid { problems })
    }
}

/// The JSON Schema (draft 2020-12) of the document, as served at `/config.schema.json`.
///
/// A test makes it from the same description the parser runs on and compares. What a schema cannot
/// say (that a reference leads somewhere, that fallbacks end) only the parser checks.
pub fn schema() -> Value {
    crate::json::tree(include_str!("schema.json")).unwrap_or_default()
}

fn document(fields: &mut Fields<'_, '_>) -> Option<Config> {
    let default = Config::default();
    let providers =
        fields.optional("providers", "endpoints of your own, and changes to the built-in ones", providers::section());
    let models = fields.optional("models", "adds to or overrides the built-in catalog", models::section());
    let routes = fields.optional("routes", "names that callers use as model", routes::section());
    let rules = fields.optional("rules", "where requests go by what they are; the first that holds", rules::section());
    let default_route =
        fields.optional("default_route", "where a request goes that names no model; else fast", routes::TARGET);
    let teams = fields.optional("teams", "what a team may use, how fast, for how much", teams::section());
    let guardrails =
        fields.optional("guardrails", "what is looked for in words; default holds for all", guardrails::section());
    let context = fields.optional("context", "which governed definitions requests are given", context::section());
    let templates =
        fields.optional("templates", "texts in versions, for transforms and each other", transforms::templates());
    let drafted = fields.optional(
        "transforms",
        "what is added to requests and what they are held to; default holds for all",
        transforms::transforms(),
    );
    let transforms =
        transforms::assemble(&templates.unwrap_or_default(), drafted.unwrap_or_default(), &mut fields.place());
    let mcp = fields.optional("mcp", "servers whose resources are taken as definitions", mcp::section());
    let timeouts = fields.optional("timeouts", "how long one call may take", Record(timing::timeouts));
    let retries = fields.optional("retries", "how failed attempts are repeated", Record(timing::retries));
    let limits = fields.optional("limits", "what any request is held to", Record(service::limits));
    let streams = fields.optional("streams", "how streams are passed on", Record(service::streams));
    let passthrough =
        fields.optional("passthrough", "how calls are passed through to providers' APIs", Record(service::passthrough));
    let cache = fields.optional("cache", "keep answers", Record(cache::cache));
    let router =
        fields.optional("router", "topics of your own, and who else is asked for decisions", Record(router::router));
    let cors = fields.optional("cors", "which web pages may call", Record(service::cors));
    let auth = fields.optional("auth", "whom the gateway believes beside its own keys", authentication::section());
    let export = fields.optional("export", "who is told of every request", Record(export::export));
    Some(Config {
        providers: providers.unwrap_or_default(),
        models: models.unwrap_or_default(),
        routes: routes.unwrap_or_default(),
        rules: rules.unwrap_or_default(),
        default_route: default_route.unwrap_or(default.default_route),
        guardrails: guardrails.unwrap_or_default(),
        context: context.unwrap_or_default(),
        transforms,
        mcp: mcp.unwrap_or_default(),
        teams: teams.unwrap_or_default(),
        timeouts: timeouts.map_or(default.timeouts, |over| default.timeouts.with(&over)),
        retries: retries.unwrap_or(default.retries),
        limits: limits.unwrap_or(default.limits),
        streams: streams.unwrap_or(default.streams),
        passthrough: passthrough.unwrap_or(default.passthrough),
        cache: cache.unwrap_or(default.cache),
        router: router.unwrap_or_default(),
        cors: cors.unwrap_or(default.cors),
        auth: auth.unwrap_or(default.auth),
        export: export.unwrap_or_default(),
    })
}
