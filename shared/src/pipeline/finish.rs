//! The end of an admitted request: settled exactly once, whatever became of it.

use super::accept::Order;
use super::charge::{Bill, Tariff};
use super::flight::{Flight, Limits, cause, met};
use super::settle::settle;
use super::{Layers, Pipeline};
use crate::config::ModelId;
use crate::dialect::{Finish as Ending, Observed};
use crate::error::{ApiError, Code};
use crate::gateway::audit::{Attempt, Outcome, Record};
use crate::gateway::bodies::Spoken;
use crate::gateway::{Admission, Caller, Claim, Gateway};
use crate::ports::Clock;
use crate::proxy::failure::{Failure, Stage};
use crate::router::{self, Decision, Met, Question, Router};
use crate::units::{NanoUsd, Tokens};
use crate::usage::Usage;
use crate::words::Words;
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
    /// What was found in words; grows until the answer is over.
    pub words: Option<Words>,
    /// A guardrail keeps the answer from the caller.
    pub blocked: bool,
    /// The calls that are under way: two in a race, else one.
    pub flights: Vec<Flight>,
    /// What went to those who lost a race of this route.
    pub lost: Option<(String, NanoUsd)>,
    /// What was decided and by what, for who counts decisions and keeps some.
    pub decision: Option<(Arc<Decision>, Arc<Question>)>,
    /// The caller wants to see it.
    pub explain: bool,
    /// Whose session it is, for who remembers which prompt cache is warm.
    pub session: Option<String>,
    /// What was reserved for single models, and used of it.
    pub parts: Vec<Part>,
    /// What may end it beside those who are asked.
    pub limits: Limits,
}

/// A model's own reservation.
pub(super) struct Part {
    pub model: ModelId,
    pub admission: Admission,
    pub cost: NanoUsd,
    pub tokens: Tokens,
}

impl<L: Layers> Finish<L> {
    pub(super) fn new(pipeline: Arc<Pipeline<L>>, order: &Order, record: Record) -> Finish<L> {
        let (admission, tariff, session) = (order.admission.clone(), order.tariff, order.ask.session_key());
        let (flights, parts) = (Vec::new(), Vec::new());
        let (lost, decision, explain) = (None, None, false);
        let limits = Limits { late: None, hurried: order.total < pipeline.total_timeout };
        Finish {
            pipeline,
            open: Some(Open {
                admission,
                record,
                tariff,
                words: None,
                blocked: false,
                flights,
                lost,
                decision,
                explain,
                session,
                parts,
                limits,
            }),
        }
    }

    /// Takes what depends on the model that is asked next, once for each.
    pub(super) async fn enter(&mut self, caller: &Caller, claim: &Claim, model: &ModelId) -> Result<(), ApiError> {
        let Some(open) = self.open.as_mut().filter(|open| open.part(model).is_none()) else { return Ok(()) };
        if let Some(admission) = self.pipeline.layers.gateway().admit_model(caller, claim, model).await? {
            open.parts.push(Part { model: model.clone(), admission, cost: NanoUsd::ZERO, tokens: 0 });
        }
        Ok(())
    }

    /// What a model's own budgets still afford; `None` where they do not bind.
    pub(super) fn room(&mut self, model: &ModelId) -> Option<NanoUsd> {
        let part = self.open.as_mut()?.part(model)?;
        Some(part.admission.granted?.saturating_sub(part.cost))
    }

    /// Begins to note what is said, where that is kept.
    pub(super) fn listen(&mut self, order: &Order) {
        let bodies = self.pipeline.layers.gateway().bodies(&order.caller.team);
        if let Some(open) = &mut self.open {
            open.record.spoken = Spoken::begin(bodies, &order.request.body);
        }
    }

    /// Notes more of the answer, as the caller gets it.
    pub(super) fn heard(&mut self, answer: &[u8]) {
        if let Some(spoken) = self.open.as_mut().and_then(|open| open.record.spoken.as_mut()) {
            spoken.push(answer);
        }
    }

    /// The open record; `None` once settled.
    pub(super) fn open(&mut self) -> Option<&mut Open> {
        self.open.as_mut()
    }

    /// A call that gave no answer: written down, and charged its input if the provider may have
    /// read it all the same.
    pub(super) fn failed_attempt(&mut self, attempt: Attempt, failure: &Failure) {
        let now = self.pipeline.layers.clock().now();
        let Some(open) = &mut self.open else { return };
        if let Some(flight) = open.landed(&attempt.model) {
            let late = failure.is_out_of_time().then_some(Stage::Total);
            let cause = cause(failure.error.code, failure.retry, open.tariff.byok);
            let cause = cause.filter(|_| !Limits { late, ..open.limits }.are_the_callers());
            let met = cause.map_or(Met::Blameless, |cause| Met::Failed(cause, failure.error.retry_after));
            self.pipeline.layers.router().observe(&flight.outcome(now, met));
        }
        if failure.may_be_billed {
            open.charge(&self.pipeline, &attempt.model, None);
        }
        open.record.attempts.push(attempt);
    }

    /// An answer that a cascade did not take: paid for, and no fault of its model's health.
    pub(super) fn rejected(&mut self, model: &ModelId, observed: &Observed, flaw: &'static str) {
        let now = self.pipeline.layers.clock().now();
        let Some(open) = &mut self.open else { return };
        if let Some(flight) = open.landed(model) {
            self.pipeline.layers.router().observe(&flight.outcome(now, Met::Answered));
        }
        open.charge(&self.pipeline, model, Some(observed));
        open.record.model = None;
        if let Some(attempt) = open.record.attempts.iter_mut().rev().find(|attempt| attempt.model == *model) {
            attempt.result = flaw;
        }
    }

