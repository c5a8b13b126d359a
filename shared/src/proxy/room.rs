//! What a provider's rate limit leaves, by the headers of its answers: plain facts, for whoever balances calls.
//!
//! OpenAI and those that follow it: `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`, a reset being a span
//! (`6m0s`, `12ms`, `1.5s`). Anthropic: `anthropic-ratelimit-{requests,tokens}-{limit,remaining,reset}`, a reset being an
//! instant (RFC 3339). What cannot be read is as good as not there.

use super::http_proxy::find;
use crate::http::Header;
use crate::time::parse_rfc3339;
use crate::units::{Millis, Timestamp};

/// The longest rest that a header is believed.
const LONGEST: Millis = Millis(600_000);

/// Limit, what remains, when it is whole again: of requests, of tokens.
const NAMES: [[&str; 3]; 4] = [
    ["x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"],
    ["x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"],
    [
        "anthropic-ratelimit-requests-limit",
        "anthropic-ratelimit-requests-remaining",
        "anthropic-ratelimit-requests-reset",
    ],
    ["anthropic-ratelimit-tokens-limit", "anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"],
];

/// What is left of the tightest limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// In thousandths of the whole.
    pub permille: u32,
    /// Nothing is: until then calls would be refused.
    pub rest: Option<Millis>,
}

/// Reads the headers of an answer; `None` where they tell nothing.
pub(super) fn of(headers: &[Header], now: Timestamp) -> Option<Room> {
    let rooms = NAMES.iter().filter_map(|[limit, remaining, reset]| {
        let number = |name| find(headers, name)?.trim().parse::<u64>().ok();
        let (limit, remaining) = (number(limit)?, number(remaining)?);
        let permille = remaining.saturating_mul(1_000).checked_div(limit)?.min(1_000);
        let rest = || until(find(headers, reset)?.trim(), now);
        Some(Room {
            permille: u32::try_from(permille).unwrap_or(1_000),
            rest: if remaining == 0 { rest() } else { None },
        })
    });
    // Of two that are empty, the one that is empty longer.
    rooms.min_by_key(|room| (room.permille, std::cmp::Reverse(room.rest)))
}

fn until(reset: &str, now: Timestamp) -> Option<Millis> {
    let wait = match parse_rfc3339(reset) {
        Some(at) => at.since(now),
        None => span(reset)?,
    };
    Some(wait.min(LONGEST)).filter(|wait| wait.0 > 0)
}

/// `1h2m3.5s`, `12ms`, or a bare number of seconds.
fn span(text: &str) -> Option<Millis> {
    if text.is_empty() {
        return None;
    }
    let (mut sum, mut rest) = (0.0, text);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let number = crate::json::float(number)?;
        let unit = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        sum += number
            * match unit {
                "ms" => 1.0,
                "s" | "" => 1_000.0,
                "m" => 60_000.0,
                "h" => 3_600_000.0,
                "d" => 86_400_000.0,
                _ => return None,
            };
        rest = after;
    }
    Some(Millis(sum as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    const NOW: Timestamp = Timestamp(1_792_000_000_000);

    fn room(headers: &[(&'static str, &str)]) -> Option<(u32, Option<u64>)> {
        let headers: Vec<Header> = headers.iter().map(|(n, v)| (Cow::Borrowed(*n), (*v).to_owned())).collect();
        of(&headers, NOW).map(|room| (room.permille, room.rest.map(|rest| rest.0)))
    }

    #[test]
    fn the_tightest_limit_counts_in_either_providers_words() {
        let openai = |left, reset| {
            room(&[
                ("x-ratelimit-limit-requests", "200"),
                ("x-ratelimit-remaining-requests", left),
                ("x-ratelimit-reset-requests", reset),
                ("x-ratelimit-limit-tokens", "40000"),
                ("x-ratelimit-remaining-tokens", "30000"),
            ])
        };
        assert_eq!(openai("50", "1s"), Some((250, None)), "who has room needs no rest");
        assert_eq!(openai("180", "1s"), Some((750, None)));
        assert_eq!(openai("0", "6m0s"), Some((0, Some(360_000))));
        assert_eq!(openai("0", "1.5s"), Some((0, Some(1_500))));
        assert_eq!(openai("0", "12ms"), Some((0, Some(12))));
        assert_eq!(openai("0", "soon"), Some((0, None)));
        assert_eq!(openai("0", "20d"), Some((0, Some(600_000))), "nobody is believed for so long");
        let anthropic = |reset: &str| {
            room(&[
                ("anthropic-ratelimit-requests-limit", "50"),
                ("anthropic-ratelimit-requests-remaining", "0"),
                ("anthropic-ratelimit-requests-reset", reset),
            ])
        };
        assert_eq!(anthropic(&crate::time::rfc3339(NOW + Millis(9_000))), Some((0, Some(9_000))));
        assert_eq!(anthropic("2001-01-01T00:00:00Z"), Some((0, None)), "what is over needs no rest");
    }

    #[test]
    fn nonsense_tells_nothing() {
        for (limit, left) in [("0", "5"), ("-1", "5"), ("10", "many"), ("", ""), ("1e3", "1"), ("10", "")] {
            let headers = [("x-ratelimit-limit-tokens", limit), ("x-ratelimit-remaining-tokens", left)];
            assert_eq!(room(&headers), None, "{limit} {left}");
        }
        assert_eq!(room(&[("x-ratelimit-remaining-tokens", "0")]), None);
        let more = [("x-ratelimit-limit-tokens", "10"), ("x-ratelimit-remaining-tokens", "18446744073709551615")];
        assert_eq!(room(&more), Some((1_000, None)));
    }
}
