//! The one error a caller can see. Dialects only decide how it is spelled.
//!
//! An error answers three questions: what went wrong (a stable [`Code`]), whose fault it is (the
//! status that code carries) and what to do about it (the message). It never carries a secret, an
//! upstream URL or an internal detail: those go to the operator's log.

use crate::units::Millis;
use std::fmt;

/// Every way a request can fail, as the stable machine code callers program against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The request is malformed, or the provider refused it as such.
    InvalidRequest,
    /// The prompt and the wanted output do not fit the model's context window.
    ContextLengthExceeded,
    /// No credential, or one that is unknown, revoked or expired.
    InvalidApiKey,
    /// A token that was valid once.
    TokenExpired,
    /// A hard budget is spent.
    InsufficientQuota,
    /// The caller may not use this model.
    ModelNotAllowed,
    /// The caller's role does not permit this operation.
    PermissionDenied,
    /// A guardrail refused the content.
    GuardrailBlocked,
    /// No candidate satisfies the data's residency rules.
    Residency,
    /// No model, class or route of this name.
    ModelNotFound,
    /// No such endpoint or object.
    NotFound,
    /// The endpoint exists, the method does not.
    MethodNotAllowed,
    /// The same idempotency key is in use, or was used for another body.
    IdempotencyConflict,
    /// It cannot be done as things stand: it is there already, or others depend on it.
    Conflict,
    /// What was to be replaced is no longer as it was read.
    PreconditionFailed,
    /// The body is larger than the gateway accepts.
    TooLarge,
    /// The body is not JSON in UTF-8.
    UnsupportedMediaType,
    /// One of the gateway's own limits is exhausted for now.
    RateLimitExceeded,
    /// The provider's rate limit is exhausted.
    UpstreamRateLimited,
    /// The provider failed or answered nonsense.
    UpstreamError,
    /// The provider refused the gateway's credential.
    UpstreamAuthError,
    /// No candidate is healthy.
    NoHealthyModel,
    /// The provider is overloaded.
    UpstreamOverloaded,
    /// The gateway lacks a binding it needs.
    NotConfigured,
    /// The store that holds limits and budgets did not answer, so nothing may be admitted.
    LimiterUnavailable,
    /// The provider took too long.
    Timeout,
    /// A defect in the gateway.
    InternalError,
}

impl Code {
    /// All of them, in the order of the README's table.
    pub const ALL: [Code; 27] = [
        Code::InvalidRequest,
        Code::ContextLengthExceeded,
        Code::InvalidApiKey,
        Code::TokenExpired,
        Code::InsufficientQuota,
        Code::ModelNotAllowed,
        Code::PermissionDenied,
        Code::GuardrailBlocked,
        Code::Residency,
        Code::ModelNotFound,
        Code::NotFound,
        Code::MethodNotAllowed,
        Code::IdempotencyConflict,
        Code::Conflict,
        Code::PreconditionFailed,
        Code::TooLarge,
        Code::UnsupportedMediaType,
        Code::RateLimitExceeded,
        Code::UpstreamRateLimited,
        Code::UpstreamError,
        Code::UpstreamAuthError,
        Code::NoHealthyModel,
        Code::UpstreamOverloaded,
        Code::NotConfigured,
        Code::LimiterUnavailable,
        Code::Timeout,
        Code::InternalError,
    ];

    /// The HTTP status this code is answered with.
    pub fn status(self) -> u16 {
        match self {
            Code::InvalidRequest | Code::ContextLengthExceeded => 400,
            Code::InvalidApiKey | Code::TokenExpired => 401,
            Code::InsufficientQuota => 402,
            Code::ModelNotAllowed | Code::PermissionDenied | Code::GuardrailBlocked | Code::Residency => 403,
            Code::ModelNotFound | Code::NotFound => 404,
            Code::MethodNotAllowed => 405,
            Code::IdempotencyConflict | Code::Conflict => 409,
            Code::PreconditionFailed => 412,
            Code::TooLarge => 413,
            Code::UnsupportedMediaType => 415,
            Code::RateLimitExceeded | Code::UpstreamRateLimited => 429,
            Code::InternalError => 500,
            Code::UpstreamError | Code::UpstreamAuthError => 502,
            Code::NoHealthyModel | Code::UpstreamOverloaded | Code::NotConfigured | Code::LimiterUnavailable => 503,
            Code::Timeout => 504,
        }
    }

    /// The code as it stands in an answer: `rate_limit_exceeded`.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::InvalidRequest => "invalid_request",
            Code::ContextLengthExceeded => "context_length_exceeded",
            Code::InvalidApiKey => "invalid_api_key",
            Code::TokenExpired => "token_expired",
            Code::InsufficientQuota => "insufficient_quota",
            Code::ModelNotAllowed => "model_not_allowed",
            Code::PermissionDenied => "permission_denied",
            Code::GuardrailBlocked => "guardrail_blocked",
            Code::Residency => "residency",
            Code::ModelNotFound => "model_not_found",
            Code::NotFound => "not_found",
            Code::MethodNotAllowed => "method_not_allowed",
            Code::IdempotencyConflict => "idempotency_conflict",
            Code::Conflict => "conflict",
            Code::PreconditionFailed => "precondition_failed",
            Code::TooLarge => "too_large",
            Code::UnsupportedMediaType => "unsupported_media_type",
            Code::RateLimitExceeded => "rate_limit_exceeded",
            Code::UpstreamRateLimited => "upstream_rate_limited",
            Code::UpstreamError => "upstream_error",
            Code::UpstreamAuthError => "upstream_auth_error",
            Code::NoHealthyModel => "no_healthy_model",
            Code::UpstreamOverloaded => "upstream_overloaded",
            Code::NotConfigured => "not_configured",
            Code::LimiterUnavailable => "limiter_unavailable",
            Code::Timeout => "timeout",
            Code::InternalError => "internal_error",
        }
    }
}

/// An error on its way to a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// What went wrong.
    pub code: Code,
    /// One or two sentences for a person: what is wrong and what to do.
    pub message: String,
    /// The member of the request the error is about, as a path: `messages[0].content`.
    pub param: Option<String>,
    /// When trying again may help.
    pub retry_after: Option<Millis>,
}

impl ApiError {
    /// An error with its code and its sentence.
    pub fn new(code: Code, message: impl Into<String>) -> ApiError {
        ApiError { code, message: message.into(), param: None, retry_after: None }
    }

    /// A malformed member of the request.
    pub fn invalid(param: impl Into<String>, message: impl Into<String>) -> ApiError {
        ApiError { param: Some(param.into()), ..ApiError::new(Code::InvalidRequest, message) }
    }

    /// The same error, with the time to wait before another try.
    pub fn retry_after(self, wait: Millis) -> ApiError {
        ApiError { retry_after: Some(wait), ..self }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for ApiError {}
