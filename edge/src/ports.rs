//! The core's ports over a Worker: fetch, KV, a Durable Object, the clock.

use crate::glue::{self, Upstream};
use crate::ledger::{Client, Ended};
use crate::operation::{self, Operation, Value};
use crate::shelf::{Ask, Question};
use crate::task;
use bytes::Bytes;
use js_sys::Date;
use serde::de::DeserializeOwned;
use signalbox::base64url;
use signalbox::gateway::journal::Posting;
use signalbox::gateway::keys::KeyRecord;
use signalbox::gateway::ledger::decide::Draw;
use signalbox::gateway::ledger::{Admit, Command, Pending, Reply, Report, Settle, Standing, Verdict};
use signalbox::jose::{Algorithm, PublicKey};
use signalbox::ports::{
    Archive, Body, Clock, Crypto, DataKey, Directory, ExchangeError, Incoming, LedgerStore, Outgoing, Records, RsaKey,
    Seed, SendError, StoreError, StoredConfig, Transport, Whole,
};
use signalbox::records::{Range, Record, Write};
use signalbox::units::{Millis, Timestamp};
use std::future::Future;
use std::rc::Rc;
use worker::Env;

/// Everything the core may ask of this isolate.
#[derive(Clone)]
pub(crate) struct EdgePorts {
    env: Env,
    ledger: Rc<Client>,
}

impl EdgePorts {
    pub(crate) fn new(env: Env) -> EdgePorts {
        EdgePorts { ledger: Rc::new(Client::new(env.clone())), env }
    }
}

impl Clock for EdgePorts {
    fn now(&self) -> Timestamp {
        Timestamp(Date::now() as u64)
    }

    fn entropy(&self) -> u64 {
        glue::entropy()
    }

    async fn sleep(&self, span: Millis) {
        // The platform's timers count in 32 bits.
        operation::sleep(span.0.min(i32::MAX as u64) as f64).await;
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let held = Held(glue::hold());
        task::spawn(async move {
            task.await;
            drop(held);
        });
    }

    fn lingers(&self) -> bool {
        true
    }

    fn log(&self, line: &str) {
        glue::log(line);
    }
}

/// The platform lets the request's context live until this is dropped.
struct Held(u32);

impl Drop for Held {
    fn drop(&mut self) {
        glue::release(self.0);
    }
}

impl Transport for EdgePorts {
    type Body = EdgeBody;

    async fn send(&self, call: Outgoing) -> Result<Incoming<EdgeBody>, SendError> {
        let mut body = EdgeBody { upstream: Upstream::new(), over: false };
        let sent = body.upstream.send(call.method, &call.url, &glue::lines(&call.headers), &call.body, call.forward);
        match Operation::new(sent).await {
            Ok(value) => {
                let (status, headers) = glue::head(&value.into_text().unwrap_or_default());
                Ok(Incoming { status, headers, body })
            }
            Err(error) => {
                body.over = true;
                // fetch does not say how far it came: only what provably never left is unreachable.
                Err(SendError::Broken(error))
            }
        }
    }

    async fn exchange(&self, call: Outgoing, patience: Millis, limit: usize) -> Result<Whole, ExchangeError> {
        let (headers, patience) = (glue::lines(&call.headers), patience.0.min(i32::MAX as u64));
        let sent = glue::exchange(call.method, &call.url, &headers, &call.body, patience as f64, limit as f64);
        match Operation::new(sent).await {
            Ok(value) => {
                let (head, body) = value.into_answer().unwrap_or_default();
                let (status, headers) = glue::head(&head);
                Ok(Whole { status, headers, body: body.map(Bytes::from) })
            }
            Err(error) if error == glue::LATE => Err(ExchangeError::TimedOut),
            Err(error) => Err(ExchangeError::Failed(SendError::Broken(error))),
        }
    }
}

/// A provider's body. Dropping it before its end aborts the call.
#[derive(Debug)]
pub(crate) struct EdgeBody {
    upstream: Upstream,
    over: bool,
}

impl EdgeBody {
    /// The call, for a body that is forwarded natively.
    pub(crate) fn upstream(&self) -> Upstream {
        self.upstream.clone()
    }

