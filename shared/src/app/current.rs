//! The configuration in force: the last good one, with the teams kept beside it, replaced behind the callers' backs.

use super::bound;
use super::setup::{Setup, Source};
use crate::config::Invalid;
use crate::error::{ApiError, Code};
use crate::gateway::admin::versions;
use crate::gateway::backlog::Recorder;
use crate::gateway::identity::signer::Signer;
use crate::gateway::key_cache::{FRESH, KeyCache};
use crate::gateway::keys::Hasher;
use crate::gateway::policy::{Keys, lock as memory};
use crate::gateway::turn::Turn;
use crate::gateway::{identity, live, sync, weights};
use crate::json::json;
use crate::ports::{Ports, StoreError, StoredConfig};
use crate::units::Timestamp;
use futures_util::future::join;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Looks a binding's text up.
pub(super) type LookUp = dyn Fn(&str) -> Option<String>;

/// What an [`App`](super::App) shares between its requests.
pub(super) struct Inner<P: Ports> {
    pub(super) ports: P,
    pub(super) bindings: Box<LookUp>,
    pub(super) hasher: Option<Hasher>,
    pub(super) keys: Keys,
    pub(super) identity: identity::Shared,
    pub(super) recorder: Recorder,
    current: Mutex<Current<P>>,
    /// When it is looked again whether a server of definitions is due.
    next_sync: Mutex<Timestamp>,
}

struct Current<P: Ports> {
    setup: Option<Arc<Setup<P>>>,
    checked_at: Timestamp,
    refreshing: Turn,
}

impl<P: Ports> Inner<P> {
    /// Nothing is read from a store yet.
    pub(super) fn new(ports: P, bindings: Box<LookUp>) -> Inner<P> {
        let secret = bound(&*bindings, "SIGNALBOX_SECRET");
        let previous = bound(&*bindings, "SIGNALBOX_SECRET_PREVIOUS");
        Inner {
            ports,
            bindings,
            recorder: Recorder::new(secret.as_deref(), previous.as_deref()),
            hasher: secret.as_deref().and_then(|secret| Hasher::derive(secret.as_bytes())),
            keys: Arc::new(Mutex::new(KeyCache::default())),
            identity: identity::Shared::new(Signer::derive(secret.as_deref(), previous.as_deref())),
            next_sync: Mutex::new(Timestamp(0)),
            current: Mutex::new(Current { setup: None, checked_at: Timestamp(0), refreshing: Turn::default() }),
        }
    }

    /// The configuration in force. The first request of a process waits for it; later ones never do.
    pub(super) async fn setup(self: &Arc<Self>) -> Result<Arc<Setup<P>>, ApiError> {
        let now = self.ports.now();
        let (setup, due) = {
            let mut current = self.lock();
            let is_old = now < current.checked_at || now.since(current.checked_at) > FRESH;
            let due = is_old && current.setup.is_some() && current.refreshing.take(now);
            (current.setup.clone(), due)
        };
        match setup {
            Some(setup) => {
                if due {
                    let inner = self.clone();
                    self.ports.spawn(async move { inner.refresh().await });
                }
                Ok(setup)
            }
            None => self.start().await,
        }
    }

    /// Takes definitions from the servers that are due, behind the callers' backs.
    pub(super) fn sync(self: &Arc<Self>, setup: &Arc<Setup<P>>) {
        if setup.sources.is_empty() {
            return;
        }
        let now = self.ports.now();
        {
            let mut next = self.next_sync.lock().unwrap_or_else(PoisonError::into_inner);
            if now < *next {
                return;
            }
            *next = now + sync::LOOK;
        }
        let (ports, sources) = (self.ports.clone(), setup.sources.clone());
        self.ports.spawn(async move { sync::due(&ports, &sources).await });
    }

    /// Reads the weights of the embedding where there is a use for them, and computes what definitions mean, behind the callers'
    /// backs.
    pub(super) fn weigh(self: &Arc<Self>, setup: &Arc<Setup<P>>) {
        if !weights::are_of_use(&setup.config) {
            return;
        }
        {
            let keys = &mut *memory(&self.keys);
            let changes = weights::wanted(&setup.config).contains(&weights::MEANING).then(|| keys.live.definitions().1);
            if !keys.weights.due(changes, self.ports.now()) {
                return;
            }
        }
        let (ports, keys) = (self.ports.clone(), self.keys.clone());
        self.ports.spawn(async move { weights::refresh(&ports, &keys).await });
    }

