//! What a provider said when it failed, whatever its body looked like.

use super::json_read::{Object, Path};
use super::text;
use crate::error::{ApiError, Code};
use crate::units::Millis;
use serde_json::value::RawValue;

/// Why a provider failed, as far as anybody must tell apart: to retry, to look elsewhere, to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UpstreamClass {
    /// The request is wrong and would be everywhere.
    InvalidRequest,
    /// Too long for this model's context window; another's may do.
    ContextLength,
    /// The gateway's credential was refused.
    Auth,
    /// The credential is good but may not do this.
    Permission,
    /// The provider has no such model.
    NotFound,
    /// Too many requests or tokens for now.
    RateLimited,
    /// The account is out of credit or at its spending limit: waiting a little does not help.
    QuotaExhausted,
    /// Too much load at the provider.
    Overloaded,
    /// A fault at the provider.
    ServerError,
    /// The provider gave up waiting.
    Timeout,
    /// The provider's content policy refused the prompt or the answer.
    ContentPolicy,
    /// The body is too large for the provider.
    TooLarge,
    /// Not an answer in the provider's dialect: no JSON, a cut stream, another shape.
    Protocol,
}

/// A provider's failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamError {
    /// Why.
    pub class: UpstreamClass,
    /// The HTTP status; `None` inside a stream or a 200.
    pub status: Option<u16>,
    /// The provider's sentence, at most 2,000 characters.
    pub message: Option<String>,
    /// The provider's `type`.
    pub kind: Option<String>,
    /// The provider's `code`.
    pub code: Option<String>,
    /// The member the provider complains about.
    pub param: Option<String>,
    /// How long to wait, where the body says it (Google).
    pub retry_after: Option<Millis>,
}

/// An answer that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// A success by its status, an error by its body.
    Upstream(UpstreamError),
    /// Not JSON at all: typically an HTML page of some proxy.
    NotJson,
    /// JSON of another shape.
    WrongShape(&'static str),
}

impl ProtocolError {
    /// The same as a failure of the provider.
    pub fn into_upstream(self) -> UpstreamError {
        match self {
            ProtocolError::Upstream(error) => error,
            ProtocolError::NotJson => UpstreamError::protocol("the answer is not JSON"),
            ProtocolError::WrongShape(what) => UpstreamError::protocol(what),
        }
    }
}

const LONGEST_MESSAGE: usize = 2_000;

impl UpstreamError {
    /// A stream or body that is not in the provider's dialect.
    pub fn protocol(message: &str) -> UpstreamError {
        UpstreamError {
            class: UpstreamClass::Protocol,
            status: None,
            message: Some(message.to_owned()),
            kind: None,
            code: None,
            param: None,
            retry_after: None,
        }
    }

    /// Reads the body of an answer whose status is an error.
    pub fn from_body(status: u16, body: &[u8]) -> UpstreamError {
        let text = String::from_utf8_lossy(body);
        let said = Said::read(text.trim_start_matches('\u{feff}').trim(), 0);
        said.into_error(Some(status))
    }

    /// Reads an error object inside a 200 or a stream: the value of `error`, or the whole event.
    pub fn from_event(json: &str) -> UpstreamError {
        Said::read(json, 0).into_error(None)
    }

    /// The error the caller gets. The provider's sentence is passed on where it helps the caller and
    /// cannot speak of the gateway's credential.
    pub fn to_api_error(&self) -> ApiError {
        let (code, sentence, pass_on) = match self.class {
            UpstreamClass::InvalidRequest => (
                Code::InvalidRequest,
                "The provider refused the request as malformed. Compare it with the provider's reference.",
                true,
            ),
            UpstreamClass::ContextLength => (
                Code::ContextLengthExceeded,
                "The prompt does not fit the model's context window. Send less, or name a model with a larger one.",
                true,
            ),
            UpstreamClass::Auth => (
                Code::UpstreamAuthError,
                "The provider refused the gateway's credential. Ask your administrator to renew it.",
                false,
            ),
            UpstreamClass::Permission => (
                Code::UpstreamAuthError,
                "The provider does not permit the gateway this call. Ask your administrator, or name another model.",
                true,
            ),
            UpstreamClass::NotFound => {
                (Code::ModelNotFound, "The provider does not have this model. Name another one.", true)
            }
            UpstreamClass::RateLimited => (
                Code::UpstreamRateLimited,
                "The provider's rate limit is exhausted. Try again later, or name another model.",
                true,
            ),
            UpstreamClass::QuotaExhausted => (
                Code::UpstreamRateLimited,
                "The gateway's account at the provider is out of quota. Ask your administrator, or name another model.",
                false,
            ),
            UpstreamClass::Overloaded => (
                Code::UpstreamOverloaded,
                "The provider is overloaded. Try again in a moment, or name another model.",
                true,
            ),
            UpstreamClass::ServerError => {
                (Code::UpstreamError, "The provider failed. Try again in a moment, or name another model.", true)
            }
            UpstreamClass::Timeout => {
                (Code::Timeout, "The provider took too long. Try again, or ask for a shorter answer.", false)
            }
            UpstreamClass::ContentPolicy => (
                Code::InvalidRequest,
                "The provider's content policy refused the request. Change what it says, or name another model.",
                true,
            ),
            UpstreamClass::TooLarge => {
                (Code::TooLarge, "The request is larger than the provider accepts. Send less.", true)
            }
            UpstreamClass::Protocol => (Code::UpstreamError, "The provider's answer was broken", true),
        };
        let message = match &self.message {
            Some(said) if pass_on && self.class == UpstreamClass::Protocol => {
                format!("{sentence}: {said}.")
            }
            Some(said) if pass_on => said.clone(),
            Some(_) | None => sentence.trim_end_matches('.').to_owned() + ".",
        };
        ApiError { param: self.param.clone(), ..ApiError::new(code, message) }
    }
}

