//! A provider's stream into events.
//!
//! There is no terminal event: an answer is complete when each of its candidates has told why it ended,
//! or the prompt was blocked.

use super::MOST;
use super::partial::Pieces;
use super::wire::{CallWire, CandidateWire, EventWire, PartWire};
use crate::dialect::gemini::usage::UsageWire;
use crate::dialect::gemini::{citation, error, logprobs, read_finish, seal};
use crate::dialect::ir::{BlockKind, Delta, Event, FinishReason, Json};
use crate::dialect::text::{Joiner, Repaired, repair};
use crate::dialect::{Dialect, UpstreamError};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The state of a stream.
#[derive(Debug, Default)]
pub(in crate::dialect) struct Decode {
    phase: Phase,
    id: Option<String>,
    choices: Vec<Choice>,
    usage: UsageWire,
    blocked: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Before,
    Running,
    Failed,
    Ended,
}

#[derive(Debug, Default)]
struct Choice {
    index: u64,
    /// The next block's number.
    blocks: u64,
    /// The open text or thinking block.
    open: Option<(u64, BlockWords)>,
    joiner: Joiner,
    /// Ids of the calls so far.
    ids: Vec<String>,
    /// A call whose arguments come in pieces.
    partial: Option<(u64, Pieces)>,
    finished: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BlockWords {
    Text,
    Thinking,
}

impl Decode {
    /// Takes one event of the stream.
    pub(in crate::dialect) fn event(&mut self, data: &str, out: &mut Vec<Event>) {
        if matches!(self.phase, Phase::Failed | Phase::Ended) {
            return;
        }
        if let Ok(event) = crate::json::parse::<EventWire<'_>>(data) {
            return self.take(event, false, out);
        }
        match repair(data) {
            Repaired::Object(fixed) => match crate::json::parse::<EventWire<'_>>(&fixed) {
                Ok(event) => self.take(event, true, out),
                Err(_) => self.fail(UpstreamError::protocol("an event of the stream has another shape"), out),
            },
            Repaired::Nothing => {}
            // A mark that servers of OpenAI's dialect end with.
            Repaired::NotJson if data.trim() == "[DONE]" => {}
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

    /// The body has ended.
    pub(in crate::dialect) fn end_of_body(&mut self, out: &mut Vec<Event>) {
        if self.is_complete() {
            self.end(out);
        } else {
            self.fail(UpstreamError::protocol("the stream ended early"), out);
        }
    }

    /// Whether a body that ends here was complete.
    pub(in crate::dialect) fn is_complete(&self) -> bool {
        let finished = !self.choices.is_empty() && self.choices.iter().all(|choice| choice.finished);
        self.phase == Phase::Running && (finished || self.blocked)
    }

    /// Ends the answer whatever it lacks.
    pub(in crate::dialect::gemini) fn end(&mut self, out: &mut Vec<Event>) {
        if matches!(self.phase, Phase::Failed | Phase::Ended) {
            return;
        }
        for choice in &mut self.choices {
            choice.close(out);
        }
        self.phase = Phase::Ended;
        out.push(Event::End);
    }

