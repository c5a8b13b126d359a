//! All texts of a body through the rails, and nothing else of it touched.

use super::filter::Chain;
use super::{Denied, Seen};
use crate::dialect::ir::Json;
use crate::dialect::words::{self, Place};
use crate::guard::plain::Source;
use crate::json::splice;
use crate::json::strings::decoded;
use std::ops::Range;

/// Places of a body, and what is to stand there.
type Edits = Vec<(Range<usize>, String)>;

/// The body with what the rails made of its texts; `None` when that is what it was.
pub(super) fn rewrite(body: &str, seen: &mut Seen, chain: impl Fn(Source) -> Chain) -> Result<Option<Vec<u8>>, Denied> {
    let mut places = Vec::new();
    words::each(body, &mut |place, source, range| places.push((place, source, range)));
    let (mut edits, mut within): (Edits, Vec<_>) = (Vec::new(), Vec::new());
    for (place, source, range) in places {
        let raw = body.get(range.clone()).unwrap_or_default();
        match place {
            Place::Text => edits.extend(string(raw, source, &chain, seen)?.map(|changed| (range, changed))),
            Place::Within => within.push((source, range)),
            Place::Object => {
                let strings = std::mem::take(&mut within);
                let passed = chain(source).push(raw, true, seen);
                if let Some(denied) = passed.denied {
                    return Err(denied);
                }
                if Json::parse(&passed.text).is_some() {
                    edits.extend((passed.text != raw).then_some((range, passed.text)));
                    continue;
                }
                // What was found ends in another string than it began in: of each what is in it.
                for (source, range) in strings {
                    let raw = body.get(range.clone()).unwrap_or_default();
                    edits.extend(string(raw, source, &chain, seen)?.map(|changed| (range, changed)));
                }
            }
            Place::Repeat => {}
        }
    }
    // Of an object that never ends, of which strings are all there is.
    for (source, range) in within {
        let raw = body.get(range.clone()).unwrap_or_default();
        edits.extend(string(raw, source, &chain, seen)?.map(|changed| (range, changed)));
    }
    Ok((!edits.is_empty()).then(|| spliced(body, edits)))
}

/// What the rails make of a string with its quotes; `None` when that is what it was.
fn string(
    raw: &str,
    source: Source,
    chain: &impl Fn(Source) -> Chain,
    seen: &mut Seen,
) -> Result<Option<String>, Denied> {
    let (text, source) = match decoded(raw) {
        Some(text) => (text, source),
        // Half a character that only an escape can write: it is read as it stands.
        None => (raw.into(), Source::Json),
    };
    let passed = chain(source).push(&text, true, seen);
    match passed.denied {
        Some(denied) => Err(denied),
        None if passed.text == text => Ok(None),
        None if text == raw => Ok(Some(passed.text)),
        None => Ok(Some(serde_json::Value::from(passed.text).to_string())),
    }
}

/// Every text of a body that says anything, and where it stands.
pub(crate) fn texts(body: &str) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    words::each_text(body, &mut |range, text| {
        if !text.trim().is_empty() {
            found.push((range, text.to_owned()));
        }
    });
    found
}

/// The body with other texts in these places.
pub(crate) fn replaced(body: &str, changes: Vec<(Range<usize>, String)>) -> Vec<u8> {
    spliced(body, changes.into_iter().map(|(range, text)| (range, serde_json::Value::from(text).to_string())).collect())
}

fn spliced(body: &str, mut edits: Edits) -> Vec<u8> {
    // What was told again token by token would tell what was replaced.
    let mut repeats: Vec<Range<usize>> = Vec::new();
    words::each(body, &mut |place, _, range| {
        if place == Place::Repeat {
            // Those within it came before it.
            while repeats.pop_if(|inner| inner.start > range.start).is_some() {}
            repeats.push(range);
        }
    });
    edits.retain(|(range, _)| {
        let before = repeats.partition_point(|repeat| repeat.start <= range.start);
        let repeat = before.checked_sub(1).and_then(|last| repeats.get(last));
        repeat.is_none_or(|repeat| repeat.end < range.end)
    });
    edits.extend(repeats.into_iter().map(|range| (range, "null".to_owned())));
    let edits: Vec<(Range<usize>, &[u8])> =
        edits.iter().map(|(range, text)| (range.clone(), text.as_bytes())).collect();
    splice(body.as_bytes(), &edits)
}
