//! The section `routes`: names that callers use as `model`, and who answers to them.

use super::names::{ModelId, NAME_PATTERN, NAME_RULE, RouteName};
use super::problem::At;
use super::shape::{Dict, Fields, Kind, List, OneOf, Parsed, Real, Record};
use super::timing::{self, TimeoutsOverride};
use crate::catalog::Class;
use serde_json::Value;
#[cfg(test)]
use serde_json::json;
use std::fmt;

/// A route: one name, several models.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// How the first candidate is chosen.
    pub strategy: Strategy,
    /// Who can answer. Never empty.
    pub candidates: Vec<Candidate>,
    /// Where to go when every candidate failed, in order.
    pub fallbacks: Vec<Target>,
    /// The route's own timeouts, over the provider's.
    pub timeouts: TimeoutsOverride,
}

/// How a route chooses among its candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// In the order they are written.
    Ordered,
    /// By chance, in proportion to their weights; the others follow in the same way.
    Weighted,
}

/// One who can answer to a route.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The model.
    pub model: ModelId,
    /// Its share among the candidates: finite and above zero; 1 unless said otherwise.
    pub weight: f64,
}

/// What a configuration can point to where a caller could say a model.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A route of this configuration.
    Route(RouteName),
    /// A class filled from the catalog.
    Class(Class),
    /// One model of one provider.
    Model(ModelId),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Route(name) => name.fmt(f),
            Target::Class(class) => f.write_str(class.as_str()),
            Target::Model(id) => id.fmt(f),
        }
    }
}

const STRATEGY: OneOf<Strategy> = OneOf {
    words: &[("ordered", Strategy::Ordered), ("fallback", Strategy::Ordered), ("weighted", Strategy::Weighted)],
    later: &[
        "static", "hash", "cost", "latency", "load", "quality", "learned", "semantic", "cascade", "race", "bandit",
        "role", "shadow",
    ],
};

// Above zero: a candidate that is never chosen is a mistake, and tiny weights lose their meaning in sums.
const WEIGHT: Real = Real { min: 1e-6, max: 1e6, hint: "Use a number from 0.000001 to 1000000" };

const MODEL: Parsed<ModelId> = Parsed {
    parse: |text| ModelId::parse(text).ok_or("is not a provider-qualified model"),
    pattern: "^[a-z0-9][a-z0-9_-]{0,63}:[A-Za-z0-9._:/@+~=-]{1,256}$",
    hint: "Write provider:model, such as \"openai:gpt-5.4\"",
};

/// A route, a class or a model, not yet looked up: a name could be a route that is written further on.
pub(super) const TARGET: Parsed<Target> = Parsed {
    parse: |text| {
        let model = || ModelId::parse(text).map(Target::Model);
        let route = || RouteName::parse(text).map(Target::Route);
        model().or_else(route).ok_or("is neither a route nor a class nor a model")
    },
    pattern: "^[a-z0-9][a-z0-9_-]{0,63}(:[A-Za-z0-9._:/@+~=-]{1,256})?$",
    hint: "Write the name of a route or class, or provider:model",
};

pub(super) fn section() -> Dict<RouteName, Record<Route>> {
    Dict { name: RouteName::parse, pattern: NAME_PATTERN, rule: NAME_RULE, of: Record(route) }
}

fn route(fields: &mut Fields<'_, '_>) -> Option<Route> {
    let strategy = fields.optional("strategy", "how a candidate is chosen; else in order", STRATEGY);
    let candidates = fields.required("candidates", "the models of this route", List { of: CandidateKind, min: 1 });
    let fallbacks =
        fields.optional("fallbacks", "where to go when every candidate failed", List { of: TARGET, min: 0 });
    let timeouts = fields.optional("timeouts", "over the provider's", Record(timing::timeouts));
    Some(Route {
        strategy: strategy.unwrap_or(Strategy::Ordered),
        candidates: candidates?,
        fallbacks: fallbacks.unwrap_or_default(),
        timeouts: timeouts.unwrap_or_default(),
    })
}

/// A candidate is a model, alone or with a weight.
struct CandidateKind;

impl Kind for CandidateKind {
    type Out = Candidate;

    #[cfg(test)]
    fn schema(&self) -> Value {
        json!({ "anyOf": [MODEL.schema(), Record(weighted).schema()] })
    }

    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<Candidate> {
        match value {
            Value::Object(_) => Record(weighted).read(value, at),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                MODEL.read(value, at).map(|model| Candidate { model, weight: 1.0 })
            }
        }
    }
}

fn weighted(fields: &mut Fields<'_, '_>) -> Option<Candidate> {
    let model = fields.required("model", "provider:model", MODEL);
    let weight = fields.optional("weight", "its share among the candidates; else 1", WEIGHT);
    Some(Candidate { model: model?, weight: weight.unwrap_or(1.0) })
}