/// The parts of an error body, in whatever shape it came.
#[derive(Debug, Default)]
struct Said {
    message: Option<String>,
    kind: Option<String>,
    code: Option<String>,
    param: Option<String>,
    /// A status told in the body.
    status: Option<u16>,
}

impl Said {
    /// Reads `{"error":{…}}`, `{"error":"…"}`, `{"message":…}`, `{"detail":…}`, `{"errors":[…]}`, a
    /// bare string, an array of any of these, an HTML page, plain text.
    fn read(text: &str, depth: usize) -> Said {
        if depth > 4 {
            return Said::default();
        }
        match text.as_bytes().first() {
            Some(b'{') => Said::object(text, depth).unwrap_or_else(|| Said::message(text)),
            Some(b'[') => match crate::json::parse::<Vec<&RawValue>>(text) {
                Ok(items) => items.first().map_or_else(Said::default, |raw| Said::read(raw.get(), depth + 1)),
                Err(_) => Said::message(text),
            },
            Some(b'"') => Said::message(&text::decode(text).unwrap_or_else(|| text.to_owned())),
            Some(b'<') => Said::message(&html_title(text)),
            Some(_) => Said::message(text),
            None => Said::default(),
        }
    }

    fn message(text: &str) -> Said {
        let text = text.trim();
        Said { message: (!text.is_empty()).then(|| text.chars().take(LONGEST_MESSAGE).collect()), ..Said::default() }
    }

    fn object(text: &str, depth: usize) -> Option<Said> {
        let fixed = text::stand_in_for_surrogates(text);
        let mut object = Object::read(fixed.as_deref().unwrap_or(text), &Path::Root).ok()?;
        let mut said = Said::default();
        for nested in ["error", "errors", "detail", "message", "Message", "innererror"] {
            if said.message.is_none()
                && let Some(raw) = object.take(nested)
            {
                let inner = Said::read(raw.get(), depth + 1);
                said.message = inner.message;
                said.kind = said.kind.or(inner.kind);
                said.code = said.code.or(inner.code);
                said.param = said.param.or(inner.param);
                said.status = said.status.or(inner.status);
            }
        }
        // FastAPI spells it `msg`.
        said.message = said.message.or_else(|| object.string("msg").ok().flatten());
        let kind = ["type", "status", "error_type", "__type"].into_iter().find_map(|name| scalar(&mut object, name));
        said.kind = said.kind.or(kind.filter(|kind| kind != "error"));
        said.code = said.code.or_else(|| scalar(&mut object, "code"));
        said.param = said.param.or_else(|| scalar(&mut object, "param"));
        let status = said.code.as_deref().and_then(|code| code.parse().ok());
        said.status = said.status.or(status.filter(|status| (400..600).contains(status)));
        Some(said)
    }

    fn into_error(self, status: Option<u16>) -> UpstreamError {
        let class = classify(status.filter(|&status| status >= 400).or(self.status), &self);
        let Said { message, kind, code, param, .. } = self;
        UpstreamError { class, status, message, kind, code, param, retry_after: None }
    }
}

/// A string or number member as text.
fn scalar(object: &mut Object<'_, '_>, name: &str) -> Option<String> {
    let raw = object.take(name)?.get();
    match raw.as_bytes().first() {
        Some(b'"') => text::decode(raw).filter(|text| !text.is_empty()),
        Some(b'0'..=b'9' | b'-') => Some(raw.to_owned()),
        Some(_) | None => None,
    }
    .map(|text| text.chars().take(200).collect())
}

