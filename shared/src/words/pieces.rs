//! A streamed answer that somebody else judges while it comes: its events wait here until there is enough to judge, and go
//! on when that was judged.
//!
//! A piece ends where a sentence or a line does, or at least a word, so that nobody is asked about half of one. What has no words does
//! not wait, unless it stands behind some that do: the order of events stays. What is never judged is never told: of an
//! answer that breaks off, the rest that nobody has heard is dropped.

use super::begun::Begun;
use crate::dialect::ir::{BlockKind, Delta, Event};
use std::mem::take;

/// What waits.
#[derive(Debug)]
pub(super) struct Pieces {
    /// There is enough to judge when so many bytes of words wait.
    enough: usize,
    waiting: Vec<Event>,
    /// Bytes of words among what waits.
    bytes: usize,
    /// The answer, or one of its choices, has ended: what waits is all there is.
    ended: bool,
    /// What is being judged; nothing else goes on meanwhile.
    judged: Vec<Event>,
    /// What went on of the answer.
    begun: Begun,
}

/// Whose words these are: of a block, or of JSON that is one event.
type Place = (u64, u64, Option<usize>);

impl Pieces {
    pub(super) fn new(enough: usize) -> Pieces {
        let (waiting, judged) = (Vec::new(), Vec::new());
        Pieces { enough, waiting, bytes: 0, ended: false, judged, begun: Begun::default() }
    }

    /// Takes the next events; gives what need not wait.
    pub(super) fn push(&mut self, events: Vec<Event>, out: &mut Vec<Event>) {
        for event in events {
            self.bytes += length(&event);
            if self.bytes == 0 && self.judged.is_empty() {
                self.tell(event, out);
                continue;
            }
            self.ended |= matches!(event, Event::Finish { .. } | Event::End | Event::Error(_));
            self.waiting.push(event);
        }
    }

    /// Whether there is something to judge.
    pub(super) fn is_due(&self) -> bool {
        self.bytes > 0 && (self.ended || self.cut().is_some())
    }

    /// The texts of the next piece, which must be judged before anything else is; nothing where none is due.
    pub(super) fn next(&mut self) -> Vec<String> {
        if !self.is_due() {
            return Vec::new();
        }
        self.judged = match self.cut().filter(|_| !self.ended) {
            Some((at, place)) => self.split(at, place),
            None => take(&mut self.waiting),
        };
        self.bytes = self.waiting.iter().map(length).sum();
        texts(&self.judged).into_iter().map(|(_, text)| text).collect()
    }

    /// What goes on of a piece whose texts became these. JSON of one dialect cannot be written anew: if it is to be changed, it is
    /// refused, and the answer with it.
    pub(super) fn release(&mut self, judged: &[String], out: &mut Vec<Event>) {
        let said = texts(&self.judged);
        if said.iter().zip(judged).any(|(((_, _, whole), before), after)| whole.is_some() && before != after) {
            return self.refuse(out);
        }
        let events = take(&mut self.judged);
        // What stands for a text that was changed, until it was told.
        let mut changed: Vec<(Place, Option<&String>)> = (said.iter().zip(judged))
            .filter(|((_, before), after)| before != *after)
            .map(|((place, _), after)| (*place, Some(after)))
            .collect();
        for (at, event) in events.into_iter().enumerate() {
            let place = words(at, &event).map(|(place, _)| place);
            let Some((_, text)) = place.and_then(|place| changed.iter_mut().find(|(of, _)| *of == place)) else {
                self.tell(event, out);
                continue;
            };
            // All of the new text in place of the first part of the old.
            if let (Event::Delta { choice, block, delta }, Some(text)) = (event, text.take()) {
                let is_arguments = matches!(delta, Delta::Arguments(_));
                let delta = if is_arguments { Delta::Arguments(text.clone()) } else { Delta::Text(text.clone()) };
                self.tell(Event::Delta { choice, block, delta }, out);
            }
        }
        // What has no words waits for those before it alone.
        let behind = self.waiting.iter().take_while(|event| length(event) == 0).count();
        let rest = self.waiting.split_off(behind);
        for event in std::mem::replace(&mut self.waiting, rest) {
            self.tell(event, out);
        }
    }

