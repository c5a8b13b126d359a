//! The section `context`: which governed definitions requests are given, by policies with names.

use super::names::{ContextName, NAME_PATTERN, NAME_RULE};
use super::rules::WHEN;
use super::shape::{Dict, Fields, Flag, List, OneOf, Parsed, Real, Record, Whole};
use crate::cel::Condition;
use crate::context::Near;
use crate::sorted::SortedMap;
use crate::units::Tokens;

/// Policies by name; all that hold for a request count.
pub type Context = SortedMap<ContextName, Policy>;

/// A policy: for whom, which definitions, how much of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// For which requests; for all without.
    pub when: Option<Condition>,
    /// Definitions with any of these tags.
    pub tags: Vec<String>,
    /// Definitions whose terms or aliases are in the request.
    pub aliases: bool,
    /// Definitions that the last thing the user says is about.
    pub meaning: Option<Near>,
    /// The most that is told.
    pub max_tokens: Tokens,
    /// What happens to a definition whose certification has ended.
    pub stale: Staleness,
}

/// What happens to a definition whose certification has ended; the later, the stricter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Staleness {
    /// It is told, and that it is out of date.
    #[default]
    Warn,
    /// It is not told.
    Omit,
    /// The request is refused.
    Refuse,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            when: None,
            tags: Vec::new(),
            aliases: true,
            meaning: None,
            max_tokens: MAX_TOKENS,
            stale: Staleness::default(),
        }
    }
}

/// The most that is told unless a policy says otherwise.
const MAX_TOKENS: Tokens = 1_000;

pub(super) const TAG: Parsed<String> = Parsed {
    parse: |text| {
        let good = (1..=128).contains(&text.len()) && !text.chars().any(char::is_control);
        good.then(|| text.to_owned()).ok_or("is not a tag")
    },
    pattern: "^.{1,128}$",
    hint: "Write a tag as definitions have it, such as \"finance\"",
};

pub(super) fn section() -> Dict<ContextName, Record<Policy>> {
    Dict { name: ContextName::parse, pattern: NAME_PATTERN, rule: NAME_RULE, of: Record(policy) }
}

fn policy(fields: &mut Fields<'_, '_>) -> Option<Policy> {
    let default = Policy::default();
    let when = fields.optional("when", "for which requests, in CEL; for all without", WHEN);
    let tags = fields.optional("tags", "definitions with any of these", List { of: TAG, min: 1 });
    let aliases =
        fields.defaulted("aliases", "definitions whose terms or aliases are in the request", Flag, default.aliases);
    let about = "definitions that the last thing the user says is about; needs the weights of the embedding";
    let meaning = fields.optional("meaning", about, Record(near));
    let most = Whole { min: 32, max: 32_000 };
    let max_tokens = fields.defaulted("max_tokens", "the most that is told", most, default.max_tokens);
    let words: OneOf<Staleness> = OneOf {
        words: &[("warn", Staleness::Warn), ("omit", Staleness::Omit), ("refuse", Staleness::Refuse)],
        later: &[],
    };
    let stale = fields.optional("stale", "what happens to one whose certification has ended; else warn", words);
    if !aliases && tags.is_none() && meaning.is_none() {
        fields.problem("aliases", "nothing is chosen by this policy", "Add tags, or leave aliases out");
    }
    Some(Policy {
        when,
        tags: tags.unwrap_or_default(),
        aliases,
        meaning,
        max_tokens,
        stale: stale.unwrap_or_default(),
    })
}

fn near(fields: &mut Fields<'_, '_>) -> Option<Near> {
    let range = Real { min: 0.3, max: 0.99, hint: "Use a number from 0.3 to 0.99" };
    let threshold = fields.optional("threshold", "how alike both must be; else 0.55", range);
    let most = fields.defaulted("most", "the most that are given, the likest first", Whole { min: 1, max: 50 }, 3);
    Some(Near {
        threshold: (threshold.unwrap_or(0.55) * 1_000.0).round() as u32,
        most: usize::try_from(most).unwrap_or(3),
    })
}
