//! The stage between the guardrails and the cache: governed definitions for the model.
//!
//! They are chosen before admission, so that what they cost is reserved, and given behind the guardrails, which
//! are for what callers say, and before the cache, so that an answer is kept for exactly the versions it rests on.

use super::accept::Order;
use super::finish::Finish;
use super::intake::Intake;
use super::{Layers, Pipeline};
use crate::config::context::Policy;
use crate::context::{Chosen, Library, Near, Stale, Wanted, choose, vector};
use crate::dialect::words::each_text;
use crate::dialect::{BYTES_PER_TOKEN, Facts, last_turn};
use crate::error::{ApiError, Code};
use crate::gateway::Gateway;
use crate::gateway::weights::{self, Known};
use crate::json;
use crate::operation::Operation;
use crate::router::Ask;

/// What the placement of a block adds to a body, at the most.
const AROUND: usize = 64;

/// Chooses what a chat is given, and counts it among its words. For policies that hold only once it is known what guardrails
/// find, as much is counted as they may give.
pub(super) fn chosen<L: Layers>(
    pipeline: &Pipeline<L>,
    operation: &Operation,
    ask: &Ask,
    body: &[u8],
    facts: &mut Facts,
    intake: &mut Intake,
) -> Result<Option<Chosen>, ApiError> {
    if !is_chat(operation) {
        return Ok(None);
    }
    let chosen = choice(pipeline, ask, body, intake)?;
    let later = pipeline.context.values().filter(|policy| awaits_classes(policy)).map(|policy| policy.max_tokens).max();
    let later = later.and_then(|tokens| usize::try_from(tokens.saturating_mul(BYTES_PER_TOKEN)).ok()).unwrap_or(0);
    // Written as JSON it may be longer: what is counted bounds what is sent.
    let most = chosen.as_ref().map_or(0, |chosen| chosen.block.len()).max(later);
    if most > 0 {
        facts.text_bytes = facts.text_bytes.saturating_add(most).saturating_add(AROUND);
        facts.messages += 1;
    }
    Ok(chosen)
}

fn is_chat(operation: &Operation) -> bool {
    match operation {
        Operation::Chat(_) => true,
        Operation::CountTokens(_)
        | Operation::Completions
        | Operation::Embeddings
        | Operation::Rerank
        | Operation::PassThrough(_) => false,
    }
}

/// Whether it depends on what guardrails find if a policy holds.
fn awaits_classes(policy: &Policy) -> bool {
    policy.when.as_ref().is_some_and(|when| when.source().contains("data_classes"))
}

/// What the policies choose that hold for a request as it is known now.
fn choice<L: Layers>(
    pipeline: &Pipeline<L>,
    ask: &Ask,
    body: &[u8],
    intake: &mut Intake,
) -> Result<Option<Chosen>, ApiError> {
    let policies = pipeline.context.values();
    let holds = policies.filter(|policy| policy.when.as_ref().is_none_or(|when| ask.satisfies(when)));
    let Some(wanted) = Wanted::of(holds) else { return Ok(None) };
    let library = pipeline.layers.gateway().library();
    if library.is_empty() {
        return Ok(None);
    }
    let near = match wanted.near {
        Some(near) => {
            let known = pipeline.layers.gateway().meanings();
            let is_news = known.is_lacking && !intake.notes.contains(&weights::MEANING);
            intake.notes.extend(is_news.then_some(weights::MEANING));
            about(body, &library, &ask.team, &known, near).unwrap_or_default()
        }
        None => Vec::new(),
    };
    let body = str::from_utf8(body).unwrap_or_default();
    choose(&library, &wanted, &ask.team, intake.at, near, |see| each_text(body, &mut |_, text| see(text)))
        .map(Some)
        .map_err(refused)
}

/// The definitions that the last thing the user says is about.
fn about(body: &[u8], library: &Library, team: &str, known: &Known, near: Near) -> Option<Vec<usize>> {
    let said = last_turn(&json::scan(body, &json::Limits::default()).ok()?)?.head;
    let question = vector(&known.weights.as_ref()?.embedding()?, &said)?;
    Some(known.meanings.near(library, team, &question, near))
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

/// Gives what was chosen to the model, and tells caller and audit of it. Where guardrails found what policies are about, it is
/// chosen anew.
pub(super) fn give<L: Layers>(
    pipeline: &Pipeline<L>,
    order: &mut Order,
    intake: &mut Intake,
    finish: &mut Finish<L>,
) -> Result<(), ApiError> {
    let found = !order.ask.signals.data_classes.is_empty() && is_chat(&order.request.operation);
    if found && pipeline.context.values().any(awaits_classes) {
        order.context = choice(pipeline, &order.ask, &order.request.body, intake)?;
    }
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
