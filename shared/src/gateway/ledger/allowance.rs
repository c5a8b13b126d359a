//! Allowance: what one process was lent of the budgets and rates of a few calls, so that it admits them in memory.
//!
//! A process asks its tenant's ledger for a reservation that is a bounded part of what is left of every budget and rate its
//! calls draw on, spends from it for a second and gives the rest back. It is in the lender's books before a call is admitted from
//! it, and counts there in full; so what calls may come to is reserved at any time, whatever is lost and whoever ends. What a
//! call came to is taken out of it with the call's record ([`Part`]), and how much of it is still wanted says every message
//! anew ([`Keep`]): each of them may be lost, repeated or late.
//!
//! This is the process's side, synchronous and in memory alone: it ends with the process, and with its lease the lender
//! writes down as lost what nobody told of.

use super::command::{Admission, Admit, BudgetLine, Keep, Part, RateKind, RateLine, RateState, ReservationId, Void};
use crate::sorted::SortedMap;
use crate::units::{Millis, NanoUsd, Timestamp, Tokens};

/// For so long calls are admitted from what was lent. What a denial was short of comes back as fast.
pub const LIFE: Millis = Millis(1_000);
/// Of what is left of a budget at most this part is lent at a time.
const SHARE: u64 = 16;
/// What is lent is at least for so many calls: where that is more than a share, every call is admitted by the lender.
pub const LEAST: u64 = 4;
/// And at first for so many.
const FIRST: u64 = 16;
/// Somebody who asks has an answer by then, or was ended.
const PATIENCE: Millis = Millis(1_000);
/// How soon the lender is asked again after it lent, and after it did not.
const AGAIN: Millis = Millis(50);
const REFUSED: Millis = Millis(500);

/// What a process has for calls that draw on the same budgets.
#[derive(Clone, Debug)]
pub struct Allowance {
    budgets: Vec<BudgetLine>,
    /// Each once.
    rates: Vec<RateLine>,
    /// Oldest first.
    lots: Vec<Lot>,
    /// When a call came last.
    called: Timestamp,
    /// What calls have asked for since the last lot was asked for, and how many they were.
    wanted: NanoUsd,
    calls: u64,
    /// What calls used of each rate beyond their estimates and what was lent: of the next lot it is not there.
    owed: Vec<u64>,
    /// When more may be asked for.
    again: Timestamp,
}

/// One reservation that was lent.
///
/// The lender holds at least `rest`, with what is open and what has settled and was not heard of.
#[derive(Clone, Debug)]
struct Lot {
    id: ReservationId,
    /// When it was asked for.
    at: Timestamp,
    /// When its lease ends.
    until: Timestamp,
    rest: NanoUsd,
    /// What calls came to that have settled.
    spent: NanoUsd,
    open: SortedMap<ReservationId, Open>,
    rates: Vec<Rate>,
    /// Extensions so far, and the one that was asked for last, until it was answered.
    slice: u32,
    asked: Option<(ReservationId, NanoUsd)>,
    /// Nothing is admitted from it any more; the lender has heard.
    over: bool,
    heard: bool,
}

/// A call under way: what it may come to, and what it drew from each rate.
#[derive(Clone, Debug)]
struct Open {
    granted: NanoUsd,
    costs: Vec<u64>,
}

/// What a lot has of a rate.
#[derive(Clone, Debug)]
struct Rate {
    /// As the lender told it, this lot drawn.
    state: RateState,
    rest: u64,
    /// What stays drawn: what calls drew, and of places those that they hold. With the rest it is what was lent.
    used: u64,
}

impl Rate {
    /// Puts a draw right now that a call is over; what there was too little for.
    fn settle(&mut self, cost: u64, tokens: Tokens) -> u64 {
        let actual = match self.state.kind {
            RateKind::Requests => cost,
            RateKind::Tokens => tokens,
            RateKind::Parallel => 0,
        };
        let back = cost.saturating_sub(actual);
        (self.rest, self.used) = (self.rest + back, self.used.saturating_sub(back));
        self.draw(actual.saturating_sub(cost))
    }

    /// Draws as much as there is; the rest of it.
    fn draw(&mut self, cost: u64) -> u64 {
        let drawn = cost.min(self.rest);
        (self.rest, self.used) = (self.rest - drawn, self.used + drawn);
        cost - drawn
    }
}

impl Lot {
    /// What its calls come to at the most.
    fn keep(&self) -> Keep {
        let asked = self.asked.iter().map(|(_, more)| *more);
        let most = self.open.values().map(|open| open.granted).chain(asked).fold(self.spent, |sum, one| sum + one);
        Keep { most, slice: self.slice, rates: self.rates.iter().map(|rate| rate.used).collect() }
    }

