//! All definitions that are in force, to be looked up by name and found by their words.

use super::Definition;
use crate::guard::automaton::{Automaton, LARGEST};
use crate::guard::terms::{fold, is_edge};
use crate::sorted;

/// The most definitions that can be in force.
pub const MAX_DEFINITIONS: usize = 2_000;

/// A word and whose it is.
#[derive(Clone, Debug, Default)]
struct Word {
    /// Its bytes.
    length: usize,
    /// Places of definitions that have it.
    of: Vec<usize>,
    /// The longest other word that ends with it: looked at where a team may see nothing of this one.
    shorter: Option<usize>,
}

/// Definitions in the order of their ids, and an automaton over their terms and aliases.
#[derive(Clone, Debug, Default)]
pub struct Library {
    definitions: Vec<Definition>,
    automaton: Automaton,
    words: Vec<Word>,
}

impl Library {
    /// A library of these. What is too much together is found by its tags alone, the last by their ids first.
    pub fn new(mut definitions: Vec<Definition>) -> Library {
        sorted::sort_by(&mut definitions, |one, other| one.id.cmp(&other.id));
        definitions.dedup_by(|one, other| one.id == other.id);
        definitions.truncate(MAX_DEFINITIONS);
        let mut named: Vec<(String, usize)> = Vec::new();
        let mut room = LARGEST;
        for (place, definition) in definitions.iter().enumerate() {
            for word in definition.terms.iter().chain(&definition.aliases) {
                room = room.saturating_sub(word.len());
                if room > 0 {
                    named.push((fold(word), place));
                }
            }
        }
        sorted::sort(&mut named);
        named.dedup();
        let mut texts: Vec<&str> = named.iter().map(|(word, _)| word.as_str()).collect();
        texts.dedup();
        let word = |text: &&str| Word { length: text.len(), of: Vec::new(), shorter: shorter(&texts, text) };
        let mut words: Vec<Word> = texts.iter().map(word).collect();
        for (text, place) in &named {
            if let Some(word) = texts.binary_search(&text.as_str()).ok().and_then(|at| words.get_mut(at)) {
                word.of.push(*place);
            }
        }
        let automaton = Automaton::new(texts.iter().copied()).unwrap_or_default();
        Library { automaton, words, definitions }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.definitions.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.definitions.len()
    }

    /// All of them, by their ids.
    pub fn definitions(&self) -> &[Definition] {
        &self.definitions
    }

    /// The version of this name that is in force.
    pub fn get(&self, id: &str) -> Option<&Definition> {
        let at = self.definitions.binary_search_by(|definition| definition.id.as_str().cmp(id)).ok()?;
        self.definitions.get(at)
    }

    /// Calls back with the place of every definition that a text names and a team may see. Linear in the text; the same
    /// one may be told several times. Of words that end at one place the longest counts: who says "net revenue" does not
    /// mean "revenue".
    pub fn named_in(&self, text: &str, team: &str, mut found: impl FnMut(usize)) {
        let folded = fold(text);
        let bytes = folded.as_bytes();
        let visible = |place: &&usize| self.definitions.get(**place).is_some_and(|one| one.is_for(team));
        self.automaton.each(bytes, |number, _, end| {
            let mut at = Some(number);
            // Each is shorter than the one before, so this ends.
            while let Some(word) = at.and_then(|at| self.words.get(at)) {
                let is_whole = is_edge(bytes, end - word.length) && is_edge(bytes, end);
                let mut seen = word.of.iter().filter(visible).peekable();
                if is_whole && seen.peek().is_some() {
                    return seen.for_each(|place| found(*place));
                }
                at = word.shorter;
            }
        });
    }
}

/// The longest proper end of a word that is a word itself.
fn shorter(texts: &[&str], text: &str) -> Option<usize> {
    let starts = text.char_indices().skip(1).map(|(at, _)| at);
    starts.filter_map(|at| texts.binary_search(&text.get(at..)?).ok()).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(id: &str, terms: &[&str], teams: &[&str]) -> Definition {
        let list = |items: &[&str]| items.iter().map(|&item| item.to_owned()).collect();
        Definition { id: id.to_owned(), terms: list(terms), teams: list(teams), ..Definition::default() }
    }

    fn named(library: &Library, team: &str, text: &str) -> Vec<String> {
        let mut places = Vec::new();
        library.named_in(text, team, |place| places.push(place));
        sorted::sort(&mut places);
        places.dedup();
        places.iter().filter_map(|place| library.definitions().get(*place)).map(|one| one.id.clone()).collect()
    }

    #[test]
    fn a_term_is_found_as_a_whole_word_in_any_case_and_the_longest_counts() {
        let library = Library::new(vec![
            definition("revenue", &["Revenue", "Umsatz"], &[]),
            definition("net", &["net revenue"], &["finance"]),
            definition("arr", &["ARR", "Revenue"], &["finance"]),
        ]);
        assert_eq!(named(&library, "finance", "what was NET REVENUE?"), ["net"]);
        assert_eq!(named(&library, "finance", "revenue, net"), ["arr", "revenue"]);
        assert_eq!(named(&library, "sales", "what was net revenue?"), ["revenue"], "the longer one is not theirs");
        assert_eq!(named(&library, "sales", "carry revenues arrears"), Vec::<String>::new());
        assert_eq!(named(&library, "sales", "der Umsatz."), ["revenue"]);
    }

    #[test]
    fn a_huge_list_of_terms_is_bounded_and_tags_still_find_all() {
        let word = |n: usize| format!("{n}-{}", "x".repeat(100));
        let many = (0..1_000).map(|n| definition(&format!("d{n:04}"), &[&word(n)], &[])).collect();
        let library = Library::new(many);
        assert_eq!(library.len(), 1_000);
        assert_eq!(named(&library, "t", &word(3)), ["d0003"]);
        assert_eq!(named(&library, "t", &word(999)), Vec::<String>::new());
        assert!(library.get("d0999").is_some());
    }
}
