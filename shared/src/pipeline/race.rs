//! Two calls for one answer: the second after a while, or at once. The first to answer wins; the other one is ended, paid
//! for as far as its provider may have come, and written down.

use super::Layers;
use super::answer::Walk;
use super::estimate;
use crate::config::ModelId;
use crate::ports::Clock;
use crate::proxy::{Answer, Content, Failure, Proxy};
use crate::router::{Router, Step};
use crate::units::{Millis, NanoUsd, Timestamp, Tokens};
use futures_util::future::{Either, select};
use std::pin::pin;

/// Who answered, when it was asked, and what it said; else who failed last, and how.
pub(super) type Won<L> =
    Result<(ModelId, Timestamp, Answer<<<L as Layers>::Proxy as Proxy>::Body>), (ModelId, Failure)>;

/// Calls `first`, which is under way for the books already, and after its patience `second`. Of two failures the first
/// is written down here.
pub(super) async fn run<L: Layers>(
    walk: &mut Walk<'_, L>,
    first: &Step,
    affordable: Option<u64>,
    second: &Step,
    route: &str,
) -> Won<L> {
    let pipeline = walk.pipeline.clone();
    let (clock, router, proxy) = (pipeline.layers.clock(), pipeline.layers.router(), pipeline.layers.proxy());
    let (intake, order, timeouts) = (walk.intake, walk.order, walk.timeouts);
    let call = |model, affordable: Option<u64>| crate::proxy::Call {
        request: &order.request,
        model,
        max_output_tokens: order.request.limited(affordable),
        request_id: &intake.id,
        deadline: order.deadline,
        timeouts,
        words: order.guarded(),
        metered: false,
    };
    let first_began = clock.now();
    let first_call = call(&first.model, affordable);
    let mut running = pin!(proxy.call(&first_call));
    let patience = pin!(clock.sleep(second.after_ms.unwrap_or(Millis(0))));
    if let Either::Left((result, _)) = select(running.as_mut(), patience).await {
        return match result {
            Ok(answer) => Ok((first.model.clone(), first_began, answer)),
            Err(failure) => Err((first.model.clone(), failure)),
        };
    }
    let began = clock.now();
    let entered = walk.enter(&second.model).await.is_ok();
    let reserved = estimate::most(&pipeline.catalog, &first.model, &order.request.facts, affordable);
    let rest = walk.affordable(&second.model, reserved);
    if !entered || rest == Some(0) || !router.begin(&second.model, false, began) {
        return match running.await {
            Ok(answer) => Ok((first.model.clone(), first_began, answer)),
            Err(failure) => Err((first.model.clone(), failure)),
        };
    }
    walk.took_off(&second.model, began);
    if let Some(open) = walk.finish.open() {
        open.lost.get_or_insert_with(|| (route.to_owned(), NanoUsd::ZERO));
    }
    let second_call = call(&second.model, rest);
    let hedge = pin!(proxy.call(&second_call));
    match select(running, hedge).await {
        Either::Left((Ok(answer), _)) => {
            walk.finish.lost(&second.model, route, written(&answer));
            Ok((first.model.clone(), first_began, answer))
        }
        Either::Right((Ok(answer), _)) => {
            walk.finish.lost(&first.model, route, written(&answer));
            Ok((second.model.clone(), began, answer))
        }
        Either::Left((Err(failure), hedge)) => {
            walk.failed(&first.model, first_began, &failure);
            let result = hedge.await;
            result
                .map(|answer| (second.model.clone(), began, answer))
                .map_err(|failure| (second.model.clone(), failure))
        }
        Either::Right((Err(failure), running)) => {
            walk.failed(&second.model, began, &failure);
            let result = running.await;
            result
                .map(|answer| (first.model.clone(), first_began, answer))
                .map_err(|failure| (first.model.clone(), failure))
        }
    }
}

/// What an answer took to write: who lost against it may have written as much. Of a stream nobody has.
fn written<B>(answer: &Answer<B>) -> Tokens {
    match &answer.content {
        Content::Whole { observed, .. } => observed.usage.map_or(0, |usage| usage.completion_tokens()),
        Content::Live(_) => 0,
    }
}
