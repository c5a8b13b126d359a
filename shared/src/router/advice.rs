//! What was learned, where a route asks for it: shown to a decision as a part of its view.
//!
//! A decision stays a pure function: whatever was remembered, forecast and drawn for it is in the view, and made
//! again from there.

use super::calibrate::Pair;
use super::entry::{Entry, Root, has_conditions};
use super::facts::Facts;
use super::learn::bandit::{Cell, Choice as Drawn, Leave};
use super::learn::controller::Goal;
use super::learn::fixed::ONE;
use super::learn::lessons::{self, Asked, Lessons};
use super::learn::online::{Features, Forecast};
use super::learn::sample::Sample;
use super::learn::signals::PromptReader;
use super::topics::Topics;
use super::view::Standing;
use super::{Advice, Ask, Chance, Grounds, SeenPrompt, Signals, View};
use crate::catalog::Catalog;
use crate::config::{self, Choice, Config, Group, ModelId, Target};
use crate::embed::Weights;
use std::sync::Arc;

/// How long a usual prompt is taken to be, in tokens.
const USUAL_INPUT: u64 = 500;
/// The deepest that routes and groups are followed.
const DEEPEST: usize = 16;
/// What the dearest of a bandit's candidates is worth less for its price, in parts of 65,536.
const DEAREST: u64 = ONE as u64 / 10;

/// Reads prompts, and remembers what became of them.
#[derive(Debug)]
pub(super) struct Learning {
    /// `None` where nothing that is read could change a decision.
    reader: Option<PromptReader>,
    topics: Topics,
    lessons: Lessons,
}

impl Learning {
    pub(super) fn of(config: &Config) -> Learning {
        let asks = config.routes.values().any(|route| reads(&route.group)) || has_conditions(config);
        let reader = if asks { PromptReader::built_in().ok() } else { None };
        let topics = if reader.is_some() { Topics::of(config) } else { Topics::default() };
        Learning { reader, topics, lessons: Lessons::default() }
    }

    pub(super) fn lessons(&self) -> &Lessons {
        &self.lessons
    }

    pub(super) fn reads_prompts(&self) -> bool {
        self.reader.is_some()
    }

    /// What a prompt shows. With weights of an embedding, topics are told by what they mean, too.
    pub(super) fn read(&self, prompt: Sample<'_>, weights: Option<&Arc<Weights>>) -> Signals {
        // Where no decision depends on it, somebody wants to be told all the same.
        let made = self.reader.is_none().then(PromptReader::built_in).and_then(Result::ok);
        let Some(reader) = self.reader.as_ref().or(made.as_ref()) else { return Signals::default() };
        let signals = reader.read(prompt);
        let seen = SeenPrompt { features: Features::of(&signals), cell: Cell::of(&signals.scan), gain: signals.gain };
        Signals {
            complexity_permille: Some(signals.complexity),
            topic: self.topics.told(&signals.scan, prompt.head, weights).map(str::to_owned),
            seen: Some(Box::new(seen)),
            ..Signals::default()
        }
    }

    /// Adds advice for every group an ask can lead to that wants some.
    pub(super) fn advise(&self, config: &Config, catalog: &Catalog, ask: &Ask, entry: &Entry<'_>, view: &mut View) {
        let (Root::Route(route, root), Some(seen)) = (&entry.root, ask.signals.seen.as_deref()) else { return };
        let mut groups = Vec::new();
        collect(config, &root.group, 0, &mut groups);
        let route = [ask.team.as_str(), "/", route].concat();
        for group in groups {
            let heads = heads(config, catalog, group);
            let costs: Vec<u64> = heads.iter().map(|head| cost(catalog, ask, head.as_ref())).collect();
            let names: Vec<String> =
                heads.iter().map(|head| head.as_ref().map(ModelId::to_string).unwrap_or_default()).collect();
            let advice = match group.strategy {
                config::Strategy::Learned(goal) => self.place(&route, seen, goal, &names, &costs, view),
                config::Strategy::Bandit { explore } => {
                    let settled = ask.signals.in_tool_loop || view.warm.is_some();
                    let leave = Leave { settled, exploration: fixed(explore) };
                    Some(self.choose(&route, seen, leave, &names, &costs))
                }
                config::Strategy::Ordered
                | config::Strategy::Hash(_)
                | config::Strategy::Weighted { .. }
                | config::Strategy::Cost
                | config::Strategy::Latency
                | config::Strategy::Load
                | config::Strategy::Quality
                | config::Strategy::Role
                | config::Strategy::Race(_)
                | config::Strategy::Cascade(_)
                | config::Strategy::Semantic => None,
            };
            if let Some(advice) = advice {
                view.advice.insert(names.join(" "), advice);
            }
        }
    }

