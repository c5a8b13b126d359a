//! Events into a caller's stream: numbered, typed, and at its end the whole answer once more.
//!
//! Items of this dialect may overlap, so nothing waits: each block goes out as it comes, under the
//! place its item has in the answer.

use super::super::error;
use super::super::response::{Shape, Status, id};
use super::output::{Item, Output};
use crate::dialect::ir::{BlockKind, Delta, Event, FinishReason};
use crate::dialect::json_write::{self, Members, array, object};
use crate::dialect::{Dialect, StreamContext, UpstreamError};
use crate::usage::Usage;

/// As much of an answer as is kept for its last event; more than any model writes.
const MOST_BYTES: usize = 32 << 20;

/// The state of a stream.
#[derive(Debug)]
pub(in crate::dialect) struct Encode {
    context: StreamContext,
    /// The answer's id; empty before it began.
    id: String,
    model: String,
    wire: Wire,
    output: Output,
    finish: Option<FinishReason>,
    usage: Option<Usage>,
    ended: bool,
}

/// Writes events, each with the next number.
#[derive(Debug, Default)]
pub(super) struct Wire {
    number: u64,
}

impl Wire {
    /// One event, with its `type`.
    pub(super) fn event(&mut self, out: &mut Vec<u8>, name: &str, members: impl FnOnce(&mut Members<'_>)) {
        for piece in ["event: ", name, "\ndata: "] {
            out.extend_from_slice(piece.as_bytes());
        }
        object(out, |o| {
            o.string("type", name);
            o.number("sequence_number", self.number);
            members(o);
        });
        out.extend_from_slice(b"\n\n");
        self.number += 1;
    }

    /// The commonest event, written without ceremony: `member` tells which part of the item grows.
    pub(super) fn delta(&mut self, out: &mut Vec<u8>, name: &str, at: &At<'_>, text: &str, more: &str) {
        for piece in ["event: ", name, "\ndata: {\"type\":\"", name, "\",\"sequence_number\":"] {
            out.extend_from_slice(piece.as_bytes());
        }
        json_write::number(out, self.number);
        for piece in [",\"item_id\":\"", at.id, "\",\"output_index\":"] {
            out.extend_from_slice(piece.as_bytes());
        }
        json_write::number(out, at.item);
        if let Some((member, part)) = at.part {
            json_write::number(out, format_args!(",\"{member}\":{part}"));
        }
        out.extend_from_slice(b",\"delta\":\"");
        json_write::escaped(out, text);
        for piece in ["\"", more, "}\n\n"] {
            out.extend_from_slice(piece.as_bytes());
        }
        self.number += 1;
    }
}

/// Where in the answer an event belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<'a> {
    /// The item's id: letters, digits and `_` alone.
    pub(super) id: &'a str,
    /// The item's place.
    pub(super) item: usize,
    /// The member that numbers the part, and its number.
    pub(super) part: Option<(&'static str, usize)>,
}

impl At<'_> {
    pub(super) fn write(&self, o: &mut Members<'_>) {
        o.string("item_id", self.id);
        o.number("output_index", self.item);
        if let Some((member, part)) = self.part {
            o.number(member, part);
        }
    }
}

impl Encode {
    pub(in crate::dialect) fn new(context: StreamContext) -> Encode {
        Encode {
            context,
            id: String::new(),
            model: String::new(),
            wire: Wire::default(),
            output: Output::default(),
            finish: None,
            usage: None,
            ended: false,
        }
    }

    /// Appends what an event becomes. Of several choices only the first is sent: callers of this
    /// dialect cannot ask for more.
    pub(in crate::dialect) fn event(&mut self, event: Event, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        match event {
            Event::Start { id, model } => self.start(id.as_deref(), model.as_deref(), out),
            Event::BlockStart { choice: 0, block, kind } => self.block_start(block, kind, out),
            Event::Delta { choice: 0, block, delta } => self.delta(block, delta, out),
            Event::BlockStop { choice: 0, block } => self.output.stop(block, &mut self.wire, out),
            Event::Logprobs { choice: 0, json } => self.output.logprobs(&json),
            Event::Finish { choice: 0, reason } => self.finish = Some(reason),
            Event::BlockStart { .. }
            | Event::Delta { .. }
            | Event::BlockStop { .. }
            | Event::Logprobs { .. }
            | Event::Finish { .. } => {}
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Error(failure) => self.fail(&failure, out),
            Event::End => self.end(out),
        }
    }

    fn fail(&mut self, failure: &UpstreamError, out: &mut Vec<u8>) {
        self.ended = true;
        error::write_numbered(out, &failure.to_api_error(), &self.context.request_id, Some(self.wire.number));
    }

    fn start(&mut self, provider: Option<&str>, model: Option<&str>, out: &mut Vec<u8>) {
        if !self.id.is_empty() {
            return;
        }
        self.id = id(provider.unwrap_or(&self.context.id));
        self.model = self.context.model.as_deref().or(model).unwrap_or_default().to_owned();
        self.output.answer.clone_from(&self.id);
        for name in ["response.created", "response.in_progress"] {
            self.response(name, Status::InProgress, out);
        }
    }

    /// An event with the whole answer, as far as it is.
    fn response(&mut self, name: &str, status: Status, out: &mut Vec<u8>) {
        let shape = Shape {
            id: &self.id,
            model: &self.model,
            created: self.context.created,
            status,
            usage: self.usage.as_ref(),
            service_tier: None,
            echo: &self.context.echo,
        };
        let items = &self.output;
        self.wire.event(out, name, |o| {
            o.object("response", |o| {
                shape.write(o, |out| {
                    array(out, |a| items.done().for_each(|json| a.value().extend_from_slice(json)));
                });
            });
        });
    }

    fn block_start(&mut self, block: u64, kind: BlockKind, out: &mut Vec<u8>) {
        self.start(None, None, out);
        let wire = &mut self.wire;
        match kind {
            BlockKind::Text => self.output.words(block, false, wire, out),
            BlockKind::Refusal => self.output.words(block, true, wire, out),
            BlockKind::Thinking => self.output.thoughts(block, wire, out),
            BlockKind::RedactedThinking(seal) => self.output.sealed(&seal, wire, out),
            BlockKind::ToolCall { id, name } => self.output.add(block, Item::call(id, name), wire, out),
            BlockKind::Opaque { origin: Dialect::OpenAiResponses, json } => {
                self.output.add(block, Item::opaque(json), wire, out);
            }
            BlockKind::Opaque { .. } => {}
        }
    }

    fn delta(&mut self, block: u64, delta: Delta, out: &mut Vec<u8>) {
        let wire = &mut self.wire;
        match delta {
            Delta::Text(text) => self.output.text(block, &text, wire, out),
            Delta::Arguments(text) => self.output.arguments(block, &text, wire, out),
            Delta::Signature(seal) => self.output.signature(block, seal),
            Delta::Citation(citation) => self.output.citation(block, &citation, wire, out),
            Delta::Opaque(json) => self.output.replace(block, json),
        }
        if self.output.bytes > MOST_BYTES {
            self.fail(&UpstreamError::protocol("the answer is too long"), out);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.start(None, None, out);
        let status = Status::of(self.finish.as_ref());
        self.output.end(status, &mut self.wire, out);
        self.ended = true;
        let name = match status {
            Status::Incomplete(_) => "response.incomplete",
            Status::Completed | Status::InProgress => "response.completed",
        };
        self.response(name, status, out);
    }
}
