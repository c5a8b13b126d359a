//! The null router: the model that was named, and nothing else.

use super::{
    Ask, Concluded, Considered, Decision, Outcome, Reach, Reason, Refusal, Role, Router, Seen, Step, Strategy, Told,
    Verdict, View,
};
use crate::config::{ModelId, TimeoutsOverride};
use crate::error::ApiError;
use crate::units::{NanoUsd, Timestamp};

/// Decides nothing: the ask's own model is the whole plan.
#[derive(Clone, Copy, Debug, Default)]
pub struct Direct;

impl Router for Direct {
    fn reach(&self, ask: &Ask) -> Result<Reach, Refusal> {
        named(ask).map(|model| Reach { models: vec![model], answers: 1, judge: None })
    }

    fn view(&self, _ask: &Ask, now: Timestamp) -> View {
        View { now, ..View::default() }
    }

    fn decide(&self, ask: &Ask, _view: &View, _entropy: u64) -> Result<Decision, Refusal> {
        let model = named(ask)?;
        Ok(Decision {
            id: String::new(),
            route: None,
            strategy: Strategy::Direct,
            reason: Reason::Named,
            plan: vec![Step { model: model.clone(), role: Role::Primary, after_ms: None }],
            considered: vec![Considered { model, verdict: Verdict::Chosen, reason: None, scores: None }],
            signals: Told::default(),
            view: Seen::default(),
            shadow: None,
            shadow_teaches: false,
            shadow_judge: None,
            remote: false,
            timeouts: TimeoutsOverride::default(),
            cascade: None,
            past_content_policy: false,
            retry_at: None,
        })
    }

    fn begin(&self, _model: &ModelId, _only: bool, _now: Timestamp) -> bool {
        true
    }

    fn may_retry(&self, _model: &ModelId, _only: bool, _now: Timestamp) -> bool {
        true
    }

    fn observe(&self, _outcome: &Outcome) {}

    fn conclude(&self, _concluded: Concluded) {}

    fn raced(&self, _route: &str, _spent: NanoUsd, _lost: NanoUsd) {}
}

fn named(ask: &Ask) -> Result<ModelId, Refusal> {
    let model = ask.model.as_deref().and_then(ModelId::parse);
    model.ok_or_else(|| Refusal::Unknown(ApiError::invalid("model", "Name a model as provider:model.")))
}
