//! One configuration, built into the layers that serve by it.

use super::Standard;
use crate::catalog::Catalog;
use crate::config::{Bindings, Config, Invalid, Providers};
use crate::gateway::Policy;
use crate::gateway::keys::Hasher;
use crate::gateway::policy::Keys;
use crate::pipeline::{Pipeline, Stack};
use crate::ports::Ports;
use crate::proxy::HttpProxy;
use crate::router::Ordered;
use crate::units::Timestamp;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A configuration in force.
pub(super) struct Setup<P: Ports> {
    /// When it was stored; the epoch for the binding's.
    pub stored_at: Timestamp,
    /// The document, understood.
    pub config: Arc<Config>,
    /// The models that can be served.
    pub catalog: Arc<Catalog>,
    /// The path of a request.
    pub pipeline: Arc<Pipeline<Standard<P>>>,
}

impl<P: Ports> Setup<P> {
    pub(super) fn build(
        document: &str,
        stored_at: Timestamp,
        ports: &P,
        bindings: &(impl Bindings + ?Sized),
        hasher: Option<Hasher>,
        keys: Keys,
    ) -> Result<Setup<P>, Invalid> {
        let config = Arc::new(Config::parse(document)?);
        let providers = Arc::new(Providers::from(&config, bindings));
        for problem in providers.problems() {
            ports.log(&serde_json::json!({ "event": "provider_disabled", "problem": problem }).to_string());
        }
        let catalog = Arc::new(Catalog::new(&config, &providers));
        let pipeline = Pipeline {
            layers: Stack {
                clock: ports.clone(),
                gateway: Policy::new(ports.clone(), config.clone(), hasher, keys),
                router: Ordered::new(config.clone(), catalog.clone()),
                proxy: HttpProxy::new(ports.clone(), providers, catalog.clone(), config.streams),
            },
            catalog: catalog.clone(),
            cache: config.cache,
            edition: edition(document, stored_at),
            retries: config.retries,
            max_body_bytes: config.limits.max_body_bytes as usize,
            passed_call: config.passthrough.per_call,
            total_timeout: config.timeouts.total,
        };
        Ok(Setup { stored_at, config, catalog, pipeline: Arc::new(pipeline) })
    }
}

/// A name for a configuration: another document, another name.
fn edition(document: &str, stored_at: Timestamp) -> String {
    let digest = Sha256::digest(document.as_bytes());
    let head: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{head}@{}", stored_at.0)
}
