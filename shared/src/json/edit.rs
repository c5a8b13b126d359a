//! Changing some bytes of a body and no other.

use super::{Document, Member};
use crate::sorted;
use std::ops::Range;

/// Changes to the members of the object at the top. Everything that is not changed keeps its bytes
/// and its place; a member that is new goes last.
///
/// ```
/// use signalbox::json::{self, Edits, Limits};
/// let body = br#"{ "model": "fast", "n": 1.0 }"#;
/// let document = json::scan(body, &Limits::default()).unwrap();
/// let mut edits = Edits::new(&document);
/// edits.set("model", r#""gpt-5.4-mini""#);
/// edits.set("stream", "true");
/// assert_eq!(edits.apply(), br#"{ "model": "gpt-5.4-mini", "n": 1.0,"stream":true }"#);
/// ```
#[derive(Clone, Debug)]
pub struct Edits<'a> {
    document: &'a Document<'a>,
    /// The last change of each name: its new value as JSON text, or `None` to remove it.
    changes: Vec<(&'a str, Option<&'a str>)>,
}

impl<'a> Edits<'a> {
    /// No change yet.
    pub fn new(document: &'a Document<'a>) -> Edits<'a> {
        Edits { document, changes: Vec::new() }
    }

    /// Gives the member of this name another value, or adds it. `value` is JSON text.
    pub fn set(&mut self, name: &'a str, value: &'a str) {
        self.change(name, Some(value));
    }

    /// Takes the member of this name away, if there is one.
    pub fn remove(&mut self, name: &'a str) {
        self.change(name, None);
    }

    /// Whether anything is to be changed; if not, the body can be forwarded as it is.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The body with the changes.
    pub fn apply(&self) -> Vec<u8> {
        let Document { body, members, inside } = self.document;
        let added = self.changes.iter().map(|(name, value)| name.len() + value.map_or(0, str::len) + 4).sum::<usize>();
        let mut out = Vec::with_capacity(body.len() + added);
        let copy = |out: &mut Vec<u8>, range: Range<usize>| {
            out.extend_from_slice(body.as_bytes().get(range).unwrap_or_default());
        };
        let mut end = members.first().map_or(*inside, |first| first.start);
        copy(&mut out, 0..end);
        let mut first = true;
        for member in members {
            let between = std::mem::replace(&mut end, member.value.end)..member.start;
            let change = self.changed(member);
            if change == Some(None) {
                continue;
            }
            if !std::mem::take(&mut first) {
                copy(&mut out, between);
            }
            copy(&mut out, member.start..member.value.start);
            match change.flatten() {
                Some(value) => out.extend_from_slice(value.as_bytes()),
                None => copy(&mut out, member.value.clone()),
            }
        }
        for (name, value) in &self.changes {
            let (Some(value), None) = (value, self.document.member(name)) else { continue };
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            out.extend_from_slice(serde_json::Value::from(*name).to_string().as_bytes());
            out.push(b':');
            out.extend_from_slice(value.as_bytes());
        }
        copy(&mut out, end..body.len());
        out
    }

    fn change(&mut self, name: &'a str, value: Option<&'a str>) {
        self.changes.retain(|(changed, _)| *changed != name);
        self.changes.push((name, value));
    }

    fn changed(&self, member: &Member<'_>) -> Option<Option<&'a str>> {
        self.changes.iter().find(|(name, _)| member.name == *name).map(|(_, value)| *value)
    }
}

/// The body with each range replaced by the bytes beside it, in any order; an empty range inserts.
/// Ranges must lie inside the body and not overlap: of one that does, only the part not yet
/// replaced is.
pub fn splice(body: &[u8], edits: &[(Range<usize>, &[u8])]) -> Vec<u8> {
    let mut ordered: Vec<_> = edits.iter().collect();
    sorted::sort_by_key(&mut ordered, |(range, _)| range.start);
    let mut out = Vec::with_capacity(body.len() + edits.iter().map(|(_, bytes)| bytes.len()).sum::<usize>());
    let mut done = 0;
    for (range, bytes) in ordered {
        let start = range.start.min(body.len());
        out.extend_from_slice(body.get(done..start).unwrap_or_default());
        out.extend_from_slice(bytes);
        done = done.max(range.end);
    }
    out.extend_from_slice(body.get(done..).unwrap_or_default());
    out
}
