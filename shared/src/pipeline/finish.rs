//! The end of an admitted request: settled exactly once, whatever became of it.

use super::{Layers, Pipeline};
use crate::config::ModelId;
use crate::dialect::{Finish as Ending, Observed};
use crate::error::Code;
use crate::gateway::audit::{Attempt, Outcome, Record};
use crate::gateway::{Admission, Gateway};
use crate::ports::Clock;
use crate::router::{self, Router};
use crate::units::{NanoUsd, Tokens};
use crate::usage::Usage;
use std::sync::Arc;

/// Owns an admission until it is settled. Dropped before that (the caller left, a future was
/// cancelled), it settles in the background with what is known.
pub(super) struct Finish<L: Layers> {
    pipeline: Arc<Pipeline<L>>,
    open: Option<Open>,
}

/// An admission and the record that grows beside it.
pub(super) struct Open {
    pub admission: Admission,
    pub record: Record,
    /// Estimated input tokens, for calls whose provider never said.
    pub tokens_in: Tokens,
    /// A call is under way that has not answered yet; the model it went to.
    pub in_flight: Option<ModelId>,
}

impl<L: Layers> Finish<L> {
    pub(super) fn new(
        pipeline: Arc<Pipeline<L>>,
        admission: Admission,
        record: Record,
        tokens_in: Tokens,
    ) -> Finish<L> {
        Finish { pipeline, open: Some(Open { admission, record, tokens_in, in_flight: None }) }
    }

    /// The open record; `None` once settled.
    pub(super) fn open(&mut self) -> Option<&mut Open> {
        self.open.as_mut()
    }

    /// A call that gave no answer: written down, and charged its input if the provider may have
    /// read it all the same.
    pub(super) fn failed_attempt(&mut self, attempt: Attempt, may_be_billed: bool) {
        let now = self.pipeline.layers.clock().now();
        let outcome = router::Outcome { model: attempt.model.clone(), at: now, ok: false, ttft: None };
        self.pipeline.layers.router().observe(&outcome);
        if let Some(open) = &mut self.open {
            open.in_flight = None;
            if may_be_billed {
                open.charge(
                    &self.pipeline,
                    &attempt.model,
                    &Usage { input: open.tokens_in, estimated: true, ..Usage::default() },
                );
            }
            open.record.attempts.push(attempt);
        }
    }

    /// What an answer will be settled at, for the header that tells its cost.
    pub(super) fn cost(&self, model: &ModelId, observed: &Observed) -> NanoUsd {
        let Some(open) = &self.open else { return NanoUsd::ZERO };
        open.total(&self.pipeline, model, &consumed(observed, open.tokens_in))
    }

    /// The answer came to an end, or to `status` and `code` when there was none.
    pub(super) async fn answered(mut self, observed: Observed) {
        if let Some(open) = self.open.take() {
            conclude(&self.pipeline, open, Some(observed)).await;
        }
    }

    /// Every attempt failed, or none was made.
    pub(super) async fn refused(mut self, code: Code) {
        if let Some(mut open) = self.open.take() {
            open.record.fail(code);
            open.record.outcome = Outcome::Refused;
            settle(&self.pipeline, open).await;
        }
    }

    /// The caller left mid-answer: settles in the background.
    pub(super) fn cancelled(&mut self, observed: Observed) {
        self.abandon(Some(observed));
    }

    fn abandon(&mut self, observed: Option<Observed>) {
        if let Some(mut open) = self.open.take() {
            open.record.outcome = Outcome::Cancelled;
            let pipeline = self.pipeline.clone();
            let task = async move {
                match observed {
                    Some(observed) => conclude(&pipeline, open, Some(observed)).await,
                    None => conclude(&pipeline, open, None).await,
                }
            };
            self.pipeline.layers.clock().spawn(task);
        }
    }
}

impl<L: Layers> Drop for Finish<L> {
    fn drop(&mut self) {
        self.abandon(None);
    }
}

impl Open {
    /// Adds what a call consumed. Several calls of one request add up.
    fn charge<L: Layers>(&mut self, pipeline: &Pipeline<L>, model: &ModelId, usage: &Usage) {
        self.record.cost_nano_usd = self.total(pipeline, model, usage);
        self.record.price_is_guess |= pipeline.catalog.model(model).estimated_price;
        self.record.usage = self.record.usage.plus(usage);
    }

