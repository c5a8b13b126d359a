//! The stage between admission and routing, and the one before the caller: words through the guardrails.

use super::accept::Order;
use super::finish::Finish;
use super::{Layers, Pipeline, adjust};
use crate::error::ApiError;
use crate::operation::Operation;
use bytes::Bytes;

/// What the caller said, as the provider will read it.
pub(super) fn request<L: Layers>(
    pipeline: &Pipeline<L>,
    order: &mut Order,
    finish: &mut Finish<L>,
) -> Result<(), ApiError> {
    let mut words = order.words.clone();
    if words.is_idle() {
        return Ok(());
    }
    if let Some(open) = finish.open() {
        open.words = Some(words.clone());
    }
    let first = words.clone();
    let refuse = |what: &str| first.refuses_unread().map_or(Ok(()), |denied| Err(denied.error(what)));
    match &order.request.operation {
        // Their bodies and answers have no form that is known here.
        Operation::PassThrough(_) => return refuse("calls that are passed through unread"),
        Operation::Completions if order.request.facts.stream && words.guards_answers() => {
            refuse("streams of /v1/completions")?;
        }
        Operation::Chat(_)
        | Operation::CountTokens(_)
        | Operation::Completions
        | Operation::Embeddings
        | Operation::Rerank => {}
    }
    loop {
        let Ok(body) = str::from_utf8(&order.request.body) else { return refuse("a body that is not text") };
        if let Some(body) = words.request(body).map_err(|denied| denied.error("this request"))? {
            order.request.body = body;
        }
        order.ask.signals.data_classes = words.classes();
        // What was found may be what a rule is about that has more looked for: each time there is less that is new.
        match order.words.beside(&adjust::held(pipeline, &order.ask).words) {
            Some((new, all)) => (words, order.words) = (new, all),
            None => return Ok(()),
        }
    }
}

/// A whole answer on its way to the caller. One that is a stream in one piece went through event by event.
pub(super) fn answer(order: &Order, body: Bytes, stream: bool) -> Result<Bytes, ApiError> {
    let read = match &order.request.operation {
        Operation::Chat(_) | Operation::Completions => !stream && order.words.guards_answers(),
        Operation::CountTokens(_) | Operation::Embeddings | Operation::Rerank | Operation::PassThrough(_) => false,
    };
    if !read {
        return Ok(body);
    }
    let Ok(text) = str::from_utf8(&body) else { return Ok(body) };
    let changed = order.words.answer(text).map_err(|denied| denied.error("this answer"))?;
    Ok(changed.map_or(body, Bytes::from))
}
