//! Events into a caller's stream.
//!
//! Blocks of this dialect come one after the other, each opened, filled and closed. Events may
//! interleave parallel calls: a block that begins while another is open waits until that one is
//! closed, or until its arguments are a complete JSON value, after which nothing can follow.

use super::super::{error, stop_sequence, stop_word, usage};
use crate::dialect::ir::{BlockKind, Delta, Event, FinishReason, Json, Seal, SealFormat};
use crate::dialect::json_write::{self, Members, object};
use crate::dialect::{Dialect, StreamContext, UpstreamError};
use crate::usage::Usage;
use std::collections::VecDeque;

/// Bytes that may wait; a provider that interleaves more is broken.
const MOST_WAITING: usize = 4 << 20;

/// The state of a stream.
#[derive(Debug)]
pub(in crate::dialect) struct Encode {
    context: StreamContext,
    started: bool,
    ended: bool,
    /// The caller's number of the next block.
    next: u64,
    open: Option<Open>,
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    calls: bool,
    finish: Option<FinishReason>,
    usage: Option<Usage>,
}

/// The block being sent.
#[derive(Debug)]
struct Open {
    block: u64,
    /// The caller's number.
    index: u64,
    kind: OpenKind,
}

#[derive(Debug)]
enum OpenKind {
    Words,
    Thinking,
    Call(Completeness),
    Opaque,
}

/// A block that waits for its turn.
#[derive(Debug)]
struct Waiting {
    block: u64,
    kind: BlockKind,
    deltas: Vec<Delta>,
    complete: bool,
}

impl Encode {
    pub(in crate::dialect) fn new(context: StreamContext) -> Encode {
        Encode {
            context,
            started: false,
            ended: false,
            next: 0,
            open: None,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            calls: false,
            finish: None,
            usage: None,
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
            Event::BlockStop { choice: 0, block } => self.block_stop(block, out),
            Event::Finish { choice: 0, reason } => self.finish = Some(reason),
            Event::BlockStart { .. }
            | Event::Delta { .. }
            | Event::BlockStop { .. }
            | Event::Finish { .. }
            | Event::Logprobs { .. } => {}
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Error(failure) => self.fail(&failure, out),
            Event::End => self.end(out),
        }
    }

    fn fail(&mut self, failure: &UpstreamError, out: &mut Vec<u8>) {
        self.ended = true;
        error::write_event(out, &failure.to_api_error(), &self.context.request_id);
    }

    fn start(&mut self, id: Option<&str>, model: Option<&str>, out: &mut Vec<u8>) {
        if self.started {
            return;
        }
        self.started = true;
        let context = &self.context;
        let usage = self.usage.unwrap_or_default();
        event(out, "message_start", |o| {
            o.object("message", |o| {
                o.string("id", id.unwrap_or(&context.id));
                o.string("type", "message");
                o.string("role", "assistant");
                o.string("model", context.model.as_deref().or(model).unwrap_or_default());
                o.array("content", |_| {});
                o.null("stop_reason");
                o.null("stop_sequence");
                o.object("usage", |o| usage::write(o, &usage));
            });
        });
    }

    fn block_start(&mut self, block: u64, kind: BlockKind, out: &mut Vec<u8>) {
        self.start(None, None, out);
        match &kind {
            // Another provider's secrets would come back as if they were Anthropic's.
            BlockKind::RedactedThinking(Seal { format: SealFormat::Other(_), .. }) => return,
            BlockKind::Opaque { origin, .. } if *origin != Dialect::Anthropic => return,
            BlockKind::Text
            | BlockKind::Refusal
            | BlockKind::Thinking
            | BlockKind::RedactedThinking(_)
            | BlockKind::ToolCall { .. }
            | BlockKind::Opaque { .. } => {}
        }
        self.waiting.push_back(Waiting { block, kind, deltas: Vec::new(), complete: false });
        self.promote(out);
    }