    fn serves(&self, admit: &Admit) -> bool {
        !self.over && admit.now.since(self.at) < LIFE && admit.now + admit.lease <= self.until
    }

    fn affords(&self, most: NanoUsd, costs: &[u64]) -> bool {
        self.rest >= most && self.rates.iter().zip(costs).all(|(rate, cost)| rate.rest >= *cost)
    }

    /// The rates as they stand now, as far as this process knows.
    fn states(&self) -> Vec<RateState> {
        let told = |rate: &Rate| RateState { remaining: rate.state.remaining + rate.rest, ..rate.state.clone() };
        self.rates.iter().map(told).collect()
    }
}

impl Allowance {
    /// Nothing yet, for calls that draw on the same as this one.
    pub fn new(admit: &Admit) -> Allowance {
        let never = Timestamp(0);
        let (budgets, rates) = (admit.budgets.clone(), admit.distinct_rates().cloned().collect::<Vec<_>>());
        let (lots, owed) = (Vec::new(), vec![0; rates.len()]);
        Allowance { budgets, rates, lots, called: never, wanted: NanoUsd::ZERO, calls: 0, owed, again: never }
    }

    /// What its calls draw on.
    pub fn budgets(&self) -> &[BudgetLine] {
        &self.budgets
    }

    /// And of the rates, by how much the first of them did.
    pub fn rates(&self) -> &[RateLine] {
        &self.rates
    }

    /// Whether a call draws on the same, under the same limits.
    pub fn is_for(&self, admit: &Admit) -> bool {
        let same = |(one, other): (&RateLine, &RateLine)| {
            (&one.scope, one.kind, one.per, one.limit) == (&other.scope, other.kind, other.per, other.limit)
        };
        let rates = admit.distinct_rates();
        self.budgets == admit.budgets && rates.clone().count() == self.rates.len() && rates.zip(&self.rates).all(same)
    }

    /// Whether nothing is left of it, and nobody has come for some time.
    pub fn is_idle(&self, now: Timestamp) -> bool {
        self.lots.is_empty() && now.since(self.called) > PATIENCE
    }

    /// Admits a call for all it may come to; answers what it is taken from and how the rates stand then, or `None`: the
    /// lender has to. Asked again for the same call, it answers the same.
    pub fn admit(&mut self, admit: &Admit) -> Option<(ReservationId, Vec<RateState>)> {
        if let Some(lot) = self.lots.iter().find(|lot| lot.open.get(&admit.id).is_some()) {
            return Some((lot.id.clone(), lot.states()));
        }
        (self.wanted, self.calls) = (self.wanted + admit.most, self.calls + 1);
        let costs: Vec<u64> = admit.distinct_rates().map(|line| line.cost).collect();
        let lot = self.lots.iter_mut().find(|lot| lot.serves(admit) && lot.affords(admit.most, &costs))?;
        lot.rest = lot.rest.saturating_sub(admit.most);
        for (rate, cost) in lot.rates.iter_mut().zip(&costs) {
            rate.draw(*cost);
        }
        lot.open.insert(admit.id.clone(), Open { granted: admit.most, costs });
        Some((lot.id.clone(), lot.states()))
    }

    /// What to ask the lender for under an id of its own, now that this call came: `None`, if there is enough, somebody is
    /// asking, or calls come so rarely that it would go back unused.
    pub fn draw(&mut self, admit: &Admit) -> Option<Admit> {
        let now = admit.now;
        let rare = now.since(std::mem::replace(&mut self.called, now)) >= LIFE;
        if rare || now < self.again {
            return None;
        }
        let serving = self.lots.iter().filter(|lot| lot.serves(admit));
        let fresh = serving.clone().any(|lot| now.since(lot.at) < Millis(LIFE.0 / 2));
        let rest = serving.clone().fold(NanoUsd::ZERO, |sum, lot| sum + lot.rest);
        let rests = |at: usize| serving.clone().filter_map(|lot| lot.rates.get(at)).map(|rate| rate.rest).sum::<u64>();
        let mut rates = admit.distinct_rates().enumerate();
        if fresh
            && rest >= times(LEAST, admit.most)
            && rates.all(|(at, line)| rests(at) >= line.cost.saturating_mul(LEAST))
        {
            return None;
        }
        self.again = now + PATIENCE;
        let (wanted, calls) = (std::mem::take(&mut self.wanted), std::mem::take(&mut self.calls));
        Some(Admit {
            lease: Millis(admit.lease.0.saturating_add(LIFE.0)),
            most: times(FIRST, admit.most).max(times(2, wanted)),
            least: times(LEAST, admit.most).max(NanoUsd(1)),
            share: SHARE,
            calls: FIRST.max(calls.saturating_mul(2)),
            enough: NanoUsd::ZERO,
            ..admit.clone()
        })
    }