    /// The answer of this model is taken after all, which came before others.
    pub(super) fn took(&mut self, model: &ModelId) {
        if let Some(open) = &mut self.open {
            open.record.model = Some(model.clone());
        }
    }

    /// A call that lost a race and was ended: paid for, as far as its provider may have come, and no fault of anybody's.
    /// `written`: what the winner had written by then. Of a stream that is nothing, for its first word decides.
    pub(super) fn lost(&mut self, model: &ModelId, route: &str, written: Tokens) {
        let now = self.pipeline.layers.clock().now();
        let Some(open) = &mut self.open else { return };
        let Some(flight) = open.landed(model) else { return };
        self.pipeline.layers.router().observe(&flight.outcome(now, Met::Outrun));
        let before = open.record.cost_nano_usd;
        let usage = Usage { output: written, estimated: true, ..open.tariff.expected };
        let finish = Ending::Complete;
        let as_far =
            Observed { usage: Some(usage), finish, output_bytes: 0, model: None, content_started: written > 0 };
        open.charge(&self.pipeline, model, Some(&as_far));
        let lost = open.record.cost_nano_usd.saturating_sub(before);
        let sum = open.lost.take().map_or(NanoUsd::ZERO, |(_, sum)| sum);
        open.lost = Some((route.to_owned(), sum + lost));
        let duration_ms = now.since(flight.began);
        open.record.attempts.push(Attempt { model: flight.model, result: "lost", status: None, duration_ms });
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

    /// A time limit ends the answer.
    pub(super) fn late(&mut self, stage: Option<Stage>) {
        if let Some(open) = &mut self.open {
            open.limits.late = stage;
        }
    }

    /// The answer came to an end, or to `status` and `code` when there was none.
    pub(super) async fn answered(mut self, observed: Observed) {
        if let Some(open) = self.open.take() {
            conclude(&self.pipeline, open, Some(observed)).await;
        }
    }

    /// Whether a guardrail changed the answer, so that it must not be kept for others.
    pub(super) fn is_touched(&self) -> bool {
        let words = self.open.as_ref().and_then(|open| open.words.as_ref());
        words.is_some_and(Words::is_touched)
    }

    /// Nobody had to be asked.
    pub(super) async fn replayed(mut self) {
        if let Some(mut open) = self.open.take() {
            open.record.outcome = Outcome::Ok;
            settle(&self.pipeline, open).await;
        }
    }

    /// The answer is complete and paid for, and a guardrail keeps it from the caller.
    pub(super) async fn blocked(mut self, observed: Observed, code: Code) {
        if let Some(mut open) = self.open.take() {
            open.record.fail(code);
            open.blocked = true;
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
            let task = async move { conclude(&pipeline, open, observed).await };
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
    /// Takes the call to this model out of those under way.
    fn landed(&mut self, model: &ModelId) -> Option<Flight> {
        let at = self.flights.iter().position(|flight| flight.model == *model)?;
        Some(self.flights.remove(at))
    }

    fn part(&self, model: &ModelId) -> Option<&Part> {
        self.parts.iter().find(|part| part.model == *model)
    }

    /// Adds what a call consumed. Several calls of one request add up.
    fn charge<L: Layers>(&mut self, pipeline: &Pipeline<L>, model: &ModelId, observed: Option<&Observed>) {
        let bill = self.tariff.bill(&pipeline.catalog, model, observed);
        let before = self.record.cost_nano_usd;
        self.record.cost_nano_usd = self.total(&bill);
        self.record.price_is_guess |= bill.guess;
        self.record.usage = self.record.usage.plus(&bill.usage);
        self.record.prompt_cache_saved_nano_usd += bill.prompt_cache.0;
        self.record.prompt_cache_extra_nano_usd += bill.prompt_cache.1;
        if let Some(part) = self.parts.iter_mut().find(|part| part.model == *model) {
            part.cost += self.record.cost_nano_usd.saturating_sub(before);
            // As of the whole: our own counts never lead beyond what was granted.
            if let Some(granted) = part.admission.granted.filter(|_| bill.usage.estimated) {
                part.cost = part.cost.min(granted);
            }
            part.tokens = part.tokens.saturating_add(bill.usage.total_tokens());
        }
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
    let now = pipeline.layers.clock().now();
    let flights = std::mem::take(&mut open.flights);
    match observed {
        Some(observed) => {
            if let Some(model) = open.record.model.clone() {
                open.charge(pipeline, &model, Some(&observed));
            }
            // Whoever ended it, it was not the provider.
            let cancelled = matches!(open.record.outcome, Outcome::Cancelled | Outcome::Cut);
            let met = met(&mut open.record, &observed.finish, cancelled, open.limits);
            if open.blocked && open.record.outcome == Outcome::Ok {
                open.record.outcome = Outcome::Refused;
            }
            for flight in flights {
                let usage = open.record.usage;
                pipeline.layers.router().observe(&router::Outcome {
                    tokens_in: usage.prompt_tokens(),
                    tokens_out: usage.completion_tokens(),
                    session: open.session.take(),
                    ..flight.outcome(now, met)
                });
            }
        }
        // Left while a call was under way: the provider has read the input, and what it has answered is owed.
        None => {
            for flight in flights {
                pipeline.layers.router().observe(&flight.outcome(now, Met::Blameless));
                open.charge(pipeline, &flight.model, flight.said.as_ref());
                open.record.model = Some(flight.model);
            }
        }
    }
    settle(pipeline, open).await;
}