/// What a page calls itself; never its whole text.
fn html_title(page: &str) -> String {
    let title =
        page.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>")).map(|(title, _)| title.trim());
    match title {
        Some(title) if !title.is_empty() => format!("an HTML page: {}", title.chars().take(200).collect::<String>()),
        Some(_) | None => "an HTML page".to_owned(),
    }
}

/// The class by what was said first, by the status where nothing telling was said.
fn classify(status: Option<u16>, said: &Said) -> UpstreamClass {
    let words = |text: &Option<String>| text.as_deref().unwrap_or_default().to_ascii_lowercase();
    let (kind, code, message) = (words(&said.kind), words(&said.code), words(&said.message));
    let named = |names: &[&str]| names.iter().any(|name| kind == *name || code == *name);
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| message.contains(phrase));
    let client_fault = status.is_none_or(|status| matches!(status, 400 | 413 | 422));

    if named(&[
        "insufficient_quota",
        "billing_error",
        "billing_hard_limit_reached",
        "enforced_spend_limit_reached",
        "credits_exhausted",
    ]) || status == Some(402)
        || (status != Some(401)
            && says(&[
                "credit balance is too low",
                "spend limit",
                "spending limit",
                "insufficient balance",
                "credits are depleted",
                "specified api usage limits",
            ]))
    {
        return UpstreamClass::QuotaExhausted;
    }
    if named(&[
        "context_length_exceeded",
        "too_many_prompt_tokens",
        "too_many_tokens",
        "model_context_window_exceeded",
        "exceed_context_size_error",
    ]) || (client_fault
        && says(&[
            "maximum context length",
            "context window",
            "prompt is too long",
            "context length",
            "too many tokens",
            "input is too long",
            "exceeds the maximum number of tokens",
            "exceed context limit",
            "total length of all messages is too long",
            "maximum prompt length",
            "but model only supports up to",
            "exceeds maximum length",
            "exceeded model token limit",
            "`inputs` tokens + `max_new_tokens`",
        ]))
    {
        return UpstreamClass::ContextLength;
    }
    if named(&[
        "content_filter",
        "content_policy_violation",
        "responsibleaipolicyviolation",
        "content_policy",
        "image_content_policy_violation",
        "bio_policy",
        "moderation",
    ]) {
        return UpstreamClass::ContentPolicy;
    }
    if named(&["overloaded_error", "overloaded", "engine_overloaded", "unavailable"]) {
        return UpstreamClass::Overloaded;
    }
    if named(&["rate_limit_error", "rate_limit_exceeded", "rate_limited", "resource_exhausted", "tokens", "requests"])
        && status.is_none_or(|s| s == 429)
    {
        return UpstreamClass::RateLimited;
    }
    if named(&["invalid_api_key", "authentication_error", "api_key_invalid", "unauthenticated"])
        || (client_fault && says(&["api key not valid", "incorrect api key", "invalid x-api-key"]))
    {
        return UpstreamClass::Auth;
    }
    if named(&["permission_error", "permission_denied"]) {
        return UpstreamClass::Permission;
    }
    if named(&["model_not_found", "not_found_error", "deploymentnotfound", "not_found"])
        || (client_fault && says(&["no such model", "model does not exist", "model identifier is invalid"]))
    {
        return UpstreamClass::NotFound;
    }
    if named(&["timeout_error", "deadline_exceeded"]) {
        return UpstreamClass::Timeout;
    }
    if named(&["request_too_large"]) {
        return UpstreamClass::TooLarge;
    }
    match status {
        Some(401) => UpstreamClass::Auth,
        Some(403) => UpstreamClass::Permission,
        Some(404) => UpstreamClass::NotFound,
        Some(408 | 504 | 524) => UpstreamClass::Timeout,
        Some(413) => UpstreamClass::TooLarge,
        Some(429 | 498) => UpstreamClass::RateLimited,
        Some(503 | 529) => UpstreamClass::Overloaded,
        Some(400..=499) => UpstreamClass::InvalidRequest,
        Some(_) => UpstreamClass::ServerError,
        None if named(&["invalid_request_error", "invalid_argument", "bad_request", "invalid_prompt"])
            // `failed_to_download_image` and a dozen like it
            || code.contains("image") =>
        {
            UpstreamClass::InvalidRequest
        }
        None => UpstreamClass::ServerError,
    }
}

#[cfg(test)]
mod tests;