    /// Ends the answer for the caller, as a provider's own filter would: what waits is not told.
    pub(super) fn refuse(&mut self, out: &mut Vec<Event>) {
        let events = take(&mut self.judged).into_iter().chain(take(&mut self.waiting));
        let mut last = Vec::new();
        for event in events {
            match event {
                Event::BlockStart { choice, .. } | Event::Delta { choice, .. } | Event::Finish { choice, .. } => {
                    self.begun.choice(choice);
                }
                Event::Usage(_) | Event::End => last.push(event),
                // What broke after the answer was ended does not concern the caller any more.
                Event::Error(_) => last.push(Event::End),
                Event::Start { .. } | Event::BlockStop { .. } | Event::Logprobs { .. } => {}
            }
        }
        self.begun.refuse(out);
        out.append(&mut last);
        self.bytes = 0;
    }

    fn tell(&mut self, event: Event, out: &mut Vec<Event>) {
        self.begun.note(&event);
        out.push(event);
    }

    /// Where enough has come: the last event that a piece can end in, and the place in its text.
    fn cut(&self) -> Option<(usize, usize)> {
        if self.bytes < self.enough {
            return None;
        }
        let end = |find: fn(&str) -> Option<usize>| {
            self.waiting.iter().enumerate().rev().find_map(|(at, event)| {
                let Event::Delta { delta: Delta::Text(text), .. } = event else { return None };
                find(text).map(|place| (at, place))
            })
        };
        // So long a sentence is judged by words, and so long a word as it stands.
        let sentence = end(end_of_sentence);
        let patience = |times: usize| self.bytes >= self.enough.saturating_mul(times);
        sentence
            .or_else(|| end(end_of_word).filter(|_| patience(2)))
            .or_else(|| (patience(4)).then_some((self.waiting.len(), 0)))
    }

    /// What waits up to a place in the text of an event.
    fn split(&mut self, at: usize, place: usize) -> Vec<Event> {
        let rest = self.waiting.split_off(at.min(self.waiting.len()));
        let mut head = std::mem::replace(&mut self.waiting, rest);
        if let Some(Event::Delta { choice, block, delta: Delta::Text(text) }) = self.waiting.first_mut() {
            let tail = text.split_off(place.min(text.len()));
            let first = std::mem::replace(text, tail);
            if !first.is_empty() {
                head.push(Event::Delta { choice: *choice, block: *block, delta: Delta::Text(first) });
            }
            if text.is_empty() {
                self.waiting.remove(0);
            }
        }
        head
    }
}

/// The words of an event, the words themselves or JSON that has some, and whose they are.
fn words(at: usize, event: &Event) -> Option<(Place, &str)> {
    let (choice, block, whole, text) = match event {
        Event::Delta { choice, block, delta } => match delta {
            Delta::Text(text) | Delta::Arguments(text) => (choice, block, None, text.as_str()),
            Delta::Opaque(json) => (choice, block, Some(at), json.text()),
            Delta::Citation(citation) => (choice, block, Some(at), citation.json.text()),
            Delta::Signature(_) => return None,
        },
        Event::BlockStart { choice, block, kind: BlockKind::Opaque { json, .. } } => {
            (choice, block, Some(at), json.text())
        }
        Event::Start { .. }
        | Event::BlockStart { .. }
        | Event::BlockStop { .. }
        | Event::Logprobs { .. }
        | Event::Finish { .. }
        | Event::Usage(_)
        | Event::End
        | Event::Error(_) => return None,
    };
    Some(((*choice, *block, whole), text))
}

/// How many bytes of words an event has.
fn length(event: &Event) -> usize {
    words(0, event).map_or(0, |(_, text)| text.len())
}

/// The texts of some events, by whose they are.
fn texts(events: &[Event]) -> Vec<(Place, String)> {
    let mut texts: Vec<(Place, String)> = Vec::new();
    for (at, event) in events.iter().enumerate() {
        let Some((place, words)) = words(at, event).filter(|(_, words)| !words.is_empty()) else { continue };
        match texts.iter_mut().find(|(of, _)| *of == place) {
            Some((_, text)) => text.push_str(words),
            None => texts.push((place, words.to_owned())),
        }
    }
    texts
}

/// Behind the last sign that ends a sentence or a line.
fn end_of_sentence(text: &str) -> Option<usize> {
    let ends = |(at, c): (usize, char)| match c {
        '\n' | '。' | '！' | '？' => Some(at + c.len_utf8()),
        '.' | '!' | '?' => text.get(at + 1..)?.chars().next().is_none_or(char::is_whitespace).then_some(at + 1),
        _ => None,
    };
    text.char_indices().rev().find_map(ends)
}

