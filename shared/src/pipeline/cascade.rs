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
use crate::router::learn::gates::{self, Flaw};
use futures_util::future::{Either, select};
use std::pin::pin;

/// What is wrong with an answer, if anything is.
pub(super) async fn judge<L: Layers>(walk: &Walk<'_, L>, answer: &mut AnswerOf<L>, cascade: Cascade) -> Option<Flaw> {
    let request = &walk.order.request;
    let least = usize::try_from(cascade.min_tokens).unwrap_or(usize::MAX);
    match &mut answer.content {
        Content::Whole { body, stream: false, .. } => {
            let response = request.dialect.read_response(body).ok()?;
            let parts = response.choices.iter().flat_map(|choice| &choice.content);
            whole(parts, request.facts.needs.json_schema, least)
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
