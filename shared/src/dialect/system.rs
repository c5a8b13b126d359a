//! System text of ours in a caller's body: behind the caller's own, and nothing else touched.
//!
//! Behind it, because a provider's prompt cache goes by how a prompt begins: what a caller says every time stays where
//! it is.

use super::Dialect;
use super::json_read::{Object, Path};
use crate::json::strings::{Shape, each};
use crate::json::{self, Document, Edits, Limits, splice};
use serde_json::Value;
use std::ops::Range;

/// What keeps two texts apart.
const GAP: &str = "\\n\\n";

impl Dialect {
    /// The body with a system text behind the caller's own; `None` for one that no dialect would read.
    pub fn with_system(self, body: &[u8], text: &str) -> Option<Vec<u8>> {
        let document = json::scan(body, &Limits::default()).ok()?;
        let quoted = Value::from(text).to_string();
        match self {
            Dialect::OpenAiChat => in_messages(&document, &quoted),
            Dialect::OpenAiResponses => in_member(&document, "instructions", &quoted, &quoted),
            Dialect::Anthropic => {
                in_member(&document, "system", &quoted, &["{\"type\":\"text\",\"text\":", &quoted, "}"].concat())
            }
            Dialect::Gemini => in_instruction(&document, &quoted),
        }
    }
}

/// In a member that is a text, or a list of parts; else as its only value.
fn in_member(document: &Document<'_>, name: &str, quoted: &str, part: &str) -> Option<Vec<u8>> {
    let own = document.get(name).unwrap_or("null");
    let value = match own.bytes().next() {
        Some(b'"') => behind_text(own, quoted)?,
        Some(b'[') => behind_items(own, part)?,
        _ => quoted.to_owned(),
    };
    let mut edits = Edits::new(document);
    edits.set(name, &value);
    Some(edits.apply())
}

/// A text with another behind it, both quoted.
fn behind_text(own: &str, quoted: &str) -> Option<String> {
    let (head, more) = (own.strip_suffix('"')?, quoted.strip_prefix('"')?);
    Some([head, if head.len() > 1 { GAP } else { "" }, more].concat())
}

/// A list with an item behind the others.
fn behind_items(own: &str, item: &str) -> Option<String> {
    let head = own.strip_suffix(']')?;
    let is_empty = head.trim_start_matches('[').trim().is_empty();
    Some([head, if is_empty { "" } else { "," }, item, "]"].concat())
}

/// As a message behind the system messages that a conversation begins with.
fn in_messages(document: &Document<'_>, quoted: &str) -> Option<Vec<u8>> {
    let whole = document.member("messages")?.value.clone();
    let messages = document.body().get(whole.clone()).filter(|text| text.starts_with('['))?;
    let mut items: Vec<Range<usize>> = Vec::new();
    each(messages, &mut |path, shape, range| {
        if path.is_empty() && shape == Shape::Container && range.len() < messages.len() {
            items.push(range);
        }
    });
    // An item's own lists have a name in their path; lists within the list have none, and are no messages.
    let mut role = None;
    let mut behind = None;
    for range in &items {
        match leading(messages.get(range.clone())?) {
            Some(is) => (role, behind) = (Some(is), Some(range.end)),
            None => break,
        }
    }
    let message = ["{\"role\":\"", role.unwrap_or("system"), "\",\"content\":", quoted, "}"].concat();
    let (at, inserted) = match behind {
        Some(at) => (at, [",", &message].concat()),
        None if items.is_empty() => (1, message),
        None => (1, [&message, ","].concat()),
    };
    let at = whole.start + at;
    Some(splice(document.body().as_bytes(), &[(at..at, inserted.as_bytes())]))
}

/// The role of a message that instructs the model.
fn leading(message: &str) -> Option<&'static str> {
    let message = Object::read(message, &Path::Root).ok()?;
    let role = message.peek("role")?.get();
    ["system", "developer"].into_iter().find(|known| role.trim_matches('"') == *known)
}

/// As a part of Gemini's instruction.
fn in_instruction(document: &Document<'_>, quoted: &str) -> Option<Vec<u8>> {
    let part = ["{\"text\":", quoted, "}"].concat();
    let name = ["systemInstruction", "system_instruction"].into_iter().find(|name| document.get(name).is_some());
    let own = name.and_then(|name| document.get(name)).filter(|own| own.starts_with('{')).unwrap_or("{}");
    let own = json::scan(own.as_bytes(), &Limits::default()).ok()?;
    let parts = own.get("parts").unwrap_or("null");
    let parts = match parts.bytes().next() {
        Some(b'[') => behind_items(parts, &part)?,
        // One part alone may stand without a list.
        Some(b'{') => ["[", parts, ",", &part, "]"].concat(),
        _ => ["[", &part, "]"].concat(),
    };
    let mut edits = Edits::new(&own);
    edits.set("parts", &parts);
    let value = String::from_utf8(edits.apply()).ok()?;
    let mut edits = Edits::new(document);
    edits.set(name.unwrap_or("systemInstruction"), &value);
    Some(edits.apply())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stands_behind_the_callers_own_in_every_dialect_and_nothing_else_is_touched() {
        use Dialect::{Anthropic, Gemini, OpenAiChat, OpenAiResponses};
        for (dialect, body, expected) in [
            (
                OpenAiChat,
                r#"{ "x":1.0,"messages":[ {"role":"user","content":[{"a":[]}]} ]}"#,
                r#"{ "x":1.0,"messages":[{"role":"system","content":"A\nB"}, {"role":"user","content":[{"a":[]}]} ]}"#,
            ),
            (
                OpenAiChat,
                r#"{"messages":[{"role":"developer","content":"d"} ,{"role":"user","content":"u"},{"role":"system","content":"s"}]}"#,
                r#"{"messages":[{"role":"developer","content":"d"},{"role":"developer","content":"A\nB"} ,{"role":"user","content":"u"},{"role":"system","content":"s"}]}"#,
            ),
            (OpenAiChat, r#"{"messages":[]}"#, r#"{"messages":[{"role":"system","content":"A\nB"}]}"#),
            (OpenAiResponses, r#"{"input":"u"}"#, r#"{"input":"u","instructions":"A\nB"}"#),
            (
                OpenAiResponses,
                r#"{"instructions": "own \" text","input":[]}"#,
                r#"{"instructions": "own \" text\n\nA\nB","input":[]}"#,
            ),
            (OpenAiResponses, r#"{"instructions":null}"#, r#"{"instructions":"A\nB"}"#),
            (Anthropic, r#"{"system":"","messages":[]}"#, r#"{"system":"A\nB","messages":[]}"#),
            (
                Anthropic,
                r#"{"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}} ]}"#,
                r#"{"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}} ,{"type":"text","text":"A\nB"}]}"#,
            ),
            (Anthropic, r#"{"system":[ ]}"#, r#"{"system":[ {"type":"text","text":"A\nB"}]}"#),
            (Gemini, r#"{"contents":[]}"#, r#"{"contents":[],"systemInstruction":{"parts":[{"text":"A\nB"}]}}"#),
            (
                Gemini,
                r#"{"system_instruction":{"role":"system","parts":{"text":"s"}}}"#,
                r#"{"system_instruction":{"role":"system","parts":[{"text":"s"},{"text":"A\nB"}]}}"#,
            ),
        ] {
            let written = dialect.with_system(body.as_bytes(), "A\nB").unwrap();
            assert_eq!(String::from_utf8(written).unwrap(), expected, "{body}");
        }
        assert_eq!(OpenAiChat.with_system(br#"{"messages":"no list"}"#, "A"), None);
    }
}
