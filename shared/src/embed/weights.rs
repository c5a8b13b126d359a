//! Weights that own their bytes: what an administrator stores, and what a process remembers.

use super::Embedding;
use super::wordpiece::{SLOTS, Vocabulary, build};

/// Bytes of the vocabulary's table, its mark included.
const TABLE: usize = 8 + 6 * SLOTS;
/// Bytes of the weights' header.
const HEADER: usize = 32;

/// Weights and their vocabulary, read and found to be good.
#[derive(Clone, Debug)]
pub struct Weights {
    table: Vec<u8>,
    rows: Vec<u8>,
}

impl Weights {
    /// Reads a file of weights with its vocabulary behind it, a piece a line in the order of ids; `None` when it is none.
    pub fn read(file: &[u8]) -> Option<Weights> {
        let number = |at: usize| Some(u32::from_le_bytes(file.get(at..at + 4)?.try_into().ok()?) as usize);
        let length = number(8)?.checked_mul(number(20)?)?.checked_add(HEADER)?;
        let (rows, words) = file.split_at_checked(length)?;
        let table = build(str::from_utf8(words).ok()?.lines())?;
        Weights { table, rows: rows.to_vec() }.sound()
    }

    /// What was kept; `None` when it is not whole.
    pub fn kept(mut bytes: Vec<u8>) -> Option<Weights> {
        if bytes.len() < TABLE {
            return None;
        }
        let rows = bytes.split_off(TABLE);
        Weights { table: bytes, rows }.sound()
    }

    /// As they are kept.
    pub fn bytes(&self) -> Vec<u8> {
        [self.table.as_slice(), &self.rows].concat()
    }

    /// The embedding over them.
    pub fn embedding(&self) -> Option<Embedding<'_>> {
        Embedding::parse(&self.rows, Vocabulary::parse(&self.table)?)
    }

    /// The numbers of a vector.
    pub fn dimensions(&self) -> usize {
        self.embedding().map_or(0, |embedding| embedding.dimensions)
    }

    fn sound(self) -> Option<Weights> {
        self.embedding().is_some().then_some(self)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_kept_as_they_were_read_and_half_of_them_is_none() {
        let mut file = b"SEMB0001".to_vec();
        file.extend([2_u32, 2, 0, 2, 0, 0].iter().flat_map(|value| value.to_le_bytes()));
        file.extend([1, 2, 255, 4]);
        file.extend(b"a\nb\n");
        let weights = Weights::read(&file).unwrap();
        let kept = Weights::kept(weights.bytes()).unwrap();
        assert_eq!(kept.embedding().unwrap().sums("a b"), [0, 6]);
        assert!(Weights::kept(weights.bytes().into_iter().skip(1).collect()).is_none());
        for length in 0..36 {
            assert!(Weights::read(file.get(..length).unwrap()).is_none(), "{length}");
        }
    }
}
