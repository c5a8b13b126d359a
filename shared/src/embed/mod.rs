//! A static sentence embedding: what a text means is the sum of what its pieces mean.
//!
//! The weights (`.semb`, 1.9 MB) are not in the product: whoever wants them loads them from a file, KV or
//! R2 and hands their bytes over. English only, and no measure of difficulty.

mod weights;
pub mod wordpiece;

pub use weights::Weights;

use wordpiece::Vocabulary;

/// One, in the fixed point of likeness.
const ONE: i32 = 1 << 16;

/// What a file of weights begins with.
const MAGIC: &[u8; 8] = b"SEMB0001";
/// Bytes of its header.
const HEADER: usize = 32;
/// The most pieces of a text that are read.
const PIECES: usize = 256;
/// The length of a vector.
const LENGTH: i64 = 1 << 14;

/// Weights and the vocabulary they are for.
#[derive(Clone, Copy, Debug)]
pub struct Embedding<'a> {
    vocabulary: Vocabulary<'a>,
    rows: &'a [u8],
    dimensions: usize,
    first: u16,
}

/// A text's direction, of length 2^14.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vector(Vec<i16>);

impl<'a> Embedding<'a> {
    /// Reads a file of weights; `None` when it is none, or not as long as it says.
    pub fn parse(weights: &'a [u8], vocabulary: Vocabulary<'a>) -> Option<Embedding<'a>> {
        let number = |at: usize| Some(u32::from_le_bytes(weights.get(at..at + 4)?.try_into().ok()?) as usize);
        let (dimensions, first, rows) = (number(8)?, u16::try_from(number(16)?).ok()?, number(20)?);
        let table = weights.strip_prefix(MAGIC).and_then(|_| weights.get(HEADER..))?;
        let sound = (1..=1_024).contains(&dimensions) && rows <= 65_536 && table.len() == rows * dimensions;
        sound.then_some(Embedding { vocabulary, rows: table, dimensions, first })
    }

    /// The sums of a text's rows; all zero where no word is known.
    pub fn sums(&self, text: &str) -> Vec<i32> {
        let mut sums = vec![0_i32; self.dimensions];
        self.vocabulary.pieces(text, PIECES, |id| {
            let row = id.checked_sub(self.first).map(|row| usize::from(row) * self.dimensions);
            let row = row.and_then(|from| self.rows.get(from..from + self.dimensions)).unwrap_or_default();
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += i32::from(value.cast_signed()));
        });
        sums
    }

    /// A text's direction; `None` when none of its words is known.
    pub fn vector(&self, text: &str) -> Option<Vector> {
        Vector::along(&self.sums(text))
    }

    /// The middle of several texts.
    pub fn centre<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> Option<Vector> {
        let mut sums = vec![0_i32; self.dimensions];
        for vector in texts.into_iter().filter_map(|text| self.vector(text)) {
            sums.iter_mut().zip(&vector.0).for_each(|(sum, value)| *sum += i32::from(*value));
        }
        Vector::along(&sums)
    }
}

impl Vector {
    /// As it is kept: two bytes a number.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    /// Reads what was kept. Of another length it is like nothing.
    pub fn read(bytes: &[u8]) -> Vector {
        Vector(bytes.chunks_exact(2).filter_map(|two| Some(i16::from_le_bytes(two.try_into().ok()?))).collect())
    }

    fn along(sums: &[i32]) -> Option<Vector> {
        let square: u64 = sums.iter().map(|sum| i64::from(*sum).pow(2).unsigned_abs()).sum();
        // A root in Q8 keeps short texts exact enough.
        let length = if square < 1 << 47 { (square << 16).isqrt() } else { square.isqrt() << 8 } as i64;
        (length > 0).then(|| Vector(sums.iter().map(|sum| (i64::from(*sum) * LENGTH * 256 / length) as i16).collect()))
    }

    /// Its numbers.
    pub fn numbers(&self) -> &[i16] {
        &self.0
    }

