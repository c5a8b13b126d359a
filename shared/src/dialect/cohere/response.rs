//! Whole answers of v2 chat.

use super::usage::UsageWire;
use super::{citation, error, read_finish};
use crate::dialect::ir::{Arguments, ChatResponse, Choice, Json, Part};
use crate::dialect::json_read::{Object, Path};
use crate::dialect::{ProtocolError, ProviderDialect, UpstreamError, text};
use serde_json::value::RawValue;

/// Checks that a body is an answer, and not an error in an answer's clothes.
fn open<'a, 'p>(body: &'a [u8], path: &'p Path<'p>) -> Result<Object<'a, 'p>, ProtocolError> {
    let text = std::str::from_utf8(body).map_err(|_| ProtocolError::NotJson)?.trim_start_matches('\u{feff}');
    let Ok(mut top) = Object::read(text, path) else {
        let json = crate::json::parse::<serde::de::IgnoredAny>(text).is_ok();
        return Err(if json {
            ProtocolError::WrongShape("the answer is not a JSON object")
        } else {
            ProtocolError::NotJson
        });
    };
    // An error's `message` is a sentence, an answer's an object.
    if top.peek("message").is_some_and(|raw| raw.get().starts_with('{')) {
        let finish = top.peek("finish_reason").and_then(|raw| crate::json::parse::<String>(raw.get()).ok());
        return match error::broken_off(finish.as_deref(), top.string("error").ok().flatten().as_deref()) {
            Some(error) => Err(ProtocolError::Upstream(error)),
            None => Ok(top),
        };
    }
    let failed = ["message", "error", "detail"].iter().any(|name| top.has(name));
    Err(if failed {
        ProtocolError::Upstream(UpstreamError::from_event(text))
    } else {
        ProtocolError::WrongShape("the answer has no message")
    })
}

pub(in crate::dialect) fn read(body: &[u8]) -> Result<ChatResponse, ProtocolError> {
    let path = Path::Root;
    let mut top = open(body, &path)?;
    let raw = top.take("message").ok_or(ProtocolError::WrongShape("the answer has no message"))?;
    let mut message =
        Object::read(raw.get(), &path).map_err(|_| ProtocolError::WrongShape("the answer has no message"))?;
    let (mut content, mut extra) = (Vec::new(), Vec::new());
    // What the model means to do with the tools: thoughts, told before it calls them.
    if let Some(plan) = message.string("tool_plan").ok().flatten().filter(|plan| !plan.is_empty()) {
        content.push(Part::Thinking { text: plan, signature: None });
    }
    let planned = content.len();
    for raw in message.items("content").unwrap_or_default() {
        read_piece(raw, &mut content, &mut extra);
    }
    for raw in message.items("citations").unwrap_or_default() {
        cite(raw, planned, &mut content);
    }
    content.retain(|part| !matches!(part, Part::Text { text, .. } if text.is_empty()));
    for (index, raw) in message.items("tool_calls").unwrap_or_default().into_iter().enumerate() {
        content.extend(read_call(raw, index));
    }
    message.take("role");
    extra.append(&mut message.rest());
    let finish = top.string("finish_reason").ok().flatten().map(|word| read_finish(&word));
    let usage = top.take("usage").and_then(|raw| text::read::<UsageWire>(raw.get())?.usage());
    Ok(ChatResponse {
        origin: ProviderDialect::Cohere,
        id: top.string("id").ok().flatten(),
        model: None,
        created: None,
        choices: vec![Choice { index: 0, content, finish, logprobs: None, extra }],
        usage,
        service_tier: None,
        extra: top.rest(),
    })
}

fn read_piece(raw: &RawValue, content: &mut Vec<Part>, extra: &mut Vec<(String, Json)>) {
    let path = Path::Root;
    let Ok(mut piece) = Object::read(raw.get(), &path) else { return };
    let kind = piece.string("type").ok().flatten().unwrap_or_default();
    // Empty pieces keep their place: citations count them.
    match kind.as_str() {
        "text" => content.push(Part::text(piece.string("text").ok().flatten().unwrap_or_default())),
        "thinking" => {
            let text = piece.string("thinking").ok().flatten().unwrap_or_default();
            content.push(Part::Thinking { text, signature: None });
        }
        _ => extra.push((format!("content.{kind}"), Json::from(raw))),
    }
}

/// Puts a citation to the text it counts from, or to the last.
fn cite(raw: &RawValue, planned: usize, content: &mut [Part]) {
    let Some((citation, place)) = citation::read(raw) else { return };
    let named = place.and_then(|place| usize::try_from(place).ok()).and_then(|place| place.checked_add(planned));
    let is_text = |part: &Part| matches!(part, Part::Text { .. });
    let last = content.iter().rposition(is_text);
    let place = named.filter(|place| content.get(*place).is_some_and(is_text)).or(last);
    if let Some(Part::Text { citations, .. }) = place.and_then(|place| content.get_mut(place)) {
        citations.push(citation);
    }
}

fn read_call(raw: &RawValue, index: usize) -> Option<Part> {
    let path = Path::Root;
    let mut call = Object::read(raw.get(), &path).ok()?;
    let mut function = Object::read(call.take("function")?.get(), &path).ok()?;
    let name = function.string("name").ok().flatten().unwrap_or_default();
    let id = call.string("id").ok().flatten().filter(|id| !id.is_empty()).unwrap_or_else(|| format!("call_{index}"));
    let arguments = match function.take("arguments") {
        Some(raw) if raw.get().starts_with('"') => Arguments::from_text(&text::decode(raw.get()).unwrap_or_default()),
        Some(raw) => Arguments::Json(Json::from(raw)),
        None => Arguments::from_text(""),
    };
    // No arguments are `null` in words here.
    let arguments = if arguments.as_text() == "null" { Arguments::from_text("") } else { arguments };
    Some(Part::ToolCall { id, name, arguments, cache: None })
}
