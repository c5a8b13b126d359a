//! The end of an admitted request: settled exactly once, whatever became of it.

use super::charge::{Bill, Tariff};
use super::{Layers, Pipeline};
use crate::config::ModelId;
use crate::dialect::{Finish as Ending, Observed};
use crate::error::Code;
use crate::gateway::audit::{Attempt, Outcome, Record};
use crate::gateway::{Admission, Gateway};
use crate::ports::Clock;
use crate::proxy::failure::{Failure, is_unhealthy};
use crate::router::{self, Router};
use crate::units::NanoUsd;
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
    pub tariff: Tariff,
    /// A call is under way that has not answered yet; the model it went to.
    pub in_flight: Option<ModelId>,
}

impl<L: Layers> Finish<L> {
    pub(super) fn new(pipeline: Arc<Pipeline<L>>, admission: Admission, record: Record, tariff: Tariff) -> Finish<L> {
        Finish { pipeline, open: Some(Open { admission, record, tariff, in_flight: None }) }
    }

    /// The open record; `None` once settled.
    pub(super) fn open(&mut self) -> Option<&mut Open> {
        self.open.as_mut()
    }

    /// A call that gave no answer: written down, and charged its input if the provider may have
    /// read it all the same.
    pub(super) fn failed_attempt(&mut self, attempt: Attempt, failure: &Failure) {
        let now = self.pipeline.layers.clock().now();
        let ok = !is_unhealthy(failure.error.code);
        let outcome = router::Outcome { model: attempt.model.clone(), at: now, ok, ttft: None };
        self.pipeline.layers.router().observe(&outcome);
        if let Some(open) = &mut self.open {
            open.in_flight = None;
            if failure.may_be_billed {
                open.charge(&self.pipeline, &attempt.model, None);
            }
            open.record.attempts.push(attempt);
        }
    }

    /// What an answer will be settled at, for the header that tells its cost.
    pub(super) fn cost(&self, model: &ModelId, observed: &Observed) -> NanoUsd {
        let Some(open) = &self.open else { return NanoUsd::ZERO };
        open.total(&open.tariff.bill(&self.pipeline.catalog, model, Some(observed)))
    }

    /// What a streamed answer will be settled at.
    pub(super) fn cost_of(&self, observed: &Observed) -> NanoUsd {
        let model = self.open.as_ref().and_then(|open| open.record.model.clone());
        model.map_or(NanoUsd::ZERO, |model| self.cost(&model, observed))
    }

    /// The answer came to an end, or to `status` and `code` when there was none.
    pub(super) async fn answered(mut self, observed: Observed) {
        if let Some(open) = self.open.take() {
            conclude(&self.pipeline, open, Some(observed)).await;
        }
    }

    /// Nobody had to be asked.
    pub(super) async fn replayed(mut self) {
        if let Some(mut open) = self.open.take() {
            open.record.outcome = Outcome::Ok;
            settle(&self.pipeline, open).await;
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
    fn charge<L: Layers>(&mut self, pipeline: &Pipeline<L>, model: &ModelId, observed: Option<&Observed>) {
        let bill = self.tariff.bill(&pipeline.catalog, model, observed);
        self.record.cost_nano_usd = self.total(&bill);
        self.record.price_is_guess |= bill.guess;
        self.record.usage = self.record.usage.plus(&bill.usage);
    }

    /// What the request costs with this bill on top. Our own counts err to the dear side, and what was
    /// granted bounds the truth: an estimate never leads beyond it.
    fn total(&self, bill: &Bill) -> NanoUsd {
        let before = self.record.cost_nano_usd;
        let total = before + bill.cost;
        match self.admission.granted {
            Some(granted) if bill.usage.estimated => total.min(granted.max(before)),
            Some(_) | None => total,
        }
    }
}

async fn conclude<L: Layers>(pipeline: &Arc<Pipeline<L>>, mut open: Open, observed: Option<Observed>) {
    match (observed, open.in_flight.take()) {
        (Some(observed), _) => {
            if let Some(model) = open.record.model.clone() {
                open.charge(pipeline, &model, Some(&observed));
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
            let ok = match &observed.finish {
                Ending::Complete => true,
                Ending::Truncated => cancelled,
                Ending::Error(error) => cancelled || !is_unhealthy(error.to_api_error().code),
            };
            let now = pipeline.layers.clock().now();
            if let Some(model) = open.record.model.clone() {
                pipeline.layers.router().observe(&router::Outcome { model, at: now, ok, ttft: open.record.ttft_ms });
            }
        }
        // Left while a call was under way: the provider has read the input.
        (None, Some(model)) => {
            open.charge(pipeline, &model, None);
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
