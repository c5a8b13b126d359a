//! The last stage: what the caller gets, and the headers it bears.

use super::accept::Order;
use super::cache::{Keep, Standing};
use super::finish::{Finish, Open};
use super::intake::Intake;
use super::slices::Slices;
use super::stream::{ReplyStream, StreamContext};
use super::{Layers, Pipeline, Reply, ReplyBody, headers, words};
use crate::cache::Entry;
use crate::config::ModelId;
use crate::dialect::{Finish as Finished, Framing, Warnings};
use crate::error::{ApiError, Code};
use crate::http::Head;
use crate::ports::Clock;
use crate::proxy::{Answer, Content, Proxy};
use crate::router::Decision;
use crate::sorted::SortedMap;
use crate::units::{Millis, NanoUsd, Timestamp};
use std::sync::Arc;

pub(super) const EVENT_STREAM: &str = "text/event-stream; charset=utf-8";

/// An answer, who gave it and why they were asked.
pub(super) struct Found<L: Layers> {
    pub decision: Decision,
    pub model: ModelId,
    pub answer: Answer<<L::Proxy as Proxy>::Body>,
    /// How the cache stood, where there is one.
    pub standing: Option<Standing>,
    /// What keeps the answer, if anything does.
    pub keep: Option<Keep<L>>,
}

/// Turns an answer into a reply; a complete one is settled here, a stream settles itself.
pub(super) async fn reply<L: Layers>(
    pipeline: &Arc<Pipeline<L>>,
    intake: &Intake,
    order: &Order,
    found: Found<L>,
    mut finish: Finish<L>,
) -> Reply<L> {
    let Found { decision, model, answer, standing, mut keep } = found;
    let clock = pipeline.layers.clock();
    let (attempts, upstream) = spent(finish.open());
    let gateway = within(clock, intake, upstream);
    let dress = |head: &mut Head, warnings: &Warnings| {
        headers::envelope(head, intake);
        headers::decision(head, &decision, &model, attempts);
        if intake.explain {
            headers::explain(head, &decision);
        }
        headers::warnings(head, intake, warnings);
        headers::limits(head, &order.admission.rates);
        headers::cache(head, standing);
        headers::timing(head, gateway, upstream);
    };
    let streamed = match order.request.facts.framing {
        Framing::Events => EVENT_STREAM,
        Framing::JsonArray => "application/json",
    };
    if let Some(open) = finish.open() {
        open.record.cache = standing.map(Standing::as_str);
        let streams = match &answer.content {
            Content::Whole { stream, .. } => *stream,
            Content::Live(_) => true,
        };
        if let Some(keep) = &mut keep {
            keep.begin(order, &decision, &model, streams, &open.record);
        }
    }
    match answer.content {
        Content::Whole { body, observed, stream } => {
            let body = match words::answer(pipeline, order, &mut finish, body, stream).await {
                Ok(body) => body,
                Err(error) => {
                    let mut reply = error_reply(clock, intake, &error, upstream);
                    headers::decision(&mut reply.head, &decision, &model, attempts);
                    headers::limits(&mut reply.head, &order.admission.rates);
                    headers::cost(&mut reply.head, finish.cost(&model, &observed));
                    finish.blocked(observed, error.code).await;
                    return reply;
                }
            };
            // Who was asked for a stream may answer whole all the same: it was judged whole, then.
            let is_held = order.held || (!stream && order.request.facts.stream && order.words.piece().is_some());
            let stream = stream || is_held;
            let usual = || Head::new(200, if stream { streamed } else { "application/json" });
            let mut head = answer.passed.unwrap_or_else(usual);
            dress(&mut head, &answer.warnings);
            let cost = finish.cost(&model, &observed);
            headers::cost(&mut head, cost);
            finish.heard(&body);
            let kept = keep.filter(|_| observed.finish == Finished::Complete && !order.words.is_touched());
            finish.answered(observed).await;
            if let Some(mut keep) = kept {
                keep.push(&body);
                keep.complete(cost);
            }
            match is_held {
                true => Reply::whole(head, told(intake, order, &body, clock.now())),
                false => Reply::whole(head, body),
            }
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
                judges: order.words.piece().map(|_| (order.words.clone(), words::asked(order))),
            };
            let slices = finish.open().and_then(|open| Slices::of(pipeline, order, open, &model));
            let stream = ReplyStream::new(pipeline.clone(), *live, finish, context, (keep, slices));
            Reply { head, body: ReplyBody::Stream(Box::new(stream)) }
        }
    }
}

/// How many calls a request has made so far, and how long they took.
pub(super) fn spent(open: Option<&mut Open>) -> (usize, Millis) {
    open.map_or((0, Millis(0)), |open| {
        let attempts = &open.record.attempts;
        (attempts.len(), Millis(attempts.iter().map(|attempt| attempt.duration_ms.0).sum()))
    })
}

/// How long a request has been here so far, but for what providers took.
fn within(clock: &impl Clock, intake: &Intake, upstream: Millis) -> Millis {
    Millis(clock.now().since(intake.at).0.saturating_sub(upstream.0))
}

/// An answer that was held until it was judged, as the stream its caller asked for.
fn told(intake: &Intake, order: &Order, body: &[u8], now: Timestamp) -> Vec<u8> {
    let entry = Entry {
        at: now,
        model: String::new(),
        route: None,
        dialect: order.request.dialect,
        events: false,
        cost: NanoUsd::ZERO,
        tags: SortedMap::new(),
        context: Vec::new(),
        body: String::from_utf8_lossy(body).into_owned(),
    };
    let broken = || {
        let error =
            ApiError::new(Code::UpstreamError, "The answer cannot be told as a stream. Ask for it in one piece.");
        order.request.dialect.write_stream_error(&error, &intake.id)
    };
    entry.tell(&order.request, &intake.id, now).map_or_else(broken, |told| told.body)
}

/// The answer to a request that came to nothing; `upstream` is what providers took.
pub(super) fn error_reply<L: Layers>(
    clock: &L::Clock,
    intake: &Intake,
    error: &ApiError,
    upstream: Millis,
) -> Reply<L> {
    let mut head = Head::new(error.code.status(), "application/json");
    headers::envelope(&mut head, intake);
    headers::retry(&mut head, error);
    headers::limits(&mut head, &intake.rates);
    headers::timing(&mut head, within(clock, intake, upstream), upstream);
    Reply::whole(head, intake.dialect.write_error(error, &intake.id))
}
