//! A text as a model reads it, for detectors to look at, with the way back to the text as it came.
//!
//! An address written with a full-width `＠`, a zero-width joiner in the middle or `\u0040` for its sign is the
//! same address to a model. So it is to a detector: it looks at this form. What is found is replaced in the
//! text as it came.

use super::invisible::is_invisible;
use std::borrow::Cow;
use std::ops::Range;

/// Whether a text is itself JSON source, as a tool's arguments are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Words. Escapes of the form `\u0040` are decoded all the same: models read them.
    Words,
    /// JSON, or a piece of it: all its escapes are decoded.
    Json,
}

/// The plain form of a text.
#[derive(Clone, Debug)]
pub struct Plain<'a> {
    text: Cow<'a, str>,
    /// What differs, in order; between these places plain form and text are the same.
    changes: Vec<Change>,
}

/// A character that reads otherwise than it came: where its plain form and it itself begin and end.
#[derive(Clone, Debug)]
struct Change {
    plain: Range<usize>,
    source: Range<usize>,
}

impl<'a> Plain<'a> {
    /// Makes the plain form of a text. Costs little but a look where there is nothing to change.
    pub fn of(text: &'a str, source: Source) -> Plain<'a> {
        Plain::read(text, source, simple)
    }

    /// The text of JSON without its escapes, and otherwise as it came; words as they came.
    pub fn decoded(text: &'a str, source: Source) -> Plain<'a> {
        match source {
            Source::Json => Plain::read(text, source, Some),
            Source::Words => Plain { text: Cow::Borrowed(text), changes: Vec::new() },
        }
    }

    fn read(text: &'a str, source: Source, meant: fn(char) -> Option<char>) -> Plain<'a> {
        let bytes = text.as_bytes();
        if text.is_ascii() && memchr::memchr(b'\\', bytes).is_none() {
            return Plain { text: Cow::Borrowed(text), changes: Vec::new() };
        }
        let mut plain = String::new();
        let mut changes: Vec<Change> = Vec::new();
        let (mut at, mut copied) = (0, 0);
        while let Some(skip) = bytes.get(at..).and_then(|rest| rest.iter().position(|b| *b >= 0x80 || *b == b'\\')) {
            at += skip;
            let Some((c, length)) = text.get(at..).and_then(|rest| next(rest, source)) else { break };
            let meant = meant(c);
            let same = meant == Some(c) && length == c.len_utf8();
            if !same {
                plain.push_str(text.get(copied..at).unwrap_or_default());
                let from = plain.len();
                plain.extend(meant);
                changes.push(Change { plain: from..plain.len(), source: at..at + length });
                copied = at + length;
            }
            at += length;
        }
        if changes.is_empty() {
            return Plain { text: Cow::Borrowed(text), changes };
        }
        plain.push_str(text.get(copied..).unwrap_or_default());
        Plain { text: Cow::Owned(plain), changes }
    }

    /// The plain form.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The plain form, as bytes.
    pub fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Where a place of the plain form lies in the text as it came.
    pub fn source(&self, range: Range<usize>) -> Range<usize> {
        // Whole characters: a look back by so many bytes may have ended within one.
        let (start, end) = (self.text.floor_char_boundary(range.start), self.text.ceil_char_boundary(range.end));
        let start = self.origin(start).start;
        let end = end.checked_sub(1).map_or(start, |last| self.origin(last).end);
        start..end.max(start)
    }

    /// Where a byte of the plain form came from.
    fn origin(&self, at: usize) -> Range<usize> {
        let before = self.changes.partition_point(|change| change.plain.start <= at);
        let Some(change) = before.checked_sub(1).and_then(|last| self.changes.get(last)) else { return at..at + 1 };
        if change.plain.contains(&at) {
            return change.source.clone();
        }
        let at = change.source.end + (at - change.plain.end);
        at..at + 1
    }
}

/// The next character that is meant, and how many bytes say it.
fn next(rest: &str, source: Source) -> Option<(char, usize)> {
    let first = rest.chars().next()?;
    if first != '\\' {
        return Some((first, first.len_utf8()));
    }
    if let Some(unit) = code_unit(rest) {
        if let Some(c) = char::from_u32(unit) {
            return Some((c, 6));
        }
        // Half of a pair, if its other half follows.
        if let Some(low) = rest.get(6..).and_then(code_unit)
            && let Some(Ok(c)) = char::decode_utf16([unit as u16, low as u16]).next()
        {
            return Some((c, 12));
        }
    }
    let escaped = match source {
        Source::Words => None,
        Source::Json => match rest.as_bytes().get(1) {
            Some(b'n' | b'r' | b't') => Some(' '),
            Some(b'"') => Some('"'),
            Some(b'\\') => Some('\\'),
            Some(b'/') => Some('/'),
            Some(_) | None => None,
        },
    };
    Some(escaped.map_or((first, 1), |c| (c, 2)))
}

/// The value of `\uXXXX`.
fn code_unit(rest: &str) -> Option<u32> {
    let digits = rest.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

/// What stands for a character; nothing for one that cannot be seen.
fn simple(c: char) -> Option<char> {
    if c.is_ascii() {
        return Some(c);
    }
    if is_invisible(c) {
        return None;
    }
    let point = c as u32;
    let digit = |base: u32| char::from_digit(point - base, 10);
    // Alphabets of capitals and small letters, one behind the other.
    let letter = |place: u32| char::from_u32(if place % 52 < 26 { 'A' as u32 } else { 'a' as u32 } + place % 26);
    match point {
        0xFF01..=0xFF5E => char::from_u32(point - 0xFEE0),
        0xA0 | 0x2000..=0x200A | 0x202F | 0x205F | 0x3000 => Some(' '),
        0x2010..=0x2015 | 0x2212 | 0xFE58 | 0xFE63 => Some('-'),
        0x660..=0x669 => digit(0x660),
        0x6F0..=0x6F9 => digit(0x6F0),
        0x966..=0x96F => digit(0x966),
        // Letters of mathematics, and in circles.
        0x1D400..=0x1D6A3 => letter(point - 0x1D400),
        0x24B6..=0x24E9 => letter(point - 0x24B6),
        0x1D7CE..=0x1D7FF => char::from_digit((point - 0x1D7CE) % 10, 10),
        _ => Some(c),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]
    use super::*;

    fn plain(text: &str, source: Source) -> String {
        Plain::of(text, source).text().to_owned()
    }

    #[test]
    fn fault_78_what_a_model_reads_is_what_is_looked_at() {
        assert_eq!(plain("ana\u{200d}@exa\u{ad}mple.org", Source::Words), "ana@example.org");
        assert_eq!(plain("ａｎａ＠example．org", Source::Words), "ana@example.org");
        assert_eq!(plain(r"ana\u0040example.org", Source::Words), "ana@example.org");
        assert_eq!(plain(r#"{"a":"x\ny \ud83d\ude00"}"#, Source::Json), "{\"a\":\"x y 😀\"}");
        assert_eq!(plain("٠١٢٣", Source::Words), "0123");
        assert_eq!(plain("𝐚𝓷𝗮@𝕖xⓐⓜple.Ⓞ𝚛𝒈", Source::Words), "ana@example.Org");
    }

    #[test]
    fn a_place_leads_back_to_the_text_as_it_came() {
        let text = "→ ana\u{200d}\\u0040b.org ←";
        let plain = Plain::of(text, Source::Words);
        let start = plain.text().find("ana").unwrap_or_default();
        let range = plain.source(start..start + "ana@b.org".len());
        assert_eq!(&text[range], "ana\u{200d}\\u0040b.org");
    }

    #[test]
    fn what_looks_like_an_escape_and_is_none_stays() {
        for text in [r"C:\users\new", r"\u12", "\\", r"\ud800 alone"] {
            assert_eq!(plain(text, Source::Words), text);
        }
    }
}
