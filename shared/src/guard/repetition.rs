//! Text that repeats itself, in whatever language: what a model falls into, or is fed to run up a bill.

use super::{Found, byte};
use std::ops::Range;

/// The longest piece that is looked for, in bytes.
const LONGEST_PIECE: usize = 64;

/// Finds where a piece of at most 64 bytes comes at least `times` times in a row, other than wholly in the first `known`
/// bytes, where it is known that none does.
///
/// A loop of pieces of `d` bytes is a run of places equal to the one `d` further on. A run of that length
/// covers every so-manieth place, so only those are looked at: less than one comparison for a byte in all.
pub fn find(text: &str, known: usize, times: usize, out: &mut Vec<Found>) {
    let bytes = text.as_bytes();
    let equal = |at: usize, distance: usize| byte(bytes, at) == byte(bytes, at + distance);
    for distance in 1..=LONGEST_PIECE {
        let wanted = distance.saturating_mul(times.saturating_sub(1)).max(times);
        let last = bytes.len().saturating_sub(distance);
        // One that goes on into what is new covers the first place that is compared with something new.
        let mut at = match known.saturating_sub(distance) {
            0 => wanted.saturating_sub(1),
            new => new,
        };
        while at < last {
            if !equal(at, distance) {
                at += wanted;
                continue;
            }
            let mut start = at;
            while start > 0 && equal(start - 1, distance) {
                start -= 1;
            }
            let mut end = at + 1;
            while end < last && equal(end, distance) {
                end += 1;
            }
            // Lines and indentation are layout.
            let piece = bytes.get(start..start + distance).unwrap_or_default();
            let is_layout = piece.iter().all(|b| b.is_ascii_whitespace() || b"-=_*#.~|+".contains(b));
            if end - start >= wanted && !is_layout {
                out.push(Found::new("repetition", whole(text, start..end + distance)));
                return;
            }
            at = end + wanted;
        }
    }
}

/// The range, widened to whole characters.
fn whole(text: &str, range: Range<usize>) -> Range<usize> {
    let (mut start, mut end) = (range.start, range.end.min(text.len()));
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]
    use super::*;

    fn is_found(text: &str) -> bool {
        let mut out = Vec::new();
        find(text, 0, 16, &mut out);
        !out.is_empty()
    }

    #[test]
    fn what_was_looked_at_is_not_looked_at_again_and_what_goes_on_from_it_is_found() {
        let text = format!("An honest beginning. {} and an end", "poem ".repeat(40));
        let is_found = |until: usize, known: usize| {
            let mut out = Vec::new();
            find(&text[..until], known, 16, &mut out);
            !out.is_empty()
        };
        for until in 1..=text.len() {
            for known in (0..until).filter(|known| !is_found(*known, 0)) {
                assert_eq!(is_found(until, known), is_found(until, 0), "{known} of {until}");
            }
        }
    }

    #[test]
    fn repetition_is_found_in_any_language_and_prose_is_none() {
        assert!(is_found(&"poem ".repeat(40)));
        assert!(is_found(&format!("So: {}", "はい。".repeat(30))));
        assert!(!is_found("The same words may come again, and again, and again, without being a loop."));
        assert!(!is_found(&format!("{}\n{}", " ".repeat(200), "-".repeat(10))), "white space is layout");
    }
}
