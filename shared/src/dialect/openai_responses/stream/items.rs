//! The items of a stream as blocks: opened by their first piece, closed when they are done, and what
//! was left out on the way made up for from what ends them.

use super::MOST;
use super::wire::{ItemWire, PartWire, Place};
use crate::dialect::Dialect;
use crate::dialect::ir::{BlockKind, Delta, Event, Json, Part};
use crate::dialect::json_write;
use crate::dialect::openai_responses::item::read_annotation;
use crate::dialect::openai_responses::seal::{self, Ending};
use crate::dialect::text::{Joiner, stand_in_for_surrogates};
use crate::sorted::SortedSet;
use serde_json::value::RawValue;
use std::borrow::Cow;

#[derive(Debug, Default)]
pub(super) struct Items {
    blocks: Vec<Block>,
    /// Items that are done, by their place in the answer.
    done: SortedSet<u64>,
    /// The next block's number.
    next: u64,
    called: bool,
}

/// A block of an item that is not done.
#[derive(Debug)]
struct Block {
    item: u64,
    /// `None`: nothing here looks into it.
    place: Option<Place>,
    block: u64,
    open: bool,
    /// Words have come.
    filled: bool,
    citations: usize,
    joiner: Joiner,
}

impl Block {
    fn add(&self, delta: Delta, out: &mut Vec<Event>) {
        out.push(Event::Delta { choice: 0, block: self.block, delta });
    }

    fn close(&mut self, out: &mut Vec<Event>) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        let rest = self.joiner.flush().unwrap_or_default();
        match self.place {
            Some(Place::Input) if self.filled => self.add(Delta::Arguments(rest + "\"}"), out),
            Some(Place::Arguments) if !rest.is_empty() => self.add(Delta::Arguments(rest), out),
            Some(Place::Text(_) | Place::Refusal(_) | Place::Summary(_) | Place::Thoughts(_)) if !rest.is_empty() => {
                self.add(Delta::Text(rest), out);
            }
            Some(_) | None => {}
        }
        out.push(Event::BlockStop { choice: 0, block: self.block });
    }

    fn words(&mut self, piece: Cow<'_, str>, repaired: bool, out: &mut Vec<Event>) {
        let first = !std::mem::replace(&mut self.filled, true);
        let text = self.joiner.pass(piece, repaired);
        match self.place {
            // As a function of one text; see `lowered`.
            Some(Place::Input) => {
                let mut literal = Vec::with_capacity(text.len() + 12);
                if first {
                    literal.extend_from_slice(b"{\"input\":\"");
                }
                json_write::escaped(&mut literal, &text);
                self.add(Delta::Arguments(String::from_utf8_lossy(&literal).into_owned()), out);
            }
            Some(Place::Arguments) => self.add(Delta::Arguments(text), out),
            Some(Place::Text(_) | Place::Refusal(_) | Place::Summary(_) | Place::Thoughts(_)) if !text.is_empty() => {
                self.add(Delta::Text(text), out);
            }
            Some(_) | None => {}
        }
    }
}

impl Items {
    /// Whether any tool was called.
    pub(super) fn called(&self) -> bool {
        self.called
    }

    /// Takes note that words came to a block, if it is open.
    pub(super) fn note(&mut self, item: u64, place: Place) -> bool {
        let block = self.blocks.iter_mut().rfind(|block| block.item == item && block.place == Some(place));
        match block.filter(|block| block.open && place != Place::Input) {
            Some(block) => {
                block.filled = true;
                true
            }
            None => false,
        }
    }

    fn find(&mut self, item: u64, place: Option<Place>) -> Option<&mut Block> {
        self.blocks.iter_mut().rfind(|block| block.item == item && block.place == place)
    }

    fn push(&mut self, item: u64, place: Option<Place>, kind: BlockKind, out: &mut Vec<Event>) -> Option<&mut Block> {
        if self.blocks.len() >= MOST || self.done.len() >= MOST {
            return None;
        }
        let block = self.next;
        self.next += 1;
        out.push(Event::BlockStart { choice: 0, block, kind });
        let joiner = Joiner::default();
        self.blocks.push(Block { item, place, block, open: true, filled: false, citations: 0, joiner });
        self.blocks.last_mut()
    }

