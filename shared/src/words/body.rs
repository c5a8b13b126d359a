//! All texts of a body through the rails, and nothing else of it touched.

use super::filter::Chain;
use super::{Denied, Seen};
use crate::dialect::words::each_text;
use crate::guard::plain::Source;
use crate::json::splice;
use crate::json::strings::{self, Shape};
use std::ops::Range;

/// Members that tell an answer's text once more, token by token.
const REPEATS: &[&str] = &["logprobs", "logprobsResult"];

/// The body with what the rails made of its texts; `None` when that is what it was.
pub(super) fn rewrite(body: &str, seen: &mut Seen, chain: impl Fn(Source) -> Chain) -> Result<Option<Vec<u8>>, Denied> {
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let mut denied = None;
    each_text(body, &mut |range, text, source| {
        if denied.is_some() {
            return;
        }
        let passed = chain(source).push(text, true, seen);
        if passed.denied.is_some() {
            denied = passed.denied;
        } else if passed.text != text {
            edits.push((range, serde_json::Value::from(passed.text).to_string()));
        }
    });
    match denied {
        Some(denied) => Err(denied),
        None if edits.is_empty() => Ok(None),
        None => Ok(Some(spliced(body, edits))),
    }
}

/// Every text of a body that says anything, and where it stands.
pub(crate) fn texts(body: &str) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    each_text(body, &mut |range, text, _| {
        if !text.trim().is_empty() {
            found.push((range, text.to_owned()));
        }
    });
    found
}

/// The body with other texts in these places.
pub(crate) fn replaced(body: &str, changes: Vec<(Range<usize>, String)>) -> Vec<u8> {
    let edits = changes.into_iter().map(|(range, text)| (range, serde_json::Value::from(text).to_string())).collect();
    spliced(body, edits)
}

/// What was told again token by token would tell what was replaced.
fn spliced(body: &str, mut edits: Vec<(Range<usize>, String)>) -> Vec<u8> {
    let mut repeats: Vec<Range<usize>> = Vec::new();
    strings::each(body, |path, shape, range| {
        if shape == Shape::Container && path.last().is_some_and(|name| REPEATS.contains(name)) {
            repeats.push(range);
        }
    });
    edits.retain(|(range, _)| !repeats.iter().any(|repeat| repeat.start <= range.start && range.end <= repeat.end));
    let inner = |range: &Range<usize>| repeats.iter().any(|other| other.start < range.start && range.end <= other.end);
    edits.extend(repeats.iter().filter(|range| !inner(range)).map(|range| (range.clone(), "null".to_owned())));
    let edits: Vec<(Range<usize>, &[u8])> =
        edits.iter().map(|(range, text)| (range.clone(), text.as_bytes())).collect();
    splice(body.as_bytes(), &edits)
}
