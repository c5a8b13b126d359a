//! A streamed answer under way: the provider's bytes in, the caller's bytes out.

use super::transform::Transform;
use crate::dialect::{Dialect, Finish, Observed};
use crate::error::{ApiError, Code};
use crate::ports::Body;
use crate::units::Millis;
use bytes::Bytes;
use std::collections::VecDeque;

/// A stream whose first content has arrived.
#[derive(Debug)]
pub struct Live<B> {
    body: B,
    caller: Dialect,
    transform: Transform,
    /// Ready for the caller, read while waiting for the first content.
    ready: VecDeque<Bytes>,
    idle: Millis,
    over: bool,
}

/// What pulling a stream gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Bytes for the caller.
    Bytes(Bytes),
    /// Nothing more comes.
    End,
}

impl<B: Body> Live<B> {
    pub(super) fn new(body: B, caller: Dialect, transform: Transform, idle: Millis) -> Live<B> {
        Live { body, caller, transform, ready: VecDeque::new(), idle, over: false }
    }

    /// How long the provider may be silent.
    pub fn idle(&self) -> Millis {
        self.idle
    }

    /// Whether the caller gets the provider's bytes as they are.
    pub fn is_untouched(&self) -> bool {
        self.transform.is_untouched()
    }

    /// The provider's body, for a platform that forwards it natively.
    pub fn body_mut(&mut self) -> &mut B {
        &mut self.body
    }

    /// Reads on until the first content, a failure or the end.
    pub(super) async fn open(&mut self) {
        while !self.over && !self.observed().content_started && !matches!(self.observed().finish, Finish::Error(_)) {
            self.advance().await;
        }
    }

    /// Whether the provider's bytes have ended.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    async fn advance(&mut self) {
        let out = match self.body.chunk().await {
            Ok(Some(chunk)) => self.transform.pass(chunk),
            // An end and a break are the same here: what counts is whether the answer was complete.
            Ok(None) | Err(_) => {
                self.over = true;
                self.transform.finish()
            }
        };
        if !out.is_empty() {
            self.ready.push_back(out);
        }
    }

    /// The next bytes. A read abandoned midway loses bytes, so whoever stops waiting ends the stream.
    pub async fn next(&mut self) -> Next {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Next::Bytes(bytes);
            }
            if self.over {
                return Next::End;
            }
            self.advance().await;
        }
    }

    /// Takes note of bytes that reached the caller by another way.
    pub fn watch(&mut self, bytes: &[u8]) {
        self.transform.watch(bytes);
    }

    /// What has been seen so far. [`Finish::Truncated`] until the end has been seen.
    pub fn observed(&self) -> &Observed {
        self.transform.observed()
    }

    /// Ends the stream: what it consumed, and the error event the caller must still get. `error` is
    /// what ended it from our side, if anything did.
    pub fn end(&mut self, provider: &str, error: Option<ApiError>, request_id: &str) -> (Observed, Option<Bytes>) {
        self.over = true;
        let observed = self.observed().clone();
        let error = match (&observed.finish, error) {
            (Finish::Complete, _) => None,
            (Finish::Truncated | Finish::Error(_), Some(error)) => Some(error),
            // The provider's own error event, or its translation, has already gone out.
            (Finish::Error(_), None) => None,
            (Finish::Truncated, None) => Some(ApiError::new(
                Code::UpstreamError,
                format!("{provider} broke off in the middle of its answer. What you have is incomplete."),
            )),
        };
        (observed, error.map(|error| self.caller.write_stream_error(&error, request_id).into()))
    }
}
