//! An answer that is reserved slice by slice: more is reserved while it streams, and it ends before it costs more than was granted.
//!
//! Where a caller names no `max_tokens`, all that a model could write is reserved if that is little beside what is left of the
//! budgets. Else a slice of it is: many callers then share what one whole bound would hold. More is asked for when half of a slice
//! is written, beside the stream, which waits only where what was granted is nearly written and the ledger has not answered yet.
//! Every byte is taken for a token. Text has three or four bytes a token, so what was granted covers what its provider has
//! written and nobody has read yet, too.
//!
//! What cannot be seen cannot be metered: models that think out of sight, answers of which several are paid for, and bytes that
//! a platform forwards by itself are reserved whole, or limited upstream to what the budgets afford.

use super::accept::Order;
use super::estimate::{self, SLICE};
use super::finish::Open;
use super::{Layers, Pipeline};
use crate::catalog::Catalog;
use crate::config::ModelId;
use crate::dialect::Facts;
use crate::error::{ApiError, Code};
use crate::gateway::{Caller, Claim, Gateway, More};
use crate::ports::Clock;
use crate::units::{NanoUsd, Tokens};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A stream ends with so much of what was granted unwritten: what still comes of it until it has ended.
const REST: Tokens = SLICE / 8;

/// What of a reservation is not for the answer of `model`, where that answer grows slice by slice.
pub(super) fn besides(catalog: &Catalog, order: &Order, open: &Open, model: &ModelId) -> Option<NanoUsd> {
    let facts = &order.request.facts;
    let granted = open.admission.granted.filter(|_| facts.stream && !order.claim.slice.is_zero())?;
    let besides = open.record.cost_nano_usd + order.beside.saturating_sub(open.record.moderation_nano_usd);
    let left = granted.saturating_sub(besides);
    let grows = estimate::so_long(catalog, model, facts, SLICE) <= left;
    (grows && estimate::most(catalog, model, facts, None) > left).then_some(besides)
}

/// The error that ends an answer for which there is no more.
pub(super) fn spent() -> ApiError {
    ApiError::new(
        Code::InsufficientQuota,
        "The budget has nothing left for the rest of this answer. What you have is incomplete. With `max_tokens`, all of an answer is reserved before it begins.",
    )
}

/// What a stream is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// Go on.
    On,
    /// Wait until the ledger has answered.
    Wait,
    /// End: there is no more.
    Spent,
}

/// What is reserved of one answer.
#[derive(Debug)]
pub(super) struct Slices {
    caller: Caller,
    claim: Claim,
    model: ModelId,
    facts: Facts,
    besides: NanoUsd,
    /// The bytes that what was granted pays for; `None`: as many as there can be.
    pays: Option<Tokens>,
    /// The number of the next slice.
    next: u32,
    /// When more is asked for again, by what is written then.
    again: Tokens,
    asked: Arc<Mutex<Asked>>,
}

/// What became of the last question.
#[derive(Debug)]
enum Asked {
    Nothing,
    UnderWay,
    Answered(Option<NanoUsd>),
}

impl Slices {
    /// What there is to reserve while `model` answers; `None`: all of it is.
    pub(super) fn of<L: Layers>(pipeline: &Pipeline<L>, order: &Order, open: &Open, model: &ModelId) -> Option<Slices> {
        let besides = besides(&pipeline.catalog, order, open, model)?;
        let mut slices = Slices {
            caller: order.caller.clone(),
            claim: order.claim.clone(),
            model: model.clone(),
            facts: order.request.facts.clone(),
            besides,
            pays: None,
            // Those before it were for attempts that failed.
            next: u32::try_from(open.record.attempts.len()).unwrap_or(u32::MAX).saturating_add(1),
            again: 0,
            asked: Arc::new(Mutex::new(Asked::Nothing)),
        };
        slices.pay(&pipeline.catalog, open.admission.granted?);
        Some(slices)
    }

    fn pay(&mut self, catalog: &Catalog, granted: NanoUsd) {
        let money = granted.saturating_sub(self.besides);
        let longest = estimate::affordable_output(catalog, &self.model, &self.facts, money);
        self.pays = longest.map(|tokens| tokens.saturating_mul(self.facts.n));
    }

    /// Takes note of what the ledger has answered, and says whether it is still to answer.
    pub(super) fn hear<L: Layers>(&mut self, pipeline: &Pipeline<L>, open: &mut Open, written: Tokens) -> bool {
        let mut asked = lock(&self.asked);
        let answer = match &*asked {
            Asked::Nothing => return false,
            Asked::UnderWay => return true,
            Asked::Answered(granted) => *granted,
        };
        *asked = Asked::Nothing;
        drop(asked);
        self.again = written.saturating_add(REST);
        if let Some(granted) = answer {
            open.admission.granted = Some(granted);
            self.pay(&pipeline.catalog, granted);
        }
        false
    }

    /// Sees to it that there is enough for what comes after so many bytes.
    pub(super) fn flow<L: Layers>(&mut self, pipeline: &Arc<Pipeline<L>>, open: &mut Open, written: Tokens) -> Flow {
        let mut waits = self.hear(pipeline, open, written);
        let (Some(pays), Some(granted)) = (self.pays, open.admission.granted) else { return Flow::On };
        let left = pays.saturating_sub(written);
        if !waits && left < SLICE / 2 && written >= self.again {
            self.ask(pipeline, open, granted, written);
            waits = true;
        }
        match (left >= REST, waits) {
            (true, _) => Flow::On,
            (false, true) => Flow::Wait,
            (false, false) => Flow::Spent,
        }
    }

    fn ask<L: Layers>(&mut self, pipeline: &Arc<Pipeline<L>>, open: &Open, granted: NanoUsd, written: Tokens) {
        let beyond = |cost: NanoUsd| (cost + self.besides).saturating_sub(granted);
        let far = written.saturating_add(SLICE);
        let more = More {
            slice: self.next,
            most: beyond(estimate::most(&pipeline.catalog, &self.model, &self.facts, None)),
            enough: beyond(estimate::so_long(&pipeline.catalog, &self.model, &self.facts, far)),
        };
        self.next = self.next.saturating_add(1);
        *lock(&self.asked) = Asked::UnderWay;
        let (work, asked, admission) = (pipeline.clone(), self.asked.clone(), open.admission.clone());
        let (caller, claim) = (self.caller.clone(), self.claim.clone());
        pipeline.layers.clock().spawn(async move {
            let granted = work.layers.gateway().extend(&admission, &caller, &claim, more).await;
            *lock(&asked) = Asked::Answered(granted);
        });
    }
}

/// Nothing panics while the lock is held, so a poisoned lock guards good data all the same.
fn lock(asked: &Mutex<Asked>) -> MutexGuard<'_, Asked> {
    asked.lock().unwrap_or_else(PoisonError::into_inner)
}