    fn take(&mut self, event: EventWire<'_>, repaired: bool, out: &mut Vec<Event>) {
        if let Some(raw) = event.error.filter(|raw| raw.get() != "null") {
            return self.fail(error::read_event(raw.get()), out);
        }
        if self.phase == Phase::Before {
            self.phase = Phase::Running;
            self.id = event.response_id.some().map(str::to_owned);
            out.push(Event::Start { id: self.id.clone(), model: event.model_version.some().map(str::to_owned) });
        }
        let none = event.candidates.0.is_empty();
        for candidate in event.candidates.0.into_iter().filter_map(|candidate| candidate.0) {
            let index = candidate.index.0.unwrap_or(0);
            let id = self.id.as_deref();
            if let Some(choice) = find(&mut self.choices, index) {
                choice.candidate(candidate, repaired, id, out);
            }
        }
        let blocked = event.prompt_feedback.0.is_some_and(|feedback| feedback.block_reason.some().is_some());
        if blocked && none && self.choices.is_empty() {
            self.blocked = true;
            out.push(Event::Finish { choice: 0, reason: FinishReason::ContentFilter });
        }
        if let Some(usage) = event.usage_metadata.0 {
            self.usage.merge(usage);
            out.extend(self.usage.usage().map(Event::Usage));
        }
    }
}

/// The choice of this index, made if it is new.
fn find(choices: &mut Vec<Choice>, index: u64) -> Option<&mut Choice> {
    let place = match choices.iter().position(|choice| choice.index == index) {
        Some(place) => place,
        None if choices.len() >= MOST => return None,
        None => {
            choices.push(Choice { index, ..Choice::default() });
            choices.len() - 1
        }
    };
    choices.get_mut(place)
}

impl Choice {
    fn candidate(&mut self, wire: CandidateWire<'_>, repaired: bool, id: Option<&str>, out: &mut Vec<Event>) {
        for raw in wire.content.0.into_iter().flat_map(|content| content.parts.0) {
            self.part(raw, repaired, id, out);
        }
        let grounded = wire.grounding_metadata.map(citation::read_grounding).unwrap_or_default();
        let repeated = wire.citation_metadata.map(citation::read_sources).unwrap_or_default();
        for cited in grounded.into_iter().chain(repeated) {
            let block = self.words(BlockWords::Text, out);
            self.add(block, Delta::Citation(cited), out);
        }
        if let Some(json) = wire.logprobs_result.and_then(logprobs::read) {
            out.push(Event::Logprobs { choice: self.index, json });
        }
        if let Some(word) = wire.finish_reason.some() {
            self.close(out);
            self.finished = true;
            let reason = read_finish(word, !self.ids.is_empty());
            out.push(Event::Finish { choice: self.index, reason });
        }
    }

    fn part(&mut self, raw: &RawValue, repaired: bool, answer: Option<&str>, out: &mut Vec<Event>) {
        if let Ok(part) = crate::json::parse::<PartWire<'_>>(raw.get()) {
            return self.typed_part(part, raw, repaired, answer, out);
        }
        // Raw text is not looked into when the event is read, so a lone surrogate shows only here.
        if let Repaired::Object(fixed) = repair(raw.get())
            && let Ok(part) = crate::json::parse::<PartWire<'_>>(&fixed)
        {
            self.typed_part(part, raw, true, answer, out);
        }
    }

    fn typed_part(
        &mut self,
        part: PartWire<'_>,
        raw: &RawValue,
        repaired: bool,
        answer: Option<&str>,
        out: &mut Vec<Event>,
    ) {
        let is_thought = part.is_thought();
        let signature = part.thought_signature.some().map(seal::read);
        if let Some(call) = part.function_call.0 {
            if let Some(signature) = signature {
                self.sealed(BlockKind::RedactedThinking(signature), out);
            }
            return self.call(call, answer, out);
        }
        match part.text.0 {
            Some(text) if is_thought => {
                self.grow(BlockWords::Thinking, text, repaired, out);
                if let Some(signature) = signature {
                    let block = self.words(BlockWords::Thinking, out);
                    self.add(block, Delta::Signature(signature), out);
                    // A signature seals its block.
                    self.close_words(out);
                }
            }
            Some(text) => match signature {
                // It comes after the text that is under way, and before one that begins with it.
                Some(signature) if matches!(self.open, Some((_, BlockWords::Text))) => {
                    self.grow(BlockWords::Text, text, repaired, out);
                    self.sealed(BlockKind::RedactedThinking(signature), out);
                }
                Some(signature) => {
                    self.sealed(BlockKind::RedactedThinking(signature), out);
                    self.grow(BlockWords::Text, text, repaired, out);
                }
                None => self.grow(BlockWords::Text, text, repaired, out),
            },
            None => {
                self.sealed(BlockKind::Opaque { origin: Dialect::Gemini, json: Json::from(raw) }, out);
                if let Some(signature) = signature {
                    self.sealed(BlockKind::RedactedThinking(signature), out);
                }
            }
        }
    }

