//! Errors as Anthropic's clients expect them.

use crate::dialect::json_write::object;
use crate::error::{ApiError, Code};

/// `{"type":"error","error":{"type","message","code","param"},"request_id"}`.
pub(in crate::dialect) fn write(out: &mut Vec<u8>, error: &ApiError, request_id: &str) {
    object(out, |o| {
        o.string("type", "error");
        o.object("error", |o| {
            o.string("type", kind(error.code));
            o.string("message", &error.message);
            o.string("code", error.code.as_str());
            o.maybe_string("param", error.param.as_deref());
        });
        o.string("request_id", request_id);
    });
}

/// The event that breaks a stream off; no `message_stop` follows.
pub(in crate::dialect) fn write_event(out: &mut Vec<u8>, error: &ApiError, request_id: &str) {
    out.extend_from_slice(b"event: error\ndata: ");
    write(out, error, request_id);
    out.extend_from_slice(b"\n\n");
}

/// Anthropic's `type` of an error.
fn kind(code: Code) -> &'static str {
    match code {
        Code::InvalidRequest
        | Code::ContextLengthExceeded
        | Code::MethodNotAllowed
        | Code::IdempotencyConflict
        | Code::Conflict
        | Code::PreconditionFailed
        | Code::UnsupportedMediaType => "invalid_request_error",
        Code::InvalidApiKey | Code::TokenExpired => "authentication_error",
        Code::InsufficientQuota => "billing_error",
        Code::ModelNotAllowed | Code::PermissionDenied | Code::GuardrailBlocked | Code::Residency => "permission_error",
        Code::ModelNotFound | Code::NotFound => "not_found_error",
        Code::TooLarge => "request_too_large",
        Code::RateLimitExceeded | Code::UpstreamRateLimited => "rate_limit_error",
        Code::UpstreamOverloaded | Code::NoHealthyModel => "overloaded_error",
        Code::Timeout => "timeout_error",
        Code::UpstreamError
        | Code::UpstreamAuthError
        | Code::NotConfigured
        | Code::LimiterUnavailable
        | Code::InternalError => "api_error",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_anthropics_shape_and_the_request_id() {
        let mut out = Vec::new();
        write_event(&mut out, &ApiError::new(Code::UpstreamOverloaded, "Busy."), "req_1");
        let text = String::from_utf8(out).unwrap();
        let json: serde_json::Value =
            serde_json::from_str(text.strip_prefix("event: error\ndata: ").unwrap().trim_end()).unwrap();
        let expected = crate::json::json!({"type": "error", "request_id": "req_1",
            "error": {"type": "overloaded_error", "message": "Busy.", "code": "upstream_overloaded"}});
        assert_eq!(json, expected);
        assert!(text.ends_with("\n\n"));
    }
}
