//! What is known of one candidate for one ask: looked up once, then only compared.

use super::{Ask, Drop, Scores, Standing};
use crate::catalog::Model;
use crate::config::ModelId;
use crate::units::{NanoUsd, Timestamp, Tokens};
use crate::usage::Usage;
use std::sync::Arc;

/// How long an answer is taken to be of which nothing is known, in tokens.
const USUAL_OUTPUT: Tokens = 400;
/// A prompt this long takes twice as long to read as an empty one.
const LONG_PROMPT: u64 = 8_000;

/// A candidate and what speaks for and against it.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub id: ModelId,
    pub model: Arc<Model>,
    pub standing: Standing,
    /// The rail it does not pass.
    pub drop: Option<Drop>,
    /// What this call would cost there.
    pub usd: NanoUsd,
}

impl Facts {
    pub(super) fn new(id: ModelId, model: Arc<Model>, standing: Standing, ask: &Ask) -> Facts {
        let usd = model.price.cost(&usage(&model, ask, 0));
        Facts { id, model, standing, drop: None, usd }
    }

    /// What this call would cost here with so much of it in the prompt cache.
    pub(super) fn usd_warm(&self, ask: &Ask, cached: Tokens) -> NanoUsd {
        self.model.price.cost(&usage(&self.model, ask, cached))
    }

    /// Expected time to first token for a prompt as long as this one.
    pub(super) fn ttft_ms(&self, ask: &Ask) -> Option<u64> {
        self.standing.ttft_ms.map(|short| at_length(short, ask.tokens_in))
    }

    /// What it costs in time to ask here: who is slow, busy or failing comes later. `None`: not measured.
    pub(super) fn delay(&self, ask: &Ask) -> Option<u64> {
        let busy = u64::from(self.standing.in_flight).saturating_add(4);
        let failing = 1_000 + 4 * u64::from(self.standing.errors_permille);
        let ttft = self.ttft_ms(ask)?;
        Some(ttft.saturating_mul(busy).saturating_mul(failing) / 4_000)
    }

    /// How full it is: calls under way for the room that is left.
    pub(super) fn load(&self) -> u64 {
        let room = u64::from(self.standing.headroom_permille.unwrap_or(1_000)).clamp(20, 1_000);
        (u64::from(self.standing.in_flight) + 1).saturating_mul(1_000_000) / room
    }

    /// Quality in thousandths; what nobody rated is worse than anything rated.
    pub(super) fn quality(&self) -> Option<u32> {
        self.model.quality.map(|quality| (quality * 1_000.0) as u32)
    }

    /// Until when it is better left alone.
    pub(super) fn resting(&self, now: Timestamp) -> Option<(Drop, Timestamp)> {
        self.standing.resting(now)
    }

    pub(super) fn scores(&self, ask: &Ask) -> Scores {
        Scores {
            ttft_ms: self.ttft_ms(ask),
            usd: self.usd,
            quality: self.model.quality,
            errors_permille: self.standing.errors_permille,
            in_flight: self.standing.in_flight,
            will_do: None,
        }
    }
}

/// A time to first token measured on a short prompt, for one of this length.
pub(super) fn at_length(short_ms: u64, tokens: Tokens) -> u64 {
    short_ms.saturating_mul(LONG_PROMPT.saturating_add(tokens)) / LONG_PROMPT
}

/// A time to first token as it would have been with a short prompt.
pub(super) fn as_if_short(ms: u64, tokens: Tokens) -> u64 {
    ms.saturating_mul(LONG_PROMPT) / LONG_PROMPT.saturating_add(tokens)
}

fn usage(model: &Model, ask: &Ask, cached: Tokens) -> Usage {
    let longest = ask.max_output_tokens.unwrap_or(USUAL_OUTPUT).min(USUAL_OUTPUT);
    let output = model.max_output_tokens.map_or(longest, |most| most.min(longest));
    let cache_read = cached.min(ask.tokens_in);
    Usage { input: ask.tokens_in.saturating_sub(cache_read), cache_read, output, ..Usage::default() }
}
