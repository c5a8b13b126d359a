//! The decision itself, apart from where the books are kept: may this reservation be made, and how large.
//!
//! Also the rules every store shares about what need not be kept.

use super::allowance::LEAST;
use super::command::{
    Admission, Admit, BudgetLine, BudgetState, Charge, Denial, RateKind, RateLine, RateState, Verdict,
};
use super::rate::{self, Take, Tat};
use super::reservation::Hold;
use crate::sorted;
use crate::units::{Millis, NanoUsd, Timestamp};
use crate::window::{Period, Window};
use serde::{Deserialize, Serialize};

/// Who can be given more later is given one part in so many of what is left, unless more is wanted to begin with.
pub const PARTS: u64 = 16;

/// What names a rate in the books. The limit is no part of it: it may be changed at any time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RateKey {
    /// Whose rate.
    pub scope: String,
    /// What is counted.
    pub kind: RateKind,
    /// The span of the limit.
    pub per: Millis,
}

impl From<&RateLine> for RateKey {
    fn from(line: &RateLine) -> RateKey {
        RateKey { scope: line.scope.clone(), kind: line.kind, per: line.per }
    }
}

/// The books as a decision reads them.
pub trait Books {
    /// What is gone of a window: posted, held and unconfirmed.
    fn spent(&self, charge: &Charge) -> NanoUsd;
    /// What was lent of a window, where this is a shard.
    fn lent(&self, charge: &Charge) -> NanoUsd;
    /// A rate's theoretical arrival time, 0 if it was never drawn on.
    fn tat(&self, key: &RateKey) -> Tat;
    /// How many calls hold a place under a limit of parallel calls.
    fn under_way(&self, key: &RateKey, now: Timestamp) -> u64;
}

/// A reservation that can be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// How much is reserved in every window of [`Admit::charges`].
    pub amount: NanoUsd,
    /// What is drawn from every rate of [`Admit::distinct_rates`], in that order.
    pub draws: Vec<Draw>,
}

/// What a reservation draws from a rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// The rate.
    pub key: RateKey,
    /// Its limit when it was drawn on.
    pub limit: u64,
    /// How much was drawn.
    pub cost: u64,
    /// The arrival time after the draw; zero for a place among parallel calls.
    pub tat: Tat,
}

/// Of what stands in the books the rates that are drawn on now, by key.
pub fn standing(mut all: Vec<Draw>, now: Timestamp) -> Vec<Draw> {
    all.retain(|draw| draw.cost > 0 || draw.tat > rate::micros(now));
    sorted::sort_by(&mut all, |one, other| one.key.cmp(&other.key));
    all
}

impl Draw {
    /// What stands in the books of a rate: so many calls under way, or an arrival time.
    pub fn standing(key: &RateKey, under_way: u64, tat: Tat) -> Draw {
        Draw { key: key.clone(), limit: 0, cost: under_way, tat }
    }

    /// The rate as it stands under a limit.
    pub fn state(&self, limit: u64, now: Timestamp) -> RateState {
        let RateKey { scope, kind, per } = self.key.clone();
        match kind {
            RateKind::Requests | RateKind::Tokens => {
                rate::state(&RateLine { scope, kind, per, limit, cost: 0 }, self.tat, now)
            }
            RateKind::Parallel => RateState {
                scope,
                kind,
                per,
                limit,
                remaining: limit.saturating_sub(self.cost),
                reset_after: Millis(0),
            },
        }
    }

    /// Whether the reservation must remember it: requests that were drawn stay drawn.
    pub fn is_kept(&self) -> bool {
        match self.key.kind {
            RateKind::Requests => false,
            RateKind::Tokens | RateKind::Parallel => true,
        }
    }

    /// How to move the arrival time now that the true cost is known: forwards or (negative) back.
    ///
    /// What has leaked away since the draw cannot be given back: the bucket is empty of it already.
    pub fn correction(&self, actual: u64, now: Timestamp) -> i64 {
        let line = RateLine {
            scope: String::new(),
            kind: self.key.kind,
            per: self.key.per,
            limit: self.limit,
            cost: self.cost,
        };
        if actual >= self.cost {
            return i64::try_from(rate::advance(&line, actual - self.cost)).unwrap_or(i64::MAX);
        }
        // Rounded as the draw was, so that drawing and giving back leaves nothing behind.
        let excess = rate::advance(&line, self.cost) - rate::advance(&line, actual);
        let left = self.tat.saturating_sub(rate::micros(now));
        i64::try_from(excess.min(left)).map_or(i64::MIN, |back| -back)
    }
}

