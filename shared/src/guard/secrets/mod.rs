//! Credentials: keys of providers and clouds, private keys, tokens, passwords in addresses and commands.
//!
//! Where a provider begins its keys with a word of its own, the word and the form behind it decide
//! (`table`). Where none does, what a value is called decides, and how random it is (`named`).
//! Placeholders (`xxxx`, `<your key>`) and the examples of documentation are no secrets.

mod known;
mod named;
mod table;

use super::plain::Plain;
use super::{Found, before, run};
use crate::search;
use std::ops::Range;

/// A match: its class and place.
pub(super) type Match = (&'static str, Range<usize>);

/// Finds credentials in a plain text. Places are of the plain text.
pub fn find(plain: &Plain<'_>, out: &mut Vec<Found>) {
    let text = plain.bytes();
    let (mut at, mut last) = (0, 0u8);
    while let Some(&b) = text.get(at) {
        let begins = !last.is_ascii_alphanumeric();
        let found = match b {
            b'-' if last != b'-' => private_key(text, at),
            b'=' | b':' | b'>' => named::value(text, at),
            b'~' => table::entra(text, at),
            b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' if begins => {
                table::prefixed(text, at).or_else(|| known::find(text, at))
            }
            _ => None,
        };
        match found {
            Some((class, range)) => {
                at = range.end.max(at + 1);
                last = before(text, at);
                out.push(Found::new(class, range));
            }
            None => (at, last) = (at + 1, b),
        }
    }
}

/// From where on a credential could still grow: the last word, with what names it before.
pub fn unfinished(plain: &Plain<'_>) -> usize {
    let text = plain.bytes();
    let head = text.len().saturating_sub(super::LONGEST);
    // A private key that has begun and not ended is held whole.
    let recent = text.get(head..).unwrap_or_default();
    let begun = search::rfind(recent, BEGIN).map(|place| head + place);
    if let Some(begun) = begun
        && private_key(text, begun).is_none_or(|(_, range)| range.end == text.len())
    {
        return begun;
    }
    let mut at = text.len();
    while at > head && !before(text, at).is_ascii_whitespace() {
        at -= 1;
    }
    // `Authorization: Bearer `, `password = `: the name stands one or two words before.
    let words = text.get(at.saturating_sub(super::BEHIND)..at).unwrap_or_default();
    if named::is_open(words) {
        return at.saturating_sub(words.len()).max(last_line(text, at));
    }
    // A beginning of a key's first line.
    let dashes = recent.iter().rev().take_while(|b| **b == b'-').count();
    at.min(text.len() - dashes)
}

fn last_line(text: &[u8], at: usize) -> usize {
    text.get(..at).unwrap_or_default().iter().rposition(|b| *b == b'\n').map_or(0, |line| line + 1)
}

const BEGIN: &[u8] = b"-----BEGIN";

/// A private key in PEM: from its first line to its last, with something in between.
fn private_key(text: &[u8], at: usize) -> Option<Match> {
    let rest = text.get(at..text.len().min(at + super::LONGEST))?;
    if !rest.starts_with(BEGIN) || before(text, at) == b'-' {
        return None;
    }
    let title = run(rest, BEGIN.len(), |b| b.is_ascii_uppercase() || b.is_ascii_digit() || b" _".contains(&b)).min(60);
    let label = rest.get(BEGIN.len()..BEGIN.len() + title)?;
    if !label.windows(11).any(|window| window == b"PRIVATE KEY") {
        return None;
    }
    let body = rest.get(BEGIN.len() + title + 5..)?;
    let length = body.windows(8).position(|window| window == b"-----END");
    let inside = body.get(..length.unwrap_or(body.len()))?;
    if inside.iter().filter(|b| b.is_ascii_alphanumeric()).count() < 40 {
        return None;
    }
    let after =
        length.map_or(0, |length| 8 + run(body, length + 8, |b| b.is_ascii_uppercase() || b" _-".contains(&b)).min(64));
    let end = at + BEGIN.len() + title + 5 + inside.len() + after;
    Some(("private_key", at..end.min(at + super::LONGEST)))
}

/// How random a text is: Shannon's entropy in hundredths of a bit a byte.
pub(super) fn entropy(text: &[u8]) -> u32 {
    let mut counts = [0u32; 256];
    for b in text {
        if let Some(count) = counts.get_mut(usize::from(*b)) {
            *count += 1;
        }
    }
    let total = text.len().max(1) as f32;
    let bits: f32 =
        counts.iter().filter(|count| **count > 0).map(|count| *count as f32 / total).map(|p| -p * p.log2()).sum();
    (bits * 100.0) as u32
}

/// Whether it stands for a value that is not told.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    const WORDS: [&[u8]; 12] = [
        b"xxxx",
        b"****",
        b"....",
        b"example",
        b"your",
        b"changeme",
        b"placeholder",
        b"redacted",
        b"<",
        b"${",
        b"$(",
        b"{{",
    ];
    let has = |word: &[u8]| value.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word));
    WORDS.iter().any(|word| has(word)) || value.windows(8).any(super::pii::is_same)
}

#[cfg(test)]
mod tests;
