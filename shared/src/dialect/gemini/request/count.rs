//! `countTokens`: a conversation alone, or a whole request under `generateContentRequest`.

use super::inspect;
use super::rewrite::without_foreign_seals;
use crate::dialect::facts::Facts;
use crate::dialect::json_write;
use crate::error::ApiError;
use crate::json::{self, Document, Limits};

const NAMES: [&str; 2] = ["generateContentRequest", "generate_content_request"];

/// The inner request, if there is one.
fn inner<'a>(body: &'a Document<'_>) -> Option<(&'static str, &'a str)> {
    NAMES.into_iter().find_map(|name| Some((name, body.get(name).filter(|text| text.starts_with('{'))?)))
}

pub(in crate::dialect) fn inspect_count(body: &Document<'_>) -> Result<Facts, ApiError> {
    match inner(body).and_then(|(_, text)| json::scan(text.as_bytes(), &Limits::default()).ok()) {
        Some(inner) => inspect(&inner),
        None => inspect(body),
    }
}

/// A whole request names its model once more, as a resource.
pub(in crate::dialect) fn rewrite_count(body: &Document<'_>, model: &str) -> Vec<u8> {
    let mut changes = json::Edits::new(body);
    let renamed = inner(body).and_then(|(name, text)| Some((name, with_model(text, model)?)));
    if let Some((name, text)) = &renamed {
        changes.set(name, text);
    }
    without_foreign_seals(changes.apply())
}

fn with_model(request: &str, model: &str) -> Option<String> {
    let document = json::scan(request.as_bytes(), &Limits::default()).ok()?;
    let mut name = Vec::new();
    json_write::string(&mut name, &format!("models/{model}"));
    let name = String::from_utf8(name).ok()?;
    let mut changes = json::Edits::new(&document);
    changes.set("model", &name);
    String::from_utf8(changes.apply()).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_request_is_counted_under_the_model_that_is_asked() {
        let body = r#"{"generateContentRequest":{"model":"models/fast", "contents":[{"parts":[{"text":"a"}]}]}}"#;
        let document = json::scan(body.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(inspect_count(&document).unwrap().messages, 1);
        let sent = String::from_utf8(rewrite_count(&document, "gemini-2.5-pro")).unwrap();
        assert_eq!(sent, body.replace("models/fast", "models/gemini-2.5-pro"));
    }

    #[test]
    fn a_conversation_alone_goes_on_as_it_is() {
        let body = r#"{ "contents":[{"parts":[{"text":"a"}]}] }"#;
        let document = json::scan(body.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(inspect_count(&document).unwrap().messages, 1);
        assert_eq!(rewrite_count(&document, "m"), body.as_bytes());
    }
}
