//! The section `cache`: whether answers are kept, and for how long.

use super::shape::{Fields, OneOf, Parsed, Real, Record};
use crate::units::Millis;

/// How answers are kept. The default is not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cache {
    /// How long the answer to exactly the same question is good; `None`: no answer is kept.
    pub exact: Option<Millis>,
    /// How answers to questions that are nearly the same are given; `None`: they are not.
    pub semantic: Option<Semantic>,
    /// Whether cache points are set in long prompts for providers that keep them only then.
    pub prompt: bool,
}

/// How answers to questions that are nearly the same are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Semantic {
    /// How long an answer is good.
    pub ttl: Millis,
    /// How alike the questions must be, in thousandths.
    pub threshold: u32,
    /// Whether they are given, or it is only written down that they would have been.
    pub mode: Mode,
}

/// What is done with a kept answer to a question that is nearly the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It is written down that there was one.
    #[default]
    Shadow,
    /// It is given.
    On,
}

/// A span as people write it: `90s`, `1h`, `7d`.
const SPAN: Parsed<Millis> = Parsed {
    parse: |text| {
        let span = crate::time::parse_span(text);
        span.filter(|span| (1_000..=LONGEST_MS).contains(&span.0)).ok_or("is not a span from 1s to 31d")
    },
    pattern: "^[0-9]+ ?[a-z]+( ?[0-9]+ ?[a-z]+)*$",
    hint: "Write a number and a unit, such as \"90s\", \"15m\", \"1h\" or \"7d\"",
};

const LONGEST_MS: u64 = 31 * 24 * 3_600_000;

pub(super) fn cache(fields: &mut Fields<'_, '_>) -> Option<Cache> {
    let exact = fields.optional("exact", "keep answers for those who ask exactly the same", Record(exact));
    let semantic = fields.optional("semantic", "keep answers for those who ask nearly the same", Record(semantic));
    let words: OneOf<bool> = OneOf { words: &[("auto", true), ("off", false)], later: &[] };
    let prompt =
        fields.optional("prompt", "cache points in long prompts, where the provider needs them; else off", words);
    Some(Cache { exact, semantic, prompt: prompt.unwrap_or_default() })
}

fn exact(fields: &mut Fields<'_, '_>) -> Option<Millis> {
    fields.required("ttl", "how long an answer is good", SPAN)
}

fn semantic(fields: &mut Fields<'_, '_>) -> Option<Semantic> {
    let ttl = fields.required("ttl", "how long an answer is good", SPAN);
    let range = Real { min: 0.8, max: 0.99, hint: "Use a number from 0.8 to 0.99" };
    let threshold = fields.optional("threshold", "how alike the questions must be; else 0.93", range);
    let words: OneOf<Mode> = OneOf { words: &[("shadow", Mode::Shadow), ("on", Mode::On)], later: &[] };
    let mode = fields.optional(
        "mode",
        "whether answers are given, or would-be hits are only written down; else shadow",
        words,
    );
    let threshold = (threshold.unwrap_or(0.93) * 1_000.0).round() as u32;
    Some(Semantic { ttl: ttl?, threshold, mode: mode.unwrap_or_default() })
}
