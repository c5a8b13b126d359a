//! Why a body was refused, in words for the person who sent it.

use crate::error::{ApiError, Code};
use std::fmt;

/// A body that was refused, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// The offset in bytes of what cannot be accepted.
    pub offset: usize,
    /// What it is.
    pub kind: ErrorKind,
}

/// Every reason to refuse a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Nothing but white space.
    Empty,
    /// Bytes that are not UTF-8; typically Latin-1 or UTF-16 text, or a compressed body.
    NotUtf8,
    /// A byte order mark before the text.
    ByteOrderMark,
    /// The body ends inside the document; typically it was cut off on its way.
    Incomplete,
    /// The grammar wants something else here.
    Syntax {
        /// What it wants, to be read after "expected".
        expected: &'static str,
    },
    /// A raw control character (U+0000 to U+001F) in a string.
    ControlCharacter,
    /// An escape for one half of a surrogate pair without the other.
    LoneSurrogate,
    /// More objects and arrays inside each other than accepted.
    TooDeep {
        /// The most levels accepted.
        limit: usize,
    },
    /// An object has two members of the same name; the offset is the second one's.
    DuplicateKey {
        /// The name, escapes decoded.
        name: String,
    },
    /// The document has ended, and something follows.
    TrailingData,
    /// Valid JSON whose top is not an object.
    NotAnObject,
}

impl JsonError {
    pub(super) fn new(offset: usize, kind: ErrorKind) -> JsonError {
        JsonError { offset, kind }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.offset;
        match &self.kind {
            ErrorKind::Empty => f.write_str("The request body is empty. Send a JSON object."),
            ErrorKind::NotUtf8 => write!(f, "The request body is not UTF-8 at byte {at}. Send JSON encoded as UTF-8."),
            ErrorKind::ByteOrderMark => {
                f.write_str("The request body begins with a byte order mark. Send JSON without one.")
            }
            ErrorKind::Incomplete => {
                write!(f, "The request body ends at byte {at}, inside the JSON document. Send it whole.")
            }
            ErrorKind::Syntax { expected } => {
                write!(f, "The request body is not valid JSON: expected {expected} at byte {at}.")
            }
            ErrorKind::ControlCharacter => write!(
                f,
                "The request body is not valid JSON: a string has a raw control character at byte {at}. Escape it."
            ),
            ErrorKind::LoneSurrogate => write!(
                f,
                "The request body has half of a surrogate pair at byte {at}. Send both halves, or the character itself."
            ),
            ErrorKind::TooDeep { limit } => write!(
                f,
                "The request body has more than {limit} objects and arrays inside each other at byte {at}. Send less nested JSON."
            ),
            ErrorKind::DuplicateKey { name } => {
                write!(
                    f,
                    "The request body names {:?} twice in one object, again at byte {at}. Send it once.",
                    short(name)
                )
            }
            ErrorKind::TrailingData => {
                write!(f, "The request body goes on after the JSON document at byte {at}. Send one document.")
            }
            ErrorKind::NotAnObject => {
                f.write_str("The request body is valid JSON, but not an object. Send a JSON object.")
            }
        }
    }
}

/// A name short enough for a sentence.
fn short(name: &str) -> &str {
    name.char_indices().nth(64).and_then(|(end, _)| name.get(..end)).unwrap_or(name)
}

impl std::error::Error for JsonError {}

impl From<JsonError> for ApiError {
    fn from(error: JsonError) -> ApiError {
        ApiError::new(Code::InvalidRequest, error.to_string())
    }
}
