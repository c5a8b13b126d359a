//! A provider's stream into events.
//!
//! Text and reasoning blocks are opened by their first delta, tool calls by an event of their own.
//! `messageStop` tells why it ended, `metadata` comes last and tells the usage.

use super::MOST_OPEN;
use super::wire::{CallWire, DeltaWire, EventWire};
use crate::dialect::UpstreamError;
use crate::dialect::bedrock::{citation, read_stop};
use crate::dialect::ir::{BlockKind, Delta, Event, Seal};
use crate::dialect::text::{Joiner, Repaired, repair};
use std::borrow::Cow;

/// The state of a stream.
#[derive(Debug, Default)]
pub(in crate::dialect) struct Decode {
    phase: Phase,
    blocks: Vec<Block>,
    /// The next block's number.
    next: u64,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Before,
    Running,
    /// Why it ended is told; usage may follow.
    Stopped,
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
    joiner: Joiner,
    /// Sealed reasoning, which is told whole.
    sealed: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking,
    Redacted,
    Call,
    /// What the provider's own tools do: nothing a caller could read.
    Hidden,
}

impl Decode {
    /// Takes one event of the stream.
    pub(in crate::dialect) fn event(&mut self, name: &str, payload: &[u8], out: &mut Vec<Event>) {
        if matches!(self.phase, Phase::Failed | Phase::Ended) {
            return;
        }
        let text = String::from_utf8_lossy(payload);
        if let Ok(event) = crate::json::parse::<EventWire<'_>>(&text) {
            return self.take(name, event, false, out);
        }
        match repair(&text) {
            Repaired::Object(fixed) => match crate::json::parse::<EventWire<'_>>(&fixed) {
                Ok(event) => self.take(name, event, true, out),
                Err(_) => self.fail(UpstreamError::protocol("an event of the stream has another shape"), out),
            },
            Repaired::Nothing => {}
            Repaired::NotJson => self.fail(UpstreamError::protocol("an event of the stream is not JSON"), out),
        }
    }

    /// The stream is broken, or the provider told of a failure: tells it once.
    pub(in crate::dialect) fn fail(&mut self, error: UpstreamError, out: &mut Vec<Event>) {
        if !matches!(self.phase, Phase::Failed | Phase::Ended) {
            self.phase = Phase::Failed;
            out.push(Event::Error(error));
        }
    }

    /// The body has ended. Without `metadata` it is complete if the stop reason was told.
    pub(in crate::dialect) fn end_of_body(&mut self, out: &mut Vec<Event>) {
        match self.phase {
            Phase::Stopped => self.end(out),
            Phase::Before | Phase::Running | Phase::Failed | Phase::Ended => {
                self.fail(UpstreamError::protocol("the stream ended early"), out);
            }
        }
    }

    fn take(&mut self, name: &str, event: EventWire<'_>, repaired: bool, out: &mut Vec<Event>) {
        let index = event.content_block_index.0.unwrap_or(0);
        match name {
            "messageStart" => self.start(out),
            "contentBlockStart" => {
                self.start(out);
                let call = event.start.0.and_then(|start| start.tool_use.0);
                self.open_block(index, call, out);
            }
            "contentBlockDelta" => {
                self.start(out);
                if let Some(delta) = event.delta.0 {
                    self.grow(index, delta, repaired, out);
                }
            }
            "contentBlockStop" => {
                if let Some(place) = self.blocks.iter().position(|block| block.index == index) {
                    self.blocks.remove(place).close(out);
                }
            }
            "messageStop" => {
                self.start(out);
                self.close_all(out);
                let sequence =
                    event.additional_model_response_fields.0.and_then(|fields| fields.stop_sequence.into_some());
                let reason = read_stop(event.stop_reason.some().unwrap_or("end_turn"), sequence.map(Cow::into_owned));
                self.phase = Phase::Stopped;
                out.push(Event::Finish { choice: 0, reason });
            }
            "metadata" => {
                self.start(out);
                let tier = event.service_tier.0;
                out.extend(event.usage.0.and_then(|usage| usage.usage(tier)).map(Event::Usage));
                if self.phase == Phase::Stopped {
                    self.end(out);
                }
            }
            // Whatever comes to exist.
            _ => {}
        }
    }

    fn start(&mut self, out: &mut Vec<Event>) {
        if self.phase == Phase::Before {
            self.phase = Phase::Running;
            out.push(Event::Start { id: None, model: None });
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        self.close_all(out);
        self.phase = Phase::Ended;
        out.push(Event::End);
    }

    fn close_all(&mut self, out: &mut Vec<Event>) {
        for block in std::mem::take(&mut self.blocks) {
            block.close(out);
        }
    }

    /// A block with an opening: a call, or something of the provider's own.
    fn open_block(&mut self, index: u64, call: Option<CallWire<'_>>, out: &mut Vec<Event>) {
        let known = self.blocks.iter().any(|block| block.index == index);
        if known || self.blocks.len() >= MOST_OPEN {
            return;
        }
        match call {
            Some(call) if call.kind.some() != Some("server_tool_use") => {
                let block = self.push(index, Kind::Call);
                let id = call.tool_use_id.some().map_or_else(|| format!("tooluse_{block}"), str::to_owned);
                let kind = BlockKind::ToolCall { id, name: call.name.some().unwrap_or_default().to_owned() };
                out.push(Event::BlockStart { choice: 0, block, kind });
            }
            Some(_) | None => {
                self.push(index, Kind::Hidden);
            }
        }
    }

    fn push(&mut self, index: u64, kind: Kind) -> u64 {
        let block = self.next;
        self.next += 1;
        self.blocks.push(Block { index, block, kind, joiner: Joiner::default(), sealed: String::new() });
        block
    }

    fn grow(&mut self, index: u64, delta: DeltaWire<'_>, repaired: bool, out: &mut Vec<Event>) {
        let Some(kind) = delta.kind() else { return };
        if !self.blocks.iter().any(|block| block.index == index) {
            let opening = match kind {
                Kind::Text => Some(BlockKind::Text),
                Kind::Thinking => Some(BlockKind::Thinking),
                Kind::Redacted => None,
                // A call nobody opened has no name.
                Kind::Call | Kind::Hidden => return,
            };
            if self.blocks.len() >= MOST_OPEN {
                return;
            }
            let block = self.push(index, kind);
            out.extend(opening.map(|kind| Event::BlockStart { choice: 0, block, kind }));
        }
        if let Some(block) = self.blocks.iter_mut().find(|block| block.index == index && block.kind == kind) {
            block.grow(delta, repaired, out);
        }
    }
}

