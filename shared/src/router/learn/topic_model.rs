//! What a prompt's meaning speaks for each built-in topic: coefficients over a static embedding, beside the marks.
//!
//! Coefficients are data (`tools/router` makes them, its BUILT_IN_TOPICS.md is their card). They belong to the space of one family of
//! weights, of which 64 numbers are the first of the 128; by other weights topics are told by marks alone.

use crate::embed::{Embedding, Vector};

/// What a file of coefficients begins with: the name and the layout's version.
const MAGIC: &[u8; 8] = b"SBTM0001";
/// Numbers of a vector that are read.
pub const NUMBERS: usize = 64;
/// Topics, in the order of their names in the configuration.
const TOPICS: usize = crate::config::TOPICS.len();
/// The coefficients that come with the product.
static BUILT_IN: &[u8] = include_bytes!("topics.sbtm");

/// Coefficients, as they are in their file (little endian): `MAGIC`, `u16` version, then [`TopicModel::worth`],
/// [`clear`](TopicModel::clear) and [`ahead`](TopicModel::ahead) as `u16`, and 64 `i8` a topic, of length 2^8 together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicModel<'a> {
    /// What a prompt that means just what a topic does adds to its score.
    pub worth: i32,
    /// What a topic must have for it,
    pub clear: i32,
    /// and be ahead of the next by.
    pub ahead: i32,
    rows: &'a [u8],
}

impl TopicModel<'static> {
    /// The one that comes with the product.
    pub fn built_in() -> Option<TopicModel<'static>> {
        TopicModel::parse(BUILT_IN)
    }
}

impl<'a> TopicModel<'a> {
    /// Reads a file of coefficients; `None` when it is none.
    pub fn parse(bytes: &'a [u8]) -> Option<TopicModel<'a>> {
        let (head, rows) = bytes.strip_prefix(MAGIC)?.split_first_chunk::<8>()?;
        let [_, _, a, b, c, d, e, f] = *head;
        let number = |low, high| i32::from(u16::from_le_bytes([low, high]));
        let model = TopicModel { worth: number(a, b), clear: number(c, d), ahead: number(e, f), rows };
        (rows.len() == TOPICS * NUMBERS).then_some(model)
    }

    /// The bytes [`TopicModel::parse`] reads.
    pub fn to_bytes(&self, version: u16) -> Vec<u8> {
        let short = |value: i32| u16::try_from(value).unwrap_or(u16::MAX);
        let shorts = [version, short(self.worth), short(self.clear), short(self.ahead)].map(u16::to_le_bytes);
        [MAGIC.as_slice(), shorts.concat().as_slice(), self.rows].concat()
    }

    /// With these coefficients and thresholds.
    pub fn of(rows: &'a [u8], (worth, clear, ahead): (i32, i32, i32)) -> TopicModel<'a> {
        TopicModel { worth, clear, ahead, rows }
    }

    /// What a meaning speaks for each topic, in their order.
    pub fn speaks(&self, meaning: &Vector) -> [i32; TOPICS] {
        let mut rows = self.rows.chunks_exact(NUMBERS);
        [(); TOPICS].map(|()| rows.next().map_or(0, |row| (meaning.along_row(row) * self.worth) >> 16))
    }

    /// Whether these weights are of the family: by others hardly any topic is what its own name means.
    pub fn is_for(&self, embedding: &Embedding<'_>) -> bool {
        let names = crate::config::TOPICS.iter().enumerate();
        let found = names.filter(|(at, name)| {
            let speaks = embedding.vector(name).map(|vector| self.speaks(&vector));
            speaks.is_some_and(|speaks| speaks.get(*at) == speaks.iter().max())
        });
        found.count() * 2 > TOPICS
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::embed::Weights;
    use crate::router::learn::lexicon::Lexicon;
    use crate::router::learn::sample::Sample;
    use crate::router::learn::scan::Scan;
    use crate::router::learn::topic::Topic;

    #[test]
    fn the_shipped_coefficients_are_whole_and_any_damage_is_refused() {
        let model = TopicModel::built_in().unwrap();
        assert!(model.worth > 0 && model.clear > 0 && model.ahead > 0);
        assert_eq!(model.to_bytes(u16::from_le_bytes([BUILT_IN[8], BUILT_IN[9]])), BUILT_IN);
        assert!((0..BUILT_IN.len()).all(|length| TopicModel::parse(&BUILT_IN[..length]).is_none()));
        assert_eq!(TopicModel::parse(&[BUILT_IN, &[0]].concat()), None);
    }

    /// An embedding of 64 numbers in which every piece of a word means something drawn.
    fn drawn() -> Weights {
        let words = crate::config::TOPICS;
        let mut file = b"SEMB0001".to_vec();
        file.extend([64_u32, 8, 0, 8, 0, 0].iter().flat_map(|value| value.to_le_bytes()));
        file.extend((0..512_u32).map(|at| (at.wrapping_mul(0x9e37_79b9) >> 24) as u8));
        words.iter().for_each(|word| file.extend([word.as_bytes(), b"\n"].concat()));
        Weights::read(&file).unwrap()
    }

    #[test]
    fn weights_of_another_family_say_nothing() {
        assert!(!TopicModel::built_in().unwrap().is_for(&drawn().embedding().unwrap()));
    }

    #[test]
    fn with_the_real_weights_of_either_size_meaning_tells_what_marks_do_not() {
        let beside = || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
        let root = std::env::var_os("SIGNALBOX_SHARED").map_or_else(beside, std::path::PathBuf::from);
        let file = |name: &str| std::fs::read(root.join("routing/embedding").join(name)).ok();
        for name in ["minilm_static_64.semb", "minilm_static_128.semb"] {
            let both = file(name).zip(file("vocab.txt"));
            let Some(weights) = both.and_then(|(rows, words)| Weights::read(&[rows, words].concat())) else {
                return eprintln!("notice: no {name}; built-in topics are not told by meaning");
            };
            let (model, embedding) = (TopicModel::built_in().unwrap(), weights.embedding().unwrap());
            assert!(model.is_for(&embedding), "{name}");
            for (text, by_marks, by_both) in [
                ("Ten trains leave at 9, how far apart are they at 11?", None, Some("math")),
                (
                    "Solve the equation x^2 - 5x + 6 = 0 and prove that both roots are integers.",
                    Some("math"),
                    Some("math"),
                ),
                ("Blue, with stripes.", None, None),
                ("Schreibe bitte einen Brief an meine Vermieterin wegen der kaputten Heizung im Bad.", None, None),
            ] {
                let scan = Scan::of(Sample::of(text), &Lexicon::built_in());
                let vector = embedding.vector(text);
                assert_eq!(Topic::of(&scan, None).map(Topic::as_str), by_marks, "{text}");
                let told = Topic::of(&scan, vector.as_ref().map(|vector| (vector, &model)));
                assert_eq!(told.map(Topic::as_str), by_both, "{name}: {text}");
            }
        }
    }
}
