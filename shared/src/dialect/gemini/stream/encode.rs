//! Events into a caller's stream.
//!
//! A tool call is one part here, so its arguments are collected until it is complete. What a candidate
//! ended with and what the answer consumed stand in its last event.

use super::super::parts_write::{write_call, write_text};
use super::super::{citation, error, finish_word, logprobs, seal, usage};
use crate::dialect::ir::{Arguments, BlockKind, Citation, Delta, Event, FinishReason, Seal};
use crate::dialect::json_write::{Items, Members, object};
use crate::dialect::{Dialect, StreamContext, UpstreamError};
use crate::usage::Usage;

/// Bytes of arguments that may wait; a call with more is no call.
const MOST_WAITING: usize = 4 << 20;

/// The state of a stream.
#[derive(Debug)]
pub(in crate::dialect) struct Encode {
    context: StreamContext,
    /// `"modelVersion":…,"responseId":…}`: how every event ends.
    tail: Vec<u8>,
    choices: Vec<Choice>,
    usage: Option<Usage>,
    waiting: usize,
    ended: bool,
}

#[derive(Debug, Default)]
struct Choice {
    index: u64,
    calls: Vec<Call>,
    /// The thinking block being sent, and its signature.
    thoughts: Option<(u64, Option<Seal>)>,
    /// A signature of Google's that stands on the next call.
    signature: Option<Seal>,
    citations: Vec<(Citation, citation::Span)>,
    /// Bytes of text so far.
    said: usize,
    finish: Option<FinishReason>,
}

#[derive(Debug)]
struct Call {
    block: u64,
    id: String,
    name: String,
    arguments: String,
    signature: Option<Seal>,
}

impl Encode {
    pub(in crate::dialect) fn new(context: StreamContext) -> Encode {
        Encode { context, tail: Vec::new(), choices: Vec::new(), usage: None, waiting: 0, ended: false }
    }

    /// Appends what an event becomes.
    pub(in crate::dialect) fn event(&mut self, event: Event, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        match event {
            Event::Start { id, model } => self.start(id.as_deref(), model.as_deref()),
            Event::BlockStart { choice, block, kind } => self.block_start(choice, block, kind, out),
            Event::Delta { choice, block, delta } => self.delta(choice, block, delta, out),
            Event::BlockStop { choice, block } => self.block_stop(choice, block, out),
            Event::Logprobs { choice, json } => {
                let mut told = Vec::new();
                object(&mut told, |o| logprobs::write(o, &json));
                if told != b"{}" {
                    self.candidate(out, choice, |o| logprobs::write(o, &json));
                }
            }
            Event::Finish { choice, reason } => self.choice(choice, |choice| choice.finish = Some(reason)),
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Error(failure) => self.fail(&failure, out),
            Event::End => self.end(out),
        }
    }

    fn fail(&mut self, failure: &UpstreamError, out: &mut Vec<u8>) {
        self.ended = true;
        error::write_event(out, &failure.to_api_error(), &self.context.request_id);
    }

    fn start(&mut self, id: Option<&str>, model: Option<&str>) {
        let context = &self.context;
        let mut tail = Vec::with_capacity(96);
        object(&mut tail, |o| {
            o.string("modelVersion", context.model.as_deref().or(model).unwrap_or_default());
            o.string("responseId", id.unwrap_or(&context.id));
        });
        self.tail = tail.split_off(1);
    }

    /// Works on a choice, made if it is new.
    fn choice<T>(&mut self, index: u64, work: impl FnOnce(&mut Choice) -> T) -> T {
        if let Some(choice) = self.choices.iter_mut().find(|choice| choice.index == index) {
            return work(choice);
        }
        let mut choice = Choice { index, ..Choice::default() };
        let done = work(&mut choice);
        self.choices.push(choice);
        done
    }