    /// Takes what was lent; `None`: the lender had too little. An answer that came too late to be of use goes back as it is.
    pub fn lent(&mut self, draw: &Admit, granted: Option<&Admission>, now: Timestamp) {
        self.again = now + if granted.is_some() { AGAIN } else { REFUSED };
        let Some(granted) = granted else { return };
        let drawn = draw.distinct_rates().zip(&granted.rates).zip(&mut self.owed).map(|((line, state), owed)| {
            let mut rate = Rate { state: state.clone(), rest: line.cost.saturating_mul(granted.calls), used: 0 };
            *owed = rate.draw(*owed);
            rate
        });
        let rates = drawn.collect();
        self.lots.push(Lot {
            id: draw.id.clone(),
            at: draw.now,
            until: draw.now + draw.lease,
            rest: granted.granted,
            spent: NanoUsd::ZERO,
            open: SortedMap::new(),
            rates,
            slice: 0,
            asked: None,
            over: false,
            heard: false,
        });
    }

    /// Whether this was lent to it.
    pub fn has(&self, lent: &ReservationId) -> bool {
        self.lots.iter().any(|lot| lot.id == *lent)
    }

    /// Takes note of what a call came to; answers what its settlement is to say.
    pub fn settle(&mut self, lent: &ReservationId, call: &ReservationId, amount: NanoUsd, tokens: Tokens) -> Part {
        let mut keep = None;
        if let Some(lot) = self.lots.iter_mut().find(|lot| lot.id == *lent)
            && let Some(open) = lot.open.remove(call)
        {
            lot.spent += amount;
            lot.rest = (lot.rest + open.granted).saturating_sub(amount);
            for ((rate, cost), owed) in lot.rates.iter_mut().zip(&open.costs).zip(&mut self.owed) {
                *owed += rate.settle(*cost, tokens);
            }
            lot.asked.take_if(|(asking, _)| asking == call);
            keep = lot.over.then(|| lot.keep());
        }
        // The last of them says so itself.
        self.lots.retain(|lot| lot.id != *lent || !lot.over || !lot.open.is_empty());
        Part { lent: lent.clone(), keep }
    }

    /// The extension to ask the lender for, whole or not at all, when a call may come to more than was thought. `None`, while
    /// another is under way: the lender takes each number once, in their order.
    pub fn more(&mut self, lent: &ReservationId, more: &Admit) -> Option<Admit> {
        let lot = self.lots.iter_mut().find(|lot| lot.id == *lent && lot.asked.is_none())?;
        lot.slice = lot.slice.saturating_add(1);
        lot.asked = Some((more.id.clone(), more.most));
        Some(Admit { id: lot.id.clone(), slice: lot.slice, least: more.most, enough: NanoUsd::ZERO, ..more.clone() })
    }

    /// Takes note of what became of it; answers with what the call has then.
    pub fn extended(&mut self, lent: &ReservationId, call: &ReservationId, is_granted: bool) -> Option<NanoUsd> {
        let lot = self.lots.iter_mut().find(|lot| lot.id == *lent)?;
        // An answer to another call's question says nothing of this one.
        let (_, more) = lot.asked.take_if(|(asking, _)| asking == call)?;
        let open = lot.open.get_mut(call).filter(|_| is_granted)?;
        open.granted += more;
        Some(open.granted)
    }

    /// Ends what is older than it may be, or all of it, and says what to tell the lender. To be told again until it was heard.
    pub fn give_back(&mut self, all: bool, now: Timestamp) -> Vec<Void> {
        let mut told = Vec::new();
        for lot in &mut self.lots {
            // What was heard once every settlement says anew.
            if !lot.heard && (all || now.since(lot.at) >= LIFE) {
                (lot.over, lot.rest) = (true, NanoUsd::ZERO);
                told.push(Void { id: lot.id.clone(), now, but: Some(lot.keep()) });
            }
        }
        told
    }

    /// The lender has heard of these.
    pub fn heard(&mut self, told: &[Void]) {
        for lot in self.lots.iter_mut().filter(|lot| told.iter().any(|void| void.id == lot.id)) {
            lot.heard = true;
        }
        self.lots.retain(|lot| !lot.heard || !lot.open.is_empty());
    }
}

fn times(many: u64, amount: NanoUsd) -> NanoUsd {
    NanoUsd(amount.0.saturating_mul(many)).min(NanoUsd::MAX)
}
