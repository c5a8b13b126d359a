//! Strategies: in which order those who passed the rails are asked.
//!
//! A group orders its candidates; a candidate that is a group or a route has an order of its own within. The outcome is
//! one list in which each model stands once: whoever is asked after a failure is simply the next.

use super::choose::{draw, hash, mix, part};
use super::facts::Facts;
use super::{Ask, Grounds, Reason, Role, View, advice};
use crate::catalog::Catalog;
use crate::config::{self, Candidate, Choice, Config, Group, ModelId, Sticky, Target};
use crate::sorted;
use crate::units::Millis;

/// The deepest that routes and groups may lead into each other: what is further down is not reached.
const DEEPEST: usize = 64;
/// When the second call of a race is made that has never been measured.
const USUAL_PATIENCE: Millis = Millis(1_500);

/// Everything an order depends on.
pub(super) struct Context<'c> {
    pub config: &'c Config,
    pub catalog: &'c Catalog,
    pub ask: &'c Ask,
    pub view: &'c View,
    pub entropy: u64,
    /// Those who passed, with their figures.
    pub fit: &'c [Facts],
}

/// Some models in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranked {
    pub steps: Vec<Ranking>,
    /// Why the first is first.
    pub reason: Option<Reason>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ranking {
    pub id: ModelId,
    pub role: Role,
    pub after: Option<Millis>,
}

/// A candidate of a group with what it leads to.
struct Branch<'c> {
    candidate: &'c Candidate,
    ranked: Ranked,
}

impl Ranked {
    fn append(&mut self, other: Ranked, role: Role) {
        for (i, mut step) in other.steps.into_iter().enumerate() {
            if self.steps.iter().any(|known| known.id == step.id) {
                continue;
            }
            // What stands behind another's first is there for failures.
            (step.role, step.after) = (if i == 0 { role } else { Role::Fallback }, None);
            self.steps.push(step);
        }
    }
}

