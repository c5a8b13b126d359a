//! The core's ports over a Worker: fetch, KV, a Durable Object, the clock.

use crate::glue::{self, Upstream};
use crate::ledger::Client;
use bytes::Bytes;
use js_sys::{Date, Uint8Array};
use signalbox::gateway::keys::KeyRecord;
use signalbox::gateway::ledger::{Admit, Report, Settle, Standing, Verdict};
use signalbox::ports::{
    Body, Clock, Directory, Incoming, LedgerStore, Outgoing, SendError, StoreError, StoredConfig, Transport,
};
use signalbox::units::{Millis, Timestamp};
use std::borrow::Cow;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::future_to_promise;
use worker::kv::KvStore;
use worker::{Delay, Env};

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
        Delay::from(Duration::from_millis(span.0.min(i32::MAX as u64))).await;
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        glue::wait_until(&future_to_promise(async move {
            task.await;
            Ok(JsValue::UNDEFINED)
        }));
    }

    fn log(&self, line: &str) {
        worker::console_log!("{line}");
    }
}

/// Headers of a provider's answer that the core reads.
const READ: [&str; 4] = ["content-type", "content-length", "retry-after", "retry-after-ms"];

impl Transport for EdgePorts {
    type Body = EdgeBody;

    async fn send(&self, call: Outgoing) -> Result<Incoming<EdgeBody>, SendError> {
        let mut body = EdgeBody { upstream: Upstream::new(), length: None, over: false };
        let bytes = Uint8Array::from(call.body.as_slice());
        let status = body.upstream.send(&call.url, &glue::lines(&call.headers), bytes, call.forward).await;
        let status = status.map_err(|error| {
            body.over = true;
            // fetch does not say how far it came: only what provably never left is unreachable.
            SendError::Broken(glue::message(&error))
        })?;
        let headers: Vec<_> =
            READ.iter().filter_map(|name| Some((Cow::Borrowed(*name), body.upstream.header(name)?))).collect();
        body.length =
            headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
        Ok(Incoming { status: status.as_f64().unwrap_or_default() as u16, headers, body })
    }
}

/// A provider's body. Dropping it before its end aborts the call.
#[derive(Debug)]
pub(crate) struct EdgeBody {
    upstream: Upstream,
    length: Option<usize>,
    over: bool,
}

impl EdgeBody {
    /// The call, for a body that is forwarded natively.
    pub(crate) fn upstream(&self) -> Upstream {
        self.upstream.clone()
    }
}

impl Body for EdgeBody {
    async fn chunk(&mut self) -> Result<Option<Bytes>, SendError> {
        match self.upstream.read().await {
            Ok(piece) => match piece.dyn_ref::<Uint8Array>() {
                Some(bytes) => Ok(Some(bytes.to_vec().into())),
                None => {
                    self.over = true;
                    Ok(None)
                }
            },
            Err(error) => {
                self.over = true;
                Err(SendError::Broken(glue::message(&error)))
            }
        }
    }

    async fn whole(&mut self, limit: usize) -> Result<Option<Bytes>, SendError> {
        match self.length {
            Some(length) if length <= limit => {
                let whole = self.upstream.whole().await;
                self.over = true;
                let whole = whole.map_err(|error| SendError::Broken(glue::message(&error)))?;
                Ok(Some(Uint8Array::new(&whole).to_vec().into()))
            }
            Some(_) => Ok(None),
            None => signalbox::ports::collect(self, limit).await,
        }
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
    fn kv(&self) -> Result<KvStore, StoreError> {
        self.env.kv("CONFIG").map_err(|error| StoreError(format!("the KV binding CONFIG is missing: {error}")))
    }

    async fn get(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.kv()?.get(name).text().await.map_err(kv)
    }

    async fn put(&self, name: &str, text: &str) -> Result<(), StoreError> {
        self.kv()?.put(name, text).map_err(kv)?.execute().await.map_err(kv)
    }
}

fn kv(error: worker::kv::KvError) -> StoreError {
    StoreError(format!("KV: {error}"))
}

fn record(text: &str) -> Result<KeyRecord, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError(format!("a stored key cannot be read: {error}")))
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
        let kv_store = self.kv()?;
        let (mut keys, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let mut list = kv_store.list().prefix(KEY.to_owned());
            if let Some(cursor) = cursor.take() {
                list = list.cursor(cursor);
            }
            let page = list.execute().await.map_err(kv)?;
            for name in &page.keys {
                // Listed and gone meanwhile is no key.
                if let Some(text) = self.get(&name.name).await? {
                    keys.push(record(&text)?);
                }
            }
            match page.cursor {
                Some(next) if !page.list_complete => cursor = Some(next),
                Some(_) | None => return Ok(keys),
            }
        }
    }

    async fn config(&self) -> Result<Option<StoredConfig>, StoreError> {
        let text = self.get(CONFIG).await?;
        text.map(|text| serde_json::from_str(&text).map_err(|error| StoreError(error.to_string()))).transpose()
    }

    async fn put_config(&self, config: &StoredConfig) -> Result<(), StoreError> {
        self.put(CONFIG, &serde_json::to_string(config).map_err(|error| StoreError(error.to_string()))?).await
    }
}

impl LedgerStore for EdgePorts {
    async fn admit(&self, tenant: &str, admit: Admit) -> Result<Verdict, StoreError> {
        self.ledger.admit(tenant, admit).await
    }

    async fn settle(&self, tenant: &str, settle: Settle) -> Result<(), StoreError> {
        if self.ledger.settle(tenant, settle, self.now()) {
            let ports = self.clone();
            self.spawn(async move {
                ports.sleep(crate::ledger::LINGER).await;
                if let Err(problem) = ports.ledger.flush().await {
                    let line = serde_json::json!({ "event": "store_error", "store": "settle", "problem": problem.0 });
                    ports.log(&line.to_string());
                }
            });
        }
        Ok(())
    }

    async fn report(&self, tenant: &str, report: Report) -> Result<Vec<Standing>, StoreError> {
        self.ledger.report(tenant, report).await
    }
}
