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

use memchr::memchr2;
use serde_json::value::RawValue;

/// A JSON value kept as the text it came in, on one line: no number is rounded, no member is lost or reordered.
#[derive(Clone, Debug)]
pub struct Json(Box<RawValue>);

impl Json {
    /// From text that may or may not be one JSON value.
    pub fn parse(text: &str) -> Option<Json> {
        crate::json::parse::<&RawValue>(text).ok().map(Json::from)
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
        match memchr2(b'\n', b'\r', raw.get().as_bytes()) {
            // White space for white space: it stays one value.
            Some(_) => Json(crate::json::parse(&on_one_line(raw.get())).unwrap_or_else(|_| raw.to_owned())),
            None => Json(raw.to_owned()),
        }
    }
}

/// A value may be written into an event stream, where a line break would end its line. Between tokens a
/// space means the same, and within strings JSON allows no bare line break.
fn on_one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

impl PartialEq for Json {
    fn eq(&self, other: &Json) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Json {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_kept_on_one_line_and_what_is_no_json_stays_none() {
        let json = Json::parse("{\"a\":\r\n [1.0,\n2e400]}");
        assert_eq!(json.as_ref().map(Json::text), Some("{\"a\":   [1.0, 2e400]}"));
        assert_eq!(Json::parse("{\"a\":\"line\nbreak\"}"), None);
    }
}
