//! Virtual keys: create, list, show, change, rotate, revoke.
//!
//! The shelf has every key by its id; the key store has it by its hash, for callers. A change is made on the shelf,
//! where it is [told](live::tell) of at once, and then in the key store. When the second fails, the caller is told to try
//! again, and the change holds all the same for as long as it is told of.

use super::key_fields::{WHEN_CHANGED, WHEN_MADE, set, show};
use super::once::{Begun, with_secret};
use super::shelf::{List, nothing};
use super::{Admin, Answer, Ask, unavailable};
use crate::config::DEFAULT_TEAM;
use crate::error::{ApiError, Code};
use crate::gateway::Caller;
use crate::gateway::keys::{KeyRecord, Previous, token};
use crate::gateway::live;
use crate::gateway::policy::lock;
use crate::gateway::roles::Role;
use crate::json::json;
use crate::ports::Ports;
use crate::records::{Record, Write};
use crate::units::{Millis, Timestamp};
use serde_json::Value;

/// How the records of keys begin.
pub(super) const PREFIX: &str = "key/";
/// Marks that the keys of a version that kept none on the shelf are there.
const ADOPTED: &str = "adopted";
/// The longest an old secret may be good beside a new one: 30 days.
const MAX_OVERLAP_SECONDS: u64 = 30 * 86_400;
/// How many old secrets may be good at once.
const MAX_PREVIOUS: usize = 4;

impl<P: Ports> Admin<P> {
    pub(super) async fn create_key(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let once = match self.once(ask, "keys").await? {
            Begun::New(once) => once,
            Begun::Before(answer) => return Ok(answer),
        };
        let (hasher, now) = (self.hasher()?, self.ports.now());
        let mut record = KeyRecord { team: DEFAULT_TEAM.to_owned(), created_at: now, ..KeyRecord::default() };
        set(&mut record, &ask.members()?, WHEN_MADE, &self.config, now)?;
        if record.name.is_empty() {
            return Err(ApiError::invalid("name", "name is missing. Say what people call the key."));
        }
        if self.config.team(&record.team).is_none() {
            return Err(ApiError::invalid("team", "There is no such team. Name one in `team`."));
        }
        // In the order in which they were made, so that lists are.
        record.id = format!("key_{:011x}{}", now.0, token(|| self.ports.entropy(), 10));
        let key = once.secret(hasher);
        record.hash = hasher.hash(&key);
        let shown = show(&record, now);
        let mut writes = vec![Write::create(format!("{PREFIX}{}", record.id), written(&record))];
        writes.extend(once.keep(self, 201, &shown, Some("key")));
        // The key store first: what is listed can be used.
        self.ports.put_key(&record).await.map_err(unavailable)?;
        if !self.write(writes).await? {
            return self.beaten(ask, "keys", super::ask::changed()).await;
        }
        lock(&self.keys).put(&record.hash, Some(record.clone()), now);
        Ok(Answer::created(with_secret(shown, Some("key"), &key)).tagged(1))
    }

    pub(super) async fn list_keys(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        self.adopt().await?;
        let now = self.ports.now();
        let wanted = ["team", "user", "project", "state"].map(|name| (name, ask.query(name)));
        if ask.query("state").is_some_and(|state| !["active", "expired", "revoked"].contains(&state.as_str())) {
            return Err(ApiError::invalid("state", "state is active, expired or revoked."));
        }
        let shown = |record: &Record| {
            let key: KeyRecord = crate::json::parse(&record.value).ok()?;
            let shown = show(&key, now);
            let fits = |(name, wanted): &(&str, Option<String>)| {
                wanted.as_deref().is_none_or(|wanted| shown.get(*name).and_then(Value::as_str) == Some(wanted))
            };
            (may_see(ask.who, &key) && wanted.iter().all(fits)).then_some(shown)
        };
        self.page(ask, List { prefix: PREFIX, descending: false, show: &shown }).await
    }

    pub(super) async fn show_key(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let (record, version) = self.find_key(ask).await?;
        Ok(Answer::ok(show(&record, self.ports.now())).tagged(version))
    }

    pub(super) async fn patch_key(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let members = ask.members()?;
        let now = self.ports.now();
        self.change_key(ask, |key| set(key, &members, WHEN_CHANGED, &self.config, now)).await
    }

    pub(super) async fn delete_key(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        self.revoke_key(ask).await
    }

    pub(super) async fn revoke_key(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let now = self.ports.now();
        self.change_key(ask, |key| {
            // Revoking twice keeps the first time.
            key.revoked_at = key.revoked_at.or(Some(now));
            Ok(())
        })
        .await
    }

