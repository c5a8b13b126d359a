//! A provider's stream into events. Calls come whole, each in one line.

use super::MOST;
use crate::dialect::UpstreamError;
use crate::dialect::ir::{BlockKind, Delta, Event};
use crate::dialect::ollama::wire::AnswerWire;
use crate::dialect::ollama::{error, read_done, usage};
use crate::dialect::text::{Joiner, Repaired, repair};
use std::borrow::Cow;

/// The state of a stream.
#[derive(Debug, Default)]
pub(in crate::dialect) struct Decode {
    phase: Phase,
    /// The next block's number.
    next: u64,
    calls: u64,
    words: Option<Words>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Before,
    Running,
    Failed,
    Ended,
}

/// The open block of words.
#[derive(Debug)]
struct Words {
    block: u64,
    thinking: bool,
    joiner: Joiner,
}

impl Decode {
    /// Takes one line of the stream.
    pub(in crate::dialect) fn line(&mut self, line: &str, out: &mut Vec<Event>) {
        if matches!(self.phase, Phase::Failed | Phase::Ended) {
            return;
        }
        if let Ok(answer) = crate::json::parse::<AnswerWire<'_>>(line) {
            return self.take(answer, false, out);
        }
        match repair(line) {
            Repaired::Object(fixed) => match crate::json::parse::<AnswerWire<'_>>(&fixed) {
                Ok(answer) => self.take(answer, true, out),
                Err(_) => self.fail(UpstreamError::protocol("a line of the stream has another shape"), out),
            },
            Repaired::Nothing => {}
            Repaired::NotJson => self.fail(UpstreamError::protocol("a line of the stream is not JSON"), out),
        }
    }

    /// The stream is broken: tells it once.
    pub(in crate::dialect) fn fail(&mut self, error: UpstreamError, out: &mut Vec<Event>) {
        if matches!(self.phase, Phase::Before | Phase::Running) {
            self.phase = Phase::Failed;
            out.push(Event::Error(error));
        }
    }

    /// The body has ended: too early, unless the line that is `done` has come.
    pub(in crate::dialect) fn end_of_body(&mut self, out: &mut Vec<Event>) {
        self.fail(UpstreamError::protocol("the stream ended early"), out);
    }

    fn take(&mut self, answer: AnswerWire<'_>, repaired: bool, out: &mut Vec<Event>) {
        if let Some(sentence) = answer.failure() {
            return self.fail(error::told(&sentence), out);
        }
        if self.phase == Phase::Before {
            self.phase = Phase::Running;
            out.push(Event::Start { id: None, model: answer.model.some().map(str::to_owned) });
        }
        let (done, logprobs) = (answer.is_done(), answer.logprobs());
        let message = answer.message.0.unwrap_or_default();
        if let Some(text) = message.thinking.into_some() {
            self.say(true, text, repaired, out);
        }
        if let Some(text) = message.content.into_some() {
            self.say(false, text, repaired, out);
        }
        out.extend(logprobs.map(|json| Event::Logprobs { choice: 0, json }));
        for call in message.tool_calls.0.into_iter().filter_map(|call| call.0) {
            if self.calls == MOST {
                break;
            }
            self.close(out);
            let function = call.function.0.unwrap_or_default();
            let block = self.number();
            let id = call.id.some().map_or_else(|| format!("call_{}", self.calls), str::to_owned);
            let name = function.name.some().unwrap_or_default().to_owned();
            out.push(Event::BlockStart { choice: 0, block, kind: BlockKind::ToolCall { id, name } });
            let delta = Delta::Arguments(function.arguments_text());
            out.push(Event::Delta { choice: 0, block, delta });
            out.push(Event::BlockStop { choice: 0, block });
            self.calls += 1;
        }
        if done {
            self.close(out);
            let reason = read_done(answer.done_reason.some(), self.calls > 0);
            out.push(Event::Finish { choice: 0, reason });
            out.extend(usage::usage(answer.prompt_eval_count, answer.eval_count).map(Event::Usage));
            self.phase = Phase::Ended;
            out.push(Event::End);
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    fn say(&mut self, thinking: bool, text: Cow<'_, str>, repaired: bool, out: &mut Vec<Event>) {
        if self.words.as_ref().is_none_or(|words| words.thinking != thinking) {
            self.close(out);
            let block = self.number();
            let kind = if thinking { BlockKind::Thinking } else { BlockKind::Text };
            out.push(Event::BlockStart { choice: 0, block, kind });
            self.words = Some(Words { block, thinking, joiner: Joiner::default() });
        }
        if let Some(words) = &mut self.words {
            let text = words.joiner.pass(text, repaired);
            if !text.is_empty() {
                out.push(Event::Delta { choice: 0, block: words.block, delta: Delta::Text(text) });
            }
        }
    }

    fn close(&mut self, out: &mut Vec<Event>) {
        let Some(mut words) = self.words.take() else { return };
        if let Some(text) = words.joiner.flush() {
            out.push(Event::Delta { choice: 0, block: words.block, delta: Delta::Text(text) });
        }
        out.push(Event::BlockStop { choice: 0, block: words.block });
    }
}
