//! Whole answers in OpenAI's dialect.

use super::request::{read_answer_content, write_call};
use super::usage::{self, UsageWire};
use super::{finish_word, read_finish, reasoning};
use crate::dialect::ir::{Arguments, ChatResponse, Choice, Citation, FinishReason, Json, Part};
use crate::dialect::json_read::{Object, Path};
use crate::dialect::json_write::{Members, object};
use crate::dialect::lenient::{Many, One, ServiceTier, Text};
use crate::dialect::text::{self, Repaired, decode, repair};
use crate::dialect::wire::wire;
use crate::dialect::{
    Dialect, Effect, Finish, Observed, ProtocolError, ProviderDialect, ResponseContext, UpstreamError, Warnings,
};
use crate::usage::{Tier, Usage};
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
    if !top.has("choices") {
        let failed = top.take("error").map(|raw| UpstreamError::from_event(raw.get()));
        let failed = failed.or_else(|| {
            ["errors", "detail", "message"].iter().any(|name| top.has(name)).then(|| UpstreamError::from_event(text))
        });
        return Err(failed.map_or(ProtocolError::WrongShape("the answer has no choices"), ProtocolError::Upstream));
    }
    Ok(top)
}

pub(in crate::dialect) fn read(body: &[u8]) -> Result<ChatResponse, ProtocolError> {
    let path = Path::Root;
    let mut top = open(body, &path)?;
    let mut choices = Vec::new();
    let at = path.member("choices");
    let items = top.items("choices").map_err(|_| ProtocolError::WrongShape("choices is not an array"))?;
    for (index, raw) in items.into_iter().enumerate() {
        let at = at.item(index);
        if let Ok(choice) = Object::read(raw.get(), &at) {
            choices.push(read_choice(choice, index as u64));
        }
    }
    if choices.is_empty() {
        return Err(ProtocolError::WrongShape("the answer has no choices"));
    }
    let usage = top.take("usage").or_else(|| {
        let raw = top.take("x_groq")?;
        Object::read(raw.get(), &path).ok()?.take("usage")
    });
    for known in ["object", "error", "choices"] {
        top.take(known);
    }
    let service_tier = top.string("service_tier").ok().flatten();
    let tier = service_tier.as_deref().map(Tier::parse).unwrap_or_default();
    let usage = usage.and_then(|raw| text::read::<UsageWire>(raw.get())?.usage());
    Ok(ChatResponse {
        origin: Dialect::OpenAiChat.into(),
        id: top.string("id").ok().flatten(),
        model: top.string("model").ok().flatten(),
        created: top.count("created").ok().flatten(),
        choices,
        usage: usage.map(|usage| Usage { tier, ..usage }),
        service_tier,
        extra: top.rest(),
    })
}

/// What [`write_choice`] says within the message.
const MESSAGE: [&str; 7] =
    ["role", "content", "refusal", "reasoning_content", "reasoning_details", "annotations", "tool_calls"];

fn read_choice(mut choice: Object<'_, '_>, index: u64) -> Choice {
    let at = choice.path.member("message");
    let message = choice.take("message").and_then(|raw| Object::read(raw.get(), &at).ok());
    let mut content = Vec::new();
    let mut extra = Vec::new();
    if let Some(mut message) = message {
        read_message(&mut message, &mut content);
        message.take("role");
        extra = message.rest();
    }
    let reason = choice.string("finish_reason").ok().flatten();
    let finish = reason.as_deref().map(read_finish);
    let index = choice.count("index").ok().flatten().unwrap_or(index);
    // OpenRouter has been seen to send a number here.
    let logprobs = choice.json("logprobs").filter(Json::is_object);
    // There is one place for both, and it is the message: what would be said twice there is left out.
    let within = |name: &str| MESSAGE.contains(&name) || extra.iter().any(|(known, _)| known == name);
    let beside: Vec<(String, Json)> = choice.rest().into_iter().filter(|(name, _)| !within(name)).collect();
    extra.extend(beside);
    Choice { index, content, finish, logprobs, extra }
}

