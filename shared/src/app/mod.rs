//! The product as a platform serves it: one request in, one reply out.
//!
//! An [`App`] lives as long as its process or isolate. It keeps the last good configuration, takes
//! over a newer one behind the callers' backs, and sends each path where it belongs.

mod cors;
mod gemini;
mod models;
mod setup;

use crate::config::{Bindings, Invalid};
use crate::dialect::Dialect;
use crate::error::{ApiError, Code};
use crate::gateway::admin::{self, Admin};
use crate::gateway::key_cache::KeyCache;
use crate::gateway::keys::Hasher;
use crate::gateway::policy::Keys;
use crate::gateway::{Gateway, Policy};
use crate::http::Head;
use crate::operation::Operation;
use crate::operation::passthrough::{self, Target};
use crate::pipeline::{self, Layers, Reply, Stack};
use crate::ports::{BodyError, Ports, Request, StoredConfig};
use crate::proxy::HttpProxy;
use crate::router::Ordered;
use crate::units::{Millis, Timestamp};
use models::Form;
use serde::Serialize;
use serde_json::json;
use setup::Setup;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The standard layers over a platform's ports.
pub type Standard<P> = Stack<P, Policy<P>, Ordered, HttpProxy<P>>;

/// How old a configuration may be before the store is asked for a newer one, in the background.
const REFRESH_AFTER: Millis = Millis(5_000);

/// The product over a platform's ports. Cloning is cheap and shares everything.
pub struct App<P: Ports> {
    inner: Arc<Inner<P>>,
}

impl<P: Ports> Clone for App<P> {
    fn clone(&self) -> App<P> {
        App { inner: self.inner.clone() }
    }
}

/// Looks a binding's text up.
type LookUp = dyn Fn(&str) -> Option<String>;

struct Inner<P: Ports> {
    ports: P,
    bindings: Box<LookUp>,
    hasher: Option<Hasher>,
    keys: Keys,
    current: Mutex<Current<P>>,
}

struct Current<P: Ports> {
    setup: Option<Arc<Setup<P>>>,
    checked_at: Timestamp,
    refreshing: bool,
}

impl<P: Ports> App<P> {
    /// The product configured by `bindings`. Nothing is read from a store yet.
    pub fn new(ports: P, bindings: impl Fn(&str) -> Option<String> + 'static) -> App<P> {
        let secret = bound(&bindings, "SIGNALBOX_SECRET");
        let current = Current { setup: None, checked_at: Timestamp(0), refreshing: false };
        App {
            inner: Arc::new(Inner {
                ports,
                bindings: Box::new(bindings),
                hasher: secret.and_then(|secret| Hasher::derive(secret.as_bytes())),
                keys: Arc::new(Mutex::new(KeyCache::default())),
                current: Mutex::new(current),
            }),
        }
    }

    /// Serves one request. Never fails: whatever goes wrong is an answer in the caller's dialect.
    pub async fn serve<R: Request>(&self, request: R) -> Reply<Standard<P>> {
        let path = request.path().to_owned();
        let method = request.method().to_owned();
        let dialect = dialect_of(&path);
        let setup = match self.setup().await {
            Ok(setup) => setup,
            Err(error) if path == "/health" => {
                return answer(error.code.status(), &json!({ "status": "not_configured", "message": error.message }));
            }
            Err(error) => return self.error(dialect, &error),
        };
        let cors = cors::Answer::to(&setup.config.cors, &request);
        if let Some(preflight) = cors.preflight(&request) {
            return Reply::whole(preflight, Vec::new());
        }
        let mut reply = self.route(&setup, dialect, &path, &method, request).await;
        cors.dress(&mut reply.head);
        reply
    }

