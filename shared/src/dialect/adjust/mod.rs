//! What an operator has changed in a caller's body before anybody reads it further: instructions around the
//! caller's own, bounds of parameters, labels. In every dialect callers speak, and by the byte: what is not changed
//! keeps its bytes, as everywhere.

mod instructions;
mod parameters;

pub(crate) use parameters::{Bounds, Parameter};

use super::Dialect;
use crate::error::ApiError;
use crate::json::{self, Document, Edits, Limits};

impl Dialect {
    /// The body with these texts before and after its own instructions; `None` where nothing is to be added.
    pub(crate) fn instruct(self, body: &[u8], before: &str, after: &str) -> Option<Vec<u8>> {
        if before.is_empty() && after.is_empty() {
            return None;
        }
        let document = json::scan(body, &Limits::default()).ok()?;
        Some(instructions::add(self, &document, before, after))
    }

    /// The body with its parameters within these bounds; `None` where they are.
    pub(crate) fn bound(
        self,
        body: &[u8],
        bounds: &[(Parameter, Bounds)],
        chat: bool,
    ) -> Result<Option<Vec<u8>>, ApiError> {
        if bounds.is_empty() {
            return Ok(None);
        }
        parameters::bound(self, &json::scan(body, &Limits::default())?, bounds, chat)
    }

    /// The body with these labels beside the caller's own; `None` where the dialect has no place for any of them.
    /// Anthropic's knows one, `user_id`; Gemini's has none.
    pub(crate) fn label(self, body: &[u8], labels: &[(String, String)]) -> Option<Vec<u8>> {
        let fits = |name: &str| match self {
            Dialect::OpenAiChat | Dialect::OpenAiResponses => true,
            Dialect::Anthropic => name == "user_id",
            Dialect::Gemini => false,
        };
        let labels: Vec<(&str, String)> =
            labels.iter().filter(|(name, _)| fits(name)).map(|(name, value)| (name.as_str(), literal(value))).collect();
        if labels.is_empty() {
            return None;
        }
        let document = json::scan(body, &Limits::default()).ok()?;
        let metadata = within(document.get("metadata"), &labels);
        Some(edited(&document, &[("metadata", metadata)]))
    }
}

/// An object of a body, or an empty one, with these members set. `members` are names and JSON texts.
fn within(object: Option<&str>, members: &[(&str, String)]) -> String {
    let object = object.filter(|text| text.starts_with('{')).unwrap_or("{}");
    match json::scan(object.as_bytes(), &Limits::default()) {
        Ok(document) => text(edited(&document, members)),
        Err(_) => object.to_owned(),
    }
}

/// A document with these members set.
fn edited(document: &Document<'_>, members: &[(&str, String)]) -> Vec<u8> {
    let mut edits = Edits::new(document);
    for (name, value) in members {
        edits.set(name, value);
    }
    edits.apply()
}

/// JSON that was text before it was changed is text.
fn text(json: Vec<u8>) -> String {
    String::from_utf8(json).unwrap_or_default()
}

/// A text as JSON.
fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn labels_stand_beside_the_callers_own_where_a_dialect_has_any() {
        let labels = [("team".to_owned(), "a\"b".to_owned()), ("user_id".to_owned(), "u1".to_owned())];
        for (dialect, body, expected) in [
            (
                Dialect::OpenAiChat,
                r#"{"metadata":{"a": "b","team":"x"},"n":1.0}"#,
                Some(r#"{"metadata":{"a": "b","team":"a\"b","user_id":"u1"},"n":1.0}"#),
            ),
            (Dialect::OpenAiResponses, "{}", Some(r#"{"metadata":{"team":"a\"b","user_id":"u1"}}"#)),
            (Dialect::Anthropic, r#"{"metadata":null}"#, Some(r#"{"metadata":{"user_id":"u1"}}"#)),
            (Dialect::Gemini, "{}", None),
        ] {
            let labelled = dialect.label(body.as_bytes(), &labels).map(|body| String::from_utf8(body).unwrap());
            assert_eq!(labelled.as_deref(), expected, "{body}");
        }
    }
}
