//! One text through the rails, in one piece or in many: what comes out is the same.
//!
//! A filter holds back from the earliest place on that could still become a finding, and no more. What it has
//! let go it remembers a little of, because what stands before a number says what it is.

use super::{Denied, Named, Seen};
use crate::config::guardrails::{Action, Check, Mode};
use crate::guard::plain::{Plain, Source};
use crate::guard::{Found, LONGEST, injection, invisible, pii, repetition, secrets, settle};
use std::sync::Arc;

/// As much of what was let go as decides about what follows, in bytes.
const REMEMBERED: usize = 256;
/// A text that repeats itself is looked at each time so many bytes have come.
const LOOK_EVERY: usize = 512;
/// The most of a text that is kept for a rail that judges texts whole.
const LONGEST_WHOLE: usize = 4 << 20;

/// The rails one text goes through, in order.
#[derive(Debug)]
pub(super) struct Chain {
    filters: Vec<Filter>,
    restore: Option<String>,
    source: Source,
}

impl Chain {
    /// The rails of a request.
    pub(super) fn input(rails: &[Arc<Named>], source: Source) -> Chain {
        let filters = Chain::filters(rails, "input", source, false);
        Chain { filters, restore: None, source }
    }

    /// The rails of an answer; then placeholders are replaced, if any are to be. `is_said`: the text is what the model says,
    /// which alone is to follow schemas.
    pub(super) fn output(rails: &[Arc<Named>], restores: bool, source: Source, is_said: bool) -> Chain {
        let filters = Chain::filters(rails, "output", source, is_said);
        Chain { filters, restore: restores.then(String::new), source }
    }

    /// What somebody else judges is not judged here.
    fn filters(rails: &[Arc<Named>], side: &'static str, source: Source, is_said: bool) -> Vec<Filter> {
        let own = rails.iter().filter(|rail| match rail.rail.check {
            Check::Schema(_) => is_said,
            Check::Outside(_) => false,
            Check::Pii(_)
            | Check::Secrets
            | Check::Invisible
            | Check::Terms(_)
            | Check::Patterns(_)
            | Check::Injection(_)
            | Check::Length(_)
            | Check::Repetition(_) => true,
        });
        own.map(|rail| Filter::new(rail.clone(), side, source)).collect()
    }

    /// Takes the next piece of the text; gives what can go on. `last`: there is no more.
    pub(super) fn push(&mut self, piece: &str, last: bool, seen: &mut Seen) -> Passed {
        let mut text = piece.to_owned();
        let mut denied = None;
        for filter in &mut self.filters {
            let passed = filter.push(&text, last || denied.is_some(), seen);
            text = passed.text;
            // What comes before a denial still goes through the rails behind.
            denied = denied.or(passed.denied);
        }
        if let Some(held) = &mut self.restore {
            held.push_str(&text);
            let until = if last || denied.is_some() { held.len() } else { seen.masks.unfinished(held) };
            let rest = held.split_off(until.min(held.len()));
            text = seen.masks.restored(held, self.source == Source::Json);
            seen.touched |= text != *held;
            *held = rest;
        }
        Passed { text, denied }
    }
}

/// What a piece became.
#[derive(Debug)]
pub(super) struct Passed {
    /// What goes on.
    pub(super) text: String,
    /// The rail that lets nothing more pass.
    pub(super) denied: Option<Denied>,
}

/// One rail over one text.
#[derive(Debug)]
struct Filter {
    named: Arc<Named>,
    side: &'static str,
    source: Source,
    /// The end of what was let go, then what is held.
    text: String,
    /// Where in `text` what is held begins.
    held: usize,
    /// Of rails that judge a text whole, all of it.
    whole: String,
    chars: usize,
    found_whole: bool,
    /// Of JSON source, where `held` is.
    place: Place,
}

/// Where a place of JSON source is. A tool may be given something else, in which nothing needs quotes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Before anything that tells.
    #[default]
    Before,
    /// In what is no JSON.
    Elsewhere,
    /// Between strings.
    Between,
    /// Within one.
    Within,
    /// Within one, behind a backslash.
    Escaped,
}

impl Place {
    fn read(&mut self, text: &str) {
        for b in text.bytes() {
            *self = match (*self, b) {
                (Place::Before, b'{' | b'[') | (Place::Within, b'"') => Place::Between,
                (Place::Before | Place::Between, b'"') => Place::Within,
                (Place::Before, b' ' | b'\n' | b'\r' | b'\t') => Place::Before,
                (Place::Before | Place::Elsewhere, _) => Place::Elsewhere,
                (Place::Between, _) => Place::Between,
                (Place::Within, b'\\') => Place::Escaped,
                (Place::Within | Place::Escaped, _) => Place::Within,
            }
        }
    }
}

