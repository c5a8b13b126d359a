//! The standard router: by the configuration, the catalog, and what is known of the upstreams' health.

use super::advice::Learning;
use super::entry::{Entry, Root, entry, has_conditions};
use super::facts::Facts;
use super::learn::fixed::ONE;
use super::learn::lessons::Lessons;
use super::learn::sample::Sample;
use super::order::{Context, Ranked};
use super::rails::{hears, rail};
use super::{
    Ask, Concluded, Considered, Decision, Health, Journal, Outcome, Reach, Reason, Refusal, Role, Router, Scores, Seen,
    Signals, Step, Strategy, Ticket, Tickets, Told, Verdict, View, advice, choose,
};
use crate::catalog::Catalog;
use crate::config::{self, Choice, Config, Group, ModelId, Target};
use crate::embed::Weights;
use crate::units::{NanoUsd, Timestamp};
use std::sync::{Arc, OnceLock};

/// Routes by the configuration.
#[derive(Debug)]
pub struct Standard {
    config: Arc<Config>,
    catalog: Arc<Catalog>,
    health: Health,
    learning: Learning,
    tickets: Tickets,
    journal: Journal,
    instance: OnceLock<String>,
}

impl Standard {
    /// A router over this configuration and catalog, with a memory of its own.
    pub fn new(config: Arc<Config>, catalog: Arc<Catalog>) -> Standard {
        let learning = Learning::of(&config);
        Standard {
            config,
            catalog,
            health: Health::default(),
            learning,
            tickets: Tickets::default(),
            journal: Journal::default(),
            instance: OnceLock::new(),
        }
    }

    /// What is remembered of outcomes.
    pub fn lessons(&self) -> &Lessons {
        self.learning.lessons()
    }

    /// Answers that may still be judged.
    pub fn tickets(&self) -> &Tickets {
        &self.tickets
    }

    /// Learns what somebody said an answer was worth, 0 to 65,536.
    pub fn judged(&self, ticket: &Ticket, worth: i32) {
        self.lessons().learn(&ticket.lessons(), &ticket.model, &ticket.features, ticket.cell, worth);
    }

    /// What is remembered of upstreams.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// What it decides by.
    pub(super) fn grounds(&self) -> (&Config, &Catalog) {
        (&self.config, &self.catalog)
    }

    /// The decisions of this process.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// This process's name among its like: made of chance when it is first asked for.
    pub fn instance(&self, entropy: impl FnOnce() -> u64) -> &str {
        self.instance.get_or_init(|| format!("{:016x}", entropy()))
    }

    /// Every model an entry can lead to, in the order it is written, each once.
    fn models(&self, entry: &Entry<'_>) -> Vec<ModelId> {
        let mut models = Vec::new();
        match &entry.root {
            Root::Models(ids) => add(&mut models, ids),
            Root::Class(ids) => add(&mut models, ids),
            Root::Route(name, route) => self.follow(&route.group, &mut vec![name], &mut models),
        }
        models
    }

    /// Appends what a group leads to: its candidates, then its fallbacks. The configuration admits no cycle; `seen`
    /// keeps a route that is reached twice from being walked twice.
    fn follow<'c>(&'c self, group: &'c Group, seen: &mut Vec<&'c str>, models: &mut Vec<ModelId>) {
        for candidate in &group.candidates {
            match &candidate.choice {
                Choice::Target(target) => self.follow_target(target, seen, models),
                Choice::Group(inner) => self.follow(inner, seen, models),
            }
        }
        group.fallbacks.iter().for_each(|fallback| self.follow_target(fallback, seen, models));
    }

    fn follow_target<'c>(&'c self, target: &'c Target, seen: &mut Vec<&'c str>, models: &mut Vec<ModelId>) {
        match target {
            Target::Model(id) => add(models, std::slice::from_ref(id)),
            Target::Class(class) => add(models, self.catalog.class(*class)),
            Target::Route(name) if seen.contains(&name.as_str()) => {}
            Target::Route(name) => {
                seen.push(name.as_str());
                if let Some(route) = self.config.routes.get(name) {
                    self.follow(&route.group, seen, models);
                }
            }
        }
    }

    /// Every model with its figures and the rail it does not pass.
    fn facts(&self, ask: &Ask, entry: &Entry<'_>, view: &View) -> Vec<Facts> {
        let facts = self.models(entry).into_iter().map(|id| {
            let (model, standing) = (self.catalog.model(&id), view.of(&id));
            let mut facts = Facts::new(id, model, standing, ask);
            facts.drop = rail(&self.config, &self.catalog, ask, entry, view, &facts);
            facts
        });
        facts.collect()
    }

    fn refuse(&self, entry: &Entry<'_>, facts: &[Facts]) -> Refusal {
        if self.catalog.has_no_provider() {
            return Refusal::NoProvider;
        }
        let dropped = facts.iter().filter_map(|facts| Some((facts.id.clone(), facts.drop?)));
        Refusal::Rails { route: entry.route.clone(), dropped: dropped.collect() }
    }
}

