//! A cascade's judgement of an answer that nobody has seen yet: whether the next, dearer model should be asked.
//!
//! An answer in one piece is read whole. Of a stream the beginning is held back until there is enough of it to tell a
//! refusal, or nothing at all; what passes goes out as it came, and from the first byte on there is no way back. Where a
//! model judges, it hears all of an answer that it reads, before anybody else does; without its word the next is asked.

use super::accept::Order;
use super::answer::{AnswerOf, Walk};
use super::{Layers, judge};
use crate::config::{Cascade, Judge, ModelId};
use crate::dialect::ir::{ChatResponse, Part};
use crate::dialect::{BYTES_PER_TOKEN, Finish, Observed};
use crate::ports::Clock;
use crate::proxy::{Answer, Content, Live, Proxy};
use crate::router::learn::agreement;
use crate::router::learn::gates::{self, Flaw};
use futures_util::future::{Either, select};
use serde_json::Value;
use std::pin::pin;

/// Of a thousand tokens, those that may fall short of the least log-probability.
const UNSURE_PERMILLE: usize = 50;
/// How much more of a stream is read at once for a judge, in bytes: silence is noticed between two of these.
const STEP: u64 = 2 * 1_024;

/// The word for an answer that came to the same as the one that is taken.
pub(super) const AGREED: &str = "agreed";

/// A cheap answer in one piece that is kept until a second opinion has come.
pub(super) struct Opinion<L: Layers> {
    pub model: ModelId,
    pub answer: AnswerOf<L>,
    /// What it comes to.
    outcome: String,
}