    /// Sends a request where its path belongs.
    async fn route<R: Request>(
        &self,
        setup: &Arc<Setup<P>>,
        dialect: Dialect,
        path: &str,
        method: &str,
        request: R,
    ) -> Reply<Standard<P>> {
        match (path, method) {
            ("/v1/chat/completions" | "/v1/responses" | "/v1/messages", "POST") => {
                pipeline::serve(&setup.pipeline, Operation::Chat(dialect.into()), request).await
            }
            ("/v1/messages/count_tokens", "POST") => {
                pipeline::serve(&setup.pipeline, Operation::CountTokens(dialect.into()), request).await
            }
            ("/v1/completions", "POST") => pipeline::serve(&setup.pipeline, Operation::Completions, request).await,
            ("/v1/embeddings", "POST") => pipeline::serve(&setup.pipeline, Operation::Embeddings, request).await,
            ("/v1/rerank" | "/v2/rerank", "POST") => pipeline::serve(&setup.pipeline, Operation::Rerank, request).await,
            ("/v1/models", "GET") => self.models(setup, &request, Form::of(&request), None).await,
            ("/v1beta/models", "GET") => self.models(setup, &request, Form::Gemini, None).await,
            ("/health", "GET" | "HEAD") => {
                answer(200, &json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
            }
            ("/config.schema.json", "GET") => answer(200, &crate::config::schema()),
            (
                "/v1/chat/completions"
                | "/v1/responses"
                | "/v1/messages"
                | "/v1/messages/count_tokens"
                | "/v1/completions"
                | "/v1/embeddings"
                | "/v1/rerank"
                | "/v2/rerank"
                | "/v1/models"
                | "/v1beta/models"
                | "/health"
                | "/config.schema.json",
                _,
            ) => self
                .error(dialect, &ApiError::new(Code::MethodNotAllowed, format!("{path} does not support {method}."))),
            (path, "POST") if gemini::speaks(path) => match gemini::operation(path, request.query()) {
                Some(operation) => pipeline::serve(&setup.pipeline, operation, request).await,
                None => self.error(dialect, &nowhere()),
            },
            (path, "GET") if path.starts_with("/v1/models/") => {
                let name = path.trim_start_matches("/v1/models/").to_owned();
                self.models(setup, &request, Form::of(&request), Some(&name)).await
            }
            (path, "GET") if path.starts_with("/v1beta/models/") => {
                let name = path.trim_start_matches("/v1beta/models/").to_owned();
                self.models(setup, &request, Form::Gemini, Some(&name)).await
            }
            (path, method) if path.starts_with(passthrough::PREFIX) => {
                match self.target(setup, method, path, request.query()) {
                    Ok(target) => pipeline::serve(&setup.pipeline, Operation::PassThrough(target), request).await,
                    Err(error) => self.error(dialect, &error),
                }
            }
            (path, _) if path.starts_with(admin::PREFIX) => self.admin(setup, request).await,
            _ => self.error(dialect, &nowhere()),
        }
    }

    /// What a call that is passed through is for.
    fn target(&self, setup: &Setup<P>, method: &str, path: &str, query: &str) -> Result<Target, ApiError> {
        match setup.config.passthrough.enabled {
            true => Target::read(method, path, query),
            false => Err(ApiError::new(Code::NotFound, "Pass-through is switched off here (`passthrough.enabled`).")),
        }
    }

    async fn admin<R: Request>(&self, setup: &Arc<Setup<P>>, request: R) -> Reply<Standard<P>> {
        match self.administer(setup, request).await {
            Ok(answered) => {
                let (head, body) = answered.written();
                Reply::whole(head, body)
            }
            Err(error) => self.error(Dialect::OpenAiChat, &error),
        }
    }

    async fn administer<R: Request>(&self, setup: &Arc<Setup<P>>, request: R) -> Result<admin::Answer, ApiError> {
        let admin = Admin {
            ports: self.inner.ports.clone(),
            config: setup.config.clone(),
            hasher: self.inner.hasher.clone(),
            admin_key: bound(&*self.inner.bindings, "SIGNALBOX_ADMIN_KEY"),
            keys: self.inner.keys.clone(),
        };
        let credential = pipeline::credential(&request)?;
        let who = match admin.bootstrap(credential.as_deref())? {
            Some(who) => who,
            None => setup.pipeline.layers.gateway().authenticate(credential.as_deref()).await?,
        };
        let path = request.path().strip_prefix(admin::PREFIX).unwrap_or_default();
        let (route, args) = admin.open(&who, request.method(), path)?;
        let header = |name| request.header(name).map(str::to_owned);
        let asked = admin::Request {
            query: request.query().to_owned(),
            if_match: header("if-match"),
            idempotency_key: header("idempotency-key"),
            body: Vec::new(),
        };
        let body = request.body(admin::MAX_BODY_BYTES).await.map_err(|error| match error {
            BodyError::TooLarge => ApiError::new(Code::TooLarge, "The body is larger than 1 MiB."),
            BodyError::Broken => ApiError::new(Code::InvalidRequest, "The request's body ended early."),
        })?;
        let asked = admin::Request { body, ..asked };
        let mut answered = admin.perform(route, &admin::Ask { who: &who, args: &args, request: &asked }).await?;
        if let Some(config) = answered.config.take() {
            self.inner.take_over(config);
        }
        Ok(answered)
    }

    fn error(&self, dialect: Dialect, error: &ApiError) -> Reply<Standard<P>> {
        pipeline::error_reply(&self.inner.ports, dialect, error)
    }

    /// The configuration in force. The first request of a process waits for it; later ones never do.
    async fn setup(&self) -> Result<Arc<Setup<P>>, ApiError> {
        let now = self.inner.ports.now();
        let (setup, due) = {
            let mut current = self.inner.lock();
            let due = now.since(current.checked_at) > REFRESH_AFTER && !current.refreshing;
            current.refreshing |= due && current.setup.is_some();
            (current.setup.clone(), due)
        };
        match setup {
            Some(setup) => {
                if due {
                    let inner = self.inner.clone();
                    self.inner.ports.spawn(async move { inner.refresh().await });
                }
                Ok(setup)
            }
            None => self.inner.start().await,
        }
    }
}

impl<P: Ports> Inner<P> {
    /// Nothing panics while the lock is held, so a poisoned lock guards good data all the same.
    fn lock(&self) -> MutexGuard<'_, Current<P>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first configuration of this process: the stored document if there is a good one, else the
    /// binding's.
    async fn start(&self) -> Result<Arc<Setup<P>>, ApiError> {
        let stored = self.ports.config().await.unwrap_or_else(|problem| {
            self.ports.log(&json!({ "event": "store_error", "store": "config", "problem": problem.0 }).to_string());
            None
        });
        let at = stored.as_ref().map_or(Timestamp(0), |stored| stored.at);
        let document = stored.and_then(|stored| stored.document);
        let good = document.and_then(|text| match self.build(text, at) {
            Ok(setup) => Some(setup),
            Err(invalid) => {
                self.log_refused("stored", &invalid);
                None
            }
        });
        let setup = match good {
            Some(setup) => setup,
            None => self.build(self.bound_document(), at).map_err(|invalid| {
                self.log_refused("SIGNALBOX_CONFIG", &invalid);
                ApiError::new(
                    Code::NotConfigured,
                    format!("SIGNALBOX_CONFIG is not valid, and there is no earlier configuration to keep: {invalid}"),
                )
            })?,
        };
        Ok(self.install(setup))
    }

