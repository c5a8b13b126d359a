//! The standard gateway: virtual keys, teams with limits and budgets, the audit line.

use super::alerts::Alerts;
use super::answers::{self, Kept, Recall};
use super::audit::Record;
use super::backlog::{Recorder, entry};
use super::bodies::Bodies;
use super::caller::Unusable;
use super::export::Exporter;
use super::identity::{self, Identity};
use super::journal::Posting;
use super::key_cache::{KeyCache, Lookup, MAX_AGE};
use super::keys::{Hasher, KeyRecord, PREFIX};
use super::lines::{Lines, Part};
use super::shards::Shards;
use super::{Admission, Caller, Claim, Gateway, More, Refusal, denial, live, people};
use crate::config::authentication::Secrets;
use crate::config::{AuditPolicy, Config, ModelAccess, ModelId, Team, Terms};
use crate::context::Library;
use crate::error::{ApiError, Code};
use crate::jose::jws;
use crate::json::json;
use crate::ports::{Ports, StoreError};
use crate::units::{Millis, NanoUsd, Timestamp, Tokens};
use futures_util::future::try_join;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The ledger every team is booked in until organisations are configured.
pub const TENANT: &str = "default";

/// What one process remembers of keys, across changes of the configuration.
pub type Keys = Arc<Mutex<KeyCache>>;

/// The standard policy over a platform's stores.
#[derive(Debug)]
pub struct Policy<P> {
    pub(super) ports: P,
    pub(super) config: Arc<Config>,
    hasher: Option<Hasher>,
    keys: Keys,
    identity: Identity<P>,
    pub(super) alerts: Alerts,
    pub(super) shards: Shards,
    pub(super) recorder: Recorder,
    exporter: Exporter,
}

impl<P: Ports> Policy<P> {
    /// Policy by `config`. Without a hasher (no `SIGNALBOX_SECRET`) every call is answered 503.
    pub fn new(
        ports: P,
        config: Arc<Config>,
        hasher: Option<Hasher>,
        keys: Keys,
        shared: identity::Shared,
        secrets: Secrets,
        recorder: Recorder,
    ) -> Policy<P> {
        let identity = Identity::new(ports.clone(), config.clone(), shared, secrets);
        let (alerts, shards) = (Alerts::default(), Shards::default());
        let exporter = Exporter::default();
        Policy { ports, config, hasher, keys, identity, alerts, shards, recorder, exporter }
    }

    /// The same, telling a collector of every request.
    #[must_use]
    pub fn exporting(self, exporter: Exporter) -> Policy<P> {
        Policy { exporter, ..self }
    }

    /// Those who come without a virtual key.
    pub fn identity(&self) -> &Identity<P> {
        &self.identity
    }

    /// The key of a hash, as the key store has it or as it was changed since.
    async fn find(&self, hash: String) -> Result<Option<KeyRecord>, StoreError> {
        let ((), stored) = try_join(self.hear(), self.look_up(hash.clone())).await?;
        let changed = lock(&self.keys).live.key(&hash).cloned();
        Ok(changed.or(stored))
    }

    /// Lets nobody in on news that are too old.
    async fn hear(&self) -> Result<(), StoreError> {
        let age = lock(&self.keys).live.age(self.ports.now());
        if age <= MAX_AGE { Ok(()) } else { live::refresh(&self.ports, &self.keys).await }
    }

    async fn look_up(&self, hash: String) -> Result<Option<KeyRecord>, StoreError> {
        let lookup = lock(&self.keys).get(&hash, self.ports.now());
        match lookup {
            Lookup::Fresh(record) => Ok(record),
            Lookup::Stale(record) => {
                let (ports, keys) = (self.ports.clone(), self.keys.clone());
                self.ports.spawn(async move {
                    // A store that is down changes nothing: the entry ends by its age.
                    let _ = live::read_key(&ports, &keys, &hash).await;
                });
                Ok(record)
            }
            Lookup::Miss => live::read_key(&self.ports, &self.keys, &hash).await,
        }
    }

    /// The team's settings. A team that vanished from the configuration takes its limits with it,
    /// so its keys are refused rather than served without any.
    fn team(&self, name: &str) -> Result<&Team, ApiError> {
        self.config.team(name).ok_or_else(|| ApiError::new(
            Code::PermissionDenied,
            format!("The team `{name}` of this key is not in the configuration. Ask your administrator to restore it or to issue another key."),
        ))
    }

