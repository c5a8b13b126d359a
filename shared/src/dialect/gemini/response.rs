//! Whole answers in Gemini's dialect, read by the same reader as streams: an answer is a stream of one
//! event, or a JSON array of them where a provider streams without `alt=sse`.

use super::parts_write::{Towards, Writer};
use super::stream::Decode;
use super::{citation, error, finish_word, logprobs, usage};
use crate::dialect::ir::{ChatResponse, Choice, Event, FinishReason, Json, Part};
use crate::dialect::json_read::{Object, Path, read_list};
use crate::dialect::json_write::{Members, object};
use crate::dialect::turns::Placed;
use crate::dialect::{Dialect, Effect, Finish, Observed, ProtocolError, ProviderDialect, ResponseContext, Warnings};
use serde_json::value::RawValue;

/// What in an answer is told elsewhere, or is nothing anybody misses: marks of the provider's build,
/// and averages.
const TOLD_OF_CANDIDATE: [&str; 9] = [
    "content",
    "finishReason",
    "groundingMetadata",
    "citationMetadata",
    "logprobsResult",
    "avgLogprobs",
    "finishMessage",
    "safetyRatings",
    "tokenCount",
];
/// The same of the answer as a whole.
const TOLD: [&str; 6] = ["candidates", "usageMetadata", "modelVersion", "responseId", "createTime", "error"];

/// Checks that a body is an answer, and not an error in an answer's clothes.
fn open(body: &[u8]) -> Result<Vec<&RawValue>, ProtocolError> {
    let text = std::str::from_utf8(body).map_err(|_| ProtocolError::NotJson)?.trim_start_matches('\u{feff}').trim();
    let whole: &RawValue = crate::json::parse(text).map_err(|_| ProtocolError::NotJson)?;
    let path = Path::Root;
    let events = read_list(whole, &path).unwrap_or_default();
    for raw in &events {
        let Ok(mut event) = Object::read(raw.get(), &path) else {
            return Err(ProtocolError::WrongShape("the answer is not a JSON object"));
        };
        if let Some(raw) = event.take("error") {
            return Err(ProtocolError::Upstream(error::read_event(raw.get())));
        }
        if !["candidates", "promptFeedback", "usageMetadata"].into_iter().any(|name| event.has(name)) {
            let failed = ["errors", "detail", "message"].into_iter().any(|name| event.has(name));
            let wrong = ProtocolError::WrongShape("the answer has no candidates");
            return Err(if failed { ProtocolError::Upstream(error::read_event(raw.get())) } else { wrong });
        }
    }
    if events.is_empty() { Err(ProtocolError::WrongShape("the answer has no candidates")) } else { Ok(events) }
}

/// The events of an answer.
fn events(raw: &[&RawValue]) -> Result<Vec<Event>, ProtocolError> {
    let mut decode = Decode::default();
    let mut events = Vec::new();
    raw.iter().for_each(|raw| decode.event(raw.get(), &mut events));
    // One that was cut is told from one that does not say why it ended by having been a stream.
    if raw.len() > 1 {
        decode.end_of_body(&mut events)
    } else {
        decode.end(&mut events)
    }
    match events.iter().find_map(|event| if let Event::Error(error) = event { Some(error.clone()) } else { None }) {
        Some(error) => Err(ProtocolError::Upstream(error)),
        None => Ok(events),
    }
}

pub(in crate::dialect) fn read(body: &[u8]) -> Result<ChatResponse, ProtocolError> {
    let raw = open(body)?;
    let mut response = ChatResponse::from_events(Dialect::Gemini.into(), events(&raw)?);
    if response.choices.is_empty() {
        return Err(ProtocolError::WrongShape("the answer has no candidates"));
    }
    let path = Path::Root;
    for raw in raw {
        let Ok(mut event) = Object::read(raw.get(), &path).map(Object::camel_case) else { continue };
        for raw in event.items("candidates").unwrap_or_default() {
            if let Ok(candidate) = Object::read(raw.get(), &path).map(Object::camel_case) {
                add_extra(candidate, &mut response.choices);
            }
        }
        response.extra.extend(event.rest().into_iter().filter(|(name, _)| !TOLD.contains(&name.as_str())));
    }
    Ok(response)
}

