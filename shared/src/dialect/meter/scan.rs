//! A light walk over the members of a JSON text: names, depths and string values, found by hopping
//! from quote to quote. It trusts the text to be JSON; of anything else it makes no sense but no harm.

use memchr::{memchr, memchr2};

/// A member of some object in the text.
pub(in crate::dialect) struct Member<'a> {
    /// How many objects and arrays are open around it; 1 at the top.
    pub(in crate::dialect) depth: u32,
    /// Its name, escapes as they stand.
    pub(in crate::dialect) name: &'a [u8],
    /// Its value.
    pub(in crate::dialect) value: Value<'a>,
}

/// A member's value.
pub(in crate::dialect) enum Value<'a> {
    /// What stands between the quotes, escapes as they stand.
    Text(&'a [u8]),
    /// The text from the value's first byte on.
    Other(&'a [u8]),
}

impl Value<'_> {
    /// The value's first byte.
    pub(in crate::dialect) fn first(&self) -> u8 {
        match self {
            Value::Text(_) => b'"',
            Value::Other(rest) => rest.first().copied().unwrap_or(0),
        }
    }

    /// The value as a small number.
    pub(in crate::dialect) fn number(&self) -> Option<u64> {
        let Value::Other(rest) = self else { return None };
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).take(15);
        digits.fold(None, |number, digit| Some(number.unwrap_or(0) * 10 + u64::from(digit - b'0')))
    }
}

/// The walk.
pub(in crate::dialect) struct Scan<'a> {
    rest: &'a [u8],
    depth: u32,
    closed_too_much: bool,
}

impl<'a> Scan<'a> {
    pub(in crate::dialect) fn new(text: &'a str) -> Scan<'a> {
        Scan { rest: text.as_bytes(), depth: 0, closed_too_much: false }
    }

    /// Whether, after the walk, every object and array was closed.
    pub(in crate::dialect) fn is_balanced(&self) -> bool {
        self.depth == 0 && !self.closed_too_much
    }

    /// The string that begins after its opening quote, and what comes after the closing one.
    fn string(text: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let mut from = 0;
        loop {
            let at = from + memchr2(b'"', b'\\', text.get(from..)?)?;
            if text.get(at) == Some(&b'"') {
                return Some((text.get(..at)?, text.get(at + 1..)?));
            }
            from = at + 2;
        }
    }
}

impl<'a> Iterator for Scan<'a> {
    type Item = Member<'a>;

    fn next(&mut self) -> Option<Member<'a>> {
        loop {
            let mut bytes = self.rest.iter();
            loop {
                match bytes.next() {
                    Some(b'"') => break,
                    Some(b'{' | b'[') => self.depth += 1,
                    Some(b'}' | b']') => match self.depth.checked_sub(1) {
                        Some(depth) => self.depth = depth,
                        None => self.closed_too_much = true,
                    },
                    Some(_) => {}
                    None => {
                        self.rest = &[];
                        return None;
                    }
                }
            }
            let Some((name, after)) = Scan::string(bytes.as_slice()) else {
                // A string without an end.
                self.closed_too_much = true;
                self.rest = &[];
                return None;
            };
            let after = after.trim_ascii_start();
            let Some((b':', value)) = after.split_first() else {
                self.rest = after;
                continue;
            };
            let value = value.trim_ascii_start();
            let depth = self.depth;
            if let Some((b'"', text)) = value.split_first() {
                let Some((text, after)) = Scan::string(text) else {
                    self.closed_too_much = true;
                    self.rest = &[];
                    return None;
                };
                self.rest = after;
                return Some(Member { depth, name, value: Value::Text(text) });
            }
            self.rest = value;
            return Some(Member { depth, name, value: Value::Other(value) });
        }
    }
}

/// How many bytes a string has once its escapes are decoded; half a surrogate pair counts two.
pub(in crate::dialect) fn decoded_length(raw: &[u8]) -> usize {
    let mut length = raw.len();
    let mut rest = raw;
    while let Some(at) = memchr(b'\\', rest) {
        let escape = rest.get(at + 1..).unwrap_or_default();
        let (skip, saved) = match escape.split_first() {
            Some((b'u', digits)) => {
                let hex = |digit: &u8| (*digit as char).to_digit(16).unwrap_or(0);
                let code = digits.iter().take(4).fold(0, |code, digit| code * 16 + hex(digit));
                let decoded = match code {
                    0..=0x7f => 1,
                    0x80..=0x7ff | 0xd800..=0xdfff => 2,
                    _ => 3,
                };
                (at + 6, 6 - decoded)
            }
            Some(_) | None => (at + 2, 1),
        };
        length = length.saturating_sub(saved);
        rest = rest.get(skip..).unwrap_or_default();
    }
    length
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_length_of_a_literal_is_the_length_of_its_text(text in any::<String>(), ascii in any::<bool>()) {
            let literal = if ascii {
                text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<String>()
            } else {
                serde_json::to_string(&text).unwrap().trim_matches('"').to_owned()
            };
            // A text that begins or ends in quotes loses them to the trimming above.
            prop_assume!(serde_json::from_str::<String>(&format!("\"{literal}\"")).is_ok_and(|read| read == text));
            prop_assert_eq!(decoded_length(literal.as_bytes()), text.len());
        }

        #[test]
        fn no_text_is_too_broken_to_walk(text in "[{}\\[\\]\":,\\\\a1 u]{0,40}") {
            let _ = Scan::new(&text).count();
        }
    }

    #[test]
    fn members_come_with_their_depth() {
        let mut scan = Scan::new(r#" {"a" : "x\"}", "b":[{"c":{"d":12}},"e"],"f":null} "#);
        let mut seen = Vec::new();
        for member in &mut scan {
            seen.push((
                member.depth,
                String::from_utf8_lossy(member.name).into_owned(),
                member.value.first(),
                member.value.number(),
            ));
        }
        let expected = [
            (1, "a", b'"', None),
            (1, "b", b'[', None),
            (3, "c", b'{', None),
            (4, "d", b'1', Some(12)),
            (1, "f", b'n', None),
        ];
        assert_eq!(seen, expected.map(|(depth, name, first, number)| (depth, name.to_owned(), first, number)));
        assert!(scan.is_balanced());
    }
}
