//! The section `routes`: names that callers use as `model`, and who answers to them.

use super::guardrails;
use super::names::{GuardrailName, ModelId, NAME_PATTERN, NAME_RULE, RouteName, TransformName};
use super::problem::At;
use super::rules::{Require, require};
use super::shape::{Dict, Fields, Flag, Kind, List, Parsed, Real, Record, Whole};
use super::strategy::{Judge, Strategy, judge, strategy};
use super::timing::{self, TimeoutsOverride};
use super::transforms;
use crate::catalog::Class;

#[cfg(test)]
use crate::json::json;
use serde_json::Value;
use std::fmt;

/// A route: one name, several models.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Who answers.
    pub group: Group,
    /// What every one who answers must keep.
    pub require: Require,
    /// Who is sent copies in the background.
    pub shadow: Option<Shadow>,
    /// Whether a refusal by a provider's content policy leads to the next candidate.
    pub past_content_policy: bool,
    /// The route's own timeouts, over the provider's.
    pub timeouts: TimeoutsOverride,
    /// The guardrail that holds for calls of it, beside the others.
    pub guardrails: Option<GuardrailName>,
    /// The transformation that holds for calls of it, beside the others.
    pub transform: Option<TransformName>,
}

/// Several who can answer, how one is chosen, and who stands in for all of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// How the first candidate is chosen, and the order of the others.
    pub strategy: Strategy,
    /// Who can answer. Never empty.
    pub candidates: Vec<Candidate>,
    /// Where to go when every candidate failed, in order.
    pub fallbacks: Vec<Target>,
}

/// One who can answer to a route.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Who.
    pub choice: Choice,
    /// Its share among the candidates: finite and above zero; 1 unless said otherwise.
    pub weight: f64,
    /// It is on trial, with a share of its own.
    pub canary: Option<Canary>,
    /// The agents' roles or stages it is for; empty: any that has no other.
    pub roles: Vec<String>,
    /// What prompts are about that it is for; empty: any that has no other.
    pub topics: Vec<String>,
}

/// What a candidate is.
#[derive(Clone, Debug, PartialEq)]
pub enum Choice {
    /// A model, a route or a class.
    Target(Target),
    /// A group of its own.
    Group(Box<Group>),
}

/// A candidate on trial: it gets its share until it does badly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Canary {
    /// Its share of the route's calls, above 0 and at most 1.
    pub share: f64,
    /// It is taken back when more than this part of its calls fails.
    pub max_error_rate: f64,
    /// It is taken back when its time to first token exceeds this; `None`: whatever it takes.
    pub max_ttft_ms: Option<u64>,
    /// Calls before it is judged.
    pub min_calls: u64,
}

