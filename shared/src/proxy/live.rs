//! A streamed answer under way: the provider's bytes in, the caller's bytes out.

use super::failure::Failure;
use super::transform::Transform;
use crate::dialect::ir::{BlockKind, Delta, Event};
use crate::dialect::{Dialect, Finish, Framing, LARGEST_EVENT, Observed, State, UpstreamError};
use crate::error::{ApiError, Code};
use crate::ports::Body;
use crate::sse::ToArray;
use crate::units::Millis;
use crate::words::Denied;
use bytes::Bytes;
use std::collections::VecDeque;

/// A stream whose first content has arrived.
#[derive(Debug)]
pub struct Live<B> {
    body: B,
    caller: Dialect,
    /// `None` once the stream was ended.
    transform: Option<Transform>,
    /// Ready for the caller, read while waiting for the first content.
    ready: VecDeque<Bytes>,
    idle: Millis,
    over: bool,
    /// The caller's framing, where it is not that of events.
    array: Option<ToArray>,
}

/// The beginning of a stream that nobody has seen yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its text.
    pub text: String,
    /// It calls a tool, or cannot be looked into: it is an answer whatever its text is.
    pub calls_tool: bool,
    /// That is all of it.
    pub over: bool,
}

impl Held {
    fn read(&mut self, events: &[Event]) {
        for event in events {
            if let Event::Delta { delta: Delta::Text(text), .. } = event {
                self.text.push_str(text);
            }
            self.calls_tool |= matches!(event, Event::Delta { delta: Delta::Arguments(_), .. });
            self.calls_tool |= matches!(event, Event::BlockStart { kind: BlockKind::ToolCall { .. }, .. });
        }
    }
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
    pub(super) fn new(body: B, caller: Dialect, framing: Framing, transform: Transform, idle: Millis) -> Live<B> {
        let array = array(framing);
        Live { body, caller, transform: Some(transform), ready: VecDeque::new(), idle, over: false, array }
    }

    /// How long the provider may be silent.
    pub fn idle(&self) -> Millis {
        self.idle
    }

    /// Whether the caller gets the provider's bytes as they are.
    pub fn is_untouched(&self) -> bool {
        self.array.is_none() && self.transform.as_ref().is_some_and(Transform::is_untouched)
    }

    /// Whether a comment may follow the last event. Google's SDK for JavaScript reads streams by a pattern that knows
    /// no comments, and what is passed through is none of our business.
    pub fn takes_comments(&self) -> bool {
        let chat = self.transform.as_ref().is_some_and(Transform::is_chat);
        chat && match self.caller {
            Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::Anthropic => true,
            Dialect::Gemini => false,
        }
    }

    /// The provider's body, for a platform that forwards it natively.
    pub fn body_mut(&mut self) -> &mut B {
        &mut self.body
    }

    /// Reads on until the first content or the end. A stream that fails before that has reached
    /// nobody, so it can still be repaired elsewhere.
    pub(super) async fn open(&mut self) -> Result<(), Failure> {
        while self.state() == State::Waiting && !self.over {
            self.advance().await;
        }
        match self.state() {
            State::Streaming | State::Complete => Ok(()),
            State::Waiting => {
                Err(Failure::upstream(&UpstreamError::protocol("the stream ended before it began"), None))
            }
            State::Failed => {
                let error = self.transform.as_ref().and_then(Transform::error).cloned();
                Err(Failure::upstream(&error.unwrap_or_else(|| UpstreamError::protocol("the stream failed")), None))
            }
        }
    }

    fn state(&self) -> State {
        self.transform.as_ref().map_or(State::Complete, Transform::state)
    }

    /// Bytes of text, thoughts and arguments so far; `None` once no more come.
    pub fn written(&self) -> Option<u64> {
        let transform = self.transform.as_ref().filter(|transform| transform.state() != State::Complete)?;
        Some(transform.written())
    }

    async fn advance(&mut self) {
        let chunk = self.body.chunk().await;
        let Some(transform) = &mut self.transform else { return };
        let out = match chunk {
            Ok(Some(chunk)) => transform.pass(chunk),
            // An end and a break are the same here: what counts is whether the answer was complete.
            Ok(None) | Err(_) => {
                self.over = true;
                transform.flush()
            }
        };
        let out = framed(&mut self.array, out);
        if !out.is_empty() {
            self.ready.push_back(out);
        }
    }