    fn place(
        &self,
        route: &str,
        seen: &SeenPrompt,
        goal: config::Goal,
        names: &[String],
        costs: &[u64],
        view: &mut View,
    ) -> Option<Advice> {
        let (cheap, strong) = (names.first()?, names.last().filter(|_| names.len() > 1)?);
        let pair = lessons::Pair { cheap, strong, cost: (*costs.first()?, *costs.last()?) };
        let goal = match goal {
            config::Goal::StrongShare(share) => Goal::Share(fixed(share)),
            config::Goal::PerCall(cost) => Goal::Cost(cost.0),
            config::Goal::Quality(share) => Goal::Quality(fixed(share)),
        };
        let placed = self.lessons.place(Asked { route, features: &seen.features, gain: seen.gain }, pair, goal);
        view.chances.insert(cheap.clone(), chance(placed.cheap));
        view.chances.insert(strong.clone(), chance(placed.better));
        Some(match placed.strong {
            true => Advice { first: names.len() - 1, grounds: Grounds::StrongerWorthIt },
            false => Advice { first: 0, grounds: Grounds::CheaperWillDo },
        })
    }

    fn choose(&self, route: &str, seen: &SeenPrompt, leave: Leave, names: &[String], costs: &[u64]) -> Advice {
        let dearest = costs.iter().copied().max().unwrap_or(0).max(1);
        let less = |cost: &u64| (u128::from(*cost) * u128::from(DEAREST) / u128::from(dearest)) as i32;
        let costs: Vec<i32> = costs.iter().map(less).collect();
        let Drawn { arm, explored, watching, forgone: _ } = self.lessons.choose(route, names, &costs, seen.cell, leave);
        let grounds = match (watching, explored) {
            (true, _) => Grounds::Watching,
            (false, true) => Grounds::TriedOut,
            (false, false) => Grounds::DidBest,
        };
        Advice { first: arm, grounds }
    }
}

fn fixed(share: f64) -> i32 {
    (share * f64::from(ONE)) as i32
}

fn chance(forecast: Forecast) -> Chance {
    let permille = |share: i32| (share.clamp(0, ONE).unsigned_abs() * 125) >> 13;
    Chance { permille: permille(forecast.share), between: (permille(forecast.low), permille(forecast.high)) }
}

fn cost(catalog: &Catalog, ask: &Ask, head: Option<&ModelId>) -> u64 {
    head.map_or(0, |head| Facts::new(head.clone(), catalog.model(head), Standing::default(), ask).usd.0)
}

/// Whether a group's choice, or that of one within it, depends on what users say.
fn reads(group: &Group) -> bool {
    let own = matches!(
        group.strategy,
        config::Strategy::Learned(_) | config::Strategy::Semantic | config::Strategy::Bandit { .. }
    );
    own || group.candidates.iter().any(|candidate| match &candidate.choice {
        Choice::Group(inner) => reads(inner),
        Choice::Target(_) => false,
    })
}

/// Whether anything can be learned of a route's answers.
pub(super) fn learns(config: &Config, route: &str) -> bool {
    let mut groups = Vec::new();
    if let Some(route) = config.routes.get(route) {
        collect(config, &route.group, 0, &mut groups);
    }
    !groups.is_empty()
}

/// What a usual call costs with a model.
pub(super) fn usual_cost(catalog: &Catalog, model: &ModelId) -> u64 {
    cost(catalog, &Ask { tokens_in: USUAL_INPUT, ..Ask::default() }, Some(model))
}

