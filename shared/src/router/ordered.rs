//! The standard router of this version: the order of the configuration, or a draw by weight.
//!
//! Rails come first, always: what a candidate may not or cannot do drops it whatever the strategy
//! would say. A model the caller named itself is held only to what is *allowed*: what it can do is
//! for its provider to say, because a catalog may be behind the times.

use super::{Ask, Considered, Decision, Drop, Outcome, Reason, Refusal, Role, Router, Step, Strategy, Verdict, View};
use crate::catalog::{Asked, Capabilities, Catalog, ModelRef};
use crate::config::{self, Config, ModelId, Route, Target};
use std::sync::Arc;

/// Routes by the configuration.
#[derive(Debug)]
pub struct Ordered {
    config: Arc<Config>,
    catalog: Arc<Catalog>,
}

/// What an ask may reach, in the order it is tried.
struct Reach {
    /// The name of the route or class; `None` when a model was named.
    route: Option<String>,
    strategy: Strategy,
    models: Vec<ModelId>,
}

impl Ordered {
    /// A router over this configuration and catalog.
    pub fn new(config: Arc<Config>, catalog: Arc<Catalog>) -> Ordered {
        Ordered { config, catalog }
    }

    fn reach(&self, ask: &Ask, entropy: u64) -> Result<Reach, Refusal> {
        let name = ask.model.as_deref().map(ModelRef::parse).transpose().map_err(Refusal::Unknown)?;
        let mut models = Vec::new();
        let (route, strategy) = match self.catalog.resolve(name.as_ref()).map_err(Refusal::Unknown)? {
            Asked::Models(named) => {
                models = named;
                (None, Strategy::Direct)
            }
            Asked::Class(class) => {
                models.extend_from_slice(self.catalog.class(class));
                (Some(class.as_str().to_owned()), Strategy::Fallback)
            }
            Asked::Route(name) => {
                let strategy = match self.config.routes.get(&name).map(|route| route.strategy) {
                    Some(config::Strategy::Weighted) => Strategy::Weighted,
                    Some(config::Strategy::Ordered) | None => Strategy::Fallback,
                };
                self.follow(&Target::Route(name.clone()), entropy, &mut Vec::new(), &mut models);
                (Some(name.to_string()), strategy)
            }
        };
        Ok(Reach { route, strategy, models })
    }

    /// Appends what a target leads to: its candidates, then its fallbacks, each model once. The
    /// configuration admits no cycle; `seen` keeps a route that is reached twice from being walked twice.
    fn follow<'a>(&'a self, target: &'a Target, entropy: u64, seen: &mut Vec<&'a str>, models: &mut Vec<ModelId>) {
        let mut add = |id: &ModelId| {
            if !models.contains(id) {
                models.push(id.clone());
            }
        };
        match target {
            Target::Model(id) => add(id),
            Target::Class(class) => self.catalog.class(*class).iter().for_each(add),
            Target::Route(name) => {
                let Some(route) = self.config.routes.get(name) else { return };
                if seen.contains(&name.as_str()) {
                    return;
                }
                seen.push(name.as_str());
                candidates(route, entropy).iter().for_each(add);
                for fallback in &route.fallbacks {
                    self.follow(fallback, entropy, seen, models);
                }
            }
        }
    }

    /// The rail a model does not pass, if any.
    fn rail(&self, ask: &Ask, reach: &Reach, id: &ModelId) -> Option<Drop> {
        if !self.catalog.is_enabled(&id.provider) {
            return Some(Drop::NotEnabled);
        }
        let name = id.to_string();
        let permitted = |access: &config::ModelAccess| {
            access.permits(&name) || reach.route.as_deref().is_some_and(|route| access.permits(route))
        };
        if !ask.allowed.iter().all(permitted) {
            return Some(Drop::NotAllowed);
        }
        reach.route.as_ref()?;
        let model = self.catalog.model(id);
        if model.traits.kind.is_some_and(|kind| kind != ask.kind) {
            return Some(Drop::OtherKind);
        }
        for (needed, capability, drop) in [
            (ask.needs.tools, Capabilities::TOOLS, Drop::LacksTools),
            (ask.needs.vision, Capabilities::VISION, Drop::LacksVision),
            (ask.needs.json_schema, Capabilities::JSON_SCHEMA, Drop::LacksJsonSchema),
        ] {
            if needed && !model.capabilities.has(capability) {
                return Some(drop);
            }
        }
        let needed = ask.tokens_in.saturating_add(ask.max_output_tokens.unwrap_or(0));
        model.context_tokens.is_some_and(|window| needed > window).then_some(Drop::ContextTooSmall)
    }
}

