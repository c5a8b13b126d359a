//! The stage between admission and routing, and the one before the caller: words through the guardrails.

use super::accept::Order;
use super::finish::Finish;
use super::{Layers, Pipeline, adjust, outside};
use crate::dialect::ir::Part;
use crate::dialect::last_turn;
use crate::error::ApiError;
use crate::gateway::audit::Record;
use crate::json;
use crate::operation::Operation;
use crate::words::outside::Side;
use bytes::Bytes;
use serde_json::Value;
use std::sync::Arc;

/// What the caller said, as the provider will read it.
pub(super) async fn request<L: Layers>(
    pipeline: &Arc<Pipeline<L>>,
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
        Operation::Chat(_)
        | Operation::CountTokens(_)
        | Operation::Completions
        | Operation::Embeddings
        | Operation::Rerank => {}
    }
    loop {
        let mut from = 0;
        loop {
            let Ok(body) = str::from_utf8(&order.request.body) else { return refuse("a body that is not text") };
            let next = words.next_check(Side::Input, from);
            let until = next.as_ref().map_or(usize::MAX, |(at, _)| *at);
            if let Some(body) = words.request(body, from..until).map_err(|denied| denied.error(REQUEST))? {
                order.request.body = body;
            }
            let Some((at, check)) = next else { break };
            let Ok(body) = str::from_utf8(&order.request.body) else { break };
            let judged = outside::judge(pipeline, record(finish), &words, &check, body, "").await;
            if let Some(body) = judged.map_err(|denied| denied.error(REQUEST))? {
                order.request.body = body;
            }
            from = at + 1;
        }
        order.ask.signals.data_classes = words.classes();
        // What was found may be what a rule is about that has more looked for: each time there is less that is new.
        match order.words.beside(&adjust::held(pipeline, &order.ask).words) {
            Some((new, all)) => (words, order.words) = (new, all),
            None => break,
        }
    }
    if let Some(open) = finish.open() {
        open.words = Some(order.words.clone());
    }
    order.words.keep_for_watchers(Side::Input, str::from_utf8(&order.request.body).unwrap_or_default());
    let is_unread = order.request.operation == Operation::Completions && order.request.facts.stream;
    match order.words.refuses_unread().filter(|_| is_unread && order.words.guards_answers()) {
        Some(denied) => Err(denied.error("streams of /v1/completions")),
        None => Ok(()),
    }
}

/// Where it is written down what judging costs.
fn record<L: Layers>(finish: &mut Finish<L>) -> Option<&mut Record> {
    finish.open().map(|open| &mut open.record)
}

/// What is refused, as its caller is told.
const REQUEST: &str = "this request";
const ANSWER: &str = "this answer";

/// A whole answer on its way to the caller. One that is a stream in one piece went through event by event.
pub(super) async fn answer<L: Layers>(
    pipeline: &Arc<Pipeline<L>>,
    order: &Order,
    finish: &mut Finish<L>,
    mut body: Bytes,
    stream: bool,
) -> Result<Bytes, ApiError> {
    let read = match &order.request.operation {
        Operation::Chat(_) | Operation::Completions => !stream && order.words.guards_answers(),
        Operation::CountTokens(_) | Operation::Embeddings | Operation::Rerank | Operation::PassThrough(_) => false,
    };
    if !read {
        return Ok(body);
    }
    let mut from = 0;
    loop {
        let Ok(text) = str::from_utf8(&body) else {
            let refuses = order.words.refuses_unread();
            return refuses.map_or(Ok(body), |denied| Err(denied.error("an answer that is not text")));
        };
        let next = order.words.next_check(Side::Output, from);
        let until = next.as_ref().map_or(usize::MAX, |(at, _)| *at);
        let changed = order.words.answer(text, from..until, next.is_none());
        if let Some(changed) = changed.map_err(|denied| denied.error(ANSWER))? {
            body = changed.into();
        }
        let Ok(text) = str::from_utf8(&body) else { return Ok(body) };
        let Some((at, check)) = next else {
            order.words.follow(|| said(order, &body)).map_err(|denied| denied.error(ANSWER))?;
            order.words.keep_for_watchers(Side::Output, text);
            return Ok(body);
        };
        let judged = outside::judge(pipeline, record(finish), &order.words, &check, text, &asked(order)).await;
        if let Some(changed) = judged.map_err(|denied| denied.error(ANSWER))? {
            body = changed.into();
        }
        from = at + 1;
    }
}

/// What each choice of a whole answer says, without what was thought or called; of one that cannot be read, all of it.
fn said(order: &Order, body: &[u8]) -> Vec<String> {
    if order.request.operation == Operation::Completions {
        let told = json::text(body).and_then(json::tree).unwrap_or_default();
        let choices = told.get("choices").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        return choices.iter().filter_map(|choice| Some(choice.get("text")?.as_str()?.to_owned())).collect();
    }
    let Ok(response) = order.request.dialect.read_response(body) else {
        return vec![String::from_utf8_lossy(body).into_owned()];
    };
    let text = |part: Part| if let Part::Text { text, .. } = part { Some(text) } else { None };
    response.choices.into_iter().map(|choice| choice.content.into_iter().filter_map(text).collect()).collect()
}

/// The last thing the user said, for who judges an answer to it.
pub(super) fn asked(order: &Order) -> String {
    let document = json::scan(&order.request.body, &json::Limits::default()).ok();
    document.as_ref().and_then(last_turn).map(|prompt| prompt.head).unwrap_or_default()
}
