//! The middle stage: the decision, and its plan walked until somebody answers.

use super::accept::Order;
use super::attempts::{Attempts, Next};
use super::finish::Finish;
use super::intake::Intake;
use super::{Layers, Pipeline, estimate, refusal};
use crate::config::ModelId;
use crate::error::{ApiError, Code};
use crate::gateway::audit::Attempt;
use crate::ports::Clock;
use crate::proxy::{Answer, Call, Proxy};
use crate::router::{Decision, Router, View};
use crate::units::NanoUsd;
use std::sync::Arc;

pub(super) type Answered<L> = (Decision, ModelId, Answer<<<L as Layers>::Proxy as Proxy>::Body>);

/// Decides, then walks the plan until somebody answers.
pub(super) async fn answer<L: Layers>(
    pipeline: &Arc<Pipeline<L>>,
    intake: &Intake,
    order: &mut Order,
    finish: &mut Finish<L>,
) -> Result<Answered<L>, ApiError> {
    let clock = pipeline.layers.clock();
    let view = View { now: clock.now() };
    let mut decision = pipeline.layers.router().decide(&order.ask, &view, clock.entropy()).map_err(refusal::error)?;
    decision.id = intake.id.clone();
    if let Some(total) = decision.timeouts.total() {
        order.total = order.total.min(total);
        order.deadline = intake.at + order.total;
    }
    if let Some(open) = finish.open() {
        open.record.route = decision.route.clone();
        open.record.reason = Some(decision.reason.as_str());
    }
    let mut attempts = Attempts::new(decision.plan.len(), pipeline.retries, order.deadline);
    let mut at = 0;
    // The failure before this attempt: the answer when no further one can be paid for.
    let mut last = None;
    loop {
        let Some(step) = decision.plan.get(at) else {
            return Err(ApiError::new(Code::NoHealthyModel, "The plan for this request is empty."));
        };
        let model = step.model.clone();
        let started = clock.now();
        // What earlier attempts may have cost is gone.
        let spent = finish.open().map_or(NanoUsd::ZERO, |open| open.record.cost_nano_usd);
        let left = order.admission.granted.map(|granted| granted.saturating_sub(spent));
        let affordable =
            left.and_then(|money| estimate::affordable_output(&pipeline.catalog, &model, &order.request.facts, money));
        if let (Some(0), Some(failure)) = (affordable, last.take()) {
            return Err(failure);
        }
        if let Some(open) = finish.open() {
            open.in_flight = Some(model.clone());
        }
        let call = Call {
            request: &order.request,
            model: &model,
            max_output_tokens: affordable.map(|tokens| tokens.max(1)),
            request_id: &intake.id,
            deadline: order.deadline,
            timeouts: decision.timeouts,
        };
        let failure = match pipeline.layers.proxy().call(&call).await {
            Ok(answer) => {
                let attempt = Attempt {
                    model: model.clone(),
                    result: "ok",
                    status: Some(answer.status),
                    duration_ms: clock.now().since(started),
                };
                if let Some(open) = finish.open() {
                    open.in_flight = None;
                    open.record.attempts.push(attempt);
                    open.record.model = Some(model.clone());
                    open.record.ttft_ms = Some(clock.now().since(intake.at));
                    open.record.status = answer.passed.as_ref().map_or(200, |head| head.status);
                    open.record.warnings =
                        answer.warnings.list().iter().map(|w| format!("{};{}", w.path, w.effect.as_str())).collect();
                }
                return Ok((decision, model, answer));
            }
            Err(failure) => failure,
        };
        let now = clock.now();
        let attempt = Attempt {
            model,
            result: failure.error.code.as_str(),
            status: failure.status,
            duration_ms: now.since(started),
        };
        finish.failed_attempt(attempt, &failure);
        match attempts.after(failure.retry, failure.error.retry_after, now, clock.entropy()) {
            Next::Again(pause) => clock.sleep(pause).await,
            Next::Step(step) => at = step,
            Next::GiveUp => return Err(failure.error),
        }
        last = Some(failure.error);
    }
}
