//! The core's ports over an HTTP client, DynamoDB and the process's own clock.

use crate::archive::{Bucket, taken};
use crate::http::{HttpBody, HttpClient};
use crate::store::{APPEND_EVERY, DynamoLedger, PutDocument, Store};
use signalbox::gateway::denial;
use signalbox::gateway::journal::{Posting, Unsettled};
use signalbox::gateway::keys::KeyRecord;
use signalbox::gateway::ledger::decide::Draw;
use signalbox::gateway::ledger::escrow::lender;
use signalbox::gateway::ledger::{Admit, Command, Pending, Reply, Report, Settle, Standing, Verdict};
use signalbox::jose::{Algorithm, PublicKey};
use signalbox::ports::{
    Archive, Clock, Crypto, DataKey, Directory, ExchangeError, Incoming, LedgerStore, Outgoing, Records, RsaKey, Seed,
    SendError, StoreError, StoredConfig, Transport,
};
use signalbox::records::{Range, Record, Write};
use signalbox::units::{Millis, Timestamp};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::task::JoinSet;

/// Everything the core may ask of this process.
#[derive(Clone)]
pub struct LambdaPorts {
    http: HttpClient,
    store: Store,
    archive: Option<Rc<Bucket>>,
    /// One ledger a tenant: each remembers the books as it last saw them.
    ledgers: Rc<RefCell<HashMap<String, DynamoLedger>>>,
    background: Rc<RefCell<JoinSet<()>>>,
    /// When this process last put records into their chains.
    appended: Rc<Cell<Timestamp>>,
}

impl LambdaPorts {
    /// Ports over this client and store, with a bucket to archive to if there is one.
    pub fn new(http: HttpClient, store: Store, archive: Option<Bucket>) -> LambdaPorts {
        let archive = archive.map(Rc::new);
        LambdaPorts { http, store, archive, ledgers: Rc::default(), background: Rc::default(), appended: Rc::default() }
    }

    fn ledger(&self, tenant: &str) -> DynamoLedger {
        let mut ledgers = self.ledgers.borrow_mut();
        ledgers.entry(tenant.to_owned()).or_insert_with(|| self.store.ledger(tenant)).clone()
    }

    /// Waits for everything spawned so far. Lambda freezes the process between events, so an answer
    /// must not end before this.
    pub async fn drain(&self) {
        loop {
            // Taken out, so that a task may spawn another meanwhile.
            let mut tasks = self.background.take();
            if tasks.is_empty() {
                return;
            }
            while tasks.join_next().await.is_some() {}
        }
    }
}

impl Clock for LambdaPorts {
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }

    fn entropy(&self) -> u64 {
        // Without randomness no key or id may be made: better no process than a guessable one.
        getrandom::u64().unwrap_or_else(|_| std::process::abort())
    }

    async fn sleep(&self, span: Millis) {
        tokio::time::sleep(Duration::from_millis(span.0)).await;
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.background.borrow_mut().spawn_local(task);
    }

    fn lingers(&self) -> bool {
        false
    }

    fn log(&self, line: &str) {
        // Lambda reads standard output line by line.
        println!("{line}");
    }
}

impl Transport for LambdaPorts {
    type Body = HttpBody;

    async fn send(&self, call: Outgoing) -> Result<Incoming<HttpBody>, SendError> {
        self.http.send(call).await
    }
}

fn store(error: crate::store::StoreError) -> StoreError {
    StoreError(error.to_string())
}

fn record(text: &str) -> Result<KeyRecord, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError(format!("a stored key cannot be read: {error}")))
}

const CONFIG: &str = "config";
/// How often a change of the configuration is tried against others doing the same.
const CONFIG_TRIES: u32 = 5;

impl Directory for LambdaPorts {
    async fn key(&self, hash: &str) -> Result<Option<KeyRecord>, StoreError> {
        self.store.get_key(hash).await.map_err(store)?.as_deref().map(record).transpose()
    }

    async fn put_key(&self, key: &KeyRecord) -> Result<(), StoreError> {
        let text = serde_json::to_string(key).map_err(|error| StoreError(error.to_string()))?;
        self.store.put_key(&key.hash, &text).await.map_err(store)
    }

    async fn keys(&self) -> Result<Vec<KeyRecord>, StoreError> {
        self.store.list_keys().await.map_err(store)?.iter().map(|(_, text)| record(text)).collect()
    }

    async fn config(&self) -> Result<Option<StoredConfig>, StoreError> {
        let document = self.store.get_document(CONFIG).await.map_err(store)?;
        let read = |text: &str| serde_json::from_str(text).map_err(|error| StoreError(error.to_string()));
        document.map(|document| read(&document.body)).transpose()
    }

    async fn put_config(&self, config: &StoredConfig) -> Result<(), StoreError> {
        let text = serde_json::to_string(config).map_err(|error| StoreError(error.to_string()))?;
        for _ in 0..CONFIG_TRIES {
            let version = self.store.get_document(CONFIG).await.map_err(store)?.map_or(0, |document| document.version);
            match self.store.put_document(CONFIG, version, &text).await.map_err(store)? {
                PutDocument::Stored(_) => return Ok(()),
                PutDocument::Conflict => {}
            }
        }
        Err(StoreError("the configuration is being changed by others; try again".to_owned()))
    }
}

impl LedgerStore for LambdaPorts {
    async fn admit(&self, tenant: &str, admit: Admit) -> Result<Verdict, StoreError> {
        self.ledger(tenant).admit(&admit).await.map_err(store)
    }