    /// How alike its first numbers are to so many coefficients of length 2^8, in parts of 65,536, from -1 to 1.
    pub fn along_row(&self, row: &[u8]) -> i32 {
        let (mut dot, mut square) = (0_i64, 0_u64);
        for (value, weight) in self.0.iter().zip(row) {
            dot += i64::from(*value) * i64::from(weight.cast_signed());
            square += i64::from(*value).pow(2).unsigned_abs();
        }
        (dot * i64::from(ONE >> 8) / (square.isqrt().max(1) as i64)) as i32
    }

    /// How alike two directions are, in parts of 65,536, from -1 to 1.
    pub fn cosine(&self, other: &Vector) -> i32 {
        let dot: i64 = self.0.iter().zip(&other.0).map(|(a, b)| i64::from(*a) * i64::from(*b)).sum();
        (dot * i64::from(ONE) / (LENGTH * LENGTH)) as i32
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::wordpiece::build;
    use super::*;
    use std::path::{Path, PathBuf};

    /// The distilled weights, read in place; `None`, with a notice, where they are absent.
    fn folder() -> Option<PathBuf> {
        let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
        let folder = std::env::var_os("SIGNALBOX_SHARED").map_or_else(beside, PathBuf::from).join("routing/embedding");
        if !folder.is_dir() {
            eprintln!("notice: no {}; the embedding is not checked", folder.display());
            return None;
        }
        Some(folder)
    }

    #[test]
    fn texts_have_the_vectors_that_were_recorded_with_the_weights() {
        let Some(folder) = folder() else { return };
        let words = std::fs::read_to_string(folder.join("vocab.txt")).unwrap();
        let table = build(words.lines()).unwrap();
        for size in [64, 128] {
            let weights = std::fs::read(folder.join(format!("minilm_static_{size}.semb"))).unwrap();
            let embedding = Embedding::parse(&weights, Vocabulary::parse(&table).unwrap()).unwrap();
            let recorded = std::fs::read(folder.join(format!("test_vectors_{size}.json"))).unwrap();
            let recorded: serde_json::Value = serde_json::from_slice(&recorded).unwrap();
            for recorded in recorded["vectors"].as_array().unwrap() {
                let text = recorded["text"].as_str().unwrap();
                let mut ids = Vec::new();
                embedding.vocabulary.pieces(text, PIECES, |id| ids.push(id));
                // An unknown word is 100 there and nothing here: it has no row.
                let known = recorded["ids"].as_array().unwrap().iter().filter(|id| **id != 100);
                assert_eq!(known.cloned().collect::<serde_json::Value>(), crate::json::json!(ids), "{text}");
                let sums = embedding.sums(text);
                assert_eq!(crate::json::json!(sums[..8]), recorded["int_sum_first8"], "{text}");
                let Some(vector) = embedding.vector(text) else { continue };
                for (value, unit) in vector.0.iter().zip(recorded["unit_first8"].as_array().unwrap()) {
                    assert!((f64::from(*value) / 16_384.0 - unit.as_f64().unwrap()).abs() < 1e-3, "{text}");
                }
            }
            let vector = |text| embedding.vector(text).unwrap();
            let sort = vector("How do I sort a list in Python?");
            let order = vector("What is the best way to order an array in Python code?");
            assert!(sort.cosine(&order) > sort.cosine(&vector("The capital of France is Paris.")) + ONE / 4);
        }
    }

    #[test]
    fn bytes_that_are_no_weights_are_refused() {
        let table = build(["a", "##b"].into_iter()).unwrap();
        let vocabulary = Vocabulary::parse(&table).unwrap();
        assert!(Vocabulary::parse(&table[1..]).is_none());
        assert!(build(["a", "a"].into_iter()).is_none());
        let mut weights = MAGIC.to_vec();
        weights.extend([2_u32, 2, 0, 2, 0, 0].iter().flat_map(|value| value.to_le_bytes()));
        weights.extend([1, 2, 255, 4]);
        let embedding = Embedding::parse(&weights, vocabulary).unwrap();
        assert_eq!(embedding.sums("ab AB a zz"), [1 + 1 + 1 - 1 - 1, 2 + 2 + 2 + 4 + 4]);
        assert_eq!(embedding.vector("zz"), None);
        for length in 0..weights.len() {
            assert!(Embedding::parse(&weights[..length], vocabulary).is_none(), "{length}");
        }
    }
}