fn read_message(message: &mut Object<'_, '_>, content: &mut Vec<Part>) {
    let mut ignored = Vec::new();
    let path = *message.path;
    let at = path.member("content");
    content.append(&mut reasoning::take(message, &mut ignored).unwrap_or_default());
    let said = message.take("content");
    content.append(&mut read_answer_content(said, &at, &mut ignored).unwrap_or_default());
    content.retain(|part| !matches!(part, Part::Text { text, .. } if text.is_empty()));
    for raw in message.items("annotations").unwrap_or_default() {
        let citation = read_annotation(raw);
        let place = content
            .iter_mut()
            .rev()
            .find_map(|part| if let Part::Text { citations, .. } = part { Some(citations) } else { None });
        if let (Some(citation), Some(place)) = (citation, place) {
            place.push(citation);
        }
    }
    if let Some(refusal) = message.string("refusal").ok().flatten().filter(|refusal| !refusal.is_empty()) {
        content.push(Part::Refusal(refusal));
    }
    let at = path.member("tool_calls");
    for (index, raw) in message.items("tool_calls").unwrap_or_default().into_iter().enumerate() {
        if let Ok(mut call) = Object::read(raw.get(), &at) {
            reasoning::take_signature(&mut call, content);
            content.push(read_call(raw, call, index));
        }
    }
    if let Some(function) = message.take("function_call").and_then(|raw| Object::read(raw.get(), &at).ok()) {
        content.push(read_function(function, "call_0".to_owned()));
    }
}

fn read_call(raw: &RawValue, mut call: Object<'_, '_>, index: usize) -> Part {
    let kind = call.string("type").ok().flatten().unwrap_or_else(|| "function".to_owned());
    let id = call.string("id").ok().flatten().filter(|id| !id.is_empty()).unwrap_or_else(|| format!("call_{index}"));
    let at = call.path.member("function");
    match call.take("function").and_then(|raw| Object::read(raw.get(), &at).ok()) {
        Some(function) => read_function(function, id),
        None => Part::Opaque { origin: Dialect::OpenAiChat, kind, json: Json::from(raw) },
    }
}

fn read_function(mut function: Object<'_, '_>, id: String) -> Part {
    let name = function.string("name").ok().flatten().unwrap_or_default();
    let arguments = match function.take("arguments") {
        Some(raw) if raw.get().starts_with('"') => Arguments::from_text(&decode(raw.get()).unwrap_or_default()),
        Some(raw) => Arguments::Json(Json::from(raw)),
        None => Arguments::from_text(""),
    };
    Part::ToolCall { id, name, arguments, cache: None }
}

/// An `annotations` entry.
pub(super) fn read_annotation(raw: &RawValue) -> Option<Citation> {
    let path = Path::Root;
    let mut annotation = Object::read(raw.get(), &path).ok()?;
    let mut inner = annotation.take("url_citation").and_then(|raw| Object::read(raw.get(), &path).ok());
    let mut said = |name| inner.as_mut().and_then(|inner| inner.string(name).ok().flatten());
    Some(Citation { origin: Dialect::OpenAiChat.into(), url: said("url"), title: said("title"), json: Json::from(raw) })
}

/// Writes an annotation for a citation that has a page; `false` when it has none.
pub(super) fn write_annotation(out: &mut Vec<u8>, citation: &Citation, span: Option<(u64, u64)>) -> bool {
    if citation.origin == Dialect::OpenAiChat {
        out.extend_from_slice(citation.json.text().as_bytes());
        return true;
    }
    let Some(url) = &citation.url else { return false };
    let span = citation.span().or(span);
    object(out, |o| {
        o.string("type", "url_citation");
        o.object("url_citation", |o| {
            o.string("url", url);
            o.string("title", citation.title.as_deref().unwrap_or_default());
            if let Some((start, end)) = span {
                o.number("start_index", start);
                o.number("end_index", end);
            }
        });
    });
    true
}

pub(in crate::dialect) fn write(
    response: &ChatResponse,
    context: &ResponseContext<'_>,
    warnings: &mut Warnings,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(1_024);
    object(&mut out, |o| {
        o.string("id", response.id.as_deref().unwrap_or(context.id));
        o.string("object", "chat.completion");
        o.number("created", response.created.unwrap_or(context.created));
        o.string("model", context.model.or(response.model.as_deref()).unwrap_or_default());
        o.array("choices", |a| {
            for choice in &response.choices {
                a.object(|o| write_choice(o, response.origin, choice, warnings));
            }
        });
        if let Some(usage) = &response.usage {
            o.object("usage", |o| usage::write(o, usage));
        }
        o.maybe_string("service_tier", response.service_tier.as_deref());
        for (name, json) in &response.extra {
            if response.origin == Dialect::OpenAiChat {
                o.json(name, json);
            } else {
                warnings.dropped(format_args!("response.{name}"));
            }
        }
    });
    out
}

