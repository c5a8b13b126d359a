//! Words that say what a number beside them is.

use crate::guard::{AHEAD, BEHIND, before, byte};
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
    let head = text.get(place.start.saturating_sub(BEHIND - 8)..place.start).unwrap_or_default();
    let tail = text.get(place.end..text.len().min(place.end + AHEAD)).unwrap_or_default();
    let (head, tail) = (beginnings(head), beginnings(tail));
    words.split('|').any(|word| head.iter().chain(&tail).any(|rest| begins(rest, word.as_bytes())))
}

/// The text from each place on where a word can begin: there are few, and many words to be looked for.
fn beginnings(text: &[u8]) -> Vec<&[u8]> {
    let inside = |at: usize| before(text, at).is_ascii_alphanumeric() && byte(text, at).is_ascii_alphanumeric();
    (0..text.len()).filter(|at| !inside(*at) && byte(text, *at) != b' ').filter_map(|at| text.get(at..)).collect()
}

/// Whether a text begins with a word, whatever its case.
fn begins(text: &[u8], word: &[u8]) -> bool {
    let letter = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let first = text.first().zip(word.first()).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b));
    first
        && text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
        // `phones`, `Rufnummern`: the end may be inflected, unless the word is short.
        && !(word.len() <= 4 && letter(text.get(word.len())) && letter(word.last()))
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