fn add(models: &mut Vec<ModelId>, ids: &[ModelId]) {
    for id in ids {
        if !models.contains(id) {
            models.push(id.clone());
        }
    }
}

/// Those that are better left alone for now. Not the last one: whoever can be asked again soonest stays, for a call
/// that may fail is worth more than none. `true`: it is one such that was kept.
fn rest(facts: &mut [Facts], now: Timestamp) -> bool {
    let well = |facts: &Facts| facts.drop.is_none() && facts.resting(now).is_none();
    let any_well = facts.iter().any(well);
    let resting = facts.iter().enumerate().filter(|(_, facts)| facts.drop.is_none());
    let soonest = resting.filter_map(|(i, facts)| Some((facts.resting(now)?.1, i))).min();
    let kept = soonest.filter(|_| !any_well).map(|(_, i)| i);
    for (i, facts) in facts.iter_mut().enumerate().filter(|(_, facts)| facts.drop.is_none()) {
        if kept != Some(i) {
            facts.drop = facts.resting(now).map(|(drop, _)| drop);
        }
    }
    kept.is_some()
}

/// Keeps a session where its beginning is cached, unless another is cheaper all the same. An order that somebody wrote
/// down, and one that is about the answer itself, stay as they are.
fn stay(context: &Context<'_>, strategy: Strategy, ranked: &mut Ranked) -> bool {
    let free = match strategy {
        Strategy::Learned
        | Strategy::Bandit
        | Strategy::Weighted
        | Strategy::Cost
        | Strategy::Latency
        | Strategy::Load
        | Strategy::Quality => true,
        Strategy::Direct
        | Strategy::Static
        | Strategy::Fallback
        | Strategy::Hash
        | Strategy::Role
        | Strategy::Race
        | Strategy::Semantic
        | Strategy::Cascade => false,
    };
    let Some(warm) = context.view.warm.as_ref().filter(|_| free) else { return false };
    let Some(at) = ranked.steps.iter().position(|step| step.id.to_string() == warm.model) else { return false };
    let of = |at: usize| ranked.steps.get(at).and_then(|step| context.fit.iter().find(|facts| facts.id == step.id));
    let (Some(first), Some(there)) = (of(0), of(at)) else { return false };
    if at == 0 || there.usd_warm(context.ask, warm.tokens) > first.usd {
        return false;
    }
    let step = ranked.steps.remove(at);
    ranked.steps.insert(0, step);
    for (i, step) in ranked.steps.iter_mut().enumerate() {
        step.role = if i == 0 { Role::Primary } else { Role::Fallback };
    }
    true
}

fn strategy(entry: &Entry<'_>) -> Strategy {
    let Root::Route(_, route) = &entry.root else {
        return if entry.by_rule {
            Strategy::Static
        } else if entry.route.is_some() {
            Strategy::Fallback
        } else {
            Strategy::Direct
        };
    };
    match route.group.strategy {
        config::Strategy::Ordered if entry.by_rule => Strategy::Static,
        config::Strategy::Ordered => Strategy::Fallback,
        config::Strategy::Hash(_) => Strategy::Hash,
        config::Strategy::Weighted { .. } => Strategy::Weighted,
        config::Strategy::Cost => Strategy::Cost,
        config::Strategy::Latency => Strategy::Latency,
        config::Strategy::Load => Strategy::Load,
        config::Strategy::Quality => Strategy::Quality,
        config::Strategy::Role => Strategy::Role,
        config::Strategy::Race(_) => Strategy::Race,
        config::Strategy::Cascade(_) => Strategy::Cascade,
        config::Strategy::Learned(_) => Strategy::Learned,
        config::Strategy::Semantic => Strategy::Semantic,
        config::Strategy::Bandit { .. } => Strategy::Bandit,
    }
}

