//! Whole answers of Converse.

use super::usage::{TierWire, UsageWire};
use super::{ModelFields, citation, read_stop};
use crate::dialect::ir::{Arguments, ChatResponse, Choice, Json, Part, Seal};
use crate::dialect::json_read::{Object, Path};
use crate::dialect::{ProtocolError, ProviderDialect, UpstreamError, text};

/// Checks that a body is an answer, and not an error in an answer's clothes.
fn open<'a, 'p>(body: &'a [u8], path: &'p Path<'p>) -> Result<Object<'a, 'p>, ProtocolError> {
    let text = std::str::from_utf8(body).map_err(|_| ProtocolError::NotJson)?.trim_start_matches('\u{feff}');
    let Ok(top) = Object::read(text, path) else {
        let json = crate::json::parse::<serde::de::IgnoredAny>(text).is_ok();
        return Err(if json {
            ProtocolError::WrongShape("the answer is not a JSON object")
        } else {
            ProtocolError::NotJson
        });
    };
    if top.has("output") {
        return Ok(top);
    }
    let failed = ["message", "Message", "error"].iter().any(|name| top.has(name));
    Err(if failed {
        ProtocolError::Upstream(UpstreamError::from_event(text))
    } else {
        ProtocolError::WrongShape("the answer has no output")
    })
}

pub(in crate::dialect) fn read(body: &[u8]) -> Result<ChatResponse, ProtocolError> {
    let path = Path::Root;
    let mut top = open(body, &path)?;
    let wrong = |_| ProtocolError::WrongShape("the answer has no message");
    let raw = top.take("output").ok_or(ProtocolError::WrongShape("the answer has no output"))?;
    let mut output = Object::read(raw.get(), &path).map_err(wrong)?;
    let raw = output.take("message").ok_or(ProtocolError::WrongShape("the answer has no message"))?;
    let mut message = Object::read(raw.get(), &path).map_err(wrong)?;
    let blocks = message.items("content").map_err(|_| ProtocolError::WrongShape("content is not an array"))?;

    let (mut content, mut extra) = (Vec::new(), Vec::new());
    for raw in blocks {
        if let Ok(block) = Object::read(raw.get(), &path) {
            read_block(block, &mut content, &mut extra);
        }
    }
    let fields = top.take("additionalModelResponseFields");
    let sequence = fields.and_then(|raw| crate::json::parse::<ModelFields<'_>>(raw.get()).ok());
    let sequence = sequence.and_then(|fields| fields.stop_sequence.into_some()).map(|text| text.into_owned());
    let finish = top.string("stopReason").ok().flatten().map(|word| read_stop(&word, sequence));
    let tier = top.peek("serviceTier").and_then(|raw| text::read::<TierWire>(raw.get()));
    let usage = top.take("usage").and_then(|raw| {
        let fixed = text::stand_in_for_numbers(raw.get());
        crate::json::parse::<UsageWire<'_>>(&fixed).ok()?.usage(tier)
    });
    let service_tier =
        top.take("serviceTier").and_then(|raw| Object::read(raw.get(), &path).ok()?.string("type").ok()?);
    // How long it took: nobody misses it.
    top.take("metrics");
    Ok(ChatResponse {
        origin: ProviderDialect::Bedrock,
        id: None,
        model: None,
        created: None,
        choices: vec![Choice { index: 0, content, finish, logprobs: None, extra }],
        usage,
        service_tier,
        extra: top.rest(),
    })
}

/// A block has one member, named after what it is. What the provider's own tools did has no place in
/// another dialect: it goes to `extra`, and so to the warnings.
fn read_block(mut block: Object<'_, '_>, content: &mut Vec<Part>, extra: &mut Vec<(String, Json)>) {
    let path = Path::Root;
    if let Ok(Some(text)) = block.string("text") {
        if !text.is_empty() {
            content.push(Part::text(text));
        }
    } else if let Some(raw) = block.take("reasoningContent") {
        content.extend(read_reasoning(raw.get()));
    } else if let Some(raw) = block.take("citationsContent") {
        content.push(read_cited(raw.get()));
    } else if let Some(raw) = block.take("toolUse") {
        let Ok(mut call) = Object::read(raw.get(), &path) else { return };
        if call.string("type").ok().flatten().as_deref() == Some("server_tool_use") {
            extra.push(("content.server_tool_use".to_owned(), Json::from(raw)));
            return;
        }
        let said = |text: Result<Option<String>, _>| text.ok().flatten().unwrap_or_default();
        let id = said(call.string("toolUseId"));
        let name = said(call.string("name"));
        let arguments = call.json("input").map_or_else(|| Arguments::from_text(""), Arguments::Json);
        let id = if id.is_empty() { format!("tooluse_{}", content.len()) } else { id };
        content.push(Part::ToolCall { id, name, arguments, cache: None });
    } else {
        let rest = block.rest().into_iter();
        extra.extend(rest.map(|(name, json)| (format!("content.{name}"), json)));
    }
}

fn read_reasoning(json: &str) -> Option<Part> {
    let path = Path::Root;
    let mut reasoning = Object::read(json, &path).ok()?;
    if let Ok(Some(data)) = reasoning.string("redactedContent") {
        return Some(Part::RedactedThinking(Seal::anthropic(data)));
    }
    let mut thought = Object::read(reasoning.take("reasoningText")?.get(), &path).ok()?;
    let text = thought.string("text").ok().flatten().unwrap_or_default();
    // Of the models on Bedrock, Claude signs its thoughts.
    let signature = thought.string("signature").ok().flatten().filter(|text| !text.is_empty()).map(Seal::anthropic);
    Some(Part::Thinking { text, signature })
}

/// Text with where it is from: several pieces, each as long as its sources are the same.
fn read_cited(json: &str) -> Part {
    let path = Path::Root;
    let Ok(mut cited) = Object::read(json, &path) else { return Part::text("") };
    let mut text = String::new();
    for raw in cited.items("content").unwrap_or_default() {
        let piece = Object::read(raw.get(), &path).ok().and_then(|mut piece| piece.string("text").ok()?);
        text.push_str(&piece.unwrap_or_default());
    }
    let citations = cited.items("citations").unwrap_or_default().into_iter().filter_map(citation::read).collect();
    Part::Text { text, cache: None, citations }
}