    fn add(&self, block: u64, delta: Delta, out: &mut Vec<Event>) {
        out.push(Event::Delta { choice: self.index, block, delta });
    }

    fn new_block(&mut self, kind: BlockKind, out: &mut Vec<Event>) -> u64 {
        let block = self.blocks;
        self.blocks += 1;
        out.push(Event::BlockStart { choice: self.index, block, kind });
        block
    }

    /// A block that comes whole.
    fn sealed(&mut self, kind: BlockKind, out: &mut Vec<Event>) {
        self.close_words(out);
        let block = self.new_block(kind, out);
        out.push(Event::BlockStop { choice: self.index, block });
    }

    /// The open block of these words, opened if need be.
    fn words(&mut self, words: BlockWords, out: &mut Vec<Event>) -> u64 {
        match self.open {
            Some((block, open)) if open == words => block,
            Some(_) | None => {
                self.close_words(out);
                let kind = match words {
                    BlockWords::Text => BlockKind::Text,
                    BlockWords::Thinking => BlockKind::Thinking,
                };
                let block = self.new_block(kind, out);
                self.open = Some((block, words));
                block
            }
        }
    }

    fn grow(&mut self, words: BlockWords, text: Cow<'_, str>, repaired: bool, out: &mut Vec<Event>) {
        if text.is_empty() {
            return;
        }
        let block = self.words(words, out);
        let text = self.joiner.pass(text, repaired);
        if !text.is_empty() {
            self.add(block, Delta::Text(text), out);
        }
    }

    fn close_words(&mut self, out: &mut Vec<Event>) {
        if let Some((block, _)) = self.open.take() {
            if let Some(text) = self.joiner.flush() {
                self.add(block, Delta::Text(text), out);
            }
            out.push(Event::BlockStop { choice: self.index, block });
        }
    }

    fn close(&mut self, out: &mut Vec<Event>) {
        self.close_words(out);
        self.close_partial(out);
    }

    fn close_partial(&mut self, out: &mut Vec<Event>) {
        if let Some((block, pieces)) = self.partial.take() {
            self.add(block, Delta::Arguments(pieces.to_json()), out);
            out.push(Event::BlockStop { choice: self.index, block });
        }
    }

    /// A tool call: whole, or a piece of one, which has no name but the first.
    fn call(&mut self, call: CallWire<'_>, answer: Option<&str>, out: &mut Vec<Event>) {
        let will_continue = call.will_continue();
        if let Some(name) = call.name.some() {
            self.close(out);
            if self.ids.len() >= MOST {
                return;
            }
            let id = self.unique_id(call.id.some(), answer);
            self.ids.push(id.clone());
            let block = self.new_block(BlockKind::ToolCall { id, name: name.to_owned() }, out);
            if !will_continue && call.partial_args.0.is_empty() {
                let arguments = call.args.map_or("{}", RawValue::get);
                self.add(block, Delta::Arguments(arguments.to_owned()), out);
                out.push(Event::BlockStop { choice: self.index, block });
                return;
            }
            self.partial = Some((block, Pieces::default()));
        }
        if let Some((_, pieces)) = &mut self.partial {
            call.partial_args.0.iter().filter_map(|piece| piece.0.as_ref()).for_each(|piece| pieces.add(piece));
            if !will_continue {
                self.close_partial(out);
            }
        }
    }

    /// The provider's id if it is there and new, else one made of the answer's id.
    fn unique_id(&self, id: Option<&str>, answer: Option<&str>) -> String {
        match id {
            Some(id) if self.ids.iter().all(|known| known != id) => id.to_owned(),
            Some(id) => format!("{id}_{}", self.ids.len()),
            None => {
                let answer = answer.unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).take(40);
                format!("call_{}_{}_{}", answer.collect::<String>(), self.index, self.ids.len())
            }
        }
    }
}
