//! What a platform lends the core: time, randomness, the network, stores, a log.
//!
//! A port is a plain `async fn` trait: no boxing, no `Send` bounds, no `async_trait`. The Worker
//! implements them over fetch, KV and Durable Objects, the Lambda over an HTTP client and DynamoDB,
//! the tests over virtual time and scripts. The core never asks which one it runs on.

#![allow(async_fn_in_trait, reason = "ports are generic and used within one thread's executor")]

use crate::gateway::journal::Posting;
use crate::gateway::keys::KeyRecord;
use crate::gateway::ledger::decide::Draw;
use crate::gateway::ledger::{Admit, Command, Pending, Reply, Report, Settle, Standing, Verdict};
use crate::http::Header;
use crate::jose::{Algorithm, PublicKey};
use crate::records::{Range, Record, Write};
use crate::units::{Millis, Timestamp};
use bytes::Bytes;
use futures_util::future::{Either, select};
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::pin::pin;

/// Everything the core needs from a platform. Cloning is cheap and shares state.
pub trait Ports: Clock + Transport + Directory + LedgerStore + Records + Archive + Crypto + Clone + 'static {}

impl<T: Clock + Transport + Directory + LedgerStore + Records + Archive + Crypto + Clone + 'static> Ports for T {}

/// Time, randomness, background work and the operator's log.
pub trait Clock {
    /// The present, UTC.
    fn now(&self) -> Timestamp;

    /// 64 bits from a cryptographically secure source.
    fn entropy(&self) -> u64;

    /// Completes after `span`.
    async fn sleep(&self, span: Millis);

    /// Runs `task` after the answer too: the platform must not end or freeze before it is done,
    /// as far as that is in its power (`waitUntil` on a Worker, before the next event on Lambda).
    fn spawn(&self, task: impl Future<Output = ()> + 'static);

    /// Whether such a task may take a second without anybody waiting for it. Not where a process is frozen between events:
    /// what it was lent meanwhile would be lost.
    fn lingers(&self) -> bool;

    /// Writes one line of JSON where the operator reads logs. Never called with a secret.
    fn log(&self, line: &str);
}

/// Signatures and encryption. The platform's own implementation is faster than any in the core: on the Worker, WebCrypto is 4 to 25
/// times as fast as wasm.
pub trait Crypto {
    /// Whether a signature over `message` is good. The key suits the algorithm and the signature is as long as the
    /// key's are. `false` for whatever speaks against it, a point that is not on its curve among them.
    async fn verify(&self, key: &PublicKey, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool;

    /// Signs with Ed25519 (RFC 8032). `None` where the platform fails.
    async fn sign(&self, seed: &Seed, message: &[u8]) -> Option<[u8; 64]>;

    /// Signs with RSA, PKCS #1 v1.5 and SHA-256 (RS256). `None` where the key is none or the platform fails.
    async fn sign_rs256(&self, key: &RsaKey, message: &[u8]) -> Option<Vec<u8>>;

    /// The public half of a seed's key pair. `None` where the platform fails.
    async fn public_key(&self, seed: &Seed) -> Option<[u8; 32]>;

    /// Encrypts with AES-256-GCM (NIST SP 800-38D), the tag behind the text; `about` is authenticated beside it. A nonce is
    /// used once with a key. `None` where the platform fails.
    async fn encrypt(&self, key: &DataKey, nonce: &[u8; 12], about: &[u8], text: &[u8]) -> Option<Vec<u8>>;

    /// Decrypts what was encrypted about the same; `None` for anything else.
    async fn decrypt(&self, key: &DataKey, nonce: &[u8; 12], about: &[u8], sealed: &[u8]) -> Option<Vec<u8>>;
}

/// A key for AES-256-GCM. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct DataKey([u8; 32]);

impl DataKey {
    /// Wraps a key.
    pub fn new(bytes: [u8; 32]) -> DataKey {
        DataKey(bytes)
    }

    /// The bytes themselves, for the one who encrypts.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey(…)")
    }
}

/// The private half of an Ed25519 key: its seed. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Seed([u8; 32]);

impl Seed {
    /// Wraps a seed.
    pub fn new(bytes: [u8; 32]) -> Seed {
        Seed(bytes)
    }

    /// The bytes themselves, for the one who signs.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(…)")
    }
}

/// An RSA key pair in PKCS #8 (RFC 5208), DER. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct RsaKey(Vec<u8>);

impl RsaKey {
    /// Wraps a key pair; whether it is one shows when it signs.
    pub fn new(pkcs8: Vec<u8>) -> RsaKey {
        RsaKey(pkcs8)
    }

    /// The bytes themselves, for the one who signs.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RsaKey(…)")
    }
}

/// One HTTP call to a provider.
pub trait Transport {
    /// The body of an answer.
    type Body: Body + 'static;

