//! The common form of a chat: what every dialect is read into and written from.
//!
//! It is a superset, not a least common denominator. What only one dialect can say is kept as that
//! dialect's own JSON ([`Json`], [`Part::Opaque`], `extra`), so that a writer of the same dialect can
//! give it back and a writer of another can name it in the warnings. Nothing here knows HTTP.

mod collect;
mod content;
mod event;
mod replay;
mod request;
mod response;

pub use content::{Arguments, Citation, Media, MediaKind, Message, Part, Role, Seal, SealFormat, Source};
pub use event::{BlockKind, Delta, Event};
pub use request::{ChatRequest, Effort, NativeOnly, OutputFormat, Reasoning, Sampling, Thinking, Tool, ToolChoice};
pub use response::{ChatResponse, Choice, FinishReason};

use serde_json::value::RawValue;

/// A JSON value kept as the text it came in: no number is rounded, no member is lost or reordered.
#[derive(Clone, Debug)]
pub struct Json(Box<RawValue>);

impl Json {
    /// From text that may or may not be one JSON value.
    pub fn parse(text: &str) -> Option<Json> {
        RawValue::from_string(text.to_owned()).ok().map(Json)
    }

    /// The text of the value, without white space around it.
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// The value's kind, told by its first byte.
    pub fn is_object(&self) -> bool {
        self.text().starts_with('{')
    }
}

impl From<&RawValue> for Json {
    fn from(raw: &RawValue) -> Json {
        Json(raw.to_owned())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Json) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Json {}
