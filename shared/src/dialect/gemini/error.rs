//! Errors as Google's clients expect them: `google.rpc.Status`, both ways.

use crate::dialect::json_read::{Object, Path, read_list};
use crate::dialect::json_write::{Members, object};
use crate::dialect::{UpstreamClass, UpstreamError};
use crate::error::{ApiError, Code};
use crate::units::Millis;
use serde_json::value::RawValue;

/// `{"error":{"code","message","status","details":[…]}}`. What Google has no member for (our code, the
/// member at fault, the request's id) is an `ErrorInfo`.
pub(in crate::dialect) fn write(out: &mut Vec<u8>, error: &ApiError, request_id: &str) {
    object(out, |o| {
        o.object("error", |o| {
            o.number("code", error.code.status());
            o.string("message", &error.message);
            o.string("status", status(error.code));
            o.array("details", |a| {
                a.object(|o| write_info(o, error, request_id));
                if let Some(Millis(wait)) = error.retry_after {
                    a.object(|o| {
                        o.string("@type", "type.googleapis.com/google.rpc.RetryInfo");
                        o.string("retryDelay", &format!("{}.{:03}s", wait / 1_000, wait % 1_000));
                    });
                }
            });
        });
    });
}

fn write_info(o: &mut Members<'_>, error: &ApiError, request_id: &str) {
    o.string("@type", "type.googleapis.com/google.rpc.ErrorInfo");
    o.string("reason", &error.code.as_str().to_ascii_uppercase());
    o.string("domain", "signalbox");
    o.object("metadata", |o| {
        o.string("code", error.code.as_str());
        o.maybe_string("param", error.param.as_deref());
        o.string("request_id", request_id);
    });
}

/// The event that breaks a stream off.
pub(in crate::dialect) fn write_event(out: &mut Vec<u8>, error: &ApiError, request_id: &str) {
    out.extend_from_slice(b"data: ");
    write(out, error, request_id);
    out.extend_from_slice(b"\n\n");
}

/// Google's canonical word for an error.
fn status(code: Code) -> &'static str {
    match code {
        Code::InvalidRequest
        | Code::ContextLengthExceeded
        | Code::MethodNotAllowed
        | Code::TooLarge
        | Code::UnsupportedMediaType => "INVALID_ARGUMENT",
        Code::InvalidApiKey | Code::TokenExpired => "UNAUTHENTICATED",
        Code::ModelNotAllowed | Code::PermissionDenied | Code::GuardrailBlocked | Code::Residency => {
            "PERMISSION_DENIED"
        }
        Code::ModelNotFound | Code::NotFound => "NOT_FOUND",
        Code::IdempotencyConflict | Code::Conflict | Code::PreconditionFailed => "ABORTED",
        Code::InsufficientQuota | Code::RateLimitExceeded | Code::UpstreamRateLimited => "RESOURCE_EXHAUSTED",
        Code::UpstreamOverloaded | Code::NoHealthyModel | Code::NotConfigured | Code::LimiterUnavailable => {
            "UNAVAILABLE"
        }
        Code::Timeout => "DEADLINE_EXCEEDED",
        Code::UpstreamError | Code::UpstreamAuthError | Code::InternalError => "INTERNAL",
    }
}

/// Reads the body of an answer whose status is an error.
pub(in crate::dialect) fn read(status: u16, body: &[u8]) -> UpstreamError {
    let error = UpstreamError::from_body(status, body);
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    with_details(error, crate::json::parse::<&RawValue>(text).ok())
}

/// Reads the value of `error` in an event or a 200.
pub(in crate::dialect) fn read_event(json: &str) -> UpstreamError {
    with_details(UpstreamError::from_event(json), crate::json::parse::<&RawValue>(json).ok())
}