    /// Sends the call and waits for the head of the answer. Dropping the future aborts the call.
    /// No redirect is followed: a provider's credential must not travel to another host.
    async fn send(&self, call: Outgoing) -> Result<Incoming<Self::Body>, SendError>;

    /// Sends the call and reads its answer whole, at most `limit` bytes of it, within `patience`. A
    /// platform that can do it with less than this overrides it.
    async fn exchange(&self, call: Outgoing, patience: Millis, limit: usize) -> Result<Whole, ExchangeError>
    where
        Self: Clock + Sized,
    {
        let exchange = async {
            let Incoming { status, headers, mut body } = self.send(call).await?;
            let body = body.whole(limit).await;
            // The status of an error says enough where its body breaks off.
            let body = if is_success(status) { body? } else { body.ok().flatten() };
            Ok(Whole { status, headers, body })
        };
        match select(pin!(exchange), pin!(self.sleep(patience))).await {
            Either::Left((exchanged, _)) => exchanged.map_err(ExchangeError::Failed),
            Either::Right(((), _)) => Err(ExchangeError::TimedOut),
        }
    }
}

/// Whether a status tells of success.
pub fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

/// A call on its way to a provider.
#[derive(Debug)]
pub struct Outgoing {
    /// The method, in capitals.
    pub method: &'static str,
    /// Absolute URL, built from the configuration alone.
    pub url: String,
    /// Headers, credential included. Names are lower case.
    pub headers: Vec<Header>,
    /// The body; empty where the method has none.
    pub body: Vec<u8>,
    /// The answer's bytes will reach the caller untouched: the platform may forward them itself,
    /// natively, and hand the core a copy to watch.
    pub forward: bool,
}

/// A provider's answer once its head is there.
#[derive(Debug)]
pub struct Incoming<B> {
    /// HTTP status.
    pub status: u16,
    /// Headers; names are lower case.
    pub headers: Vec<Header>,
    /// The body, not yet read.
    pub body: B,
}

/// A provider's answer, all of it.
#[derive(Debug)]
pub struct Whole {
    /// HTTP status.
    pub status: u16,
    /// Headers; names are lower case.
    pub headers: Vec<Header>,
    /// The body; `None` when it is longer than was allowed.
    pub body: Option<Bytes>,
}

/// A body that is pulled. Dropping it cancels the call it belongs to.
pub trait Body {
    /// The next bytes; `None` at the end. Not cancel-safe: a dropped future may lose bytes, so a
    /// caller that stops waiting must stop reading.
    async fn chunk(&mut self) -> Result<Option<Bytes>, SendError>;

    /// All of the body; `None` when it is longer than `limit`. A platform that can do better than
    /// [`collect`] overrides it.
    async fn whole(&mut self, limit: usize) -> Result<Option<Bytes>, SendError>
    where
        Self: Sized,
    {
        collect(self, limit).await
    }
}

/// Reads a body to its end, chunk by chunk; `None` when it is longer than `limit`.
pub async fn collect(body: &mut impl Body, limit: usize) -> Result<Option<Bytes>, SendError> {
    let mut whole = Vec::new();
    while let Some(chunk) = body.chunk().await? {
        if whole.len() + chunk.len() > limit {
            return Ok(None);
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(Some(whole.into()))
}

/// Why no (further) byte came from a provider. Carries words for the operator, never for the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// Name resolution, connection or TLS failed: the provider provably saw nothing.
    Unreachable(String),
    /// The connection broke after the request was sent.
    Broken(String),
}

/// Why an answer could not be had whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExchangeError {
    /// It broke.
    Failed(SendError),
    /// It took too long; the call was ended.
    TimedOut,
}

/// A request's body that could not be had whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// Larger than the limit; it was not read to its end.
    TooLarge,
    /// The caller went away or broke the framing.
    Broken,
}

/// Every header of a request that the core may ask for, so that a platform can fetch all at once.
pub const REQUEST_HEADERS: [&str; 35] = [
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "content-type",
    "content-encoding",
    "content-length",
    "traceparent",
    "origin",
    "access-control-request-method",
    "access-control-request-headers",
    "x-signalbox-route",
    "x-signalbox-provider-key",
    "x-signalbox-user",
    "x-signalbox-tags",
    "x-signalbox-timeout-ms",
    "x-signalbox-cache",
    "x-signalbox-session",
    "x-signalbox-explain",
    "anthropic-version",
    "anthropic-beta",
    "openai-beta",
    "openai-organization",
    "openai-project",
    "accept",
    "idempotency-key",
    "range",
    "if-match",
    "if-none-match",
    "cookie",
    "sec-fetch-site",
    "x-signalbox-csrf",
    "mcp-protocol-version",
    "mcp-method",
    "mcp-name",
];

