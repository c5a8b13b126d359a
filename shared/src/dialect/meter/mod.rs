//! Watching a stream that is forwarded untouched: usage, failure, end, and how much was produced.
//!
//! Ordinary deltas are not parsed: a light scan counts their bytes. Only events that carry usage, an
//! error, a finish or something unusual are read in full. Over any stream whose ordinary deltas are
//! valid JSON the outcome equals what the full decoder would have said.

mod scan;

pub(super) use scan::{Scan, Value, decoded_length};

use super::codec::reader;
use super::ir::{ChatResponse, Part};
use super::{Dialect, UpstreamError, anthropic, gemini, openai_chat, openai_responses};
use crate::sse;
use crate::usage::Usage;

/// What settlement needs of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// What the provider says was consumed; `None` when it did not say anything believable.
    pub usage: Option<Usage>,
    /// How it ended.
    pub finish: Finish,
    /// Bytes of text, thoughts and arguments produced, for an estimate where usage is missing.
    pub output_bytes: u64,
    /// The model as the provider names it.
    pub model: Option<String>,
    /// Whether any content came.
    pub content_started: bool,
}

impl Observed {
    /// What settlement needs of a whole answer that was read.
    pub fn of(response: &ChatResponse) -> Observed {
        let parts = response.choices.iter().flat_map(|choice| &choice.content);
        let bytes = parts.map(|part| match part {
            Part::Text { text, .. } | Part::Refusal(text) | Part::Thinking { text, .. } => text.len(),
            Part::ToolCall { arguments, .. } => arguments.as_text().len(),
            Part::Media(_) | Part::RedactedThinking(_) | Part::ToolResult { .. } | Part::Opaque { .. } => 0,
        });
        let output_bytes = bytes.sum::<usize>() as u64;
        Observed {
            usage: response.usage,
            finish: Finish::Complete,
            output_bytes,
            model: response.model.clone(),
            content_started: output_bytes > 0,
        }
    }
}

/// How an answer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finish {
    /// As it should.
    Complete,
    /// The provider told of a failure, or sent something that is no event of its dialect.
    Error(UpstreamError),
    /// It broke off.
    Truncated,
}

/// How far a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No content yet: another provider could still be tried.
    Waiting,
    /// Content has come.
    Streaming,
    /// It failed, before or amid content.
    Failed,
    /// It has come to its end.
    Complete,
}

/// What every watcher keeps.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) usage: Option<Usage>,
    pub(super) output_bytes: u64,
    pub(super) model: Option<String>,
    pub(super) content_started: bool,
    pub(super) error: Option<UpstreamError>,
    pub(super) ended: bool,
}

impl Tally {
    pub(super) fn fail(&mut self, error: UpstreamError) {
        if self.error.is_none() && !self.ended {
            self.error = Some(error);
        }
    }

    pub(super) fn produced(&mut self, bytes: usize) {
        self.output_bytes += bytes as u64;
        self.content_started |= bytes > 0;
    }
}

/// Watches a stream. Push what is forwarded; ask [`Meter::state`] at any time.
#[derive(Debug)]
pub struct Meter {
    reader: sse::Reader,
    watch: Watch,
}

#[derive(Debug)]
enum Watch {
    OpenAiChat(openai_chat::stream::Watch),
    Anthropic(anthropic::stream::Watch),
    OpenAiResponses(Box<openai_responses::stream::Watch>),
    Gemini(gemini::stream::Watch),
}

impl Watch {
    fn event(&mut self, event: sse::Event<'_>) {
        match self {
            Watch::OpenAiChat(watch) => watch.event(event.name, event.data),
            Watch::Anthropic(watch) => watch.event(event.name, event.data),
            Watch::OpenAiResponses(watch) => watch.event(event.name, event.data),
            Watch::Gemini(watch) => watch.event(event.data),
        }
    }

    fn tally(&self) -> &Tally {
        match self {
            Watch::OpenAiChat(watch) => &watch.tally,
            Watch::Anthropic(watch) => &watch.tally,
            Watch::OpenAiResponses(watch) => &watch.tally,
            Watch::Gemini(watch) => &watch.tally,
        }
    }

    /// The tally, and whether a body that ends here was complete.
    fn finish(self) -> (Tally, bool) {
        match self {
            Watch::OpenAiChat(watch) => watch.finish(),
            Watch::Anthropic(watch) => watch.finish(),
            Watch::OpenAiResponses(watch) => watch.finish(),
            Watch::Gemini(watch) => watch.finish(),
        }
    }
}

impl Meter {
    pub(super) fn new(dialect: Dialect) -> Meter {
        let watch = match dialect {
            Dialect::OpenAiChat => Watch::OpenAiChat(openai_chat::stream::Watch::default()),
            Dialect::Anthropic => Watch::Anthropic(anthropic::stream::Watch::default()),
            Dialect::OpenAiResponses => Watch::OpenAiResponses(Box::default()),
            Dialect::Gemini => Watch::Gemini(gemini::stream::Watch::default()),
        };
        Meter { reader: reader(), watch }
    }

    /// Takes the next bytes of the body, cut anywhere.
    pub fn push(&mut self, bytes: &[u8]) {
        self.reader.push(bytes);
        while let Some(event) = self.reader.next() {
            match event {
                Ok(event) => self.watch.event(event),
                Err(error) => match &mut self.watch {
                    Watch::OpenAiChat(watch) => watch.tally.fail(UpstreamError::protocol(&error.to_string())),
                    Watch::Anthropic(watch) => watch.tally.fail(UpstreamError::protocol(&error.to_string())),
                    Watch::OpenAiResponses(watch) => watch.tally.fail(UpstreamError::protocol(&error.to_string())),
                    Watch::Gemini(watch) => watch.tally.fail(UpstreamError::protocol(&error.to_string())),
                },
            }
        }
    }

    /// How far the stream is.
    pub fn state(&self) -> State {
        let tally = self.watch.tally();
        match tally {
            Tally { error: Some(_), .. } => State::Failed,
            Tally { ended: true, .. } => State::Complete,
            Tally { content_started: true, .. } => State::Streaming,
            Tally { .. } => State::Waiting,
        }
    }

    /// Bytes of text, thoughts and arguments so far.
    pub fn written(&self) -> u64 {
        self.watch.tally().output_bytes
    }

    /// The failure, as soon as it is known.
    pub fn error(&self) -> Option<&UpstreamError> {
        self.watch.tally().error.as_ref()
    }

    /// The body has ended, or nobody listens any more.
    pub fn finish(mut self) -> Observed {
        if let Some(event) = self.reader.finish()
            && (event.data.trim() == "[DONE]" || crate::json::parse::<serde::de::IgnoredAny>(event.data).is_ok())
        {
            self.watch.event(event);
        }
        let (tally, complete) = self.watch.finish();
        let finish = match tally.error {
            Some(error) => Finish::Error(error),
            None if complete => Finish::Complete,
            None => Finish::Truncated,
        };
        Observed {
            usage: tally.usage,
            finish,
            output_bytes: tally.output_bytes,
            model: tally.model,
            content_started: tally.content_started,
        }
    }
}
