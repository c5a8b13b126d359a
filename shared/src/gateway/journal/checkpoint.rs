//! Signed checkpoints: what a chain was at a moment, in a form that can be kept elsewhere and checked by anybody.
//!
//! A [C2SP tlog-checkpoint](https://c2sp.org/tlog-checkpoint): origin, size and Merkle root of the tree, a line of our own
//! with the chain's hash and one with the time, then an Ed25519 [signature](https://c2sp.org/signed-note).

use super::chain::Head;
use super::merkle::Hash;
use crate::base64url;
use crate::json::json;
use crate::units::Timestamp;
use hkdf::Hkdf;
use serde_json::Value;
use sha2::Sha256;

/// The name of the key that signs.
pub const KEY_NAME: &str = "signalbox";
const ORIGIN: &str = "signalbox/";

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose chain.
    pub team: String,
    /// How many records it had.
    pub size: u64,
    /// The Merkle root over their hashes.
    pub root: Hash,
    /// The last one's hash.
    pub hash: Hash,
    /// When that was.
    pub at: Timestamp,
}

/// A checkpoint with its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The bytes that were signed.
    pub text: String,
    /// Which key signed, by its first bytes.
    pub key: [u8; 4],
    /// The signature.
    pub signature: [u8; 64],
}

impl Checkpoint {
    /// Of a chain's end.
    pub fn of(team: &str, head: &Head, at: Timestamp) -> Checkpoint {
        Checkpoint { team: team.to_owned(), size: head.tree.size(), root: head.tree.root(), hash: head.hash, at }
    }

    /// The text that is signed.
    pub fn text(&self) -> String {
        let (root, hash) = (base64(&self.root.0), base64(&self.hash.0));
        format!("{ORIGIN}{}\n{}\n{root}\nchain {hash}\nat {}\n", self.team, self.size, self.at.0)
    }

    /// The note: text and signature.
    pub fn note(&self, public_key: &[u8; 32], signature: &[u8; 64]) -> String {
        let signed = [&key_id(public_key)[..], signature].concat();
        format!("{}\n\u{2014} {KEY_NAME} {}\n", self.text(), base64(&signed))
    }

    fn parse(text: &str) -> Option<Checkpoint> {
        let mut lines = text.lines();
        let hash = |text: &str| unbase64(text)?.try_into().ok().map(Hash);
        let checkpoint = Checkpoint {
            team: lines.next()?.strip_prefix(ORIGIN)?.to_owned(),
            size: lines.next()?.parse().ok()?,
            root: hash(lines.next()?)?,
            hash: hash(lines.next()?.strip_prefix("chain ")?)?,
            at: Timestamp(lines.next()?.strip_prefix("at ")?.parse().ok()?),
        };
        (checkpoint.text() == text).then_some(checkpoint)
    }
}

impl Signed {
    /// Reads a note. Whether the signature is good is for whoever has the key to say.
    pub fn parse(note: &str) -> Option<Signed> {
        let (text, signatures) = note.split_once("\n\n")?;
        let text = format!("{text}\n");
        let ours = format!("\u{2014} {KEY_NAME} ");
        let line = signatures.lines().find_map(|line| line.strip_prefix(&ours))?;
        let bytes = unbase64(line)?;
        let (key, signature) = bytes.split_at_checked(4)?;
        Some(Signed {
            checkpoint: Checkpoint::parse(&text)?,
            text,
            key: key.try_into().ok()?,
            signature: signature.try_into().ok()?,
        })
    }
}

/// The first bytes a signature names its key by: of the SHA-256 over name, algorithm (1 is Ed25519) and key.
pub fn key_id(public_key: &[u8; 32]) -> [u8; 4] {
    let Hash([a, b, c, d, ..]) = Hash::of(&[KEY_NAME.as_bytes(), b"\n\x01", public_key]);
    [a, b, c, d]
}

/// The seed of the key that signs, derived from `SIGNALBOX_SECRET` (HKDF-SHA-256).
pub fn seed(secret: &[u8]) -> Option<[u8; 32]> {
    let mut seed = [0; 32];
    Hkdf::<Sha256>::new(Some(b"signalbox"), secret).expand(b"audit checkpoints v1", &mut seed).ok()?;
    Some(seed)
}

/// The key of a checkpoint's row: in the order of keys they are in the order of their sizes.
pub fn checkpoint_key(team: &str, size: u64) -> String {
    format!("{}{size:012}", checkpoint_prefix(team))
}

/// How the keys of a team's checkpoints begin.
pub fn checkpoint_prefix(team: &str) -> String {
    format!("c/{team}/")
}

/// A checkpoint as it is exported.
pub fn shown(team: &str, size: u64, note: &str) -> Value {
    json!({ "team": team, "size": size, "note": note })
}

/// Base64 as notes have it (RFC 4648, section 4).
pub fn base64(bytes: &[u8]) -> String {
    let mut text = base64url::encode(bytes).replace('-', "+").replace('_', "/");
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

/// The bytes of such a text; `None` where it is not their one spelling.
pub fn unbase64(text: &str) -> Option<Vec<u8>> {
    let bytes = base64url::decode(&text.trim_end_matches('=').replace('+', "-").replace('/', "_"))?;
    (base64(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_note_says_what_was_signed_and_nothing_else_passes_for_it() {
        let mut head = Head::default();
        head.append("payments", "{}", Timestamp(5));
        let checkpoint = Checkpoint::of("payments", &head, Timestamp(7));
        let note = checkpoint.note(&[1; 32], &[2; 64]);
        let lines: Vec<&str> = note.lines().collect();
        assert_eq!(lines.first(), Some(&"signalbox/payments"));
        assert_eq!((lines.get(1), lines.get(4), lines.get(5)), (Some(&"1"), Some(&"at 7"), Some(&"")));
        let signed = Signed::parse(&note).unwrap();
        assert_eq!(signed.text, checkpoint.text());
        assert_eq!((signed.checkpoint, signed.key, signed.signature), (checkpoint, key_id(&[1; 32]), [2; 64]));
        for (from, to) in
            [("\n1\n", "\n01\n"), ("at 7", "at 7 "), ("\u{2014} ", "- "), ("chain ", "chain  "), ("\n\n", "\n")]
        {
            assert_eq!(Signed::parse(&note.replace(from, to)), None, "{from:?}");
        }
        // One more signature, by somebody else, does no harm.
        assert!(Signed::parse(&format!("{note}\u{2014} witness AAAA\n")).is_some());
    }
}