    /// Nothing panics while the lock is held, so a poisoned lock guards good data all the same.
    fn lock(&self) -> MutexGuard<'_, Current<P>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first configuration of this process: the stored document if there is a good one, else the
    /// binding's.
    async fn start(&self) -> Result<Arc<Setup<P>>, ApiError> {
        let (stored, heard) = join(self.ports.config(), live::refresh(&self.ports, &self.keys)).await;
        let stored = stored.unwrap_or_else(|problem| {
            self.log_problem("config", &problem);
            None
        });
        if let Err(problem) = heard {
            self.log_problem("admin", &problem);
        }
        let stored = self.newest(stored).await;
        let source = Source::of(stored.as_ref());
        let document = stored.and_then(|stored| stored.document);
        let good = document.and_then(|text| match self.build(&text, source) {
            Ok(setup) => Some(setup),
            Err(invalid) => {
                self.log_refused("stored", &invalid);
                None
            }
        });
        let setup = match good {
            Some(setup) => setup,
            None => self.build(&self.bound_document(), source).map_err(|invalid| {
                self.log_refused("SIGNALBOX_CONFIG", &invalid);
                ApiError::new(
                    Code::NotConfigured,
                    format!("SIGNALBOX_CONFIG is not valid, and there is no earlier configuration to keep: {invalid}"),
                )
            })?,
        };
        Ok(self.install(setup))
    }

    /// The stored configuration that the key store has, or the one from the shelf where that is newer: the key
    /// store may lag.
    async fn newest(&self, stored: Option<StoredConfig>) -> Option<StoredConfig> {
        let version = memory(&self.keys).live.config();
        if version <= stored.as_ref().map_or(0, |stored| stored.version) {
            return stored;
        }
        match versions::read(&self.ports, version).await {
            Ok(Some(newer)) => Some(newer),
            Ok(None) => stored,
            Err(problem) => {
                self.log_problem("admin", &problem);
                stored
            }
        }
    }

    /// Takes over what administrators changed. A store that is down changes nothing.
    pub(super) async fn refresh(&self) {
        if let Err(problem) = live::refresh(&self.ports, &self.keys).await {
            self.log_problem("admin", &problem);
            return self.touch();
        }
        let (version, teams) = {
            let live = &memory(&self.keys).live;
            (live.config(), live.teams())
        };
        let Some(setup) = self.lock().setup.clone() else { return };
        if version > setup.source.version {
            match versions::read(&self.ports, version).await {
                Ok(Some(stored)) => self.take_over(stored),
                Ok(None) => self.touch(),
                Err(problem) => {
                    self.log_problem("admin", &problem);
                    self.touch();
                }
            }
        } else if teams != setup.teams {
            match setup.with_teams(
                &self.ports,
                &*self.bindings,
                self.hasher.clone(),
                self.keys.clone(),
                self.identity.clone(),
                self.recorder.clone(),
            ) {
                Ok(setup) => drop(self.install(setup)),
                Err(invalid) => {
                    self.log_refused("teams", &invalid);
                    self.touch();
                }
            }
        } else {
            self.touch();
        }
    }

    /// Takes a stored configuration over if it is valid; the last good one stays otherwise.
    fn take_over(&self, stored: StoredConfig) {
        let source = Source::of(Some(&stored));
        let document = stored.document.unwrap_or_else(|| self.bound_document());
        match self.build(&document, source) {
            Ok(setup) => drop(self.install(setup)),
            Err(invalid) => {
                self.log_refused("stored", &invalid);
                self.touch();
            }
        }
    }

    fn build(&self, document: &str, source: Source) -> Result<Setup<P>, Invalid> {
        let (hasher, keys, identity) = (self.hasher.clone(), self.keys.clone(), self.identity.clone());
        Setup::read(document, source, &self.ports, &*self.bindings, hasher, keys, identity, self.recorder.clone())
    }

    fn bound_document(&self) -> String {
        bound(&*self.bindings, "SIGNALBOX_CONFIG").unwrap_or_default()
    }

    fn install(&self, setup: Setup<P>) -> Arc<Setup<P>> {
        let setup = Arc::new(setup);
        let mut current = self.lock();
        current.setup = Some(setup.clone());
        current.checked_at = self.ports.now();
        current.refreshing.end();
        setup
    }

    fn touch(&self) {
        let mut current = self.lock();
        current.checked_at = self.ports.now();
        current.refreshing.end();
    }

    fn log_problem(&self, store: &str, problem: &StoreError) {
        self.ports.log(&json!({ "event": "store_error", "store": store, "problem": problem.0 }).to_string());
    }

    fn log_refused(&self, source: &str, invalid: &Invalid) {
        self.ports
            .log(&json!({ "event": "config_refused", "source": source, "problems": invalid.problems }).to_string());
    }
}