    /// The block of these words, opened if it is new; `None` where they have no place.
    fn place(&mut self, item: u64, place: Place, out: &mut Vec<Event>) -> Option<&mut Block> {
        let known = self.blocks.iter().rposition(|block| block.item == item && block.place == Some(place));
        if let Some(known) = known {
            return self.blocks.get_mut(known).filter(|block| block.open);
        }
        if self.done.contains(&item) {
            return None;
        }
        let kind = match place {
            Place::Text(_) => BlockKind::Text,
            Place::Refusal(_) => BlockKind::Refusal,
            Place::Summary(_) | Place::Thoughts(_) => BlockKind::Thinking,
            // A call nobody opened has no name; the item itself will tell it.
            Place::Arguments | Place::Input => return None,
        };
        if place.is_thoughts() {
            // The last block stays open for the seal.
            self.close_thoughts(item, out);
        }
        self.push(item, Some(place), kind, out)
    }

    fn close_thoughts(&mut self, item: u64, out: &mut Vec<Event>) {
        let thoughts = |block: &&mut Block| block.item == item && block.place.is_some_and(Place::is_thoughts);
        self.blocks.iter_mut().filter(thoughts).for_each(|block| block.close(out));
    }

    /// A piece of words.
    pub(super) fn words(&mut self, item: u64, place: Place, piece: Cow<'_, str>, repaired: bool, out: &mut Vec<Event>) {
        if let Some(block) = self.place(item, place, out) {
            block.words(piece, repaired, out);
        }
    }

    /// All the words of a block: told only if no piece of them was.
    pub(super) fn whole(&mut self, item: u64, place: Place, text: Cow<'_, str>, repaired: bool, out: &mut Vec<Event>) {
        if text.is_empty() || self.find(item, Some(place)).is_some_and(|block| block.filled) {
            return;
        }
        self.words(item, place, text, repaired, out);
    }

    /// A source of a text.
    pub(super) fn cite(&mut self, item: u64, part: u64, raw: &RawValue, out: &mut Vec<Event>) {
        let Some(citation) = read_annotation(raw) else { return };
        if let Some(block) = self.place(item, Place::Text(part), out) {
            block.citations += 1;
            block.add(Delta::Citation(citation), out);
        }
    }

    /// An item begins. Messages and thoughts begin with their first words.
    pub(super) fn open(&mut self, item: u64, raw: &RawValue, out: &mut Vec<Event>) {
        let known = self.done.contains(&item) || self.blocks.iter().any(|block| block.item == item);
        let fixed = stand_in_for_surrogates(raw.get());
        let wire: Option<ItemWire<'_>> = crate::json::parse(fixed.as_deref().unwrap_or(raw.get())).ok();
        let Some(wire) = wire.filter(|_| !known) else { return };
        match wire.kind.some() {
            Some("message" | "reasoning") | None => {}
            Some("function_call") => self.open_call(item, Place::Arguments, &wire, out),
            Some("custom_tool_call") => self.open_call(item, Place::Input, &wire, out),
            Some(_) => {
                let kind = BlockKind::Opaque { origin: Dialect::OpenAiResponses, json: Json::from(raw) };
                self.push(item, None, kind, out);
            }
        }
    }

    fn open_call(&mut self, item: u64, place: Place, wire: &ItemWire<'_>, out: &mut Vec<Event>) {
        let id = wire.call_id.some().or(wire.id.some()).map_or_else(|| format!("call_{item}"), str::to_owned);
        let kind = BlockKind::ToolCall { id, name: wire.name.some().unwrap_or_default().to_owned() };
        self.called |= self.push(item, Some(place), kind, out).is_some();
    }

