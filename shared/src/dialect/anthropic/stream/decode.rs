//! A provider's stream into events.

use super::MOST_OPEN;
use super::wire::{BlockWire, DeltaWire, EventWire, Kind, MessageWire, RawDelta};
use crate::dialect::anthropic::usage::UsageWire;
use crate::dialect::anthropic::{citation, read_stop};
use crate::dialect::ir::{BlockKind, Delta, Event, FinishReason, Json, Seal};
use crate::dialect::text::{Joiner, Repaired, repair, stand_in_for_surrogates};
use crate::dialect::{Dialect, UpstreamError};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The state of a stream.
#[derive(Debug, Default)]
pub(in crate::dialect) struct Decode {
    phase: Phase,
    blocks: Vec<Block>,
    /// The next block's number.
    next: u64,
    usage: UsageWire,
    calls: bool,
    finished: bool,
    /// The event at hand holds stand-ins for surrogates.
    repaired: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Before,
    Running,
    Failed,
    Ended,
}

/// An open block.
#[derive(Debug)]
struct Block {
    /// The provider's number.
    index: u64,
    /// Ours.
    block: u64,
    kind: Kind,
    /// Arguments the block came with; they count only when no piece follows.
    arguments: Option<String>,
    joiner: Joiner,
}

impl Decode {
    /// Takes one event of the stream.
    pub(in crate::dialect) fn event(&mut self, name: &str, data: &str, out: &mut Vec<Event>) {
        if matches!(self.phase, Phase::Failed | Phase::Ended) {
            return;
        }
        self.repaired = false;
        if let Ok(event) = crate::json::parse::<EventWire<'_>>(data) {
            return self.take(name, data, event, out);
        }
        match repair(data) {
            Repaired::Object(fixed) => match crate::json::parse::<EventWire<'_>>(&fixed) {
                Ok(event) => {
                    self.repaired = true;
                    self.take(name, &fixed, event, out);
                }
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

    /// The body has ended. Without `message_stop` it is complete if the stop reason was told.
    pub(in crate::dialect) fn end_of_body(&mut self, out: &mut Vec<Event>) {
        if self.phase == Phase::Running && self.finished {
            self.end(out);
        } else {
            self.fail(UpstreamError::protocol("the stream ended early"), out);
        }
    }

    fn take(&mut self, name: &str, data: &str, event: EventWire<'_>, out: &mut Vec<Event>) {
        match event.kind.some().unwrap_or(name) {
            "message_start" => {
                if let Some(message) = event.message.0 {
                    self.start(message, out);
                }
            }
            "content_block_start" => {
                if let Some(raw) = event.content_block {
                    self.ensure_started(out);
                    self.open(event.index.0.unwrap_or(self.next), raw, out);
                }
            }
            "content_block_delta" => {
                if let Some(delta) = event.delta.0 {
                    self.ensure_started(out);
                    self.grow(event.index.0.unwrap_or(0), delta, data, out);
                }
            }
            "content_block_stop" => {
                if let Some(place) = self.blocks.iter().position(|block| Some(block.index) == event.index.0) {
                    self.blocks.remove(place).close(out);
                }
            }
            "message_delta" => {
                self.ensure_started(out);
                self.message_delta(event, out);
            }
            "message_stop" => self.end(out),
            "error" => {
                let error = event
                    .error
                    .map_or_else(|| UpstreamError::from_event("null"), |raw| UpstreamError::from_event(raw.get()));
                self.fail(error, out);
            }
            // `ping`, and whatever comes to exist.
            _ => {}
        }
    }

    fn ensure_started(&mut self, out: &mut Vec<Event>) {
        if self.phase == Phase::Before {
            self.phase = Phase::Running;
            out.push(Event::Start { id: None, model: None });
        }
    }

    fn start(&mut self, message: MessageWire<'_>, out: &mut Vec<Event>) {
        if self.phase != Phase::Before {
            return;
        }
        self.phase = Phase::Running;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        out.push(Event::Start { id: owned(message.id.some()), model: owned(message.model.some()) });
        for (index, raw) in message.content.0.into_iter().enumerate() {
            self.open(index as u64, raw, out);
        }
        if let Some(usage) = message.usage.0 {
            self.usage.merge(usage);
            out.extend(self.usage.usage().map(Event::Usage));
        }
        if let Some(word) = message.stop_reason.some() {
            self.finish(read_stop(word, None), out);
        }
    }

    fn open(&mut self, index: u64, raw: &RawValue, out: &mut Vec<Event>) {
        if self.blocks.len() >= MOST_OPEN || self.blocks.iter().any(|block| block.index == index) {
            return;
        }
        let block = self.next;
        self.next += 1;
        let fixed = stand_in_for_surrogates(raw.get());
        let repaired = self.repaired || fixed.is_some();
        let wire: Option<BlockWire<'_>> = crate::json::parse(fixed.as_deref().unwrap_or(raw.get())).ok();
        let kind = wire.as_ref().map_or(Kind::Other, BlockWire::opens);
        let shown = match (kind, &wire) {
            (Kind::Text, _) => BlockKind::Text,
            (Kind::Thinking, _) => BlockKind::Thinking,
            (Kind::Call, Some(wire)) => {
                self.calls = true;
                let id = wire.id.some().map_or_else(|| format!("toolu_{block}"), str::to_owned);
                BlockKind::ToolCall { id, name: wire.name.some().unwrap_or_default().to_owned() }
            }
            (Kind::Other, Some(wire)) if wire.kind.some() == Some("redacted_thinking") => {
                BlockKind::RedactedThinking(Seal::anthropic(wire.data.some().unwrap_or_default()))
            }
            (Kind::Call | Kind::Other, _) => BlockKind::Opaque { origin: Dialect::Anthropic, json: Json::from(raw) },
        };
        out.push(Event::BlockStart { choice: 0, block, kind: shown });
        let mut open = Block { index, block, kind, arguments: None, joiner: Joiner::default() };
        if let Some(wire) = wire {
            open.arguments = wire.arguments().filter(|_| kind == Kind::Call).map(str::to_owned);
            let words = match kind {
                Kind::Text => wire.text,
                Kind::Thinking => wire.thinking,
                Kind::Call | Kind::Other => Default::default(),
            };
            if let Some(text) = words.into_some() {
                open.words(text, repaired, out);
            }
            if kind == Kind::Text {
                wire.citations.0.into_iter().for_each(|raw| open.cite(raw, out));
            }
            if let Some(signature) = wire.signature.some().filter(|_| kind == Kind::Thinking) {
                open.add(Delta::Signature(Seal::anthropic(signature)), out);
            }
        }
        self.blocks.push(open);
    }

    fn grow(&mut self, index: u64, delta: DeltaWire<'_>, data: &str, out: &mut Vec<Event>) {
        if !self.blocks.iter().any(|block| block.index == index) {
            // A block nobody opened: its deltas tell what it is.
            let opening = match delta.grows() {
                Kind::Text => r#"{"type":"text"}"#,
                Kind::Thinking => r#"{"type":"thinking"}"#,
                Kind::Call | Kind::Other => return,
            };
            if let Ok(raw) = crate::json::parse::<&RawValue>(opening) {
                self.open(index, raw, out);
            }
        }
        let repaired = self.repaired;
        if let Some(block) = self.blocks.iter_mut().find(|block| block.index == index) {
            block.grow(delta, data, repaired, out);
        }
    }

    fn message_delta(&mut self, event: EventWire<'_>, out: &mut Vec<Event>) {
        if let Some(delta) = event.delta.0
            && let Some(word) = delta.stop_reason.some()
        {
            self.finish(read_stop(word, delta.stop_sequence.some().map(str::to_owned)), out);
        }
        if let Some(usage) = event.usage.0 {
            self.usage.merge(usage);
            out.extend(self.usage.usage().map(Event::Usage));
        }
    }

    fn finish(&mut self, reason: FinishReason, out: &mut Vec<Event>) {
        for block in std::mem::take(&mut self.blocks) {
            block.close(out);
        }
        self.finished = true;
        out.push(Event::Finish { choice: 0, reason });
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        self.ensure_started(out);
        if !self.finished {
            let reason = if self.calls { FinishReason::ToolCalls } else { FinishReason::Stop };
            self.finish(reason, out);
        }
        for block in std::mem::take(&mut self.blocks) {
            block.close(out);
        }
        self.phase = Phase::Ended;
        out.push(Event::End);
    }
}

impl Block {
    fn add(&self, delta: Delta, out: &mut Vec<Event>) {
        out.push(Event::Delta { choice: 0, block: self.block, delta });
    }

