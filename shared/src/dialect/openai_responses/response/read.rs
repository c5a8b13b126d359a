//! A provider's whole answer: read into the common form, or only looked at.

use super::super::usage::UsageWire;
use super::super::{item, read_incomplete};
use crate::dialect::ir::{ChatResponse, Choice, FinishReason, Json, Part};
use crate::dialect::json_read::{Object, Path};
use crate::dialect::json_write;
use crate::dialect::lenient::{Many, One, ServiceTier, Text};
use crate::dialect::text::stand_in_for_surrogates;
use crate::dialect::wire::wire;
use crate::dialect::{Dialect, Finish, Observed, ProtocolError, UpstreamError};
use crate::usage::{Tier, Usage};

/// Members that repeat the request or label the answer: nothing a caller of another dialect misses.
const LABELS: [&str; 29] = [
    "object",
    "output",
    "output_text",
    "status",
    "error",
    "incomplete_details",
    "background",
    "billing",
    "completed_at",
    "conversation",
    "frequency_penalty",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "parallel_tool_calls",
    "presence_penalty",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "store",
    "text",
    "tool_choice",
    "tools",
    "truncation",
    "user",
];
/// And these, which sampling repeats.
const SAMPLING: [&str; 3] = ["temperature", "top_p", "top_logprobs"];

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
    let status = top.string("status").ok().flatten();
    if let Some(error) = failure(status.as_deref(), top.take("error").map(|raw| raw.get())) {
        return Err(ProtocolError::Upstream(error));
    }
    if !top.has("output") {
        let failed = ["errors", "detail", "message"].iter().any(|name| top.has(name));
        let failed = failed.then(|| ProtocolError::Upstream(UpstreamError::from_event(text)));
        return Err(failed.unwrap_or(ProtocolError::WrongShape("the answer has no output")));
    }
    Ok(top)
}

/// The failure an answer of this status and error is, if it is one.
pub(in crate::dialect::openai_responses) fn failure(
    status: Option<&str>,
    error: Option<&str>,
) -> Option<UpstreamError> {
    match (status, error) {
        (_, Some(error)) => Some(UpstreamError::from_event(error)),
        (Some("failed"), None) => Some(UpstreamError::from_event("null")),
        (Some("cancelled"), None) => Some(UpstreamError::protocol("the answer was cancelled")),
        (Some(_) | None, None) => None,
    }
}

pub(in crate::dialect) fn read(body: &[u8]) -> Result<ChatResponse, ProtocolError> {
    let path = Path::Root;
    open(body, &path)?;
    let text = std::str::from_utf8(body).unwrap_or_default().trim_start_matches('\u{feff}');
    let mut top = Object::read(text, &path).map_err(|_| ProtocolError::NotJson)?;
    let items = top.items("output").map_err(|_| ProtocolError::WrongShape("output is not an array"))?;
    let (mut content, mut logprobs) = (Vec::new(), Vec::new());
    for (index, raw) in items.into_iter().enumerate() {
        item::read(raw, index, &mut content, &mut logprobs);
    }
    let status = top.string("status").ok().flatten();
    let details = top.take("incomplete_details").and_then(|raw| Object::read(raw.get(), &path).ok());
    let reason = details.and_then(|mut details| details.string("reason").ok().flatten());
    let calls = content.iter().any(|part| matches!(part, Part::ToolCall { .. }));
    let finish = match status.as_deref() {
        Some("incomplete") => Some(read_incomplete(reason.as_deref())),
        Some("in_progress" | "queued") => None,
        Some(_) | None if calls => Some(FinishReason::ToolCalls),
        Some(_) | None => Some(FinishReason::Stop),
    };
    let usage = top.take("usage").and_then(|raw| crate::json::parse::<UsageWire>(raw.get()).ok()?.usage());
    let service_tier = top.string("service_tier").ok().flatten();
    let tier = service_tier.as_deref().map(Tier::parse).unwrap_or_default();
    for known in LABELS.into_iter().chain(SAMPLING) {
        top.take(known);
    }
    Ok(ChatResponse {
        origin: Dialect::OpenAiResponses.into(),
        id: top.string("id").ok().flatten(),
        model: top.string("model").ok().flatten(),
        created: top.count("created_at").ok().flatten(),
        choices: vec![Choice { index: 0, content, finish, logprobs: chat_logprobs(logprobs), extra: Vec::new() }],
        usage: usage.map(|usage| Usage { tier, ..usage }),
        service_tier,
        extra: top.rest(),
    })
}

/// Probabilities in the form of the common answer.
fn chat_logprobs(logprobs: Vec<Json>) -> Option<Json> {
    if logprobs.is_empty() {
        return None;
    }
    let mut out = Vec::new();
    json_write::object(&mut out, |o| o.array("content", |a| logprobs.iter().for_each(|json| a.json(json))));
    Json::parse(&String::from_utf8_lossy(&out))
}

wire! {
    /// The members settlement looks at.
    struct Whole<'a> {
        model: Text<'a>,
        service_tier: ServiceTier,
        usage: One<UsageWire>,
        output: Many<One<OutputWire<'a>>>,
    }
}

wire! {
    /// An item of the output, as far as it holds words.
    struct OutputWire<'a> {
        content: Many<One<WordsWire<'a>>>,
        summary: Many<One<WordsWire<'a>>>,
        arguments: Text<'a>,
        input: Text<'a>,
    }
}

wire! {
    struct WordsWire<'a> {
        text: Text<'a>,
        refusal: Text<'a>,
    }
}

impl OutputWire<'_> {
    /// Bytes of text, thoughts and arguments, for an estimate where usage is not told.
    fn output_bytes(&self) -> u64 {
        let long = |text: &Text<'_>| text.some().map_or(0, str::len);
        let words = self.content.0.iter().chain(&self.summary.0).filter_map(|part| part.0.as_ref());
        let words: usize = words.map(|part| long(&part.text) + long(&part.refusal)).sum();
        (words + long(&self.arguments) + long(&self.input)) as u64
    }
}

pub(in crate::dialect) fn observe(body: &[u8]) -> Result<Observed, ProtocolError> {
    let path = Path::Root;
    let mut top = open(body, &path)?;
    top.items("output").map_err(|_| ProtocolError::WrongShape("output is not an array"))?;
    let text = std::str::from_utf8(body).unwrap_or_default().trim_start_matches('\u{feff}');
    let fixed = stand_in_for_surrogates(text);
    let whole: Whole<'_> = crate::json::parse(fixed.as_deref().unwrap_or(text))
        .map_err(|_| ProtocolError::WrongShape("the answer has another shape"))?;
    let output_bytes = whole.output.0.iter().filter_map(|item| Some(item.0.as_ref()?.output_bytes())).sum();
    let usage = whole.usage.0.and_then(|usage| usage.usage());
    Ok(Observed {
        usage: usage.map(|usage| Usage { tier: whole.service_tier.0, ..usage }),
        finish: Finish::Complete,
        output_bytes,
        model: whole.model.into_some().map(|model| model.into_owned()),
        content_started: output_bytes > 0,
    })
}
