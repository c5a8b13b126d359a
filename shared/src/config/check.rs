//! What only the whole document can tell: that every name leads somewhere and fallbacks end.

use super::guardrails::Outside;
use super::names::{GuardrailName, ModelId, RouteName, TransformName};
use super::problem::{At, Problem};
use super::providers::{self, builtin};
use super::routes::{Choice, Group, Route, TOPICS, Target};
use super::strategy::{Judge, Strategy};
use super::suggest::nearest;
use super::teams::ModelAccess;
use super::{Config, authentication};
use crate::catalog::Class;
use crate::sorted::{SortedMap, SortedSet};
use serde_json::{Map, Value};

/// The deepest group within groups.
const DEEPEST_GROUP: usize = 8;

/// Resolves route names that are really classes, and records every reference that leads nowhere.
///
/// `document` is what `config` was read from: what is defined there but wrong has its own problem, and
/// a reference to it is none.
pub(super) fn references(config: &mut Config, document: &Value, problems: &mut Vec<Problem>) {
    let mut root = At::root(problems);
    reserved(config, &mut root);
    providers::check(&config.providers, &mut root.key("providers"));
    let known = Known {
        providers: defined(document, "providers"),
        routes: defined(document, "routes"),
        topics: document.get("router").and_then(|router| defined(router, "topics")),
    };

    for id in config.models.keys() {
        known.provider(id, &mut root.key("models").key(&id.to_string()));
    }
    for (name, route) in &mut config.routes {
        let mut at = root.key("routes");
        let mut at = at.key(name.as_str());
        known.group(&mut route.group, &mut at, 0);
        if let Some(shadow) = &route.shadow {
            let mut at = at.key("shadow");
            known.provider(&shadow.model, &mut at.key("model"));
            known.judge(shadow.judge.as_ref(), &mut at);
        }
    }
    for (i, rule) in config.rules.iter_mut().enumerate() {
        if let Some(route) = &mut rule.route {
            known.target(route, &mut root.key("rules").index(i).key("route"));
        }
    }
    known.target(&mut config.default_route, &mut root.key("default_route"));
    for (name, guardrail) in &config.guardrails {
        let mut at = root.key("guardrails");
        let mut at = at.key(name.as_str());
        for (side, rails) in [("input", &guardrail.input), ("output", &guardrail.output)] {
            for (i, rail) in rails.iter().enumerate() {
                if let Some(Outside::Moderation(moderation)) = rail.outside() {
                    known.provider(&moderation.model, &mut at.key(side).index(i).key("model"));
                }
            }
        }
    }
    for (name, team) in &mut config.teams {
        for (i, budget) in team.terms.budgets.iter_mut().enumerate() {
            if let Some(target) = &mut budget.on_exceeded {
                let mut at = root.key("teams");
                known.target(target, &mut at.key(name.as_str()).key("budgets").index(i).key("on_exceeded"));
            }
        }
        let ModelAccess::Only(patterns) = &team.models else { continue };
        for (i, pattern) in patterns.iter().enumerate() {
            known.pattern(pattern.as_str(), &mut root.key("teams").key(name.as_str()).key("models").index(i));
        }
    }
    for (name, team) in &config.teams {
        let mut at = root.key("teams");
        held(document, &team.guardrails, &team.transform, &mut at.key(name.as_str()));
    }
    for (name, route) in &config.routes {
        let mut at = root.key("routes");
        held(document, &route.guardrails, &route.transform, &mut at.key(name.as_str()));
    }
    for (index, rule) in config.rules.iter().enumerate() {
        held(document, &rule.guardrails, &rule.transform, &mut root.key("rules").index(index));
    }
    cycles(&config.routes, &mut root.key("routes"));
    authentication::check(&config.auth, &mut root.key("auth"));
    // A team that is kept beside the document is looked at when somebody comes.
    if let Some(team) = &config.auth.raw_provider_keys
        && config.team(team.as_str()).is_some_and(|team| !team.provider_keys)
    {
        let hint = ["Set provider_keys = true in teams.", team.as_str()].concat();
        let mut auth = root.key("auth");
        auth.key("raw_provider_keys").key("team").problem("may not bring provider keys", &hint);
    }
}

