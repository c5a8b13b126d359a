//! Errors as OpenAI's clients expect them.

use crate::dialect::json_write::{Members, object};
use crate::error::{ApiError, Code};

/// `{"error":{"message","type","param","code","request_id"}}`.
pub(in crate::dialect) fn write(out: &mut Vec<u8>, error: &ApiError, request_id: &str) {
    object(out, |o| o.object("error", |o| write_members(o, error, request_id)));
}

/// The members of `error`.
pub(in crate::dialect) fn write_members(o: &mut Members<'_>, error: &ApiError, request_id: &str) {
    o.string("message", &error.message);
    o.string("type", kind(error.code));
    match &error.param {
        Some(param) => o.string("param", param),
        None => o.null("param"),
    }
    o.string("code", error.code.as_str());
    o.string("request_id", request_id);
}

/// The event that breaks a stream off; no `[DONE]` follows.
pub(in crate::dialect) fn write_event(out: &mut Vec<u8>, error: &ApiError, request_id: &str) {
    out.extend_from_slice(b"data: ");
    write(out, error, request_id);
    out.extend_from_slice(b"\n\n");
}

/// OpenAI's `type` of an error.
fn kind(code: Code) -> &'static str {
    match code {
        Code::InvalidRequest
        | Code::ContextLengthExceeded
        | Code::ModelNotFound
        | Code::NotFound
        | Code::MethodNotAllowed
        | Code::IdempotencyConflict
        | Code::Conflict
        | Code::PreconditionFailed
        | Code::TooLarge
        | Code::UnsupportedMediaType
        | Code::GuardrailBlocked
        | Code::Residency => "invalid_request_error",
        Code::InvalidApiKey | Code::TokenExpired => "authentication_error",
        Code::ModelNotAllowed | Code::PermissionDenied => "permission_error",
        Code::InsufficientQuota => "insufficient_quota",
        Code::RateLimitExceeded | Code::UpstreamRateLimited => "rate_limit_error",
        Code::UpstreamError
        | Code::UpstreamAuthError
        | Code::NoHealthyModel
        | Code::UpstreamOverloaded
        | Code::NotConfigured
        | Code::LimiterUnavailable
        | Code::Timeout
        | Code::InternalError => "server_error",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_openais_shape_and_the_request_id() {
        let mut out = Vec::new();
        write_event(&mut out, &ApiError::invalid("messages[0].content", "No \"content\"."), "req_1");
        let text = String::from_utf8(out).unwrap();
        let json: serde_json::Value = serde_json::from_str(text.strip_prefix("data: ").unwrap().trim_end()).unwrap();
        let expected = crate::json::json!({"error": {"message": "No \"content\".", "type": "invalid_request_error",
            "param": "messages[0].content", "code": "invalid_request", "request_id": "req_1"}});
        assert_eq!(json, expected);
        assert!(text.ends_with("\n\n"));
    }
}
