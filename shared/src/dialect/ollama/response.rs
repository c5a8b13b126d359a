//! Whole answers of `/api/chat`.

use super::wire::AnswerWire;
use super::{error, read_done, usage};
use crate::dialect::ir::{Arguments, ChatResponse, Choice, Part};
use crate::dialect::text::{Joiner, repaired};
use crate::dialect::{ProtocolError, ProviderDialect};
use crate::time::parse_rfc3339;
use std::borrow::Cow;

pub(in crate::dialect) fn read(body: &[u8]) -> Result<ChatResponse, ProtocolError> {
    let text = std::str::from_utf8(body).map_err(|_| ProtocolError::NotJson)?.trim_start_matches('\u{feff}');
    let fixed = match crate::json::parse::<AnswerWire<'_>>(text) {
        Ok(_) => None,
        Err(_) => repaired(text),
    };
    let Ok(answer) = crate::json::parse::<AnswerWire<'_>>(fixed.as_deref().unwrap_or(text)) else {
        let json = crate::json::parse::<serde::de::IgnoredAny>(text).is_ok();
        return Err(if json {
            ProtocolError::WrongShape("the answer has another shape")
        } else {
            ProtocolError::NotJson
        });
    };
    if let Some(sentence) = answer.failure() {
        return Err(ProtocolError::Upstream(error::told(&sentence)));
    }
    let logprobs = answer.logprobs();
    let message = answer.message.0.ok_or(ProtocolError::WrongShape("the answer has no message"))?;
    let mut content = Vec::new();
    if let Some(text) = message.thinking.into_some() {
        content.push(Part::Thinking { text: joined(text, fixed.is_some()), signature: None });
    }
    if let Some(text) = message.content.into_some() {
        content.push(Part::text(joined(text, fixed.is_some())));
    }
    let mut calls = 0;
    for call in message.tool_calls.0.into_iter().filter_map(|call| call.0) {
        let function = call.function.0.unwrap_or_default();
        content.push(Part::ToolCall {
            id: call.id.some().map_or_else(|| format!("call_{calls}"), str::to_owned),
            name: function.name.some().unwrap_or_default().to_owned(),
            arguments: Arguments::from_text(&function.arguments_text()),
            cache: None,
        });
        calls += 1;
    }
    let finish = Some(read_done(answer.done_reason.some(), calls > 0));
    Ok(ChatResponse {
        origin: ProviderDialect::Ollama,
        id: None,
        model: answer.model.some().map(str::to_owned),
        created: answer.created_at.some().and_then(parse_rfc3339).map(|at| at.0 / 1_000),
        choices: vec![Choice { index: 0, content, finish, logprobs, extra: Vec::new() }],
        usage: usage::usage(answer.prompt_eval_count, answer.eval_count),
        service_tier: None,
        extra: Vec::new(),
    })
}

/// A text whose lone surrogates are stand-ins, if it was repaired.
fn joined(text: Cow<'_, str>, repaired: bool) -> String {
    let mut joiner = Joiner::default();
    let mut text = joiner.pass(text, repaired);
    text.extend(joiner.flush());
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn half_a_character_and_a_number_beyond_all_numbers_do_no_harm() {
        let body =
            br#"{"model":"m","message":{"content":"a\ud83d"},"done":true,"prompt_eval_count":1e999,"eval_count":3}"#;
        let answer = read(body).unwrap();
        assert_eq!(answer.choices[0].content, [Part::text("a\u{fffd}")]);
        assert_eq!(answer.usage.map(|usage| (usage.input, usage.output)), Some((0, 3)));
    }
}
