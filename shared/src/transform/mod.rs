//! What an operator adds to requests and holds them to: texts around the caller's instructions, bounds of
//! parameters, headers, labels. Which of it holds for a request, and what it comes to there; where a dialect has these
//! things is known to `dialect::adjust`.
//!
//! Parameters and labels are set before a request is admitted, because what it may cost depends on them, and its
//! texts are counted then. The texts themselves go in behind the guardrails: those are about what callers say, and
//! an operator who writes "never reveal this" does not attack anybody. What a caller puts into a variable passes
//! the guardrails by itself.

pub mod template;

use crate::cel::Condition;
use crate::config::transforms::{DEFAULT_TRANSFORM, Transform};
use crate::config::{Config, Rule, TransformName};
use crate::dialect::adjust::{Bounds, Parameter};
use crate::sorted::SortedMap;
use crate::time::rfc3339;
use crate::units::Timestamp;
use std::sync::Arc;
use template::{Template, Variable};

/// The transformations of a configuration, and for whom each holds.
#[derive(Debug, Default)]
pub struct Transforms {
    by_name: SortedMap<String, Arc<Transform>>,
    teams: SortedMap<String, TransformName>,
    routes: SortedMap<String, TransformName>,
}

impl Transforms {
    /// The transformations of a configuration.
    pub fn of(config: &Config) -> Transforms {
        let teams = config.teams.iter();
        let routes = config.routes.iter();
        let by_name = config.transforms.iter();
        Transforms {
            by_name: by_name.map(|(name, one)| (name.as_str().to_owned(), Arc::new(one.clone()))).collect(),
            teams: teams.filter_map(|(name, team)| Some((name.as_str().to_owned(), team.transform.clone()?))).collect(),
            routes: routes
                .filter_map(|(name, route)| Some((name.as_str().to_owned(), route.transform.clone()?)))
                .collect(),
        }
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// What holds for a request: the transformation of all, of its team, of its routes, of the rules that hold for it, in
    /// this order and each once; those whose own condition `is_met`.
    pub(crate) fn holding(
        &self,
        team: &str,
        routes: &[String],
        rules: &[&Rule],
        is_met: &dyn Fn(&Condition) -> bool,
    ) -> Holding {
        let team = self.teams.get(team).map(TransformName::as_str);
        let routes = routes.iter().filter_map(|route| self.routes.get(route)).map(TransformName::as_str);
        let rules = rules.iter().filter_map(|rule| rule.transform.as_ref()).map(TransformName::as_str);
        let mut holding = Holding::default();
        for name in [Some(DEFAULT_TRANSFORM), team].into_iter().flatten().chain(routes).chain(rules) {
            if let Some(transform) = self.by_name.get(name)
                && !holding.names.iter().any(|held| held == name)
                && transform.when.as_ref().is_none_or(is_met)
            {
                holding.names.push(name.to_owned());
                holding.all.push(transform.clone());
            }
        }
        holding
    }
}

/// The transformations that hold for one request, in order.
#[derive(Clone, Debug, Default)]
pub struct Holding {
    all: Vec<Arc<Transform>>,
    names: Vec<String>,
}

/// What is known of a request, for the holes in templates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    pub(crate) team: &'a str,
    pub(crate) user: Option<&'a str>,
    pub(crate) organisation: Option<&'a str>,
    pub(crate) session: Option<&'a str>,
    pub(crate) model: Option<&'a str>,
    pub(crate) tags: &'a SortedMap<String, String>,
    pub(crate) at: Timestamp,
}

impl Known<'_> {
    /// What a variable is; empty where a caller did not say.
    pub(crate) fn value(&self, variable: &Variable) -> String {
        let said = match variable {
            Variable::Team => Some(self.team),
            Variable::User => self.user,
            Variable::Organisation => self.organisation,
            Variable::Session => self.session,
            Variable::Model => self.model,
            Variable::Tag(name) => self.tags.get(name).map(String::as_str),
            Variable::Date => return rfc3339(self.at).chars().take(10).collect(),
        };
        said.unwrap_or_default().to_owned()
    }
}

impl Holding {
    /// Whether nothing holds.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The bounds of parameters, all of them together.
    pub(crate) fn bounds(&self) -> Vec<(Parameter, Bounds)> {
        let mut all: SortedMap<Parameter, Bounds> = SortedMap::new();
        for (parameter, bounds) in self.all.iter().flat_map(|transform| &transform.parameters) {
            let held = all.entry(*parameter).or_default();
            *held = held.and(*bounds);
        }
        all.into_iter().collect()
    }

