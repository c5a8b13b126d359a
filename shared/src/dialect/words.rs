//! Which strings of a body are words: what a model reads, or wrote.
//!
//! By exclusion: every string is one but those that are known to be something else, so that a member nobody
//! here knows is looked at like the others. A path is the names of the members that lead to a string.
//!
//! What a tool is given or gives back is an object of somebody's own, in which names and numbers say as much as strings and
//! say what those are: it is one text, as it is in dialects that send it as a string.

use crate::guard::plain::Source;
use crate::json::strings::{self, Shape, decoded};
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
const FREE: &[&str] = &["input", "args", "response", "arguments", "metadata", "structuredContent"];

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

/// Members that tell an answer's text once more.
const REPEATS: &[&str] = &["logprobs", "logprobsResult"];

/// Members above a `name` that is a function's.
const OF_NAMED: &[&str] = &[
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
];

/// What the words of a body stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A string, for itself.
    Text,
    /// A string within an object that follows.
    Within,
    /// An object of somebody's own, names and numbers and all; told behind its strings.
    Object,
    /// What tells an answer's text once more, token by token; told behind its strings.
    Repeat,
}

/// Calls back with all words of a body, and where they stand: a string with its quotes, or a container.
pub(crate) fn each(body: &str, see: &mut dyn FnMut(Place, Source, Range<usize>)) {
    // What a document holds: bytes, or a text, which its type tells before or behind it.
    let (mut held, mut is_text) = (None, false);
    strings::each(body, &mut |path, shape, range| {
        let raw = body.get(range.clone()).unwrap_or_default();
        let above = path.split_last().map_or(&[][..], |(_, above)| above);
        let is_of_document = above.last().is_some_and(|name| name == "source");
        match (shape, path.last().map(AsRef::as_ref)) {
            (Shape::Container, Some("source")) => {
                if let Some(range) = held.take().filter(|_| std::mem::take(&mut is_text)) {
                    see(Place::Text, Source::Words, range);
                }
            }
            (Shape::Container, Some(_)) if raw.starts_with('{') && is_free(path) && !is_free(above) => {
                see(Place::Object, Source::Json, range);
            }
            (Shape::Container, Some(name)) if REPEATS.contains(&name) && !is_free(above) => {
                see(Place::Repeat, Source::Words, range);
            }
            (Shape::Container, _) => {}
            (Shape::Text, Some("data")) if is_of_document && !is_free(above) => held = Some(range),
            (Shape::Text, name) => {
                is_text |= is_of_document && name == Some("type") && raw == "\"text\"";
                if let Some(source) = source(path, raw) {
                    see(if is_free(above) { Place::Within } else { Place::Text }, source, range);
                }
            }
        }
    });
}

/// Calls back with every string of a body that is words: where it stands, with its quotes, and what it says.
pub(crate) fn each_text(body: &str, see: &mut dyn FnMut(Range<usize>, &str)) {
    each(body, &mut |place, _, range| match place {
        Place::Text | Place::Within => {
            let raw = body.get(range.clone()).unwrap_or_default();
            see(range, &decoded(raw).unwrap_or(Cow::Borrowed(raw)));
        }
        Place::Object | Place::Repeat => {}
    });
}

