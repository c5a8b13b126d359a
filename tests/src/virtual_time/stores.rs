//! Keys, configuration, ledgers and records in memory, slow or down on request.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use signalbox::gateway::journal::{self, Batch, Entry, Posting, Unsettled};
use signalbox::gateway::keys::KeyRecord;
use signalbox::gateway::ledger::decide::Draw;
use signalbox::gateway::ledger::escrow::lender;
use signalbox::gateway::ledger::{Admit, Command, Ledger, Pending, Reply, Report, Settle, Standing, Verdict};
use signalbox::ports::{Archive, Clock, Directory, LedgerStore, Records, StoreError, StoredConfig};
use signalbox::records::{Range, Record, Shelf, Write};
use signalbox::units::Timestamp;

use super::world::World;

/// What goes wrong with the stores, until it is set otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// The key and configuration store does not answer.
    pub directory_down: bool,
    /// The ledger does not answer, before anything was written.
    pub ledger_down: bool,
    /// The ledger writes, and its answer is lost.
    pub answers_lost: bool,
    /// The bucket writes, and its answer is lost.
    pub bucket_answers_lost: bool,
    /// Each store call takes up to this long before and after its effect, at random.
    pub slow_ms: u64,
}

/// What is stored.
#[derive(Debug, Default)]
pub(super) struct Stores {
    keys: RefCell<BTreeMap<String, KeyRecord>>,
    frozen: RefCell<Option<BTreeMap<String, KeyRecord>>>,
    config: RefCell<Option<StoredConfig>>,
    ledgers: RefCell<BTreeMap<String, Ledger>>,
    shelves: RefCell<BTreeMap<String, Shelf>>,
    /// Every object that was ever written, in order: there is a bucket once somebody asked for it.
    bucket: RefCell<Option<Vec<(String, String)>>>,
    faults: Cell<Faults>,
    reads: Cell<u64>,
    admitted: RefCell<BTreeMap<String, u64>>,
}

impl World {
    /// Lets the stores fail from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.stores().faults.set(faults);
    }

    /// From now on keys are read as they are now, whatever is written: a key store that lags.
    pub fn freeze_keys(&self) {
        let now = self.stores().keys.borrow().clone();
        self.stores().frozen.replace(Some(now));
    }

    /// From now on there is a bucket to archive to.
    pub fn make_bucket(&self) {
        self.stores().bucket.replace(Some(Vec::new()));
    }

    /// What was written to the bucket, in order, an object as often as it was.
    pub fn bucket(&self) -> Vec<(String, String)> {
        self.stores().bucket.borrow().clone().unwrap_or_default()
    }

    /// How many calls each ledger has admitted, by its name.
    pub fn admitted(&self) -> BTreeMap<String, u64> {
        self.stores().admitted.borrow().clone()
    }

    /// How often the directory was read: what a cache saves.
    pub fn directory_reads(&self) -> u64 {
        self.stores().reads.get()
    }

    async fn store_pause(&self) {
        let most = self.stores().faults.get().slow_ms;
        if most > 0 {
            let ms = self.random(most.saturating_add(1));
            self.executor().sleep(ms).await;
        }
    }

    /// Runs `effect` on what is stored, as slow and as reliable as the faults say.
    async fn directory<T>(&self, effect: impl FnOnce(&Stores) -> T) -> Result<T, StoreError> {
        self.store_pause().await;
        let stores = self.stores();
        if stores.faults.get().directory_down {
            return Err(StoreError("the directory is down".to_owned()));
        }
        let value = effect(stores);
        self.store_pause().await;
        Ok(value)
    }

    async fn ledger<T>(&self, tenant: &str, effect: impl FnOnce(&mut Ledger) -> T) -> Result<T, StoreError> {
        self.tenant(tenant, Vec::new(), effect).await
    }

    /// One turn of a tenant's owner: its ledger and its journal change together.
    async fn tenant<T>(
        &self,
        tenant: &str,
        mut entries: Vec<Entry>,
        effect: impl FnOnce(&mut Ledger) -> T,
    ) -> Result<T, StoreError> {
        self.store_pause().await;
        let faults = self.stores().faults.get();
        if faults.ledger_down {
            return Err(StoreError("the ledger is down".to_owned()));
        }
        // Closed before anything else is waited for.
        let value = {
            let mut ledgers = self.stores().ledgers.borrow_mut();
            let ledger = ledgers.entry(tenant.to_owned()).or_default();
            let value = effect(ledger);
            entries.extend(ledger.take_lapsed().iter().filter_map(|(id, hold)| Entry::lost(id, hold)));
            for left in self.append(lender(tenant), entries) {
                let ledger = ledgers.entry(left.shard.clone().unwrap_or_else(|| tenant.to_owned())).or_default();
                ledger.settle(&left.settle(self.now()));
            }
            value
        };
        self.store_pause().await;
        if faults.answers_lost { Err(StoreError("the ledger's answer was lost".to_owned())) } else { Ok(value) }
    }
}

