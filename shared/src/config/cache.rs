//! The section `cache`: whether answers are kept, and for how long.

use super::shape::{Fields, Parsed, Record};
use crate::units::Millis;

/// How answers are kept. The default is not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cache {
    /// How long the answer to exactly the same question is good; `None`: no answer is kept.
    pub exact: Option<Millis>,
}

/// A span as people write it: `90s`, `1h`, `7d`.
const SPAN: Parsed<Millis> = Parsed {
    parse: |text| {
        let span = humantime::parse_duration(text).ok().and_then(|span| u64::try_from(span.as_millis()).ok());
        span.filter(|ms| (1_000..=LONGEST_MS).contains(ms)).map(Millis).ok_or("is not a span from 1s to 31d")
    },
    pattern: "^[0-9]+ ?[a-z]+( ?[0-9]+ ?[a-z]+)*$",
    hint: "Write a number and a unit, such as \"90s\", \"15m\", \"1h\" or \"7d\"",
};

const LONGEST_MS: u64 = 31 * 24 * 3_600_000;

pub(super) fn cache(fields: &mut Fields<'_, '_>) -> Option<Cache> {
    let exact = fields.optional("exact", "keep answers for those who ask exactly the same", Record(exact));
    fields.later(&["semantic"]);
    Some(Cache { exact })
}

fn exact(fields: &mut Fields<'_, '_>) -> Option<Millis> {
    fields.required("ttl", "how long an answer is good", SPAN)
}
