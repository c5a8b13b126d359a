//! Texts without personal data and secrets: what the detectors of guardrails find is replaced by its class.
//!
//! A stream tells a word in pieces, so an event is no place to look: the pieces of each text are put together first, and what
//! is kept of a stream are its texts.

use crate::guard::plain::{Plain, Source};
use crate::guard::{Found, pii, secrets, settle};
use crate::sorted::SortedMap;
use serde_json::Value;

/// Members that hold what was said, in any dialect. Of a stream nothing else is kept.
const SPOKEN: [&str; 11] = [
    "arguments",
    "content",
    "delta",
    "input",
    "partial_json",
    "reasoning",
    "reasoning_content",
    "refusal",
    "text",
    "thinking",
    "transcript",
];

/// A request's text.
pub(super) fn request(text: &str) -> String {
    masked(text, Source::Json)
}

/// An answer's text, whole or streamed.
pub(super) fn answer(text: &str) -> String {
    let events = |text: &str| {
        let lines = text.lines().filter_map(|line| line.strip_prefix("data:"));
        lines.filter_map(|data| crate::json::tree(data.trim()).ok()).collect::<Vec<Value>>()
    };
    let is_stream = ["data:", "event:", ":", "id:", "retry:"].iter().any(|field| text.starts_with(field));
    if is_stream {
        return masked(&joined(&events(text)), Source::Words);
    }
    match text.as_bytes().first() {
        Some(b'[') => match crate::json::tree(text).ok().as_ref().and_then(Value::as_array) {
            Some(pieces) => masked(&joined(pieces), Source::Words),
            None => "(a stream that was cut)".to_owned(),
        },
        Some(_) | None => masked(text, Source::Json),
    }
}

/// The texts of a stream, each put together: a line for the member, then what it came to.
fn joined(events: &[Value]) -> String {
    let mut texts: SortedMap<String, String> = SortedMap::new();
    for event in events {
        collect(event, "", "", &mut texts);
    }
    texts.iter().fold(String::new(), |all, (member, text)| format!("{all}{member}:\n{text}\n\n"))
}

fn collect(value: &Value, path: &str, name: &str, texts: &mut SortedMap<String, String>) {
    match value {
        Value::Object(members) => {
            // Events say by a number which of several texts they go on with.
            let which =
                ["index", "output_index", "content_index"].iter().filter_map(|name| members.get(*name)?.as_u64());
            let path = which.fold(path.to_owned(), |path, number| format!("{path}[{number}]"));
            for (name, member) in members {
                collect(member, &format!("{path}.{name}"), name, texts);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                collect(item, &format!("{path}.{at}"), name, texts);
            }
        }
        Value::String(text) if SPOKEN.contains(&name) => {
            texts.entry(path.trim_start_matches('.').to_owned()).or_default().push_str(text);
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn masked(text: &str, source: Source) -> String {
    let plain = Plain::of(text, source);
    let mut found: Vec<Found> = Vec::new();
    pii::find(&plain, &pii::Wanted::All, &mut found);
    secrets::find(&plain, &mut found);
    settle(&mut found);
    let (mut out, mut done) = (String::with_capacity(text.len()), 0);
    for one in found {
        let place = plain.source(one.range);
        out.push_str(text.get(done..place.start).unwrap_or_default());
        out.push('[');
        out.push_str(&one.class.to_ascii_uppercase());
        out.push(']');
        done = place.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_detector_finds_is_replaced_by_its_class_and_the_rest_stays() {
        let asked = r#"{"messages":[{"role":"user","content":"Write to ada@example.com, please"}]}"#;
        assert_eq!(request(asked), asked.replace("ada@example.com", "[EMAIL]"));
        assert_eq!(request(r#"{"a":"ada@exam\u0070le.com"}"#), r#"{"a":"[EMAIL]"}"#);
        assert_eq!(answer(r#"{"content":"to ada@example.com"}"#), r#"{"content":"to [EMAIL]"}"#);
        assert_eq!(request("{}"), "{}");
    }

    #[test]
    fn a_word_told_in_pieces_is_found_in_every_dialect_of_streams() {
        let openai = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"to ada@ex\"}}]}\n\n\
            data: {\"id\":\"c\",\"choices\":[{\"index\":1,\"delta\":{\"content\":\"other\"}}]}\n\n\
            data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ample.com!\"}}]}\n\ndata: [DONE]\n\n";
        assert_eq!(
            answer(openai),
            "choices.0[0].delta.content:\nto [EMAIL]!\n\nchoices.0[1].delta.content:\nother\n\n"
        );
        let anthropic = "event: content_block_delta\ndata: {\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"ada@\"}}\n\n\
            event: content_block_delta\ndata: {\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"example.com\"}}\n\n";
        assert_eq!(answer(anthropic), "[0].delta.text:\n[EMAIL]\n\n");
        let gemini = r#"[{"candidates":[{"content":{"parts":[{"text":"ada@"}]}}]},{"candidates":[{"content":{"parts":[{"text":"example.com"}]}}]}]"#;
        assert_eq!(answer(gemini), "candidates.0.content.parts.0.text:\n[EMAIL]\n\n");
        assert_eq!(answer(r#"[{"text":"ada@"#), "(a stream that was cut)");
    }
}
