//! All texts of a body through the rails, and nothing else of it touched.

use super::filter::Chain;
use super::{Denied, Seen};
use crate::dialect::words;
use crate::guard::plain::Source;
use crate::json::splice;
use crate::json::strings::{self, Shape};
use std::borrow::Cow;
use std::ops::Range;

/// Members that tell an answer's text once more, token by token.
const REPEATS: &[&str] = &["logprobs", "logprobsResult"];

/// The body with what the rails made of its texts; `None` when that is what it was.
pub(super) fn rewrite(body: &str, seen: &mut Seen, chain: impl Fn(Source) -> Chain) -> Result<Option<Vec<u8>>, Denied> {
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let mut repeats: Vec<Range<usize>> = Vec::new();
    let mut denied = None;
    strings::each(body, |path, shape, range| {
        if denied.is_some() {
            return;
        }
        if shape == Shape::Container {
            if path.last().is_some_and(|name| REPEATS.contains(name)) {
                repeats.push(range);
            }
            return;
        }
        let raw = body.get(range.clone()).unwrap_or_default();
        let Some(text) = decoded(raw) else { return };
        let Some(source) = words::source(path, &text) else { return };
        let passed = chain(source).push(&text, true, seen);
        if passed.denied.is_some() {
            denied = passed.denied;
        } else if passed.text != text {
            edits.push((range, serde_json::Value::from(passed.text).to_string()));
        }
    });
    match denied {
        Some(denied) => Err(denied),
        None if edits.is_empty() => Ok(None),
        None => Ok(Some(spliced(body, edits, &repeats))),
    }
}

/// Every text of a body that says anything, and where it stands.
pub(crate) fn texts(body: &str) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    strings::each(body, |path, shape, range| {
        let raw = if shape == Shape::Text { body.get(range.clone()) } else { None };
        if let Some(text) = raw.and_then(decoded)
            && !text.trim().is_empty()
            && words::source(path, &text).is_some()
        {
            found.push((range, text.into_owned()));
        }
    });
    found
}

/// The body with other texts in these places.
pub(crate) fn replaced(body: &str, changes: Vec<(Range<usize>, String)>) -> Vec<u8> {
    let mut repeats = Vec::new();
    strings::each(body, |path, shape, range| {
        if shape == Shape::Container && path.last().is_some_and(|name| REPEATS.contains(name)) {
            repeats.push(range);
        }
    });
    let edits = changes.into_iter().map(|(range, text)| (range, serde_json::Value::from(text).to_string())).collect();
    spliced(body, edits, &repeats)
}

fn spliced(body: &str, mut edits: Vec<(Range<usize>, String)>, repeats: &[Range<usize>]) -> Vec<u8> {
    // What was told again token by token would tell what was replaced.
    edits.retain(|(range, _)| !repeats.iter().any(|repeat| repeat.start <= range.start && range.end <= repeat.end));
    let inner = |range: &Range<usize>| repeats.iter().any(|other| other.start < range.start && range.end <= other.end);
    edits.extend(repeats.iter().filter(|range| !inner(range)).map(|range| (range.clone(), "null".to_owned())));
    let edits: Vec<(Range<usize>, &[u8])> =
        edits.iter().map(|(range, text)| (range.clone(), text.as_bytes())).collect();
    splice(body.as_bytes(), &edits)
}

/// The text of a string with its quotes.
fn decoded(raw: &str) -> Option<Cow<'_, str>> {
    let inside = raw.strip_prefix('"')?.strip_suffix('"')?;
    match memchr::memchr(b'\\', inside.as_bytes()) {
        None => Some(Cow::Borrowed(inside)),
        Some(_) => crate::json::parse(raw).ok().map(Cow::Owned),
    }
}
