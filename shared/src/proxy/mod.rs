//! Transport: how the call is made.
//!
//! The proxy ends one HTTP call to one provider: it writes the request in the provider's dialect,
//! sends it, waits for the first content, and hands the answer back in the caller's dialect. It
//! keeps no state and knows no teams, budgets or policies: **it imports neither the gateway nor the
//! router**.

#![allow(async_fn_in_trait, reason = "generic within one thread's executor; see ports")]

mod answer;
mod consult;
pub mod failure;
mod google;
mod http_proxy;
mod live;
pub mod null;
mod operations;
mod passthrough;
mod prompt_cache;
mod request;
mod room;
mod tally;
mod transform;

use crate::config::{ModelId, TimeoutsOverride};
use crate::dialect::{Observed, Warnings};
use crate::http::Head;
use crate::ports::{Body, Outgoing, Whole};
use crate::units::{Millis, Timestamp, Tokens};
use crate::words::Words;
use bytes::Bytes;

pub use consult::Unheard;
pub use failure::{Failure, Retry};
pub use http_proxy::HttpProxy;
pub(crate) use live::frame_whole;
pub use live::{Live, Next};
pub use request::CallerRequest;
pub use room::Room;

/// The transport layer.
pub trait Proxy {
    /// The body of a streamed answer.
    type Body: Body + 'static;

    /// Makes one call. Returns once the answer is complete, or, for a stream, once its first content
    /// is there: until then a failure can still be repaired elsewhere, and nobody has seen anything.
    /// Dropping the future aborts the call.
    async fn call(&self, call: &Call<'_>) -> Result<Answer<Self::Body>, Failure>;

    /// Calls somebody who is no provider, at a place of the configuration: the whole answer, at most `limit` bytes of it
    /// within `patience`. `None`: there was none.
    async fn fetch(&self, call: Outgoing, patience: Millis, limit: usize) -> Option<Whole>;

    /// Whether there is another service that decides.
    fn consults(&self) -> bool {
        false
    }

    /// Puts a question to it: what it answers, unread.
    async fn consult(&self, _question: Vec<u8>) -> Result<Bytes, Unheard> {
        Err(Unheard::NotConfigured)
    }

    /// Whether what it answered was a decision.
    fn judged(&self, _good: bool) {}
}

/// One call to make.
#[derive(Debug)]
pub struct Call<'a> {
    /// What the caller sent.
    pub request: &'a CallerRequest,
    /// Whom to call.
    pub model: &'a ModelId,
    /// The longest answer policy affords; `None` leaves it to the caller and the provider.
    pub max_output_tokens: Option<Tokens>,
    /// The request's id, for the answer's own ids.
    pub request_id: &'a str,
    /// When the whole request must be over.
    pub deadline: Timestamp,
    /// What takes the place of the provider's time limits.
    pub timeouts: TimeoutsOverride,
    /// What every event of a streamed answer goes through; the caller's and the provider's bytes then differ.
    pub words: Option<&'a Words>,
    /// What it writes is counted as it comes, so no platform forwards it by itself.
    pub metered: bool,
}

/// A provider's answer in the caller's dialect.
#[derive(Debug)]
pub struct Answer<B> {
    /// The provider's HTTP status.
    pub status: u16,
    /// What the translation could not carry.
    pub warnings: Warnings,
    /// What its rate limit leaves, where it says.
    pub room: Option<Room>,
    /// Of a call that is passed through, status and headers as the caller gets them.
    pub passed: Option<Head>,
    /// The answer itself.
    pub content: Content<B>,
}

impl<B> Content<B> {
    /// Whether it is a stream under way.
    pub fn is_live(&self) -> bool {
        match self {
            Content::Whole { .. } => false,
            Content::Live(_) => true,
        }
    }
}

/// Whole or streamed.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one for a request, and it is taken apart at once")]
pub enum Content<B> {
    /// A complete answer and what it consumed.
    Whole {
        /// JSON in the caller's dialect.
        body: Bytes,
        /// What it consumed.
        observed: Observed,
        /// The body is a whole stream of events, because the caller asked for a stream.
        stream: bool,
    },
    /// A stream whose first content has arrived.
    Live(Box<Live<B>>),
}
