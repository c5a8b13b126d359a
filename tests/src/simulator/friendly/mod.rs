//! The friendly answer: what a first call gets when no provider is configured, and what the faults are made from.
//!
//! A dialect reads its request into [`Wishes`], [`Reply::compose`] decides what to say, and the dialect writes it.

mod anthropic;
mod gemini;
mod openai;
mod reply;
mod responses;
mod schema;

use serde_json::{Value, json};

use super::ask::{Dialect, Endpoint, Parsed};
use super::script::Script;

pub(super) use reply::{Finish, Reply, Tool, ToolChoice, Wishes};

/// What a built-in changes about the friendly answer.
#[derive(Clone, Debug)]
pub(crate) struct Style {
    /// Milliseconds between two words.
    pub(crate) pace_ms: u64,
    /// Whether usage is told at all.
    pub(crate) usage: bool,
    /// Call every tool given, at once.
    pub(crate) every_tool: bool,
    /// Stopped by the content filter after half of the text.
    pub(crate) filtered: bool,
    /// That many words in place of the usual text.
    pub(crate) words: Option<u64>,
}

impl Default for Style {
    fn default() -> Style {
        Style { pace_ms: 0, usage: true, every_tool: false, filtered: false, words: None }
    }
}

/// The answer of a provider in good health.
pub(crate) fn answer(parsed: &Parsed, serial: u64, style: &Style) -> Script {
    let Some(endpoint) = parsed.endpoint else {
        let message = "The simulator plays /v1/chat/completions, /v1/responses, /v1/messages, /v1/messages/count_tokens, /v1beta/models/{model}:generateContent \
             and /v1/models.";
        return error(parsed.dialect, 404, message);
    };
    match endpoint {
        Endpoint::Models => models(parsed),
        Endpoint::CountTokens if parsed.dialect == Dialect::Gemini => {
            Script::json(200, json!({"totalTokens": gemini::wishes(parsed).prompt_tokens}))
        }
        Endpoint::CountTokens => {
            Script::json(200, json!({"input_tokens": anthropic::wishes(&parsed.body).prompt_tokens}))
        }
        Endpoint::ChatCompletions => match openai::refusal(&parsed.body) {
            Some(message) => error(Dialect::OpenAi, 400, message),
            None => openai::script(parsed, &Reply::compose(&openai::wishes(&parsed.body), style), serial, style),
        },
        Endpoint::Responses => match responses::refusal(&parsed.body) {
            Some(message) => error(Dialect::OpenAi, 400, message),
            None => responses::script(parsed, &Reply::compose(&responses::wishes(&parsed.body), style), serial, style),
        },
        Endpoint::Messages => match anthropic::refusal(&parsed.body) {
            Some(message) => error(Dialect::Anthropic, 400, message),
            None => anthropic::script(parsed, &Reply::compose(&anthropic::wishes(&parsed.body), style), serial, style),
        },
        Endpoint::GenerateContent => match gemini::refusal(&parsed.body) {
            Some(message) => error(Dialect::Gemini, 400, message),
            None => gemini::script(parsed, &Reply::compose(&gemini::wishes(parsed), style), serial, style),
        },
    }
}

/// An error answer in a dialect, as the provider words its fields.
pub(crate) fn error(dialect: Dialect, status: u16, message: &str) -> Script {
    Script::json(status, error_value(dialect, status, message))
}

/// The body of [`error`]; as an event of a stream it has the same shape.
pub(crate) fn error_value(dialect: Dialect, status: u16, message: &str) -> Value {
    match dialect {
        Dialect::OpenAi => {
            let (kind, code) = match status {
                400 => ("invalid_request_error", Value::Null),
                401 => ("invalid_request_error", json!("invalid_api_key")),
                402 => ("insufficient_quota", json!("insufficient_quota")),
                403 => ("invalid_request_error", json!("unsupported_country_region_territory")),
                404 => ("invalid_request_error", json!("model_not_found")),
                429 => ("requests", json!("rate_limit_exceeded")),
                405..=499 => ("invalid_request_error", Value::Null),
                _ => ("server_error", Value::Null),
            };
            json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
        }
        Dialect::Anthropic => {
            let kind = match status {
                401 => "authentication_error",
                402 => "billing_error",
                403 => "permission_error",
                404 => "not_found_error",
                413 => "request_too_large",
                429 => "rate_limit_error",
                504 => "timeout_error",
                529 => "overloaded_error",
                400..=499 => "invalid_request_error",
                _ => "api_error",
            };
            json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_simulator"})
        }
        Dialect::Gemini => {
            // Google has no 529: it is unavailable.
            let status = if status == 529 { 503 } else { status };
            let word = match status {
                401 => "UNAUTHENTICATED",
                403 => "PERMISSION_DENIED",
                404 => "NOT_FOUND",
                429 => "RESOURCE_EXHAUSTED",
                400..=499 => "INVALID_ARGUMENT",
                503 => "UNAVAILABLE",
                504 => "DEADLINE_EXCEEDED",
                _ => "INTERNAL",
            };
            json!({"error": {"code": status, "message": message, "status": word}})
        }
    }
}

fn models(parsed: &Parsed) -> Script {
    let body = match parsed.dialect {
        Dialect::OpenAi | Dialect::Gemini => json!({"object": "list", "data": [
            {"id": "gpt-5.4", "object": "model", "created": 1_700_000_000, "owned_by": "simulator"},
            {"id": "gpt-5.4-mini", "object": "model", "created": 1_700_000_000, "owned_by": "simulator"},
        ]}),
        Dialect::Anthropic => json!({"data": [
            {"type": "model", "id": "claude-haiku-4-5", "display_name": "Claude Haiku 4.5", "created_at": "2025-10-01T00:00:00Z"},
            {"type": "model", "id": "claude-sonnet-4-5", "display_name": "Claude Sonnet 4.5", "created_at": "2025-09-29T00:00:00Z"},
        ], "has_more": false, "first_id": "claude-haiku-4-5", "last_id": "claude-sonnet-4-5"}),
    };
    Script::json(200, body)
}

/// JSON text in the pieces that streamed arguments come in.
fn pieces(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(8).map(|piece| piece.iter().collect()).collect()
}

/// The object with one more member.
fn with(mut object: Value, name: &str, value: Value) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
    object
}
