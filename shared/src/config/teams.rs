//! The section `teams`: what a team may use, how fast, and for how much.

use super::audit::{self, AuditPolicy};
use super::guardrails;
use super::names::{GuardrailName, NAME_PATTERN, NAME_RULE, TeamName, TransformName};
use super::scope::Scope;
use super::shape::{Dict, Fields, Flag, List, Parsed, Record, Whole};
use super::terms::{BUDGETS, LIMITS, Terms};
use super::transforms;
use std::fmt;

/// Every one of them is asked before a call is denied.
const MOST_SHARDS: u64 = 32;

/// What holds for a team. The default is a team that may use everything without limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Team {
    /// The organisation it belongs to.
    pub organisation: Option<String>,
    /// What it may call.
    pub models: ModelAccess,
    /// How fast, and for how much.
    pub terms: Terms,
    /// The guardrail that holds for it, beside the one that holds for all.
    pub guardrails: Option<GuardrailName>,
    /// The transformation that holds for it, beside the one that holds for all.
    pub transform: Option<TransformName>,
    /// What is written down of its requests.
    pub audit: AuditPolicy,
    /// Whether its callers may bring provider keys of their own.
    pub provider_keys: bool,
    /// How many ledgers admit its calls; `None`: the tenant's own alone does.
    pub shards: Option<u64>,
    /// Whether its budgets and limits are lent to processes that can hold what they are lent.
    pub escrow: bool,
    /// Whether streams whose length nobody named are reserved slice by slice.
    pub slices: bool,
}

/// The models, classes and routes a team may call.
///
/// As JSON a list of patterns, or null for everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(into = "Option<Vec<String>>", from = "Option<Vec<String>>")]
pub enum ModelAccess {
    /// All of them.
    #[default]
    All,
    /// Those that match one of the patterns; none when there is no pattern.
    Only(Vec<ModelPattern>),
}

impl From<ModelAccess> for Option<Vec<String>> {
    fn from(access: ModelAccess) -> Option<Vec<String>> {
        match access {
            ModelAccess::All => None,
            ModelAccess::Only(patterns) => Some(patterns.iter().map(ToString::to_string).collect()),
        }
    }
}

/// A pattern that cannot be read permits nothing, rather than everything.
impl From<Option<Vec<String>>> for ModelAccess {
    fn from(patterns: Option<Vec<String>>) -> ModelAccess {
        patterns.map_or(ModelAccess::All, |patterns| {
            ModelAccess::Only(patterns.iter().filter_map(|text| ModelPattern::parse(text)).collect())
        })
    }
}

impl ModelAccess {
    /// Whether `name` may be called: a route's or class's name as the caller said it, or the full id
    /// (`provider:model`) of a model asked for directly. Who may call a route may use all it leads to.
    pub fn permits(&self, name: &str) -> bool {
        match self {
            ModelAccess::All => true,
            ModelAccess::Only(patterns) => patterns.iter().any(|pattern| pattern.matches(name)),
        }
    }
}

/// A name in which `*` stands for any characters: `openai:*`, `fast`, `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelPattern(String);

impl ModelPattern {
    /// Reads a pattern: what names are made of, and `*`; at most 256 bytes and 8 stars.
    pub fn parse(text: &str) -> Option<ModelPattern> {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:/@+~=*".contains(&byte);
        let stars = text.bytes().filter(|byte| *byte == b'*').count();
        ((1..=256).contains(&text.len()) && text.bytes().all(good) && stars <= 8).then(|| ModelPattern(text.to_owned()))
    }

    /// Whether the pattern covers the whole of `name`.
    pub fn matches(&self, name: &str) -> bool {
        let Some((head, rest)) = self.0.split_once('*') else { return self.0 == name };
        let Some(mut name) = name.strip_prefix(head) else { return false };
        let mut parts = rest.split('*').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return name.ends_with(part);
            }
            // The leftmost place is always right: it leaves most for the parts that follow.
            match name.split_once(part) {
                Some((_, after)) => name = after,
                None => return false,
            }
        }
        true
    }

    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModelPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub(super) fn section() -> Dict<TeamName, Record<Team>> {
    Dict { name: TeamName::parse, pattern: NAME_PATTERN, rule: NAME_RULE, of: Record(team) }
}

const PATTERN: Parsed<ModelPattern> = Parsed {
    parse: |text| ModelPattern::parse(text).ok_or("is not a pattern of model names"),
    pattern: "^[A-Za-z0-9._:/@+~=*-]{1,256}$",
    hint: "Write a route, a class, provider:model or a pattern such as \"openai:*\"",
};

/// An organisation's id stands in paths and in keys of records.
const ORGANISATION: Parsed<String> = Parsed {
    parse: |text| TeamName::parse(text).map(|name| name.to_string()).ok_or("is not a good name"),
    pattern: NAME_PATTERN,
    hint: NAME_RULE,
};

fn team(fields: &mut Fields<'_, '_>) -> Option<Team> {
    let organisation = fields.optional("organisation", "the organisation it belongs to", ORGANISATION);
    let models = fields.optional("models", "what the team may call; else everything", List { of: PATTERN, min: 0 });
    let limits = fields.optional("limits", "how fast the team may call: a table, or a list with a scope each", LIMITS);
    let budgets = fields.optional("budgets", "what the team may spend", BUDGETS);
    let guardrails = fields.optional("guardrails", "the guardrail that holds beside default", guardrails::REFERENCE);
    let about = "the transformation that holds beside default";
    let transform = fields.optional("transform", about, transforms::REFERENCE);
    let audit = fields.optional("audit", "what is written down of its requests", Record(audit::policy));
    let about = "callers may bring a provider key of their own, in x-signalbox-provider-key";
    let provider_keys = fields.defaulted("provider_keys", about, Flag, false);
    let about =
        "ledgers that share the work of admitting calls which budgets alone bind; 1 is good for some 500 a second";
    let shards = fields.defaulted("shards", about, Whole { min: 1, max: MOST_SHARDS }, 1);
    let about = "lend parts of the budgets and limits to processes, which admit calls by themselves; for a second each, on the Worker";
    let escrow = fields.defaulted("escrow", about, Flag, false);
    let about = "reserve streams whose length nobody named slice by slice while they flow";
    let slices = fields.defaulted("slices", about, Flag, false);
    Some(Team {
        provider_keys,
        escrow,
        slices,
        shards: Some(shards).filter(|shards| *shards > 1),
        organisation,
        audit: audit.unwrap_or_default(),
        models: models.map_or(ModelAccess::All, ModelAccess::Only),
        terms: Terms::of(limits, budgets, &Scope::team()),
        guardrails,
        transform,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, name, want) in [
            ("*", "anything:at/all", true),
            ("fast", "fast", true),
            ("fast", "faster", false),
            ("openai:*", "openai:gpt-5.4", true),
            ("openai:*", "openai:", true),
            ("openai:*", "openai-eu:gpt-5.4", false),
            ("*:gpt-*-mini", "openai:gpt-5.4-mini", true),
            ("*:gpt-*-mini", "openai:gpt-5.4-mini-2026", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "a-c-b-c", true),
            ("a*b*c", "acb", false),
            ("**x", "yx", true),
        ] {
            assert_eq!(ModelPattern::parse(pattern).unwrap().matches(name), want, "{pattern} {name}");
        }
    }

    #[test]
    fn access_to_nothing_is_not_access_to_everything() {
        assert!(ModelAccess::All.permits("openai:gpt-5.4"));
        assert!(!ModelAccess::Only(Vec::new()).permits("openai:gpt-5.4"));
    }
}