impl Filter {
    fn new(named: Arc<Named>, side: &'static str, source: Source) -> Filter {
        let (text, whole, place) = (String::new(), String::new(), Place::default());
        Filter { named, side, source, text, held: 0, whole, chars: 0, found_whole: false, place }
    }

    fn push(&mut self, piece: &str, last: bool, seen: &mut Seen) -> Passed {
        if self.named.rail.check.has_places() { self.places(piece, last, seen) } else { self.judge(piece, last, seen) }
    }

    /// Of a rail whose findings have places.
    fn places(&mut self, piece: &str, last: bool, seen: &mut Seen) -> Passed {
        if self.side == "input" && matches!(self.effect(), Some(Action::Mask | Action::Restore)) {
            seen.masks.keep_clear_of(piece);
        }
        self.text.push_str(piece);
        let plain = Plain::of(&self.text, self.source);
        let mut found = Vec::new();
        self.detect(&plain, &mut found);
        let mut until = if last { self.text.len() } else { self.unfinished(&plain).clamp(self.held, self.text.len()) };
        found.retain(|(one, _)| one.range.start >= self.held);
        // Nothing is cut in two.
        while let Some((one, _)) = found.iter().find(|(one, _)| one.range.start < until && one.range.end > until) {
            until = one.range.start;
        }
        found.retain(|(one, _)| one.range.end <= until);
        let mut out = String::with_capacity(until - self.held);
        let mut done = self.held;
        let mut denied = None;
        if !found.is_empty() {
            seen.note(&self.named, self.side, found.len());
            seen.touched |= self.side == "output" && matches!(self.effect(), Some(Action::Mask | Action::Deny));
        }
        for (one, meant) in &found {
            let before = self.text.get(done..one.range.start).unwrap_or_default();
            out.push_str(before);
            self.place.read(before);
            let original = self.text.get(one.range.clone()).unwrap_or_default();
            done = one.range.end;
            // What stands for a number is none, and must be a string for the rest to stay JSON.
            let quote = if self.source == Source::Json && self.place == Place::Between { "\"" } else { "" };
            self.place.read(original);
            seen.tell(&self.named, self.side, &one.class);
            match self.effect() {
                None | Some(Action::Flag | Action::Route) => out.push_str(original),
                Some(Action::Mask | Action::Restore) if one.class == "invisible" || one.class == "bidirectional" => {}
                Some(action @ (Action::Mask | Action::Restore)) => {
                    let masked = seen.masks.placeholder(&one.class, meant, original, action == Action::Restore);
                    out.extend([quote, &masked, quote]);
                }
                Some(Action::Deny) => {
                    denied = Some(Denied::by(&self.named));
                    break;
                }
            }
        }
        if denied.is_none() {
            let rest = self.text.get(done..until).unwrap_or_default();
            out.push_str(rest);
            self.place.read(rest);
        }
        self.forget(until);
        Passed { text: out, denied }
    }

    /// Finds what there is, each with what was meant.
    fn detect(&self, plain: &Plain<'_>, out: &mut Vec<(Found, String)>) {
        let mut found = Vec::new();
        match &self.named.rail.check {
            Check::Pii(wanted) => pii::find(plain, wanted, &mut found),
            Check::Secrets => secrets::find(plain, &mut found),
            Check::Terms(terms) => terms.find(plain.text(), &mut found),
            Check::Patterns(patterns) => patterns.iter().for_each(|pattern| pattern.find(plain.text(), &mut found)),
            Check::Invisible => {
                // What cannot be seen is not in the plain form.
                let decoded = Plain::decoded(&self.text, self.source);
                invisible::find(decoded.text(), &mut found);
                out.extend(found.into_iter().map(|one| {
                    let range = decoded.source(one.range.clone());
                    (Found { range, ..one }, String::new())
                }));
                return;
            }
            Check::Injection(_) | Check::Length(_) | Check::Repetition(_) | Check::Schema(_) | Check::Outside(_) => {}
        }
        settle(&mut found);
        out.extend(found.into_iter().map(|one| {
            let meant = plain.text().get(one.range.clone()).unwrap_or_default().to_owned();
            (Found { range: plain.source(one.range), ..one }, meant)
        }));
    }

