//! What a translated stream consumed and how it ended, told from its events.

use crate::dialect::ir::{BlockKind, Delta, Event};
use crate::dialect::{Finish, Observed, State, UpstreamError};

/// Adds up the events of one stream.
#[derive(Debug)]
pub(super) struct Tally(Observed);

impl Default for Tally {
    fn default() -> Tally {
        Tally(Observed { usage: None, finish: Finish::Truncated, output_bytes: 0, model: None, content_started: false })
    }
}

impl Tally {
    pub(super) fn event(&mut self, event: &Event) {
        let seen = &mut self.0;
        match event {
            Event::Start { model, .. } => seen.model.clone_from(model),
            Event::BlockStart { kind, .. } => match kind {
                BlockKind::Text | BlockKind::Refusal | BlockKind::Thinking => {}
                BlockKind::RedactedThinking { .. } | BlockKind::ToolCall { .. } | BlockKind::Opaque { .. } => {
                    seen.content_started = true
                }
            },
            Event::Delta { delta, .. } => {
                let bytes = match delta {
                    Delta::Text(text) | Delta::Arguments(text) => text.len(),
                    Delta::Signature(_) | Delta::Citation(_) | Delta::Opaque(_) => 0,
                };
                seen.output_bytes = seen.output_bytes.saturating_add(bytes as u64);
                seen.content_started = true;
            }
            Event::Usage(usage) => seen.usage = Some(*usage),
            Event::Error(error) => seen.finish = Finish::Error(error.clone()),
            Event::End => seen.finish = Finish::Complete,
            Event::BlockStop { .. } | Event::Logprobs { .. } | Event::Finish { .. } => {}
        }
    }

    pub(super) fn state(&self) -> State {
        match &self.0.finish {
            Finish::Error(_) => State::Failed,
            Finish::Complete => State::Complete,
            Finish::Truncated if self.0.content_started => State::Streaming,
            Finish::Truncated => State::Waiting,
        }
    }

    pub(super) fn written(&self) -> u64 {
        self.0.output_bytes
    }

    pub(super) fn error(&self) -> Option<&UpstreamError> {
        match &self.0.finish {
            Finish::Error(error) => Some(error),
            Finish::Complete | Finish::Truncated => None,
        }
    }

    pub(super) fn finish(self) -> Observed {
        self.0
    }
}