    /// It came to an end by itself, natively: there is no call left to abort, and an abort is not cheap.
    pub(crate) fn ended(&mut self) {
        self.over = true;
    }
}

impl Body for EdgeBody {
    async fn chunk(&mut self) -> Result<Option<Bytes>, SendError> {
        let read = Operation::new(self.upstream.chunk()).await.map(Value::into_bytes);
        self.over = !matches!(read, Ok(Some(_)));
        read.map(|bytes| bytes.map(Bytes::from)).map_err(SendError::Broken)
    }
}

impl Drop for EdgeBody {
    fn drop(&mut self) {
        if !self.over {
            self.upstream.stop("dropped");
        }
    }
}

const KEY: &str = "key:";
const CONFIG: &str = "config";

impl EdgePorts {
    async fn get(&self, name: &str) -> Result<Option<String>, StoreError> {
        Operation::new(glue::stored(&self.env, name)).await.map(Value::into_text).map_err(kv)
    }

    async fn put(&self, name: &str, text: &str) -> Result<(), StoreError> {
        Operation::new(glue::store(&self.env, name, text)).await.map(drop).map_err(kv)
    }
}

fn kv(problem: String) -> StoreError {
    StoreError(format!("KV: {problem}"))
}

fn record(text: &str) -> Result<KeyRecord, StoreError> {
    signalbox::json::parse(text).map_err(|error| StoreError(format!("a stored key cannot be read: {error}")))
}

impl Directory for EdgePorts {
    async fn key(&self, hash: &str) -> Result<Option<KeyRecord>, StoreError> {
        self.get(&format!("{KEY}{hash}")).await?.as_deref().map(record).transpose()
    }

    async fn put_key(&self, key: &KeyRecord) -> Result<(), StoreError> {
        let text = serde_json::to_string(key).map_err(|error| StoreError(error.to_string()))?;
        self.put(&format!("{KEY}{}", key.hash), &text).await
    }

    async fn keys(&self) -> Result<Vec<KeyRecord>, StoreError> {
        let texts = Operation::new(glue::all_stored(&self.env, KEY)).await.map_err(kv)?.into_text();
        let texts = signalbox::json::parse::<Vec<String>>(&texts.unwrap_or_default());
        texts.map_err(|error| kv(error.to_string()))?.iter().map(|text| record(text)).collect()
    }

    async fn config(&self) -> Result<Option<StoredConfig>, StoreError> {
        let text = self.get(CONFIG).await?;
        text.map(|text| signalbox::json::parse(&text).map_err(|error| StoreError(error.to_string()))).transpose()
    }

    async fn put_config(&self, config: &StoredConfig) -> Result<(), StoreError> {
        self.put(CONFIG, &serde_json::to_string(config).map_err(|error| StoreError(error.to_string()))?).await
    }
}

impl Crypto for EdgePorts {
    async fn verify(&self, key: &PublicKey, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let asked = glue::verify(algorithm.as_str(), &key.jwk(), message, signature);
        Operation::new(asked).await.ok().and_then(Value::into_text).as_deref() == Some("yes")
    }

    async fn sign(&self, seed: &Seed, message: &[u8]) -> Option<[u8; 64]> {
        let signed = Operation::new(glue::sign(seed.expose(), message)).await.ok();
        signed.and_then(Value::into_bytes)?.try_into().ok()
    }

    async fn sign_rs256(&self, key: &RsaKey, message: &[u8]) -> Option<Vec<u8>> {
        Operation::new(glue::sign_rs256(key.expose(), message)).await.ok().and_then(Value::into_bytes)
    }

    async fn public_key(&self, seed: &Seed) -> Option<[u8; 32]> {
        let text = Operation::new(glue::public_key(seed.expose())).await.ok().and_then(Value::into_text)?;
        base64url::decode(&text)?.try_into().ok()
    }

    async fn encrypt(&self, key: &DataKey, nonce: &[u8; 12], about: &[u8], text: &[u8]) -> Option<Vec<u8>> {
        let sealed = glue::cipher("encrypt", key.expose(), nonce, about, text);
        Operation::new(sealed).await.ok().and_then(Value::into_bytes)
    }

