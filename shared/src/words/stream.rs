//! A streamed answer through the rails: every block is a text of its own.

use super::begun::Begun;
use super::filter::Chain;
use super::outside::Side;
use super::pieces::Pieces;
use super::{Denied, Words};
use crate::dialect::ir::{BlockKind, Citation, Delta, Event, Json};
use crate::guard::plain::Source;
use crate::sorted::SortedMap;

/// The rails over the events of one answer.
#[derive(Debug)]
pub struct Guarded {
    words: Words,
    /// The open blocks, by choice and number.
    blocks: SortedMap<(u64, u64), Block>,
    /// What went on of the answer.
    begun: Begun,
    /// A rail refused: nothing of the answer goes on but how it ended and what it cost.
    denied: Option<Denied>,
    /// Whether logprobs must go, because they would tell what is replaced or held.
    changes: bool,
    /// Whether somebody else will judge the answer when it is over.
    watched: bool,
    /// What waits for somebody else who judges the answer while it comes.
    pieces: Option<Pieces>,
}

#[derive(Debug)]
struct Block {
    chain: Chain,
    is_arguments: bool,
}

impl Guarded {
    pub(super) fn new(words: Words) -> Guarded {
        let pieces = words.piece().map(Pieces::new);
        // Who judges pieces may mask what is in them.
        let changes = words.changes_answers() || pieces.is_some();
        let watched = words.is_watched(Side::Output);
        Guarded { words, blocks: SortedMap::new(), begun: Begun::default(), denied: None, changes, watched, pieces }
    }

    /// Takes a piece of a block; tells what goes on.
    fn piece(&mut self, choice: u64, block: u64, piece: &str, last: bool, out: &mut Vec<Event>) {
        let Some(open) = self.blocks.get_mut(&(choice, block)) else { return };
        let mut seen = self.words.lock();
        let passed = open.chain.push(piece, last, &mut seen);
        if self.watched {
            seen.hear(&passed.text);
        }
        drop(seen);
        if !passed.text.is_empty() {
            let delta = if open.is_arguments { Delta::Arguments(passed.text) } else { Delta::Text(passed.text) };
            out.push(Event::Delta { choice, block, delta });
        }
        if let Some(denied) = passed.denied {
            self.deny(denied, out);
        }
    }

    /// Ends the answer for the caller, as a provider's own filter would.
    fn deny(&mut self, denied: Denied, out: &mut Vec<Event>) {
        self.denied = Some(denied);
        self.blocks = SortedMap::new();
        self.begun.refuse(out);
    }

    /// Lets an event go on.
    fn tell(&mut self, event: Event, out: &mut Vec<Event>) {
        self.begun.note(&event);
        out.push(event);
    }

    /// What blocks still hold when the answer ends without saying so of each.
    fn flush(&mut self, of: Option<u64>, out: &mut Vec<Event>) {
        let open: Vec<(u64, u64)> =
            self.blocks.keys().filter(|(choice, _)| of.is_none_or(|of| of == *choice)).copied().collect();
        for (choice, block) in open {
            self.piece(choice, block, "", true, out);
            if self.blocks.remove(&(choice, block)).is_some() {
                self.tell(Event::BlockStop { choice, block }, out);
            }
        }
    }

    /// JSON of one dialect that goes on as it is, but for its words.
    fn opaque(&self, json: Json) -> Result<Json, Denied> {
        let changed = self.words.answer(json.text(), 0..usize::MAX, true)?;
        let changed = changed.and_then(|bytes| Json::parse(str::from_utf8(&bytes).ok()?));
        Ok(changed.unwrap_or(json))
    }
}

impl Guarded {
    /// A source, and what is told of it in other places.
    fn cited(&self, citation: Citation) -> Result<Citation, Denied> {
        let Citation { origin, url, title, json } = citation;
        let text = |text: String| {
            let passed = self.words.chain(Source::Words, false).push(&text, true, &mut self.words.lock());
            passed.denied.map_or(Ok(passed.text), Err)
        };
        let json = self.opaque(json)?;
        Ok(Citation { origin, url: url.map(text).transpose()?, title: title.map(text).transpose()?, json })
    }

    /// Takes the next event; appends what the caller hears of it.
    pub fn event(&mut self, event: Event, out: &mut Vec<Event>) {
        if self.pieces.is_none() {
            return self.passes(event, out);
        }
        let mut passed = Vec::new();
        self.passes(event, &mut passed);
        if let Some(pieces) = &mut self.pieces {
            pieces.push(passed, out);
        }
    }