    fn delta(&mut self, block: u64, delta: Delta, out: &mut Vec<u8>) {
        if let Some(open) = self.open.as_mut().filter(|open| open.block == block) {
            open.delta(&delta, out);
            if !self.waiting.is_empty() {
                self.promote(out);
            }
            return;
        }
        if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.block == block) {
            self.waiting_bytes += bytes(&delta);
            waiting.deltas.push(delta);
        }
        if self.waiting_bytes > MOST_WAITING {
            self.fail(&UpstreamError::protocol("the stream interleaves too much"), out);
        }
    }

    fn block_stop(&mut self, block: u64, out: &mut Vec<u8>) {
        if let Some(open) = self.open.take_if(|open| open.block == block) {
            open.close(out);
        } else if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.block == block) {
            waiting.complete = true;
        }
        self.promote(out);
    }

    /// Opens what waits, as far as what is open allows.
    fn promote(&mut self, out: &mut Vec<u8>) {
        while !self.waiting.is_empty() {
            match self.open.take() {
                Some(open) if !open.is_complete() => {
                    self.open = Some(open);
                    return;
                }
                Some(open) => open.close(out),
                None => {}
            }
            let Some(next) = self.waiting.pop_front() else { return };
            let mut open = self.open_block(next.block, &next.kind, out);
            for delta in &next.deltas {
                self.waiting_bytes -= bytes(delta);
                open.delta(delta, out);
            }
            if next.complete {
                open.close(out);
            } else {
                self.open = Some(open);
            }
        }
    }

    fn open_block(&mut self, block: u64, kind: &BlockKind, out: &mut Vec<u8>) -> Open {
        let index = self.next;
        self.next += 1;
        event(out, "content_block_start", |o| {
            o.number("index", index);
            if let BlockKind::Opaque { json, .. } = kind {
                return o.json("content_block", json);
            }
            o.object("content_block", |o| write_block(o, kind));
        });
        let kind = match kind {
            BlockKind::Text | BlockKind::Refusal => OpenKind::Words,
            BlockKind::Thinking => OpenKind::Thinking,
            BlockKind::ToolCall { .. } => {
                self.calls = true;
                OpenKind::Call(Completeness::default())
            }
            BlockKind::RedactedThinking(_) | BlockKind::Opaque { .. } => OpenKind::Opaque,
        };
        Open { block, index, kind }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.start(None, None, out);
        for waiting in &mut self.waiting {
            waiting.complete = true;
        }
        if let Some(open) = self.open.take() {
            open.close(out);
        }
        self.promote(out);
        self.ended = true;
        let finish = self.finish.as_ref();
        event(out, "message_delta", |o| {
            o.object("delta", |o| {
                o.string("stop_reason", stop_word(finish, self.calls));
                match stop_sequence(finish) {
                    Some(sequence) => o.string("stop_sequence", sequence),
                    None => o.null("stop_sequence"),
                }
            });
            o.object("usage", |o| usage::write(o, &self.usage.unwrap_or_default()));
        });
        event(out, "message_stop", |_| {});
    }
}

/// One event, with its `type`.
fn event(out: &mut Vec<u8>, name: &str, members: impl FnOnce(&mut Members<'_>)) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    object(out, |o| {
        o.string("type", name);
        members(o);
    });
    out.extend_from_slice(b"\n\n");
}

fn write_block(o: &mut Members<'_>, kind: &BlockKind) {
    match kind {
        BlockKind::Text | BlockKind::Refusal => {
            o.string("type", "text");
            o.string("text", "");
        }
        BlockKind::Thinking => {
            o.string("type", "thinking");
            o.string("thinking", "");
            o.string("signature", "");
        }
        BlockKind::RedactedThinking(Seal { text: data, .. }) => {
            o.string("type", "redacted_thinking");
            o.string("data", data);
        }
        BlockKind::ToolCall { id, name } => {
            o.string("type", "tool_use");
            o.string("id", id);
            o.string("name", name);
            o.object("input", |_| {});
        }
        BlockKind::Opaque { .. } => {}
    }
}

