//! Which strings of a body are words: what a model reads, or wrote.
//!
//! By exclusion: every string is one but those that are known to be something else, so that a member nobody
//! here knows is looked at like the others. A path is the names of the members that lead to a string.

use crate::guard::plain::Source;
use crate::json::strings::{self, Shape};
use crate::json::{self, Limits};
use std::borrow::Cow;
use std::ops::Range;

/// Members that hold bytes or seals, or name things of the protocol, wherever they stand.
const NO_WORDS: &[&str] = &[
    "type",
    "role",
    "id",
    "data",
    "file_data",
    "b64_json",
    "signature",
    "thoughtSignature",
    "thought_signature",
    "encrypted_content",
    "encrypted_index",
    "call_id",
    "tool_call_id",
    "tool_use_id",
    "file_id",
    "item_id",
    "response_id",
    "previous_response_id",
    "media_type",
    "mediaType",
    "mime_type",
    "mimeType",
    "model",
    "object",
    "service_tier",
    "finish_reason",
    "finishReason",
    "stop_reason",
    "status",
    "system_fingerprint",
    "modelVersion",
    "responseId",
    "detail",
    "tool_choice",
    "cachedContent",
    "embedding",
];

/// Members in whose values the names are the caller's own: there `type` is a word like others.
const FREE: &[&str] = &["input", "args", "response", "arguments", "output", "metadata", "structuredContent"];

/// What holds bytes, or the text of a document: `type` beside it says which.
const DATA: &str = "data";

/// Members that hold JSON Schemas.
const SCHEMAS: &[&str] = &[
    "parameters",
    "parametersJsonSchema",
    "input_schema",
    "schema",
    "responseSchema",
    "response_schema",
    "responseJsonSchema",
    "inputSchema",
];

/// Members of a schema that are no words.
const OF_SCHEMAS: &[&str] = &["type", "format", "$ref", "$schema", "$id", "pattern", "required", "propertyOrdering"];

/// Calls back with every text of a body that a model reads, or wrote: where it stands, with its quotes, what it says and how it
/// is to be read. A number in what is the caller's own is such a text, without quotes.
pub(crate) fn each_text(body: &str, see: &mut dyn FnMut(Range<usize>, &str, Source)) {
    // Whether they are bytes is known when what they stand in ends.
    let mut data: Vec<Range<usize>> = Vec::new();
    strings::each(body, |path, shape, range| {
        let raw = body.get(range.clone()).unwrap_or_default();
        match shape {
            Shape::Number if is_said(path, raw) => see(range, raw, Source::Words),
            Shape::Number => {}
            Shape::Text => {
                let Some(text) = decoded(raw) else { return };
                match source(path, &text) {
                    Some(source) => see(range, &text, source),
                    None if path.last() == Some(&DATA) => data.push(range),
                    None => {}
                }
            }
            Shape::Container => {
                let inside = data.iter().position(|data| data.start > range.start).unwrap_or(data.len());
                let held = data.split_off(inside);
                if held.is_empty() || !is_text(raw) {
                    return;
                }
                for range in held {
                    if let Some(text) = body.get(range.clone()).and_then(decoded) {
                        see(range, &text, Source::Words);
                    }
                }
            }
        }
    });
}

/// Whether a number is one that could say something, and is the caller's own.
fn is_said(path: &[&str], number: &str) -> bool {
    number.len() >= SHORTEST_NUMBER
        && number.bytes().all(|b| b.is_ascii_digit())
        && path.split_last().is_some_and(|(_, above)| free_from(above).is_some_and(|depth| depth > 0))
}

/// Shorter numbers are nobody's.
const SHORTEST_NUMBER: usize = 6;

/// Whether an object says of itself that it is a text: the source of a document of Anthropic's.
fn is_text(object: &str) -> bool {
    let Ok(document) = json::scan(object.as_bytes(), &Limits::default()) else { return false };
    document.get("type").and_then(decoded).as_deref() == Some("text")
}

/// The text of a string with its quotes.
fn decoded(raw: &str) -> Option<Cow<'_, str>> {
    let inside = raw.strip_prefix('"')?.strip_suffix('"')?;
    match memchr::memchr(b'\\', inside.as_bytes()) {
        None => Some(Cow::Borrowed(inside)),
        Some(_) => json::parse(raw).ok().map(Cow::Owned),
    }
}

