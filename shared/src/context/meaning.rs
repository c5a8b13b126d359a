//! Definitions by what they mean: a vector of each version, computed once, and which of them a question is about.

use super::{Definition, Library};
use crate::embed::{Embedding, Vector};
use crate::sorted::{self, SortedMap};

/// Vectors that are computed in one go: the rest is not known yet.
const AT_ONCE: usize = 200;
/// Words of a text that are read.
const WORDS: usize = 256;

/// Words that say nothing of what a text is about. They are alike in all texts, and would make all of them alike; on the
/// questions this was tried with, half of what is found is found for leaving them out.
#[rustfmt::skip]
const IDLE: [&str; 91] = [
    "a", "after", "all", "an", "and", "any", "are", "as", "at", "be", "been", "before", "by", "can", "could", "did",
    "do", "does", "down", "for", "from", "get", "give", "given", "gives", "had", "has", "have", "here", "how", "i",
    "if", "in", "into", "is", "it", "its", "last", "least", "less", "many", "may", "me", "more", "most", "much", "my",
    "next", "no", "not", "of", "on", "or", "our", "out", "over", "please", "should", "show", "so", "some", "tell",
    "than", "that", "the", "their", "there", "these", "they", "this", "those", "to", "under", "up", "us", "was", "we",
    "were", "what", "when", "where", "which", "who", "why", "will", "with", "within", "without", "would", "you",
    "your",
];

/// Which definitions are near enough to a question to be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Near {
    /// How alike they must be, in thousandths.
    pub threshold: u32,
    /// The most that are given.
    pub most: usize,
}

/// What the versions in force mean, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meanings(SortedMap<String, (u64, Option<Vector>)>);

impl Meanings {
    /// The meanings of a library. What is known of a version stays; tells whether all of them are known.
    pub fn of(library: &Library, before: &Meanings, embedding: &Embedding<'_>) -> (Meanings, bool) {
        let (mut all, mut room) = (SortedMap::new(), AT_ONCE);
        for definition in library.definitions() {
            let known = before.0.get(&definition.id).filter(|(version, _)| *version == definition.version);
            if known.is_none() && room == 0 {
                continue;
            }
            room -= usize::from(known.is_none());
            let meaning = || (definition.version, vector(embedding, &said(definition)));
            all.insert(definition.id.clone(), known.cloned().unwrap_or_else(meaning));
        }
        (Meanings(all), room > 0)
    }

    /// The places of those that a team may see and a question is about, the likest first.
    pub fn near(&self, library: &Library, team: &str, question: &Vector, near: Near) -> Vec<usize> {
        let mut found: Vec<(i32, usize)> = Vec::new();
        for (place, definition) in (0..).zip(library.definitions()).filter(|(_, one)| one.is_for(team)) {
            let Some((version, Some(vector))) = self.0.get(&definition.id) else { continue };
            let alike = vector.cosine(question);
            if *version == definition.version && i64::from(alike) * 1_000 >= i64::from(near.threshold) << 16 {
                found.push((-alike, place));
            }
        }
        sorted::sort(&mut found);
        found.into_iter().take(near.most).map(|(_, place)| place).collect()
    }
}

/// What a text is about.
pub fn vector(embedding: &Embedding<'_>, text: &str) -> Option<Vector> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(WORDS);
    let telling = words.filter(|word| IDLE.binary_search(&word.to_ascii_lowercase().as_str()).is_err());
    embedding.vector(&telling.collect::<Vec<_>>().join(" "))
}

/// What a definition says, in one text.
fn said(definition: &Definition) -> String {
    let words = definition.terms.iter().chain(&definition.aliases).map(String::as_str);
    words.chain([definition.text.as_str()]).collect::<Vec<_>>().join(". ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::embed::Weights;

    /// Two numbers a word: money to the right, people upwards.
    fn weights() -> Weights {
        let words = ["money", "invoice", "people", "hire", "blue"];
        let mut file = b"SEMB0001".to_vec();
        file.extend([2_u32, 5, 0, 5, 0, 0].iter().flat_map(|value| value.to_le_bytes()));
        file.extend([90, 0, 80, 20, 0, 90, 20, 80, 70, 70]);
        file.extend(words.join("\n").bytes());
        Weights::read(&file).unwrap()
    }

    fn definition(id: &str, version: u64, text: &str, teams: &[&str]) -> Definition {
        let teams = teams.iter().map(|&team| team.to_owned()).collect();
        Definition {
            id: id.into(),
            version,
            terms: vec!["?".into()],
            text: text.into(),
            teams,
            ..Definition::default()
        }
    }

    #[test]
    fn a_question_finds_what_it_is_about_the_likest_first_and_no_more_than_wanted() {
        let weights = weights();
        let embedding = weights.embedding().unwrap();
        let library = Library::new(vec![
            definition("churn", 1, "people", &[]),
            definition("revenue", 1, "money", &[]),
            definition("sales", 1, "money invoice", &[]),
            definition("theirs", 1, "money", &["others"]),
            definition("unknown", 1, "zzz", &[]),
        ]);
        let (meanings, all) = Meanings::of(&library, &Meanings::default(), &embedding);
        assert!(all);
        let near = |text: &str, threshold, most| {
            meanings.near(&library, "t", &vector(&embedding, text).unwrap(), Near { threshold, most })
        };
        assert_eq!(near("money", 900, 5), [1, 2]);
        assert_eq!(near("money", 900, 1), [1]);
        assert_eq!(near("How much money do we have?", 900, 5), near("money", 900, 5), "the rest says nothing");
        assert_eq!(near("hire people", 900, 5), [0]);
        assert_eq!(near("blue", 900, 5), Vec::<usize>::new());
    }

    #[test]
    fn a_version_is_computed_once_and_another_anew() {
        let weights = weights();
        let embedding = weights.embedding().unwrap();
        let many = (0..250).map(|n| definition(&format!("d{n:03}"), 1, "money", &[])).collect();
        let library = Library::new(many);
        let (some, all) = Meanings::of(&library, &Meanings::default(), &embedding);
        assert_eq!((some.0.len(), all), (200, false), "not all at once");
        let (whole, all) = Meanings::of(&library, &some, &embedding);
        assert_eq!((whole.0.len(), all), (250, true));
        let library = Library::new(vec![definition("d000", 2, "people", &[])]);
        let (changed, _) = Meanings::of(&library, &whole, &embedding);
        assert_eq!(changed.0.get("d000"), Some(&(2, embedding.vector("people"))));
        let question = embedding.vector("money").unwrap();
        let near = whole.near(&library, "t", &question, Near { threshold: 300, most: 9 });
        assert_eq!(near, Vec::<usize>::new(), "what another version meant chooses nothing");
    }
}