    /// One event with one candidate, whose other members `more` writes.
    fn candidate(&mut self, out: &mut Vec<u8>, index: u64, more: impl FnOnce(&mut Members<'_>)) {
        self.write(out, index, more, |_| {});
    }

    fn write(
        &mut self,
        out: &mut Vec<u8>,
        index: u64,
        more: impl FnOnce(&mut Members<'_>),
        beside: impl FnOnce(&mut Members<'_>),
    ) {
        if self.tail.is_empty() {
            self.start(None, None);
        }
        out.extend_from_slice(b"data: ");
        let begin = out.len();
        object(out, |o| {
            o.array("candidates", |a| {
                a.object(|o| {
                    more(o);
                    o.number("index", index);
                });
            });
            beside(o);
        });
        out.pop();
        out.push(b',');
        // JSON taken over as it came may go over several lines, and a line is all an event's data has.
        for byte in out.iter_mut().skip(begin).filter(|byte| matches!(byte, b'\n' | b'\r')) {
            *byte = b' ';
        }
        out.extend_from_slice(&self.tail);
        out.extend_from_slice(b"\n\n");
    }

    /// One event with one part.
    fn part(&mut self, out: &mut Vec<u8>, index: u64, part: impl FnOnce(&mut Items<'_>)) {
        self.candidate(out, index, |o| write_content(o, part));
    }

    fn block_start(&mut self, index: u64, block: u64, kind: BlockKind, out: &mut Vec<u8>) {
        if !matches!(kind, BlockKind::ToolCall { .. }) {
            self.flush_signature(index, out);
        }
        match kind {
            BlockKind::Text | BlockKind::Refusal => {}
            BlockKind::Thinking => self.choice(index, |choice| choice.thoughts = Some((block, None))),
            BlockKind::RedactedThinking(seal) if seal::is_google(&seal) => {
                self.choice(index, |choice| choice.signature = Some(seal));
            }
            BlockKind::RedactedThinking(seal) => {
                self.part(out, index, |a| write_text(a, "", false, Some(&seal::write(&seal))));
            }
            BlockKind::ToolCall { id, name } => self.choice(index, |choice| {
                let signature = choice.signature.take();
                choice.calls.push(Call { block, id, name, arguments: String::new(), signature });
            }),
            BlockKind::Opaque { origin: Dialect::Gemini, json } => self.part(out, index, |a| a.json(&json)),
            BlockKind::Opaque { .. } => {}
        }
    }

    /// A signature no call followed goes on an empty text.
    fn flush_signature(&mut self, index: u64, out: &mut Vec<u8>) {
        if let Some(seal) = self.choice(index, |choice| choice.signature.take()) {
            self.part(out, index, |a| write_text(a, "", false, Some(&seal.text)));
        }
    }

    fn delta(&mut self, index: u64, block: u64, delta: Delta, out: &mut Vec<u8>) {
        match delta {
            Delta::Text(text) => {
                let thought = self.choice(index, |choice| {
                    let thought = matches!(choice.thoughts, Some((thinking, _)) if thinking == block);
                    choice.said += if thought { 0 } else { text.len() };
                    thought
                });
                self.part(out, index, |a| write_text(a, &text, thought, None));
            }
            Delta::Signature(piece) => self.choice(index, |choice| {
                let thoughts = choice.thoughts.as_mut().filter(|(thinking, _)| *thinking == block);
                match thoughts {
                    Some((_, Some(signature))) => signature.text.push_str(&piece.text),
                    Some((_, signature)) => *signature = Some(piece),
                    None => {}
                }
            }),
            Delta::Arguments(piece) => {
                self.waiting += piece.len();
                self.choice(index, |choice| {
                    if let Some(call) = choice.calls.iter_mut().find(|call| call.block == block) {
                        call.arguments.push_str(&piece);
                    }
                });
                if self.waiting > MOST_WAITING {
                    self.fail(&UpstreamError::protocol("a tool call is too large"), out);
                }
            }
            Delta::Citation(cited) => self.choice(index, |choice| {
                let said = choice.said;
                choice.citations.push((cited, (0, said)));
            }),
            Delta::Opaque(_) => {}
        }
    }

    fn block_stop(&mut self, index: u64, block: u64, out: &mut Vec<u8>) {
        let (call, thoughts) = self.choice(index, |choice| {
            let place = choice.calls.iter().position(|call| call.block == block);
            let call = place.map(|place| choice.calls.remove(place));
            (call, choice.thoughts.take_if(|(thinking, _)| *thinking == block))
        });
        if let Some(call) = call {
            self.call(index, call, out);
        }
        if let Some((_, Some(seal))) = thoughts {
            self.part(out, index, |a| write_text(a, "", true, Some(&seal::write(&seal))));
        }
    }

    fn call(&mut self, index: u64, call: Call, out: &mut Vec<u8>) {
        self.waiting = self.waiting.saturating_sub(call.arguments.len());
        let arguments = Arguments::from_text(&call.arguments);
        let signature = call.signature.as_ref().map(|seal| seal.text.as_str());
        self.part(out, index, |a| a.object(|o| write_call(o, Some(&call.id), &call.name, &arguments, signature)));
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.choice(0, |_| ());
        let usage = self.usage;
        for mut choice in std::mem::take(&mut self.choices) {
            for call in std::mem::take(&mut choice.calls) {
                self.call(choice.index, call, out);
            }
            let signature = choice.signature.take();
            let cited: Vec<_> = choice.citations.iter().map(|(cited, span)| (cited, *span)).collect();
            let last = |o: &mut Members<'_>| {
                write_content(o, |a| write_text(a, "", false, signature.as_ref().map(|seal| seal.text.as_str())));
                o.string("finishReason", finish_word(choice.finish.as_ref()));
                citation::write_grounding(o, &cited);
            };
            self.write(out, choice.index, last, |o| {
                if let Some(used) = &usage {
                    o.object("usageMetadata", |o| usage::write(o, used));
                }
            });
        }
        self.ended = true;
    }
}

fn write_content(o: &mut Members<'_>, part: impl FnOnce(&mut Items<'_>)) {
    o.object("content", |o| {
        o.array("parts", part);
        o.string("role", "model");
    });
}
