//! One configuration, built into the layers that serve by it.

use super::{Standard, bound, mcp};
use crate::catalog::Catalog;
use crate::config::authentication::Secrets;
use crate::config::guardrails::Outside;
use crate::config::{BaseUrl, BindingName, Bindings, Config, Invalid, Overlaid, Providers};
use crate::gateway::backlog::Recorder;
use crate::gateway::export::{Exporter, Place as Collector};
use crate::gateway::keys::Hasher;
use crate::gateway::live::Teams;
use crate::gateway::policy::{Keys, lock};
use crate::gateway::{Policy, identity, sync};
use crate::json::json;
use crate::pipeline::{Pipeline, Stack};
use crate::ports::{Ports, StoredConfig};
use crate::proxy::HttpProxy;
use crate::router;
use crate::secret::Secret;
use crate::transform::Transforms;
use crate::words::Guards;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The binding that says where this gateway is reached.
const PUBLIC_URL: &str = "SIGNALBOX_PUBLIC_URL";

/// Where a document came from.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Source {
    /// Its version, where it was stored; 0 for the binding's.
    pub version: u64,
}

impl Source {
    pub(super) fn of(stored: Option<&StoredConfig>) -> Source {
        Source { version: stored.map_or(0, |stored| stored.version) }
    }
}

/// A configuration in force.
pub(super) struct Setup<P: Ports> {
    /// Where the document came from.
    pub source: Source,
    /// The document as it was written, without the teams kept beside it.
    pub document: Arc<Value>,
    /// Those teams.
    pub teams: Teams,
    /// Both, understood.
    pub config: Arc<Config>,
    /// The models that can be served.
    pub catalog: Arc<Catalog>,
    /// Servers that definitions are taken from.
    pub sources: Arc<[sync::Source]>,
    /// The path of a request.
    pub pipeline: Arc<Pipeline<Standard<P>>>,
}

impl<P: Ports> Setup<P> {
    /// A configuration from a document's text.
    #[allow(clippy::too_many_arguments, reason = "see build")]
    pub(super) fn read(
        document: &str,
        source: Source,
        ports: &P,
        bindings: &(impl Bindings + ?Sized),
        hasher: Option<Hasher>,
        keys: Keys,
        identity: identity::Shared,
        recorder: Recorder,
    ) -> Result<Setup<P>, Invalid> {
        Setup::build(Arc::new(Config::tree(document)?), source, ports, bindings, hasher, keys, identity, recorder)
    }

    /// The same document with the teams that are kept beside it now.
    pub(super) fn with_teams(
        &self,
        ports: &P,
        bindings: &(impl Bindings + ?Sized),
        hasher: Option<Hasher>,
        keys: Keys,
        identity: identity::Shared,
        recorder: Recorder,
    ) -> Result<Setup<P>, Invalid> {
        Setup::build(self.document.clone(), self.source, ports, bindings, hasher, keys, identity, recorder)
    }

    #[allow(clippy::too_many_arguments, reason = "what a process remembers across configurations, part by part")]
    fn build(
        document: Arc<Value>,
        source: Source,
        ports: &P,
        bindings: &(impl Bindings + ?Sized),
        hasher: Option<Hasher>,
        keys: Keys,
        identity: identity::Shared,
        recorder: Recorder,
    ) -> Result<Setup<P>, Invalid> {
        let teams = lock(&keys).live.teams();
        let Overlaid { mut config, left_out } = Config::overlaid(&document, &teams)?;
        if config.auth.public_url.is_none() {
            config.auth.public_url = public_url(bindings, ports);
        }
        if !left_out.is_empty() {
            ports.log(&json!({ "event": "teams_left_out", "problems": left_out }).to_string());
        }
        let config = Arc::new(config);
        let providers = Arc::new(Providers::from(&config, bindings));
        for problem in providers.problems() {
            ports.log(&json!({ "event": "provider_disabled", "problem": problem }).to_string());
        }
        let remote = config.remote_router(bindings).unwrap_or_else(|missing| {
            ports.log(
                &json!({ "event": "router_remote", "problem": "no_key", "binding": missing.as_str() }).to_string(),
            );
            None
        });
        let catalog = Arc::new(Catalog::new(&config, &providers));
        let secrets = Secrets::read(&config.auth, bindings);
        let pipeline = Pipeline {
            layers: Stack {
                clock: ports.clone(),
                gateway: Policy::new(ports.clone(), config.clone(), hasher, keys, identity, secrets, recorder)
                    .exporting(exporter(&config, bindings, ports)),
                router: router::Standard::new(config.clone(), catalog.clone()),
                proxy: HttpProxy::new(ports.clone(), providers, catalog.clone(), config.streams).consulting(remote),
            },
            catalog: catalog.clone(),
            cache: config.cache,
            edition: edition(&document, source),
            context: config.context.clone(),
            guards: Guards::of(&config),
            transforms: Transforms::of(&config),
            rules: config.rules.clone(),
            secrets: webhook_secrets(&config, bindings),
            retries: config.retries,
            max_body_bytes: config.limits.max_body_bytes as usize,
            passed_call: config.passthrough.per_call,
            total_timeout: config.timeouts.total,
        };
        let sources = mcp::sources(&config, bindings, ports);
        Ok(Setup { source, document, teams, config, catalog, sources, pipeline: Arc::new(pipeline) })
    }
}

/// Where this gateway is reached, where the document does not say.
fn public_url<P: Ports>(bindings: &(impl Bindings + ?Sized), ports: &P) -> Option<BaseUrl> {
    let text = bound(bindings, PUBLIC_URL)?;
    let url = BaseUrl::parse(text.trim()).ok().filter(BaseUrl::is_private);
    if url.is_none() {
        ports.log(
            &json!({ "event": "binding_ignored", "binding": PUBLIC_URL, "problem": "is no URL of https" }).to_string(),
        );
    }
    url
}

/// Who tells the collector. One whose binding is not there is told nothing.
fn exporter<P: Ports>(config: &Config, bindings: &(impl Bindings + ?Sized), ports: &P) -> Exporter {
    let Some(otlp) = &config.export.otlp else { return Exporter::default() };
    match otlp.headers(bindings) {
        Ok(headers) => {
            Exporter::to(Collector { url: otlp.endpoint.as_str().trim_end_matches('/').to_owned(), headers })
        }
        Err(problem) => {
            ports.log(&json!({ "event": "export_disabled", "problem": problem }).to_string());
            Exporter::default()
        }
    }
}

/// What webhooks know us by. One whose binding is not there answers nothing: its guardrail says what then.
fn webhook_secrets(config: &Config, bindings: &(impl Bindings + ?Sized)) -> Vec<(BindingName, Secret)> {
    let rails = config.guardrails.values().flat_map(|guardrail| guardrail.input.iter().chain(&guardrail.output));
    let names = rails.filter_map(|rail| match rail.outside() {
        Some(Outside::Webhook(webhook)) => webhook.secret.clone(),
        Some(Outside::Moderation(_)) | None => None,
    });
    let found = names.filter_map(|name| {
        let text = bindings.get(name.as_str()).filter(|text| !text.trim().is_empty())?;
        Some((name, Secret::new(text.trim())))
    });
    found.collect()
}

/// A name for a configuration: another document, another name.
fn edition(document: &Value, source: Source) -> String {
    let digest = Sha256::digest(document.to_string().as_bytes());
    let head: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{head}@{}", source.version)
}