    /// Whether a piece waits to be judged.
    pub(crate) fn is_due(&self) -> bool {
        self.pieces.as_ref().is_some_and(Pieces::is_due)
    }

    /// The texts of the piece that is to be judged next, to be [released](Guarded::release) before there is another.
    pub(crate) fn due(&mut self) -> Vec<String> {
        self.pieces.as_mut().map(Pieces::next).unwrap_or_default()
    }

    /// What the caller hears of a piece that was judged.
    pub(crate) fn release(&mut self, judged: Result<Vec<String>, Denied>, out: &mut Vec<Event>) {
        let Some(pieces) = &mut self.pieces else { return };
        match judged {
            Ok(texts) => pieces.release(&texts, out),
            Err(denied) => {
                pieces.refuse(out);
                self.blocks = SortedMap::new();
                (self.denied, self.pieces) = (Some(denied), None);
            }
        }
    }

    /// Takes the next event through our own rails.
    fn passes(&mut self, event: Event, out: &mut Vec<Event>) {
        if self.denied.is_some() {
            match event {
                Event::Usage(_) | Event::End => out.push(event),
                // What broke after the answer was ended does not concern the caller any more.
                Event::Error(_) => out.push(Event::End),
                Event::Start { .. }
                | Event::BlockStart { .. }
                | Event::Delta { .. }
                | Event::BlockStop { .. }
                | Event::Logprobs { .. }
                | Event::Finish { .. } => {}
            }
            return;
        }
        match event {
            Event::BlockStart { choice, block, kind } => {
                self.begun.choice(choice);
                let kind = match kind {
                    BlockKind::Opaque { origin, json } => match self.opaque(json) {
                        Ok(json) => BlockKind::Opaque { origin, json },
                        Err(denied) => return self.deny(denied, out),
                    },
                    kind @ (BlockKind::Text
                    | BlockKind::Refusal
                    | BlockKind::Thinking
                    | BlockKind::RedactedThinking(_)
                    | BlockKind::ToolCall { .. }) => kind,
                };
                let (is_arguments, is_said) = match kind {
                    BlockKind::Text => (false, true),
                    BlockKind::Refusal | BlockKind::Thinking | BlockKind::RedactedThinking(_) => (false, false),
                    BlockKind::ToolCall { .. } | BlockKind::Opaque { .. } => (true, false),
                };
                let source = if is_arguments { Source::Json } else { Source::Words };
                let chain = self.words.chain(source, is_said);
                self.blocks.insert((choice, block), Block { chain, is_arguments });
                self.tell(Event::BlockStart { choice, block, kind }, out);
            }
            Event::Delta { choice, block, delta: Delta::Text(piece) | Delta::Arguments(piece) } => {
                self.piece(choice, block, &piece, false, out);
            }
            Event::Delta { choice, block, delta: Delta::Opaque(json) } => match self.opaque(json) {
                Ok(json) => out.push(Event::Delta { choice, block, delta: Delta::Opaque(json) }),
                Err(denied) => self.deny(denied, out),
            },
            Event::Delta { choice, block, delta: delta @ (Delta::Signature(_) | Delta::Citation(_)) } => {
                // What is signed or cited is what was said: all of it goes first.
                self.piece(choice, block, "", true, out);
                if self.denied.is_some() {
                    return;
                }
                let delta = match delta {
                    Delta::Citation(citation) => self.cited(citation).map(Delta::Citation),
                    delta @ (Delta::Text(_) | Delta::Signature(_) | Delta::Arguments(_) | Delta::Opaque(_)) => {
                        Ok(delta)
                    }
                };
                match delta {
                    Ok(delta) => out.push(Event::Delta { choice, block, delta }),
                    Err(denied) => self.deny(denied, out),
                }
            }
            Event::BlockStop { choice, block } => {
                self.piece(choice, block, "", true, out);
                if self.blocks.remove(&(choice, block)).is_some() {
                    self.tell(Event::BlockStop { choice, block }, out);
                }
            }
            Event::Logprobs { .. } if self.changes => {}
            Event::Finish { choice, .. } => {
                self.flush(Some(choice), out);
                if self.denied.is_none() {
                    self.tell(event, out);
                }
            }
            Event::End | Event::Error(_) => {
                self.flush(None, out);
                match (&self.denied, event) {
                    (Some(_), Event::Error(_)) => out.push(Event::End),
                    (Some(_) | None, event) => out.push(event),
                }
            }
            Event::Start { .. } | Event::Logprobs { .. } | Event::Usage(_) => out.push(event),
        }
    }
}