fn bytes(delta: &Delta) -> usize {
    64 + match delta {
        Delta::Text(text) | Delta::Signature(Seal { text, .. }) | Delta::Arguments(text) => text.len(),
        Delta::Citation(citation) => citation.json.text().len(),
        Delta::Opaque(json) => json.text().len(),
    }
}

impl Open {
    fn delta(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        match (&mut self.kind, delta) {
            (OpenKind::Words, Delta::Text(text)) => self.words("text_delta", "text", text, out),
            (OpenKind::Thinking, Delta::Text(text)) => self.words("thinking_delta", "thinking", text, out),
            (OpenKind::Thinking, Delta::Signature(Seal { text, format: SealFormat::Anthropic })) => {
                self.words("signature_delta", "signature", text, out)
            }
            (OpenKind::Call(completeness), Delta::Arguments(text)) => {
                completeness.push(text);
                self.words("input_json_delta", "partial_json", text, out);
            }
            (OpenKind::Words, Delta::Citation(citation)) if citation.origin == Dialect::Anthropic => {
                let mut json = Vec::new();
                object(&mut json, |o| {
                    o.string("type", "citations_delta");
                    o.json("citation", &citation.json);
                });
                self.raw(&json, out);
            }
            (OpenKind::Opaque, Delta::Arguments(text)) => self.words("input_json_delta", "partial_json", text, out),
            (OpenKind::Opaque, Delta::Opaque(json)) => self.raw(Json::text(json).as_bytes(), out),
            (OpenKind::Words | OpenKind::Thinking | OpenKind::Call(_) | OpenKind::Opaque, _) => {}
        }
    }

    /// The commonest event, written without ceremony.
    fn words(&self, kind: &str, member: &str, text: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(b"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":");
        json_write::number(out, self.index);
        for piece in [",\"delta\":{\"type\":\"", kind, "\",\"", member, "\":\""] {
            out.extend_from_slice(piece.as_bytes());
        }
        json_write::escaped(out, text);
        out.extend_from_slice(b"\"}}\n\n");
    }

    fn raw(&self, delta: &[u8], out: &mut Vec<u8>) {
        event(out, "content_block_delta", |o| {
            o.number("index", self.index);
            o.value("delta").extend_from_slice(delta);
        });
    }

    /// Whether nothing can follow.
    fn is_complete(&self) -> bool {
        match &self.kind {
            OpenKind::Call(completeness) => completeness.is_complete(),
            OpenKind::Words | OpenKind::Thinking | OpenKind::Opaque => false,
        }
    }

    fn close(self, out: &mut Vec<u8>) {
        event(out, "content_block_stop", |o| o.number("index", self.index));
    }
}

/// Whether pieces of JSON have added up to one whole object or array.
#[derive(Clone, Copy, Debug, Default)]
struct Completeness {
    depth: u32,
    in_string: bool,
    escaped: bool,
    complete: bool,
}

impl Completeness {
    fn push(&mut self, piece: &str) {
        for byte in piece.bytes() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.complete |= self.depth == 0;
                }
                _ => {}
            }
        }
    }

    fn is_complete(self) -> bool {
        self.complete
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_complete_at_its_last_brace_however_it_is_cut() {
        for (pieces, complete) in [
            (&["{}"][..], true),
            (&["{\"a", "\":\"}\\", "\"}\"", "}"], true),
            (&["{\"a\":{}"], false),
            (&["{\"a\":\"}"], false),
            (&["", " "], false),
            (&["[1,", "2]"], true),
        ] {
            let mut completeness = Completeness::default();
            pieces.iter().for_each(|piece| completeness.push(piece));
            assert_eq!(completeness.is_complete(), complete, "{pieces:?}");
        }
    }
}
