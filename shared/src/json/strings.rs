//! Every value of a text of JSON, with the names that lead to it: for those who look at words wherever they
//! stand.

use super::scanner::plain_run;
use std::borrow::Cow;
use std::ops::Range;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A string.
    Text,
    /// An object or an array, told at its end.
    Container,
}

/// Who is told of values: the names that lead to one, what it is, where it lies.
pub type Visit<'v, 'a> = dyn FnMut(&[Cow<'a, str>], Shape, Range<usize>) + 'v;

/// Calls back with every string and, after what is in it, every container: the names of the members that
/// lead to it, outermost first and whatever escapes they are spelled with, and where it lies. Arrays add no name.
///
/// The text must have passed [`scan`](super::scan), or come from a writer of JSON; of any other the answer
/// is some part. Without recursion, and linear.
pub fn each<'a>(text: &'a str, visit: &mut Visit<'_, 'a>) {
    let bytes = text.as_bytes();
    let mut path: Vec<Cow<'a, str>> = Vec::new();
    // What is open: where it began, and whether it is an object.
    let mut open: Vec<(usize, bool)> = Vec::new();
    // In an object, a string is a name until its colon was read.
    let mut named = false;
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        match b {
            b'"' => {
                let end = string_end(bytes, at);
                let is_object = open.last().is_some_and(|(_, is_object)| *is_object);
                if is_object && !named {
                    path.push(decoded(text.get(at..end).unwrap_or_default()).unwrap_or_default());
                    named = true;
                } else {
                    visit(&path, Shape::Text, at..end);
                    ended(&mut path, is_object, &mut named);
                }
                at = end;
                continue;
            }
            b'{' | b'[' => {
                open.push((at, b == b'{'));
                named = false;
            }
            b'}' | b']' => {
                if let Some((start, _)) = open.pop() {
                    visit(&path, Shape::Container, start..at + 1);
                }
                let is_object = open.last().is_some_and(|(_, is_object)| *is_object);
                ended(&mut path, is_object, &mut named);
            }
            // The first byte of a number or a word stands for all of it.
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                let rest = bytes.get(at..).unwrap_or_default();
                at += rest.iter().take_while(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b)).count();
                let is_object = open.last().is_some_and(|(_, is_object)| *is_object);
                ended(&mut path, is_object, &mut named);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
}

/// The text of a string with its quotes.
pub fn decoded(raw: &str) -> Option<Cow<'_, str>> {
    let inside = raw.strip_prefix('"')?.strip_suffix('"')?;
    match memchr::memchr(b'\\', inside.as_bytes()) {
        None => Some(Cow::Borrowed(inside)),
        Some(_) => super::parse(raw).ok().map(Cow::Owned),
    }
}

/// A value has ended: its name goes with it.
fn ended(path: &mut Vec<Cow<'_, str>>, is_object: bool, named: &mut bool) {
    if is_object {
        path.pop();
        *named = false;
    }
}

/// Just behind the closing quote of the string that begins here.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    loop {
        at += plain_run(bytes.get(at..).unwrap_or_default());
        match bytes.get(at) {
            Some(b'"') => return at + 1,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
            None => return bytes.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, clippy::string_slice)]
    use super::*;

    #[test]
    fn every_string_is_told_with_the_names_that_lead_to_it() {
        let text = r#"{"a":"x","b":[{"\u0063":"y\"z"},"w",[]],"d":{"e":1,"f":{}},"g":"v"}"#;
        let mut seen = Vec::new();
        each(text, &mut |path, shape, range| {
            if shape == Shape::Text {
                seen.push(format!("{}={}", path.join("."), &text[range]));
            }
        });
        assert_eq!(seen, ["a=\"x\"", "b.c=\"y\\\"z\"", "b=\"w\"", "g=\"v\""]);
    }

    #[test]
    fn containers_are_told_at_their_end() {
        let text = r#"{"a":[{"b":1}],"c":null}"#;
        let mut seen = Vec::new();
        each(text, &mut |path, _, range| seen.push(format!("{}={}", path.join("."), &text[range])));
        assert_eq!(seen, ["a={\"b\":1}", "a=[{\"b\":1}]", &format!("={text}")]);
    }
}