/// The two models between which a route chooses by what it learned, what a usual call costs with each, and its goal.
pub(super) fn pair(config: &Config, catalog: &Catalog, route: &str) -> Option<(Pair, config::Goal)> {
    let mut groups = Vec::new();
    collect(config, &config.routes.get(route)?.group, 0, &mut groups);
    groups.into_iter().find_map(|group| {
        let config::Strategy::Learned(goal) = group.strategy else { return None };
        let heads = heads(config, catalog, group);
        let (cheap, strong) = (heads.first()?.as_ref()?, heads.last()?.as_ref()?);
        let cost = [cheap, strong].map(|model| usual_cost(catalog, model));
        Some((Pair { models: [cheap.to_string(), strong.to_string()], cost }, goal))
    })
}

/// The same with the routes that a group leads to, each looked at once.
pub(super) fn reads_within<'c>(config: &'c Config, group: &'c Group, seen: &mut Vec<&'c str>) -> bool {
    if reads(group) {
        return true;
    }
    let found = group.candidates.iter().any(|candidate| match &candidate.choice {
        Choice::Group(inner) => reads_within(config, inner, seen),
        Choice::Target(target) => target_reads(config, target, seen),
    });
    found || group.fallbacks.iter().any(|target| target_reads(config, target, seen))
}

fn target_reads<'c>(config: &'c Config, target: &'c Target, seen: &mut Vec<&'c str>) -> bool {
    match target {
        Target::Route(name) if !seen.contains(&name.as_str()) => {
            seen.push(name.as_str());
            config.routes.get(name).is_some_and(|route| reads_within(config, &route.group, seen))
        }
        Target::Route(_) | Target::Class(_) | Target::Model(_) => false,
    }
}

/// Every group within a group that learns, and itself.
fn collect<'c>(config: &'c Config, group: &'c Group, depth: usize, found: &mut Vec<&'c Group>) {
    if depth > DEEPEST || found.iter().any(|known| std::ptr::eq(*known, group)) {
        return;
    }
    if matches!(group.strategy, config::Strategy::Learned(_) | config::Strategy::Bandit { .. }) {
        found.push(group);
    }
    for candidate in &group.candidates {
        match &candidate.choice {
            Choice::Group(inner) => collect(config, inner, depth + 1, found),
            Choice::Target(Target::Route(name)) => {
                if let Some(route) = config.routes.get(name) {
                    collect(config, &route.group, depth + 1, found);
                }
            }
            Choice::Target(Target::Class(_) | Target::Model(_)) => {}
        }
    }
}

/// The model each candidate begins with, as it is written.
fn heads(config: &Config, catalog: &Catalog, group: &Group) -> Vec<Option<ModelId>> {
    group.candidates.iter().map(|candidate| head(config, catalog, &candidate.choice, 0)).collect()
}

fn head(config: &Config, catalog: &Catalog, choice: &Choice, depth: usize) -> Option<ModelId> {
    let group = match choice {
        Choice::Group(inner) => inner,
        Choice::Target(Target::Model(id)) => return Some(id.clone()),
        Choice::Target(Target::Class(class)) => return catalog.class(*class).first().cloned(),
        Choice::Target(Target::Route(name)) => &config.routes.get(name)?.group,
    };
    head(config, catalog, &group.candidates.first().filter(|_| depth < DEEPEST)?.choice, depth + 1)
}

