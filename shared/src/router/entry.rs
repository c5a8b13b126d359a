//! Where an ask enters the configuration: by the name it says, or by the rules.

use super::{Ask, Refusal};
use crate::catalog::{Asked, Catalog, ModelRef};
use crate::cel::{Condition, Value};
use crate::config::{Config, ModelId, Require, Route, Rule, Target};
use std::borrow::Cow;

/// Where an ask leads, before any model is looked at.
pub(super) struct Entry<'c> {
    /// What it leads to.
    pub root: Root<'c>,
    /// The name of the route or class; `None` when a model was named.
    pub route: Option<String>,
    /// The name that was asked for, where a rule took its place.
    pub asked: Option<String>,
    /// What everyone who answers must keep.
    pub require: Vec<&'c Require>,
    /// A rule chose the route.
    pub by_rule: bool,
}

/// What an ask leads to.
pub(super) enum Root<'c> {
    Models(Vec<ModelId>),
    Class(&'c [ModelId]),
    Route(&'c str, &'c Route),
}

/// Finds where an ask enters. A caller who named a model gets that model, whatever the rules say of routes; what
/// they require holds for everybody.
pub(super) fn entry<'c>(config: &'c Config, catalog: &'c Catalog, ask: &Ask) -> Result<Entry<'c>, Refusal> {
    let name = ask.model.as_deref().map(ModelRef::parse).transpose().map_err(Refusal::Unknown)?;
    let asked = catalog.resolve(name.as_ref()).map_err(Refusal::Unknown)?;
    let (mut root, mut route) = match asked {
        Asked::Models(models) => (Root::Models(models), None),
        Asked::Class(class) => (Root::Class(catalog.class(class)), Some(class.as_str().to_owned())),
        Asked::Route(name) => route_of(config, name.as_str()),
    };
    let mut entry =
        Entry { root: Root::Models(Vec::new()), route: None, asked: None, require: Vec::new(), by_rule: false };
    if !config.rules.is_empty() {
        for rule in holding(&config.rules, ask) {
            if !rule.require.is_empty() {
                entry.require.push(&rule.require);
            }
            if let Some(target) = rule.route.as_ref().filter(|_| route.is_some() && !entry.by_rule) {
                entry.by_rule = true;
                entry.asked = route.take();
                (root, route) = led(config, catalog, target);
            }
        }
    }
    if let Root::Route(_, route) = &root
        && !route.require.is_empty()
    {
        entry.require.push(&route.require);
    }
    Ok(Entry { root, route, ..entry })
}

/// The rules that hold for an ask, in order.
pub fn holding<'r>(rules: &'r [Rule], ask: &Ask) -> Vec<&'r Rule> {
    if rules.is_empty() {
        return Vec::new();
    }
    let values = values(ask);
    // A fault (a tag that is not there) is no match; `has()` asks without one.
    rules.iter().filter(|rule| rule.when.holds(&values) == Ok(true)).collect()
}

fn route_of<'c>(config: &'c Config, name: &str) -> (Root<'c>, Option<String>) {
    match config.routes.get_key_value(name) {
        Some((name, route)) => (Root::Route(name.as_str(), route), Some(name.to_string())),
        None => (Root::Models(Vec::new()), Some(name.to_owned())),
    }
}

fn led<'c>(config: &'c Config, catalog: &'c Catalog, target: &Target) -> (Root<'c>, Option<String>) {
    match target {
        Target::Route(name) => route_of(config, name.as_str()),
        Target::Class(class) => (Root::Class(catalog.class(*class)), Some(class.as_str().to_owned())),
        // Under the model's own name: the rails of a route hold for it.
        Target::Model(id) => (Root::Models(vec![id.clone()]), Some(id.to_string())),
    }
}

impl Ask {
    /// Whether a condition about requests holds for this one. A fault (a tag that is not there) is no match.
    pub fn satisfies(&self, when: &Condition) -> bool {
        when.holds(&values(self)) == Ok(true)
    }
}

/// The values of [`VARIABLES`](crate::config::VARIABLES), in their order.
fn values(ask: &Ask) -> [Value<'_>; 14] {
    let text = |text: &Option<String>| Value::Text(Cow::Owned(text.clone().unwrap_or_default()));
    let number = |number: u64| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
    let tags = ask.tags.iter().map(|(name, tag)| (Cow::Borrowed(name.as_str()), Value::Text(Cow::Borrowed(tag))));
    let classes = ask.signals.data_classes.iter().map(|class| Value::Text(Cow::Borrowed(class)));
    let needs = [
        ("tools", ask.needs.tools),
        ("vision", ask.needs.vision),
        ("json_schema", ask.needs.json_schema),
        ("documents", ask.needs.documents),
        ("audio", ask.needs.audio),
    ];
    let needs = needs.into_iter().map(|(name, needed)| (Cow::Borrowed(name), Value::Bool(needed)));
    [
        text(&ask.model),
        Value::Text(Cow::Borrowed(&ask.team)),
        text(&ask.user),
        text(&ask.organisation),
        text(&ask.session),
        text(&ask.role),
        Value::Text(Cow::Borrowed(&ask.operation)),
        Value::Map(tags.collect()),
        Value::List(classes.collect()),
        Value::Map(needs.collect()),
        number(ask.tokens_in),
        number(ask.max_output_tokens.unwrap_or(0)),
        text(&ask.signals.topic),
        Value::Double(f64::from(ask.signals.complexity_permille.unwrap_or(0)) / 1_000.0),
    ]
}

/// Whether there are conditions that can be about any request, and so about what its user says.
pub(super) fn has_conditions(config: &Config) -> bool {
    let transforms = config.transforms.values().any(|transform| transform.when.is_some());
    let policies = config.context.values().any(|policy| policy.when.is_some());
    !config.rules.is_empty() || transforms || policies
}
