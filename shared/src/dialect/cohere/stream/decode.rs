//! A provider's stream into events.
//!
//! Pieces of content and tool calls are numbered each on their own. Citations come between the deltas
//! of the text they belong to, or just after its end, so a text stays open until something else begins.

use super::MOST;
use super::wire::{CallWire, DeltaWire, EventWire, MessageWire};
use crate::dialect::UpstreamError;
use crate::dialect::cohere::{citation, error, read_finish};
use crate::dialect::ir::{BlockKind, Delta, Event, FinishReason};
use crate::dialect::text::{Joiner, Repaired, repair};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The state of a stream.
#[derive(Debug, Default)]
pub(in crate::dialect) struct Decode {
    phase: Phase,
    /// The next block's number.
    next: u64,
    words: Option<Words>,
    calls: Vec<Call>,
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
    channel: Channel,
    joiner: Joiner,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channel {
    Text,
    /// Thoughts, and what the model plans to do with the tools.
    Thinking,
}

#[derive(Debug)]
struct Call {
    index: u64,
    block: u64,
    open: bool,
    joiner: Joiner,
}

impl Decode {
    /// Takes one event of the stream.
    pub(in crate::dialect) fn event(&mut self, name: &str, data: &str, out: &mut Vec<Event>) {
        if matches!(self.phase, Phase::Failed | Phase::Ended) {
            return;
        }
        let data = data.trim();
        if data == "[DONE]" {
            // It follows `message-end`, which has told all.
            return self.fail(UpstreamError::protocol("the stream ended early"), out);
        }
        if let Ok(event) = crate::json::parse::<EventWire<'_>>(data) {
            return self.take(name, data, event, false, out);
        }
        match repair(data) {
            Repaired::Object(fixed) => match crate::json::parse::<EventWire<'_>>(&fixed) {
                Ok(event) => self.take(name, &fixed, event, true, out),
                Err(_) => self.fail(UpstreamError::protocol("an event of the stream has another shape"), out),
            },
            Repaired::Nothing => {}
            Repaired::NotJson => self.fail(UpstreamError::protocol("an event of the stream is not JSON"), out),
        }
    }

    /// The stream is broken: tells it once.
    pub(in crate::dialect) fn fail(&mut self, error: UpstreamError, out: &mut Vec<Event>) {
        if matches!(self.phase, Phase::Before | Phase::Running) {
            self.phase = Phase::Failed;
            out.push(Event::Error(error));
        }
    }

    /// The body has ended: too early, unless `message-end` has come.
    pub(in crate::dialect) fn end_of_body(&mut self, out: &mut Vec<Event>) {
        self.fail(UpstreamError::protocol("the stream ended early"), out);
    }

    fn take(&mut self, name: &str, data: &str, event: EventWire<'_>, repaired: bool, out: &mut Vec<Event>) {
        let kind = event.kind.some().unwrap_or(name);
        let index = event.index.0.unwrap_or(0);
        match kind {
            "message-start" => self.start(event.id.some(), out),
            "content-start" | "content-delta" | "tool-plan-delta" => {
                self.start(None, out);
                self.say(message(event.delta.0), repaired, out);
            }
            "tool-call-start" => {
                self.start(None, out);
                self.open_call(index, message(event.delta.0).tool_calls.0.unwrap_or_default(), repaired, out);
            }
            "tool-call-delta" => {
                let function = message(event.delta.0).tool_calls.0.and_then(|call| call.function.0);
                if let Some(text) = function.and_then(|function| function.arguments.into_some()) {
                    self.grow_call(index, text, repaired, out);
                }
            }
            "tool-call-end" => {
                if let Some(call) = self.calls.iter_mut().rfind(|call| call.index == index && call.open) {
                    call.close(out);
                }
            }
            "citation-start" => self.cite(message(event.delta.0).citations, out),
            "message-end" => self.end(event.delta.0.unwrap_or_default(), out),
            // `content-end`, `citation-end`, `debug`, and whatever comes to exist.
            _ if name == "error" || (event.kind.some().is_none() && event.message.some().is_some()) => {
                self.fail(UpstreamError::from_event(data), out);
            }
            _ => {}
        }
    }

    fn start(&mut self, id: Option<&str>, out: &mut Vec<Event>) {
        if self.phase == Phase::Before {
            self.phase = Phase::Running;
            out.push(Event::Start { id: id.map(str::to_owned), model: None });
        }
    }

    fn say(&mut self, message: MessageWire<'_>, repaired: bool, out: &mut Vec<Event>) {
        let content = message.content.0.unwrap_or_default();
        for (channel, text) in [
            (Channel::Thinking, message.tool_plan),
            (Channel::Thinking, content.thinking),
            (Channel::Text, content.text),
        ] {
            if let Some(text) = text.into_some() {
                self.add(channel, text, repaired, out);
            }
        }
    }

    fn add(&mut self, channel: Channel, text: Cow<'_, str>, repaired: bool, out: &mut Vec<Event>) {
        if self.words.as_ref().is_none_or(|words| words.channel != channel) {
            self.close_words(out);
            let block = self.number();
            let kind = match channel {
                Channel::Text => BlockKind::Text,
                Channel::Thinking => BlockKind::Thinking,
            };
            out.push(Event::BlockStart { choice: 0, block, kind });
            self.words = Some(Words { block, channel, joiner: Joiner::default() });
        }
        if let Some(words) = &mut self.words {
            let text = words.joiner.pass(text, repaired);
            if !text.is_empty() {
                out.push(Event::Delta { choice: 0, block: words.block, delta: Delta::Text(text) });
            }
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    fn close_words(&mut self, out: &mut Vec<Event>) {
        let Some(mut words) = self.words.take() else { return };
        if let Some(text) = words.joiner.flush() {
            out.push(Event::Delta { choice: 0, block: words.block, delta: Delta::Text(text) });
        }
        out.push(Event::BlockStop { choice: 0, block: words.block });
    }

    fn open_call(&mut self, index: u64, call: CallWire<'_>, repaired: bool, out: &mut Vec<Event>) {
        if self.calls.len() >= MOST {
            return;
        }
        self.close_words(out);
        let function = call.function.0.unwrap_or_default();
        let block = self.number();
        let id = call.id.some().map_or_else(|| format!("call_{block}"), str::to_owned);
        let kind = BlockKind::ToolCall { id, name: function.name.some().unwrap_or_default().to_owned() };
        out.push(Event::BlockStart { choice: 0, block, kind });
        self.calls.push(Call { index, block, open: true, joiner: Joiner::default() });
        if let Some(text) = function.arguments.into_some() {
            self.grow_call(index, text, repaired, out);
        }
    }

    /// No arguments are `null` in words here, or no words at all.
    fn grow_call(&mut self, index: u64, text: Cow<'_, str>, repaired: bool, out: &mut Vec<Event>) {
        let Some(call) = self.calls.iter_mut().rfind(|call| call.index == index && call.open) else { return };
        let text = call.joiner.pass(text, repaired);
        if !text.is_empty() && text != "null" {
            out.push(Event::Delta { choice: 0, block: call.block, delta: Delta::Arguments(text) });
        }
    }

    fn cite(&mut self, raw: Option<&RawValue>, out: &mut Vec<Event>) {
        let Some(words) = self.words.as_ref().filter(|words| words.channel == Channel::Text) else { return };
        let Some(raw) = raw else { return };
        let several = crate::json::parse::<Vec<&RawValue>>(raw.get()).unwrap_or_else(|_| vec![raw]);
        for (citation, _) in several.into_iter().filter_map(citation::read) {
            out.push(Event::Delta { choice: 0, block: words.block, delta: Delta::Citation(citation) });
        }
    }

    fn end(&mut self, delta: DeltaWire<'_>, out: &mut Vec<Event>) {
        self.start(None, out);
        let usage = delta.usage.0.and_then(|usage| usage.usage()).map(Event::Usage);
        if let Some(error) = error::broken_off(delta.finish_reason.some(), delta.error.some()) {
            self.fail(error, out);
            return out.extend(usage);
        }
        self.close_words(out);
        self.calls.iter_mut().filter(|call| call.open).for_each(|call| call.close(out));
        let unsaid = if self.calls.is_empty() { FinishReason::Stop } else { FinishReason::ToolCalls };
        let reason = delta.finish_reason.some().map_or(unsaid, read_finish);
        out.push(Event::Finish { choice: 0, reason });
        out.extend(usage);
        self.phase = Phase::Ended;
        out.push(Event::End);
    }
}

fn message(delta: Option<DeltaWire<'_>>) -> MessageWire<'_> {
    delta.and_then(|delta| delta.message.0).unwrap_or_default()
}

impl Call {
    fn close(&mut self, out: &mut Vec<Event>) {
        self.open = false;
        if let Some(text) = self.joiner.flush() {
            out.push(Event::Delta { choice: 0, block: self.block, delta: Delta::Arguments(text) });
        }
        out.push(Event::BlockStop { choice: 0, block: self.block });
    }
}
