//! Many words sought at once: the automaton of Aho and Corasick (1975), over bytes.
//!
//! Linear in the text whatever the words are; its size is the sum of their lengths, which is bounded. Words are sought where
//! a word of the text begins, which is where all who seek want them: most bytes of a text are then passed over at a glance.

use crate::sorted::SortedMap;
use std::collections::VecDeque;

/// The most that all words of one automaton may have, in bytes.
pub const LARGEST: usize = 65_536;

/// A state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State(u32);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    /// Bytes that lead on, in order.
    edges: Vec<(u8, u32)>,
    /// The longest proper end of this that begins a word.
    fail: u32,
    /// The longest word that ends here, if any does: its number and its length.
    word: Option<(u32, u32)>,
    depth: u32,
}

/// The automaton.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Automaton {
    nodes: Vec<Node>,
    /// Where each first byte leads.
    root: Vec<u32>,
}

impl Automaton {
    /// The automaton for these words; `None` when they are too much together. Empty ones are left out.
    pub fn new<'a>(words: impl Iterator<Item = &'a str>) -> Option<Automaton> {
        let mut edges: SortedMap<(u32, u8), u32> = SortedMap::new();
        let mut nodes = vec![Node::default()];
        let mut size = 0;
        for (number, word) in (0u32..).zip(words) {
            size += word.len();
            if size > LARGEST {
                return None;
            }
            let mut at = 0u32;
            for (depth, b) in (1u32..).zip(word.bytes()) {
                at = *edges.entry((at, b)).or_insert_with(|| {
                    nodes.push(Node { depth, ..Node::default() });
                    u32::try_from(nodes.len() - 1).unwrap_or(0)
                });
            }
            if let (Some(node), true) = (nodes.get_mut(at as usize), !word.is_empty()) {
                node.word.get_or_insert((number, u32::try_from(word.len()).unwrap_or(0)));
            }
        }
        for ((from, b), to) in edges {
            if let Some(node) = nodes.get_mut(from as usize) {
                node.edges.push((b, to));
            }
        }
        let mut automaton = Automaton { nodes, root: vec![0; 256] };
        automaton.link();
        Some(automaton)
    }

    /// Sets where to go on when a byte leads nowhere, level by level.
    fn link(&mut self) {
        let mut queue = VecDeque::new();
        for (b, to) in self.nodes.first().map(|root| root.edges.clone()).unwrap_or_default() {
            if let Some(slot) = self.root.get_mut(usize::from(b)) {
                *slot = to;
            }
            queue.push_back(to);
        }
        while let Some(at) = queue.pop_front() {
            let Some(node) = self.nodes.get(at as usize) else { continue };
            let (edges, fail) = (node.edges.clone(), node.fail);
            for (b, to) in edges {
                let next = self.step(State(fail), b).0;
                let inherited = self.nodes.get(next as usize).and_then(|node| node.word);
                if let Some(node) = self.nodes.get_mut(to as usize) {
                    node.fail = next;
                    node.word = node.word.or(inherited);
                }
                queue.push_back(to);
            }
        }
    }

    /// Goes on by a byte.
    pub fn step(&self, state: State, b: u8) -> State {
        let mut at = state.0;
        loop {
            if at == 0 {
                return State(self.root.get(usize::from(b)).copied().unwrap_or(0));
            }
            let Some(node) = self.nodes.get(at as usize) else { return State(0) };
            if let Ok(place) = node.edges.binary_search_by_key(&b, |(b, _)| *b) {
                return State(node.edges.get(place).map_or(0, |(_, to)| *to));
            }
            at = node.fail;
        }
    }

    /// The longest word that ends in this state: its number, and its length in bytes.
    pub fn word(&self, state: State) -> Option<(usize, usize)> {
        let (number, length) = self.nodes.get(state.0 as usize)?.word?;
        Some((number as usize, length as usize))
    }

    /// How many bytes of the text are the beginning of a word that is not complete.
    pub fn pending(&self, state: State) -> usize {
        self.nodes.get(state.0 as usize).map_or(0, |node| node.depth as usize)
    }

    /// Calls back with every word that ends in the text (the longest where several do): number, start, end. One that begins
    /// between two letters or digits may be left out.
    pub fn each(&self, text: &[u8], mut found: impl FnMut(usize, usize, usize)) -> State {
        const ROOT: State = State(0);
        let mut state = ROOT;
        let mut inside = false;
        for (at, &b) in text.iter().enumerate() {
            let letter = b.is_ascii_alphanumeric();
            let begins = !(inside && letter);
            inside = letter;
            if state == ROOT && !begins {
                continue;
            }
            state = self.step(state, b);
            if state == ROOT {
                continue;
            }
            if !begins && self.pending(state) == 1 {
                state = ROOT;
                continue;
            }
            if let Some((number, length)) = self.word(state) {
                found(number, at + 1 - length, at + 1);
            }
        }
        state
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]
    use super::*;

    fn all(words: &[&str], text: &str) -> Vec<(usize, usize, usize)> {
        let mut found = Vec::new();
        Automaton::new(words.iter().copied())
            .expect("small")
            .each(text.as_bytes(), |number, start, end| found.push((number, start, end)));
        found
    }

    #[test]
    fn words_within_words_are_found() {
        assert_eq!(all(&["he", "she", "a she", "hers"], "a she hers"), [(2, 0, 5), (0, 6, 8), (3, 6, 10)]);
        assert_eq!(all(&["a bcd", "bc"], "a bce a bcd"), [(1, 2, 4), (1, 8, 10), (0, 6, 11)]);
        assert_eq!(
            all(&["机密", "密文"], "这是机密文件"),
            [(0, 6, 12), (1, 9, 15)],
            "a script without spaces has no edges"
        );
    }

    #[test]
    fn no_word_begins_between_two_letters() {
        assert!(all(&["he", "e"], "ushers").is_empty());
        assert_eq!(all(&["<sys", "ab"], "x<sys ab"), [(0, 1, 5), (1, 6, 8)]);
    }

    #[test]
    fn what_could_still_become_a_word_is_told() {
        let automaton = Automaton::new(["se cret", "creed"].into_iter()).expect("small");
        let state = automaton.each(b"a se cre", |_, _, _| {});
        assert_eq!(automaton.pending(state), 6);
        let state = automaton.each(b"a se cree", |_, _, _| {});
        assert_eq!(automaton.pending(state), 4, "the end of one is the beginning of another");
    }

    #[test]
    fn a_list_that_is_too_large_is_refused_and_an_empty_word_finds_nothing() {
        assert!(Automaton::new(std::iter::repeat_n("x".repeat(1_000).as_str(), 66)).is_none());
        assert!(all(&["", "b"], "aaa").is_empty());
    }
}
