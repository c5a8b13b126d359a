//! What a model can do, as a set small enough to copy.

use std::fmt;

/// A set of capabilities.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Capabilities(u16);

macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident = $bit:literal, $letter:literal, $word:literal;)*) => {
        impl Capabilities {
            $($(#[$doc])* pub const $name: Capabilities = Capabilities(1 << $bit);)*

            /// Each capability by its name in the configuration.
            pub const WORDS: &'static [(&'static str, Capabilities)] = &[$(($word, Capabilities::$name)),*];

            /// Each capability by its letter in the catalog's table.
            pub const LETTERS: &'static [(char, Capabilities)] = &[$(($letter, Capabilities::$name)),*];
        }
    };
}

capabilities! {
    /// Calls tools.
    TOOLS = 0, 't', "tools";
    /// Calls several tools at once.
    PARALLEL_TOOLS = 1, 'p', "parallel_tools";
    /// Reads images.
    VISION = 2, 'v', "vision";
    /// Reads documents (PDF).
    DOCUMENTS = 3, 'd', "documents";
    /// Hears audio.
    AUDIO = 4, 'a', "audio";
    /// Answers by a JSON Schema.
    JSON_SCHEMA = 5, 'j', "json_schema";
    /// Thinks before it answers.
    REASONING = 6, 'r', "reasoning";
    /// Remembers prompts it has seen, at a lower price.
    PROMPT_CACHE = 7, 'c', "prompt_cache";
}

impl Capabilities {
    /// The empty set.
    pub const NONE: Capabilities = Capabilities(0);
    /// Every capability: what a model we know nothing of is taken to have, so that the provider
    /// decides and not our ignorance.
    pub const ALL: Capabilities = Capabilities(0xff);

    /// Both sets together.
    pub const fn with(self, other: Capabilities) -> Capabilities {
        Capabilities(self.0 | other.0)
    }

    /// Whether all of `other` are in this set.
    pub const fn has(self, other: Capabilities) -> bool {
        self.0 & other.0 == other.0
    }

    /// Reads the letters of the table; a letter of a later table is passed over.
    pub(super) fn from_letters(letters: &str) -> Capabilities {
        let known = |letter| Capabilities::LETTERS.iter().find(|(known, _)| *known == letter);
        letters.chars().filter_map(known).fold(Capabilities::NONE, |set, (_, capability)| set.with(*capability))
    }

    /// The names of the set's members, in a fixed order.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        Capabilities::WORDS.iter().filter(move |(_, capability)| self.has(*capability)).map(|(word, _)| *word)
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.words()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_every_capability_and_no_two_share_a_bit_or_a_letter() {
        let all = Capabilities::WORDS.iter().fold(Capabilities::NONE, |set, (word, one)| {
            assert!(!set.has(*one), "{word}");
            set.with(*one)
        });
        assert_eq!(all, Capabilities::ALL);
        let letters: crate::sorted::SortedSet<char> = Capabilities::LETTERS.iter().map(|(letter, _)| *letter).collect();
        assert_eq!(letters.len(), Capabilities::LETTERS.len());
    }

    #[test]
    fn letters_are_read_in_any_order_and_unknown_ones_are_passed_over() {
        assert_eq!(Capabilities::from_letters("vZt"), Capabilities::TOOLS.with(Capabilities::VISION));
    }
}
