//! Instants and spans as HTTP and people write them. No clock here: a [`Timestamp`] always comes from outside.

use crate::units::{Millis, Timestamp};

const DAY_MS: u64 = 86_400_000;
/// Past the year 9999 no form has room.
const LAST_MS: u64 = 253_402_300_799_999;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// Units of a span, in nanoseconds. A year has 365.25 days, a month is a twelfth of it.
const UNITS: [(&[&str], u64); 10] = [
    (&["ns", "nsec", "nanos"], 1),
    (&["us", "µs", "usec"], 1_000),
    (&["ms", "msec", "millis"], 1_000_000),
    (&["s", "sec", "secs", "second", "seconds"], 1_000_000_000),
    (&["m", "min", "mins", "minute", "minutes"], 60_000_000_000),
    (&["h", "hr", "hrs", "hour", "hours"], 3_600_000_000_000),
    (&["d", "day", "days"], 86_400_000_000_000),
    (&["w", "wk", "wks", "week", "weeks"], 604_800_000_000_000),
    (&["M", "month", "months"], 2_630_016_000_000_000),
    (&["y", "yr", "yrs", "year", "years"], 31_557_600_000_000_000),
];

/// An HTTP date in any of the three forms of RFC 9110, section 5.6.7.
pub fn parse_http_date(text: &str) -> Option<Timestamp> {
    let parts: Vec<&str> = text.split([' ', ',', '-', ':']).filter(|part| !part.is_empty()).collect();
    let (date, time) = match *parts.as_slice() {
        [_, day, month, year, hour, minute, second, "GMT"] => ((year, month, day), (hour, minute, second)),
        [_, month, day, hour, minute, second, year] => ((year, month, day), (hour, minute, second)),
        _ => return None,
    };
    let month = MONTHS.iter().position(|name| *name == date.1)? as u64 + 1;
    let year = match number(date.0)? {
        short @ 0..70 => short + 2_000,
        short @ 70..100 => short + 1_900,
        year => year,
    };
    instant((year, month, number(date.2)?), (number(time.0)?, number(time.1)?, number(time.2)?))
}

/// An instant as `2026-11-21T04:25:00.000Z` (RFC 3339).
pub fn rfc3339(at: Timestamp) -> String {
    let at = at.0.min(LAST_MS);
    let ((year, month, day), ms) = (date(at / DAY_MS), at % DAY_MS);
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", ms % 1_000)
}

/// Reads an instant in UTC: `2027-01-31T00:00:00Z`, with or without fractions of a second.
pub fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let (time, fraction) = match time.split_once('.') {
        Some((_, fraction)) if fraction.len() > 9 => return None,
        Some((time, fraction)) => {
            (time, number(fraction.get(..3).unwrap_or(fraction))? * [1, 100, 10, 1].get(fraction.len().min(3))?)
        }
        None => (time, 0),
    };
    let three = |text: &str, by: char, width: usize| {
        let parts: Vec<&str> = text.split(by).collect();
        match *parts.as_slice() {
            [one, two, three] if one.len() == width && two.len() == 2 && three.len() == 2 => {
                Some((number(one)?, number(two)?, number(three)?))
            }
            _ => None,
        }
    };
    instant(three(date, '-', 4)?, three(time, ':', 2)?).map(|at| at + Millis(fraction))
}

/// Reads a span: `90s`, `1h 30m`, `1.5 days`.
pub fn parse_span(text: &str) -> Option<Millis> {
    let (mut sum, mut rest) = (0_u64, text.trim());
    loop {
        let (amount, after) = rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?)?;
        let after = after.trim_start();
        let (unit, after) = after.split_at_checked(after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len()))?;
        let (_, unit) = UNITS.iter().find(|(names, _)| names.contains(&unit))?;
        let (whole, part) = amount.split_once('.').unwrap_or((amount, "0"));
        let divisor = 10_u64.checked_pow(u32::try_from(part.len()).ok()?)?;
        let part = u128::from(number(part)?) * u128::from(*unit) / u128::from(divisor);
        sum = sum.checked_add(number(whole)?.checked_mul(*unit)?)?.checked_add(u64::try_from(part).ok()?)?;
        rest = after.trim_start();
        if rest.is_empty() {
            return Some(Millis(sum / 1_000_000));
        }
    }
}

