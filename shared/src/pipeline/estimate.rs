//! What a call will consume, before it is made: an honest guess, and a bound that holds.

use crate::catalog::{Capabilities, Catalog, Model, Size};
use crate::config::ModelId;
use crate::dialect::Facts;
use crate::router::Reach;
use crate::sorted;
use crate::units::{NanoUsd, Tokens};
use std::ops::Add;

/// What a chat template adds to every turn, at the most.
const TURN_TOKENS: Tokens = 16;
/// What a chat template adds to every request, tool preambles included, at the most.
const REQUEST_TOKENS: Tokens = 1_024;
/// The dearest image there is: one model family counts up to 48,169 tokens for a large one at high detail.
const IMAGE_TOKENS: Tokens = 50_000;
/// Documents and sound, by their base64 bytes: a page of PDF is both read as text and seen.
const MEDIA_BYTES_PER_TOKEN: u64 = 8;
/// The longest answer of a model whose limit nobody knows.
const UNKNOWN_OUTPUT: Tokens = 128_000;
/// The most a model reads whose context window nobody knows.
const UNKNOWN_INPUT: Tokens = 1_048_576;
/// The answer to reckon with where the caller does not say how long it may be.
const USUAL_OUTPUT: Tokens = 1_024;
/// The shortest answer worth paying for, when the budget does not afford more.
const LEAST_OUTPUT: Tokens = 256;

/// What is reserved of an answer at a time, where not all of it is: so many bytes of it, each taken for a token.
pub(super) const SLICE: Tokens = 8_192;

/// Input tokens as they can be at the most: what the model can read at all, where the body does not
/// show everything.
fn most_input(facts: &Facts, model: &Model) -> Tokens {
    if facts.unseen_input { model.context_tokens.unwrap_or(UNKNOWN_INPUT) } else { most_seen(facts) }
}

/// Input tokens of a body at the most. A token is at least one byte of text.
fn most_seen(facts: &Facts) -> Tokens {
    let images = (facts.images as u64).saturating_mul(IMAGE_TOKENS);
    let others = facts.media_bytes.saturating_sub(facts.image_bytes) as u64 / MEDIA_BYTES_PER_TOKEN;
    [facts.text_bytes as u64, images, others, (facts.messages as u64).saturating_mul(TURN_TOKENS), REQUEST_TOKENS]
        .into_iter()
        .fold(0, Tokens::saturating_add)
}

/// How large a call can become, with an answer of `output` tokens.
fn size(facts: &Facts, input: Tokens, output: Tokens) -> Size {
    let Facts { needs, tier, searches, .. } = *facts;
    Size { input, output, searches, audio: needs.audio, images: needs.vision, tier }
}

/// What a request can cost, over every model that may answer it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bound {
    /// The most.
    pub most: NanoUsd,
    /// The least that buys the input and a short answer.
    pub least: NanoUsd,
    /// What buys the input and a slice of the answer, where the rest can be reserved while it streams; else zero.
    pub slice: NanoUsd,
    /// The tokens it will read and write, probably: what limits of tokens are drawn on for it.
    pub tokens: Tokens,
}

/// Bounds the cost of a request over its candidates.
pub(super) fn bound(catalog: &Catalog, reach: &Reach, facts: &Facts) -> Bound {
    let mut bound = Bound::default();
    let (mut inputs, mut dearest_input) = (NanoUsd::ZERO, NanoUsd::ZERO);
    let mut answers = Vec::with_capacity(reach.models.len());
    // Who names the longest answer wants all of it, and may have it from the beginning.
    let mut grows = facts.stream && facts.max_output_tokens.is_none() && reach.answers == 1;
    for id in &reach.models {
        let model = catalog.model(id);
        let written =
            facts.max_output_tokens.unwrap_or(USUAL_OUTPUT).min(model.max_output_tokens.unwrap_or(UNKNOWN_OUTPUT));
        bound.tokens = bound.tokens.max(facts.probable_input().saturating_add(written.saturating_mul(facts.n)));
        let input = most_input(facts, &model);
        let longest = model.max_output_tokens.unwrap_or(UNKNOWN_OUTPUT);
        let output = facts.max_output_tokens.map_or(longest, |wanted| wanted.min(longest)).saturating_mul(facts.n);
        answers.push(model.price.most(&size(facts, input, output)));
        grows &= shows_all(&model);
        bound.slice = bound.slice.max(model.price.most(&size(facts, input, output.min(SLICE))));
        bound.least = bound.least.max(model.price.most(&size(facts, input, output.min(LEAST_OUTPUT))));
        let asked = model.price.most(&size(facts, facts.probable_input(), 0));
        inputs += asked;
        dearest_input = dearest_input.max(asked);
    }
    // Several may give a whole answer: the dearest of them.
    sorted::sort_by(&mut answers, |a, b| b.cmp(a));
    bound.most = answers.into_iter().take(reach.answers).fold(NanoUsd::ZERO, NanoUsd::add);
    // Before a fallback answers, those before it may have read the prompt and may bill it.
    let failed = inputs.saturating_sub(dearest_input);
    bound.most += failed;
    bound.slice = if grows { bound.slice + failed } else { NanoUsd::ZERO };
    bound
}

