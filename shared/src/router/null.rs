//! The null router: the model that was named, and nothing else.

use super::{Ask, Considered, Decision, Outcome, Reason, Refusal, Role, Router, Step, Strategy, Verdict, View};
use crate::config::{ModelId, TimeoutsOverride};
use crate::error::ApiError;

/// Decides nothing: the ask's own model is the whole plan.
#[derive(Clone, Copy, Debug, Default)]
pub struct Direct;

impl Router for Direct {
    fn candidates(&self, ask: &Ask) -> Result<Vec<ModelId>, Refusal> {
        named(ask).map(|model| vec![model])
    }

    fn decide(&self, ask: &Ask, _view: &View, _entropy: u64) -> Result<Decision, Refusal> {
        let model = named(ask)?;
        Ok(Decision {
            id: String::new(),
            route: None,
            strategy: Strategy::Direct,
            reason: Reason::Named,
            plan: vec![Step { model: model.clone(), role: Role::Primary }],
            considered: vec![Considered { model, verdict: Verdict::Chosen, reason: None }],
            timeouts: TimeoutsOverride::default(),
        })
    }

    fn observe(&self, _outcome: &Outcome) {}
}

fn named(ask: &Ask) -> Result<ModelId, Refusal> {
    let model = ask.model.as_deref().and_then(ModelId::parse);
    model.ok_or_else(|| Refusal::Unknown(ApiError::invalid("model", "Name a model as provider:model.")))
}