/// Digits and nothing else.
fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A leap second is the one before it.
fn instant(date: (u64, u64, u64), (hour, minute, second): (u64, u64, u64)) -> Option<Timestamp> {
    let fits = hour < 24 && minute < 60 && second <= 60;
    let seconds = hour * 3_600 + minute * 60 + second.min(59);
    fits.then_some(Timestamp(day(date)?.checked_mul(DAY_MS)? + seconds * 1_000))
}

/// Which day since 1970 a date is. Years begin in March here, so that the day some of them lack is their last; see
/// Howard Hinnant, "chrono-compatible low-level date algorithms".
fn day(asked: (u64, u64, u64)) -> Option<u64> {
    let (year, month, day) = asked;
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (year, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * months + 2) / 5 + day - 719_469;
    // The 31st of a month that has none is a day of the next.
    (date(days) == asked).then_some(days)
}

/// The date of a day since 1970.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let months = (5 * day + 2) / 153;
    let month = if months < 10 { months + 3 } else { months - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day - (153 * months + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn instants_are_written_and_read_in_utc() {
        let at = Timestamp(1_795_233_600_123);
        assert_eq!(rfc3339(at), "2026-11-21T04:00:00.123Z");
        assert_eq!(parse_rfc3339("2026-11-21T04:00:00.123Z"), Some(at));
        assert_eq!(parse_rfc3339("2026-11-21T04:00:00.1239Z"), Some(at));
        for date in ["Sat, 21 Nov 2026 04:00:00 GMT", "Saturday, 21-Nov-26 04:00:00 GMT", "Sat Nov 21 04:00:00 2026"] {
            assert_eq!(parse_http_date(date), Some(Timestamp(1_795_233_600_000)), "{date}");
        }
        for bad in [
            "",
            "tomorrow",
            "2026-13-01T00:00:00Z",
            "2026-11-21",
            "2026-02-29T00:00:00Z",
            "2026-11-21T24:00:00Z",
            "1969-12-31T00:00:00Z",
            "2026-11-21T04:00:00.Z",
            "2026-11-21T4:00:00Z",
            "2026-11-21T04:00:00",
        ] {
            assert_eq!((parse_rfc3339(bad), parse_http_date(bad)), (None, None), "{bad}");
        }
    }

    #[test]
    fn spans_are_read_as_humantime_reads_them() {
        for text in [
            "90s",
            "1h 30m",
            "1h30m",
            " 7 d ",
            "1.5days",
            "2weeks",
            "1month",
            "1M",
            "1year",
            "1500ms",
            "1us",
            "0s",
            "15 min 3 sec",
            "0.25y",
            "",
            "5",
            "s",
            "1 fortnight",
            "-1s",
            "1.s",
            "1h,2m",
            "1..5h",
        ] {
            let theirs = humantime::parse_duration(text).ok().map(|span| Millis(span.as_millis() as u64));
            assert_eq!(parse_span(text), theirs, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_instant_is_told_as_the_crates_of_the_field_tell_it(ms in 0..=LAST_MS) {
            let at = UNIX_EPOCH + Duration::from_millis(ms);
            let text = humantime::format_rfc3339_millis(at).to_string();
            prop_assert_eq!(&rfc3339(Timestamp(ms)), &text);
            prop_assert_eq!(parse_rfc3339(&text), Some(Timestamp(ms)));
            prop_assert_eq!(parse_http_date(&httpdate::fmt_http_date(at)), Some(Timestamp(ms / 1_000 * 1_000)));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9TZ:. -]{0,30}|.{0,20}") {
            let _ = (parse_rfc3339(&text), parse_http_date(&text), parse_span(&text));
        }
    }
}