impl Directory for World {
    async fn key(&self, hash: &str) -> Result<Option<KeyRecord>, StoreError> {
        self.stores().reads.set(self.stores().reads.get().saturating_add(1));
        self.directory(|stores| match &*stores.frozen.borrow() {
            Some(frozen) => frozen.get(hash).cloned(),
            None => stores.keys.borrow().get(hash).cloned(),
        })
        .await
    }

    async fn put_key(&self, record: &KeyRecord) -> Result<(), StoreError> {
        self.directory(|stores| drop(stores.keys.borrow_mut().insert(record.hash.clone(), record.clone()))).await
    }

    async fn keys(&self) -> Result<Vec<KeyRecord>, StoreError> {
        self.directory(|stores| stores.keys.borrow().values().cloned().collect()).await
    }

    async fn config(&self) -> Result<Option<StoredConfig>, StoreError> {
        self.directory(|stores| stores.config.borrow().clone()).await
    }

    async fn put_config(&self, config: &StoredConfig) -> Result<(), StoreError> {
        self.directory(|stores| drop(stores.config.replace(Some(config.clone())))).await
    }
}

impl LedgerStore for World {
    async fn admit(&self, tenant: &str, admit: Admit) -> Result<Verdict, StoreError> {
        let verdict = self.ledger(tenant, |ledger| ledger.admit(&admit)).await?;
        if matches!(verdict, Verdict::Admitted(_)) {
            *self.stores().admitted.borrow_mut().entry(tenant.to_owned()).or_default() += 1;
        }
        Ok(verdict)
    }

    async fn settle(&self, tenant: &str, settle: Settle) -> Result<(), StoreError> {
        self.ledger(tenant, |ledger| ledger.settle(&settle)).await.map(|_| ())
    }

    async fn post(&self, tenant: &str, posting: Posting) -> Result<(), StoreError> {
        let Posting { settle, entry } = posting;
        let shard = entry.shard.clone();
        let own = if shard.is_none() { settle.clone() } else { None };
        let posted = self.tenant(tenant, vec![entry], |ledger| own.map(|settle| ledger.settle(&settle))).await;
        // In this order: a settlement without its record would be noticed by nobody.
        posted?;
        match (shard, settle) {
            (Some(shard), Some(settle)) => self.settle(&shard, settle).await,
            (_, _) => Ok(()),
        }
    }

    async fn report(&self, tenant: &str, report: Report) -> Result<Vec<Standing>, StoreError> {
        self.ledger(tenant, |ledger| ledger.report(&report)).await
    }

    async fn pending(&self, tenant: &str, now: Timestamp) -> Result<Vec<Pending>, StoreError> {
        self.ledger(tenant, |ledger| ledger.pending(now)).await
    }

    async fn rates(&self, tenant: &str, now: Timestamp) -> Result<Vec<Draw>, StoreError> {
        self.ledger(tenant, |ledger| ledger.rates(now)).await
    }

    async fn apply(&self, tenant: &str, commands: Vec<Command>) -> Result<Vec<Reply>, StoreError> {
        self.ledger(tenant, |ledger| ledger.apply(commands)).await
    }
}

impl World {
    fn append(&self, tenant: &str, entries: Vec<Entry>) -> Vec<Unsettled> {
        let (batch, now) = (Batch::new(entries), self.now());
        let mut shelves = self.stores().shelves.borrow_mut();
        let shelf = shelves.entry(journal::shelf(tenant)).or_default();
        let wanted = batch.heads().into_iter().chain(batch.others());
        let stored = wanted.filter_map(|key| Some((key.clone(), shelf.read(&key, now)?.value))).collect();
        let appended = batch.append(now, stored);
        shelf.write(&appended.writes, now);
        appended.unsettled
    }

    async fn shelf<T>(&self, shelf: &str, effect: impl FnOnce(&mut Shelf) -> T) -> Result<T, StoreError> {
        self.directory(|stores| effect(stores.shelves.borrow_mut().entry(shelf.to_owned()).or_default())).await
    }
}

impl Records for World {
    async fn read_record(&self, shelf: &str, key: &str) -> Result<Option<Record>, StoreError> {
        self.shelf(shelf, |shelf| shelf.read(key, self.now())).await
    }

    async fn list_records(&self, shelf: &str, range: &Range) -> Result<Vec<Record>, StoreError> {
        self.shelf(shelf, |shelf| shelf.list(range, self.now())).await
    }

    async fn write_records(&self, shelf: &str, writes: Vec<Write>) -> Result<bool, StoreError> {
        self.shelf(shelf, |shelf| shelf.write(&writes, self.now())).await
    }
}

impl Archive for World {
    fn has_archive(&self) -> bool {
        self.stores().bucket.borrow().is_some()
    }

    async fn put_object(&self, name: &str, text: String) -> Result<(), StoreError> {
        self.directory(|stores| {
            if let Some(all) = stores.bucket.borrow_mut().as_mut() {
                all.push((name.to_owned(), text));
            }
        })
        .await?;
        let lost = self.stores().faults.get().bucket_answers_lost;
        if lost { Err(StoreError("the bucket's answer was lost".to_owned())) } else { Ok(()) }
    }
}
