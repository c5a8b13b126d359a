//! The product as a platform serves it: one request in, one reply out.
//!
//! An [`App`] lives as long as its process or isolate. It keeps the last good configuration, takes
//! over a newer one behind the callers' backs, and sends each path where it belongs.

mod administer;
mod console;
mod cors;
mod current;
pub mod endpoints;
mod fleet;
mod gemini;
mod learning;
mod mcp;
mod models;
mod oauth;
#[cfg(test)]
#[path = "openapi/tests.rs"]
mod openapi_tests;
mod setup;

use crate::config::Bindings;
use crate::dialect::Dialect;
use crate::error::{ApiError, Code};
use crate::gateway::{Policy, admin, denial, shards, sync};
use crate::http::Head;
use crate::json::json;
use crate::operation::Operation;
use crate::operation::passthrough::{self, Target};
use crate::pipeline::{self, Reply, Stack};
use crate::ports::{Ports, Request};
use crate::proxy::HttpProxy;
use current::Inner;
use models::Form;
use serde::Serialize;
use setup::Setup;
use std::sync::Arc;

/// The standard layers over a platform's ports.
pub type Standard<P> = Stack<P, Policy<P>, crate::router::Standard, HttpProxy<P>>;

/// The product over a platform's ports. Cloning is cheap and shares everything.
pub struct App<P: Ports> {
    inner: Arc<Inner<P>>,
}

impl<P: Ports> Clone for App<P> {
    fn clone(&self) -> App<P> {
        App { inner: self.inner.clone() }
    }
}

impl<P: Ports> App<P> {
    /// The product configured by `bindings`. Nothing is read from a store yet.
    pub fn new(ports: P, bindings: impl Fn(&str) -> Option<String> + 'static) -> App<P> {
        App { inner: Arc::new(Inner::new(ports, Box::new(bindings))) }
    }

    /// Serves one request. Never fails: whatever goes wrong is an answer in the caller's dialect.
    pub async fn serve<R: Request>(&self, request: R) -> Reply<Standard<P>> {
        let path = request.path().to_owned();
        let method = request.method().to_owned();
        let dialect = dialect_of(&path);
        let setup = match self.inner.setup().await {
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
        if !reply.head.has("x-signalbox-request-id") {
            reply.head.set("x-signalbox-request-id", pipeline::request_id(&self.inner.ports));
        }
        cors.dress(&mut reply.head);
        if reply.head.status == Code::MethodNotAllowed.status()
            && let Some(methods) = endpoints::allowed(&path, &method)
        {
            reply.head.set("allow", methods);
        }
        // After the request: what it taught is told, too.
        fleet::tend(&setup, &self.inner.ports);
        self.inner.sync(&setup);
        self.inner.weigh(&setup);
        reply
    }

    /// What has to be done when nobody calls: a platform asks for it once a minute. Shards give back what they do not need,
    /// records that wait are put into their chains, chains are sealed and archived, and servers of definitions are asked that are due. What fails is logged, and
    /// done the next time.
    pub async fn tend(&self) {
        let Ok(setup) = self.inner.setup().await else { return };
        let (ports, sealing) = (&self.inner.ports, &self.inner.recorder.sealing);
        let days = |team: &str| setup.config.team(team).map(|team| team.audit).unwrap_or_default().retention_days;
        self.inner.recorder.allowances.give_back(ports, false).await;
        let swept = match shards::recall(ports, &setup.config).await {
            Ok(_) => sealing.sweep(ports, days).await,
            Err(problem) => Err(problem),
        };
        if let Err(problem) = swept {
            ports.log(&denial::store_line("checkpoint", &problem));
        }
        if let Err(problem) = sealing.archive(ports).await {
            ports.log(&denial::store_line("archive", &problem));
        }
        sync::due(ports, &setup.sources).await;
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
            ("/v1/route", "POST") => pipeline::dry_run(&setup.pipeline, request).await,
            ("/v1/feedback", "POST") => self.feedback(setup, request).await,
            ("/v1/rerank" | "/v2/rerank", "POST") => pipeline::serve(&setup.pipeline, Operation::Rerank, request).await,
            ("/v1/models", "GET") => self.models(setup, &request, Form::of(&request), None).await,
            ("/v1beta/models", "GET") => self.models(setup, &request, Form::Gemini, None).await,
            ("/health", "GET" | "HEAD") => {
                answer(200, &json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
            }
            ("/mcp", "POST") => self.mcp(setup, request).await,
            ("/oauth/token", "POST") => self.token(setup, request).await,
            ("/console" | "/console/" | "/console/login" | "/console/callback" | "/console/session", "GET")
            | ("/console/logout", "POST") => self.console(setup, path, request).await,
            ("/.well-known/jwks.json", "GET") => self.jwks().await,
            ("/.well-known/oauth-authorization-server", "GET") => self.metadata(setup),
            ("/config.schema.json", "GET") => answer(200, &crate::config::schema()),
            ("/openapi.json", "GET") => {
                Reply::whole(Head::new(200, "application/json"), endpoints::OPENAPI.as_bytes().to_vec())
            }
            (path, method) if endpoints::is_known(path) => self.refused(dialect, path, method),
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
            (path, method) if endpoints::allowed(path, method).is_some() => self.refused(dialect, path, method),
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

    fn refused(&self, dialect: Dialect, path: &str, method: &str) -> Reply<Standard<P>> {
        self.error(dialect, &ApiError::new(Code::MethodNotAllowed, format!("{path} does not support {method}.")))
    }

    fn error(&self, dialect: Dialect, error: &ApiError) -> Reply<Standard<P>> {
        pipeline::error_reply(&self.inner.ports, dialect, error)
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
    failed(path, request_id, &error)
}

/// An error that only the platform could notice, in the dialect of the path it happened on.
pub fn failed(path: &str, request_id: &str, error: &ApiError) -> (Head, Vec<u8>) {
    let mut head = Head::new(error.code.status(), "application/json");
    head.set("x-signalbox-request-id", request_id);
    (head, dialect_of(path).write_error(error, request_id))
}