/// What the error's details add: when to come again, and whether that helps today.
fn with_details(mut error: UpstreamError, raw: Option<&RawValue>) -> UpstreamError {
    let path = Path::Root;
    let items = raw.and_then(|raw| read_list(raw, &path).ok()).unwrap_or_default();
    let Some(mut object) = items.first().and_then(|raw| Object::read(raw.get(), &path).ok()) else { return error };
    let inner = object.take("error").and_then(|raw| Object::read(raw.get(), &path).ok());
    let mut object = inner.unwrap_or(object);
    for raw in object.items("details").unwrap_or_default() {
        let Ok(mut detail) = Object::read(raw.get(), &path) else { continue };
        let kind = detail.string("@type").ok().flatten().unwrap_or_default();
        if kind.ends_with("google.rpc.RetryInfo") {
            error.retry_after = detail.string("retryDelay").ok().flatten().and_then(|text| delay(&text));
        } else if kind.ends_with("google.rpc.QuotaFailure")
            && error.class == UpstreamClass::RateLimited
            && is_daily(&mut detail)
        {
            error.class = UpstreamClass::QuotaExhausted;
        }
    }
    // Where the account may not call from has nothing to do with the request.
    let said = error.message.as_deref().unwrap_or_default();
    if error.kind.as_deref() == Some("FAILED_PRECONDITION") && said.contains("location is not supported") {
        error.class = UpstreamClass::Permission;
    }
    error
}

/// A quota of the day is not back in a minute.
fn is_daily(failure: &mut Object<'_, '_>) -> bool {
    let path = Path::Root;
    failure.items("violations").unwrap_or_default().into_iter().any(|raw| {
        let id = Object::read(raw.get(), &path).ok().and_then(|mut violation| violation.string("quotaId").ok()?);
        id.is_some_and(|id| id.contains("PerDay"))
    })
}

/// `48s`, `34.4s`: a duration in the JSON of protocol buffers.
fn delay(text: &str) -> Option<Millis> {
    let seconds = crate::json::float(text.strip_suffix('s')?)?;
    (0.0..=1e6).contains(&seconds).then_some(Millis((seconds * 1_000.0) as u64))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_googles_shape_and_tells_when_to_come_again() {
        let mut out = Vec::new();
        let error = ApiError::new(Code::RateLimitExceeded, "Slow down.").retry_after(Millis(1_500));
        write_event(&mut out, &error, "req_1");
        let text = String::from_utf8(out).unwrap();
        let json: serde_json::Value = serde_json::from_str(text.strip_prefix("data: ").unwrap().trim_end()).unwrap();
        let expected = crate::json::json!({"error": {"code": 429, "message": "Slow down.", "status": "RESOURCE_EXHAUSTED", "details": [
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RATE_LIMIT_EXCEEDED", "domain": "signalbox",
             "metadata": {"code": "rate_limit_exceeded", "request_id": "req_1"}},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.500s"}]}});
        assert_eq!(json, expected);
        assert_eq!(read(429, json.to_string().as_bytes()).retry_after, Some(Millis(1_500)));
    }

    #[test]
    fn the_details_say_how_long_a_quota_is_spent() {
        let body = |quota: &str| {
            format!(
                r#"[{{"error":{{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[
                {{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{{"quotaId":"{quota}"}}]}},
                {{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.4s"}}]}}}}]"#
            )
        };
        let minute = read(429, body("GenerateRequestsPerMinutePerProjectPerModel-FreeTier").as_bytes());
        assert_eq!((minute.class, minute.retry_after), (UpstreamClass::RateLimited, Some(Millis(34_400))));
        let day = read(429, body("GenerateRequestsPerDayPerProjectPerModel-FreeTier").as_bytes());
        assert_eq!(day.class, UpstreamClass::QuotaExhausted);
    }

    #[test]
    fn each_status_has_its_class() {
        use UpstreamClass::*;
        for (status, word, message, class) in [
            (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", Auth),
            (
                400,
                "INVALID_ARGUMENT",
                "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).",
                ContextLength,
            ),
            (400, "INVALID_ARGUMENT", "Unknown name \"x\"", InvalidRequest),
            (400, "FAILED_PRECONDITION", "User location is not supported for the API use.", Permission),
            (401, "UNAUTHENTICATED", "m", Auth),
            (403, "PERMISSION_DENIED", "m", Permission),
            (404, "NOT_FOUND", "m", NotFound),
            (500, "INTERNAL", "m", ServerError),
            (503, "UNAVAILABLE", "The model is overloaded.", Overloaded),
            (504, "DEADLINE_EXCEEDED", "m", Timeout),
        ] {
            let body = crate::json::json!({"error": {"code": status, "message": message, "status": word}});
            assert_eq!(read(status, body.to_string().as_bytes()).class, class, "{status} {word}");
        }
    }
}
