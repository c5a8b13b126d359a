//! What every operation with a whole JSON answer does with it: tell an answer from an error in an
//! answer's clothes, and read what it consumed.

use crate::dialect::json_read::{Object, Path};
use crate::dialect::{Finish, Observed, ProtocolError, UpstreamError};
use crate::usage::Usage;
use bytes::Bytes;

/// An answer in the caller's words, and what settlement needs of it.
#[derive(Debug)]
pub struct Written {
    /// JSON.
    pub body: Bytes,
    /// What it consumed.
    pub observed: Observed,
}

impl Written {
    /// A complete answer. Nothing is produced that could be counted: without `usage` the request alone
    /// is charged.
    pub(super) fn new(body: impl Into<Bytes>, model: Option<String>, usage: Option<Usage>) -> Written {
        let observed = Observed { usage, finish: Finish::Complete, output_bytes: 0, model, content_started: true };
        Written { body: body.into(), observed }
    }
}

/// The members of an answer that has one of `expected`; otherwise the failure it tells of.
pub(super) fn open<'a, 'p>(
    text: &'a str,
    path: &'p Path<'p>,
    expected: &[&str],
) -> Result<Object<'a, 'p>, ProtocolError> {
    let Ok(mut top) = Object::read(text, path) else {
        let json = crate::json::parse::<serde::de::IgnoredAny>(text).is_ok();
        return Err(if json {
            ProtocolError::WrongShape("the answer is not a JSON object")
        } else {
            ProtocolError::NotJson
        });
    };
    if expected.iter().any(|name| top.has(name)) {
        return Ok(top);
    }
    let failed = top.take("error").map(|raw| UpstreamError::from_event(raw.get()));
    let failed = failed.or_else(|| {
        ["errors", "detail", "message"].iter().any(|name| top.has(name)).then(|| UpstreamError::from_event(text))
    });
    Err(failed.map_or(ProtocolError::WrongShape("the answer has no result"), ProtocolError::Upstream))
}

/// An answer's bytes as text.
pub(super) fn text(body: &[u8]) -> Result<&str, ProtocolError> {
    std::str::from_utf8(body).map(|text| text.trim_start_matches('\u{feff}')).map_err(|_| ProtocolError::NotJson)
}

/// What `usage` says was read: all of it is input. Some providers tell the total alone.
pub(super) fn input(top: &mut Object<'_, '_>) -> Option<Usage> {
    let path = Path::Root;
    let mut usage = Object::read(top.take("usage")?.get(), &path).ok()?;
    let mut count = |name: &str| usage.count(name).ok().flatten().filter(|count| *count <= MOST_TOKENS);
    let input = count("prompt_tokens").filter(|count| *count > 0).or_else(|| count("total_tokens"))?;
    Some(Usage { input, ..Usage::default() })
}

/// More tokens than any call consumes; a larger number is not believed.
pub(super) const MOST_TOKENS: u64 = 1_000_000_000;
