//! Texts before and after a caller's own instructions, where its dialect has them.
//!
//! They become part of what is there: a second system message is refused by some models, and a caller's cache
//! breakpoint stays where it was. Where a caller has no instructions, both texts become them.

use super::{edited, literal, text, within};
use crate::dialect::Dialect;
use crate::json::{self, Document, Limits, splice};
use serde_json::value::RawValue;
use std::ops::Range;

/// What parts two texts that one after the other are read as one.
const BETWEEN: &str = "\n\n";

/// The body with texts before and after its instructions. An empty one adds nothing.
pub(super) fn add(dialect: Dialect, body: &Document<'_>, before: &str, after: &str) -> Vec<u8> {
    match dialect {
        Dialect::OpenAiChat => in_messages(body, before, after),
        Dialect::OpenAiResponses => {
            edited(body, &[("instructions", around(body.get("instructions"), before, after, Form::Text))])
        }
        Dialect::Anthropic => edited(body, &[("system", around(body.get("system"), before, after, Form::Typed))]),
        Dialect::Gemini => {
            let there: Vec<&str> = ["systemInstruction", "system_instruction"]
                .into_iter()
                .filter(|name| body.get(name).is_some_and(|value| value != "null"))
                .collect();
            // Whoever reads it may read either: they say the same.
            let names = if there.is_empty() { vec!["systemInstruction"] } else { there };
            let changes = names.into_iter().map(|name| (name, in_content(body.get(name), before, after)));
            edited(body, &changes.collect::<Vec<_>>())
        }
    }
}

/// How a list of a dialect has a text.
#[derive(Clone, Copy)]
enum Form {
    /// The dialect knows no lists: a bare text is all there is.
    Text,
    /// `{"type":"text","text":"…"}`
    Typed,
    /// `{"text":"…"}`
    Untyped,
}

impl Form {
    fn part(self, text: &str) -> String {
        match self {
            Form::Text => literal(text),
            Form::Typed => format!("{{\"type\":\"text\",\"text\":{}}}", literal(text)),
            Form::Untyped => format!("{{\"text\":{}}}", literal(text)),
        }
    }
}

/// A text or a list of parts with others around it; both texts where it is neither.
fn around(value: Option<&str>, before: &str, after: &str, form: Form) -> String {
    let value = value.unwrap_or_default();
    if let Some(own) = inside(value) {
        let (before, after) = (literal(before), literal(after));
        let texts = [inside(&before).unwrap_or_default(), own, inside(&after).unwrap_or_default()];
        let texts: Vec<&str> = texts.into_iter().filter(|text| !text.is_empty()).collect();
        return format!("\"{}\"", texts.join("\\n\\n"));
    }
    if let Some(own) = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let part = |text: &str| if text.is_empty() { String::new() } else { form.part(text) };
        let (before, after) = (part(before), part(after));
        let parts: Vec<&str> = [&*before, own, &*after].into_iter().filter(|part| !part.trim().is_empty()).collect();
        return format!("[{}]", parts.join(","));
    }
    let both = joined(before, after);
    match form {
        Form::Text | Form::Typed => literal(&both),
        Form::Untyped => format!("[{}]", form.part(&both)),
    }
}

fn joined(before: &str, after: &str) -> String {
    [before, after].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(BETWEEN)
}

/// What stands between the quotes of a JSON text.
fn inside(literal: &str) -> Option<&str> {
    literal.strip_prefix('"')?.strip_suffix('"')
}

/// Gemini's content: parts in an object, or a bare text.
fn in_content(content: Option<&str>, before: &str, after: &str) -> String {
    let content = content.filter(|content| content.starts_with('{'));
    let document = content.and_then(|content| json::scan(content.as_bytes(), &Limits::default()).ok());
    let parts = document.as_ref().and_then(|document| document.get("parts"));
    // One part may stand for a list of it.
    let list = parts.map(|parts| if parts.starts_with('{') { format!("[{parts}]") } else { parts.to_owned() });
    within(content, &[("parts", around(list.as_deref(), before, after, Form::Untyped))])
}

/// OpenAI's conversation: its instructions are the system messages at its head.
fn in_messages(body: &Document<'_>, before: &str, after: &str) -> Vec<u8> {
    let Some(member) = body.member("messages") else { return body.body().as_bytes().to_vec() };
    let all = body.body().get(member.value.clone()).unwrap_or_default();
    let items: Vec<&RawValue> = crate::json::parse(all).unwrap_or_default();
    let at = |item: &RawValue| member.value.start + (item.get().as_ptr() as usize - all.as_ptr() as usize);
    let heads: Vec<&&RawValue> = items.iter().take_while(|item| is_instruction(item.get())).collect();
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    match (heads.first(), heads.last()) {
        (Some(first), Some(last)) if heads.len() > 1 => {
            for (item, before, after) in [(first, before, ""), (last, "", after)] {
                edits.push((at(item)..at(item) + item.get().len(), with_content(item.get(), before, after)));
            }
        }
        (Some(only), _) => edits.push((at(only)..at(only) + only.get().len(), with_content(only.get(), before, after))),
        (None, _) => {
            let comma = if items.is_empty() { "" } else { "," };
            let message = format!("{{\"role\":\"system\",\"content\":{}}}{comma}", literal(&joined(before, after)));
            edits.push((member.value.start + 1..member.value.start + 1, message));
        }
    }
    let edits: Vec<(Range<usize>, &[u8])> =
        edits.iter().map(|(range, text)| (range.clone(), text.as_bytes())).collect();
    splice(body.body().as_bytes(), &edits)
}

