//! What was said: the texts of a request and its answer, kept beside the record of it for teams that want that
//! (`teams.<name>.audit.bodies`).
//!
//! The chain holds the SHA-256 of what is kept, never the texts, and what is kept is encrypted under a key of its subject: the
//! user, or the key, that asked. Erasing a subject's key makes all it ever said unreadable, here and in every copy, and the
//! chain verifies as before. Nobody waits for any of it: texts are only collected while a request is served, within bounds,
//! and everything else happens behind the caller's back.

mod redact;
mod subjects;
mod vault;

pub use crate::config::Bodies;
pub use subjects::{SHELF as SUBJECTS, Subjects};
pub use vault::{Opened, Vault};

/// The most of a request that is kept, in bytes.
pub const MAX_REQUEST_BYTES: usize = 96 * 1024;
/// The most of an answer. Encrypted and written down, both together fit into one record.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// What is being said in one request, as far as it will be kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spoken {
    bodies: Bodies,
    request: Text,
    answer: Text,
}

/// A text up to a bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Text {
    bytes: Vec<u8>,
    is_truncated: bool,
}

impl Spoken {
    /// The request as the caller sent it; `None` where nothing is kept.
    pub fn begin(bodies: Bodies, request: &[u8]) -> Option<Box<Spoken>> {
        let mut spoken = match bodies {
            Bodies::None => return None,
            Bodies::Redacted | Bodies::Full => Spoken { bodies, ..Spoken::default() },
        };
        spoken.request.push(request, MAX_REQUEST_BYTES);
        Some(Box::new(spoken))
    }

    /// More of the answer, as the caller gets it.
    pub fn push(&mut self, answer: &[u8]) {
        self.answer.push(answer, MAX_ANSWER_BYTES);
    }

    /// Both texts as they are kept, and whether either is longer than that.
    fn texts(self) -> (Bodies, String, String, bool) {
        let is_truncated = self.request.is_truncated || self.answer.is_truncated;
        let (request, answer) = (self.request.text(), self.answer.text());
        match self.bodies {
            Bodies::None => (self.bodies, String::new(), String::new(), false),
            Bodies::Redacted => (self.bodies, redact::request(&request), redact::answer(&answer), is_truncated),
            Bodies::Full => (self.bodies, request, answer, is_truncated),
        }
    }
}

impl Text {
    fn push(&mut self, bytes: &[u8], most: usize) {
        let room = most.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        self.is_truncated |= bytes.len() > room;
    }

    /// Sound and pictures are no text: of those only the length is kept.
    fn text(self) -> String {
        match String::from_utf8(self.bytes) {
            Ok(text) => text,
            Err(error) => {
                let end = error.utf8_error().valid_up_to();
                let bytes = error.into_bytes();
                // The bound may have cut a character in two.
                match bytes.get(..end).filter(|_| bytes.len() - end < 4).map(String::from_utf8_lossy) {
                    Some(text) => text.into_owned(),
                    None => format!("({} bytes that are not text)", bytes.len()),
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_kept_up_to_a_bound_and_say_when_they_are_longer() {
        assert!(Spoken::begin(Bodies::None, b"x").is_none());
        let mut spoken = Spoken::begin(Bodies::Full, b"asked").unwrap();
        spoken.push("ä".repeat(MAX_ANSWER_BYTES / 2 - 1).as_bytes());
        spoken.push("x€".as_bytes());
        spoken.push(b"more");
        let (_, request, answer, is_truncated) = spoken.texts();
        assert_eq!((request.as_str(), is_truncated), ("asked", true));
        assert!(answer.ends_with("äx"), "no half of a character");
        let mut picture = Spoken::begin(Bodies::Full, &[0xff; 64]).unwrap();
        picture.push(b"ok");
        assert_eq!(picture.texts().1, "(64 bytes that are not text)");
    }
}
