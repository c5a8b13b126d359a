//! What a stream amounts to, without reading its ordinary deltas.
//!
//! The decoder reads everything else, so the two cannot disagree: a delta is ordinary when the
//! decoder knows the block it belongs to, and then only its bytes are counted.

use super::decode::Decode;
use super::wire::Place;
use crate::dialect::ir::{Delta, Event};
use crate::dialect::meter::{Scan, Tally, Value, decoded_length};
use crate::search;

/// Watches a stream.
#[derive(Debug, Default)]
pub(in crate::dialect) struct Watch {
    pub(in crate::dialect) tally: Tally,
    decode: Decode,
    events: Vec<Event>,
}

/// An ordinary delta: where it belongs and its bytes.
struct Plain {
    item: u64,
    place: Place,
    bytes: usize,
}

impl Watch {
    /// Takes one event of the stream.
    pub(in crate::dialect) fn event(&mut self, name: &str, data: &str) {
        if let Some(plain) = plain(data)
            && self.decode.note(plain.item, plain.place)
        {
            return self.tally.produced(plain.bytes);
        }
        self.decode.event(name, data, &mut self.events);
        for event in self.events.drain(..) {
            match event {
                Event::Start { model, .. } => self.tally.model = model,
                Event::BlockStart { .. } => self.tally.content_started = true,
                Event::Delta { delta: Delta::Text(text) | Delta::Arguments(text), .. } => {
                    self.tally.produced(text.len());
                }
                Event::Usage(usage) => self.tally.usage = Some(usage),
                Event::Error(error) => self.tally.fail(error),
                Event::End => self.tally.ended = true,
                Event::Delta { .. } | Event::BlockStop { .. } | Event::Logprobs { .. } | Event::Finish { .. } => {}
            }
        }
    }

    /// The tally, and whether a body that ends here was complete.
    pub(in crate::dialect) fn finish(self) -> (Tally, bool) {
        let complete = self.tally.ended;
        (self.tally, complete)
    }
}

/// Reads an ordinary delta. `None` for every other event.
fn plain(data: &str) -> Option<Plain> {
    let (mut kind, mut bytes, mut item) = (None, None, 0);
    let (mut content, mut summary) = (0, 0);
    let mut scan = Scan::new(data);
    for member in &mut scan {
        match (member.depth, member.name, member.value) {
            (1, b"type", Value::Text(name)) => kind = Some(std::str::from_utf8(name).ok()?),
            // Half a character is joined with its other half, which takes reading.
            (1, b"delta", Value::Text(words)) if !words.is_empty() && !halves(words) => {
                bytes = Some(decoded_length(words));
            }
            (1, b"output_index", value) => item = value.number()?,
            (1, b"content_index", value) => content = value.number()?,
            (1, b"summary_index", value) => summary = value.number()?,
            (1, b"response" | b"item" | b"part", _) => return None,
            (1, name, _) if name.contains(&b'\\') => return None,
            _ => {}
        }
    }
    let place = Place::of_delta(kind?, content, summary).filter(|_| scan.is_balanced())?;
    Some(Plain { item, place, bytes: bytes? })
}

/// Whether there may be half a character in it, as an escape.
fn halves(words: &[u8]) -> bool {
    [&b"\\ud"[..], b"\\uD"].iter().any(|escape| search::find(words, escape).is_some())
}