fn is_instruction(message: &str) -> bool {
    let document = json::scan(message.as_bytes(), &Limits::default());
    let role = document.as_ref().ok().and_then(|document| document.get("role"));
    matches!(role, Some("\"system\"" | "\"developer\""))
}

fn with_content(message: &str, before: &str, after: &str) -> String {
    if before.is_empty() && after.is_empty() {
        return message.to_owned();
    }
    let Ok(document) = json::scan(message.as_bytes(), &Limits::default()) else { return message.to_owned() };
    text(edited(&document, &[("content", around(document.get("content"), before, after, Form::Typed))]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn added(dialect: Dialect, body: &str) -> String {
        String::from_utf8(dialect.instruct(body.as_bytes(), "B\"", "A").unwrap()).unwrap()
    }

    #[test]
    fn texts_stand_around_the_callers_own_instructions_and_no_other_byte_changes() {
        let (chat, responses) = (Dialect::OpenAiChat, Dialect::OpenAiResponses);
        for (dialect, body, expected) in [
            (
                chat,
                r#"{"messages":[ {"role":"user","content":"x"}], "n":1.0}"#,
                r#"{"messages":[{"role":"system","content":"B\"\n\nA"}, {"role":"user","content":"x"}], "n":1.0}"#,
            ),
            (chat, r#"{"messages":[]}"#, r#"{"messages":[{"role":"system","content":"B\"\n\nA"}]}"#),
            (
                chat,
                r#"{"messages":[{"role":"developer", "content":"\u0048i"},{"role":"user","content":"x"}]}"#,
                r#"{"messages":[{"role":"developer", "content":"B\"\n\n\u0048i\n\nA"},{"role":"user","content":"x"}]}"#,
            ),
            (
                chat,
                r#"{"messages":[{"content":"1","role":"system"}, {"role":"system","content":[{"type":"text","text":"2"} ]}]}"#,
                r#"{"messages":[{"content":"B\"\n\n1","role":"system"}, {"role":"system","content":[{"type":"text","text":"2"} ,{"type":"text","text":"A"}]}]}"#,
            ),
            (responses, r#"{"input":"x"}"#, r#"{"input":"x","instructions":"B\"\n\nA"}"#),
            (responses, r#"{"instructions":null}"#, r#"{"instructions":"B\"\n\nA"}"#),
            (responses, r#"{"instructions":"i"}"#, r#"{"instructions":"B\"\n\ni\n\nA"}"#),
            (Dialect::Anthropic, r#"{"system":""}"#, r#"{"system":"B\"\n\nA"}"#),
            (Dialect::Anthropic, "{}", r#"{"system":"B\"\n\nA"}"#),
            (
                Dialect::Anthropic,
                r#"{"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}]}"#,
                r#"{"system":[{"type":"text","text":"B\""},{"type":"text","text":"s","cache_control":{"type":"ephemeral"}},{"type":"text","text":"A"}]}"#,
            ),
            (
                Dialect::Anthropic,
                r#"{"system":[ ]}"#,
                r#"{"system":[{"type":"text","text":"B\""},{"type":"text","text":"A"}]}"#,
            ),
            (
                Dialect::Gemini,
                r#"{"system_instruction":{"parts":[{"text":"s"}]}}"#,
                r#"{"system_instruction":{"parts":[{"text":"B\""},{"text":"s"},{"text":"A"}]}}"#,
            ),
            (
                Dialect::Gemini,
                r#"{"systemInstruction":{"parts":{"text":"s"}}}"#,
                r#"{"systemInstruction":{"parts":[{"text":"B\""},{"text":"s"},{"text":"A"}]}}"#,
            ),
            (Dialect::Gemini, "{}", r#"{"systemInstruction":{"parts":[{"text":"B\"\n\nA"}]}}"#),
        ] {
            assert_eq!(added(dialect, body), expected, "{body}");
        }
    }

    #[test]
    fn what_is_added_is_what_a_reader_of_the_dialect_finds() {
        for (dialect, body) in [
            (Dialect::OpenAiChat, r#"{"messages":[{"role":"user","content":"x"}]}"#),
            (Dialect::Anthropic, r#"{"max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#),
            (Dialect::OpenAiResponses, r#"{"input":"x"}"#),
            (Dialect::Gemini, r#"{"contents":[{"parts":[{"text":"x"}]}]}"#),
        ] {
            let read = dialect.read_request(added(dialect, body).as_bytes()).unwrap();
            assert!(format!("{:?}{:?}", read.instructions, read.messages).contains("B\\\"\\n\\nA"), "{body}");
        }
    }
}
