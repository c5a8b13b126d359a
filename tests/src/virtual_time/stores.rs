//! Keys, configuration, ledgers and records in memory, slow or down on request.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use signalbox::gateway::keys::KeyRecord;
use signalbox::gateway::ledger::{Admit, Ledger, Report, Settle, Standing, Verdict};
use signalbox::ports::{Clock, Directory, LedgerStore, Records, StoreError, StoredConfig};
use signalbox::records::{Range, Record, Shelf, Write};

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
    /// Each store call takes up to this long before and after its effect, at random.
    pub slow_ms: u64,
}

/// What is stored.
#[derive(Debug, Default)]
pub(super) struct Stores {
    keys: RefCell<BTreeMap<String, KeyRecord>>,
    config: RefCell<Option<StoredConfig>>,
    ledgers: RefCell<BTreeMap<String, Ledger>>,
    shelves: RefCell<BTreeMap<String, Shelf>>,
    faults: Cell<Faults>,
    reads: Cell<u64>,
}

impl World {
    /// Lets the stores fail from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.stores().faults.set(faults);
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
        self.store_pause().await;
        let faults = self.stores().faults.get();
        if faults.ledger_down {
            return Err(StoreError("the ledger is down".to_owned()));
        }
        let value = effect(self.stores().ledgers.borrow_mut().entry(tenant.to_owned()).or_default());
        self.store_pause().await;
        if faults.answers_lost { Err(StoreError("the ledger's answer was lost".to_owned())) } else { Ok(value) }
    }
}

impl Directory for World {
    async fn key(&self, hash: &str) -> Result<Option<KeyRecord>, StoreError> {
        self.stores().reads.set(self.stores().reads.get().saturating_add(1));
        self.directory(|stores| stores.keys.borrow().get(hash).cloned()).await
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
        self.ledger(tenant, |ledger| ledger.admit(&admit)).await
    }

    async fn settle(&self, tenant: &str, settle: Settle) -> Result<(), StoreError> {
        self.ledger(tenant, |ledger| ledger.settle(&settle)).await.map(|_| ())
    }

    async fn report(&self, tenant: &str, report: Report) -> Result<Vec<Standing>, StoreError> {
        self.ledger(tenant, |ledger| ledger.report(&report)).await
    }
}

impl World {
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