impl Router for Standard {
    fn reads_prompts(&self, ask: &Ask) -> bool {
        self.learning.reads_prompts()
            && (has_conditions(&self.config)
                || entry(&self.config, &self.catalog, ask).is_ok_and(|entry| match entry.root {
                    Root::Route(_, route) => advice::reads_within(&self.config, &route.group, &mut Vec::new()),
                    Root::Models(_) | Root::Class(_) => false,
                }))
    }

    fn read(&self, prompt: Sample<'_>, weights: Option<&Arc<Weights>>) -> Signals {
        self.learning.read(prompt, weights)
    }

    fn routes(&self, ask: &Ask) -> Vec<String> {
        let entry = entry(&self.config, &self.catalog, ask);
        entry.map_or_else(|_| Vec::new(), |entry| entry.asked.into_iter().chain(entry.route).collect())
    }

    fn reach(&self, ask: &Ask) -> Result<Reach, Refusal> {
        let entry = entry(&self.config, &self.catalog, ask)?;
        let facts = self.facts(ask, &entry, &View::default());
        let models: Vec<ModelId> =
            facts.iter().filter(|facts| facts.drop.is_none()).map(|facts| facts.id.clone()).collect();
        if models.is_empty() {
            return Err(self.refuse(&entry, &facts));
        }
        let Root::Route(_, route) = &entry.root else { return Ok(Reach { models, answers: 1, judge: None }) };
        let answers = route.group.strategy.answers(route.group.candidates.len());
        let judge = route.group.strategy.cascade().and_then(|cascade| cascade.judge).map(|judge| judge.model);
        Ok(Reach { models, answers, judge })
    }

    fn view(&self, ask: &Ask, now: Timestamp) -> View {
        let Ok(entry) = entry(&self.config, &self.catalog, ask) else { return View { now, ..View::default() } };
        let session = ask.session_key();
        let mut view = self.health.view(&self.models(&entry), session.as_deref(), entry.route.as_deref(), now);
        self.learning.advise(&self.config, &self.catalog, ask, &entry, &mut view);
        view
    }

    fn decide(&self, ask: &Ask, view: &View, entropy: u64) -> Result<Decision, Refusal> {
        let entry = entry(&self.config, &self.catalog, ask)?;
        let mut facts = self.facts(ask, &entry, view);
        let last = rest(&mut facts, view.now);
        let strategy = strategy(&entry);
        let fit: Vec<Facts> = facts.iter().filter(|facts| facts.drop.is_none()).cloned().collect();
        let context = Context { config: &self.config, catalog: &self.catalog, ask, view, entropy, fit: &fit };
        let mut ranked = match &entry.root {
            Root::Models(ids) => context.list(ids),
            Root::Class(ids) => context.list(ids),
            Root::Route(_, route) => context.group(&route.group, 0),
        };
        let stays = stay(&context, strategy, &mut ranked);
        let Some(first) = ranked.steps.first().map(|step| step.id.clone()) else {
            return Err(self.refuse(&entry, &facts));
        };
        let in_order = facts.first().is_some_and(|facts| facts.id == first);
        let reason = match (last, stays, strategy) {
            (true, ..) => Reason::LastTarget,
            (false, true, _) => Reason::WarmCache,
            (false, false, Strategy::Direct) => Reason::Named,
            (false, false, Strategy::Static) => Reason::Rule,
            (false, false, Strategy::Fallback) if !in_order && ranked.reason.is_none() => Reason::OnlyFit,
            (false, false, _) => ranked.reason.unwrap_or(Reason::First),
        };
        let route = if let Root::Route(_, route) = &entry.root { Some(*route) } else { None };
        let shadow = route.and_then(|route| route.shadow.as_ref());
        let shadow = shadow.filter(|shadow| choose::part(choose::mix(entropy, 7)) < shadow.share);
        // Whoever hears of a request keeps what is required of it, also beside its plan.
        let may_hear = |model: &ModelId| hears(&self.config, &self.catalog, &entry, model);
        let shadow = shadow.filter(|shadow| may_hear(&shadow.model));
        let teaches =
            shadow.is_some() && entry.route.as_deref().is_some_and(|route| advice::learns(&self.config, route));
        let mut cascade = route.and_then(|route| route.group.strategy.cascade());
        if let Some(cascade) = &mut cascade {
            cascade.judge = cascade.judge.take().filter(|judge| may_hear(&judge.model));
        }
        let verdict = |facts: &Facts| match (facts.drop, facts.id == first) {
            (Some(_), _) => Verdict::Dropped,
            (None, true) => Verdict::Chosen,
            (None, false) => Verdict::Kept,
        };
        let considered = facts.iter().map(|facts| Considered {
            model: facts.id.clone(),
            verdict: verdict(facts),
            reason: facts.drop,
            scores: Some(Scores { will_do: view.chances.get(&facts.id.to_string()).copied(), ..facts.scores(ask) }),
        });
        Ok(Decision {
            id: String::new(),
            strategy,
            reason,
            considered: considered.collect(),
            signals: Told {
                tokens_in: ask.tokens_in,
                complexity: ask.signals.complexity_permille.map(|permille| f64::from(permille) / 1_000.0),
                topic: ask.signals.topic.clone(),
                data_classes: ask.signals.data_classes.clone(),
            },
            view: Seen { health_age_ms: view.health_age_ms },
            shadow: shadow.map(|shadow| shadow.model.clone()),
            shadow_teaches: teaches,
            shadow_judge: shadow.and_then(|shadow| shadow.judge.clone()).filter(|judge| may_hear(&judge.model)),
            remote: false,
            // A class has none, and a fallback's own route is not the one that was asked for.
            timeouts: route.map(|route| route.timeouts).unwrap_or_default(),
            cascade,
            past_content_policy: route.is_some_and(|route| route.past_content_policy),
            retry_at: facts.iter().filter_map(|facts| Some(facts.resting(view.now)?.1)).min(),
            plan: ranked.steps.into_iter().map(|s| Step { model: s.id, role: s.role, after_ms: s.after }).collect(),
            route: entry.route,
        })
    }

