//! The output of a stream being written: which item each block belongs to, and what its items amount
//! to, for the events that end them and for the answer's last.

use super::super::response::{Status, token_logprobs};
use super::super::{item, seal};
use super::encode::{At, Wire};
use crate::dialect::ir::{Citation, Json, Seal};
use crate::dialect::json_write::object;

#[derive(Debug, Default)]
pub(super) struct Output {
    /// The answer's id, of which the items' are made.
    pub(super) answer: String,
    /// Bytes kept.
    pub(super) bytes: usize,
    items: Vec<Slot>,
    /// Open blocks: number, place of the item, place of the part in it.
    open: Vec<(u64, usize, usize)>,
}

#[derive(Debug)]
struct Slot {
    id: String,
    item: Item,
    /// The item as it ended; empty before.
    json: Vec<u8>,
}

/// What an item has so far.
#[derive(Debug)]
pub(super) enum Item {
    Message(Vec<Words>),
    Reasoning { words: Vec<String>, seal: Option<Seal>, redacted: bool },
    Call { call: String, name: String, arguments: String },
    Opaque(Json),
}

impl Item {
    pub(super) fn call(call: String, name: String) -> Item {
        Item::Call { call, name, arguments: String::new() }
    }

    pub(super) fn opaque(json: Json) -> Item {
        Item::Opaque(json)
    }

    fn kind(&self) -> item::Kind {
        match self {
            Item::Message(_) => item::Kind::Message,
            Item::Reasoning { .. } => item::Kind::Reasoning,
            Item::Call { .. } | Item::Opaque(_) => item::Kind::Call,
        }
    }

    fn write(&self, id: &str, status: &str, out: &mut Vec<u8>) {
        if let Item::Opaque(json) = self {
            return out.extend_from_slice(json.text().as_bytes());
        }
        object(out, |o| match self {
            Item::Message(parts) => item::write_message(o, id, status, |a| {
                parts.iter().for_each(|part| part.write(a.value()));
            }),
            Item::Reasoning { words, seal, redacted } => {
                let sealed =
                    seal.as_ref().map(|seal| if *redacted { seal::of_thoughts(seal) } else { seal::of_words(seal) });
                item::write_reasoning(o, id, words.iter().map(String::as_str), sealed.as_deref());
            }
            Item::Call { call, name, arguments } => item::write_call(o, id, status, call, name, arguments),
            Item::Opaque(_) => {}
        });
    }
}

/// A part of a message.
#[derive(Debug, Default)]
pub(super) struct Words {
    refusal: bool,
    text: String,
    annotations: Vec<Vec<u8>>,
    logprobs: Vec<Json>,
}

impl Words {
    fn write(&self, out: &mut Vec<u8>) {
        object(out, |o| {
            if self.refusal {
                item::write_refusal(o, &self.text);
            } else {
                item::write_text(o, &self.text, &self.annotations, &self.logprobs);
            }
        });
    }
}

impl Output {
    /// The items that are done, in order.
    pub(super) fn done(&self) -> impl Iterator<Item = &[u8]> {
        self.items.iter().map(|slot| slot.json.as_slice()).filter(|json| !json.is_empty())
    }

    /// The last item, if it can still take a block.
    fn last(&self) -> Option<(usize, &Item)> {
        let last = self.items.last().filter(|slot| slot.json.is_empty())?;
        Some((self.items.len() - 1, &last.item))
    }

    fn is_open(&self, place: usize) -> bool {
        self.open.iter().any(|(_, item, _)| *item == place)
    }

    /// Begins an item with its first block.
    pub(super) fn add(&mut self, block: u64, item: Item, wire: &mut Wire, out: &mut Vec<u8>) {
        let place = self.push(item, wire, out);
        self.open.push((block, place, 0));
    }

    fn push(&mut self, item: Item, wire: &mut Wire, out: &mut Vec<u8>) -> usize {
        let place = self.items.len();
        // What could have taken this block and did not is done.
        if let Some((last, Item::Message(_) | Item::Reasoning { .. })) = self.last()
            && !self.is_open(last)
        {
            self.finish(last, "completed", wire, out);
        }
        let id = item::id(item.kind(), &self.answer, place);
        wire.event(out, "response.output_item.added", |o| {
            o.number("output_index", place);
            item.write(&id, "in_progress", o.value("item"));
        });
        self.items.push(Slot { id, item, json: Vec::new() });
        place
    }

