//! Errors as OpenAI's clients expect them: whole ones as in its other dialect, in a stream as a typed
//! event.

use crate::dialect::json_write::object;
pub(in crate::dialect) use crate::dialect::openai_chat::error::write;
use crate::dialect::openai_chat::error::write_members;
use crate::error::ApiError;

/// The event that breaks a stream off, where its number is not known.
pub(in crate::dialect) fn write_event(out: &mut Vec<u8>, error: &ApiError, request_id: &str) {
    write_numbered(out, error, request_id, None);
}

/// The event that breaks a stream off.
///
/// The documentation has `code`, `message` and `param` in the event itself. OpenAI's SDKs raise an
/// exception only for an event with `error`: with neither form alone would everybody notice.
pub(super) fn write_numbered(out: &mut Vec<u8>, error: &ApiError, request_id: &str, number: Option<u64>) {
    out.extend_from_slice(b"event: error\ndata: ");
    object(out, |o| {
        o.string("type", "error");
        o.maybe_number("sequence_number", number);
        o.string("code", error.code.as_str());
        o.string("message", &error.message);
        match &error.param {
            Some(param) => o.string("param", param),
            None => o.null("param"),
        }
        o.object("error", |o| write_members(o, error, request_id));
    });
    out.extend_from_slice(b"\n\n");
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn an_error_event_can_be_read_in_both_forms() {
        let mut out = Vec::new();
        write_numbered(&mut out, &ApiError::new(Code::UpstreamOverloaded, "Busy."), "req_1", Some(4));
        let text = String::from_utf8(out).unwrap();
        let json: serde_json::Value =
            serde_json::from_str(text.strip_prefix("event: error\ndata: ").unwrap().trim_end()).unwrap();
        let expected = crate::json::json!({"type": "error", "sequence_number": 4, "code": "upstream_overloaded",
            "message": "Busy.", "param": null, "error": {"message": "Busy.", "type": "server_error", "param": null,
            "code": "upstream_overloaded", "request_id": "req_1"}});
        assert_eq!(json, expected);
        assert!(text.ends_with("\n\n"));
    }
}
