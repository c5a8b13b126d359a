//! Everything the core may ask of a platform, in one value that can be cloned.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use signalbox::jose::{Algorithm, PublicKey};
use signalbox::ports::{Clock, Crypto, DataKey, RsaKey, Seed};
use signalbox::units::{Millis, Timestamp};

use super::executor::Executor;
use super::random::SplitMix;
use super::stores::Stores;
use crate::simulator::Upstream;

/// Where the simulated providers are.
pub(super) const UPSTREAM: &str = "http://127.0.0.1:4000";

/// How a world begins.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What all randomness comes from.
    pub seed: u64,
    /// The first instant, milliseconds UTC.
    pub now_ms: u64,
    /// Milliseconds between two words of a friendly stream.
    pub pace_ms: u64,
}

impl Default for Options {
    /// Noon of a Thursday in the middle of a month, seed 1, words 30 ms apart.
    fn default() -> Options {
        Options { seed: 1, now_ms: 1_768_478_400_000, pace_ms: 30 }
    }
}

/// The ports over memory and a virtual clock. Cloning shares everything.
#[derive(Clone, Debug)]
pub struct World(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    executor: Executor,
    random: RefCell<SplitMix>,
    upstream: Arc<Upstream>,
    stores: Stores,
    log: RefCell<Vec<String>>,
}

impl World {
    /// An empty world.
    pub fn new(options: Options) -> World {
        World(Rc::new(Inner {
            executor: Executor::starting_at(options.now_ms),
            random: RefCell::new(SplitMix::new(options.seed)),
            upstream: Arc::new(Upstream::new(options.pace_ms, true)),
            stores: Stores::default(),
            log: RefCell::default(),
        }))
    }

    /// What runs this world's futures.
    pub fn executor(&self) -> &Executor {
        &self.0.executor
    }

    /// The simulated providers: scripts, and the log of what they were asked.
    pub fn upstream(&self) -> &Upstream {
        &self.0.upstream
    }

    /// The providers' address, without a path.
    pub fn upstream_url(&self) -> &'static str {
        UPSTREAM
    }

    /// The lines logged so far.
    pub fn log_lines(&self) -> Vec<String> {
        self.0.log.borrow().clone()
    }

    /// A number below `bound`, from the world's seed.
    pub fn random(&self, bound: u64) -> u64 {
        self.0.random.borrow_mut().below(bound)
    }

    pub(super) fn stores(&self) -> &Stores {
        &self.0.stores
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.executor.now_ms())
    }

    fn entropy(&self) -> u64 {
        self.0.random.borrow_mut().next_u64()
    }

    async fn sleep(&self, span: Millis) {
        self.0.executor.sleep(span.0).await;
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.0.executor.spawn(task);
    }

    fn lingers(&self) -> bool {
        true
    }

    fn log(&self, line: &str) {
        self.0.log.borrow_mut().push(line.to_owned());
    }
}

impl Crypto for World {
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