    /// From where on more could come, when the text goes on.
    fn unfinished(&self, plain: &Plain<'_>) -> usize {
        let unfinished = match &self.named.rail.check {
            Check::Pii(_) => pii::unfinished(plain),
            Check::Secrets => secrets::unfinished(plain),
            Check::Terms(terms) => terms.unfinished(plain.text()),
            Check::Patterns(patterns) => {
                patterns.iter().map(|pattern| pattern.unfinished(plain.text())).min().unwrap_or(plain.text().len())
            }
            Check::Invisible => {
                let unseen = |c: &char| invisible::is_invisible(*c) || *c == '\u{1F3F4}';
                // A run may go on behind half an escape.
                let whole = self.text.get(..half_escape(&self.text)).unwrap_or_default();
                let decoded = Plain::decoded(whole, self.source);
                let held = decoded.text().chars().rev().take_while(unseen).map(char::len_utf8).sum::<usize>();
                let from = decoded.text().len() - held;
                return if held == 0 { whole.len() } else { decoded.source(from..from + 1).start };
            }
            Check::Injection(_) | Check::Length(_) | Check::Repetition(_) | Check::Schema(_) | Check::Outside(_) => {
                plain.text().len()
            }
        };
        let unfinished = if unfinished >= plain.text().len() {
            self.text.len()
        } else {
            plain.source(unfinished..unfinished + 1).start
        };
        unfinished.min(half_escape(&self.text))
    }

    /// Lets go of what lies before a place, and remembers its end.
    fn forget(&mut self, until: usize) {
        self.held = until;
        let mut from = until.saturating_sub(REMEMBERED);
        if from == 0 {
            return;
        }
        while !self.text.is_char_boundary(from) {
            from += 1;
        }
        // At the beginning of a word: half of one could look like something else.
        let tail = self.text.get(from..until).unwrap_or_default();
        from += tail.find(char::is_whitespace).unwrap_or(0);
        self.text.drain(..from);
        self.held = until - from;
    }

    /// Of a rail that judges a text whole, or as it grows.
    fn judge(&mut self, piece: &str, last: bool, seen: &mut Seen) -> Passed {
        let before = self.whole.len();
        let room = LONGEST_WHOLE.saturating_sub(before);
        let kept = piece.get(..room).unwrap_or(if piece.len() <= room { piece } else { "" });
        self.whole.push_str(kept);
        let mut passes = piece.len();
        let found = match &self.named.rail.check {
            Check::Length(most) => {
                let left = most.saturating_sub(self.chars);
                self.chars += piece.chars().count();
                let found = self.chars > *most;
                if found {
                    passes = piece.char_indices().nth(left).map_or(piece.len(), |(at, _)| at);
                }
                found
            }
            Check::Repetition(_) if self.found_whole => false,
            Check::Repetition(times) => match self.repeats(before, *times, last) {
                Some(at) => {
                    passes = at.saturating_sub(before);
                    true
                }
                None => false,
            },
            Check::Injection(enough) => last && injection::score(Plain::of(&self.whole, self.source).text()) >= *enough,
            // Who says nothing calls a tool.
            Check::Schema(schema) => last && !self.whole.trim().is_empty() && !schema.is_followed(&self.whole),
            Check::Pii(_)
            | Check::Secrets
            | Check::Invisible
            | Check::Terms(_)
            | Check::Patterns(_)
            | Check::Outside(_) => false,
        };
        let first = found && !self.found_whole;
        self.found_whole |= found;
        if first {
            seen.note(&self.named, self.side, 1);
            seen.touched |= self.side == "output" && self.effect() == Some(Action::Deny);
            seen.tell(&self.named, self.side, "");
        }
        match self.effect() {
            Some(Action::Deny) if first => Passed {
                text: piece.get(..passes).unwrap_or_default().to_owned(),
                denied: Some(Denied::by(&self.named)),
            },
            Some(_) | None => Passed { text: piece.to_owned(), denied: None },
        }
    }

    /// Where it is known that the text repeats itself: looked at where each so-manieth byte is, so that it does not
    /// matter how the text came.
    fn repeats(&self, before: usize, times: usize, last: bool) -> Option<usize> {
        let mut looks: Vec<usize> =
            (before / LOOK_EVERY + 1..=self.whole.len() / LOOK_EVERY).map(|look| look * LOOK_EVERY).collect();
        if last {
            looks.push(self.whole.len());
        }
        looks.into_iter().find_map(|look| {
            let end = self.whole.floor_char_boundary(look);
            let start = self.whole.ceil_char_boundary(end.saturating_sub(LONGEST.max(2 * 64 * times)));
            // The look before this one found nothing.
            let known = self.whole.floor_char_boundary(look.saturating_sub(1) / LOOK_EVERY * LOOK_EVERY);
            let mut found = Vec::new();
            let text = self.whole.get(start..end).unwrap_or_default();
            repetition::find(text, known.saturating_sub(start), times, &mut found);
            (!found.is_empty()).then_some(end)
        })
    }

    /// What happens to a finding; nothing while only watching.
    fn effect(&self) -> Option<Action> {
        match self.named.rail.mode {
            Mode::Enforce => Some(self.named.rail.action),
            Mode::Monitor => None,
        }
    }
}

/// From where on a text ends in what could be the beginning of an escape.
fn half_escape(text: &str) -> usize {
    let mut from = text.len().saturating_sub(11);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let tail = text.get(from..).unwrap_or_default();
    tail.find('\\').map_or(text.len(), |at| from + at)
}