    /// Somebody with nothing but a provider's key, where the configuration lets such people in. A signed token, a client's
    /// secret or the administrator's key is no such key, and must not get to a provider as one.
    fn stranger(&self, hasher: &Hasher, credential: &str) -> Option<Caller> {
        let team = self.config.auth.raw_provider_keys.as_ref()?;
        let is_ours = credential.starts_with(identity::clients::SECRET_PREFIX)
            || jws::is_compact(credential)
            || self.identity.is_admin_key(hasher, credential);
        (!is_ours).then(|| Caller::with_provider_key(&hasher.hash(credential), team))
    }

    /// What binds a caller: the team's terms, its own, and those of its user and organisation.
    pub(super) fn terms<'a>(&'a self, caller: &'a Caller) -> Result<Vec<&'a Terms>, ApiError> {
        let own = [&self.team(&caller.team)?.terms, &caller.terms];
        Ok(own.into_iter().chain(caller.beside.iter().map(|terms| &**terms)).collect())
    }

    /// The caller with what the records of users and organisations say of them.
    pub async fn place(&self, caller: Caller) -> Result<Caller, ApiError> {
        self.hear().await.map_err(|problem| self.unavailable(&problem))?;
        let person = people::find(&self.ports, &self.keys, caller.user.as_deref()).await;
        let person = person.map_err(|problem| self.unavailable(&problem))?;
        people::placed(caller, person.as_deref(), &lock(&self.keys).live, &self.config)
    }

    fn unavailable(&self, problem: &StoreError) -> ApiError {
        self.ports.log(&denial::store_line("keys", problem));
        ApiError::new(Code::LimiterUnavailable, "The key store does not answer. Try again in a moment.")
            .retry_after(Millis(1_000))
    }

    /// What is written down of a team's requests.
    pub(super) fn audit(&self, team: &str) -> AuditPolicy {
        self.config.team(team).map_or(AuditPolicy::default(), |team| team.audit)
    }
}

