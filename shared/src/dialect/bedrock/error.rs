//! Errors as Bedrock tells them: a body with a sentence, or a frame with a name and a sentence.

use crate::dialect::{UpstreamClass, UpstreamError};

/// Reads the body of an answer whose status is an error. Its kind stands in a header
/// (`x-amzn-errortype`), so the sentence has to tell what the status does not.
pub(in crate::dialect) fn read(status: u16, body: &[u8]) -> UpstreamError {
    let mut error = UpstreamError::from_body(status, body);
    let said = error.message.as_deref().unwrap_or_default().to_ascii_lowercase();
    let speaks_of = |phrases: &[&str]| phrases.iter().any(|phrase| said.contains(phrase));
    error.class = match status {
        403 if speaks_of(&["security token", "signature", "api key", "bearer token"]) => UpstreamClass::Auth,
        400 | 404 if speaks_of(&["model identifier is invalid", "could not resolve the foundation model"]) => {
            UpstreamClass::NotFound
        }
        // The model failed, not the request (ModelErrorException).
        424 => UpstreamClass::ServerError,
        _ => error.class,
    };
    error
}

/// An exception inside a stream.
pub(in crate::dialect) fn exception(name: &str, payload: &[u8]) -> UpstreamError {
    let body = String::from_utf8_lossy(payload);
    let error = UpstreamError::from_event(&body);
    let class = match name {
        "throttlingException" => UpstreamClass::RateLimited,
        "serviceUnavailableException" | "modelNotReadyException" => UpstreamClass::Overloaded,
        "modelTimeoutException" => UpstreamClass::Timeout,
        // A prompt that is too long is told apart by its sentence.
        "validationException" if error.class == UpstreamClass::ContextLength => UpstreamClass::ContextLength,
        "validationException" => UpstreamClass::InvalidRequest,
        "accessDeniedException" => UpstreamClass::Permission,
        _ => UpstreamClass::ServerError,
    };
    UpstreamError { class, kind: Some(name.to_owned()), ..error }
}

/// An error inside a stream that has no model of its own.
pub(in crate::dialect) fn unmodelled(code: &str, message: &str) -> UpstreamError {
    UpstreamError {
        class: UpstreamClass::ServerError,
        status: None,
        message: (!message.is_empty()).then(|| message.chars().take(2_000).collect()),
        kind: None,
        code: (!code.is_empty()).then(|| code.chars().take(200).collect()),
        param: None,
        retry_after: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_read_by_its_status_and_its_sentence() {
        use UpstreamClass::*;
        #[rustfmt::skip]
        let table = [
            (400, "The provided model identifier is invalid.", NotFound),
            (400, "Malformed input request: #: extraneous key [x] is not permitted", InvalidRequest),
            (400, "Input is too long for requested model.", ContextLength),
            (403, "The security token included in the request is expired", Auth),
            (403, "The request signature we calculated does not match the signature you provided.", Auth),
            (403, "You don't have access to the model with the specified model ID.", Permission),
            (404, "Model not found", NotFound),
            (408, "Model took too long", Timeout),
            (424, "The model returned an error", ServerError),
            (429, "Too many requests, please wait before trying again.", RateLimited),
            (500, "", ServerError),
            (503, "Bedrock is unable to process your request.", Overloaded),
        ];
        for (status, message, class) in table {
            let error = read(status, crate::json::json!({ "message": message }).to_string().as_bytes());
            assert_eq!(error.class, class, "{status} {message}");
            assert_eq!(error.message.as_deref().unwrap_or_default(), message);
        }
    }

    #[test]
    fn an_exception_is_read_by_its_name() {
        use UpstreamClass::*;
        for (name, class) in [
            ("throttlingException", RateLimited),
            ("modelStreamErrorException", ServerError),
            ("internalServerException", ServerError),
            ("serviceUnavailableException", Overloaded),
            ("validationException", InvalidRequest),
            ("somethingNewException", ServerError),
        ] {
            let error = exception(name, br#"{"message":"Why."}"#);
            assert_eq!(
                (error.class, error.message.as_deref(), error.kind.as_deref()),
                (class, Some("Why."), Some(name))
            );
        }
        let long = exception("validationException", br#"{"message":"Input is too long for requested model."}"#);
        assert_eq!(long.class, ContextLength);
        assert_eq!(exception("throttlingException", b"").class, RateLimited);
    }
}