/// The name advice for a group goes by.
pub(super) fn name(config: &Config, catalog: &Catalog, group: &Group) -> String {
    let names = heads(config, catalog, group).into_iter().map(|head| head.map(|id| id.to_string()).unwrap_or_default());
    names.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::router::learn::topic::Topic;
    use crate::router::tests::{ask, router};
    use crate::router::{Router, Standard};
    use crate::units::Timestamp;

    const ROUTES: &str = r#"
        [routes.picks]
        strategy = "learned"
        strong_share = 0.5
        candidates = ["openai:cheap", "openai:dear"]
        [routes.drawn]
        strategy = "bandit"
        explore = 0.2
        candidates = ["openai:cheap", "openai:dear"]
        [routes.nested]
        candidates = [{ strategy = "learned", strong_share = 1, candidates = ["picks", "eu:fair"] }]
        "#;

    fn asked(router: &Standard, route: &str, text: &str) -> Ask {
        Ask { signals: router.read(Sample::of(text), None), ..ask(route) }
    }

    /// The cheap model fails at proofs and the dear one never does.
    fn taught(route: &str, rounds: u32) -> Standard {
        let router = router(ROUTES);
        for round in 0..rounds {
            for (text, cheap) in
                [(format!("Prove that {round} is prime."), 0), ("Write a poem about the sea.".to_owned(), ONE)]
            {
                let seen = router.read(Sample::of(&text), None).seen.unwrap();
                for (model, worth) in [("openai:cheap", cheap), ("openai:dear", ONE)] {
                    router.lessons().learn(&["payments/", route].concat(), model, &seen.features, seen.cell, worth);
                }
            }
        }
        router
    }

    fn decided(router: &Standard, ask: &Ask) -> (String, &'static str) {
        let view = router.view(ask, Timestamp(1_000));
        let decision = router.decide(ask, &view, 7).unwrap();
        // Whatever was remembered is in the view: written down and read back, it gives the same decision.
        let view = serde_json::from_str(&serde_json::to_string(&view).unwrap()).unwrap();
        let kept: Ask = serde_json::from_str(&serde_json::to_string(ask).unwrap()).unwrap();
        assert_eq!(router.decide(&kept, &view, 7).unwrap(), decision);
        (decision.plan[0].model.to_string(), decision.reason.as_str())
    }

    #[test]
    fn a_route_learns_from_outcomes_which_prompts_are_worth_the_stronger_model() {
        let router = taught("picks", 60);
        let mut strong = [0; 2];
        for round in 0..100 {
            for (at, text) in ["Prove that 97 is prime.", "Write a poem about the sea."].into_iter().enumerate() {
                let (model, reason) = decided(&router, &asked(&router, "picks", text));
                assert_eq!(model == "openai:dear", reason == "stronger_worth_it", "{round}");
                strong[at] += u32::from(model == "openai:dear");
            }
        }
        assert!(strong[0] > 90 && strong[1] < 10, "{strong:?}");
        let chances = router.view(&asked(&router, "picks", "Prove that 97 is prime."), Timestamp(1_000)).chances;
        assert!(chances["openai:cheap"].permille < 400 && chances["openai:dear"].permille > 900, "{chances:?}");
    }

    #[test]
    fn what_one_team_taught_says_nothing_to_another() {
        let router = taught("picks", 60);
        let other = Ask { team: "research".into(), ..asked(&router, "picks", "Prove that 97 is prime.") };
        assert_eq!(router.view(&other, Timestamp(1_000)).chances["openai:cheap"].permille, 500);
    }

    #[test]
    fn a_bandit_chooses_by_kinds_of_prompts_and_tries_nothing_out_within_a_tool_loop() {
        let router = taught("drawn", 300);
        let proof = asked(&router, "drawn", "Prove that 97 is prime.");
        assert!((0..50).all(|_| decided(&router, &proof).0 == "openai:dear"));
        let mut poem = asked(&router, "drawn", "Write a poem about the sea.");
        poem.signals.in_tool_loop = true;
        // Both are as good at poems; the dear one costs more.
        assert!((0..50).all(|_| decided(&router, &poem) == ("openai:cheap".to_owned(), "did_best")));
    }

    #[test]
    fn groups_within_groups_are_advised_each_and_a_candidate_that_is_gone_leaves_the_order_as_it_is() {
        let router = router(ROUTES);
        let nested = asked(&router, "nested", "Hi");
        assert_eq!(decided(&router, &nested), ("eu:fair".to_owned(), "stronger_worth_it"));
        let only = crate::config::ModelAccess::Only(vec![crate::config::ModelPattern::parse("openai:*").unwrap()]);
        let (model, _) = decided(&router, &Ask { allowed: vec![only], ..nested });
        assert!(model.starts_with("openai:"), "{model}");
    }

    #[test]
    fn every_topic_of_the_configuration_is_one_that_is_told_and_no_text_means_no_advice() {
        assert!(config::TOPICS.iter().all(|topic| Topic::parse(topic).is_some_and(|known| known.as_str() == *topic)));
        let router = router(ROUTES);
        assert_eq!(router.view(&ask("picks"), Timestamp(1_000)).advice.len(), 0);
        assert_eq!(decided(&router, &ask("picks")), ("openai:cheap".to_owned(), "first"));
    }
}
