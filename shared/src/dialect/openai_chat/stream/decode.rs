//! A provider's stream into events.

use super::MOST;
use super::wire::{CallWire, ChoiceWire, ChunkWire, ContentWire, DeltaWire, FunctionWire, PieceWire};
use crate::dialect::UpstreamError;
use crate::dialect::ir::{BlockKind, Delta, Event, FinishReason, Json, Seal, SealFormat};
use crate::dialect::lenient::{Count, Many, One, Text};
use crate::dialect::openai_chat::{read_finish, response};
use crate::dialect::text::{Joiner, Repaired, repair};
use std::borrow::Cow;

/// The state of a stream.
#[derive(Debug, Default)]
pub(in crate::dialect) struct Decode {
    phase: Phase,
    id: Option<String>,
    choices: Vec<Choice>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Before,
    Running,
    /// An error was told; usage may follow.
    Failed,
    Ended,
}

#[derive(Debug, Default)]
struct Choice {
    index: u64,
    /// The next block's number.
    blocks: u64,
    /// The open text, refusal or thinking block.
    open: Option<(u64, Channel)>,
    calls: Vec<Call>,
    finish: Option<FinishReason>,
    joiner: Joiner,
    /// Thoughts have come under a name of their own: their details only repeat them.
    named_thoughts: bool,
}

/// What a block of words is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channel {
    Text,
    Refusal,
    Thinking,
}

impl Channel {
    fn kind(self) -> BlockKind {
        match self {
            Channel::Text => BlockKind::Text,
            Channel::Refusal => BlockKind::Refusal,
            Channel::Thinking => BlockKind::Thinking,
        }
    }
}

#[derive(Debug)]
struct Call {
    /// The provider's index, where it gives one.
    index: Option<u64>,
    /// The provider's id, where it gives one.
    id: Option<String>,
    block: u64,
    open: bool,
    joiner: Joiner,
    /// The id it will have, and its arguments so far, while its name has not come.
    unnamed: Option<(String, String)>,
}

/// As many bytes of arguments are waited with for a name.
const MOST_UNNAMED: usize = 1 << 20;

impl Call {
    /// Tells the call, unless it is told already.
    fn begin(&mut self, choice: u64, name: &str, out: &mut Vec<Event>) {
        let Some((id, arguments)) = self.unnamed.take() else { return };
        let block = self.block;
        out.push(Event::BlockStart { choice, block, kind: BlockKind::ToolCall { id, name: name.to_owned() } });
        if !arguments.is_empty() {
            out.push(Event::Delta { choice, block, delta: Delta::Arguments(arguments) });
        }
    }

    fn grow(&mut self, choice: u64, piece: String, out: &mut Vec<Event>) {
        match &mut self.unnamed {
            Some((_, arguments)) => {
                arguments.push_str(&piece);
                if arguments.len() > MOST_UNNAMED {
                    self.begin(choice, "", out);
                }
            }
            None => out.push(Event::Delta { choice, block: self.block, delta: Delta::Arguments(piece) }),
        }
    }
}