/// A route's candidates in the order they are tried.
fn candidates(route: &Route, entropy: u64) -> Vec<ModelId> {
    let mut left: Vec<&config::Candidate> = route.candidates.iter().collect();
    if route.strategy == config::Strategy::Weighted {
        // The draw decides who is first; the others stand by in their order.
        let total: f64 = left.iter().map(|candidate| candidate.weight).sum();
        // 53 bits are all a double holds.
        let mut point = (entropy >> 11) as f64 / (1u64 << 53) as f64 * total;
        let drawn = left.iter().position(|candidate| {
            point -= candidate.weight;
            point < 0.0
        });
        let first = drawn.unwrap_or(left.len().saturating_sub(1));
        if first < left.len() {
            let chosen = left.remove(first);
            left.insert(0, chosen);
        }
    }
    left.into_iter().map(|candidate| candidate.model.clone()).collect()
}

impl Router for Ordered {
    fn candidates(&self, ask: &Ask) -> Result<Vec<ModelId>, Refusal> {
        let reach = self.reach(ask, 0)?;
        let fit: Vec<ModelId> =
            reach.models.iter().filter(|id| self.rail(ask, &reach, id).is_none()).cloned().collect();
        if fit.is_empty() { Err(self.refuse(ask, &reach)) } else { Ok(fit) }
    }

    fn decide(&self, ask: &Ask, _view: &View, entropy: u64) -> Result<Decision, Refusal> {
        let reach = self.reach(ask, entropy)?;
        let mut plan: Vec<Step> = Vec::new();
        let mut considered = Vec::new();
        for id in &reach.models {
            let reason = self.rail(ask, &reach, id);
            let verdict = match (&reason, plan.is_empty()) {
                (Some(_), _) => Verdict::Dropped,
                (None, true) => Verdict::Chosen,
                (None, false) => Verdict::Kept,
            };
            if reason.is_none() {
                let role = if plan.is_empty() { Role::Primary } else { Role::Fallback };
                plan.push(Step { model: id.clone(), role });
            }
            considered.push(Considered { model: id.clone(), verdict, reason });
        }
        let first_fits = considered.first().is_some_and(|first| first.verdict == Verdict::Chosen);
        let reason = match (reach.strategy, first_fits) {
            (Strategy::Direct, _) => Reason::Named,
            (Strategy::Fallback | Strategy::Weighted, false) => Reason::OnlyFit,
            (Strategy::Fallback, true) => Reason::First,
            (Strategy::Weighted, true) => Reason::Drawn,
        };
        if plan.is_empty() {
            return Err(self.refuse(ask, &reach));
        }
        let Reach { route, strategy, .. } = reach;
        // A class has none, and a fallback's own route is not the one that was asked for.
        let configured = route.as_deref().and_then(|name| self.config.routes.get(name));
        let timeouts = configured.map(|route| route.timeouts).unwrap_or_default();
        Ok(Decision { id: String::new(), route, strategy, reason, plan, considered, timeouts })
    }

    fn observe(&self, _outcome: &Outcome) {}
}

impl Ordered {
    fn refuse(&self, ask: &Ask, reach: &Reach) -> Refusal {
        if self.catalog.has_no_provider() {
            return Refusal::NoProvider;
        }
        let dropped = reach.models.iter().filter_map(|id| Some((id.clone(), self.rail(ask, reach, id)?)));
        Refusal::Rails { route: reach.route.clone(), dropped: dropped.collect() }
    }
}