    /// A part of a message is done.
    pub(super) fn finish_part(&mut self, item: u64, index: u64, raw: &RawValue, repaired: bool, out: &mut Vec<Event>) {
        let fixed = stand_in_for_surrogates(raw.get());
        let repaired = repaired || fixed.is_some();
        let Ok(part) = crate::json::parse::<PartWire<'_>>(fixed.as_deref().unwrap_or(raw.get())) else { return };
        let place = match part.kind.some() {
            Some("output_text") => Place::Text(index),
            Some("refusal") => Place::Refusal(index),
            Some(_) | None => return,
        };
        let words = if place == Place::Text(index) { part.text } else { part.refusal };
        if let Some(text) = words.into_some() {
            self.whole(item, place, text, repaired, out);
        }
        let told = self.find(item, Some(place)).filter(|block| block.open).map_or(usize::MAX, |block| block.citations);
        for raw in part.annotations.0.into_iter().skip(told) {
            self.cite(item, index, raw, out);
        }
        if let Some(block) = self.find(item, Some(place)) {
            block.close(out);
        }
    }

    /// An item is done, and stands here as a whole.
    pub(super) fn finish(&mut self, item: u64, raw: &RawValue, repaired: bool, out: &mut Vec<Event>) {
        let fixed = stand_in_for_surrogates(raw.get());
        let repaired = repaired || fixed.is_some();
        let wire: Option<ItemWire<'_>> = crate::json::parse(fixed.as_deref().unwrap_or(raw.get())).ok();
        let Some(wire) = wire.filter(|_| !self.done.contains(&item)) else { return };
        match wire.kind.some() {
            Some("message") => {
                for (index, raw) in (0..).zip(wire.content.0) {
                    self.finish_part(item, index, raw, repaired, out);
                }
            }
            Some("reasoning") => self.finish_thoughts(item, wire, repaired, out),
            Some(kind @ ("function_call" | "custom_tool_call")) => {
                let custom = kind == "custom_tool_call";
                let place = if custom { Place::Input } else { Place::Arguments };
                if self.find(item, Some(place)).is_none() {
                    self.open_call(item, place, &wire, out);
                }
                let words = if custom { wire.input } else { wire.arguments };
                self.whole(item, place, words.into_some().unwrap_or_default(), repaired, out);
            }
            Some(_) => {
                if self.find(item, None).is_none() {
                    self.open(item, raw, out);
                } else if let Some(block) = self.find(item, None) {
                    block.add(Delta::Opaque(Json::from(raw)), out);
                }
            }
            None => {}
        }
        self.blocks.iter_mut().filter(|block| block.item == item).for_each(|block| block.close(out));
        self.blocks.retain(|block| block.item != item);
        if self.done.len() < MOST {
            self.done.insert(item);
        }
    }

    fn finish_thoughts(&mut self, item: u64, wire: ItemWire<'_>, repaired: bool, out: &mut Vec<Event>) {
        type At = fn(u64) -> Place;
        for (parts, at) in [(wire.summary, Place::Summary as At), (wire.content, Place::Thoughts as At)] {
            for (index, raw) in (0..).zip(parts.0) {
                if let Ok(part) = crate::json::parse::<PartWire<'_>>(raw.get())
                    && let Some(text) = part.text.into_some()
                {
                    self.whole(item, at(index), text, repaired, out);
                }
            }
        }
        let Some(encrypted) = wire.encrypted_content.some() else { return };
        let last = |block: &&mut Block| block.item == item && block.open && block.place.is_some_and(Place::is_thoughts);
        let words = self.blocks.iter_mut().rfind(last);
        match (seal::ending(encrypted.to_owned(), words.is_some()), words) {
            (Ending::Signs(seal), Some(block)) => block.add(Delta::Signature(seal), out),
            (Ending::Signs(seal), None) | (Ending::Alone(Part::RedactedThinking(seal)), _) => {
                self.close_thoughts(item, out);
                self.push(item, None, BlockKind::RedactedThinking(seal), out);
            }
            (Ending::Alone(part), _) => {
                if let Part::Thinking { signature: Some(seal), .. } = part
                    && let Some(block) = self.push(item, None, BlockKind::Thinking, out)
                {
                    block.add(Delta::Signature(seal), out);
                }
            }
        }
    }

    /// Closes what is still open: the answer is complete.
    pub(super) fn close_all(&mut self, out: &mut Vec<Event>) {
        self.blocks.iter_mut().for_each(|block| block.close(out));
    }
}
