//! What a stream amounts to, without reading its ordinary deltas.

use super::wire::{ChunkWire, DeltaWire};
use crate::dialect::UpstreamError;
use crate::dialect::meter::{Scan, Tally, Value, decoded_length};
use crate::dialect::text::{Repaired, repair};

/// Watches a stream.
#[derive(Debug, Default)]
pub(in crate::dialect) struct Watch {
    pub(in crate::dialect) tally: Tally,
    started: bool,
    choices: Vec<Choice>,
}

#[derive(Debug)]
struct Choice {
    index: u64,
    finished: bool,
    named_thoughts: bool,
}

/// What an ordinary delta holds.
#[derive(Default)]
struct Plain {
    choice: u64,
    bytes: usize,
    starts_call: bool,
    names_thoughts: bool,
}

impl Watch {
    /// Takes one event of the stream.
    pub(in crate::dialect) fn event(&mut self, name: &str, data: &str) {
        if self.tally.ended {
            return;
        }
        let data = data.trim();
        if data == "[DONE]" {
            self.tally.ended = true;
            return;
        }
        match plain(data).filter(|_| self.started && self.tally.error.is_none() && name != "error") {
            Some(plain) => {
                let Some(choice) = self.choice(plain.choice) else { return };
                choice.named_thoughts |= plain.names_thoughts;
                self.tally.produced(plain.bytes);
                self.tally.content_started |= plain.starts_call;
            }
            None => self.full(name, data),
        }
    }

    /// The tally, and whether a body that ends here was complete.
    pub(in crate::dialect) fn finish(self) -> (Tally, bool) {
        let finished = !self.choices.is_empty() && self.choices.iter().all(|choice| choice.finished);
        let complete = self.tally.ended || finished;
        (self.tally, complete)
    }

    fn full(&mut self, name: &str, data: &str) {
        if let Ok(chunk) = crate::json::parse::<ChunkWire<'_>>(data) {
            return self.chunk(name, data, &chunk);
        }
        match repair(data) {
            Repaired::Object(fixed) => match crate::json::parse::<ChunkWire<'_>>(&fixed) {
                Ok(chunk) => self.chunk(name, data, &chunk),
                Err(_) => self.tally.fail(UpstreamError::protocol("an event of the stream has another shape")),
            },
            Repaired::Nothing => {}
            Repaired::NotJson => self.tally.fail(UpstreamError::protocol("an event of the stream is not JSON")),
        }
    }

    fn chunk(&mut self, name: &str, data: &str, chunk: &ChunkWire<'_>) {
        let usage = chunk.usage();
        if let Some(error) = chunk.error {
            self.tally.fail(UpstreamError::from_event(error.get()));
        } else if name == "error" {
            self.tally.fail(UpstreamError::from_event(data));
        }
        if self.tally.error.is_none() && (!chunk.choices.0.is_empty() || usage.is_some()) {
            if !self.started {
                self.started = true;
                self.tally.model = chunk.model.some().map(str::to_owned);
            }
            for wire in chunk.choices.0.iter().filter_map(|choice| choice.0.as_ref()) {
                let finished = wire.finish_reason.some().is_some();
                let delta = wire.delta.0.as_ref().or(wire.message.0.as_ref());
                // Legacy completions have a text in place of a delta; some chats repeat the delta there.
                let text = wire.text.some().filter(|_| delta.is_none());
                self.tally.produced(text.map_or(0, str::len));
                let Some(choice) = self.choice(wire.index.0.unwrap_or(0)) else { continue };
                choice.finished |= finished;
                if let Some(delta) = delta {
                    choice.named_thoughts |= delta.names_thoughts();
                    let bytes = delta.output_bytes(choice.named_thoughts);
                    self.tally.output_bytes += bytes;
                    self.tally.content_started |= bytes > 0 || DeltaWire::starts_block(delta);
                }
            }
        }
        self.tally.usage = usage.or(self.tally.usage);
    }

    fn choice(&mut self, index: u64) -> Option<&mut Choice> {
        if self.choices.iter().all(|choice| choice.index != index) && self.choices.len() < super::MOST {
            self.choices.push(Choice { index, finished: false, named_thoughts: false });
        }
        self.choices.iter_mut().find(|choice| choice.index == index)
    }
}

/// Reads an ordinary delta: one choice that grows by text, thoughts or arguments in strings. `None`
/// for everything that must be read in full.
fn plain(data: &str) -> Option<Plain> {
    let mut plain = Plain::default();
    let mut choices = 0;
    let (mut thoughts, mut named_thoughts) = (0, 0);
    let mut scan = Scan::new(data);
    for member in &mut scan {
        let first = member.value.first();
        match (member.depth, member.name) {
            (1, b"choices") if first == b'[' => choices += 1,
            (1, b"error") if first != b'n' => return None,
            (1 | 2, b"usage") if first != b'n' => return None,
            // Of several choices in one chunk this would come twice.
            (3, b"delta") if first == b'{' => choices += 1,
            (3, b"message") => return None,
            (3, b"index") => plain.choice = member.value.number()?,
            (3, b"finish_reason") if first != b'n' => return None,
            (4, b"content" | b"refusal") => match member.value {
                Value::Text(text) => plain.bytes += decoded_length(text),
                Value::Other([b'n', ..]) => {}
                Value::Other(_) => return None,
            },
            (4, b"reasoning_content" | b"reasoning") => {
                if let Value::Text(text) = member.value {
                    named_thoughts += usize::from(!text.is_empty());
                    thoughts += decoded_length(text);
                }
            }
            (4, b"reasoning_details" | b"annotations") if matches!(member.value, Value::Other(rest) if !rest.starts_with(b"[]")) =>
            {
                return None;
            }
            (4, b"tool_calls") if matches!(member.value, Value::Other(rest) if rest.starts_with(b"[{")) => {
                plain.starts_call = true
            }
            (4, b"tool_calls")
                if first == b'[' && !matches!(member.value, Value::Other(rest) if rest.starts_with(b"[]")) =>
            {
                return None;
            }
            (4, b"function_call") if first == b'{' => plain.starts_call = true,
            (5 | 7, b"arguments") => match member.value {
                Value::Text(text) => plain.bytes += decoded_length(text),
                Value::Other([b'n', ..]) => {}
                Value::Other(_) => return None,
            },
            (1..=7, name) if name.contains(&b'\\') => return None,
            _ => {}
        }
    }
    // Two names for thoughts are one thought told twice.
    let one_delta = choices == 2 && named_thoughts < 2 && scan.is_balanced();
    plain.bytes += thoughts;
    plain.names_thoughts = named_thoughts > 0;
    one_delta.then_some(plain)
}