    /// Looks for a newer configuration. A store that is down changes nothing.
    async fn refresh(&self) {
        match self.ports.config().await {
            // It may still answer with an older one than was already seen: that is no change.
            Ok(Some(stored)) if !self.has_seen(&stored) => self.take_over(stored),
            Ok(Some(_) | None) | Err(_) => self.touch(),
        }
    }

    fn has_seen(&self, stored: &StoredConfig) -> bool {
        self.lock().setup.as_ref().is_some_and(|setup| stored.at <= setup.stored_at)
    }

    /// Takes a stored configuration over if it is valid; the last good one stays otherwise.
    fn take_over(&self, stored: StoredConfig) {
        let document = stored.document.unwrap_or_else(|| self.bound_document());
        match self.build(document, stored.at) {
            Ok(setup) => {
                self.install(setup);
            }
            Err(invalid) => {
                self.log_refused("stored", &invalid);
                self.touch();
            }
        }
    }

    fn build(&self, document: String, stored_at: Timestamp) -> Result<Setup<P>, Invalid> {
        let (hasher, keys) = (self.hasher.clone(), self.keys.clone());
        Setup::build(&document, stored_at, &self.ports, &*self.bindings, hasher, keys)
    }

    fn bound_document(&self) -> String {
        bound(&*self.bindings, "SIGNALBOX_CONFIG").unwrap_or_default()
    }

    fn install(&self, setup: Setup<P>) -> Arc<Setup<P>> {
        let setup = Arc::new(setup);
        let mut current = self.lock();
        current.setup = Some(setup.clone());
        current.checked_at = self.ports.now();
        current.refreshing = false;
        setup
    }

    fn touch(&self) {
        let mut current = self.lock();
        current.checked_at = self.ports.now();
        current.refreshing = false;
    }

    fn log_refused(&self, source: &str, invalid: &Invalid) {
        self.ports
            .log(&json!({ "event": "config_refused", "source": source, "problems": invalid.problems }).to_string());
    }
}

/// A binding's text; an empty one counts as absent.
fn bound(bindings: &(impl Bindings + ?Sized), name: &str) -> Option<String> {
    bindings.get(name).filter(|text| !text.trim().is_empty())
}

/// The dialect errors of a path are spelled in.
fn dialect_of(path: &str) -> Dialect {
    match path {
        path if path.starts_with("/v1/messages") => Dialect::Anthropic,
        path if path.starts_with("/v1/responses") => Dialect::OpenAiResponses,
        path if gemini::speaks(path) => Dialect::Gemini,
        _ => Dialect::OpenAiChat,
    }
}

fn nowhere() -> ApiError {
    let sentence = "There is nothing at this path. Chat is at /v1/chat/completions and /v1/responses (OpenAI), /v1/messages (Anthropic) and \
        /v1beta/models/{model}:generateContent (Gemini).";
    ApiError::new(Code::NotFound, sentence)
}

fn answer<P: Ports>(status: u16, body: &(impl Serialize + ?Sized)) -> Reply<Standard<P>> {
    let mut head = Head::new(status, "application/json");
    head.set("cache-control", "no-store");
    // Plain data with string keys cannot fail to serialise.
    Reply::whole(head, serde_json::to_vec(body).unwrap_or_default())
}

/// The answer to a request whose handling broke off (a panic), in the dialect of its path.
pub fn broken(path: &str, request_id: &str) -> (Head, Vec<u8>) {
    let error = ApiError::new(
        Code::InternalError,
        "The gateway failed. The fault is logged under this request id; trying again may help.",
    );
    let mut head = Head::new(error.code.status(), "application/json");
    head.set("x-signalbox-request-id", request_id);
    (head, dialect_of(path).write_error(&error, request_id))
}
