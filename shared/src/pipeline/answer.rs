//! The middle stage: the decision, and its plan walked until somebody answers.

use super::accept::Order;
use super::attempts::{Attempts, Next};
use super::cascade::{AGREED, Compared, Opinion};
use super::consult::consult;
use super::finish::Finish;
use super::flight::Flight;
use super::intake::Intake;
use super::{Layers, Pipeline, cascade, estimate, race, refusal, slices};
use crate::config::{ModelId, TimeoutsOverride};
use crate::error::{ApiError, Code};
use crate::gateway::audit::Attempt;
use crate::gateway::{Gateway, More};
use crate::ports::Clock;
use crate::proxy::{Answer, Call, Content, Failure, Proxy, Retry};
use crate::router::learn::fixed::ONE;
use crate::router::learn::gates::Flaw;
use crate::router::{Decision, Question, Reason, Role, Router, Step, View};
use crate::units::{Millis, NanoUsd, Timestamp};
use std::sync::Arc;

pub(super) type AnswerOf<L> = Answer<<<L as Layers>::Proxy as Proxy>::Body>;
pub(super) type Answered<L> = (Decision, ModelId, AnswerOf<L>);

/// Decides, then walks the plan until somebody answers.
pub(super) async fn answer<L: Layers>(
    pipeline: &Arc<Pipeline<L>>,
    intake: &Intake,
    order: &mut Order,
    finish: &mut Finish<L>,
) -> Result<Answered<L>, ApiError> {
    let (decision, question) = decide(pipeline, intake, order).await?;
    if let Some(total) = decision.timeouts.total() {
        order.total = order.total.min(total);
        order.deadline = intake.at + order.total;
    }
    if let Some(open) = finish.open() {
        open.record.route = decision.route.clone();
        open.record.reason = Some(decision.reason.as_str());
        open.decision = Some((Arc::new(decision.clone()), Arc::new(question)));
        open.explain = intake.explain;
    }
    let mut walk = Walk { pipeline, intake, order, timeouts: decision.timeouts, finish, grows: false };
    let (model, answer) = walk.plan(&decision).await?;
    pipeline.layers.router().opened(&intake.id, &order.ask, &decision, &model, pipeline.layers.clock().now());
    Ok((decision, model, answer))
}

/// The decision, and what it was made by.
async fn decide<L: Layers>(
    pipeline: &Arc<Pipeline<L>>,
    intake: &Intake,
    order: &Order,
) -> Result<(Decision, Question), ApiError> {
    let (clock, router) = (pipeline.layers.clock(), pipeline.layers.router());
    // What is charged a flat amount has no price that could be too high.
    let afford = order.admission.granted.filter(|_| order.tariff.flat.is_none());
    let view = View { afford, ..router.view(&order.ask, clock.now()) };
    let entropy = clock.entropy();
    let decision = router.decide(&order.ask, &view, entropy).map_err(refusal::error)?;
    let mut question = Question { ask: order.ask.clone(), view: Some(view), entropy: Some(entropy) };
    // What learners saw is in the view, as advice.
    question.ask.signals.seen = None;
    let decision = consult(pipeline, &question, decision).await;
    let reason = if order.claim.downgraded { Reason::Budget } else { decision.reason };
    let mut decision = Decision { id: intake.id.clone(), reason, ..decision };
    // A caller's key is for one provider, and no other may see it.
    if order.request.provider_key.is_some()
        && let Some(first) = decision.plan.first().map(|step| step.model.provider.clone())
    {
        decision.plan.retain(|step| step.model.provider == first);
    }
    Ok((decision, question))
}

/// What every call of a request needs.
pub(super) struct Walk<'w, L: Layers> {
    pub pipeline: &'w Arc<Pipeline<L>>,
    pub intake: &'w Intake,
    pub order: &'w Order,
    pub timeouts: TimeoutsOverride,
    pub finish: &'w mut Finish<L>,
    /// Whether the next answer is reserved slice by slice.
    pub grows: bool,
}