/// From which depth on the names of members are the caller's own. `input` at the top is a conversation; a name that is written
/// with escapes is none that is known here, whatever it means to others.
fn free_from(above: &[&str]) -> Option<usize> {
    let is_free =
        |(depth, name): (usize, &&str)| name.contains('\\') || (FREE.contains(name) && (depth > 0 || *name != "input"));
    above.iter().enumerate().position(is_free)
}

/// How a string at this path is to be read; nothing where it is no words.
pub(crate) fn source(path: &[&str], text: &str) -> Option<Source> {
    let Some((name, above)) = path.split_last() else { return Some(Source::Words) };
    let free = free_from(above);
    let schema = above.iter().position(|name| SCHEMAS.contains(name));
    // What is outermost says what names within it mean.
    if schema.is_some_and(|schema| free.is_none_or(|free| schema < free)) {
        return (!OF_SCHEMAS.contains(name)).then_some(Source::Words);
    }
    let named_thing = *name == "name"
        && above.last().is_some_and(|of| {
            [
                "function",
                "tools",
                "function_call",
                "functionCall",
                "functionResponse",
                "functionDeclarations",
                "tool_calls",
                "content",
                "output",
                "input",
            ]
            .contains(of)
        });
    if free.is_none() && (NO_WORDS.contains(name) || named_thing) {
        return None;
    }
    if text.starts_with("data:") && ["url", "image_url", "fileUri", "file_url"].contains(name) {
        return None;
    }
    Some(if ["arguments", "partial_json"].contains(name) { Source::Json } else { Source::Words })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_78_words_are_read_wherever_a_dialect_has_them() {
        for (path, expected) in [
            (&["messages", "content"][..], Some(Source::Words)),
            (&["messages", "content", "text"], Some(Source::Words)),
            (&["messages", "tool_calls", "function", "arguments"], Some(Source::Json)),
            (&["messages", "content", "input", "type"], Some(Source::Words)),
            (&["system"], Some(Source::Words)),
            (&["tools", "function", "description"], Some(Source::Words)),
            (&["tools", "function", "parameters", "properties", "x", "description"], Some(Source::Words)),
            (&["input", "content", "filename"], Some(Source::Words)),
            (&["contents", "parts", "functionCall", "args", "id"], Some(Source::Words)),
            (&["messages", "content", "input", "schema", "type"], Some(Source::Words)),
            (&["tools", "input_schema", "properties", "input", "type"], None),
            (&["messages", "content", "inp\\u0075t", "data"], Some(Source::Words)),
            (&["messages", "content", "source", "dat\\u0061"], Some(Source::Words)),
            (&["nobody", "knows"], Some(Source::Words)),
            (&["messages", "content", "source", "data"], None),
            (&["messages", "role"], None),
            (&["tools", "function", "name"], None),
            (&["tools", "function", "parameters", "required"], None),
            (&["input", "id"], None),
        ] {
            assert_eq!(source(path, ""), expected, "{path:?}");
        }
        assert_eq!(source(&["messages", "content", "image_url", "url"], "data:image/png;base64,AA"), None);
    }

    fn told(body: &str) -> Vec<String> {
        let mut told = Vec::new();
        each_text(body, &mut |range, text, _| told.push(format!("{}={text}", body.get(range).unwrap_or_default())));
        told
    }

    #[test]
    fn the_text_of_a_document_is_words_and_its_bytes_are_none() {
        for (kind, expected) in [("text", vec![r#""Call Ana"=Call Ana"#]), ("base64", vec![])] {
            let body =
                format!(r#"{{"content":[{{"type":"document","source":{{"data":"Call Ana","type":"{kind}"}}}}]}}"#);
            assert_eq!(told(&body), expected, "{kind}");
        }
        let nested = r#"{"source":{"x":[{"type":"image"}],"data":"Call Ana","type":"t\u0065xt"}}"#;
        assert_eq!(told(nested), [r#""Call Ana"=Call Ana"#]);
    }

    #[test]
    fn a_number_in_what_is_the_callers_own_is_a_text() {
        let body = r#"{"seed":123456789,"content":[{"input":{"card":4111111111111111,"n":1,"x":0.123456789}}]}"#;
        assert_eq!(told(body), ["4111111111111111=4111111111111111"]);
    }
}
