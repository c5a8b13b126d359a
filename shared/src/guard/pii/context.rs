//! Words that say what a number beside them is.

use crate::guard::{AHEAD, BEHIND};
use std::ops::Range;

/// Whether one of the words (lower case, divided by `|`) stands before the place or shortly after it, or
/// the place is all there is: then whoever wrote it was asked for it.
pub(super) fn says(text: &[u8], place: &Range<usize>, words: &str) -> bool {
    alone(text, place) || near(text, place, words)
}

/// Whether the place is all of the text.
pub(super) fn alone(text: &[u8], place: &Range<usize>) -> bool {
    // A text is one to a reader, but no stream may wait for its end: what is longer is never alone.
    if text.len() > place.len() + 8 {
        return false;
    }
    let blank = |part: Option<&[u8]>| part.unwrap_or_default().iter().all(|b| b.is_ascii_whitespace() || *b == b'.');
    blank(text.get(..place.start)) && blank(text.get(place.end..))
}

/// Whether one of the words stands before the place or shortly after it.
pub(super) fn near(text: &[u8], place: &Range<usize>, words: &str) -> bool {
    Around::of(text, place).has(words)
}

/// As far as words are looked for before a place.
const HEAD: usize = BEHIND - 8;
/// Both sides, and a byte that is in no word between them and behind.
const ALL: usize = HEAD + AHEAD + 2;

/// What stands around a place, in lower case, and where in it words can begin: few, and many words are looked for.
pub(super) struct Around {
    text: [u8; ALL],
    begins: [u8; ALL],
    count: usize,
    /// Which bytes words begin with here.
    firsts: [u64; 4],
}

impl Around {
    /// Around a place.
    pub(super) fn of(text: &[u8], place: &Range<usize>) -> Around {
        let head = text.get(place.start.saturating_sub(HEAD)..place.start).unwrap_or_default();
        let tail = text.get(place.end..text.len().min(place.end + AHEAD)).unwrap_or_default();
        let mut around = Around { text: [0; ALL], begins: [0; ALL], count: 0, firsts: [0; 4] };
        let mut inside = false;
        for (at, b) in head.iter().chain(&[0]).chain(tail).enumerate() {
            let letter = b.is_ascii_alphanumeric();
            let (begins, b) = (!(letter && inside) && *b != b' ' && *b != 0, b.to_ascii_lowercase());
            inside = letter;
            if let Some(slot) = around.text.get_mut(at) {
                *slot = b;
            }
            if begins && let Some(slot) = around.begins.get_mut(around.count) {
                *slot = at as u8;
                around.count += 1;
                if let Some(part) = around.firsts.get_mut(usize::from(b >> 6)) {
                    *part |= 1 << (b & 63);
                }
            }
        }
        around
    }

    /// Whether one of the words stands there.
    pub(super) fn has(&self, words: &str) -> bool {
        let begins = self.begins.get(..self.count).unwrap_or_default();
        let mut rest = words.as_bytes();
        while let Some(first) = rest.first() {
            let length = rest.iter().position(|b| *b == b'|').unwrap_or(rest.len());
            let word = rest.get(..length).unwrap_or_default();
            let marked = self.firsts.get(usize::from(first >> 6)).is_some_and(|part| part & (1 << (first & 63)) != 0);
            if marked && begins.iter().any(|at| self.is_at(usize::from(*at), word)) {
                return true;
            }
            rest = rest.get(length + 1..).unwrap_or_default();
        }
        false
    }

    fn is_at(&self, at: usize, word: &[u8]) -> bool {
        let here = self.text.get(at..).unwrap_or_default();
        let letter = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
        // `phones`, `Rufnummern`: the end may be inflected, unless the word is short.
        here.first() == word.first()
            && here.starts_with(word)
            && !(word.len() <= 4 && letter(here.get(word.len())) && letter(word.last()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]
    use super::*;

    #[test]
    fn a_word_counts_before_and_shortly_after_and_not_within_another() {
        let text = b"My SSN is 078051123, thanks";
        assert!(near(text, &(10..19), "ssn|social security"));
        assert!(!near(b"lessnews 078051123", &(9..18), "ssn"));
        assert!(near(b"078051123 is my ssn", &(0..9), "ssn"));
        assert!(says(b" 078051123.", &(1..10), "ssn"), "it is all there is");
    }
}