fn write_choice(o: &mut Members<'_>, origin: ProviderDialect, choice: &Choice, warnings: &mut Warnings) {
    o.number("index", choice.index);
    o.object("message", |o| {
        o.string("role", "assistant");
        let mut text = String::new();
        let mut annotations = Vec::new();
        let mut said = false;
        for (place, part) in choice.content.iter().enumerate() {
            let path = format!("response.content[{place}]");
            match part {
                Part::Text { text: piece, citations, .. } => {
                    said = true;
                    let start = text.chars().count() as u64;
                    text.push_str(piece);
                    for citation in citations {
                        let mut annotation = Vec::new();
                        if write_annotation(&mut annotation, citation, Some((start, text.chars().count() as u64))) {
                            annotations.push(annotation);
                        } else {
                            warnings.dropped(format_args!("{path}.citations"));
                        }
                    }
                }
                Part::Media(_) | Part::ToolResult { .. } => warnings.dropped(path),
                Part::Opaque { origin, .. } if *origin != Dialect::OpenAiChat => warnings.dropped(path),
                Part::Refusal(_)
                | Part::Thinking { .. }
                | Part::RedactedThinking(_)
                | Part::ToolCall { .. }
                | Part::Opaque { .. } => {}
            }
        }
        if said {
            o.string("content", &text)
        } else {
            o.null("content")
        }
        let refusal =
            choice.content.iter().find_map(|part| if let Part::Refusal(text) = part { Some(text) } else { None });
        match refusal {
            Some(refusal) => o.string("refusal", refusal),
            None => o.null("refusal"),
        }
        reasoning::write_text(o, &choice.content);
        if reasoning::needs_details(&choice.content) {
            reasoning::write_details(o, &choice.content);
        }
        if !annotations.is_empty() {
            o.array("annotations", |a| annotations.iter().for_each(|json| a.value().extend_from_slice(json)));
        }
        let call =
            |part: &&Part| matches!(part, Part::ToolCall { .. } | Part::Opaque { origin: Dialect::OpenAiChat, .. });
        if choice.content.iter().any(|part| call(&part)) {
            o.array("tool_calls", |a| {
                let mut signature = None;
                for part in &choice.content {
                    if let Part::RedactedThinking(seal) = part {
                        signature = Some(seal);
                    } else if call(&part) {
                        write_call(a, part, signature.take());
                    }
                }
            });
        }
        for (name, json) in &choice.extra {
            if origin == Dialect::OpenAiChat {
                o.json(name, json);
            } else {
                warnings.dropped(format_args!("response.{name}"));
            }
        }
    });
    match &choice.logprobs {
        Some(json) => o.json("logprobs", json),
        None => o.null("logprobs"),
    }
    match &choice.finish {
        Some(FinishReason::Other(word)) => {
            o.string("finish_reason", "stop");
            warnings.add(format_args!("response.finish_reason({word})"), Effect::Converted);
        }
        Some(reason) => o.string("finish_reason", finish_word(reason)),
        None => o.string("finish_reason", inferred_finish(&choice.content)),
    }
}

/// Why an answer ended that does not say.
fn inferred_finish(content: &[Part]) -> &'static str {
    if content.iter().any(|part| matches!(part, Part::ToolCall { .. })) { "tool_calls" } else { "stop" }
}

wire! {
    /// The members settlement looks at.
    struct Whole<'a> {
        model: Text<'a>,
        service_tier: ServiceTier,
        usage: One<UsageWire>,
        x_groq: One<Groq>,
        choices: Many<One<WholeChoice<'a>>>,
    }
}

wire! {
    struct Groq {
        usage: One<UsageWire>,
    }
}

wire! {
    struct WholeChoice<'a> {
        /// Legacy completions.
        text: Text<'a>,
        message: One<super::stream::DeltaWire<'a>>,
    }
}

pub(in crate::dialect) fn observe(body: &[u8]) -> Result<Observed, ProtocolError> {
    let path = Path::Root;
    open(body, &path)?;
    let text = std::str::from_utf8(body).unwrap_or_default().trim_start_matches('\u{feff}');
    let fixed;
    let whole: Whole<'_> = match crate::json::parse(text) {
        Ok(whole) => whole,
        Err(_) => {
            let strange = ProtocolError::WrongShape("the answer has another shape");
            let Repaired::Object(object) = repair(text) else { return Err(strange) };
            fixed = object;
            crate::json::parse(&fixed).map_err(|_| strange)?
        }
    };
    let Many(choices) = whole.choices;
    if choices.is_empty() {
        return Err(ProtocolError::WrongShape("the answer has no choices"));
    }
    let output_bytes = choices
        .iter()
        .filter_map(|choice| choice.0.as_ref())
        .map(|choice| {
            let text = || choice.text.some().map_or(0, str::len) as u64;
            choice.message.0.as_ref().map_or_else(text, |message| message.output_bytes(false))
        })
        .sum();
    let usage = whole.usage.0.or_else(|| whole.x_groq.0?.usage.0).and_then(|usage| usage.usage());
    Ok(Observed {
        usage: usage.map(|usage| Usage { tier: whole.service_tier.0, ..usage }),
        finish: Finish::Complete,
        output_bytes,
        model: whole.model.into_some().map(|model| model.into_owned()),
        content_started: output_bytes > 0,
    })
}