/// What a candidate has beside its content.
fn add_extra(mut candidate: Object<'_, '_>, choices: &mut [Choice]) {
    let index = candidate.count("index").ok().flatten().unwrap_or(0);
    if let Some(choice) = choices.iter_mut().find(|choice| choice.index == index) {
        let rest = candidate.rest().into_iter();
        choice.extra.extend(rest.filter(|(name, _)| !TOLD_OF_CANDIDATE.contains(&name.as_str())));
    }
}

pub(in crate::dialect) fn observe(body: &[u8]) -> Result<Observed, ProtocolError> {
    let response = read(body)?;
    let bytes = |part: &Part| match part {
        Part::Text { text, .. } | Part::Refusal(text) | Part::Thinking { text, .. } => text.len(),
        Part::ToolCall { arguments, .. } => arguments.as_text().len(),
        Part::Media(_) | Part::RedactedThinking(_) | Part::ToolResult { .. } | Part::Opaque { .. } => 0,
    };
    let output_bytes = response.choices.iter().flat_map(|choice| &choice.content).map(|part| bytes(part) as u64).sum();
    Ok(Observed {
        usage: response.usage,
        finish: Finish::Complete,
        output_bytes,
        model: response.model,
        content_started: output_bytes > 0,
    })
}

pub(in crate::dialect) fn write(
    response: &ChatResponse,
    context: &ResponseContext<'_>,
    warnings: &mut Warnings,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(1_024);
    object(&mut out, |o| {
        o.array("candidates", |a| {
            for choice in &response.choices {
                a.object(|o| write_candidate(o, response.origin, choice, warnings));
            }
        });
        if let Some(used) = &response.usage {
            o.object("usageMetadata", |o| usage::write(o, used));
        }
        o.string("modelVersion", context.model.or(response.model.as_deref()).unwrap_or_default());
        o.string("responseId", response.id.as_deref().unwrap_or(context.id));
        write_extra(o, response.origin, &response.extra, warnings);
    });
    out
}

fn write_candidate(o: &mut Members<'_>, origin: ProviderDialect, choice: &Choice, warnings: &mut Warnings) {
    let parts: Vec<Placed<'_>> = choice
        .content
        .iter()
        .enumerate()
        .map(|(place, part)| Placed { path: format!("response.content[{place}]"), part })
        .collect();
    o.object("content", |o| {
        o.array("parts", |a| Writer::new(Towards::Caller, warnings).turn(a, &parts));
        o.string("role", "model");
    });
    o.string("finishReason", finish_word(choice.finish.as_ref()));
    if let Some(FinishReason::Other(word)) = &choice.finish
        && finish_word(choice.finish.as_ref()) != word
    {
        warnings.add(format_args!("response.finishReason({word})"), Effect::Converted);
    }
    o.number("index", choice.index);
    let mut said = 0;
    let mut cited = Vec::new();
    for part in &choice.content {
        let Part::Text { text, citations, .. } = part else { continue };
        let span = (said, said + text.len());
        said = span.1;
        cited.extend(citations.iter().map(|citation| (citation, span)));
    }
    if cited.iter().any(|(citation, _)| citation.url.is_none()) {
        warnings.dropped("response.citations");
    }
    citation::write_grounding(o, &cited);
    if let Some(json) = &choice.logprobs {
        logprobs::write(o, json);
    }
    write_extra(o, origin, &choice.extra, warnings);
}

fn write_extra(o: &mut Members<'_>, origin: ProviderDialect, extra: &[(String, Json)], warnings: &mut Warnings) {
    for (name, json) in extra {
        if origin == Dialect::Gemini {
            o.json(name, json);
        } else if name != "system_fingerprint" {
            // That one is a label of the provider's build, which nobody misses.
            warnings.dropped(format_args!("response.{name}"));
        }
    }
}