impl Decode {
    /// Takes one event of the stream.
    pub(in crate::dialect) fn event(&mut self, name: &str, data: &str, out: &mut Vec<Event>) {
        if self.phase == Phase::Ended {
            return;
        }
        let data = data.trim();
        if data == "[DONE]" {
            return self.end(out);
        }
        match crate::json::parse::<ChunkWire<'_>>(data) {
            Ok(chunk) => self.chunk(name, data, chunk, false, out),
            Err(_) => match repair(data) {
                Repaired::Object(fixed) => match crate::json::parse::<ChunkWire<'_>>(&fixed) {
                    Ok(chunk) => self.chunk(name, data, chunk, true, out),
                    Err(_) => self.fail(UpstreamError::protocol("an event of the stream has another shape"), out),
                },
                Repaired::Nothing => {}
                Repaired::NotJson => self.fail(UpstreamError::protocol("an event of the stream is not JSON"), out),
            },
        }
    }

    /// The stream is broken: tells it once.
    pub(in crate::dialect) fn fail(&mut self, error: UpstreamError, out: &mut Vec<Event>) {
        if matches!(self.phase, Phase::Before | Phase::Running) {
            self.phase = Phase::Failed;
            for choice in &mut self.choices {
                choice.calls.iter_mut().filter(|call| call.open).for_each(|call| call.begin(choice.index, "", out));
            }
            out.push(Event::Error(error));
        }
    }

    /// The body has ended. Servers that leave out `[DONE]` are complete if every choice has finished.
    pub(in crate::dialect) fn end_of_body(&mut self, out: &mut Vec<Event>) {
        if self.phase == Phase::Running
            && self.choices.iter().all(|choice| choice.finish.is_some())
            && !self.choices.is_empty()
        {
            self.end(out);
        } else {
            self.fail(UpstreamError::protocol("the stream ended early"), out);
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        if self.phase == Phase::Failed {
            self.phase = Phase::Ended;
            return;
        }
        self.start(&Text(None), &Text(None), out);
        if self.choices.is_empty() {
            find(&mut self.choices, 0);
        }
        for choice in &mut self.choices {
            choice.close_all(out);
            if choice.finish.is_none() {
                let reason = if choice.calls.is_empty() { FinishReason::Stop } else { FinishReason::ToolCalls };
                out.push(Event::Finish { choice: choice.index, reason });
            }
        }
        self.phase = Phase::Ended;
        out.push(Event::End);
    }

    fn start(&mut self, id: &Text<'_>, model: &Text<'_>, out: &mut Vec<Event>) {
        if self.phase == Phase::Before {
            self.phase = Phase::Running;
            self.id = id.some().map(str::to_owned);
            out.push(Event::Start { id: self.id.clone(), model: model.some().map(str::to_owned) });
        }
    }

    fn chunk(&mut self, name: &str, data: &str, chunk: ChunkWire<'_>, repaired: bool, out: &mut Vec<Event>) {
        let usage = chunk.usage();
        if let Some(error) = chunk.error {
            self.fail(UpstreamError::from_event(error.get()), out);
        } else if name == "error" {
            self.fail(UpstreamError::from_event(data), out);
        }
        if self.phase != Phase::Failed && (!chunk.choices.0.is_empty() || usage.is_some()) {
            // A chunk of prompt filter results comes first at Azure, without id and model.
            self.start(&chunk.id, &chunk.model, out);
            for choice in chunk.choices.0 {
                if let Some(wire) = choice.0 {
                    self.choice_delta(wire, repaired, out);
                }
            }
        }
        out.extend(usage.map(Event::Usage));
    }

    fn choice_delta(&mut self, wire: ChoiceWire<'_>, repaired: bool, out: &mut Vec<Event>) {
        let id = self.id.as_deref();
        let Some(choice) = find(&mut self.choices, wire.index.0.unwrap_or(0)) else { return };
        if let Some(delta) = wire.delta.0.or(wire.message.0) {
            choice.delta(delta, repaired, id, out);
        }
        if let Some(json) = wire.logprobs.map(Json::from).filter(Json::is_object) {
            out.push(Event::Logprobs { choice: choice.index, json });
        }
        if let Some(word) = wire.finish_reason.some() {
            let reason = read_finish(word);
            choice.close_all(out);
            // Some servers repeat themselves.
            if choice.finish.as_ref() != Some(&reason) {
                choice.finish = Some(reason.clone());
                out.push(Event::Finish { choice: choice.index, reason });
            }
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
    fn delta(&mut self, mut delta: DeltaWire<'_>, repaired: bool, id: Option<&str>, out: &mut Vec<Event>) {
        if let Some(thoughts) = delta.take_thoughts() {
            self.named_thoughts = true;
            self.words(Channel::Thinking, thoughts, repaired, out);
        }
        for detail in std::mem::take(&mut delta.reasoning_details.0) {
            let Some(detail) = detail.0 else { continue };
            if let Some(words) = detail.words().filter(|_| !self.named_thoughts) {
                self.words(Channel::Thinking, Cow::Borrowed(words), repaired, out);
            }
            let seal = |text: &str| Seal { text: text.to_owned(), format: SealFormat::from_name(detail.format.some()) };
            if let Some(signature) = detail.signature.some() {
                let block = self.open_words(Channel::Thinking, out);
                let delta = Delta::Signature(seal(signature));
                out.push(Event::Delta { choice: self.index, block, delta });
                // A signature seals its block.
                self.close_words(out);
            } else if let Some(data) = detail.data.some() {
                self.close_words(out);
                let block = self.new_block();
                let kind = BlockKind::RedactedThinking(seal(data));
                out.push(Event::BlockStart { choice: self.index, block, kind });
                out.push(Event::BlockStop { choice: self.index, block });
            }
        }
        match delta.content {
            ContentWire::Nothing => {}
            ContentWire::Text(text) => self.words(Channel::Text, text, repaired, out),
            ContentWire::Pieces(pieces) => {
                for piece in pieces {
                    match piece {
                        PieceWire::Text(text) => self.words(Channel::Text, text, repaired, out),
                        PieceWire::Thoughts(text) => self.words(Channel::Thinking, text, repaired, out),
                    }
                }
            }
        }
        if let Some(refusal) = delta.refusal.into_some() {
            self.words(Channel::Refusal, refusal, repaired, out);
        }
        for citation in delta.annotations.0.into_iter().filter_map(response::read_annotation) {
            let block = self.open_words(Channel::Text, out);
            out.push(Event::Delta { choice: self.index, block, delta: Delta::Citation(citation) });
        }
        let Many(calls) = delta.tool_calls;
        for call in calls.into_iter().filter_map(|call| call.0) {
            self.call(call, id, repaired, out);
        }
        if let Some(function) = delta.function_call.0 {
            let call = CallWire { index: Count(Some(0)), id: Text(None), function: One(Some(function)) };
            self.call(call, id, repaired, out);
        }
    }

    fn new_block(&mut self) -> u64 {
        self.blocks += 1;
        self.blocks - 1
    }

    /// The open block of this channel, opened if need be.
    fn open_words(&mut self, channel: Channel, out: &mut Vec<Event>) -> u64 {
        match self.open {
            Some((block, open)) if open == channel => block,
            Some(_) | None => {
                self.close_words(out);
                let block = self.new_block();
                self.open = Some((block, channel));
                out.push(Event::BlockStart { choice: self.index, block, kind: channel.kind() });
                block
            }
        }
    }

    fn words(&mut self, channel: Channel, text: Cow<'_, str>, repaired: bool, out: &mut Vec<Event>) {
        let block = self.open_words(channel, out);
        let text = self.joiner.pass(text, repaired);
        if !text.is_empty() {
            out.push(Event::Delta { choice: self.index, block, delta: Delta::Text(text) });
        }
    }

    fn close_words(&mut self, out: &mut Vec<Event>) {
        if let Some((block, _)) = self.open.take() {
            if let Some(text) = self.joiner.flush() {
                out.push(Event::Delta { choice: self.index, block, delta: Delta::Text(text) });
            }
            out.push(Event::BlockStop { choice: self.index, block });
        }
    }

    fn close_all(&mut self, out: &mut Vec<Event>) {
        self.close_words(out);
        for call in self.calls.iter_mut().filter(|call| call.open) {
            call.open = false;
            call.begin(self.index, "", out);
            out.push(Event::BlockStop { choice: self.index, block: call.block });
        }
    }

    /// A piece of a tool call. Which call it belongs to is told by the index, else by the id, else it
    /// is the last one's; another id and name under a known index is another call.
    fn call(&mut self, wire: CallWire<'_>, answer: Option<&str>, repaired: bool, out: &mut Vec<Event>) {
        let function = wire.function.0.unwrap_or_default();
        let id = wire.id.some();
        let known = self.find_call(wire.index.0, id, &function);
        let block = match known {
            Some(block) => block,
            None if self.calls.len() >= MOST => return,
            None => {
                self.close_words(out);
                let block = self.new_block();
                let unique = self.unique_id(id, answer);
                self.calls.push(Call {
                    index: wire.index.0,
                    id: id.map(str::to_owned),
                    block,
                    open: true,
                    joiner: Joiner::default(),
                    unnamed: Some((unique, String::new())),
                });
                block
            }
        };
        let Some(call) = self.calls.iter_mut().find(|call| call.block == block) else { return };
        if let Some(name) = function.name.some() {
            call.begin(self.index, name, out);
        }
        if let Some((piece, halves)) = function.arguments_text() {
            let piece = call.joiner.pass(piece, repaired || halves);
            call.grow(self.index, piece, out);
        }
    }

    fn find_call(&self, index: Option<u64>, id: Option<&str>, function: &FunctionWire<'_>) -> Option<u64> {
        let known = match (index, id) {
            (Some(index), _) => self.calls.iter().rfind(|call| call.index == Some(index)),
            (None, Some(id)) => self.calls.iter().rfind(|call| call.id.as_deref() == Some(id)),
            (None, None) if function.name.some().is_some() => None,
            (None, None) => self.calls.last(),
        }?;
        let other = id.is_some() && known.id.is_some() && known.id.as_deref() != id && function.name.some().is_some();
        (!other && known.open).then_some(known.block)
    }

    /// The provider's id if it is there and new, else one made of the answer's id.
    fn unique_id(&self, id: Option<&str>, answer: Option<&str>) -> String {
        match id {
            Some(id) if self.calls.iter().all(|call| call.id.as_deref() != Some(id)) => id.to_owned(),
            Some(id) => format!("{id}_{}", self.calls.len()),
            None => {
                let answer = answer.unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).take(40);
                format!("call_{}_{}", answer.collect::<String>(), self.calls.len())
            }
        }
    }
}
