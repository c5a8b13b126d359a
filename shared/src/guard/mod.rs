//! Detectors: a text in, findings out.
//!
//! Pure and synchronous. Nothing here knows HTTP, dialects, teams, or what is done about a finding: that is
//! `words`. A detector answers two questions about a text: what is in it ([`Found`], by class and
//! place), and, for a text that may go on, from where on a match could still grow.
//!
//! Every detector is linear in the length of the text, and local: whether a place is a finding depends on
//! at most [`BEHIND`] bytes before it, [`AHEAD`] bytes after it and [`LONGEST`] bytes of its own. That is
//! what makes the answer for a stream the same however the stream was cut.
//!
//! What is read is what a model would read: escapes are decoded, full-width forms and foreign digits become
//! ASCII, characters without width disappear ([`plain`]). What is not read: base64 and other encodings,
//! pictures, and personal names and addresses, which need a model.

pub mod automaton;
pub mod injection;
pub mod invisible;
pub mod pattern;
pub mod pii;
pub mod plain;
pub mod repetition;
pub mod schema;
pub mod secrets;
pub mod terms;

use crate::sorted;
use std::ops::Range;

/// As far before a place as context can lie, in bytes of the plain text.
pub const BEHIND: usize = 64;
/// As far after a place as context can lie, in bytes of the plain text.
pub const AHEAD: usize = 24;
/// The longest finding, in bytes of the plain text. What is longer is found up to there.
pub const LONGEST: usize = 4096;

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it is: `email`, `aws_key`. A word of a table, or a name from the configuration.
    pub class: String,
    /// Where it is.
    pub range: Range<usize>,
}

impl Found {
    /// A finding of a class at a place.
    pub fn new(class: &str, range: Range<usize>) -> Found {
        Found { class: class.to_owned(), range }
    }
}

/// The byte at a place; 0 past the end, which is in no class of characters that anything looks for.
pub(crate) fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(0)
}

/// The byte before a place; 0 at the start.
pub(crate) fn before(text: &[u8], at: usize) -> u8 {
    at.checked_sub(1).map_or(0, |at| byte(text, at))
}

/// How far a run of such bytes goes from here.
pub(crate) fn run(text: &[u8], at: usize, mut good: impl FnMut(u8) -> bool) -> usize {
    text.get(at..).unwrap_or_default().iter().take_while(|b| good(**b)).count()
}

/// The same up to a bound. What may begin behind every sign of a run is looked for so, else a text of such signs costs its square.
pub(crate) fn within(text: &[u8], at: usize, most: usize, good: impl FnMut(u8) -> bool) -> usize {
    run(text.get(..text.len().min(at.saturating_add(most))).unwrap_or_default(), at, good)
}

/// Leftmost first, longest first; what overlaps with one before is left out.
pub(crate) fn settle(found: &mut Vec<Found>) {
    sorted::sort_by(found, |a, b| a.range.start.cmp(&b.range.start).then(b.range.end.cmp(&a.range.end)));
    let mut end = 0;
    found.retain(|one| {
        let keep = one.range.start >= end && one.range.end > one.range.start;
        if keep {
            end = one.range.end;
        }
        keep
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each was read anew from every place in it where something could begin: a quarter of a million bytes took a minute.
    #[test]
    fn a_text_that_is_all_beginnings_is_read_in_its_length() {
        for piece in [
            "a.b.",
            "h.",
            "1.2.",
            "aa-",
            "a1-",
            "a:.",
            "e-",
            "eyJ-",
            "sk-",
            "sk-ant-api03-",
            "8Q~",
            "curl ",
            "bc1",
            "@a.",
            "xoxb-1-",
            "AKIA",
            "1-2 ",
            "+1 ",
            "may 1 ",
            "password=",
            "-----BEGIN ",
        ] {
            let text = piece.repeat((1 << 17) / piece.len());
            let plain = plain::Plain::of(&text, plain::Source::Words);
            let mut found = Vec::new();
            pii::find(&plain, &pii::Wanted::All, &mut found);
            secrets::find(&plain, &mut found);
            assert!(found.len() < text.len(), "{piece}");
        }
    }
}
