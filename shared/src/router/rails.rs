//! What a candidate may not or cannot do drops it, whatever a strategy would say. Rails never bend.
//!
//! A model that the caller named is held only to what is *allowed* and *required*: what it can do is for its
//! provider to say, because a catalog may be behind the times.

use super::entry::Entry;
use super::facts::Facts;
use super::{Ask, Drop, View};
use crate::catalog::{Capabilities, Catalog};
use crate::config::{Config, ModelAccess, ModelId, Require};
use crate::usage::Usage;

/// The rail a model does not pass, if any. Health is none: it orders, and lets nobody be the last to be dropped.
pub(super) fn rail(
    config: &Config,
    catalog: &Catalog,
    ask: &Ask,
    entry: &Entry<'_>,
    view: &View,
    facts: &Facts,
) -> Option<Drop> {
    let id = &facts.id;
    if !catalog.is_enabled(&id.provider) {
        return Some(Drop::NotEnabled);
    }
    let name = id.to_string();
    let names = [Some(name.as_str()), entry.route.as_deref(), entry.asked.as_deref()];
    let permitted = |access: &ModelAccess| names.iter().flatten().any(|name| access.permits(name));
    if !ask.allowed.iter().all(permitted) {
        return Some(Drop::NotAllowed);
    }
    if let Some(drop) = entry.require.iter().find_map(|require| kept(config, require, id)) {
        return Some(drop);
    }
    if entry.route.is_some()
        && let Some(drop) = able(ask, facts)
    {
        return Some(drop);
    }
    let least = Usage { input: ask.tokens_in, output: 1, ..Usage::default() };
    let affordable = view.afford.is_none_or(|money| facts.model.price.cost(&least) <= money);
    (!affordable).then_some(Drop::OverBudget)
}

/// Whether a model that is not asked to answer may hear a request all the same: a judge, or who is sent a copy.
pub(super) fn hears(config: &Config, catalog: &Catalog, entry: &Entry<'_>, id: &ModelId) -> bool {
    catalog.is_enabled(&id.provider) && entry.require.iter().all(|require| kept(config, require, id).is_none())
}

/// Where its provider keeps data and what it promises. What is not known is not kept.
fn kept(config: &Config, require: &Require, id: &ModelId) -> Option<Drop> {
    let provider = config.providers.get(&id.provider);
    let region = provider.and_then(|provider| provider.region.as_ref());
    if !require.region.is_empty() && !region.is_some_and(|region| require.region.contains(region)) {
        return Some(Drop::Residency);
    }
    let promised = |policy| provider.is_some_and(|provider| provider.data_policy.contains(policy));
    (!require.data_policy.iter().all(promised)).then_some(Drop::DataPolicy)
}

/// What the model is made for and can do, and whether the request fits.
fn able(ask: &Ask, facts: &Facts) -> Option<Drop> {
    let model = &facts.model;
    if model.traits.kind.is_some_and(|kind| kind != ask.kind) {
        return Some(Drop::OtherKind);
    }
    for (needed, capability, drop) in [
        (ask.needs.tools, Capabilities::TOOLS, Drop::LacksTools),
        (ask.needs.vision, Capabilities::VISION, Drop::LacksVision),
        (ask.needs.json_schema, Capabilities::JSON_SCHEMA, Drop::LacksJsonSchema),
        (ask.needs.documents, Capabilities::DOCUMENTS, Drop::LacksDocuments),
        (ask.needs.audio, Capabilities::AUDIO, Drop::LacksAudio),
    ] {
        if needed && !model.capabilities.has(capability) {
            return Some(drop);
        }
    }
    let needed = ask.tokens_in.saturating_add(ask.max_output_tokens.unwrap_or(0));
    model.context_tokens.is_some_and(|window| needed > window).then_some(Drop::ContextTooSmall)
}