    async fn decrypt(&self, key: &DataKey, nonce: &[u8; 12], about: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let text = glue::cipher("decrypt", key.expose(), nonce, about, sealed);
        Operation::new(text).await.ok().and_then(Value::into_bytes)
    }
}

impl EdgePorts {
    /// Sees to it that the end of a request reaches its tenant, with the next admission or soon after.
    fn end(&self, tenant: &str, ended: Ended) {
        if self.ledger.end(tenant, ended, self.now()) {
            let ports = self.clone();
            self.spawn(async move {
                ports.sleep(crate::ledger::LINGER).await;
                if let Err(problem) = ports.ledger.flush(ports.now()).await {
                    let line = serde_json::json!({ "event": "store_error", "store": "settle", "problem": problem.0 });
                    ports.log(&line.to_string());
                }
            });
        }
    }
}

impl LedgerStore for EdgePorts {
    async fn admit(&self, tenant: &str, admit: Admit) -> Result<Verdict, StoreError> {
        self.ledger.admit(tenant, admit, self.now()).await
    }

    async fn settle(&self, tenant: &str, settle: Settle) -> Result<(), StoreError> {
        self.end(tenant, Ended { settle: Some(settle), entry: None });
        Ok(())
    }

    async fn post(&self, tenant: &str, posting: Posting) -> Result<(), StoreError> {
        let ledger = posting.entry.shard.clone();
        let ended = Ended { settle: posting.settle, entry: Some(posting.entry) };
        self.end(ledger.as_deref().unwrap_or(tenant), ended);
        Ok(())
    }

    async fn report(&self, tenant: &str, report: Report) -> Result<Vec<Standing>, StoreError> {
        self.ledger.report(tenant, report).await
    }

    async fn pending(&self, tenant: &str, now: Timestamp) -> Result<Vec<Pending>, StoreError> {
        self.ledger.pending(tenant, now).await
    }

    async fn rates(&self, tenant: &str, now: Timestamp) -> Result<Vec<Draw>, StoreError> {
        self.ledger.rates(tenant, now).await
    }

    async fn apply(&self, tenant: &str, commands: Vec<Command>) -> Result<Vec<Reply>, StoreError> {
        self.ledger.call(tenant, commands, self.now()).await
    }
}

impl EdgePorts {
    async fn ask_shelf<T: DeserializeOwned>(&self, shelf: &str, ask: Ask) -> Result<T, StoreError> {
        let problem = |what: String| StoreError(format!("shelf {shelf}: {what}"));
        let question = serde_json::to_string(&Question { now: self.now(), ask });
        let question = question.map_err(|error| problem(error.to_string()))?;
        let answer = Operation::new(glue::shelf(&self.env, shelf, &question)).await.map_err(problem)?;
        signalbox::json::parse(&answer.into_text().unwrap_or_default()).map_err(|error| problem(error.to_string()))
    }
}

impl Records for EdgePorts {
    async fn read_record(&self, shelf: &str, key: &str) -> Result<Option<Record>, StoreError> {
        let found: Vec<Record> = self.ask_shelf(shelf, Ask::Read(key.to_owned())).await?;
        Ok(found.into_iter().next())
    }

    async fn list_records(&self, shelf: &str, range: &Range) -> Result<Vec<Record>, StoreError> {
        self.ask_shelf(shelf, Ask::List(range.clone())).await
    }

    async fn write_records(&self, shelf: &str, writes: Vec<Write>) -> Result<bool, StoreError> {
        self.ask_shelf(shelf, Ask::Write(writes)).await
    }
}

impl Archive for EdgePorts {
    fn has_archive(&self) -> bool {
        glue::binding(&self.env, "ARCHIVE.put").is_some()
    }

    async fn put_object(&self, name: &str, text: String) -> Result<(), StoreError> {
        let put = Operation::new(glue::put_object(&self.env, name, &text)).await;
        put.map(drop).map_err(|error| StoreError(format!("R2: {error}")))
    }
}