impl Admit {
    /// The windows to charge, each once.
    pub fn charges(&self) -> Vec<Charge> {
        let mut charges: Vec<Charge> = Vec::with_capacity(self.budgets.len());
        for line in &self.budgets {
            let charge = Charge { scope: line.scope.clone(), window: line.window };
            if !charges.contains(&charge) {
                charges.push(charge);
            }
        }
        charges
    }

    /// The rates to draw on, each once.
    pub fn distinct_rates(&self) -> impl Iterator<Item = &RateLine> + Clone {
        self.rates.iter().enumerate().filter_map(|(at, line)| {
            let same = |other: &RateLine| (&other.scope, other.kind, other.per) == (&line.scope, line.kind, line.per);
            (!self.rates.iter().take(at).any(same)).then_some(line)
        })
    }

    /// What an extension of this hold asks for: its windows alone, and no rate.
    pub fn within(&self, hold: &Hold) -> Admit {
        let charged = |line: &&BudgetLine| {
            hold.charges.iter().any(|charge| (&charge.scope, charge.window) == (&line.scope, line.window))
        };
        let budgets = self.budgets.iter().filter(charged).cloned().collect();
        Admit { budgets, rates: Vec::new(), ..self.clone() }
    }

    /// The smallest grant of use; a `least` above `most` asks for no more than `most`.
    pub fn least(&self) -> NanoUsd {
        self.least.min(self.most).min(NanoUsd::MAX)
    }
}

/// A place is held for as long as a call takes, and what is free of them goes round slowly: so much larger a part is lent.
const PLACES: u64 = 4;

impl Admit {
    /// The same for as many calls as every rate lends to, if a share is asked for.
    fn lent(&self, books: &impl Books, now: Timestamp) -> Result<Admit, Denial> {
        let mut calls = self.calls;
        for line in self.distinct_rates().filter(|line| line.cost > 0) {
            let state = rate_state(line, books, now);
            let share = match line.kind {
                RateKind::Requests | RateKind::Tokens => self.share,
                RateKind::Parallel => self.share / PLACES,
            };
            let room = state.remaining / share.max(1) / line.cost;
            if room < LEAST.min(self.calls) {
                return Err(Denial::Rate { rate: state, retry_after: Some(PLACE_RETRY) });
            }
            calls = calls.min(room);
        }
        let rates = self.rates.iter().map(|line| RateLine { cost: line.cost.saturating_mul(calls), ..line.clone() });
        Ok(Admit { rates: rates.collect(), ..self.clone() })
    }

    /// For how many calls these draws are, where a share was asked for.
    pub fn calls_of(&self, draws: &[Draw]) -> u64 {
        let of = |(line, draw): (&RateLine, &Draw)| draw.cost.checked_div(line.cost);
        let lends = self.share > 0;
        if lends { self.distinct_rates().zip(draws).find_map(of).unwrap_or(0) } else { 0 }
    }

    /// Whether the reservation must remember a draw: what was lent may be given back, whatever it counts.
    pub fn keeps(&self, draw: &Draw) -> bool {
        self.share > 0 || draw.is_kept()
    }
}

/// When to ask again for a place among parallel calls: nobody knows when one ends.
const PLACE_RETRY: Millis = Millis(1_000);

fn take(line: &RateLine, key: &RateKey, books: &impl Books, now: Timestamp) -> Take {
    match line.kind {
        RateKind::Requests | RateKind::Tokens => rate::take(line, books.tat(key), now),
        RateKind::Parallel if line.cost > line.limit => Take::Never,
        RateKind::Parallel if books.under_way(key, now).saturating_add(line.cost) > line.limit => {
            Take::Wait(PLACE_RETRY)
        }
        RateKind::Parallel => Take::Granted(0),
    }
}

fn rate_state(line: &RateLine, books: &impl Books, now: Timestamp) -> RateState {
    let key = RateKey::from(line);
    let (under_way, tat) = match line.kind {
        RateKind::Requests | RateKind::Tokens => (0, books.tat(&key)),
        RateKind::Parallel => (books.under_way(&key, now), 0),
    };
    Draw::standing(&key, under_way, tat).state(line.limit, now)
}

