//! What a stream amounts to, without reading its ordinary deltas.
//!
//! It keeps just enough of the decoder's state to count what the decoder would have passed on.

use super::MOST_OPEN;
use super::wire::{BlockWire, EventWire, Kind};
use crate::dialect::UpstreamError;
use crate::dialect::anthropic::usage::UsageWire;
use crate::dialect::meter::{Scan, Tally, Value, decoded_length};
use crate::dialect::text::{Repaired, repair};

/// Watches a stream.
#[derive(Debug, Default)]
pub(in crate::dialect) struct Watch {
    pub(in crate::dialect) tally: Tally,
    usage: UsageWire,
    started: bool,
    finished: bool,
    blocks: Vec<Block>,
    next: u64,
}

/// An open block.
#[derive(Debug)]
struct Block {
    index: u64,
    kind: Kind,
    /// Bytes of arguments it came with; they count only when no piece follows.
    held: usize,
}

/// What an ordinary delta adds to a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Plain {
    index: u64,
    /// The kind of block it belongs to; signatures and citations add no bytes.
    kind: Kind,
    bytes: usize,
}

impl Watch {
    /// Takes one event of the stream.
    pub(in crate::dialect) fn event(&mut self, name: &str, data: &str) {
        if self.tally.ended || self.tally.error.is_some() {
            return;
        }
        if let Some(plain) = plain(data) {
            return self.grow(plain);
        }
        if let Ok(event) = crate::json::parse::<EventWire<'_>>(data) {
            return self.read(name, event);
        }
        match repair(data) {
            Repaired::Object(fixed) => match crate::json::parse::<EventWire<'_>>(&fixed) {
                Ok(event) => self.read(name, event),
                Err(_) => self.tally.fail(UpstreamError::protocol("an event of the stream has another shape")),
            },
            Repaired::Nothing => {}
            Repaired::NotJson => self.tally.fail(UpstreamError::protocol("an event of the stream is not JSON")),
        }
    }

    /// The tally, and whether a body that ends here was complete.
    pub(in crate::dialect) fn finish(self) -> (Tally, bool) {
        let complete = self.tally.ended || self.finished;
        (self.tally, complete)
    }

    fn read(&mut self, name: &str, event: EventWire<'_>) {
        match event.kind.some().unwrap_or(name) {
            "message_start" if !self.started => {
                let Some(message) = event.message.0 else { return };
                self.started = true;
                self.tally.model = message.model.some().map(str::to_owned);
                for (index, raw) in message.content.0.iter().enumerate() {
                    self.open(index as u64, raw.get());
                }
                self.merge(message.usage.0);
                if message.stop_reason.some().is_some() {
                    self.end_blocks();
                }
            }
            "content_block_start" => {
                if let Some(raw) = event.content_block {
                    self.started = true;
                    self.open(event.index.0.unwrap_or(self.next), raw.get());
                }
            }
            "content_block_delta" => {
                if let Some(delta) = event.delta.0 {
                    let kind = delta.grows();
                    let bytes = delta.words(kind).map_or(0, str::len);
                    self.grow(Plain { index: event.index.0.unwrap_or(0), kind, bytes });
                }
            }
            "content_block_stop" => {
                if let Some(place) = self.blocks.iter().position(|block| Some(block.index) == event.index.0) {
                    self.tally.produced(self.blocks.remove(place).held);
                }
            }
            "message_delta" => {
                self.started = true;
                if event.delta.0.is_some_and(|delta| delta.stop_reason.some().is_some()) {
                    self.end_blocks();
                }
                self.merge(event.usage.0);
            }
            "message_stop" => {
                self.end_blocks();
                self.tally.ended = true;
            }
            "error" => self.tally.fail(UpstreamError::from_event(event.error.map_or("null", |raw| raw.get()))),
            _ => {}
        }
    }

    fn merge(&mut self, usage: Option<UsageWire>) {
        if let Some(usage) = usage {
            self.usage.merge(usage);
            self.tally.usage = self.usage.usage().or(self.tally.usage);
        }
    }

    fn open(&mut self, index: u64, json: &str) {
        if self.blocks.len() >= MOST_OPEN || self.blocks.iter().any(|block| block.index == index) {
            return;
        }
        self.next += 1;
        self.tally.content_started = true;
        let (kind, bytes) = match crate::json::parse::<BlockWire<'_>>(json) {
            Ok(block) => (block.opens(), block.output_bytes() as usize),
            Err(_) => (Kind::Other, 0),
        };
        let held = if kind == Kind::Call { bytes } else { 0 };
        self.tally.produced(bytes - held);
        self.blocks.push(Block { index, kind, held });
    }

    fn grow(&mut self, delta: Plain) {
        self.started = true;
        if !self.blocks.iter().any(|block| block.index == delta.index) {
            match delta.kind {
                Kind::Text => self.open(delta.index, r#"{"type":"text"}"#),
                Kind::Thinking => self.open(delta.index, r#"{"type":"thinking"}"#),
                Kind::Call | Kind::Other => return,
            }
        }
        let block = self.blocks.iter_mut().find(|block| block.index == delta.index);
        if let Some(block) = block.filter(|block| block.kind == delta.kind && delta.bytes > 0) {
            block.held = 0;
            self.tally.produced(delta.bytes);
        }
    }

    fn end_blocks(&mut self) {
        self.finished = true;
        for block in std::mem::take(&mut self.blocks) {
            self.tally.produced(block.held);
        }
    }
}

/// Reads an ordinary delta. `None` for every other event.
fn plain(data: &str) -> Option<Plain> {
    let (mut index, mut kind) = (None, None);
    let (mut text, mut thinking, mut json) = (0, 0, 0);
    let mut is_delta = false;
    let mut scan = Scan::new(data);
    for member in &mut scan {
        match (member.depth, member.name, member.value) {
            (1, b"type", Value::Text(name)) => {
                if name != b"content_block_delta" {
                    return None;
                }
                is_delta = true;
            }
            (1, b"index", value) => index = value.number(),
            (2, b"type", Value::Text(name)) => kind = Some(Kind::of_delta(std::str::from_utf8(name).ok()?)),
            (2, b"text", Value::Text(words)) => text = decoded_length(words),
            (2, b"thinking", Value::Text(words)) => thinking = decoded_length(words),
            (2, b"partial_json", Value::Text(words)) => json = decoded_length(words),
            (1 | 2, name, _) if name.contains(&b'\\') => return None,
            _ => {}
        }
    }
    let kind = kind.filter(|_| is_delta && scan.is_balanced())?;
    let bytes = match kind {
        Kind::Text => text,
        Kind::Thinking => thinking,
        Kind::Call => json,
        Kind::Other => 0,
    };
    Some(Plain { index: index?, kind, bytes })
}
