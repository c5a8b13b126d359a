//! The section `rules`: where a request goes by what it is, and what must be kept wherever it goes.

use super::guardrails;
use super::names::{GuardrailName, NAME_RULE, TransformName};
use super::problem::At;
use super::providers::DataPolicy;
use super::routes::{TARGET, Target};
use super::shape::{Fields, Kind, List, OneOf, Parsed, Record, wrong_type};
use super::transforms;
use crate::cel::{Condition, Item, Type, Variable};
#[cfg(test)]
use crate::json::json;
use serde_json::Value;

/// A rule: what it is about, and what follows.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// When it holds.
    pub when: Condition,
    /// Where the request goes; of all rules that hold, the first with a route decides.
    pub route: Option<Target>,
    /// What everyone who answers must keep; of all rules that hold, every one counts.
    pub require: Require,
    /// The guardrail that holds then, beside the others.
    pub guardrails: Option<GuardrailName>,
    /// The transformation that holds then, beside the others.
    pub transform: Option<TransformName>,
}

/// What a provider must keep for a request to be sent there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Require {
    /// Where it keeps data, one of these; empty: wherever.
    pub region: Vec<String>,
    /// What it promises about data, all of these.
    pub data_policy: Vec<DataPolicy>,
}

impl Require {
    /// Whether nothing is required.
    pub fn is_empty(&self) -> bool {
        self.region.is_empty() && self.data_policy.is_empty()
    }
}

/// What a condition may speak of.
pub const VARIABLES: [Variable; 14] = [
    ("model", Type::Text),
    ("team", Type::Text),
    ("user", Type::Text),
    ("organisation", Type::Text),
    ("session", Type::Text),
    ("role", Type::Text),
    ("operation", Type::Text),
    ("tags", Type::Map(Item::Text)),
    ("data_classes", Type::List(Item::Text)),
    ("needs", Type::Map(Item::Bool)),
    ("tokens_in", Type::Int),
    ("max_output_tokens", Type::Int),
    ("topic", Type::Text),
    ("complexity", Type::Double),
];

const REGION: Parsed<String> = Parsed {
    parse: |text| {
        let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
        let name = (1..=64).contains(&text.len()) && text.bytes().all(good);
        name.then(|| text.to_owned()).ok_or("is not a region")
    },
    pattern: "^[a-z0-9_-]{1,64}$",
    hint: NAME_RULE,
};

const POLICY: OneOf<DataPolicy> = OneOf {
    words: &[("no_training", DataPolicy::NoTraining), ("zero_retention", DataPolicy::ZeroRetention)],
    later: &[],
};

pub(super) fn section() -> List<Record<Rule>> {
    List { of: Record(rule), min: 0 }
}

fn rule(fields: &mut Fields<'_, '_>) -> Option<Rule> {
    let when = fields.required("when", "when it holds, in CEL", WHEN);
    let route = fields.optional("route", "where the request goes: a route, a class or a model", TARGET);
    let kept = fields.optional("require", "what everyone who answers must keep", Record(require));
    let about = "the guardrail that holds then, beside the others";
    let guardrails = fields.optional("guardrails", about, guardrails::REFERENCE);
    let about = "the transformation that holds then, beside the others";
    let transform = fields.optional("transform", about, transforms::REFERENCE);
    let idle = guardrails.is_none() && transform.is_none() && kept.as_ref().is_none_or(Require::is_empty);
    if route.is_none() && idle {
        fields.problem("when", "nothing follows from this rule", "Add a route, require, guardrails or transform");
    }
    Some(Rule { when: when?, route, require: kept.unwrap_or_default(), guardrails, transform })
}

/// The table `require`, wherever it stands.
pub(super) fn require(fields: &mut Fields<'_, '_>) -> Option<Require> {
    let region = fields.optional("region", "the provider keeps data in one of these", List { of: REGION, min: 1 });
    let policy = fields.optional("data_policy", "the provider promises all of these", List { of: POLICY, min: 1 });
    Some(Require { region: region.unwrap_or_default(), data_policy: policy.unwrap_or_default() })
}

/// A condition.
pub(super) struct When;

/// One about a request.
pub(super) const WHEN: When = When;

impl Kind for When {
    type Out = Condition;

    #[cfg(test)]
    fn schema(&self) -> Value {
        json!({ "type": "string" })
    }

    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<Condition> {
        let Value::String(text) = value else {
            wrong_type(at, value, "a condition", "Write CEL, such as 'team == \"payments\"'");
            return None;
        };
        let read = Condition::read(text, &VARIABLES);
        read.map_err(|wrong| at.problem(&format!("column {}: {}", wrong.column, wrong.message), &wrong.hint)).ok()
    }
}
