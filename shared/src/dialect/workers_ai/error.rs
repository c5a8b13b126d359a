//! Errors as Cloudflare tells them: `{"success":false,"errors":[{"code":3040,"message":"…"}]}` over REST,
//! `{"internalCode":3040,"message":"…","name":"…","description":"…"}` by the binding.

use crate::dialect::json_read::{Object, Path};
use crate::dialect::{UpstreamClass, UpstreamError};

/// Reads the body of an answer whose status is an error.
pub(in crate::dialect) fn read(status: u16, body: &[u8]) -> UpstreamError {
    let mut error = UpstreamError::from_body(status, body);
    error.code = error.code.or_else(|| internal_code(body));
    let class = match error.code.as_deref() {
        // The account's free allocation of the day is used up.
        Some("3036") => UpstreamClass::QuotaExhausted,
        Some("5007") => UpstreamClass::NotFound,
        Some(_) | None => error.class,
    };
    UpstreamError { class, ..error }
}

/// The number by which the binding tells what happened.
fn internal_code(body: &[u8]) -> Option<String> {
    let mut object = Object::read(std::str::from_utf8(body).ok()?, &Path::Root).ok()?;
    object.count("internalCode").ok().flatten().map(|code| code.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_tells_what_happened_over_rest_and_by_the_binding() {
        for (status, body, class, message) in [
            (400, r#"{"success":false,"errors":[{"code":5007,"message":"gone"}]}"#, UpstreamClass::NotFound, "gone"),
            (400, r#"{"internalCode":5007,"message":"gone","name":"E"}"#, UpstreamClass::NotFound, "gone"),
            (429, r#"{"internalCode":3036,"message":"spent"}"#, UpstreamClass::QuotaExhausted, "spent"),
            (429, r#"{"internalCode":3040,"message":"full"}"#, UpstreamClass::RateLimited, "full"),
            (400, r#"{"internalCode":"x","message":"odd"}"#, UpstreamClass::InvalidRequest, "odd"),
        ] {
            let error = read(status, body.as_bytes());
            assert_eq!((error.class, error.message.as_deref()), (class, Some(message)), "{body}");
        }
    }
}
