//! Lone surrogates in JSON strings: models cut an escaped emoji between two deltas, and a strict
//! parser then refuses both. Here such an escape survives parsing as a stand-in and is joined again.

use std::borrow::Cow;

/// Surrogate code unit `D800 + n` stands in the text as private-use character `10F800 + n`.
const STAND_IN: u32 = 0x10_F800;

/// `json` with every unpaired `\uD8xx`–`\uDFxx` escape replaced by its stand-in; `None` when there is none.
pub(crate) fn stand_in_for_surrogates(json: &str) -> Option<String> {
    let mut fixed = String::new();
    let mut rest = json;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        let (before, escape) = rest.split_at(at);
        fixed.push_str(before);
        let (length, replacement) = match code_unit(escape) {
            Some(high @ 0xd800..=0xdbff) => match escape.get(6..).and_then(code_unit) {
                Some(0xdc00..=0xdfff) => (12, None),
                Some(_) | None => (6, stand_in(high)),
            },
            Some(low @ 0xdc00..=0xdfff) => (6, stand_in(low)),
            Some(_) => (6, None),
            // A two-character escape; the second may be a character of several bytes in broken input.
            None => (1 + escape.chars().nth(1).map_or(0, char::len_utf8), None),
        };
        let (escape, after) = escape.split_at_checked(length).unwrap_or((escape, ""));
        match replacement {
            Some(c) => fixed.push(c),
            None => fixed.push_str(escape),
        }
        rest = after;
    }
    fixed.push_str(rest);
    (fixed != json).then_some(fixed)
}

/// The code unit of a `\uXXXX` escape at the start of `text`.
fn code_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

fn stand_in(unit: u16) -> Option<char> {
    char::from_u32(STAND_IN + u32::from(unit) - 0xd800)
}

fn surrogate(c: char) -> Option<u16> {
    (c as u32).checked_sub(STAND_IN).and_then(|n| u16::try_from(0xd800 + n).ok())
}

/// What could be made of an event that a typed reader refused.
pub(crate) enum Repaired {
    /// The same object, surrogates replaced by stand-ins, numbers no f64 holds by null, and the last of repeated names kept.
    Object(String),
    /// JSON that is no object: it says nothing.
    Nothing,
    /// Not JSON at all.
    NotJson,
}

/// Makes an event readable, if it is JSON at all.
pub(crate) fn repair(json: &str) -> Repaired {
    let fixed = stand_in_for_surrogates(json);
    let text = fixed.as_deref().unwrap_or(json);
    let read = crate::json::tree(text);
    match read.or_else(|_| crate::json::tree(&null_for_numbers_beyond_f64(text))) {
        Ok(value) if value.is_object() => Repaired::Object(value.to_string()),
        Ok(_) => Repaired::Nothing,
        Err(_) => Repaired::NotJson,
    }
}

/// The object that [`repair`] makes of a text, if it makes one.
pub(crate) fn repaired(json: &str) -> Option<String> {
    match repair(json) {
        Repaired::Object(fixed) => Some(fixed),
        Repaired::Nothing | Repaired::NotJson => None,
    }
}

/// Reads what a provider wrote into a type that owns what it takes, repaired where that is needed.
pub(crate) fn read<T: serde::de::DeserializeOwned>(json: &str) -> Option<T> {
    crate::json::parse(json).ok().or_else(|| match repair(json) {
        Repaired::Object(fixed) => crate::json::parse(&fixed).ok(),
        Repaired::Nothing | Repaired::NotJson => None,
    })
}

/// A text in which a parser that borrows from it finds only what it takes: see [`repair`].
pub(crate) fn stand_in_for_numbers(json: &str) -> Cow<'_, str> {
    match crate::json::tree(json) {
        Ok(_) => Cow::Borrowed(json),
        Err(_) => Cow::Owned(null_for_numbers_beyond_f64(json)),
    }
}

/// `51e999` is JSON, and beyond what the parser takes for a number: nobody could believe it, but the rest of the
/// document is sound.
fn null_for_numbers_beyond_f64(json: &str) -> String {
    let mut fixed = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        fixed.push_str(before);
        let length = if from.starts_with('"') {
            string_length(from)
        } else {
            from.find(|c: char| !(c.is_ascii_digit() || "+-.eE".contains(c))).unwrap_or(from.len())
        };
        let (token, after) = from.split_at_checked(length).unwrap_or((from, ""));
        let beyond = crate::json::float(token).is_some_and(f64::is_infinite);
        fixed.push_str(if beyond { "null" } else { token });
        rest = after;
    }
    fixed.push_str(rest);
    fixed
}

/// The length of the string literal at the start of `json`; all of it where the literal does not end.
fn string_length(json: &str) -> usize {
    let mut escaped = false;
    let end = json.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map_or(json.len(), |end| end + 2)
}