    /// The next bytes; none, where a piece must be [judged](Live::piece) before there are more. A read abandoned midway loses bytes, so whoever stops waiting ends the stream.
    pub async fn next(&mut self) -> Next {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Next::Bytes(bytes);
            }
            if self.is_due() {
                return Next::Bytes(Bytes::new());
            }
            if self.over || self.transform.is_none() {
                return Next::End;
            }
            self.advance().await;
        }
    }

    /// Reads on until there are `wanted` bytes of text, a tool call or the end, and holds everything back: what was
    /// said so far. An answer in another framing than events is not looked into. Not cancel-safe: who stops waiting
    /// must end the stream.
    pub async fn hold(&mut self, wanted: u64) -> Held {
        let mut held = Held { text: String::new(), calls_tool: self.array.is_some(), over: false };
        let (mut decoder, mut seen) = (self.caller.decoder(), 0);
        loop {
            let mut events = Vec::new();
            self.ready.iter().skip(seen).for_each(|bytes| decoder.push(bytes, &mut events));
            seen = self.ready.len();
            held.read(&events);
            held.over = self.over;
            if held.calls_tool || self.over || held.text.len() as u64 >= wanted || self.transform.is_none() {
                return held;
            }
            self.advance().await;
        }
    }

    /// What the caller gets for bytes that the platform read from the body itself; may be nothing.
    pub fn pass(&mut self, bytes: Bytes) -> Bytes {
        let out = self.transform.as_mut().map_or_else(Bytes::new, |transform| transform.pass(bytes));
        framed(&mut self.array, out)
    }

    /// The provider's bytes have ended: what the caller still gets.
    pub fn flush(&mut self) -> Bytes {
        self.over = true;
        let out = self.transform.as_mut().map_or_else(Bytes::new, Transform::flush);
        framed(&mut self.array, out)
    }

    /// Whether a piece of the answer waits to be judged before the caller gets it.
    pub fn is_due(&mut self) -> bool {
        self.transform.as_mut().is_some_and(Transform::is_due)
    }

    /// The texts of that piece.
    pub fn piece(&mut self) -> Vec<String> {
        self.transform.as_mut().map(Transform::piece).unwrap_or_default()
    }

    /// What the caller gets of it: its texts as they were judged, or nothing of it and the end.
    pub fn release(&mut self, judged: Result<Vec<String>, Denied>) -> Bytes {
        let out = self.transform.as_mut().map_or_else(Bytes::new, |transform| transform.release(judged));
        framed(&mut self.array, out)
    }

    /// What was read while waiting for the first content, in the caller's words.
    pub fn opening(&mut self) -> Bytes {
        let mut opening = Vec::new();
        self.ready.drain(..).for_each(|bytes| opening.extend_from_slice(&bytes));
        opening.into()
    }

    /// Takes note of bytes that reached the caller by another way.
    pub fn watch(&mut self, bytes: &[u8]) {
        if let Some(transform) = &mut self.transform {
            transform.watch(bytes);
        }
    }

    /// Ends the stream: what it consumed, and the error event the caller must still get. `error` is
    /// what ended it from our side, if anything did. Only the first call tells anything.
    pub fn end(&mut self, provider: &str, error: Option<ApiError>, request_id: &str) -> (Observed, Option<Bytes>) {
        let untouched = self.transform.as_ref().is_some_and(Transform::is_untouched);
        let has_events = self.transform.as_ref().is_some_and(Transform::has_events);
        let observed = self.transform.take().map(Transform::finish).unwrap_or(NOTHING);
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
        // A picture is not mended by an event in it.
        let event: Option<Bytes> = error.filter(|_| has_events).map(|error| {
            // Forwarded untouched, the provider may have stopped within an event, which must end first.
            let mut bytes = if untouched { b"\n\n".to_vec() } else { Vec::new() };
            bytes.extend(self.caller.write_stream_error(&error, request_id));
            bytes.into()
        });
        let tail = match self.array.take() {
            Some(array) => Some(closed(array, &event.unwrap_or_default())),
            None => event,
        };
        (observed, tail)
    }
}

/// What turns events into the caller's framing, where it is another.
fn array(framing: Framing) -> Option<ToArray> {
    match framing {
        Framing::Events => None,
        Framing::JsonArray => Some(ToArray::new(LARGEST_EVENT)),
    }
}

fn framed(array: &mut Option<ToArray>, events: Bytes) -> Bytes {
    let Some(array) = array else { return events };
    let mut out = Vec::with_capacity(events.len());
    array.push(&events, &mut out);
    out.into()
}

fn closed(mut array: ToArray, events: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(events.len() + 4);
    array.push(events, &mut out);
    array.finish(&mut out);
    out.into()
}

/// A whole stream of events in the caller's framing.
pub(crate) fn frame_whole(framing: Framing, events: Vec<u8>) -> Bytes {
    match array(framing) {
        Some(array) => closed(array, &events),
        None => events.into(),
    }
}

/// What is observed of a stream that was already ended.
const NOTHING: Observed =
    Observed { usage: None, finish: Finish::Truncated, output_bytes: 0, model: None, content_started: false };
