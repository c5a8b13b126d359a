//! The path of a request, and the only place that names all three layers.
//!
//! `authenticate → admit → guardrails → context → cache → route → attempt 1..n → stream → settle`, one way, no loops
//! back. The layers decide; this module only sequences them.

mod accept;
mod adjust;
mod answer;
pub mod attempts;
mod cache;
mod cascade;
mod charge;
mod consult;
mod context;
mod draft;
mod estimate;
mod finish;
mod flight;
mod headers;
mod idempotency;
mod intake;
mod judge;
mod outside;
mod race;
mod refusal;
mod reply;
mod route;
mod serve;
mod settle;
mod shadow;
mod slices;
mod stream;
mod words;

use crate::catalog::Catalog;
use crate::config::{self, BindingName, Retries, Rule};
use crate::dialect::Dialect;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::http::Head;
use crate::ports::Clock;
use crate::proxy::Proxy;
use crate::router::Router;
use crate::secret::Secret;
use crate::transform::Transforms;
use crate::units::{Millis, NanoUsd};
use crate::words::Guards;
use bytes::Bytes;
use std::sync::Arc;

pub use intake::{PATIENCE, body, check_content_type, credential, request_id};
pub use route::dry_run;
pub use serve::serve;
pub use stream::ReplyStream;

/// The three layers and the clock they share.
pub trait Layers: 'static {
    /// Time, randomness, background work, the log.
    type Clock: Clock;
    /// Policy.
    type Gateway: Gateway;
    /// Decision.
    type Router: Router;
    /// Transport.
    type Proxy: Proxy;

    /// The clock.
    fn clock(&self) -> &Self::Clock;
    /// The policy layer.
    fn gateway(&self) -> &Self::Gateway;
    /// The decision layer.
    fn router(&self) -> &Self::Router;
    /// The transport layer.
    fn proxy(&self) -> &Self::Proxy;
}

/// Any three layers, put together.
#[derive(Debug)]
pub struct Stack<C, G, R, X> {
    /// The clock.
    pub clock: C,
    /// The policy layer.
    pub gateway: G,
    /// The decision layer.
    pub router: R,
    /// The transport layer.
    pub proxy: X,
}

impl<C, G, R, X> Layers for Stack<C, G, R, X>
where
    C: Clock + 'static,
    G: Gateway + 'static,
    R: Router + 'static,
    X: Proxy + 'static,
{
    type Clock = C;
    type Gateway = G;
    type Router = R;
    type Proxy = X;

    fn clock(&self) -> &C {
        &self.clock
    }
    fn gateway(&self) -> &G {
        &self.gateway
    }
    fn router(&self) -> &R {
        &self.router
    }
    fn proxy(&self) -> &X {
        &self.proxy
    }
}

/// The layers and what the path itself needs to know.
#[derive(Debug)]
pub struct Pipeline<L> {
    /// The layers.
    pub layers: L,
    /// Prices and limits of models.
    pub catalog: Arc<Catalog>,
    /// Whether and how long answers are kept.
    pub cache: config::Cache,
    /// Names the configuration in force: answers kept under another one are not found.
    pub edition: String,
    /// Which governed definitions requests are given.
    pub context: config::context::Context,
    /// What is looked for in words, and for whom.
    pub guards: Guards,
    /// What is added to requests and what they are held to, and for whom.
    pub transforms: Transforms,
    /// Where guardrails and transformations are attached by what a request is.
    pub rules: Vec<Rule>,
    /// What webhooks know us by.
    pub secrets: Vec<(BindingName, Secret)>,
    /// How failures are retried.
    pub retries: Retries,
    /// The largest request body, in bytes.
    pub max_body_bytes: usize,
    /// What a call is taken to cost that is passed through and whose answer does not tell.
    pub passed_call: NanoUsd,
    /// How long a whole request may take where the caller does not say.
    pub total_timeout: Millis,
}

/// An answer to the caller.
pub struct Reply<L: Layers> {
    /// Status and headers.
    pub head: Head,
    /// What follows.
    pub body: ReplyBody<L>,
}

/// The body of an answer.
pub enum ReplyBody<L: Layers> {
    /// All of it.
    Whole(Bytes),
    /// Events, as they come.
    Stream(Box<ReplyStream<L>>),
}

impl<L: Layers> Reply<L> {
    /// An answer that is complete.
    pub fn whole(head: Head, body: impl Into<Bytes>) -> Reply<L> {
        Reply { head, body: ReplyBody::Whole(body.into()) }
    }
}

/// An error that is answered before the path of a request begins.
pub fn error_reply<L: Layers>(clock: &impl Clock, dialect: Dialect, error: &ApiError) -> Reply<L> {
    let id = intake::request_id(clock);
    let mut head = Head::new(error.code.status(), "application/json");
    headers::identity(&mut head, dialect, &id);
    headers::retry(&mut head, error);
    Reply::whole(head, dialect.write_error(error, &id))
}