impl<'c> Context<'c> {
    fn facts(&self, id: &ModelId) -> Option<&'c Facts> {
        self.fit.iter().find(|facts| facts.id == *id)
    }

    fn head<'b>(&self, branch: &'b Branch<'c>) -> Option<&'c Facts> {
        branch.ranked.steps.first().and_then(|step| self.facts(&step.id))
    }

    /// These models in this order, those who passed.
    pub(super) fn list(&self, ids: &[ModelId]) -> Ranked {
        let mut ranked = Ranked::default();
        for facts in ids.iter().filter_map(|id| self.facts(id)) {
            let role = if ranked.steps.is_empty() { Role::Primary } else { Role::Fallback };
            ranked.steps.push(Ranking { id: facts.id.clone(), role, after: None });
        }
        ranked
    }

    fn target(&self, target: &'c Target, depth: usize) -> Ranked {
        match target {
            Target::Model(id) => self.list(std::slice::from_ref(id)),
            Target::Class(class) => self.list(self.catalog.class(*class)),
            Target::Route(name) => match self.config.routes.get(name) {
                Some(route) if depth < DEEPEST => self.group(&route.group, depth + 1),
                Some(_) | None => Ranked::default(),
            },
        }
    }

    /// A group in its order, then what stands in for all of it.
    pub(super) fn group(&self, group: &'c Group, depth: usize) -> Ranked {
        let branches = group.candidates.iter().map(|candidate| {
            let ranked = match &candidate.choice {
                Choice::Target(target) => self.target(target, depth),
                Choice::Group(inner) if depth < DEEPEST => self.group(inner, depth + 1),
                Choice::Group(_) => Ranked::default(),
            };
            Branch { candidate, ranked }
        });
        let branches: Vec<Branch<'c>> = branches.filter(|branch| !branch.ranked.steps.is_empty()).collect();
        let mut ranked = self.order(group, branches);
        for fallback in &group.fallbacks {
            let first = if ranked.steps.is_empty() { Role::Primary } else { Role::Fallback };
            ranked.append(self.target(fallback, depth), first);
        }
        ranked
    }

    fn order(&self, group: &'c Group, mut branches: Vec<Branch<'c>>) -> Ranked {
        let all_there = branches.len() == group.candidates.len();
        let first_there =
            || branches.first().map(|b| &b.candidate.choice) == group.candidates.first().map(|c| &c.choice);
        let ordered = if all_there || first_there() { Reason::First } else { Reason::OnlyFit };
        let reason = match group.strategy {
            config::Strategy::Ordered => ordered,
            config::Strategy::Hash(sticky) => {
                self.draw_first(&mut branches, self.caller(sticky));
                Reason::Hashed
            }
            config::Strategy::Weighted { sticky } => self.weighted(&mut branches, sticky),
            config::Strategy::Cost => {
                sorted::sort_by_key(&mut branches, |branch| self.head(branch).map(|facts| facts.usd));
                Reason::Cheapest
            }
            config::Strategy::Quality => {
                sorted::sort_by_key(&mut branches, |branch| {
                    self.head(branch).map(|facts| (std::cmp::Reverse(facts.quality()), facts.usd))
                });
                Reason::BestQuality
            }
            config::Strategy::Latency => {
                let delay = |branch: &Branch<'c>| self.head(branch).and_then(|facts| facts.delay(self.ask));
                // Who was never asked is asked: that is how it comes to be known.
                if branches.iter().any(|branch| delay(branch).is_some()) {
                    self.best_of_two(&mut branches, |branch| delay(branch).unwrap_or(0));
                }
                let known = branches.first().is_some_and(|branch| delay(branch).is_some());
                if known { Reason::FastestHealthy } else { Reason::Unmeasured }
            }
            config::Strategy::Load => {
                let load = |branch: &Branch<'c>| {
                    let load = self.head(branch).map_or(u64::MAX, Facts::load);
                    (load as f64 / branch.candidate.weight) as u64
                };
                self.best_of_two(&mut branches, load);
                Reason::LeastLoaded
            }
            config::Strategy::Role => self.by_role(&mut branches).unwrap_or(ordered),
            config::Strategy::Learned(_) | config::Strategy::Bandit { .. } => {
                self.advised(group, &mut branches).unwrap_or(ordered)
            }
            config::Strategy::Semantic => self.by_topic(&mut branches).unwrap_or(ordered),
            config::Strategy::Race(_) => {
                if branches.len() > 1 {
                    Reason::Raced
                } else {
                    ordered
                }
            }
            config::Strategy::Cascade(_) => {
                if branches.len() > 1 {
                    Reason::CheapFirst
                } else {
                    ordered
                }
            }
        };
        let single = branches.len() == 1 && !all_there;
        let inner = branches.first().and_then(|branch| branch.ranked.reason);
        let mut ranked = Ranked::default();
        for (i, branch) in branches.into_iter().enumerate() {
            match (&group.strategy, i) {
                (_, 0) => ranked.append(branch.ranked, Role::Primary),
                (config::Strategy::Race(race), 1) => self.beside(race, &mut ranked, branch.ranked),
                (config::Strategy::Cascade(_), _) => ranked.append(branch.ranked, Role::Escalation),
                _ => ranked.append(branch.ranked, Role::Fallback),
            }
        }
        // A group within a group says more of the model that was chosen than that it stood first.
        ranked.reason = match (single, reason) {
            (true, reason) if reason != Reason::First => Some(Reason::OnlyFit),
            (_, Reason::First) => inner.or(Some(Reason::First)),
            (_, reason) => Some(reason),
        };
        ranked
    }

    /// A number that is the same for the same caller.
    fn caller(&self, sticky: Sticky) -> u64 {
        let user = || self.ask.user.as_deref();
        let name = match sticky {
            Sticky::User => user(),
            Sticky::Session => self.ask.session.as_deref().or_else(user),
            Sticky::Team => None,
        };
        hash(name.unwrap_or(&self.ask.team))
    }

    /// Puts the one on which the draw falls first; the others stand by in their order.
    fn draw_first(&self, branches: &mut Vec<Branch<'c>>, number: u64) {
        let weights: Vec<f64> = branches.iter().map(|branch| branch.candidate.weight).collect();
        to_front(branches, draw(&weights, number));
    }

    fn weighted(&self, branches: &mut Vec<Branch<'c>>, sticky: Option<Sticky>) -> Reason {
        let number = sticky.map_or(self.entropy, |sticky| self.caller(sticky));
        let trial = branches.iter().position(|branch| branch.candidate.canary.is_some());
        let trial = trial.map(|at| (at, branches.get(at).is_some_and(|branch| self.on_trial(branch, number))));
        match trial {
            Some((at, true)) => {
                to_front(branches, at);
                return Reason::Canary;
            }
            Some((at, false)) if branches.len() > 1 => {
                let canary = branches.remove(at);
                self.draw_first(branches, number);
                // It stands by, last of all.
                branches.push(canary);
            }
            Some((_, false)) | None => self.draw_first(branches, number),
        }
        if sticky.is_some() { Reason::Sticky } else { Reason::Drawn }
    }

    /// Whether this call is one of a canary's share, and it has done well so far.
    fn on_trial(&self, branch: &Branch<'c>, number: u64) -> bool {
        let (Some(canary), Some(facts)) = (branch.candidate.canary, self.head(branch)) else { return false };
        let standing = facts.standing;
        let judged = standing.calls >= canary.min_calls;
        let failing = f64::from(standing.errors_permille) > canary.max_error_rate * 1_000.0;
        let slow = canary.max_ttft_ms.zip(facts.ttft_ms(self.ask)).is_some_and(|(most, ttft)| ttft > most);
        part(mix(number, 1)) < canary.share && !(judged && (failing || slow))
    }

    /// The better of two that are drawn goes first, the others follow by merit. Always asking the best would send
    /// every instance there at once.
    fn best_of_two(&self, branches: &mut Vec<Branch<'c>>, merit: impl Fn(&Branch<'c>) -> u64) {
        let count = branches.len() as u64;
        if count > 2 {
            let (a, b) = (mix(self.entropy, 2) % count, mix(self.entropy, 3) % (count - 1));
            let b = if b >= a { b + 1 } else { b };
            let of = |at: u64| branches.get(at as usize).map_or(u64::MAX, &merit);
            let better = if of(b) < of(a) { b } else { a };
            to_front(branches, better as usize);
            if let Some((_, others)) = branches.split_first_mut() {
                sorted::sort_by_key(others, &merit);
            }
        } else {
            sorted::sort_by_key(branches, &merit);
        }
    }

    fn by_role(&self, branches: &mut Vec<Branch<'c>>) -> Option<Reason> {
        let role = self.ask.role.as_deref();
        let fits = |branch: &Branch<'c>| role.is_some_and(|role| branch.candidate.roles.iter().any(|one| one == role));
        // For this role, for any, for others.
        sorted::sort_by_key(branches, |branch| match (fits(branch), branch.candidate.roles.is_empty()) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 2,
        });
        branches.first().filter(|branch| fits(branch)).map(|_| Reason::RoleMatch)
    }

    fn by_topic(&self, branches: &mut Vec<Branch<'c>>) -> Option<Reason> {
        let topic = self.ask.signals.topic.as_deref();
        let fits =
            |branch: &Branch<'c>| topic.is_some_and(|topic| branch.candidate.topics.iter().any(|one| one == topic));
        // For this topic, for any, for others.
        sorted::sort_by_key(branches, |branch| match (fits(branch), branch.candidate.topics.is_empty()) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 2,
        });
        branches.first().filter(|branch| fits(branch)).map(|_| Reason::Topic)
    }

    /// Puts the candidate first that was advised. Who is not there any more is not: the others stay in their order.
    fn advised(&self, group: &'c Group, branches: &mut Vec<Branch<'c>>) -> Option<Reason> {
        let advice = self.view.advice.get(&advice::name(self.config, self.catalog, group))?;
        let wanted = group.candidates.get(advice.first)?;
        let at = branches.iter().position(|branch| std::ptr::eq(branch.candidate, wanted))?;
        to_front(branches, at);
        Some(match advice.grounds {
            Grounds::CheaperWillDo => Reason::CheaperWillDo,
            Grounds::StrongerWorthIt => Reason::StrongerWorthIt,
            Grounds::DidBest => Reason::DidBest,
            Grounds::TriedOut => Reason::TriedOut,
            Grounds::Watching => Reason::Watching,
        })
    }

    /// Puts the first of the others that is not the primary itself beside it, where the race affords that.
    fn beside(&self, race: &config::Race, ranked: &mut Ranked, mut other: Ranked) {
        let primary = ranked.steps.first().map(|step| step.id.clone());
        let at = other.steps.iter().position(|step| Some(&step.id) != primary.as_ref());
        if let (Some(primary), Some(at)) = (primary, at) {
            let second = other.steps.remove(at).id;
            if let Some(after) = self.hedge(race, &primary, &second) {
                ranked.steps.retain(|step| step.id != second);
                ranked.steps.insert(1, Ranking { id: second, role: Role::Hedge, after: Some(after) });
            } else {
                other.steps.insert(0, Ranking { id: second, role: Role::Fallback, after: None });
            }
        }
        ranked.append(other, Role::Fallback);
    }

    /// When the second call of a race is made; `None`: too much has gone to losers already.
    fn hedge(&self, race: &config::Race, first: &ModelId, second: &ModelId) -> Option<Millis> {
        if race.after == Some(Millis(0)) {
            return race.after;
        }
        let waste = self.view.waste;
        let cost = self.facts(second)?.usd;
        let most = (waste.spent + cost).0 as f64 * race.max_waste;
        if (waste.lost + cost).0 as f64 > most {
            return None;
        }
        let usual = || {
            // Who has become slow is not waited for longer than the other one takes.
            let known = [first, second].into_iter().filter_map(|id| self.facts(id)?.ttft_ms(self.ask));
            Some(Millis(known.min()?.saturating_mul(2).max(50)))
        };
        Some(race.after.or_else(usual).unwrap_or(USUAL_PATIENCE))
    }
}

fn to_front<T>(items: &mut Vec<T>, at: usize) {
    if at < items.len() {
        let item = items.remove(at);
        items.insert(0, item);
    }
}
