//! The stage between the guardrails and the cache: governed definitions for the model.
//!
//! They are chosen before admission, so that what they cost is reserved, and given behind the guardrails, which
//! are for what callers say, and before the cache, so that an answer is kept for exactly the versions it rests on.

use super::accept::Order;
use super::finish::Finish;
use super::intake::Intake;
use super::{Layers, Pipeline};
use crate::context::{Chosen, Library, Near, Stale, Wanted, choose};
use crate::dialect::{Facts, last_turn, words};
use crate::error::{ApiError, Code};
use crate::gateway::Gateway;
use crate::gateway::weights::{self, Known};
use crate::json;
use crate::json::strings::{self, Shape};
use crate::operation::Operation;
use crate::router::Ask;

/// What the placement of a block adds to a body, at the most.
const AROUND: usize = 64;

/// Chooses what a chat is given, and counts it among its words.
pub(super) fn chosen<L: Layers>(
    pipeline: &Pipeline<L>,
    operation: &Operation,
    ask: &Ask,
    body: &[u8],
    facts: &mut Facts,
    intake: &mut Intake,
) -> Result<Option<Chosen>, ApiError> {
    let is_chat = match operation {
        Operation::Chat(_) => true,
        Operation::CountTokens(_)
        | Operation::Completions
        | Operation::Embeddings
        | Operation::Rerank
        | Operation::PassThrough(_) => false,
    };
    if pipeline.context.is_empty() || !is_chat {
        return Ok(None);
    }
    let library = pipeline.layers.gateway().library();
    let policies = pipeline.context.values();
    let holds = policies.filter(|policy| policy.when.as_ref().is_none_or(|when| ask.satisfies(when)));
    let Some(wanted) = Wanted::of(holds).filter(|_| !library.is_empty()) else { return Ok(None) };
    let near = match wanted.near {
        Some(near) => {
            let known = pipeline.layers.gateway().meanings();
            intake.notes.extend(known.is_lacking.then_some(weights::MEANING));
            about(body, &library, &ask.team, &known, near).unwrap_or_default()
        }
        None => Vec::new(),
    };
    let body = str::from_utf8(body).unwrap_or_default();
    let chosen = choose(&library, &wanted, &ask.team, intake.at, near, |see| texts(body, see)).map_err(refused)?;
    // Written as JSON it may be longer: what is counted bounds what is sent.
    if !chosen.block.is_empty() {
        facts.text_bytes += chosen.block.len() + AROUND;
        facts.messages += 1;
    }
    Ok(Some(chosen))
}

/// The definitions that the last thing the user says is about.
fn about(body: &[u8], library: &Library, team: &str, known: &Known, near: Near) -> Option<Vec<usize>> {
    let said = last_turn(&json::scan(body, &json::Limits::default()).ok()?)?.head;
    let question = known.weights.as_ref()?.embedding()?.vector(&said)?;
    Some(known.meanings.near(library, team, &question, near))
}

/// Every text of a body that a model reads.
fn texts(body: &str, see: &mut dyn FnMut(&str)) {
    strings::each(body, |path, shape, range| {
        let quoted = match shape {
            Shape::Text => body.get(range).unwrap_or_default(),
            Shape::Container => return,
        };
        let plain = quoted.trim_matches('"');
        if words::source(path, plain).is_none() {
            return;
        }
        match memchr::memchr(b'\\', plain.as_bytes()) {
            None => see(plain),
            Some(_) => see(&crate::json::parse::<String>(quoted).unwrap_or_default()),
        }
    });
}

fn refused(stale: Stale) -> ApiError {
    let Stale { name, ended, owner } = stale;
    let owner = owner.map_or_else(|| "its owner".to_owned(), |owner| format!("its owner, {owner},"));
    ApiError::new(
        Code::NotConfigured,
        format!(
            "This needs the definition `{name}`, whose certification ended on {ended}. Ask {owner} to certify it again."
        ),
    )
}

/// Gives what was chosen to the model, and tells caller and audit of it.
pub(super) fn give<L: Layers>(order: &mut Order, intake: &mut Intake, finish: &mut Finish<L>) -> Result<(), ApiError> {
    let Some(chosen) = order.context.take() else { return Ok(()) };
    if let Some(open) = finish.open() {
        open.record.context.clone_from(&chosen.names);
        open.record.context_left_out = chosen.left_out;
    }
    if chosen.names.is_empty() {
        return Ok(());
    }
    let body = order.request.dialect.with_system(&order.request.body, &chosen.block);
    order.request.body =
        body.ok_or_else(|| ApiError::new(Code::InvalidRequest, "The body has no place for system text."))?;
    intake.context = Some(chosen.names.join(", "));
    Ok(())
}
