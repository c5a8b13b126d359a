//! An item of an answer, read and written: what whole answers and the ends of streams share.

use super::{request, seal};
use crate::dialect::Dialect;
use crate::dialect::ir::{Arguments, Citation, Json, Part};
use crate::dialect::json_read::{Object, Path};
use crate::dialect::json_write::{Items, Members, object};
use crate::dialect::text::decode;
use serde_json::value::RawValue;

/// Reads an item into the parts it stands for; probabilities of its tokens go to `logprobs`.
pub(super) fn read(raw: &RawValue, index: usize, parts: &mut Vec<Part>, logprobs: &mut Vec<Json>) {
    let path = Path::Root;
    let Ok(mut item) = Object::read(raw.get(), &path) else { return };
    let kind = item.string("type").ok().flatten().unwrap_or_default();
    match kind.as_str() {
        "message" => {
            for raw in item.items("content").unwrap_or_default() {
                read_content(raw, parts, logprobs);
            }
        }
        "reasoning" => {
            let mut words = Vec::new();
            for raw in ["summary", "content"].into_iter().flat_map(|name| item.items(name).unwrap_or_default()) {
                words.extend(Object::read(raw.get(), &path).ok().and_then(|mut part| part.string("text").ok()?));
            }
            parts.append(&mut seal::thoughts(words, item.string("encrypted_content").ok().flatten()));
        }
        "function_call" | "custom_tool_call" => {
            let mut said = |name| item.string(name).ok().flatten().filter(|text: &String| !text.is_empty());
            let id = said("call_id").or_else(|| said("id")).unwrap_or_else(|| format!("call_{index}"));
            let name = said("name").unwrap_or_default();
            let arguments = if kind == "custom_tool_call" {
                request::lowered(&said("input").unwrap_or_default())
            } else {
                read_arguments(item.take("arguments"))
            };
            parts.push(Part::ToolCall { id, name, arguments, cache: None });
        }
        _ => parts.push(Part::Opaque { origin: Dialect::OpenAiResponses, kind, json: Json::from(raw) }),
    }
}

/// Arguments are a string of JSON; some servers send the object itself.
fn read_arguments(raw: Option<&RawValue>) -> Arguments {
    match raw.map(RawValue::get) {
        Some(text) if text.starts_with('"') => Arguments::from_text(&decode(text).unwrap_or_default()),
        Some(text) => Arguments::from_text(text),
        None => Arguments::from_text(""),
    }
}

fn read_content(raw: &RawValue, parts: &mut Vec<Part>, logprobs: &mut Vec<Json>) {
    let path = Path::Root;
    let Ok(mut part) = Object::read(raw.get(), &path) else { return };
    let kind = part.string("type").ok().flatten().unwrap_or_default();
    match kind.as_str() {
        "output_text" => {
            let text = part.string("text").ok().flatten().unwrap_or_default();
            let citations = part.items("annotations").unwrap_or_default();
            let citations: Vec<Citation> = citations.into_iter().filter_map(read_annotation).collect();
            logprobs.extend(part.items("logprobs").unwrap_or_default().into_iter().map(Json::from));
            if !text.is_empty() {
                parts.push(Part::Text { text, cache: None, citations });
            }
        }
        "refusal" => {
            let refusal = part.string("refusal").ok().flatten().filter(|text| !text.is_empty());
            parts.extend(refusal.map(Part::Refusal));
        }
        _ => parts.push(Part::Opaque { origin: Dialect::OpenAiResponses, kind, json: Json::from(raw) }),
    }
}

/// An `annotations` entry.
pub(super) fn read_annotation(raw: &RawValue) -> Option<Citation> {
    let path = Path::Root;
    let mut annotation = Object::read(raw.get(), &path).ok()?;
    let mut said = |name| annotation.string(name).ok().flatten();
    Some(Citation { origin: Dialect::OpenAiResponses, url: said("url"), title: said("title"), json: Json::from(raw) })
}

/// Writes an annotation for a citation that has a page; `false` when it has none. `span` is what it is
/// about where it does not say.
pub(super) fn write_annotation(out: &mut Vec<u8>, citation: &Citation, span: (u64, u64)) -> bool {
    if citation.origin == Dialect::OpenAiResponses {
        out.extend_from_slice(citation.json.text().as_bytes());
        return true;
    }
    let Some(url) = &citation.url else { return false };
    let (start, end) = citation.span().unwrap_or(span);
    object(out, |o| {
        o.string("type", "url_citation");
        o.number("start_index", start);
        o.number("end_index", end);
        o.string("title", citation.title.as_deref().unwrap_or_default());
        o.string("url", url);
    });
    true
}

/// What an item is of, for its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Message,
    Reasoning,
    Call,
}

/// The id of the item at this place of the answer: unique, and the same whenever it is written.
pub(super) fn id(kind: Kind, answer: &str, index: usize) -> String {
    let prefix = match kind {
        Kind::Message => "msg",
        Kind::Reasoning => "rs",
        Kind::Call => "fc",
    };
    // An id given back may have 64 characters.
    let answer: String =
        answer.trim_start_matches("resp_").chars().filter(char::is_ascii_alphanumeric).take(48).collect();
    format!("{prefix}_{answer}_{index}")
}

/// A text of a message.
pub(super) fn write_text(o: &mut Members<'_>, text: &str, annotations: &[Vec<u8>], logprobs: &[Json]) {
    o.string("type", "output_text");
    o.array("annotations", |a| annotations.iter().for_each(|json| a.value().extend_from_slice(json)));
    o.array("logprobs", |a| logprobs.iter().for_each(|json| a.json(json)));
    o.string("text", text);
}

/// The model's words when it declines.
pub(super) fn write_refusal(o: &mut Members<'_>, text: &str) {
    o.string("type", "refusal");
    o.string("refusal", text);
}

/// A message, with what `content` writes.
pub(super) fn write_message(o: &mut Members<'_>, id: &str, status: &str, content: impl FnOnce(&mut Items<'_>)) {
    o.string("id", id);
    o.string("type", "message");
    o.string("status", status);
    o.array("content", content);
    o.string("role", "assistant");
}

/// A piece of what was thought.
pub(super) fn write_summary(o: &mut Members<'_>, text: &str) {
    o.string("type", "summary_text");
    o.string("text", text);
}

/// Thoughts: their words piece by piece, and what seals them.
pub(super) fn write_reasoning<'t>(
    o: &mut Members<'_>,
    id: &str,
    words: impl Iterator<Item = &'t str>,
    sealed: Option<&str>,
) {
    o.string("id", id);
    o.string("type", "reasoning");
    o.array("summary", |a| words.for_each(|text| a.object(|o| write_summary(o, text))));
    o.maybe_string("encrypted_content", sealed);
}

/// A tool call.
pub(super) fn write_call(o: &mut Members<'_>, id: &str, status: &str, call: &str, name: &str, arguments: &str) {
    o.string("id", id);
    o.string("type", "function_call");
    o.string("status", status);
    o.string("arguments", arguments);
    o.string("call_id", call);
    o.string("name", name);
}
