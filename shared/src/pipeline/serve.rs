//! One call along the path: `authenticate → admit → route → attempt 1..n → stream → settle`.
//!
//! Every [`Operation`] walks it. What they differ in stands elsewhere: what a request means in
//! `operation`, what it can cost in `estimate`, how it is put to a provider in the proxy.

use super::attempts::{Attempts, Next};
use super::charge::Tariff;
use super::draft::Draft;
use super::estimate::Bound;
use super::finish::Finish;
use super::intake::{self, Intake};
use super::stream::{ReplyStream, StreamContext};
use super::{Layers, Pipeline, Reply, ReplyBody, estimate, headers, refusal};
use crate::config::ModelId;
use crate::dialect::{Framing, Warnings};
use crate::error::{ApiError, Code};
use crate::gateway::audit::{Attempt, Record};
use crate::gateway::{Admission, Caller, Claim, Gateway};
use crate::http::Head;
use crate::operation::Operation;
use crate::ports::{BodyError, Clock, Request};
use crate::proxy::{Answer, Call, CallerRequest, Content, Proxy};
use crate::router::{Ask, Decision, Needs, Router, View};
use crate::units::{Millis, NanoUsd, Timestamp};
use crate::usage::Usage;
use std::sync::Arc;

const EVENT_STREAM: &str = "text/event-stream; charset=utf-8";
/// How long past its deadline a request may still settle before its lease is unconfirmed.
const GRACE: Millis = Millis(60_000);

/// Serves one request for `operation`.
pub async fn serve<L: Layers, R: Request>(pipeline: &Arc<Pipeline<L>>, operation: Operation, request: R) -> Reply<L> {
    let clock = pipeline.layers.clock();
    let mut intake = Intake::new(clock, &operation, &request);
    let mut draft = Draft::new(pipeline.clone(), &intake);
    let mut order = match accept(pipeline, operation, &mut intake, request, draft.record()).await {
        Ok(order) => order,
        Err(error) => {
            draft.refuse(error.code);
            return error_reply(&intake, &error);
        }
    };
    let mut finish = Finish::new(pipeline.clone(), order.admission.clone(), draft.take(), order.tariff);
    match answer(pipeline, &intake, &mut order, &mut finish).await {
        Ok((decision, model, answer)) => reply(pipeline, &intake, &order, &decision, &model, answer, finish).await,
        Err(error) => {
            finish.refused(error.code).await;
            let mut reply = error_reply(&intake, &error);
            headers::limits(&mut reply.head, &order.admission);
            reply
        }
    }
}

/// A request that was admitted.
struct Order {
    request: CallerRequest,
    ask: Ask,
    admission: Admission,
    tariff: Tariff,
    deadline: Timestamp,
    total: Millis,
}

/// Who is it, what do they want, may they, and can they pay.
async fn accept<L: Layers, R: Request>(
    pipeline: &Arc<Pipeline<L>>,
    operation: Operation,
    intake: &mut Intake,
    request: R,
    record: &mut Record,
) -> Result<Order, ApiError> {
    let gateway = pipeline.layers.gateway();
    let caller = gateway.authenticate(intake::chat_credential(&request, operation.dialect())?.as_deref()).await?;
    record.team = Some(caller.team.clone());
    record.key_id = Some(caller.key_id.clone());
    if let Operation::PassThrough(target) = &operation {
        record.passed = Some(target.line());
        if !pipeline.catalog.is_enabled(&target.provider) {
            let message = format!("The provider `{}` is not enabled here.", target.provider);
            return Err(ApiError::new(Code::NotFound, message));
        }
    }
    intake.read(&operation, &request)?;
    let caller = Caller { user: caller.user.or(intake.user.take()), ..caller };
    record.user = caller.user.clone();
    record.tags = std::mem::take(&mut intake.tags);
    operation.takes_json().then(|| intake::check_content_type(&request)).transpose()?;

    let body = request.body(pipeline.max_body_bytes).await.map_err(|error| match error {
        BodyError::TooLarge => too_large(pipeline.max_body_bytes),
        BodyError::Broken => ApiError::new(Code::InvalidRequest, "The request's body ended early."),
    })?;
    let facts = operation.inspect(&body)?;
    record.stream = facts.stream;
    let ask = Ask {
        model: intake.route.take().or(facts.model.clone()),
        kind: operation.kind(),
        needs: Needs { tools: facts.needs.tools, vision: facts.needs.vision, json_schema: facts.needs.json_schema },
        tokens_in: facts.probable_input(),
        max_output_tokens: facts.max_output_tokens,
        allowed: gateway.allowed(&caller)?,
    };
    record.asked = ask.model.as_ref().map(|name| name.chars().take(128).collect());

    let candidates = pipeline.layers.router().candidates(&ask).map_err(refusal::error)?;
    let flat = match &operation {
        Operation::PassThrough(target) if target.is_billed() => Some(pipeline.passed_call),
        // Looking and counting cost nothing.
        Operation::PassThrough(_) | Operation::CountTokens(_) => Some(NanoUsd::ZERO),
        Operation::Chat(_) | Operation::Completions | Operation::Embeddings | Operation::Rerank => None,
    };
    let bound = match flat {
        Some(flat) => Bound { most: flat, least: flat },
        None => estimate::bound(&pipeline.catalog, &candidates, &facts),
    };
    let total = intake.timeout.unwrap_or(pipeline.total_timeout);
    let claim = Claim {
        id: intake.id.clone(),
        now: intake.at,
        lease: Millis(total.0.saturating_add(GRACE.0)),
        most: bound.most,
        least: bound.least,
    };
    let admission = gateway.admit(&caller, claim).await?;
    let expected = Usage { input: ask.tokens_in, searches: facts.searches, ..Usage::default() };
    let tariff = Tariff { expected, flat };
    let request = CallerRequest::new(operation, body, facts, std::mem::take(&mut intake.forwarded));
    Ok(Order { request, ask, admission, tariff, deadline: intake.at + total, total })
}