/// Whether the reservation can be made against these books. Changes nothing.
pub fn decide(admit: &Admit, books: &impl Books, now: Timestamp) -> Result<Grant, Denial> {
    let states = budget_states(admit, books);
    let left = |state: &BudgetState| {
        let remaining = state.remaining();
        let share = if admit.enough.is_zero() { admit.share.max(1) } else { PARTS };
        NanoUsd(remaining.0 / share).max(admit.enough.min(remaining))
    };
    let room = states.iter().filter(|state| state.hard).map(left).min();
    let most = admit.most.min(NanoUsd::MAX);
    let amount = room.map_or(most, |room| room.min(most));
    if amount < admit.least() {
        // A budget comes first: to wait for a rate is no use while nothing can be paid. Of the
        // budgets, the one that keeps the caller out longest.
        let short = states.into_iter().filter(|state| state.hard && left(state) < admit.least());
        let resets = |state: &BudgetState| state.window.resets_at().unwrap_or(Timestamp(u64::MAX));
        if let Some(state) = short.reduce(|last, next| if resets(&next) > resets(&last) { next } else { last }) {
            return Err(Denial::Budget(state));
        }
    }
    let lent;
    let admit = match admit.share {
        0 => admit,
        _ => {
            lent = admit.lent(books, now)?;
            &lent
        }
    };
    let mut draws = Vec::with_capacity(admit.rates.len());
    let mut refusal: Option<(Option<Millis>, &RateLine)> = None;
    for line in admit.distinct_rates() {
        let key = RateKey::from(line);
        let wait = match take(line, &key, books, now) {
            Take::Granted(tat) => {
                draws.push(Draw { key, limit: line.limit, cost: line.cost, tat });
                continue;
            }
            Take::Wait(wait) => Some(wait),
            Take::Never => None,
        };
        // Never outlasts every wait.
        let longer = refusal.as_ref().is_none_or(|(last, _)| match (last, wait) {
            (None, Some(_) | None) => false,
            (Some(_), None) => true,
            (Some(last), Some(wait)) => wait > *last,
        });
        if longer {
            refusal = Some((wait, line));
        }
    }
    match refusal {
        Some((retry_after, line)) => Err(Denial::Rate { rate: rate_state(line, books, now), retry_after }),
        None => Ok(Grant { amount, draws }),
    }
}

/// The affirmative answer, with figures read from the books after the grant was entered, for so many calls if it was lent.
pub fn admitted(admit: &Admit, granted: NanoUsd, calls: u64, books: &impl Books, now: Timestamp) -> Verdict {
    Verdict::Admitted(Admission {
        granted,
        calls,
        rates: admit.distinct_rates().map(|line| rate_state(line, books, now)).collect(),
        budgets: budget_states(admit, books),
    })
}

fn budget_states(admit: &Admit, books: &impl Books) -> Vec<BudgetState> {
    admit
        .budgets
        .iter()
        .map(|line| {
            let charge = Charge { scope: line.scope.clone(), window: line.window };
            // A budget that only counts is lent nothing: its state tells what the lender has heard of.
            let limit = match admit.escrowed {
                true if line.hard => books.lent(&charge).min(line.limit),
                true => books.lent(&charge),
                false => line.limit,
            };
            BudgetState {
                scope: line.scope.clone(),
                window: line.window,
                limit,
                spent: books.spent(&charge),
                hard: line.hard,
            }
        })
        .collect()
}

/// Whether a window ended so long ago that its books are closed: one more period, and at least a day.
pub fn is_past(window: &Window, now: Timestamp) -> bool {
    const DAY: u64 = 24 * 3_600_000;
    let kept = match window.period() {
        Period::Hour | Period::Day => DAY,
        Period::Week => 7 * DAY,
        Period::Month => 31 * DAY,
        Period::Total => return false,
    };
    window.resets_at().is_some_and(|reset| reset + Millis(kept) <= now)
}

/// Whether a rate refilled so long ago that it need not be kept: no lease can still correct it.
pub fn is_stale(tat: Tat, now: Timestamp) -> bool {
    const HOUR: Millis = Millis(3_600_000);
    tat <= rate::micros(now - HOUR)
}
