//! Banned terms: a list of words and phrases, found whatever their case, as whole words.

use super::automaton::Automaton;
use super::{BEHIND, Found, before, byte};
use crate::letters::small;

/// The longest term, in bytes: within what a stream may hold back.
pub const LONGEST_TERM: usize = 256;

/// A list of terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    automaton: Automaton,
    class: String,
}

impl Terms {
    /// A list whose findings are called `class`. `None` when it is larger than
    /// [`LARGEST`](super::automaton::LARGEST).
    pub fn new(class: &str, terms: &[String]) -> Option<Terms> {
        let folded: Vec<String> = terms.iter().map(|term| fold(term.trim())).collect();
        Some(Terms { automaton: Automaton::new(folded.iter().map(String::as_str))?, class: class.to_owned() })
    }

    /// Finds the terms in a plain text.
    pub fn find(&self, text: &str, out: &mut Vec<Found>) {
        let folded = fold(text);
        let bytes = folded.as_bytes();
        self.automaton.each(bytes, |_, start, end| {
            if is_edge(bytes, start) && is_edge(bytes, end) {
                out.push(Found::new(&self.class, start..end));
            }
        });
    }

    /// From where on a plain text could still become a term.
    pub fn unfinished(&self, text: &str) -> usize {
        // Beyond the longest term nothing is pending, so its end is enough to read.
        let mut from = text.len().saturating_sub(LONGEST_TERM + BEHIND);
        while !text.is_char_boundary(from) {
            from += 1;
        }
        let folded = fold(text.get(from..).unwrap_or_default());
        let state = self.automaton.each(folded.as_bytes(), |_, _, _| {});
        text.len() - self.automaton.pending(state).min(text.len())
    }
}

/// Lower case, each character as long as it was, so that places stay what they are.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().map(|c| Some(small(c)).filter(|small| small.len_utf8() == c.len_utf8()).unwrap_or(c)).collect()
}

/// Whether a word ends or begins here: not between two letters of one script that has spaces.
pub(crate) fn is_edge(text: &[u8], at: usize) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric();
    !(letter(before(text, at)) && letter(byte(text, at)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]
    use super::*;

    fn found(terms: &[&str], text: &str) -> Vec<String> {
        let terms: Vec<String> = terms.iter().map(|&term| term.to_owned()).collect();
        let mut out = Vec::new();
        Terms::new("terms", &terms).expect("small").find(text, &mut out);
        super::super::settle(&mut out);
        out.into_iter().map(|one| text[one.range].to_owned()).collect()
    }

    #[test]
    fn terms_are_found_as_whole_words_in_any_case() {
        assert_eq!(found(&["Project Zeus", "ass"], "About PROJECT zeus, of class."), ["PROJECT zeus"]);
        assert_eq!(found(&["STRASSE", "Ärger"], "strasse ärger"), ["strasse", "ärger"]);
        assert_eq!(found(&["机密"], "这是机密文件"), ["机密"], "a script without spaces has no edges");
    }

    #[test]
    fn a_term_under_way_is_held() {
        let terms = Terms::new("terms", &["project zeus".to_owned()]).expect("small");
        assert_eq!(terms.unfinished("about Project Z"), 6);
        assert_eq!(terms.unfinished("about Projects "), 15);
    }
}