/// A caller's request as the platform hands it in.
pub trait Request {
    /// The method in capitals.
    fn method(&self) -> &str;
    /// The path, without the query, still percent-encoded.
    fn path(&self) -> &str;
    /// The query, without the question mark, still percent-encoded; empty where there is none. It may
    /// hold a credential and is never logged.
    fn query(&self) -> &str;
    /// A header of [`REQUEST_HEADERS`] by its name; several of one name are joined by `, `. `None` for
    /// one that is missing or empty.
    fn header(&self, name: &str) -> Option<&str>;
    /// Reads the body, refusing one of more than `limit` bytes before it is all in memory.
    async fn body(self, limit: usize) -> Result<Vec<u8>, BodyError>;
}

/// Why a store gave no answer. The text is for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError(pub String);

/// A configuration as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredConfig {
    /// Counts the documents that were stored, from 1; 0 for one from before versions were kept.
    #[serde(default)]
    pub version: u64,
    /// When it was stored. A store may answer with an older one after a newer one was seen.
    pub at: Timestamp,
    /// The document; `None` once it was removed.
    pub document: Option<String>,
}

/// Virtual keys and named documents: written rarely, read through a cache.
pub trait Directory {
    /// The key whose keyed hash is `hash`.
    async fn key(&self, hash: &str) -> Result<Option<KeyRecord>, StoreError>;
    /// Stores a key, new or changed.
    async fn put_key(&self, record: &KeyRecord) -> Result<(), StoreError>;
    /// Every key, in no order.
    async fn keys(&self) -> Result<Vec<KeyRecord>, StoreError>;
    /// The stored configuration, if one was ever stored. May be an older one for a while.
    async fn config(&self) -> Result<Option<StoredConfig>, StoreError>;
    /// Replaces the stored configuration.
    async fn put_config(&self, config: &StoredConfig) -> Result<(), StoreError>;
}

/// The ledger of a tenant, or a [shard](crate::gateway::ledger::escrow) of one, kept by one serialised owner (a Durable
/// Object, conditional writes).
pub trait LedgerStore {
    /// Takes limits and budgets, all or none. Idempotent by the reservation's id.
    async fn admit(&self, tenant: &str, admit: Admit) -> Result<Verdict, StoreError>;
    /// Replaces a reservation by what was used. Idempotent by id; when it returns, the settlement
    /// is the platform's to deliver. Whatever happens to it, the lease keeps counting in full.
    async fn settle(&self, tenant: &str, settle: Settle) -> Result<(), StoreError>;
    /// The end of a request: posts what it came to, at the shard its entry names, and appends its record to the tenant's
    /// [`journal`](crate::gateway::journal). Idempotent by the request's id, and as good as done when it returns, as
    /// `settle` is. After an error it may have been done all the same.
    async fn post(&self, tenant: &str, posting: Posting) -> Result<(), StoreError>;
    /// What stands in the books of one scope, after everything this process has settled so far.
    async fn report(&self, tenant: &str, report: Report) -> Result<Vec<Standing>, StoreError>;
    /// Brings the journal up to date, with the losses of leases that have run out by now; names the reservations that are
    /// open. Of a shard: what it has lost is in its lender's journal once that is asked.
    async fn pending(&self, tenant: &str, now: Timestamp) -> Result<Vec<Pending>, StoreError>;
    /// What is drawn of the tenant's rates.
    async fn rates(&self, tenant: &str, now: Timestamp) -> Result<Vec<Draw>, StoreError>;
    /// Carries out commands in order, after everything this process has settled so far; every one is answered.
    async fn apply(&self, tenant: &str, commands: Vec<Command>) -> Result<Vec<Reply>, StoreError>;
}

/// Records on shelves; see [`records`](crate::records). Consistent: what was written is read, by everybody.
///
/// A hop to the shelf's owner each, so never asked on the way of an ordinary call.
pub trait Records {
    /// A record, if there is one.
    async fn read_record(&self, shelf: &str, key: &str) -> Result<Option<Record>, StoreError>;
    /// Records in the order of their keys.
    async fn list_records(&self, shelf: &str, range: &Range) -> Result<Vec<Record>, StoreError>;
    /// Makes a change, or nothing of it: `false` when an expectation does not hold. After an error it may
    /// have been made all the same.
    async fn write_records(&self, shelf: &str, writes: Vec<Write>) -> Result<bool, StoreError>;
}

/// A bucket of the operator's, where what is kept for good is copied to. There need not be one.
pub trait Archive {
    /// Whether there is.
    fn has_archive(&self) -> bool;
    /// Writes an object, whatever was there of that name. When it returns, the bucket has it.
    async fn put_object(&self, name: &str, text: String) -> Result<(), StoreError>;
}