impl DeltaWire<'_> {
    /// The kind of block it belongs to; `None` when it says nothing.
    fn kind(&self) -> Option<Kind> {
        if self.text.some().is_some() || self.citation.is_some() {
            return Some(Kind::Text);
        }
        if let Some(input) = &self.tool_use.0 {
            return input.input.some().map(|_| Kind::Call);
        }
        let reasoning = self.reasoning_content.0.as_ref()?;
        if reasoning.redacted_content.some().is_some() {
            return Some(Kind::Redacted);
        }
        reasoning.text.some().or(reasoning.signature.some()).map(|_| Kind::Thinking)
    }
}

impl Block {
    fn add(&self, delta: Delta, out: &mut Vec<Event>) {
        out.push(Event::Delta { choice: 0, block: self.block, delta });
    }

    fn words(&mut self, text: Option<Cow<'_, str>>, repaired: bool, out: &mut Vec<Event>) {
        let Some(text) = text else { return };
        let text = self.joiner.pass(text, repaired);
        if !text.is_empty() {
            let delta = if self.kind == Kind::Call { Delta::Arguments(text) } else { Delta::Text(text) };
            self.add(delta, out);
        }
    }

    fn grow(&mut self, delta: DeltaWire<'_>, repaired: bool, out: &mut Vec<Event>) {
        if let Some(citation) = delta.citation.and_then(citation::read) {
            self.add(Delta::Citation(citation), out);
        }
        self.words(delta.text.into_some(), repaired, out);
        self.words(delta.tool_use.0.and_then(|call| call.input.into_some()), repaired, out);
        if let Some(reasoning) = delta.reasoning_content.0 {
            self.words(reasoning.text.into_some(), repaired, out);
            if let Some(signature) = reasoning.signature.some() {
                self.add(Delta::Signature(Seal::anthropic(signature)), out);
            }
            self.sealed.push_str(reasoning.redacted_content.some().unwrap_or_default());
        }
    }

    fn close(mut self, out: &mut Vec<Event>) {
        if self.kind == Kind::Hidden {
            return;
        }
        if self.kind == Kind::Redacted {
            let kind = BlockKind::RedactedThinking(Seal::anthropic(std::mem::take(&mut self.sealed)));
            out.push(Event::BlockStart { choice: 0, block: self.block, kind });
        }
        if let Some(text) = self.joiner.flush() {
            let delta = if self.kind == Kind::Call { Delta::Arguments(text) } else { Delta::Text(text) };
            self.add(delta, out);
        }
        out.push(Event::BlockStop { choice: 0, block: self.block });
    }
}
