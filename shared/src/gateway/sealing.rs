//! Sealing chains of records: when, and how a checkpoint comes to be.
//!
//! A minute after the last, or after 1,024 records, by whoever notices first: a process that appends, or the platform's
//! clock, which comes round once a minute ([`Sealing::sweep`]) to chains that nobody appends to any more. Nobody waits for it.

use super::denial;
use super::journal::checkpoint::{self, Checkpoint, Signed, checkpoint_key, checkpoint_prefix};
use super::journal::{Head, head_key, read, shelf};
use super::keys::MIN_SECRET_BYTES;
use super::policy::TENANT;
use crate::ports::{Clock, Crypto, Ports, Records, Seed, StoreError};
use crate::records::{Range, Record, Write};
use crate::sorted::SortedMap;
use crate::units::{Millis, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const EVERY: Millis = Millis(60_000);
const RECORDS: u64 = 1_024;
const DAY: Millis = Millis(24 * 3_600_000);

/// What one process knows of when to seal.
#[derive(Clone, Debug, Default)]
pub struct Sealing {
    seed: Option<Seed>,
    /// How long each chain was when it was last found sealed from here.
    sealed: Arc<Mutex<SortedMap<String, u64>>>,
    /// How long each chain was when it was last found archived from here.
    pub(super) archived: Arc<Mutex<SortedMap<String, u64>>>,
    since: Arc<Mutex<SortedMap<String, Since>>>,
}

/// Since a team's chain was last sealed from here.
#[derive(Clone, Copy, Debug)]
struct Since {
    at: Timestamp,
    records: u64,
}

impl Sealing {
    /// Seals with a key derived from `SIGNALBOX_SECRET`; without a good secret nothing is sealed.
    pub fn derive(secret: Option<&str>) -> Sealing {
        let secret = secret.filter(|secret| secret.len() >= MIN_SECRET_BYTES);
        let seed = secret.and_then(|secret| checkpoint::seed(secret.as_bytes())).map(Seed::new);
        Sealing { seed, ..Sealing::default() }
    }

    /// The key's seed.
    pub fn seed(&self) -> Option<&Seed> {
        self.seed.as_ref()
    }

    /// Notes a record; whether it is time to look.
    fn note(&self, team: &str, now: Timestamp) -> bool {
        let mut since = lock(&self.since);
        let ours = since.entry(team.to_owned()).or_insert(Since { at: now, records: 0 });
        ours.records += 1;
        let due = ours.records >= RECORDS || now.since(ours.at) >= EVERY;
        if due {
            *ours = Since { at: now, records: 0 };
        }
        due
    }

    /// After a record of `team`: seals its chain in the background, if it is time.
    pub(super) fn appended<P: Ports>(&self, ports: &P, team: &str, days: u32) {
        if self.seed.is_none() || !self.note(team, ports.now()) {
            return;
        }
        let (sealing, ports, team) = (self.clone(), ports.clone(), team.to_owned());
        let spawner = ports.clone();
        spawner.spawn(async move {
            if let Err(problem) = sealing.seal(&ports, &team, days).await {
                ports.log(&denial::store_line("checkpoint", &problem));
            }
        });
    }

    /// Seals every chain that is due. `days` says how long records of a team are kept. A chain that did not grow since it was
    /// found sealed costs nothing.
    pub async fn sweep<P: Records + Crypto + Clock>(
        &self,
        ports: &P,
        days: impl Fn(&str) -> u32,
    ) -> Result<(), StoreError> {
        for (team, _) in grown(ports, &self.sealed).await? {
            self.seal(ports, &team, days(&team)).await?;
        }
        Ok(())
    }

    fn is_sealed(&self, team: &str, size: u64) {
        lock(&self.sealed).insert(team.to_owned(), size);
    }

    /// Seals a chain as it is now, unless it has been just now.
    pub(super) async fn seal<P: Records + Crypto + Clock>(
        &self,
        ports: &P,
        team: &str,
        days: u32,
    ) -> Result<(), StoreError> {
        let (Some(_), shelf, now) = (&self.seed, shelf(TENANT), ports.now()) else { return Ok(()) };
        let head = ports.read_record(&shelf, &head_key(team)).await?;
        let head: Head = head.and_then(|head| crate::json::parse(&head.value).ok()).unwrap_or_default();
        let prefix = checkpoint_prefix(team);
        let last = ports.list_records(&shelf, &Range { prefix, descending: true, limit: 1, after: None }).await?;
        let last = last.first().and_then(|record| Signed::parse(&record.value)).map(|signed| signed.checkpoint);
        let (size, at) = last.map_or((0, Timestamp(0)), |last| (last.size, last.at));
        let new = head.tree.size().saturating_sub(size);
        if new == 0 {
            self.is_sealed(team, size);
        }
        if new == 0 || (new < RECORDS && now.since(at) < EVERY) {
            return Ok(());
        }
        let checkpoint = Checkpoint::of(team, &head, now);
        let write = Write::create(checkpoint_key(team, checkpoint.size), self.sign(ports, &checkpoint).await?);
        // It lives as long as the youngest record it covers. Whoever made the same one was first.
        let until = now + Millis(DAY.0.saturating_mul(u64::from(days)));
        ports.write_records(&shelf, vec![write.until(until)]).await?;
        self.is_sealed(team, checkpoint.size);
        Ok(())
    }

    /// The note of a checkpoint.
    pub(super) async fn sign<P: Crypto>(&self, ports: &P, checkpoint: &Checkpoint) -> Result<String, StoreError> {
        let failed = || StoreError("the platform does not sign".to_owned());
        let seed = self.seed.as_ref().ok_or_else(failed)?;
        let signature = ports.sign(seed, checkpoint.text().as_bytes()).await.ok_or_else(failed)?;
        let public_key = ports.public_key(seed).await.ok_or_else(failed)?;
        Ok(checkpoint.note(&public_key, &signature))
    }
}

/// The chains that are not as long as it says here: their teams and lengths.
pub(super) async fn grown(
    records: &impl Records,
    known: &Mutex<SortedMap<String, u64>>,
) -> Result<Vec<(String, u64)>, StoreError> {
    let (mut grown, prefix) = (Vec::new(), head_key(""));
    let look = |record: Record| {
        let Some(team) = record.key.strip_prefix(&prefix) else { return };
        let size = crate::json::parse::<Head>(&record.value).map_or(0, |head| head.tree.size());
        if lock(known).get(team) != Some(&size) {
            grown.push((team.to_owned(), size));
        }
    };
    read::all(records, &shelf(TENANT), prefix.clone(), None, |_| true, look).await?;
    Ok(grown)
}

/// Nothing panics while a lock is held, so a poisoned lock guards good data all the same.
pub(super) fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
