//! Errors as Cohere tells them: a body with a sentence, or a finish reason that is none.

use crate::dialect::{UpstreamClass, UpstreamError};

/// Reads the body of an answer whose status is an error.
pub(in crate::dialect) fn read(status: u16, body: &[u8]) -> UpstreamError {
    UpstreamError::from_body(status, body)
}

/// The failure that a `finish_reason` tells, with the sentence beside it if there is one.
pub(super) fn broken_off(finish: Option<&str>, said: Option<&str>) -> Option<UpstreamError> {
    let class = match finish {
        Some("ERROR") => UpstreamClass::ServerError,
        Some("TIMEOUT") => UpstreamClass::Timeout,
        Some(_) | None => {
            said?;
            UpstreamClass::ServerError
        }
    };
    let sentence = said.unwrap_or("the generation failed before it was complete");
    Some(UpstreamError {
        class,
        message: Some(sentence.chars().take(2_000).collect()),
        kind: finish.map(str::to_owned),
        ..UpstreamError::protocol("")
    })
}