/// What becomes of an answer that passed the gates of a cascade in which two are compared.
pub(super) enum Compared<L: Layers> {
    /// It is taken, whoever gave it. An opinion that is not taken stands beside it, with the word for why.
    Taken(ModelId, AnswerOf<L>, Option<(Opinion<L>, &'static str)>),
    /// It is kept, and the next one asked.
    Kept(Opinion<L>),
    /// Neither is taken: the next one is asked.
    Disagreed(Opinion<L>, Opinion<L>),
}

/// Compares an answer with the one before it. `further`: how many could still be asked.
pub(super) fn compare<L: Layers>(
    walk: &Walk<'_, L>,
    kept: Option<Opinion<L>>,
    (model, answer): (ModelId, AnswerOf<L>),
    further: usize,
) -> Compared<L> {
    match (kept, outcome(walk, &answer)) {
        // Two more: one to agree with, one to decide.
        (None, Some(outcome)) if further >= 2 => Compared::Kept(Opinion { model, answer, outcome }),
        (None, _) => Compared::Taken(model, answer, None),
        (Some(first), Some(outcome)) if first.outcome == outcome => {
            let second = Opinion { model, answer, outcome };
            Compared::Taken(first.model, first.answer, Some((second, AGREED)))
        }
        (Some(first), Some(outcome)) if further >= 1 => Compared::Disagreed(first, Opinion { model, answer, outcome }),
        // The last word is the strongest one's, or that of who said something that cannot be compared.
        (Some(first), _) => Compared::Taken(model, answer, Some((first, "disagreed"))),
    }
}

/// What an answer in one piece says; `None` where that is more than one thing, or none that could be judged.
pub(super) fn told<B>(order: &Order, answer: &Answer<B>) -> Option<String> {
    let Content::Whole { body, stream: false, .. } = &answer.content else { return None };
    let response = order.request.dialect.read_response(body).ok()?;
    said(&response).ok()?.filter(|_| response.choices.len() == 1)
}

/// What an answer in one piece comes to; `None`: nothing that could be compared, or a tool is called.
fn outcome<L: Layers>(walk: &Walk<'_, L>, answer: &AnswerOf<L>) -> Option<String> {
    agreement::outcome(&told(walk.order, answer)?)
}

/// Whether the model itself was too unsure of its words, where the answer tells.
fn unsure(logprobs: &str, least: i32) -> Option<Flaw> {
    let told: Value = crate::json::tree(logprobs).ok()?;
    let tokens = told.get("content")?.as_array()?.iter();
    let figures = tokens.filter_map(|token| token.get("logprob")?.as_f64()).map(|figure| (figure * 1_000.0) as i32);
    gates::confidence(&mut figures.collect::<Vec<i32>>(), UNSURE_PERMILLE, least)
}

/// What is wrong with an answer, if anything is.
pub(super) async fn judge<L: Layers>(
    walk: &mut Walk<'_, L>,
    answer: &mut AnswerOf<L>,
    cascade: &Cascade,
) -> Option<Flaw> {
    let flaw = match &mut answer.content {
        Content::Whole { body, stream: false, .. } => {
            let needs = walk.order.request.facts.needs.json_schema;
            whole(&walk.order.request.dialect.read_response(body).ok()?, needs, cascade)
        }
        // A stream that came in one piece has nothing that could be taken back but all of it: it is taken.
        Content::Whole { stream: true, .. } => return None,
        Content::Live(live) => streamed(walk, live, cascade).await,
    };
    match (flaw, &cascade.judge) {
        (Err(flaw), _) => Some(flaw),
        (Ok(Some(text)), Some(judge)) => {
            // Past the request's own end nobody waits for a verdict.
            let left = walk.order.deadline.since(walk.pipeline.layers.clock().now());
            let judge = Judge { timeout: judge.timeout.min(left), ..judge.clone() };
            let record = &mut walk.finish.open()?.record;
            let verdict = judge::verdict(walk.pipeline, record, &judge, &walk.order.request.body, &text).await;
            match verdict {
                Some(true) => None,
                Some(false) => Some(Flaw::BadVerdict),
                None => Some(Flaw::NoVerdict),
            }
        }
        (Ok(_), _) => None,
    }
}

/// What the gates say of a stream's beginning, or of as much of it as a judge reads; else what it says, where that can be
/// judged.
async fn streamed<L: Layers>(
    walk: &mut Walk<'_, L>,
    live: &mut Live<<L::Proxy as Proxy>::Body>,
    cascade: &Cascade,
) -> Result<Option<String>, Flaw> {
    let pipeline = walk.pipeline.clone();
    let clock = pipeline.layers.clock();
    let wanted = match cascade.judge {
        Some(_) => judge::ANSWER as u64,
        None => cascade.hold_tokens.saturating_mul(BYTES_PER_TOKEN),
    };
    let mut step = wanted.min(STEP);
    loop {
        let patience = live.idle().min(walk.order.deadline.since(clock.now()));
        let held = match select(pin!(live.hold(step)), pin!(clock.sleep(patience))).await {
            Either::Left((held, _)) => held,
            // It fell silent before anybody saw anything.
            Either::Right(((), _)) => return Err(Flaw::Empty),
        };
        let read = held.text.len() as u64;
        if let Some(flight) = walk.finish.open().and_then(|open| open.flights.last_mut()) {
            let finish = Finish::Truncated;
            flight.said =
                Some(Observed { usage: None, finish, output_bytes: read, model: None, content_started: true });
        }
        if held.calls_tool {
            return Ok(None);
        }
        // Less than was wanted, and not the end: it is in a framing that is not looked into.
        if held.over || read >= wanted || read < step {
            let least = usize::try_from(cascade.min_tokens).unwrap_or(usize::MAX);
            let flaw = if held.over { gates::text(&held.text, least) } else { gates::opening(&held.text) };
            return flaw.map_or(Ok(Some(held.text)), Err);
        }
        step = (read + STEP).min(wanted);
    }
}

/// The same of an answer in one piece.
fn whole(response: &ChatResponse, json: bool, cascade: &Cascade) -> Result<Option<String>, Flaw> {
    let least = usize::try_from(cascade.min_tokens).unwrap_or(usize::MAX);
    let Some(text) = said(response)? else { return Ok(None) };
    let flaw = gates::text(&text, least).or_else(|| if json { gates::json(&text, |_| true) } else { None });
    let unsure = || {
        let sure = cascade.min_logprob?;
        response.choices.iter().find_map(|choice| unsure(choice.logprobs.as_ref()?.text(), sure))
    };
    flaw.or_else(unsure).map_or(Ok(Some(text)), Err)
}

/// What an answer says, all choices together. None where it calls a tool: that says nothing and is an answer.
pub(super) fn said(response: &ChatResponse) -> Result<Option<String>, Flaw> {
    let mut text = String::new();
    for part in response.choices.iter().flat_map(|choice| &choice.content) {
        match part {
            Part::Text { text: more, .. } => text.push_str(more),
            Part::Refusal(_) => return Err(Flaw::Refusal),
            Part::ToolCall { .. } => return Ok(None),
            Part::Media(_)
            | Part::Thinking { .. }
            | Part::RedactedThinking(_)
            | Part::ToolResult { .. }
            | Part::Opaque { .. } => {}
        }
    }
    Ok(Some(text))
}

/// What an answer that is not taken consumed; its call is ended.
pub(super) fn discard<L: Layers>(model: &ModelId, answer: AnswerOf<L>, id: &str) -> Observed {
    match answer.content {
        Content::Whole { observed, .. } => observed,
        Content::Live(mut live) => live.end(model.provider.as_str(), None, id).0,
    }
}
