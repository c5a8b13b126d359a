//! Whole answers, in Cloudflare's envelope or without it (as the binding gives them).

use super::wire::{AnswerWire, first_error};
use crate::dialect::ir::{Arguments, ChatResponse, Choice, FinishReason, Part};
use crate::dialect::json_read::{Object, Path};
use crate::dialect::text::repaired;
use crate::dialect::{ProtocolError, ProviderDialect, UpstreamError, openai_chat};

pub(in crate::dialect) fn read(body: &[u8]) -> Result<ChatResponse, ProtocolError> {
    let path = Path::Root;
    let text = std::str::from_utf8(body).map_err(|_| ProtocolError::NotJson)?.trim_start_matches('\u{feff}');
    let Ok(mut envelope) = Object::read(text, &path) else {
        let json = crate::json::parse::<serde::de::IgnoredAny>(text).is_ok();
        return Err(if json {
            ProtocolError::WrongShape("the answer is not a JSON object")
        } else {
            ProtocolError::NotJson
        });
    };
    if let Some(error) = first_error(envelope.take("errors")) {
        return Err(ProtocolError::Upstream(UpstreamError::from_event(error.text())));
    }
    let inner = envelope.take("result").map_or(text, |raw| raw.get());
    let fixed = match crate::json::parse::<AnswerWire<'_>>(inner) {
        Ok(_) => None,
        Err(_) => repaired(inner),
    };
    let answer: AnswerWire<'_> = crate::json::parse(fixed.as_deref().unwrap_or(inner))
        .map_err(|_| ProtocolError::WrongShape("the answer has another shape"))?;
    if answer.choices.is_some() {
        return openai_chat::response::read(inner.as_bytes());
    }
    if let Some(error) = answer.error {
        return Err(ProtocolError::Upstream(UpstreamError::from_event(error.get())));
    }
    let mut content: Vec<Part> = answer.text().map(Part::text).into_iter().collect();
    let calls = answer.tool_calls.0.iter().filter_map(|call| call.0.as_ref());
    let mut finish = FinishReason::Stop;
    for (index, call) in calls.enumerate() {
        let Some((name, arguments)) = call.call() else { continue };
        let id = call.id.some().map_or_else(|| format!("call_{index}"), str::to_owned);
        content.push(Part::ToolCall { id, name, arguments: Arguments::from_text(&arguments), cache: None });
        finish = FinishReason::ToolCalls;
    }
    let usage = answer.usage();
    if content.is_empty() && usage.is_none() && !inner.contains("\"response\"") {
        return Err(ProtocolError::WrongShape("the answer has no response"));
    }
    Ok(ChatResponse {
        origin: ProviderDialect::WorkersAi,
        id: None,
        model: None,
        created: None,
        choices: vec![Choice { index: 0, content, finish: Some(finish), logprobs: None, extra: Vec::new() }],
        usage,
        service_tier: None,
        extra: Vec::new(),
    })
}