/// Before the last white space.
fn end_of_word(text: &str) -> Option<usize> {
    text.rfind(char::is_whitespace).filter(|at| *at > 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::dialect::ir::FinishReason;
    use proptest::prelude::*;

    fn text(block: u64, text: &str) -> Event {
        Event::Delta { choice: 0, block, delta: Delta::Text(text.to_owned()) }
    }

    fn start(block: u64) -> Event {
        Event::BlockStart { choice: 0, block, kind: BlockKind::Text }
    }

    const FINISH: Event = Event::Finish { choice: 0, reason: FinishReason::Stop };

    fn heard(events: &[Event]) -> String {
        events.iter().filter_map(|event| words(0, event)).map(|(_, text)| text).collect()
    }

    #[test]
    fn a_piece_ends_with_a_sentence_and_what_has_no_words_does_not_wait() {
        let (mut pieces, mut out) = (Pieces::new(20), Vec::new());
        pieces.push(vec![start(0), text(0, "Too short. ")], &mut out);
        assert!(!pieces.is_due() && out == [start(0)]);
        pieces.push(vec![text(0, "But this is enough. And")], &mut out);
        assert_eq!(pieces.next(), ["Too short. But this is enough."]);
        pieces.push(vec![text(0, " then")], &mut out);
        assert_eq!(out, [start(0)], "nothing goes on while something is judged");
        pieces.release(&["Too short. But this is enough.".to_owned()], &mut out);
        assert_eq!(heard(&out), "Too short. But this is enough.");
        assert!(!pieces.is_due());
        pieces.push(vec![text(0, " so on"), FINISH, Event::End], &mut out);
        assert_eq!(pieces.next(), [" And then so on"]);
        pieces.release(&[" AND THEN".to_owned()], &mut out);
        assert_eq!(heard(&out), "Too short. But this is enough. AND THEN");
        assert_eq!(out.last(), Some(&Event::End));
        assert!(pieces.next().is_empty());
    }

    #[test]
    fn a_long_sentence_is_judged_by_words_and_a_long_word_as_it_stands() {
        let (mut pieces, mut out) = (Pieces::new(10), Vec::new());
        pieces.push(vec![text(0, "one two three")], &mut out);
        assert!(!pieces.is_due());
        pieces.push(vec![text(0, " four five")], &mut out);
        assert_eq!(pieces.next(), ["one two three four"]);
        pieces.release(&["one two three four".to_owned()], &mut out);
        pieces.push(vec![text(0, &"x".repeat(30)), text(0, &"y".repeat(30))], &mut out);
        assert_eq!(pieces.next(), [" five".to_owned() + &"x".repeat(30) + &"y".repeat(30)]);
    }

    #[test]
    fn what_is_refused_is_not_told_and_what_was_begun_is_ended() {
        let (mut pieces, mut out) = (Pieces::new(10), Vec::new());
        pieces.push(vec![start(0), text(0, "A sentence that is told. ")], &mut out);
        let told = pieces.next();
        pieces.release(&told, &mut out);
        pieces.push(vec![text(0, "And one that is not. "), start(1), text(1, "Nor this"), FINISH], &mut out);
        assert!(!pieces.next().is_empty());
        pieces.push(vec![Event::End], &mut out);
        out.clear();
        pieces.refuse(&mut out);
        let filtered = Event::Finish { choice: 0, reason: FinishReason::ContentFilter };
        assert_eq!(out, [Event::BlockStop { choice: 0, block: 0 }, filtered, Event::End]);
    }

    proptest! {
        #[test]
        fn all_that_is_allowed_is_told_in_its_order(
            parts in prop::collection::vec(("[a-z .!?\n]{0,40}", 0u64..2), 1..30),
            enough in 1usize..60,
        ) {
            let (mut pieces, mut out) = (Pieces::new(enough), Vec::new());
            let sent: Vec<Event> = parts.iter().map(|(words, block)| text(*block, words)).chain([FINISH]).collect();
            for event in sent.clone() {
                pieces.push(vec![event], &mut out);
                loop {
                    let judged = pieces.next();
                    if judged.is_empty() {
                        break;
                    }
                    prop_assert!(judged.iter().all(|text| !text.is_empty()));
                    pieces.release(&judged, &mut out);
                }
            }
            prop_assert_eq!(heard(&out), heard(&sent));
            prop_assert_eq!(out.last(), Some(&FINISH));
        }
    }
}