/// Whether what stands under these names is somebody's own: nothing is that stands in a schema, and schemas have no place in
/// what is.
fn is_free(path: &[Cow<'_, str>]) -> bool {
    let known = |(depth, name): (usize, &Cow<'_, str>)| {
        // `input` at the top is a conversation.
        let is_free = FREE.contains(&name.as_ref()) && (depth > 0 || name != "input");
        (is_free || SCHEMAS.contains(&name.as_ref())).then_some(is_free)
    };
    path.iter().enumerate().find_map(known).unwrap_or(false)
}

/// How a string at this path, with its quotes, is to be read; nothing where it is no words.
fn source(path: &[Cow<'_, str>], raw: &str) -> Option<Source> {
    let Some((name, above)) = path.split_last() else { return Some(Source::Words) };
    let name = name.as_ref();
    if !is_free(above) {
        if above.iter().any(|name| SCHEMAS.contains(&name.as_ref())) {
            return (!OF_SCHEMAS.contains(&name)).then_some(Source::Words);
        }
        let named_thing = name == "name" && above.last().is_some_and(|of| OF_NAMED.contains(&of.as_ref()));
        if NO_WORDS.contains(&name) || named_thing {
            return None;
        }
    }
    let is_bytes =
        || raw.starts_with("\"data:") && raw.get(..raw.len().min(200)).is_some_and(|head| head.contains(";base64,"));
    if ["url", "image_url", "fileUri", "file_url"].contains(&name) && is_bytes() {
        return None;
    }
    Some(if ["arguments", "partial_json"].contains(&name) { Source::Json } else { Source::Words })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, clippy::string_slice)]
    use super::*;

    fn read(path: &[&str], text: &str) -> Option<Source> {
        let path: Vec<Cow<'_, str>> = path.iter().map(|name| Cow::Borrowed(*name)).collect();
        source(&path, &format!("\"{text}\""))
    }

    #[test]
    fn fault_78_words_are_read_wherever_a_dialect_has_them() {
        for (path, expected) in [
            (&["messages", "content"][..], Some(Source::Words)),
            (&["messages", "content", "text"], Some(Source::Words)),
            (&["messages", "tool_calls", "function", "arguments"], Some(Source::Json)),
            (&["messages", "content", "input", "type"], Some(Source::Words)),
            (&["messages", "content", "input", "schema", "type"], Some(Source::Words)),
            (&["system"], Some(Source::Words)),
            (&["tools", "function", "description"], Some(Source::Words)),
            (&["tools", "function", "parameters", "properties", "x", "description"], Some(Source::Words)),
            (&["input", "content", "filename"], Some(Source::Words)),
            (&["contents", "parts", "functionCall", "args", "id"], Some(Source::Words)),
            (&["nobody", "knows"], Some(Source::Words)),
            (&["messages", "content", "source", "data"], None),
            (&["messages", "role"], None),
            (&["tools", "function", "name"], None),
            (&["tools", "function", "parameters", "required"], None),
            (&["tools", "function", "parameters", "properties", "input", "type"], None),
            (&["input", "id"], None),
            (&["output", "id"], None),
            (&["output", "encrypted_content"], None),
        ] {
            assert_eq!(read(path, ""), expected, "{path:?}");
        }
        let image = ["messages", "content", "image_url", "url"];
        assert_eq!(read(&image, "data:image/png;base64,AA"), None);
        assert_eq!(read(&image, "data:text/plain,ana@example.org"), Some(Source::Words));
    }

    fn all(body: &str) -> Vec<(Place, &str)> {
        let mut all = Vec::new();
        each(body, &mut |place, _, range| all.push((place, &body[range])));
        all
    }

    #[test]
    fn fault_78_the_text_of_a_document_is_words_and_its_bytes_are_none() {
        for (source, words) in [
            (r#"{"type":"text","media_type":"text/plain","data":"I am Ana"}"#, &["\"I am Ana\""][..]),
            (r#"{"data":"I am Ana","\u0074ype":"text"}"#, &["\"I am Ana\""]),
            (r#"{"type":"base64","media_type":"image/png","data":"iVBORw0K"}"#, &[]),
        ] {
            for name in ["source", "s\\u006furce"] {
                let body = format!(r#"{{"messages":[{{"content":[{{"type":"document","{name}":{source}}}]}}]}}"#);
                assert_eq!(all(&body).iter().map(|(_, text)| *text).collect::<Vec<_>>(), words, "{body}");
            }
        }
    }

    #[test]
    fn fault_78_what_a_tool_is_given_is_one_text_with_its_names_and_numbers() {
        let body = r#"{"messages":[{"content":[{"input":{"a@b.org":{"args":{"card":4111}},"to":"x"}}]}],"input":[{"text":"y"}]}"#;
        let object = r#"{"a@b.org":{"args":{"card":4111}},"to":"x"}"#;
        let expected = [(Place::Within, "\"x\""), (Place::Object, object), (Place::Text, "\"y\"")];
        assert_eq!(all(body), expected);
    }
}
