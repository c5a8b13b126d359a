//! What only the whole document can tell: that every name leads somewhere and fallbacks end.

use super::Config;
use super::names::{ModelId, RouteName};
use super::problem::{At, Problem};
use super::providers::{self, builtin};
use super::routes::{Route, Target};
use super::suggest::nearest;
use super::teams::ModelAccess;
use crate::catalog::Class;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Resolves route names that are really classes, and records every reference that leads nowhere.
///
/// `document` is what `config` was read from: what is defined there but wrong has its own problem, and
/// a reference to it is none.
pub(super) fn references(config: &mut Config, document: &Value, problems: &mut Vec<Problem>) {
    let mut root = At::root(problems);
    reserved(config, &mut root);
    providers::check(&config.providers, &mut root.key("providers"));
    let defined = |section: &str| {
        let names = document.get(section).and_then(Value::as_object).into_iter().flat_map(|table| table.keys());
        names.cloned().collect::<BTreeSet<String>>()
    };
    let known = Known { providers: defined("providers"), routes: defined("routes") };

    for id in config.models.keys() {
        known.provider(id, &mut root.key("models").key(&id.to_string()));
    }
    for (name, route) in &mut config.routes {
        let mut at = root.key("routes");
        let mut at = at.key(name.as_str());
        for (i, candidate) in route.candidates.iter().enumerate() {
            known.provider(&candidate.model, &mut at.key("candidates").index(i));
        }
        for (i, fallback) in route.fallbacks.iter_mut().enumerate() {
            known.target(fallback, &mut at.key("fallbacks").index(i));
        }
    }
    known.target(&mut config.default_route, &mut root.key("default_route"));
    for (name, team) in &config.teams {
        let ModelAccess::Only(patterns) = &team.models else { continue };
        for (i, pattern) in patterns.iter().enumerate() {
            known.pattern(pattern.as_str(), &mut root.key("teams").key(name.as_str()).key("models").index(i));
        }
    }
    cycles(&config.routes, &mut root.key("routes"));
}

/// Names a route cannot have because they mean something already.
fn reserved(config: &Config, root: &mut At<'_>) {
    if config.routes.contains_key("auto") {
        root.key("routes").key("auto").problem("is a reserved name", "Set default_route, which is what `auto` means");
    }
}

/// Everything a reference can lead to.
struct Known {
    providers: BTreeSet<String>,
    routes: BTreeSet<String>,
}

impl Known {
    fn provider(&self, id: &ModelId, at: &mut At<'_>) {
        let name = id.provider.as_str();
        if builtin(name).is_some() || self.providers.contains(name) {
            return;
        }
        let known =
            providers::BUILTIN.iter().map(|builtin| builtin.id).chain(self.providers.iter().map(String::as_str));
        match nearest(name, known) {
            _ if providers::is_later(name) => {
                at.problem(
                    &["the provider `", name, "` is not available in this version"].concat(),
                    "Use another provider",
                );
            }
            Some(close) => at.problem("there is no such provider", &["Did you mean `", close, ":`?"].concat()),
            None => at.problem("there is no such provider", &["Add a table providers.", name].concat()),
        }
    }

    /// A bare word was read as a route; one that is no route may be a class.
    fn target(&self, target: &mut Target, at: &mut At<'_>) {
        match target {
            Target::Model(id) => self.provider(id, at),
            Target::Class(_) => {}
            Target::Route(name) if self.routes.contains(name.as_str()) => {}
            Target::Route(name) => match Class::parse(name.as_str()) {
                Some(class) => *target = Target::Class(class),
                None => self.no_route(name.as_str(), at),
            },
        }
    }

    fn no_route(&self, name: &str, at: &mut At<'_>) {
        let known = self.routes.iter().map(String::as_str).chain(Class::ALL.iter().map(|class| class.as_str()));
        match nearest(name, known) {
            Some(close) => at.problem("there is no such route or class", &["Did you mean `", close, "`?"].concat()),
            None => at.problem(
                "there is no such route or class",
                &["Add a table routes.", name, ", or write provider:model"].concat(),
            ),
        }
    }

    /// A pattern must be able to match something: a misspelt one would lock a team out in silence.
    fn pattern(&self, pattern: &str, at: &mut At<'_>) {
        match pattern.split_once(':') {
            Some((provider, _)) if provider.contains('*') => {}
            Some((provider, _)) => match ModelId::parse(&format!("{provider}:x")) {
                Some(id) => self.provider(&id, at),
                None => at.problem("there is no such provider", "Write provider:model, such as \"openai:*\""),
            },
            None if pattern.contains('*') || Class::parse(pattern).is_some() => {}
            None if self.routes.contains(pattern) => {}
            None => self.no_route(pattern, at),
        }
    }
}

/// Routes whose fallbacks lead back to themselves. Cycles that share a route are told as one.
///
/// Routes are taken away as long as one is left that falls back to none of the others; what remains
/// leads in circles. No recursion: a document may hold thousands of routes in one chain.
fn cycles(routes: &BTreeMap<RouteName, Route>, at: &mut At<'_>) {
    let mut waiting: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wanted_by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, route) in routes {
        waiting.insert(name.as_str(), next_routes(route, routes).count());
        for next in next_routes(route, routes) {
            wanted_by.entry(next).or_default().push(name.as_str());
        }
    }
    let mut free: Vec<&str> = waiting.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
    while let Some(name) = free.pop() {
        waiting.remove(name);
        for before in wanted_by.get(name).into_iter().flatten() {
            let Some(count) = waiting.get_mut(before) else { continue };
            *count -= 1;
            if *count == 0 {
                free.push(before);
            }
        }
    }
    while let Some((first, _)) = waiting.first_key_value() {
        let mut path = vec![*first];
        // This ends where it has been before, or at a route of a cycle that is told already.
        while let Some(next) = path
            .last()
            .and_then(|last| routes.get(*last))
            .and_then(|route| next_routes(route, routes).find(|next| waiting.contains_key(next)))
        {
            if let Some(start) = path.iter().position(|seen| *seen == next) {
                let cycle: Vec<&str> = path.iter().skip(start).chain([&next]).copied().collect();
                let message = format!("lead back to where they began: {}", cycle.join(" → "));
                at.key(next).key("fallbacks").problem(&message, "Remove one of them");
                break;
            }
            path.push(next);
        }
        for name in path {
            waiting.remove(name);
        }
    }
}

/// The routes a route falls back to; a name that leads nowhere has its own problem.
fn next_routes<'r>(route: &'r Route, routes: &BTreeMap<RouteName, Route>) -> impl Iterator<Item = &'r str> {
    route.fallbacks.iter().filter_map(|fallback| match fallback {
        Target::Route(next) => routes.contains_key(next).then(|| next.as_str()),
        Target::Class(_) | Target::Model(_) => None,
    })
}
