//! Streams: server-sent events, each with a piece of text, calls, or the usage, ended by `[DONE]`.

use super::wire::{AnswerWire, first_error};
use crate::dialect::ir::{BlockKind, Delta, Event, FinishReason};
use crate::dialect::text::{Repaired, repair};
use crate::dialect::{UpstreamError, openai_chat};

/// No answer has more calls; a hostile stream must not grow our state without end.
const MOST: u64 = 256;

/// The state of a stream, or of one that turned out to be in OpenAI's form.
#[derive(Debug)]
pub(in crate::dialect) enum Decode {
    Own(Own),
    OpenAi(Box<openai_chat::stream::Decode>),
}

impl Default for Decode {
    fn default() -> Decode {
        Decode::Own(Own::default())
    }
}

#[derive(Debug, Default)]
pub(in crate::dialect) struct Own {
    phase: Phase,
    next: u64,
    calls: u64,
    /// The open block of text.
    text: Option<u64>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Before,
    Running,
    Failed,
    Ended,
}

impl Decode {
    /// Takes one event of the stream.
    pub(in crate::dialect) fn event(&mut self, name: &str, data: &str, out: &mut Vec<Event>) {
        if let Decode::Own(own) = self {
            let answer = crate::json::parse::<AnswerWire<'_>>(data);
            let choices = own.phase == Phase::Before && answer.as_ref().is_ok_and(|answer| answer.choices.is_some());
            if !choices {
                return own.event(data, answer.ok(), out);
            }
            *self = Decode::OpenAi(Box::default());
        }
        if let Decode::OpenAi(decode) = self {
            decode.event(name, data, out);
        }
    }

    /// The stream is broken: tells it once.
    pub(in crate::dialect) fn fail(&mut self, error: UpstreamError, out: &mut Vec<Event>) {
        match self {
            Decode::Own(own) => own.fail(error, out),
            Decode::OpenAi(decode) => decode.fail(error, out),
        }
    }

    /// The body has ended: too early, unless `[DONE]` has come.
    pub(in crate::dialect) fn end_of_body(&mut self, out: &mut Vec<Event>) {
        match self {
            Decode::Own(own) => own.fail(UpstreamError::protocol("the stream ended early"), out),
            Decode::OpenAi(decode) => decode.end_of_body(out),
        }
    }
}

impl Own {
    fn event(&mut self, data: &str, answer: Option<AnswerWire<'_>>, out: &mut Vec<Event>) {
        if matches!(self.phase, Phase::Failed | Phase::Ended) {
            return;
        }
        if data.trim() == "[DONE]" {
            return self.end(out);
        }
        match answer {
            Some(answer) => self.take(&answer, out),
            None => match repair(data) {
                Repaired::Object(fixed) => match crate::json::parse::<AnswerWire<'_>>(&fixed) {
                    Ok(answer) => self.take(&answer, out),
                    Err(_) => self.fail(UpstreamError::protocol("an event of the stream has another shape"), out),
                },
                Repaired::Nothing => {}
                Repaired::NotJson => self.fail(UpstreamError::protocol("an event of the stream is not JSON"), out),
            },
        }
    }

    fn fail(&mut self, error: UpstreamError, out: &mut Vec<Event>) {
        if matches!(self.phase, Phase::Before | Phase::Running) {
            self.phase = Phase::Failed;
            out.push(Event::Error(error));
        }
    }

    fn take(&mut self, answer: &AnswerWire<'_>, out: &mut Vec<Event>) {
        if let Some(error) = first_error(answer.errors) {
            return self.fail(UpstreamError::from_event(error.text()), out);
        }
        if let Some(error) = answer.error {
            return self.fail(UpstreamError::from_event(error.get()), out);
        }
        self.start(out);
        if let Some(text) = answer.text() {
            let block = match self.text {
                Some(block) => block,
                None => self.open(BlockKind::Text, out),
            };
            self.text = Some(block);
            out.push(Event::Delta { choice: 0, block, delta: Delta::Text(text) });
        }
        for call in answer.tool_calls.0.iter().filter_map(|call| call.0.as_ref()) {
            let Some((name, arguments)) = call.call().filter(|_| self.calls < MOST) else { continue };
            self.close(out);
            let id = call.id.some().map_or_else(|| format!("call_{}", self.calls), str::to_owned);
            let block = self.open(BlockKind::ToolCall { id, name }, out);
            out.push(Event::Delta { choice: 0, block, delta: Delta::Arguments(arguments) });
            out.push(Event::BlockStop { choice: 0, block });
            self.calls += 1;
        }
        out.extend(answer.usage().map(Event::Usage));
    }

    fn start(&mut self, out: &mut Vec<Event>) {
        if self.phase == Phase::Before {
            self.phase = Phase::Running;
            out.push(Event::Start { id: None, model: None });
        }
    }

    fn open(&mut self, kind: BlockKind, out: &mut Vec<Event>) -> u64 {
        let block = self.next;
        self.next += 1;
        out.push(Event::BlockStart { choice: 0, block, kind });
        block
    }

    fn close(&mut self, out: &mut Vec<Event>) {
        if let Some(block) = self.text.take() {
            out.push(Event::BlockStop { choice: 0, block });
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        self.start(out);
        self.close(out);
        let reason = if self.calls > 0 { FinishReason::ToolCalls } else { FinishReason::Stop };
        out.push(Event::Finish { choice: 0, reason });
        self.phase = Phase::Ended;
        out.push(Event::End);
    }
}