impl<L: Layers> Walk<'_, L> {
    async fn plan(&mut self, decision: &Decision) -> Result<(ModelId, AnswerOf<L>), ApiError> {
        let mut kept = None;
        let walked = self.steps(decision, &mut kept).await;
        match (walked, kept) {
            // Nobody came to agree or to decide: a cheap answer is better than none.
            (Err(_), Some(Opinion { model, answer, .. })) => {
                self.finish.took(&model);
                Ok((model, answer))
            }
            (walked, _) => walked,
        }
    }

    async fn steps(
        &mut self,
        decision: &Decision,
        kept: &mut Option<Opinion<L>>,
    ) -> Result<(ModelId, AnswerOf<L>), ApiError> {
        let (clock, router) = (self.pipeline.layers.clock(), self.pipeline.layers.router());
        let mut attempts = Attempts::new(decision.plan.len(), self.pipeline.retries, self.order.deadline);
        let mut at = 0;
        // The failure before this attempt: the answer when no further one can be made or paid for.
        let mut last: Option<ApiError> = None;
        loop {
            let Some(step) = decision.plan.get(at) else {
                return Err(ApiError::new(Code::NoHealthyModel, "The plan for this request is empty."));
            };
            let started = clock.now();
            // This model's own limits and budgets keep the call out: the next one's may not.
            if let Err(error) = self.enter(&step.model).await {
                match attempts.skip(started) {
                    Next::Step(next) => at = next,
                    Next::Again(_) | Next::GiveUp => return Err(last.unwrap_or(error)),
                }
                last = last.or(Some(error));
                continue;
            }
            if last.is_some() {
                self.top_up(&step.model).await;
            }
            let affordable = self.affordable(&step.model, NanoUsd::ZERO);
            if let (Some(0), Some(failure)) = (affordable, &last) {
                return Err(failure.clone());
            }
            if !router.begin(&step.model, at + 1 == decision.plan.len(), started) {
                match attempts.skip(started) {
                    Next::Step(next) => at = next,
                    Next::Again(_) | Next::GiveUp => return Err(last.unwrap_or_else(nobody)),
                }
                continue;
            }
            self.took_off(&step.model, started);
            let hedge = decision.plan.get(at + 1).filter(|next| at == 0 && next.role == Role::Hedge);
            let called = match hedge {
                Some(hedge) => {
                    let route = decision.route.as_deref().unwrap_or_default();
                    race::run(self, step, affordable, hedge, route).await
                }
                None => {
                    let call = self.call(&step.model, affordable);
                    self.pipeline
                        .layers
                        .proxy()
                        .call(&call)
                        .await
                        .map_err(|failure| (step.model.clone(), failure))
                        .map(|answer| (step.model.clone(), started, answer))
                }
            };
            let (model, failure) = match called {
                Ok((model, began, mut answer)) => {
                    self.answered(&model, began, &answer);
                    let further = |step: &Step| step.role == Role::Escalation;
                    let next = decision.plan.iter().skip(at + 1).position(further).map(|further| at + 1 + further);
                    if let (Some(figures), Some(next)) = (&decision.cascade, next)
                        && let Some(flaw) = cascade::judge(self, &mut answer, figures).await
                    {
                        // Who was not judged is not known.
                        if flaw != Flaw::NoVerdict {
                            self.learn(decision, &model, 0);
                        }
                        let observed = cascade::discard::<L>(&model, answer, &self.intake.id);
                        self.finish.rejected(&model, &observed, flaw.as_str());
                        attempts.jump(next);
                        at = next;
                        continue;
                    }
                    if next.is_some() && decision.cascade.as_ref().is_some_and(|figures| figures.judge.is_some()) {
                        self.learn(decision, &model, ONE);
                    }
                    if !decision.cascade.as_ref().is_some_and(|figures| figures.agree) {
                        return Ok((model, answer));
                    }
                    let escalations = decision.plan.iter().skip(at + 1).filter(|step| further(step)).count();
                    match self.compared(decision, kept, (model, answer), escalations) {
                        Some(taken) => return Ok(taken),
                        None => at = next.unwrap_or(at + 1),
                    }
                    attempts.jump(at);
                    continue;
                }
                Err((model, failure)) if self.order.tariff.byok => (model, refusal::theirs(failure)),
                Err(failed) => failed,
            };
            self.failed(&model, started, &failure);
            let now = clock.now();
            // Whoever would have been asked beside it is asked now; two that failed beside each other are not tried again.
            let raced = hedge.is_some_and(|hedge| self.took_part(hedge));
            let retry = match hedge {
                Some(_) => Retry::Elsewhere,
                None => self.may_retry(&failure, decision, &model, at + 1 == decision.plan.len(), now),
            };
            if raced {
                attempts.jump(at + 1);
            }
            match attempts.after(retry, failure.error.retry_after, now, clock.entropy()) {
                Next::Again(pause) => clock.sleep(pause).await,
                Next::Step(step) => {
                    at = self.larger(&failure, &model, decision, step);
                    attempts.jump(at);
                }
                Next::GiveUp => return Err(told(failure.error, decision, now)),
            }
            last = Some(failure.error);
        }
    }

    /// Compares an answer with the one kept before it, and writes down what is not taken. `None`: ask the next one.
    fn compared(
        &mut self,
        decision: &Decision,
        kept: &mut Option<Opinion<L>>,
        answered: (ModelId, AnswerOf<L>),
        further: usize,
    ) -> Option<(ModelId, AnswerOf<L>)> {
        match cascade::compare(self, kept.take(), answered, further) {
            Compared::Kept(opinion) => {
                *kept = Some(opinion);
                None
            }
            Compared::Disagreed(first, second) => {
                self.set_aside(first, "disagreed");
                self.set_aside(second, "disagreed");
                None
            }
            Compared::Taken(model, answer, other) => {
                if let Some((other, word)) = other {
                    if word == AGREED {
                        [&model, &other.model].into_iter().for_each(|model| self.learn(decision, model, ONE));
                    }
                    self.set_aside(other, word);
                }
                self.finish.took(&model);
                Some((model, answer))
            }
        }
    }

    /// What a cascade makes of an answer teaches a route that learns.
    fn learn(&self, decision: &Decision, model: &ModelId, worth: i32) {
        if let Some(route) = &decision.route {
            self.pipeline.layers.router().learn(&self.order.ask, route, model, worth);
        }
    }

    fn set_aside(&mut self, opinion: Opinion<L>, word: &'static str) {
        let observed = cascade::discard::<L>(&opinion.model, opinion.answer, &self.intake.id);
        self.finish.rejected(&opinion.model, &observed, word);
    }

    /// Takes what depends on this model; a refusal is written down as an attempt that was not made.
    pub(super) async fn enter(&mut self, model: &ModelId) -> Result<(), ApiError> {
        let entered = self.finish.enter(&self.order.caller, &self.order.claim, model).await;
        if let (Err(error), Some(open)) = (&entered, self.finish.open()) {
            let (model, result) = (model.clone(), error.code.as_str());
            open.record.attempts.push(Attempt { model, result, status: None, duration_ms: Millis(0) });
        }
        entered
    }

    /// Whether the second call of a race was made.
    fn took_part(&mut self, hedge: &Step) -> bool {
        let asked = |attempt: &Attempt| attempt.model == hedge.model;
        self.finish.open().is_some_and(|open| open.record.attempts.iter().any(asked))
    }

    /// Where a failed call may be repeated, by what the operator allows and the retry budget leaves.
    fn may_retry(&self, failure: &Failure, decision: &Decision, model: &ModelId, only: bool, now: Timestamp) -> Retry {
        match failure.retry {
            Retry::Never if failure.content_policy && decision.past_content_policy => Retry::Elsewhere,
            Retry::Same if !self.pipeline.layers.router().may_retry(model, only, now) => Retry::Elsewhere,
            retry @ (Retry::Same | Retry::Elsewhere | Retry::Never) => retry,
        }
    }

    /// A prompt that was too long for one is not sent to another that is no larger, if there is a larger one.
    fn larger(&self, failure: &Failure, model: &ModelId, decision: &Decision, step: usize) -> usize {
        if failure.error.code != Code::ContextLengthExceeded {
            return step;
        }
        let window = |model: &ModelId| self.pipeline.catalog.model(model).context_tokens;
        let Some(small) = window(model) else { return step };
        let larger = decision.plan.iter().skip(step).position(|next| window(&next.model).is_some_and(|w| w > small));
        larger.map_or(step, |further| step + further)
    }

    /// Before another call: what earlier ones may have cost was not reserved for this one, and is asked for on top of what was
    /// granted, so that it shortens nobody's answer.
    async fn top_up(&mut self, model: &ModelId) {
        let Order { request, caller, claim, tariff, beside, .. } = self.order;
        let Some(open) = self.finish.open().filter(|_| tariff.flat.is_none()) else { return };
        let spent = open.record.cost_nano_usd;
        let Some(granted) = open.admission.granted.filter(|_| spent > NanoUsd::ZERO) else { return };
        let wanted = estimate::most(&self.pipeline.catalog, model, &request.facts, None);
        let beside = beside.saturating_sub(open.record.moderation_nano_usd);
        let most = (spent + wanted + beside).saturating_sub(granted);
        if most > NanoUsd::ZERO {
            let slice = u32::try_from(open.record.attempts.len()).unwrap_or(u32::MAX);
            let gateway = self.pipeline.layers.gateway();
            let begun = (spent + claim.slice).saturating_sub(granted);
            let more = More { slice, most, enough: if claim.slice.is_zero() { most } else { begun } };
            let extended = gateway.extend(&open.admission, caller, claim, more).await;
            open.admission.granted = extended.or(Some(granted));
        }
    }

    /// The longest answer of a model that the budget affords beside `reserved`; `None`: any.
    pub(super) fn affordable(&mut self, model: &ModelId, reserved: NanoUsd) -> Option<u64> {
        // What earlier attempts may have cost is gone.
        let (spent, judged) = self.finish.open().map_or((NanoUsd::ZERO, NanoUsd::ZERO), |open| {
            (open.record.cost_nano_usd, open.record.moderation_nano_usd)
        });
        // And what judging the answer will cost is not the answer's.
        let spent = spent + reserved + self.order.beside.saturating_sub(judged);
        let (catalog, open) = (&self.pipeline.catalog, self.finish.open());
        self.grows = open.as_ref().is_some_and(|open| slices::besides(catalog, self.order, open, model).is_some());
        let granted = open.and_then(|open| open.admission.granted).filter(|_| !self.grows);
        let left = granted.map(|granted| granted.saturating_sub(spent));
        let left = left.into_iter().chain(self.finish.room(model)).min()?;
        estimate::affordable_output(&self.pipeline.catalog, model, &self.order.request.facts, left)
    }

    pub(super) fn call<'c>(&'c self, model: &'c ModelId, affordable: Option<u64>) -> Call<'c> {
        Call {
            request: &self.order.request,
            model,
            max_output_tokens: self.order.request.limited(affordable),
            request_id: &self.intake.id,
            deadline: self.order.deadline,
            timeouts: self.timeouts,
            words: self.order.guarded(),
            metered: self.grows,
        }
    }

    pub(super) fn took_off(&mut self, model: &ModelId, now: Timestamp) {
        if let Some(open) = self.finish.open() {
            open.flights.push(Flight::new(model.clone(), now));
        }
    }

    /// Writes a failed call down.
    pub(super) fn failed(&mut self, model: &ModelId, began: Timestamp, failure: &Failure) {
        let attempt = Attempt {
            model: model.clone(),
            result: failure.error.code.as_str(),
            status: failure.status,
            duration_ms: self.pipeline.layers.clock().now().since(began),
        };
        self.finish.failed_attempt(attempt, failure);
    }

    fn answered(&mut self, model: &ModelId, began: Timestamp, answer: &AnswerOf<L>) {
        let now = self.pipeline.layers.clock().now();
        let at = self.intake.at;
        let Some(open) = self.finish.open() else { return };
        if let Some(flight) = open.flights.iter_mut().find(|flight| flight.model == *model) {
            flight.answered = Some(now);
            flight.streams = answer.content.is_live();
            flight.room = answer.room.filter(|_| !open.tariff.byok);
            flight.said = match &answer.content {
                Content::Whole { observed, .. } => Some(observed.clone()),
                Content::Live(_) => None,
            };
        }
        let attempt =
            Attempt { model: model.clone(), result: "ok", status: Some(answer.status), duration_ms: now.since(began) };
        open.record.attempts.push(attempt);
        open.record.model = Some(model.clone());
        open.record.ttft_ms = Some(now.since(at));
        open.record.status = answer.passed.as_ref().map_or(200, |head| head.status);
        open.record.warnings =
            answer.warnings.list().iter().map(|w| format!("{};{}", w.path, w.effect.as_str())).collect();
    }
}

fn nobody() -> ApiError {
    ApiError::new(Code::NoHealthyModel, "Every candidate is being found out about. Try again in a moment.")
}

/// The last failure, with the time when somebody else can be asked, where that is known and the failure does not say.
fn told(error: ApiError, decision: &Decision, now: Timestamp) -> ApiError {
    let fault = error.code.status() >= 500;
    let wait = decision.retry_at.filter(|_| fault && error.retry_after.is_none()).map(|at| at.since(now));
    match wait.filter(|wait| wait.0 > 0) {
        Some(wait) => error.retry_after(wait),
        None => error,
    }
}