    /// The texts before and after the caller's instructions.
    pub(crate) fn texts<E>(
        &self,
        mut value: impl FnMut(&Variable) -> Result<String, E>,
    ) -> Result<(String, String), E> {
        let mut side = |of: fn(&Transform) -> &Option<Template>| -> Result<String, E> {
            let mut texts = Vec::new();
            for template in self.all.iter().filter_map(|transform| of(transform).as_ref()) {
                texts.push(template.filled(&mut value)?);
            }
            texts.retain(|text| !text.is_empty());
            Ok(texts.join("\n\n"))
        };
        Ok((side(|transform| &transform.prepend)?, side(|transform| &transform.append)?))
    }

    /// Headers for whoever is called; of two of one name the later.
    pub(crate) fn headers(&self, known: &Known<'_>) -> Vec<(String, String)> {
        let printable = |value: String| -> String {
            value.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' }).take(4096).collect()
        };
        self.pairs(known, |transform| &transform.headers)
            .into_iter()
            .map(|(name, value)| (name, printable(value)))
            .collect()
    }

    /// Labels for whoever is called; of two of one name the later.
    pub(crate) fn metadata(&self, known: &Known<'_>) -> Vec<(String, String)> {
        self.pairs(known, |transform| &transform.metadata)
    }

    /// What is empty for this request is not said.
    fn pairs(&self, known: &Known<'_>, of: fn(&Transform) -> &SortedMap<String, Template>) -> Vec<(String, String)> {
        let mut all: SortedMap<&str, String> = SortedMap::new();
        for (name, template) in self.all.iter().flat_map(|transform| of(transform)) {
            let filled = template.filled(|variable| Ok::<_, std::convert::Infallible>(known.value(variable)));
            all.insert(name, filled.unwrap_or_default());
        }
        let said = all.into_iter().filter(|(_, value)| !value.is_empty());
        said.map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// What holds, for the audit: the transformations and the versions of templates in them.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = self.names.clone();
        let templates = self.all.iter().flat_map(|transform| {
            let texts = [&transform.prepend, &transform.append].into_iter().flatten();
            texts.chain(transform.headers.values()).chain(transform.metadata.values())
        });
        for version in templates.flat_map(|template| &template.from) {
            if !names.contains(version) {
                names.push(version.clone());
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::Config;

    const DOCUMENT: &str = r#"
        [templates.tone]
        versions = ["Be brief.", "Be kind, {{user}}."]
        [transforms.default]
        prepend = "You are {{product}}. {{> tone}}"
        variables = { product = "Acme" }
        parameters = { temperature = { default = 0.2, max = 1.5 } }
        headers = { x-team = "{{team}}", x-user = "{{user}}" }
        [transforms.strict]
        prepend = "Strictly."
        append = "{{> tone@1}}"
        parameters = { temperature = { max = 1 } }
        headers = { x-team = "strict {{tags.x}}" }
        metadata = { feature = "{{tags.feature}}" }
        [teams.a]
        transform = "strict"
        [routes.r]
        candidates = ["openai:gpt-5.4"]
        transform = "strict"
    "#;

    fn known(tags: &SortedMap<String, String>) -> Known<'_> {
        Known {
            team: "a",
            user: None,
            organisation: None,
            session: None,
            model: Some("r"),
            tags,
            at: Timestamp(1_795_233_600_123),
        }
    }

    #[test]
    fn those_of_all_of_a_team_of_a_route_hold_together_and_once() {
        let transforms = Transforms::of(&Config::parse(DOCUMENT).unwrap());
        let tags = SortedMap::from([("x".to_owned(), "ü".to_owned())]);
        let holding = transforms.holding("a", &["r".to_owned()], &[], &|_| false);
        assert_eq!(holding.names(), ["default", "strict", "tone@2", "tone@1"]);
        let bounds = Bounds { default: Some(0.2), min: None, max: Some(1.0) };
        assert_eq!(holding.bounds(), [(Parameter::Temperature, bounds)]);
        let texts = holding.texts(|variable| Ok::<_, ()>(known(&tags).value(variable)));
        assert_eq!(texts, Ok(("You are Acme. Be kind, .\n\nStrictly.".to_owned(), "Be brief.".to_owned())));
        assert_eq!(holding.headers(&known(&tags)), [("x-team".to_owned(), "strict ?".to_owned())]);
        assert_eq!(holding.metadata(&known(&tags)), [], "a tag that is not there labels nothing");
        assert_eq!(transforms.holding("b", &[], &[], &|_| true).names(), ["default", "tone@2"]);
        assert_eq!(known(&tags).value(&Variable::Date), "2026-11-21");
    }
}
