//! Errors as Cloudflare tells them: `{"success":false,"errors":[{"code":3040,"message":"…"}]}`.

use crate::dialect::{UpstreamClass, UpstreamError};

/// Reads the body of an answer whose status is an error.
pub(in crate::dialect) fn read(status: u16, body: &[u8]) -> UpstreamError {
    let error = UpstreamError::from_body(status, body);
    let class = match error.code.as_deref() {
        // The account's free allocation of the day is used up.
        Some("3036") => UpstreamClass::QuotaExhausted,
        Some("5007") => UpstreamClass::NotFound,
        Some(_) | None => error.class,
    };
    UpstreamError { class, ..error }
}