    /// Gives the key a new secret. The old one stays good until the overlap ends.
    pub(super) async fn rotate_key(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let target = format!("rotate/{}", ask.id());
        let once = match self.once(ask, &target).await? {
            Begun::New(once) => once,
            Begun::Before(answer) => return Ok(answer),
        };
        let overlap = overlap(ask)?;
        self.find_key(ask).await?;
        let (hasher, now) = (self.hasher()?, self.ports.now());
        let key = once.secret(hasher);
        let (hash, place) = (hasher.hash(&key), format!("{PREFIX}{}", ask.id()));
        let changed = self.change(ask, &place, "key", |record| {
            let mut key = read(record)?;
            Caller::of(&key, now).map_err(|_| {
                ApiError::new(Code::InvalidRequest, "The key is revoked or has expired. Create another one.")
            })?;
            key.previous.retain(|previous| previous.until > now);
            if key.previous.len() >= MAX_PREVIOUS {
                let message = "Four old secrets of this key are still good. Wait for an overlap to end.";
                return Err(ApiError::new(Code::Conflict, message));
            }
            let old = std::mem::replace(&mut key.hash, hash.clone());
            key.previous.push(Previous { hash: old, until: now + overlap });
            let mut writes = writes(record, &key, now);
            writes.extend(once.keep(self, 200, &show(&key, now), Some("key")));
            Ok((writes, key))
        });
        let (record, version) = match changed.await {
            Ok(changed) => changed,
            Err(error) => return self.beaten(ask, &target, error).await,
        };
        self.spread(&record).await?;
        Ok(Answer::ok(with_secret(show(&record, now), Some("key"), &key)).tagged(version))
    }

    /// Changes a key, here at once, everywhere within seconds.
    async fn change_key(
        &self,
        ask: &Ask<'_>,
        change: impl Fn(&mut KeyRecord) -> Result<(), ApiError>,
    ) -> Result<Answer, ApiError> {
        self.find_key(ask).await?;
        let (now, place) = (self.ports.now(), format!("{PREFIX}{}", ask.id()));
        let changed = self.change(ask, &place, "key", |record| {
            let mut key = read(record)?;
            change(&mut key)?;
            Ok((writes(record, &key, now), key))
        });
        let (key, version) = changed.await?;
        self.spread(&key).await?;
        Ok(Answer::ok(show(&key, now)).tagged(version))
    }

    /// Brings a changed key to the key store and to this process.
    async fn spread(&self, key: &KeyRecord) -> Result<(), ApiError> {
        for found in key.under_each_hash() {
            lock(&self.keys).live.note(&found);
            self.ports.put_key(&found).await.map_err(unavailable)?;
        }
        Ok(())
    }

    /// The key of the path and its version, if the caller may see it.
    async fn find_key(&self, ask: &Ask<'_>) -> Result<(KeyRecord, u64), ApiError> {
        let place = format!("{PREFIX}{}", ask.id());
        let mut found = self.read(&place).await?;
        if found.is_none() {
            self.adopt().await?;
            found = self.read(&place).await?;
        }
        let record = found.ok_or_else(|| nothing("key"))?;
        let key = read(&record)?;
        if may_see(ask.who, &key) { Ok((key, record.version)) } else { Err(nothing("key")) }
    }

    /// Brings the keys of a version that kept them in the key store alone onto the shelf, once.
    pub(super) async fn adopt(&self) -> Result<(), ApiError> {
        if self.read(ADOPTED).await?.is_some() {
            return Ok(());
        }
        let keys = self.ports.keys().await.map_err(unavailable)?;
        for key in keys.into_iter().filter(|key| key.replaced_at.is_none()) {
            // One that is there already is newer.
            self.write(vec![Write::create(format!("{PREFIX}{}", key.id), written(&key))]).await?;
        }
        self.write(vec![Write::put(ADOPTED, "")]).await.map(drop)
    }
}

/// Whether a key is the caller's to see: an administrator sees all, others their own.
fn may_see(who: &Caller, key: &KeyRecord) -> bool {
    let is_users = who.user.is_some() && who.user == key.user && who.team == key.team;
    who.roles.contains(&Role::Admin) || key.id == who.key_id || is_users
}

/// The whole change of a key: its record, and what tells of it.
fn writes(record: &Record, key: &KeyRecord, now: Timestamp) -> Vec<Write> {
    let mut writes = live::tell(now, &key.under_each_hash());
    writes.push(Write::replace(record, written(key)));
    writes
}

fn written(key: &KeyRecord) -> String {
    // Plain data with string keys cannot fail to serialise.
    serde_json::to_string(key).unwrap_or_default()
}

fn read(record: &Record) -> Result<KeyRecord, ApiError> {
    crate::json::parse(&record.value)
        .map_err(|error| ApiError::new(Code::InternalError, format!("A stored key cannot be read: {error}")))
}

pub(super) fn overlap(ask: &Ask<'_>) -> Result<Millis, ApiError> {
    let members = ask.members()?;
    let mut seconds = 0;
    for (member, value) in &members {
        let given = value.as_u64().filter(|seconds| *seconds <= MAX_OVERLAP_SECONDS);
        match (member.as_str(), given) {
            ("overlap_seconds", Some(given)) => seconds = given,
            (_, _) => {
                let message = json!({ "overlap_seconds": "0 to 2592000" });
                return Err(ApiError::invalid("overlap_seconds", format!("The body may be {message}.")));
            }
        }
    }
    Ok(Millis(seconds * 1_000))
}