/// Who is sent copies of a route's calls: what comes of them reaches no caller.
#[derive(Clone, Debug, PartialEq)]
pub struct Shadow {
    /// Whom to send them.
    pub model: ModelId,
    /// Of how many of the calls, above 0 and at most 1.
    pub share: f64,
    /// Who says whether an answer will do, where the route learns from it.
    pub judge: Option<Judge>,
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

// Above zero: a candidate that is never chosen is a mistake, and tiny weights lose their meaning in sums.
const WEIGHT: Real = Real { min: 1e-6, max: 1e6, hint: "Use a number from 0.000001 to 1000000" };
/// A part of all calls.
const SHARE: Real = Real { min: 1e-6, max: 1.0, hint: "Use a number from 0.000001 to 1" };
const RATE: Real = Real { min: 0.0, max: 1.0, hint: "Use a number from 0 to 1" };
/// An hour.
const SPAN: Whole = Whole { min: 1, max: 3_600_000 };

pub(super) const MODEL: Parsed<ModelId> = Parsed {
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

const ROLE: Parsed<String> = Parsed {
    parse: |text| match text.len() {
        1..=64 => Ok(text.to_owned()),
        _ => Err("is no role"),
    },
    pattern: "^.{1,64}$",
    hint: "Write what the tag `role` says, such as \"planner\"",
};

/// What a prompt can be about.
pub const TOPICS: [&str; 8] =
    ["code", "math", "writing", "extraction", "translation", "reasoning", "knowledge", "chat"];

/// Whether there is such a topic only the whole document tells.
const TOPIC: Parsed<String> = Parsed {
    parse: |text| RouteName::parse(text).map(|_| text.to_owned()).ok_or("is no topic"),
    pattern: NAME_PATTERN,
    hint: "Use code, math, writing, extraction, translation, reasoning, knowledge, chat, or one of router.topics",
};

pub(super) fn section() -> Dict<RouteName, Record<Route>> {
    Dict { name: RouteName::parse, pattern: NAME_PATTERN, rule: NAME_RULE, of: Record(route) }
}

fn route(fields: &mut Fields<'_, '_>) -> Option<Route> {
    let group = group(fields);
    let require = fields.optional("require", "what everyone who answers must keep", Record(require));
    let shadow = fields.optional("shadow", "who is sent copies in the background", Record(shadow));
    let past = fields.defaulted(
        "past_content_policy",
        "try the next candidate when a provider's content policy refuses",
        Flag,
        false,
    );
    let timeouts = fields.optional("timeouts", "over the provider's", Record(timing::timeouts));
    let guardrails = fields.optional("guardrails", "the guardrail that holds beside the others", guardrails::REFERENCE);
    let about = "the transformation that holds beside the others";
    let transform = fields.optional("transform", about, transforms::REFERENCE);
    Some(Route {
        group: group?,
        require: require.unwrap_or_default(),
        shadow,
        past_content_policy: past,
        timeouts: timeouts.unwrap_or_default(),
        guardrails,
        transform,
    })
}

fn group(fields: &mut Fields<'_, '_>) -> Option<Group> {
    let strategy = strategy(fields);
    let about = "models, routes, classes, or groups of them";
    let candidates = fields.required("candidates", about, List { of: CandidateKind, min: 1 });
    let fallbacks =
        fields.optional("fallbacks", "where to go when every candidate failed", List { of: TARGET, min: 0 });
    Some(Group { strategy, candidates: candidates?, fallbacks: fallbacks.unwrap_or_default() })
}

/// A candidate is a name, alone or with what is said about it, or a group.
struct CandidateKind;

impl Kind for CandidateKind {
    type Out = Candidate;

    #[cfg(test)]
    fn schema(&self) -> Value {
        // A group holds candidates: the schema refers to itself there.
        json!({ "anyOf": [TARGET.schema(), Record(named).schema(), { "$ref": GROUP }] })
    }

    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<Candidate> {
        match value {
            Value::Object(table) if table.contains_key("candidates") => Record(nested).read(value, at),
            Value::Object(_) => Record(named).read(value, at),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                TARGET.read(value, at).map(|target| Candidate::of(Choice::Target(target)))
            }
        }
    }
}

/// Where the schema of a group within a group stands.
#[cfg(test)]
pub(super) const GROUP: &str = "#/$defs/group";

/// The schema of a group within a group.
#[cfg(test)]
pub(super) fn group_schema() -> Value {
    Record(nested).schema()
}

impl Group {
    /// Whether a choice within it is made by what a prompt is about.
    pub fn tells_topics(&self) -> bool {
        self.strategy == Strategy::Semantic
            || self.candidates.iter().any(|candidate| match &candidate.choice {
                Choice::Group(inner) => inner.tells_topics(),
                Choice::Target(_) => false,
            })
    }
}

impl Candidate {
    /// A candidate about which nothing else is said.
    pub fn of(choice: Choice) -> Candidate {
        Candidate { choice, weight: 1.0, canary: None, roles: Vec::new(), topics: Vec::new() }
    }
}

fn named(fields: &mut Fields<'_, '_>) -> Option<Candidate> {
    let target = fields.required("model", "provider:model, a route or a class", TARGET);
    share(fields, target.map(Choice::Target))
}

fn nested(fields: &mut Fields<'_, '_>) -> Option<Candidate> {
    let group = group(fields).map(|group| Choice::Group(Box::new(group)));
    share(fields, group)
}

/// What is said of a candidate whatever it is.
fn share(fields: &mut Fields<'_, '_>, choice: Option<Choice>) -> Option<Candidate> {
    let weight = fields.optional("weight", "its share among the candidates; else 1", WEIGHT);
    let canary = fields.optional("canary", "it is on trial (weighted)", Record(canary));
    let roles = fields.optional("roles", "the agents' roles it is for (role)", List { of: ROLE, min: 1 });
    let topics =
        fields.optional("topics", "what the prompts it is for are about (semantic)", List { of: TOPIC, min: 1 });
    Some(Candidate {
        choice: choice?,
        weight: weight.unwrap_or(1.0),
        canary,
        roles: roles.unwrap_or_default(),
        topics: topics.unwrap_or_default(),
    })
}

fn canary(fields: &mut Fields<'_, '_>) -> Option<Canary> {
    let share = fields.required("share", "its share of the calls, from 0.000001 to 1", SHARE);
    let errors = fields.optional("max_error_rate", "taken back above this; else 0.1", RATE);
    let ttft = fields.optional("max_ttft_ms", "taken back when slower; else whatever it takes", SPAN);
    let calls = fields.defaulted("min_calls", "calls before it is judged", Whole { min: 1, max: 1_000_000 }, 20);
    Some(Canary { share: share?, max_error_rate: errors.unwrap_or(0.1), max_ttft_ms: ttft, min_calls: calls })
}

fn shadow(fields: &mut Fields<'_, '_>) -> Option<Shadow> {
    let model = fields.required("model", "provider:model", MODEL);
    let share = fields.optional("share", "of how many of the calls; else of all", SHARE);
    let about = "a model that says whether answers will do, for routes that learn";
    let judge = fields.optional("judge", about, Record(judge));
    Some(Shadow { model: model?, share: share.unwrap_or(1.0), judge })
}