/// Decodes a JSON string literal; a lone surrogate becomes U+FFFD. `None` when it is no string.
pub(crate) fn decode(literal: &str) -> Option<String> {
    if let Ok(text) = crate::json::parse::<String>(literal) {
        return Some(text);
    }
    let text: String = crate::json::parse(&stand_in_for_surrogates(literal)?).ok()?;
    let mut joined = Joiner::default().join(Cow::Owned(text));
    if joined.pending.is_some() {
        joined.text.push(char::REPLACEMENT_CHARACTER);
    }
    Some(joined.text)
}

/// Joins surrogates across the pieces of one text.
#[derive(Debug, Default)]
pub(crate) struct Joiner {
    pending: Option<u16>,
}

/// What [`Joiner::join`] made of a piece.
pub(crate) struct Joined {
    /// The piece, without the high surrogate that ends it.
    pub(crate) text: String,
    /// That high surrogate.
    pending: Option<u16>,
}

impl Joiner {
    /// The next piece of a text; `repaired` tells that its lone surrogates are stand-ins.
    pub(crate) fn pass(&mut self, piece: Cow<'_, str>, repaired: bool) -> String {
        if repaired || self.pending.is_some() { self.push(piece) } else { piece.into_owned() }
    }

    fn push(&mut self, piece: Cow<'_, str>) -> String {
        let joined = std::mem::take(self).join(piece);
        self.pending = joined.pending;
        joined.text
    }

    /// Half a character that is never completed, as U+FFFD.
    pub(crate) fn flush(&mut self) -> Option<String> {
        self.pending.take().map(|_| char::REPLACEMENT_CHARACTER.to_string())
    }

    fn join(self, piece: Cow<'_, str>) -> Joined {
        let mut pending = self.pending;
        let mut text = String::with_capacity(piece.len() + 4);
        for c in piece.chars() {
            match (pending.take(), surrogate(c)) {
                (high, Some(unit @ 0xd800..=0xdbff)) => {
                    text.extend(high.map(|_| char::REPLACEMENT_CHARACTER));
                    pending = Some(unit);
                }
                (Some(high), Some(low)) => {
                    let both = 0x10000 + ((u32::from(high) - 0xd800) << 10) + (u32::from(low) - 0xdc00);
                    text.push(char::from_u32(both).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                (None, Some(_)) => text.push(char::REPLACEMENT_CHARACTER),
                (high, None) => {
                    text.extend(high.map(|_| char::REPLACEMENT_CHARACTER));
                    text.push(c);
                }
            }
        }
        Joined { text, pending }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_character_cut_between_two_strings_is_joined() {
        let mut joiner = Joiner::default();
        let mut text = String::new();
        for literal in [r#""a\ud83d""#, r#""\ude00b""#] {
            let fixed = stand_in_for_surrogates(literal).unwrap();
            text += &joiner.push(Cow::Owned(serde_json::from_str(&fixed).unwrap()));
        }
        assert_eq!((text.as_str(), joiner.flush()), ("a😀b", None));
    }

    #[test]
    fn a_lone_surrogate_becomes_the_replacement_character() {
        for (literal, text) in [
            (r#""\ud83d""#, "\u{fffd}"),
            (r#""x\ude00y""#, "x\u{fffd}y"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
            (r#""\\ud83d\n\u0041\ud83d\u0041""#, "\\ud83d\nA\u{fffd}A"),
            (r#""plain 😀""#, "plain 😀"),
        ] {
            assert_eq!(decode(literal).as_deref(), Some(text), "{literal}");
        }
        assert_eq!(decode("17"), None);
    }

    #[test]
    fn no_escape_is_too_broken_to_be_read() {
        for json in ["\\", "\\é", "\\u12", "\\u", "\\ud83d\\", "x\\ud8", "\"\\uZZZZ\""] {
            let _ = stand_in_for_surrogates(json);
        }
    }
    #[test]
    fn a_number_beyond_all_numbers_is_null_and_everything_else_is_as_it_was() {
        for (json, fixed) in [
            (r#"{"a":51e999,"b":[-1E+999],"c":1e-999}"#, r#"{"a":null,"b":[null],"c":1e-999}"#),
            (r#"{"a\"51e999\"":"-51e999\\","b":1.5e3,"c":0}"#, r#"{"a\"51e999\"":"-51e999\\","b":1.5e3,"c":0}"#),
            (r#"{"a":1e99"#, r#"{"a":1e99"#),
            (r#""é"#, r#""é"#),
            ("1-2e+", "1-2e+"),
        ] {
            assert_eq!(null_for_numbers_beyond_f64(json), fixed);
        }
    }
}
