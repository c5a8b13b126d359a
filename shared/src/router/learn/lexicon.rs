//! Which marks a word carries: the lexicon, made ready for looking up by hash.
//!
//! The words are data (`lexicon.tsv`): a line a mark. They are kept as hashes in an open-addressing
//! table, so that a scan never compares strings.

use super::mark::Mark;

/// A line a mark, its words apart by spaces.
const WORDS: &str = include_str!("lexicon.tsv");
/// Slots of the table: a power of two, about twice the words.
const SLOTS: usize = 2_048;
/// The most bytes of a word that the hash reads: what is longer is a blob.
pub(super) const WORD_LIMIT: usize = 32;

/// The words a scan knows.
#[derive(Clone, Debug)]
pub struct Lexicon {
    /// The hash of a word, 0 where free, and the marks it carries as a set of bits.
    slots: Box<[(u32, u64)]>,
}

/// FNV-1a over lower-case bytes, one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WordHash(pub(super) u32);

impl WordHash {
    pub(super) const START: WordHash = WordHash(0x811c_9dc5);

    pub(super) fn add(self, byte: u8) -> WordHash {
        WordHash((self.0 ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193))
    }

    /// The hash of a whole word.
    pub(super) fn of(word: &[u8]) -> WordHash {
        word.iter().take(WORD_LIMIT).fold(WordHash::START, |hash, byte| hash.add(*byte))
    }
}

impl Lexicon {
    /// The built-in words.
    pub fn built_in() -> Lexicon {
        let mut lexicon = Lexicon { slots: vec![(0, 0); SLOTS].into() };
        for line in WORDS.lines() {
            let mut parts = line.split(['\t', ' ']);
            let name = parts.next().unwrap_or_default();
            // A misspelled name is caught by a test; at run time its words carry no mark.
            let Some(mark) = Mark::ALL.iter().find(|mark| mark.name() == name) else { continue };
            parts.for_each(|word| lexicon.put(WordHash::of(word.as_bytes()), *mark));
        }
        lexicon
    }

    fn put(&mut self, hash: WordHash, mark: Mark) {
        let start = hash.0 as usize;
        for step in 0..SLOTS {
            let Some(slot) = self.slots.get_mut((start + step) % SLOTS) else { return };
            if slot.0 == 0 || slot.0 == hash.0 {
                *slot = (hash.0, slot.1 | 1 << mark as u8);
                return;
            }
        }
    }

    /// The marks of the word with this hash, as bits in the order of [`Mark::ALL`].
    pub(super) fn marks(&self, hash: WordHash) -> u64 {
        let start = hash.0 as usize;
        for step in 0..SLOTS {
            match self.slots.get((start + step) % SLOTS) {
                Some((found, marks)) if *found == hash.0 => return *marks,
                Some((0, _)) | None => return 0,
                Some(_) => {}
            }
        }
        0
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_lexicon_names_a_mark() {
        for line in WORDS.lines() {
            let name = line.split('\t').next().unwrap_or_default();
            assert!(Mark::ALL.iter().any(|mark| mark.name() == name), "{name}");
        }
        // The marks of a word are bits of a u64.
        const { assert!(Mark::COUNT <= 64) };
    }

    #[test]
    fn a_word_carries_the_marks_of_every_line_it_stands_in_whatever_its_case() {
        let lexicon = Lexicon::built_in();
        let marks = lexicon.marks(WordHash::of(b"FALSE"));
        for mark in [Mark::CodeWords, Mark::ReasoningWords, Mark::NegationWords] {
            assert_ne!(marks & 1 << mark as u8, 0, "{}", mark.name());
        }
        assert_eq!(lexicon.marks(WordHash::of(b"zyzzyva")), 0);
    }
}