/// Nothing panics while the lock is held, so a poisoned lock guards good data all the same.
pub(crate) fn lock(keys: &Keys) -> MutexGuard<'_, KeyCache> {
    keys.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<P: Ports> Gateway for Policy<P> {
    async fn authenticate(&self, credential: Option<&str>) -> Result<Caller, ApiError> {
        let Some(hasher) = &self.hasher else {
            return Err(ApiError::new(
                Code::NotConfigured,
                "The gateway has no SIGNALBOX_SECRET. Bind one of at least 32 bytes; virtual keys are hashed under it.",
            ));
        };
        let Some(credential) = credential else {
            return Err(ApiError::new(
                Code::InvalidApiKey,
                "No API key was given. Send your Signalbox key as `Authorization: Bearer sk-sb-…` or `x-api-key`.",
            ));
        };
        // One answer for every credential that is not ours, whatever is wrong with it.
        let unknown = || {
            ApiError::new(
                Code::InvalidApiKey,
                "The API key is not known here. Check it, or ask your administrator for a new one.",
            )
        };
        let caller = if credential.starts_with(PREFIX) {
            let record = self.find(hasher.hash(credential)).await.map_err(|problem| self.unavailable(&problem))?;
            let record = record.ok_or_else(unknown)?;
            Caller::of(&record, self.ports.now()).map_err(|unusable| match unusable {
                Unusable::Revoked => ApiError::new(Code::InvalidApiKey, "The API key has been revoked."),
                Unusable::Expired => ApiError::new(Code::InvalidApiKey, "The API key has expired."),
                Unusable::Replaced => ApiError::new(Code::InvalidApiKey, "The API key was rotated; use the new one."),
            })?
        } else {
            let known = self.identity.caller(credential).await?;
            known.or_else(|| self.stranger(hasher, credential)).ok_or_else(unknown)?
        };
        self.place(caller).await
    }

    fn allowed(&self, caller: &Caller) -> Result<Vec<ModelAccess>, ApiError> {
        Ok(vec![self.team(&caller.team)?.models.clone(), caller.models.clone()])
    }

    fn may_bring(&self, caller: &Caller, own_key: bool) -> Result<(), ApiError> {
        let refuse = |sentence: &str| Err(ApiError::new(Code::PermissionDenied, sentence));
        match own_key {
            true if self.team(&caller.team)?.provider_keys => Ok(()),
            true => refuse("The team may not bring provider keys of its own. Leave x-signalbox-provider-key out."),
            false if caller.identity_only => {
                refuse("This key only says who calls. Send your provider key as x-signalbox-provider-key.")
            }
            false => Ok(()),
        }
    }

    async fn admit(&self, caller: &Caller, claim: &Claim) -> Result<Admission, Refusal> {
        let lines = Lines::of(&self.terms(caller)?, caller, claim, Part::Call(claim.only()));
        self.reserve(&claim.id, caller, claim, lines).await
    }

    async fn admit_model(
        &self,
        caller: &Caller,
        claim: &Claim,
        model: &ModelId,
    ) -> Result<Option<Admission>, ApiError> {
        if claim.only().is_some() {
            return Ok(None);
        }
        let lines = Lines::of(&self.terms(caller)?, caller, claim, Part::Model(model));
        if lines.is_empty() {
            return Ok(None);
        }
        // Asked again for the same model (a retry), the ledger answers with the reservation it has.
        let id = format!("{}/{model}", claim.id);
        self.reserve(&id, caller, claim, lines).await.map(Some).map_err(|refusal| refusal.error)
    }

    async fn extend(&self, admission: &Admission, caller: &Caller, claim: &Claim, more: More) -> Option<NanoUsd> {
        self.enlarge(admission, caller, claim, more).await
    }

    async fn settle_model(&self, admission: &Admission, cost: NanoUsd, tokens: Tokens) {
        self.post(admission, cost, tokens).await;
    }

    async fn settle(&self, admission: &Admission, record: &mut Record) {
        record.overdraft = admission.granted.is_some_and(|granted| record.cost_nano_usd > granted);
        self.exporter.tell(&self.ports, record);
        let settle = self.end(admission, record.cost_nano_usd, record.usage.total_tokens());
        let days = self.audit(record.team.as_deref().unwrap_or_default()).retention_days;
        let shard = admission.shard().map(str::to_owned);
        let Some(spoken) = record.spoken.take() else {
            return self.recorder.conclude(&self.ports, settle, shard, record, days).await;
        };
        // The record names what is kept, so it comes after, and no caller waits for that.
        let (ports, recorder, mut record) = (self.ports.clone(), self.recorder.clone(), record.clone());
        self.ports.spawn(async move {
            record.bodies = Some(recorder.vault.keep(&ports, &record, *spoken, days).await);
            recorder.conclude(&ports, settle, shard, &record, days).await;
        });
    }

    fn slices(&self, team: &str) -> bool {
        self.config.team(team).is_some_and(|team| team.slices)
    }

    fn bodies(&self, team: &str) -> Bodies {
        self.config.team(team).map_or(AuditPolicy::default(), |team| team.audit).bodies
    }

    fn refuse(&self, mut record: Record) {
        let line = record.line();
        self.ports.log(&line);
        self.exporter.tell(&self.ports, &mut record);
        let days = self.audit(record.team.as_deref().unwrap_or_default()).retention_days;
        if let Some(entry) = entry(&record, &line, days) {
            let (ports, recorder) = (self.ports.clone(), self.recorder.clone());
            self.ports.spawn(async move {
                recorder.deliver(&ports, Posting { settle: None, entry }).await;
            });
        } else {
            let what = json!({
                "event": "turned_away", "at": record.at, "operation": record.operation, "dialect": record.dialect,
                "outcome": record.outcome, "status": record.status, "code": record.code,
            });
            self.recorder.turned_away(&self.ports, Some(record.request_id), what);
        }
    }

    async fn recall(&self, team: &str, key: &str, until: Timestamp) -> Recall {
        answers::recall(&self.ports, team, key, until).await
    }

    async fn keep(&self, team: &str, key: &str, text: String, until: Timestamp) {
        answers::keep(&self.ports, team, key, text, until).await;
    }

    fn library(&self) -> Arc<Library> {
        lock(&self.keys).live.library()
    }

    fn meanings(&self) -> super::weights::Known {
        lock(&self.keys).weights.known()
    }

    async fn kept(&self, team: &str, what: Kept<'_>) -> Option<String> {
        answers::kept(&self.ports, team, what).await
    }

    async fn keep_near(&self, team: &str, name: &str, text: String, until: Timestamp) {
        answers::keep_near(&self.ports, team, name, text, until).await;
    }

    async fn give_up(&self, team: &str, key: &str) {
        answers::give_up(&self.ports, team, key).await;
    }
}