    /// A text or a refusal begins.
    pub(super) fn words(&mut self, block: u64, refusal: bool, wire: &mut Wire, out: &mut Vec<u8>) {
        let place = match self.last() {
            Some((place, Item::Message(_))) => place,
            Some(_) | None => self.push(Item::Message(Vec::new()), wire, out),
        };
        let Some(Slot { id, item: Item::Message(parts), .. }) = self.items.get_mut(place) else { return };
        let part = parts.len();
        parts.push(Words { refusal, ..Words::default() });
        self.open.push((block, place, part));
        let at = At { id, item: place, part: Some(("content_index", part)) };
        wire.event(out, "response.content_part.added", |o| {
            at.write(o);
            Words { refusal, ..Words::default() }.write(o.value("part"));
        });
    }

    /// Thoughts begin: of the same item as those before them, unless those were sealed.
    pub(super) fn thoughts(&mut self, block: u64, wire: &mut Wire, out: &mut Vec<u8>) {
        let place = match self.last() {
            Some((place, Item::Reasoning { seal: None, .. })) if !self.is_open(place) => place,
            Some(_) | None => self.push(Item::Reasoning { words: Vec::new(), seal: None, redacted: false }, wire, out),
        };
        let Some(Slot { item: Item::Reasoning { words, .. }, .. }) = self.items.get(place) else { return };
        self.open.push((block, place, words.len()));
    }

    /// Thoughts only their maker can read come whole.
    pub(super) fn sealed(&mut self, seal: &Seal, wire: &mut Wire, out: &mut Vec<u8>) {
        self.bytes += seal.text.len();
        let item = Item::Reasoning { words: Vec::new(), seal: Some(seal.clone()), redacted: true };
        let place = self.push(item, wire, out);
        self.finish(place, "completed", wire, out);
    }

    fn find(&mut self, block: u64) -> Option<(usize, usize, &mut Slot)> {
        let (_, place, part) = *self.open.iter().find(|(number, ..)| *number == block)?;
        Some((place, part, self.items.get_mut(place)?))
    }

    /// A text, a refusal or thoughts grow.
    pub(super) fn text(&mut self, block: u64, text: &str, wire: &mut Wire, out: &mut Vec<u8>) {
        self.bytes += text.len();
        let Some((place, part, Slot { id, item, .. })) = self.find(block) else { return };
        if let Item::Message(parts) = item {
            let Some(words) = parts.get_mut(part) else { return };
            words.text.push_str(text);
            let at = At { id, item: place, part: Some(("content_index", part)) };
            if words.refusal {
                wire.delta(out, "response.refusal.delta", &at, text, "");
            } else {
                wire.delta(out, "response.output_text.delta", &at, text, ",\"logprobs\":[]");
            }
        } else if let Item::Reasoning { words, .. } = item {
            let at = At { id, item: place, part: Some(("summary_index", part)) };
            if words.len() == part {
                words.push(String::new());
                wire.event(out, "response.reasoning_summary_part.added", |o| {
                    at.write(o);
                    o.object("part", |o| item::write_summary(o, ""));
                });
            }
            if let Some(words) = words.get_mut(part) {
                words.push_str(text);
            }
            wire.delta(out, "response.reasoning_summary_text.delta", &at, text, "");
        }
    }

    /// A call's arguments grow.
    pub(super) fn arguments(&mut self, block: u64, piece: &str, wire: &mut Wire, out: &mut Vec<u8>) {
        self.bytes += piece.len();
        let Some((place, _, Slot { id, item: Item::Call { arguments, .. }, .. })) = self.find(block) else { return };
        arguments.push_str(piece);
        wire.delta(out, "response.function_call_arguments.delta", &At { id, item: place, part: None }, piece, "");
    }

    /// Thoughts are sealed, or a piece of their seal comes.
    pub(super) fn signature(&mut self, block: u64, piece: Seal) {
        self.bytes += piece.text.len();
        let Some((_, _, Slot { item: Item::Reasoning { seal, .. }, .. })) = self.find(block) else { return };
        match seal {
            Some(seal) => seal.text.push_str(&piece.text),
            None => *seal = Some(piece),
        }
    }

