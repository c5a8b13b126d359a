//! Which strings of a body are words: what a model reads, or wrote.
//!
//! By exclusion: every string is one but those that are known to be something else, so that a member nobody
//! here knows is looked at like the others. A path is the names of the members that lead to a string.

use crate::guard::plain::Source;

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

/// How a string at this path is to be read; nothing where it is no words.
pub(crate) fn source(path: &[&str], text: &str) -> Option<Source> {
    let Some((name, above)) = path.split_last() else { return Some(Source::Words) };
    // `input` at the top is a conversation.
    let free = above.iter().enumerate().any(|(depth, name)| FREE.contains(name) && (depth > 0 || *name != "input"));
    let schema = above.iter().any(|name| SCHEMAS.contains(name));
    if schema {
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
    if !free && (NO_WORDS.contains(name) || named_thing) {
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
}