    async fn settle(&self, tenant: &str, settle: Settle) -> Result<(), StoreError> {
        self.ledger(tenant).settle(&settle).await.map(|_| ()).map_err(store)
    }

    async fn post(&self, tenant: &str, posting: Posting) -> Result<(), StoreError> {
        // In this order: a settlement without its record would be noticed by nobody.
        self.store.put_entry(tenant, &posting.entry, self.now()).await.map_err(store)?;
        if let Some(settle) = &posting.settle {
            let ledger = posting.entry.shard.as_deref().unwrap_or(tenant);
            self.ledger(ledger).settle(settle).await.map_err(store)?;
        }
        self.append_in_passing(tenant);
        Ok(())
    }

    async fn report(&self, tenant: &str, report: Report) -> Result<Vec<Standing>, StoreError> {
        self.ledger(tenant).report(&report).await.map_err(store)
    }

    async fn pending(&self, tenant: &str, now: Timestamp) -> Result<Vec<Pending>, StoreError> {
        let pending = self.ledger(tenant).pending(now).await.map_err(store)?;
        // What a shard has lost is put down by now; it is appended when its lender is asked.
        if lender(tenant) == tenant {
            let left = self.store.append_all(tenant, self.now()).await.map_err(store)?;
            self.settle_left(tenant, left).await?;
        }
        Ok(pending)
    }

    async fn rates(&self, tenant: &str, now: Timestamp) -> Result<Vec<Draw>, StoreError> {
        self.ledger(tenant).rates(now).await.map_err(store)
    }

    async fn apply(&self, tenant: &str, commands: Vec<Command>) -> Result<Vec<Reply>, StoreError> {
        self.ledger(tenant).apply(commands).await.map_err(store)
    }
}

impl LambdaPorts {
    /// Puts records into their chains, if it is time and nobody else is at it. The caller has its answer; only the end of
    /// the stream waits, as it does for everything that a frozen process could not do any more.
    fn append_in_passing(&self, tenant: &str) {
        let now = self.now();
        if now.since(self.appended.get()) < APPEND_EVERY {
            return;
        }
        self.appended.set(now);
        let (ports, tenant) = (self.clone(), tenant.to_owned());
        self.spawn(async move {
            let appended = async {
                let left = ports.store.append_some(&tenant, now).await.map_err(store)?;
                ports.settle_left(&tenant, left).await
            };
            if let Err(problem) = appended.await {
                // It is written down; the next one appends it.
                ports.log(&denial::store_line("journal", &problem));
            }
        });
    }

    /// Settles what is recorded and was left by a process that ended.
    async fn settle_left(&self, tenant: &str, left: Vec<Unsettled>) -> Result<(), StoreError> {
        for left in left {
            let ledger = self.ledger(left.shard.as_deref().unwrap_or(tenant));
            ledger.settle(&left.settle(self.now())).await.map_err(store)?;
        }
        Ok(())
    }
}

impl Records for LambdaPorts {
    async fn read_record(&self, shelf: &str, key: &str) -> Result<Option<Record>, StoreError> {
        self.store.read_record(shelf, key, self.now()).await.map_err(store)
    }

    async fn list_records(&self, shelf: &str, range: &Range) -> Result<Vec<Record>, StoreError> {
        self.store.list_records(shelf, range, self.now()).await.map_err(store)
    }

    async fn write_records(&self, shelf: &str, writes: Vec<Write>) -> Result<bool, StoreError> {
        self.store.write_records(shelf, &writes, self.now()).await.map_err(store)
    }
}

/// How long a bucket may take to answer.
const PATIENCE: Millis = Millis(30_000);
/// How much of what it answers is read: of a refusal, its beginning.
const ANSWER: usize = 16 * 1_024;

impl Archive for LambdaPorts {
    fn has_archive(&self) -> bool {
        self.archive.is_some()
    }

    async fn put_object(&self, name: &str, text: String) -> Result<(), StoreError> {
        let bucket = self.archive.as_ref().ok_or_else(|| StoreError("there is no bucket".to_owned()))?;
        match self.exchange(bucket.put(name, text, self.now()), PATIENCE, ANSWER).await {
            Ok(answer) => taken(&answer),
            Err(ExchangeError::Failed(SendError::Unreachable(why) | SendError::Broken(why))) => {
                Err(StoreError(format!("the bucket: {why}")))
            }
            Err(ExchangeError::TimedOut) => Err(StoreError("the bucket does not answer".to_owned())),
        }
    }
}

impl Crypto for LambdaPorts {
    async fn verify(&self, key: &PublicKey, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        signalbox_crypto::verify(key, algorithm, message, signature)
    }

    async fn sign(&self, seed: &Seed, message: &[u8]) -> Option<[u8; 64]> {
        signalbox_crypto::sign(seed, message)
    }

    async fn sign_rs256(&self, key: &RsaKey, message: &[u8]) -> Option<Vec<u8>> {
        signalbox_crypto::sign_rs256(key, message)
    }

    async fn public_key(&self, seed: &Seed) -> Option<[u8; 32]> {
        signalbox_crypto::public_key(seed)
    }

    async fn encrypt(&self, key: &DataKey, nonce: &[u8; 12], about: &[u8], text: &[u8]) -> Option<Vec<u8>> {
        signalbox_crypto::encrypt(key, nonce, about, text)
    }

    async fn decrypt(&self, key: &DataKey, nonce: &[u8; 12], about: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        signalbox_crypto::decrypt(key, nonce, about, sealed)
    }
}
