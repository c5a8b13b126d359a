//! A Merkle tree that only grows, as its right edge: RFC 6962, section 2.1.
//!
//! The hashes of the whole subtrees a tree of `n` leaves falls into are enough to add a leaf and to know the root.

use super::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A SHA-256.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Of these parts, one after the other.
    pub fn of(parts: &[&[u8]]) -> Hash {
        let mut digest = Sha256::new();
        parts.iter().for_each(|part| digest.update(part));
        Hash(digest.finalize().into())
    }

    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Hash> {
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
        let mut bytes = [0; 32];
        if pairs.len() != bytes.len() {
            return None;
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Hash(bytes))
    }
}

/// Only the spelling we write is read: a hash has one.
fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> String {
        hash.to_string()
    }
}

impl TryFrom<String> for Hash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Hash, &'static str> {
        Hash::parse(&text).ok_or("a hash is 64 hexadecimal digits")
    }
}

/// The right edge of a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frontier {
    size: u64,
    /// The roots of the whole subtrees, the largest first: as many as `size` has bits set.
    roots: Vec<Hash>,
}

impl Frontier {
    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: &[u8]) {
        let mut node = Hash::of(&[&[0], leaf]);
        // Each subtree of the same size on the left becomes one with it.
        for _ in 0..self.size.trailing_ones() {
            let Some(left) = self.roots.pop() else { break };
            node = Hash::of(&[&[1], &left.0, &node.0]);
        }
        self.roots.push(node);
        self.size = self.size.saturating_add(1);
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        let mut roots = self.roots.iter().rev();
        let Some(mut root) = roots.next().copied() else { return Hash::of(&[]) };
        for left in roots {
            root = Hash::of(&[&[1], &left.0, &root.0]);
        }
        root
    }

    /// Stands for a tree of which no more is known than its size: it is not [sound](Frontier::is_sound).
    pub fn of_unknown(size: u64) -> Frontier {
        Frontier { size, roots: Vec::new() }
    }

    /// Whether it can be the edge of a tree at all.
    pub fn is_sound(&self) -> bool {
        self.roots.len() == self.size.count_ones() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6962's definition, word for word.
    fn reference(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => Hash::of(&[]),
            [one] => Hash::of(&[&[0], one]),
            many => {
                let half = many.len().next_power_of_two() / 2;
                let (left, right) = many.split_at(half);
                Hash::of(&[&[1], &reference(left).0, &reference(right).0])
            }
        }
    }

    #[test]
    fn the_edge_knows_the_root_of_every_size() {
        let (mut frontier, mut leaves) = (Frontier::default(), Vec::new());
        for number in 0u32..130 {
            assert_eq!((frontier.root(), frontier.size()), (reference(&leaves), u64::from(number)));
            assert!(frontier.is_sound());
            let leaf = number.to_be_bytes().to_vec();
            frontier.push(&leaf);
            leaves.push(leaf);
        }
    }

    #[test]
    fn hashes_are_those_of_the_rfc_s_test_vectors() {
        // Certificate Transparency's own: the empty tree, and the tree of one empty leaf.
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let one = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
        let mut frontier = Frontier::default();
        assert_eq!(frontier.root().to_string(), empty);
        frontier.push(b"");
        assert_eq!(frontier.root().to_string(), one);
        assert_eq!(Hash::parse(one).map(|hash| hash.to_string()).as_deref(), Some(one));
        assert_eq!((Hash::parse("6e"), Hash::parse(&one.to_uppercase())), (None, None));
    }
}