    /// What the request costs with this usage on top. Our own counts err to the dear side, and what was
    /// granted bounds the truth: an estimate never leads beyond it.
    fn total<L: Layers>(&self, pipeline: &Pipeline<L>, model: &ModelId, usage: &Usage) -> NanoUsd {
        let before = self.record.cost_nano_usd;
        let total = before + pipeline.catalog.model(model).price.cost(usage);
        match self.admission.granted {
            Some(granted) if usage.estimated => total.min(granted.max(before)),
            Some(_) | None => total,
        }
    }
}

/// What an answer consumed: the provider's word, or our count of what was seen. A provider's word
/// from before the end (Anthropic counts as it goes) does not cover what came after it.
pub(super) fn consumed(observed: &Observed, tokens_in: Tokens) -> Usage {
    let seen = observed.output_bytes.div_ceil(BYTES_PER_TOKEN);
    let Some(said) = observed.usage else {
        return Usage { input: tokens_in, output: seen, estimated: true, ..Usage::default() };
    };
    match observed.finish {
        Ending::Complete => said,
        Ending::Truncated | Ending::Error(_) if said.completion_tokens() >= seen => said,
        Ending::Truncated | Ending::Error(_) => {
            Usage { output: seen.saturating_sub(said.reasoning), estimated: true, ..said }
        }
    }
}

/// Bytes of text a token stands for, on average over languages and tokenizers, erring to the dear side.
pub(super) const BYTES_PER_TOKEN: u64 = 4;

async fn conclude<L: Layers>(pipeline: &Arc<Pipeline<L>>, mut open: Open, observed: Option<Observed>) {
    match (observed, open.in_flight.take()) {
        (Some(observed), _) => {
            let usage = consumed(&observed, open.tokens_in);
            if let Some(model) = open.record.model.clone() {
                open.charge(pipeline, &model, &usage);
            }
            let cancelled = open.record.outcome == Outcome::Cancelled;
            match &observed.finish {
                // A caller that leaves after the last event got everything.
                Ending::Complete => open.record.outcome = Outcome::Ok,
                Ending::Truncated | Ending::Error(_) if cancelled => {}
                Ending::Truncated => {
                    open.record.outcome = Outcome::Cut;
                    open.record.code = Some(Code::UpstreamError.as_str());
                }
                Ending::Error(error) => {
                    open.record.outcome = Outcome::Cut;
                    open.record.code = Some(error.to_api_error().code.as_str());
                }
            }
            let ok = open.record.outcome == Outcome::Ok || cancelled;
            let now = pipeline.layers.clock().now();
            if let Some(model) = open.record.model.clone() {
                pipeline.layers.router().observe(&router::Outcome { model, at: now, ok, ttft: open.record.ttft_ms });
            }
        }
        // Left while a call was under way: the provider has read the input.
        (None, Some(model)) => {
            let usage = Usage { input: open.tokens_in, estimated: true, ..Usage::default() };
            open.charge(pipeline, &model, &usage);
            open.record.model = Some(model);
        }
        (None, None) => {}
    }
    settle(pipeline, open).await;
}

async fn settle<L: Layers>(pipeline: &Arc<Pipeline<L>>, mut open: Open) {
    open.record.duration_ms = pipeline.layers.clock().now().since(open.record.at);
    let mut unsettled = Unsettled { pipeline: pipeline.clone(), what: Some((open.admission, open.record)) };
    if let Some((admission, record)) = &mut unsettled.what {
        pipeline.layers.gateway().settle(admission, record).await;
    }
    unsettled.what = None;
}

/// A settlement under way. The caller may leave while the ledger takes it: dropped before that is
/// done, it is begun anew in the background. The ledger counts the first of an id.
struct Unsettled<L: Layers> {
    pipeline: Arc<Pipeline<L>>,
    what: Option<(Admission, Record)>,
}

impl<L: Layers> Drop for Unsettled<L> {
    fn drop(&mut self) {
        let Some((admission, mut record)) = self.what.take() else { return };
        let pipeline = self.pipeline.clone();
        let task = async move { pipeline.layers.gateway().settle(&admission, &mut record).await };
        self.pipeline.layers.clock().spawn(task);
    }
}
