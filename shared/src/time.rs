//! Instants as HTTP and people write them. No clock here: a [`Timestamp`] always comes from outside.

use crate::units::{Millis, Timestamp};
use std::time::{Duration, UNIX_EPOCH};

/// An HTTP date in any of the three forms of RFC 9110, section 5.6.7.
pub fn parse_http_date(text: &str) -> Option<Timestamp> {
    let since_epoch = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp(u64::try_from(since_epoch.as_millis()).ok()?))
}

/// An instant as `2026-11-21T04:25:00.000Z` (RFC 3339).
pub fn rfc3339(at: Timestamp) -> String {
    // Past the year 9999 the form has no room.
    let at = UNIX_EPOCH + Duration::from_millis(at.0.min(253_402_300_799_999));
    humantime::format_rfc3339_millis(at).to_string()
}

/// Reads an instant in UTC: `2027-01-31T00:00:00Z`, with or without fractions of a second.
pub fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    let since_epoch = humantime::parse_rfc3339(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp(0) + Millis(u64::try_from(since_epoch.as_millis()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_and_read_in_utc() {
        let at = Timestamp(1_795_233_600_123);
        assert_eq!(rfc3339(at), "2026-11-21T04:00:00.123Z");
        assert_eq!(parse_rfc3339("2026-11-21T04:00:00.123Z"), Some(at));
        assert_eq!(parse_http_date("Sat, 21 Nov 2026 04:00:00 GMT"), Some(Timestamp(1_795_233_600_000)));
        for bad in ["", "tomorrow", "2026-13-01T00:00:00Z", "2026-11-21"] {
            assert_eq!(parse_rfc3339(bad), None, "{bad}");
        }
    }
}
