//! What a stream amounts to, without reading its ordinary deltas.

use super::wire::{BlockWire, EventWire};
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
    /// Open blocks that are not the model's words or calls: their deltas do not count.
    foreign: Vec<u64>,
    /// Arguments that blocks came with; they count only when no piece follows.
    held: Vec<(u64, usize)>,
}

impl Watch {
    /// Takes one event of the stream.
    pub(in crate::dialect) fn event(&mut self, name: &str, data: &str) {
        if self.tally.ended || self.tally.error.is_some() {
            return;
        }
        match plain(data) {
            Some((index, bytes)) if self.started => {
                if !self.foreign.is_empty() && self.foreign.contains(&index) {
                    return;
                }
                self.held.retain(|(held, _)| *held != index);
                self.tally.produced(bytes);
            }
            Some(_) | None => self.full(name, data),
        }
    }

    /// The tally, and whether a body that ends here was complete.
    pub(in crate::dialect) fn finish(self) -> (Tally, bool) {
        let complete = self.tally.ended || self.finished;
        (self.tally, complete)
    }

    fn full(&mut self, name: &str, data: &str) {
        if let Ok(event) = serde_json::from_str::<EventWire<'_>>(data) {
            return self.read(name, event);
        }
        match repair(data) {
            Repaired::Object(fixed) => match serde_json::from_str::<EventWire<'_>>(&fixed) {
                Ok(event) => self.read(name, event),
                Err(_) => self.tally.fail(UpstreamError::protocol("an event of the stream has another shape")),
            },
            Repaired::Nothing => {}
            Repaired::NotJson => self.tally.fail(UpstreamError::protocol("an event of the stream is not JSON")),
        }
    }

    fn read(&mut self, name: &str, event: EventWire<'_>) {
        match event.kind.some().unwrap_or(name) {
            "message_start" if !self.started => {
                let Some(message) = event.message.0 else {
                    return;
                };
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
                self.started = true;
                if let Some(raw) = event.content_block {
                    self.open(event.index.0.unwrap_or(0), raw.get());
                }
            }
            "content_block_delta" => {
                self.started = true;
                // Not plain, but a delta all the same: read by the same rules.
                if let Some((index, bytes)) =
                    event.delta.map(|raw| (event.index.0.unwrap_or(0), delta_bytes(raw.get())))
                    && !self.foreign.contains(&index)
                {
                    self.tally.produced(bytes);
                }
            }
            "content_block_stop" => self.close(event.index.0),
            "message_delta" => {
                self.started = true;
                let stopped = event.delta.is_some_and(|raw| {
                    serde_json::from_str::<super::wire::DeltaWire<'_>>(raw.get())
                        .is_ok_and(|delta| delta.stop_reason.some().is_some())
                });
                if stopped {
                    self.end_blocks();
                }
                self.merge(event.usage.0);
            }
            "message_stop" => {
                self.end_blocks();
                self.tally.ended = true;
            }
            "error" => {
                let error = event.error.map_or("null", |raw| raw.get());
                self.tally.fail(UpstreamError::from_event(error));
            }
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
        self.tally.content_started = true;
        let Ok(block) = serde_json::from_str::<BlockWire<'_>>(json) else {
            return;
        };
        match block.kind.some() {
            Some("text" | "thinking") => self.tally.output_bytes += block.output_bytes(),
            Some("tool_use") if block.arguments().is_some() => self.held.push((index, block.output_bytes() as usize)),
            Some("tool_use" | "redacted_thinking") => {}
            Some(_) | None => self.foreign.push(index),
        }
    }

    fn close(&mut self, index: Option<u64>) {
        let tally = &mut self.tally;
        self.foreign.retain(|foreign| Some(*foreign) != index);
        self.held.retain(|(held, bytes)| {
            let keep = Some(*held) != index;
            tally.output_bytes += if keep { 0 } else { *bytes as u64 };
            keep
        });
    }

    fn end_blocks(&mut self) {
        self.finished = true;
        for (_, bytes) in std::mem::take(&mut self.held) {
            self.tally.output_bytes += bytes as u64;
        }
    }
}

/// Reads an ordinary delta: its block and how many bytes it adds. `None` for every other event.
fn plain(data: &str) -> Option<(u64, usize)> {
    let mut index = None;
    let mut bytes = 0;
    let mut is_delta = false;
    let mut scan = Scan::new(data);
    for member in &mut scan {
        match (member.depth, member.name, member.value) {
            (1, b"type", Value::Text(kind)) => {
                if kind != b"content_block_delta" {
                    return None;
                }
                is_delta = true;
            }
            (1, b"index", value) => index = value.number(),
            (2, b"text" | b"thinking" | b"partial_json", Value::Text(text)) => bytes += decoded_length(text),
            _ => {}
        }
    }
    (is_delta && scan.is_balanced()).then_some((index?, bytes))
}

/// The bytes a delta object adds.
fn delta_bytes(json: &str) -> usize {
    let texts = Scan::new(json).filter(|member| member.depth == 1);
    texts
        .map(|member| match (member.name, member.value) {
            (b"text" | b"thinking" | b"partial_json", Value::Text(text)) => decoded_length(text),
            _ => 0,
        })
        .sum()
}