    fn begin(&self, model: &ModelId, only: bool, now: Timestamp) -> bool {
        self.health.begin(model, only, now)
    }

    fn may_retry(&self, model: &ModelId, only: bool, now: Timestamp) -> bool {
        self.health.may_retry(model, only, now)
    }

    fn opened(&self, id: &str, ask: &Ask, decision: &Decision, model: &ModelId, now: Timestamp) {
        let Some(route) = decision.route.as_deref().filter(|route| advice::learns(&self.config, route)) else { return };
        let Some(seen) = ask.signals.seen.as_deref() else { return };
        let ticket = Ticket {
            request: id.to_owned(),
            team: ask.team.clone(),
            route: route.to_owned(),
            model: model.to_string(),
            features: seen.features.clone(),
            cell: seen.cell,
            gain: seen.gain,
        };
        if let Some(useless) = self.tickets.note(ticket, ask, now) {
            self.lessons().blame(&useless.lessons(), &useless.model);
        }
    }

    fn learn(&self, ask: &Ask, route: &str, model: &ModelId, worth: i32) {
        if let Some(seen) = ask.signals.seen.as_deref().filter(|_| advice::learns(&self.config, route)) {
            let route = [ask.team.as_str(), "/", route].concat();
            self.lessons().learn(&route, &model.to_string(), &seen.features, seen.cell, worth);
        }
    }

    fn stronger(&self, route: &str) -> Option<ModelId> {
        let (pair, _) = advice::pair(&self.config, &self.catalog, route)?;
        let [_, strong] = &pair.models;
        ModelId::parse(strong)
    }

    fn observe(&self, outcome: &Outcome) {
        self.health.observe(outcome);
    }

    fn conclude(&self, concluded: Concluded) {
        if let Some(route) = concluded.decision.route.as_deref().filter(|route| advice::learns(&self.config, route)) {
            let route = [concluded.team.as_str(), "/", route].concat();
            concluded.failed.iter().for_each(|model| self.lessons().called(&route, &model.to_string(), ONE));
            if let Some(model) = &concluded.answered {
                self.lessons().called(&route, &model.to_string(), concluded.wrong());
            }
        }
        self.journal.note(concluded);
    }

    fn raced(&self, route: &str, spent: NanoUsd, lost: NanoUsd) {
        self.health.raced(route, spent, lost);
    }
}
