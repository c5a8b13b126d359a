//! One call along the path: `authenticate → admit → guardrails → context → cache → route → attempt 1..n → stream → settle`.
//!
//! Every [`Operation`] walks it. The stages have a room each: `accept` (who, what, may they, can they
//! pay), `words` (guardrails), `context` (governed definitions), `idempotency` and `cache` (was it answered
//! before), `answer` (the decision and its attempts), `reply` (what the caller gets). What operations
//! differ in stands elsewhere: what a request means in `operation`, what it can cost in `estimate`, how
//! it is put to a provider in the proxy.

use super::accept::{Order, accept};
use super::answer::{Answered, answer};
use super::cache::{self, KnownBy, Looked};
use super::draft::Draft;
use super::finish::Finish;
use super::intake::Intake;
use super::reply::{Found, error_reply, reply, spent};
use super::shadow::Beside;
use super::{Layers, Pipeline, Reply, adjust, context, headers, idempotency, shadow, words};
use crate::error::ApiError;
use crate::operation::Operation;
use crate::ports::Request;
use crate::router::Router;
use crate::units::Millis;
use std::sync::Arc;

/// Serves one request for `operation`.
pub async fn serve<L: Layers, R: Request>(pipeline: &Arc<Pipeline<L>>, operation: Operation, request: R) -> Reply<L> {
    let clock = pipeline.layers.clock();
    let mut intake = Intake::new(clock, &operation, &request);
    let mut draft = Draft::new(pipeline.clone(), &intake);
    let mut order = match accept(pipeline, operation, &mut intake, request, draft.record()).await {
        Ok(order) => order,
        Err(error) => {
            draft.refuse(error.code);
            return error_reply(clock, &intake, &error, Millis(0));
        }
    };
    let mut finish = Finish::new(pipeline.clone(), &order, draft.take());
    finish.listen(&order);
    let looked = look(pipeline, &mut intake, &mut order, &mut finish).await;
    let error = match looked {
        Ok((Looked::Answered(entry, told), known_by)) => {
            return cache::replay(pipeline, &intake, &order, *entry, told, known_by, finish).await;
        }
        Ok((Looked::Open(standing, keep), _)) => match answered(pipeline, &intake, &mut order, &mut finish).await {
            Ok((decision, model, answer)) => {
                if let Some(shadow) = decision.shadow.clone() {
                    let beside = Beside::of(&order, &decision, &model, &answer);
                    shadow::send(pipeline, &intake, &order, (shadow, decision.shadow_judge.clone()), beside);
                }
                let found = Found { decision, model, answer, standing, keep: keep.map(|keep| *keep) };
                return reply(pipeline, &intake, &order, found, finish).await;
            }
            Err(error) => error,
        },
        Err(error) => error,
    };
    let (attempts, upstream) = spent(finish.open());
    finish.refused(error.code).await;
    let mut reply = error_reply(clock, &intake, &error, upstream);
    headers::attempts(&mut reply.head, attempts);
    headers::limits(&mut reply.head, &order.admission.rates);
    reply
}

/// The answer; in one piece where somebody else wants to hear all of it before its caller does.
async fn answered<L: Layers>(
    pipeline: &Arc<Pipeline<L>>,
    intake: &Intake,
    order: &mut Order,
    finish: &mut Finish<L>,
) -> Result<Answered<L>, ApiError> {
    let chat = matches!(order.request.operation, Operation::Chat(_));
    let judged = order.words.holds_answers() || (order.words.piece().is_some() && looks_ahead(pipeline, order));
    order.held = chat && order.request.facts.stream && judged;
    if order.held {
        order.request.in_one_piece();
    }
    let answered = answer(pipeline, intake, order, finish).await;
    order.request.facts.stream |= order.held;
    answered
}

/// Whether somebody of us reads an answer before its caller does, who cannot wait for pieces of it: a cascade, a race.
fn looks_ahead<L: Layers>(pipeline: &Pipeline<L>, order: &Order) -> bool {
    pipeline.layers.router().reach(&order.ask).is_ok_and(|reach| reach.answers > 1)
}

/// What happens to an admitted request before anybody is asked: guardrails, its name, context, the cache.
async fn look<L: Layers>(
    pipeline: &Arc<Pipeline<L>>,
    intake: &mut Intake,
    order: &mut Order,
    finish: &mut Finish<L>,
) -> Result<(Looked<L>, KnownBy), ApiError> {
    words::request(pipeline, order, finish).await?;
    // A name stands for what the caller sent, whatever the model is given beside it.
    let named = idempotency::look(pipeline, intake, order, finish).await?;
    if let Some(looked @ Looked::Answered(..)) = named {
        return Ok((looked, KnownBy::Name));
    }
    adjust::instruct(order)?;
    context::give(pipeline, order, intake, finish)?;
    match named {
        Some(looked) => Ok((looked, KnownBy::Name)),
        None => cache::look(pipeline, intake, order, finish).await,
    }
}
