//! What holds for a request beside what its caller asks for: guardrails and transformations of all, of its team, of
//! the routes it goes by, of the rules that are about it; and the second of them put to work, in two places along the path.

use super::Layers;
use super::Pipeline;
use super::accept::Order;
use crate::config::Rule;
use crate::dialect::Facts;
use crate::dialect::adjust::{Bounds, Parameter};
use crate::error::ApiError;
use crate::http::Header;
use crate::operation::Operation;
use crate::router::{Ask, Router, holding};
use crate::transform::{Holding, Known};
use crate::units::{Timestamp, Tokens};
use crate::words::Words;
use std::borrow::Cow;

/// What holds for a request.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) words: Words,
    pub(super) transforms: Holding,
}

/// Looks up what holds for a request. Rules that are about classes of data hold once those are known.
pub(super) fn held<L: Layers>(pipeline: &Pipeline<L>, ask: &Ask) -> Held {
    if pipeline.guards.is_empty() && pipeline.transforms.is_empty() {
        return Held { words: pipeline.guards.words(&ask.team, &[], &[]), transforms: Holding::default() };
    }
    let routes = pipeline.layers.router().routes(ask);
    let rules: Vec<&Rule> = holding(&pipeline.rules, ask);
    Held {
        words: pipeline.guards.words(&ask.team, &routes, &rules),
        transforms: pipeline.transforms.holding(&ask.team, &routes, &rules, &|when| ask.satisfies(when)),
    }
}

/// The rails that could come to hold for a request, whatever is found in it: what judging its words could cost is
/// reserved.
pub(super) fn possible<L: Layers>(pipeline: &Pipeline<L>, ask: &Ask) -> Words {
    if pipeline.guards.is_empty() {
        return Words::default();
    }
    let rules: Vec<&Rule> = pipeline.rules.iter().collect();
    pipeline.guards.words(&ask.team, &pipeline.layers.router().routes(ask), &rules)
}

/// What is known of a request, for the holes in templates.
fn known(ask: &Ask, at: Timestamp) -> Known<'_> {
    Known {
        team: &ask.team,
        user: ask.user.as_deref(),
        organisation: ask.organisation.as_deref(),
        session: ask.session.as_deref(),
        model: ask.model.as_deref(),
        tags: &ask.tags,
        at,
    }
}

/// What a transformation made of a request before it was admitted.
#[derive(Debug, Default)]
pub(super) struct Adjusted {
    /// The longest answer, where the body does not say and only a provider's own word for it could.
    pub(super) limit: Option<Tokens>,
    /// Headers for whoever is called.
    pub(super) headers: Vec<Header>,
}

/// Holds a request to the bounds of its parameters, labels it, and counts the texts it will have.
pub(super) fn admit(
    transforms: &Holding,
    operation: &Operation,
    body: &mut Vec<u8>,
    facts: &mut Facts,
    ask: &mut Ask,
    at: Timestamp,
) -> Result<Adjusted, ApiError> {
    if transforms.is_empty() {
        return Ok(Adjusted::default());
    }
    let known = known(ask, at);
    let headers = transforms.headers(&known).into_iter().map(|(name, value)| (Cow::Owned(name), value)).collect();
    let (dialect, chat) = (operation.dialect(), matches!(operation, Operation::Chat(_)));
    let mut adjusted = Adjusted { limit: None, headers };
    if chat || *operation == Operation::Completions {
        let bounds = transforms.bounds();
        let bound = dialect.bound(body, &bounds, chat)?;
        let labelled = match chat {
            true => dialect.label(bound.as_deref().unwrap_or(body), &transforms.metadata(&known)),
            false => None,
        };
        if let Some(changed) = labelled.or(bound) {
            *facts = operation.inspect(&changed)?;
            *body = changed;
        }
        adjusted.limit = longest(&bounds).filter(|_| facts.max_output_tokens.is_none());
        facts.max_output_tokens = facts.max_output_tokens.or(adjusted.limit);
    }
    if chat {
        let texts = transforms.texts(|variable| Ok::<_, ApiError>(known.value(variable)))?;
        // As JSON, with what parts them from the caller's own.
        facts.text_bytes += [&texts.0, &texts.1]
            .map(|text| serde_json::Value::from(text.as_str()).to_string().len() + 64)
            .iter()
            .sum::<usize>();
    }
    ask.tokens_in = facts.probable_input();
    ask.max_output_tokens = facts.max_output_tokens;
    Ok(adjusted)
}

/// The longest answer where a caller does not say how long it may be.
fn longest(bounds: &[(Parameter, Bounds)]) -> Option<Tokens> {
    let (_, bounds) = bounds.iter().find(|(parameter, _)| *parameter == Parameter::MaxTokens)?;
    bounds.unsaid(Parameter::MaxTokens).map(|tokens| tokens as Tokens)
}

/// Puts the texts around the caller's instructions. What callers put into variables passes the guardrails first.
pub(super) fn instruct(order: &mut Order) -> Result<(), ApiError> {
    if order.transforms.is_empty() || !matches!(order.request.operation, Operation::Chat(_)) {
        return Ok(());
    }
    let known = known(&order.ask, order.came);
    let value = |variable: &_| order.words.value(&known.value(variable)).map_err(|denied| denied.error("this request"));
    let (before, after) = order.transforms.texts(value)?;
    if let Some(body) = order.request.dialect.instruct(&order.request.body, &before, &after) {
        order.request.body = body;
    }
    Ok(())
}
