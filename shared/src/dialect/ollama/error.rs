//! Errors as Ollama tells them: `{"error":"…"}`, with a status or inside a stream.

use crate::dialect::{UpstreamClass, UpstreamError};

/// Reads the body of an answer whose status is an error.
pub(in crate::dialect) fn read(status: u16, body: &[u8]) -> UpstreamError {
    refined(UpstreamError::from_body(status, body))
}

/// Reads the sentence of an error inside a stream or a 200.
pub(super) fn told(sentence: &str) -> UpstreamError {
    let message = Some(sentence.chars().take(2_000).collect());
    refined(UpstreamError { class: UpstreamClass::ServerError, message, ..UpstreamError::protocol("") })
}

/// A server of one's own has no codes: a full queue says so in words.
fn refined(error: UpstreamError) -> UpstreamError {
    let said = error.message.as_deref().unwrap_or_default();
    let class = if said.contains("server busy") { UpstreamClass::Overloaded } else { error.class };
    UpstreamError { class, ..error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_read_by_its_status_and_its_sentence() {
        for (status, sentence, class) in [
            (404, "model 'llama9' not found", UpstreamClass::NotFound),
            (400, "\\\"llama3\\\" does not support tools", UpstreamClass::InvalidRequest),
            (503, "server busy, please try again.  maximum pending requests exceeded", UpstreamClass::Overloaded),
            (500, "llama runner process has terminated", UpstreamClass::ServerError),
        ] {
            assert_eq!(read(status, format!("{{\"error\":\"{sentence}\"}}").as_bytes()).class, class, "{sentence}");
        }
        assert_eq!(told("server busy, please try again").class, UpstreamClass::Overloaded);
        assert_eq!(told("unexpected EOF").message.as_deref(), Some("unexpected EOF"));
    }
}
