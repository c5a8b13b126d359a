//! A cascade's judgement of an answer that nobody has seen yet: whether the next, dearer model should be asked.
//!
//! An answer in one piece is read whole. Of a stream the beginning is held back until there is enough of it to tell a
//! refusal, or nothing at all; what passes goes out as it came, and from the first byte on there is no way back.

use super::Layers;
use super::answer::{AnswerOf, Walk};
use crate::config::{Cascade, ModelId};
use crate::dialect::ir::Part;
use crate::dialect::{BYTES_PER_TOKEN, Observed};
use crate::ports::Clock;
use crate::proxy::Content;
use crate::router::learn::agreement;
use crate::router::learn::gates::{self, Flaw};
use futures_util::future::{Either, select};
use serde_json::Value;
use std::pin::pin;

/// Of a thousand tokens, those that may fall short of the least log-probability.
const UNSURE_PERMILLE: usize = 50;

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
            Compared::Taken(first.model, first.answer, Some((second, "agreed")))
        }
        (Some(first), Some(outcome)) if further >= 1 => Compared::Disagreed(first, Opinion { model, answer, outcome }),
        // The last word is the strongest one's, or that of who said something that cannot be compared.
        (Some(first), _) => Compared::Taken(model, answer, Some((first, "disagreed"))),
    }
}

/// What an answer in one piece comes to; `None`: nothing that could be compared, or a tool is called.
fn outcome<L: Layers>(walk: &Walk<'_, L>, answer: &AnswerOf<L>) -> Option<String> {
    let Content::Whole { body, stream: false, .. } = &answer.content else { return None };
    let response = walk.order.request.dialect.read_response(body).ok()?;
    let [choice] = response.choices.as_slice() else { return None };
    let mut text = String::new();
    for part in &choice.content {
        match part {
            Part::Text { text: more, .. } => text.push_str(more),
            Part::ToolCall { .. } => return None,
            Part::Refusal(_)
            | Part::Media(_)
            | Part::Thinking { .. }
            | Part::RedactedThinking(_)
            | Part::ToolResult { .. }
            | Part::Opaque { .. } => {}
        }
    }
    agreement::outcome(&text)
}

/// Whether the model itself was too unsure of its words, where the answer tells.
fn unsure(logprobs: &str, least: i32) -> Option<Flaw> {
    let told: Value = crate::json::parse(logprobs).ok()?;
    let tokens = told.get("content")?.as_array()?.iter();
    let figures = tokens.filter_map(|token| token.get("logprob")?.as_f64()).map(|figure| (figure * 1_000.0) as i32);
    gates::confidence(&mut figures.collect::<Vec<i32>>(), UNSURE_PERMILLE, least)
}

/// What is wrong with an answer, if anything is.
pub(super) async fn judge<L: Layers>(walk: &Walk<'_, L>, answer: &mut AnswerOf<L>, cascade: Cascade) -> Option<Flaw> {
    let request = &walk.order.request;
    let least = usize::try_from(cascade.min_tokens).unwrap_or(usize::MAX);
    match &mut answer.content {
        Content::Whole { body, stream: false, .. } => {
            let response = request.dialect.read_response(body).ok()?;
            let parts = response.choices.iter().flat_map(|choice| &choice.content);
            whole(parts, request.facts.needs.json_schema, least).or_else(|| {
                let sure = cascade.min_logprob?;
                response.choices.iter().find_map(|choice| unsure(choice.logprobs.as_ref()?.text(), sure))
            })
        }
        // A stream that came in one piece has nothing that could be taken back but all of it: it is taken.
        Content::Whole { stream: true, .. } => None,
        Content::Live(live) => {
            let clock = walk.pipeline.layers.clock();
            let patience = live.idle().min(walk.order.deadline.since(clock.now()));
            let wanted = cascade.hold_tokens.saturating_mul(BYTES_PER_TOKEN);
            let held = match select(pin!(live.hold(wanted)), pin!(clock.sleep(patience))).await {
                Either::Left((held, _)) => held,
                // It fell silent before anybody saw anything.
                Either::Right(((), _)) => return Some(Flaw::Empty),
            };
            match (held.calls_tool, held.over) {
                (true, _) => None,
                (false, true) => gates::text(&held.text, least),
                (false, false) => gates::opening(&held.text),
            }
        }
    }
}

fn whole<'a>(parts: impl Iterator<Item = &'a Part>, json: bool, least: usize) -> Option<Flaw> {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text { text: more, .. } => text.push_str(more),
            Part::Refusal(_) => return Some(Flaw::Refusal),
            // What calls a tool says nothing and is an answer.
            Part::ToolCall { .. } => return None,
            Part::Media(_)
            | Part::Thinking { .. }
            | Part::RedactedThinking(_)
            | Part::ToolResult { .. }
            | Part::Opaque { .. } => {}
        }
    }
    let flaw = gates::text(&text, least);
    if flaw.is_some() || !json { flaw } else { gates::json(&text, |_| true) }
}

/// What an answer that is not taken consumed; its call is ended.
pub(super) fn discard<L: Layers>(model: &ModelId, answer: AnswerOf<L>, id: &str) -> Observed {
    match answer.content {
        Content::Whole { observed, .. } => observed,
        Content::Live(mut live) => live.end(model.provider.as_str(), None, id).0,
    }
}