    /// A source of a text.
    pub(super) fn citation(&mut self, block: u64, citation: &Citation, wire: &mut Wire, out: &mut Vec<u8>) {
        self.bytes += citation.json.text().len();
        let Some((place, part, Slot { id, item: Item::Message(parts), .. })) = self.find(block) else { return };
        let Some(words) = parts.get_mut(part) else { return };
        let mut annotation = Vec::new();
        let span = (0, words.text.chars().count() as u64);
        if !item::write_annotation(&mut annotation, citation, span) {
            return;
        }
        let number = words.annotations.len();
        let at = At { id, item: place, part: Some(("content_index", part)) };
        wire.event(out, "response.output_text.annotation.added", |o| {
            at.write(o);
            o.number("annotation_index", number);
            o.value("annotation").extend_from_slice(&annotation);
        });
        words.annotations.push(annotation);
    }

    /// Probabilities of the text's tokens. They come after their text, so only what ends it tells them.
    pub(super) fn logprobs(&mut self, json: &Json) {
        self.bytes += json.text().len();
        let message = self.items.iter_mut().rev().find_map(|slot| match &mut slot.item {
            Item::Message(parts) if slot.json.is_empty() => parts.last_mut(),
            Item::Message(_) | Item::Reasoning { .. } | Item::Call { .. } | Item::Opaque(_) => None,
        });
        if let Some(words) = message {
            words.logprobs.append(&mut token_logprobs(json));
        }
    }

    /// An item of this dialect, anew.
    pub(super) fn replace(&mut self, block: u64, json: Json) {
        self.bytes += json.text().len();
        if let Some((_, _, Slot { item: Item::Opaque(place), .. })) = self.find(block) {
            *place = json;
        }
    }

    /// A block ends, and with it what can have no other.
    pub(super) fn stop(&mut self, block: u64, wire: &mut Wire, out: &mut Vec<u8>) {
        let Some((place, part, Slot { id, item, .. })) = self.find(block) else { return };
        let done = match item {
            Item::Message(parts) => {
                let at = At { id, item: place, part: Some(("content_index", part)) };
                if let Some(words) = parts.get(part) {
                    words_done(words, &at, wire, out);
                }
                false
            }
            Item::Reasoning { words, seal, .. } => {
                let at = At { id, item: place, part: Some(("summary_index", part)) };
                if let Some(text) = words.get(part) {
                    wire.event(out, "response.reasoning_summary_text.done", |o| {
                        at.write(o);
                        o.string("text", text);
                    });
                    wire.event(out, "response.reasoning_summary_part.done", |o| {
                        at.write(o);
                        o.object("part", |o| item::write_summary(o, text));
                    });
                }
                seal.is_some()
            }
            Item::Call { arguments, name, .. } => {
                let at = At { id, item: place, part: None };
                // Clients parse what they collected.
                if arguments.is_empty() {
                    arguments.push_str("{}");
                    wire.delta(out, "response.function_call_arguments.delta", &at, arguments, "");
                }
                wire.event(out, "response.function_call_arguments.done", |o| {
                    at.write(o);
                    o.string("name", name);
                    o.string("arguments", arguments);
                });
                true
            }
            Item::Opaque(_) => true,
        };
        self.open.retain(|(number, ..)| *number != block);
        if done {
            self.finish(place, "completed", wire, out);
        }
    }

    fn finish(&mut self, place: usize, status: &str, wire: &mut Wire, out: &mut Vec<u8>) {
        let Some(Slot { id, item, json }) = self.items.get_mut(place).filter(|slot| slot.json.is_empty()) else {
            return;
        };
        item.write(id, status, json);
        // What it was made of stands in it now.
        *item = Item::Message(Vec::new());
        wire.event(out, "response.output_item.done", |o| {
            o.number("output_index", place);
            o.value("item").extend_from_slice(json);
        });
    }

    /// The answer ends: so does everything in it.
    pub(super) fn end(&mut self, status: Status, wire: &mut Wire, out: &mut Vec<u8>) {
        let open: Vec<u64> = self.open.iter().map(|(block, ..)| *block).collect();
        open.into_iter().for_each(|block| self.stop(block, wire, out));
        for place in 0..self.items.len() {
            self.finish(place, status.as_str(), wire, out);
        }
    }
}

fn words_done(words: &Words, at: &At<'_>, wire: &mut Wire, out: &mut Vec<u8>) {
    if words.refusal {
        wire.event(out, "response.refusal.done", |o| {
            at.write(o);
            o.string("refusal", &words.text);
        });
    } else {
        wire.event(out, "response.output_text.done", |o| {
            at.write(o);
            o.string("text", &words.text);
            o.array("logprobs", |a| words.logprobs.iter().for_each(|json| a.json(json)));
        });
    }
    wire.event(out, "response.content_part.done", |o| {
        at.write(o);
        words.write(o.value("part"));
    });
}