/// The guardrail and the transformation that hold for somebody are there.
fn held(document: &Value, guardrail: &Option<GuardrailName>, transform: &Option<TransformName>, at: &mut At<'_>) {
    let is_there = |section: &str, name: &str| defined(document, section).is_some_and(|own| own.contains_key(name));
    if let Some(name) = guardrail.as_ref().map(GuardrailName::as_str).filter(|name| !is_there("guardrails", name)) {
        at.key("guardrails").problem("there is no such guardrail", &["Add a table guardrails.", name].concat());
    }
    if let Some(name) = transform.as_ref().map(TransformName::as_str).filter(|name| !is_there("transforms", name)) {
        at.key("transform").problem("there is no such transformation", &["Add a table transforms.", name].concat());
    }
}

/// Names a route cannot have because they mean something already.
fn reserved(config: &Config, root: &mut At<'_>) {
    if config.routes.contains_key("auto") {
        root.key("routes").key("auto").problem("is a reserved name", "Set default_route, which is what `auto` means");
    }
}

/// The names a section of the document defines.
fn defined<'d>(document: &'d Value, section: &str) -> Option<&'d Map<String, Value>> {
    document.get(section).and_then(Value::as_object)
}

/// Everything a reference can lead to beside what is built in.
struct Known<'d> {
    providers: Option<&'d Map<String, Value>>,
    routes: Option<&'d Map<String, Value>>,
    topics: Option<&'d Map<String, Value>>,
}

impl Known<'_> {
    fn is_route(&self, name: &str) -> bool {
        self.routes.is_some_and(|routes| routes.contains_key(name))
    }

    #[inline(never)]
    fn provider(&self, id: &ModelId, at: &mut At<'_>) {
        let name = id.provider.as_str();
        if builtin(name).is_some() || self.providers.is_some_and(|own| own.contains_key(name)) {
            return;
        }
        let known = providers::BUILTIN.iter().map(|builtin| builtin.id).chain(names(self.providers));
        match nearest(name, known) {
            Some(close) => at.problem("there is no such provider", &["Did you mean `", close, ":`?"].concat()),
            None => at.problem("there is no such provider", &["Add a table providers.", name].concat()),
        }
    }

    fn judge(&self, judge: Option<&Judge>, at: &mut At<'_>) {
        if let Some(judge) = judge {
            self.provider(&judge.model, &mut at.key("judge").key("model"));
        }
    }

    /// Everything a group names, and that it is not nested beyond what a walk through it can bear.
    fn group(&self, group: &mut Group, at: &mut At<'_>, depth: usize) {
        if depth > DEEPEST_GROUP {
            return at.problem("is nested too deeply", "Use at most 8 levels, or routes of their own");
        }
        if let Strategy::Cascade(cascade) = &group.strategy {
            self.judge(cascade.judge.as_ref(), at);
        }
        let canaries = group.candidates.iter().filter(|candidate| candidate.canary.is_some()).count();
        let trials = matches!(group.strategy, Strategy::Weighted { .. });
        for (i, candidate) in group.candidates.iter_mut().enumerate() {
            let mut at = at.key("candidates");
            let mut at = at.index(i);
            if candidate.canary.is_some() && (!trials || canaries > 1) {
                at.key("canary").problem("cannot be tried here", "Use strategy = \"weighted\" and one canary");
            }
            for topic in &candidate.topics {
                self.topic(topic, &mut at.key("topics"));
            }
            match &mut candidate.choice {
                Choice::Target(target) => self.target(target, &mut at),
                Choice::Group(inner) => self.group(inner, &mut at, depth + 1),
            }
        }
        if trials && canaries == group.candidates.len() {
            at.key("candidates").problem("are all on trial", "Add one that is not");
        }
        for (i, fallback) in group.fallbacks.iter_mut().enumerate() {
            self.target(fallback, &mut at.key("fallbacks").index(i));
        }
    }

    /// A bare word was read as a route; one that is no route may be a class.
    fn target(&self, target: &mut Target, at: &mut At<'_>) {
        match target {
            Target::Model(id) => self.provider(id, at),
            Target::Class(_) => {}
            Target::Route(name) if self.is_route(name.as_str()) => {}
            Target::Route(name) => match Class::parse(name.as_str()) {
                Some(class) => *target = Target::Class(class),
                None => self.no_route(name.as_str(), at),
            },
        }
    }

    #[inline(never)]
    fn topic(&self, name: &str, at: &mut At<'_>) {
        if TOPICS.contains(&name) || self.topics.is_some_and(|topics| topics.contains_key(name)) {
            return;
        }
        match nearest(name, TOPICS.into_iter().chain(names(self.topics))) {
            Some(close) => at.problem("there is no such topic", &["Did you mean `", close, "`?"].concat()),
            None => at.problem("there is no such topic", &["Add examples in router.topics.", name].concat()),
        }
    }

    #[inline(never)]
    fn no_route(&self, name: &str, at: &mut At<'_>) {
        let known = names(self.routes).chain(Class::ALL.iter().map(|class| class.as_str()));
        match nearest(name, known) {
            Some(close) => at.problem("there is no such route or class", &["Did you mean `", close, "`?"].concat()),
            None => at.problem(
                "there is no such route or class",
                &["Add a table routes.", name, ", or write provider:model"].concat(),
            ),
        }
    }

    /// A pattern must be able to match something: a misspelt one would lock a team out in silence.
    #[inline(never)]
    fn pattern(&self, pattern: &str, at: &mut At<'_>) {
        match pattern.split_once(':') {
            Some((provider, _)) if provider.contains('*') => {}
            Some((provider, _)) => match ModelId::parse(&format!("{provider}:x")) {
                Some(id) => self.provider(&id, at),
                None => at.problem("there is no such provider", "Write provider:model, such as \"openai:*\""),
            },
            None if pattern.contains('*') || Class::parse(pattern).is_some() => {}
            None if self.is_route(pattern) => {}
            None => self.no_route(pattern, at),
        }
    }
}