/// Whether all that a model is paid for writing can be seen as it streams: it keeps no thoughts to itself and does not speak.
fn shows_all(model: &Model) -> bool {
    !model.capabilities.has(Capabilities::REASONING) && model.price.output_audio.is_none()
}

/// The most a call to `model` can cost when it has written so much, all choices together.
pub(super) fn so_long(catalog: &Catalog, model: &ModelId, facts: &Facts, output: Tokens) -> NanoUsd {
    let written = output.min(longest(catalog, model, facts));
    let model = catalog.model(model);
    model.price.most(&size(facts, most_input(facts, &model), written))
}

/// The longest answer of `model` that `money` buys beside the input; `None` when all the caller wants,
/// or the model can, is affordable; 0 when not even one token is.
pub(super) fn affordable_output(catalog: &Catalog, model: &ModelId, facts: &Facts, money: NanoUsd) -> Option<Tokens> {
    let model = catalog.model(model);
    let input = most_input(facts, &model);
    let longest = model.max_output_tokens.unwrap_or(UNKNOWN_OUTPUT);
    let cost = |output: Tokens| model.price.most(&size(facts, input, output.saturating_mul(facts.n)));
    let wanted = facts.max_output_tokens.map_or(longest, |wanted| wanted.min(longest));
    if cost(wanted) <= money {
        return None;
    }
    let (mut fits, mut too_many) = (0, wanted);
    while fits + 1 < too_many {
        let middle = fits + (too_many - fits) / 2;
        match cost(middle) <= money {
            true => fits = middle,
            false => too_many = middle,
        }
    }
    Some(fits)
}

/// The longest answer of a model to a request, all of its choices together.
pub(super) fn longest(catalog: &Catalog, model: &ModelId, facts: &Facts) -> Tokens {
    let longest = catalog.model(model).max_output_tokens.unwrap_or(UNKNOWN_OUTPUT);
    facts.max_output_tokens.map_or(longest, |wanted| wanted.min(longest)).saturating_mul(facts.n)
}

/// The most a call to `model` can cost, with an answer of at most `output` tokens.
pub(super) fn most(catalog: &Catalog, model: &ModelId, facts: &Facts, output: Option<Tokens>) -> NanoUsd {
    let model = catalog.model(model);
    let longest = model.max_output_tokens.unwrap_or(UNKNOWN_OUTPUT);
    let wanted = facts.max_output_tokens.map_or(longest, |wanted| wanted.min(longest));
    let output = output.map_or(wanted, |most| most.min(wanted)).saturating_mul(facts.n);
    model.price.most(&size(facts, most_input(facts, &model), output))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;
    use crate::json::{Limits, scan};

    #[test]
    fn an_image_hides_no_document_and_no_sound() {
        let data = "A".repeat(1_000_000);
        for (part, tokens) in [
            (format!(r#"{{"type":"file","file":{{"file_data":"{data}"}}}}"#), 125_000),
            (format!(r#"{{"type":"input_audio","input_audio":{{"data":"{data}"}}}}"#), 125_000),
            // An image is bounded by how much of it can be seen, however many bytes it has.
            (format!(r#"{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{data}"}}}}"#), IMAGE_TOKENS),
        ] {
            let image = r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}"#;
            for (parts, more) in [(part.clone(), 0), (format!("{image},{part}"), IMAGE_TOKENS)] {
                let body = format!(r#"{{"messages":[{{"role":"user","content":[{parts}]}}]}}"#);
                let facts = Dialect::OpenAiChat.inspect(&scan(body.as_bytes(), &Limits::default()).unwrap()).unwrap();
                let media = most_seen(&facts) - facts.text_bytes as u64 - TURN_TOKENS - REQUEST_TOKENS;
                assert_eq!(media, tokens + more, "{} bytes", body.len());
            }
        }
    }
}