    fn words(&mut self, text: Cow<'_, str>, repaired: bool, out: &mut Vec<Event>) {
        let text = self.joiner.pass(text, repaired);
        if !text.is_empty() {
            self.add(Delta::Text(text), out);
        }
    }

    fn cite(&mut self, raw: &RawValue, out: &mut Vec<Event>) {
        if let Some(citation) = citation::read(raw) {
            self.add(Delta::Citation(citation), out);
        }
    }

    fn grow(&mut self, delta: DeltaWire<'_>, data: &str, repaired: bool, out: &mut Vec<Event>) {
        match (self.kind, delta.kind.some()) {
            (Kind::Text, Some("text_delta")) => {
                if let Some(text) = delta.text.into_some() {
                    self.words(text, repaired, out);
                }
            }
            (Kind::Text, Some("citations_delta")) => {
                if let Some(raw) = delta.citation {
                    self.cite(raw, out);
                }
            }
            (Kind::Thinking, Some("thinking_delta")) => {
                if let Some(text) = delta.thinking.into_some() {
                    self.words(text, repaired, out);
                }
            }
            (Kind::Thinking, Some("signature_delta")) => {
                if let Some(signature) = delta.signature.some() {
                    self.add(Delta::Signature(Seal::anthropic(signature)), out);
                }
            }
            // What a provider's own tool is given comes in the same pieces.
            (Kind::Call | Kind::Other, Some("input_json_delta")) => {
                if let Some(piece) = delta.partial_json.into_some() {
                    self.arguments = None;
                    let piece = self.joiner.pass(piece, repaired);
                    self.add(Delta::Arguments(piece), out);
                }
            }
            (Kind::Other, Some(_)) => {
                if let Ok(raw) = crate::json::parse::<RawDelta<'_>>(data) {
                    self.add(Delta::Opaque(Json::from(raw.delta)), out);
                }
            }
            (Kind::Text | Kind::Thinking | Kind::Call | Kind::Other, _) => {}
        }
    }

    fn close(mut self, out: &mut Vec<Event>) {
        if let Some(text) = self.joiner.flush() {
            let delta = match self.kind {
                Kind::Call | Kind::Other => Delta::Arguments(text),
                Kind::Text | Kind::Thinking => Delta::Text(text),
            };
            self.add(delta, out);
        }
        if let Some(arguments) = self.arguments.take() {
            self.add(Delta::Arguments(arguments), out);
        }
        out.push(Event::BlockStop { choice: 0, block: self.block });
    }
}