fn names(table: Option<&Map<String, Value>>) -> impl Iterator<Item = &str> {
    table.into_iter().flat_map(|table| table.keys().map(String::as_str))
}

/// Routes that lead back to themselves: each way back is told where it leads to.
///
/// A walk in depth that keeps its own stack, for a document may hold thousands of routes in one chain.
#[inline(never)]
fn cycles(routes: &SortedMap<RouteName, Route>, at: &mut At<'_>) {
    let mut seen: SortedSet<&str> = SortedSet::new();
    for first in routes.keys() {
        let mut way: Vec<(&str, Vec<Way<'_>>)> = Vec::new();
        let mut on_the_way: SortedSet<&str> = SortedSet::new();
        let mut enter = Some(first.as_str());
        loop {
            if let Some((name, route)) = enter.take().and_then(|name| Some((name, routes.get(name)?)))
                && seen.insert(name)
            {
                let mut ways = Vec::new();
                leads(&route.group, "candidates", &mut ways);
                ways.reverse();
                way.push((name, ways));
                on_the_way.insert(name);
            }
            let Some((name, ways)) = way.last_mut() else { break };
            match ways.pop() {
                Some(next) if on_the_way.contains(next.to) => tell_cycle(&way, &next, at),
                Some(next) => enter = Some(next.to),
                None => {
                    on_the_way.remove(*name);
                    way.pop();
                }
            }
        }
    }
}

/// A route that another one leads to, and by which of its members.
struct Way<'r> {
    to: &'r str,
    by: &'static str,
}

/// The routes a group leads to, in its order.
fn leads<'r>(group: &'r Group, by: &'static str, ways: &mut Vec<Way<'r>>) {
    let mut add = |target: &'r Target, by| match target {
        Target::Route(name) => ways.push(Way { to: name.as_str(), by }),
        Target::Class(_) | Target::Model(_) => {}
    };
    let mut inner = Vec::new();
    for candidate in &group.candidates {
        match &candidate.choice {
            Choice::Target(target) => add(target, by),
            Choice::Group(group) => inner.push(group),
        }
    }
    group.fallbacks.iter().for_each(|fallback| add(fallback, "fallbacks"));
    inner.into_iter().for_each(|group| leads(group, "candidates", ways));
}

fn tell_cycle(way: &[(&str, Vec<Way<'_>>)], back: &Way<'_>, at: &mut At<'_>) {
    let circle = way.iter().map(|(name, _)| *name).skip_while(|name| *name != back.to).chain([back.to]);
    let message = ["lead back to where they began: ", &circle.collect::<Vec<_>>().join(" → ")].concat();
    at.key(back.to).key(back.by).problem(&message, "Remove one of them");
}