type Answered<L> = (Decision, ModelId, Answer<<<L as Layers>::Proxy as Proxy>::Body>);

/// Decides, then walks the plan until somebody answers.
async fn answer<L: Layers>(
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

/// Turns an answer into a reply; a complete one is settled here, a stream settles itself.
async fn reply<L: Layers>(
    pipeline: &Arc<Pipeline<L>>,
    intake: &Intake,
    order: &Order,
    decision: &Decision,
    model: &ModelId,
    answer: Answer<<L::Proxy as Proxy>::Body>,
    mut finish: Finish<L>,
) -> Reply<L> {
    let clock = pipeline.layers.clock();
    let attempts = finish.open().map_or(0, |open| open.record.attempts.len());
    let upstream =
        finish.open().map(|open| open.record.attempts.iter().map(|a| a.duration_ms.0).sum()).map_or(Millis(0), Millis);
    let gateway = Millis(clock.now().since(intake.at).0.saturating_sub(upstream.0));
    let dress = |head: &mut Head, warnings: &Warnings| {
        headers::envelope(head, intake);
        headers::decision(head, decision, model, attempts);
        headers::warnings(head, warnings);
        headers::limits(head, &order.admission);
        headers::timing(head, gateway, upstream);
    };
    let streamed = match order.request.facts.framing {
        Framing::Events => EVENT_STREAM,
        Framing::JsonArray => "application/json",
    };
    match answer.content {
        Content::Whole { body, observed, stream } => {
            let usual = || Head::new(200, if stream { streamed } else { "application/json" });
            let mut head = answer.passed.unwrap_or_else(usual);
            dress(&mut head, &answer.warnings);
            headers::cost(&mut head, finish.cost(model, &observed));
            finish.answered(observed).await;
            Reply::whole(head, body)
        }
        Content::Live(live) => {
            let mut head = answer.passed.unwrap_or_else(|| Head::new(200, streamed));
            dress(&mut head, &answer.warnings);
            // Proxies in between must not hold events back.
            head.set("x-accel-buffering", "no");
            let context = StreamContext {
                provider: model.provider.to_string(),
                request_id: intake.id.clone(),
                idle: live.idle(),
                deadline: order.deadline,
                total: order.total,
            };
            let stream = ReplyStream::new(pipeline.clone(), *live, finish, context);
            Reply { head, body: ReplyBody::Stream(Box::new(stream)) }
        }
    }
}

fn error_reply<L: Layers>(intake: &Intake, error: &ApiError) -> Reply<L> {
    let mut head = Head::new(error.code.status(), "application/json");
    headers::envelope(&mut head, intake);
    headers::retry(&mut head, error);
    Reply::whole(head, intake.dialect.write_error(error, &intake.id))
}

/// The error for a body over the limit.
fn too_large(limit: usize) -> ApiError {
    ApiError::new(
        Code::TooLarge,
        format!(
            "The body is larger than the {limit} bytes this gateway accepts. Send less, or reference files by URL."
        ),
    )
}
