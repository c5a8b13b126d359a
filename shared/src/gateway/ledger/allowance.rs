//! Allowance: what one process was lent of the budgets of a few calls, so that it admits them in memory.
//!
//! A process asks its tenant's ledger for a reservation that is a bounded part of what is left of every budget its calls
//! draw on, spends from it for a second and gives the rest back. It is in the lender's books before a call is admitted from
//! it, and counts there in full; so what calls may come to is reserved at any time, whatever is lost and whoever ends. What a
//! call came to is taken out of it with the call's record ([`Part`]), and how much of it is still wanted says every message
//! anew ([`Keep`]): each of them may be lost, repeated or late.
//!
//! This is the process's side, synchronous and in memory alone: it ends with the process, and with its lease the lender
//! writes down as lost what nobody told of.

use super::command::{Admit, BudgetLine, Keep, Part, ReservationId, Void};
use crate::sorted::SortedMap;
use crate::units::{Millis, NanoUsd, Timestamp};

/// For so long calls are admitted from what was lent. Money that a denial was short of comes back as fast.
pub const LIFE: Millis = Millis(1_000);
/// Of what is left of a budget at most this part is lent at a time.
const SHARE: u64 = 16;
/// What is lent is at least for so many calls: where that is more than a share, every call is admitted by the lender.
const LEAST: u64 = 4;
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
    /// Oldest first.
    lots: Vec<Lot>,
    /// When a call came last.
    called: Timestamp,
    /// What calls have asked for since the last lot was asked for.
    wanted: NanoUsd,
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
    open: SortedMap<ReservationId, NanoUsd>,
    /// Extensions so far, and the one that was asked for last, until it was answered.
    slice: u32,
    asked: Option<(ReservationId, NanoUsd)>,
    /// Nothing is admitted from it any more; the lender has heard.
    over: bool,
    heard: bool,
}

impl Lot {
    /// What its calls come to at the most.
    fn keep(&self) -> Keep {
        let asked = self.asked.iter().map(|(_, more)| more);
        let most = self.open.values().chain(asked).fold(self.spent, |sum, granted| sum + *granted);
        Keep { most, slice: self.slice }
    }

    fn serves(&self, admit: &Admit) -> bool {
        !self.over && admit.now.since(self.at) < LIFE && admit.now + admit.lease <= self.until
    }
}

impl Allowance {
    /// Nothing yet, for calls that draw on these budgets.
    pub fn new(budgets: Vec<BudgetLine>) -> Allowance {
        let never = Timestamp(0);
        Allowance { budgets, lots: Vec::new(), called: never, wanted: NanoUsd::ZERO, again: never }
    }

    /// What its calls draw on.
    pub fn budgets(&self) -> &[BudgetLine] {
        &self.budgets
    }

    /// Whether nothing is left of it, and nobody has come for some time.
    pub fn is_idle(&self, now: Timestamp) -> bool {
        self.lots.is_empty() && now.since(self.called) > PATIENCE
    }

    /// Admits a call for all it may come to; answers what it is taken from, or `None`: the lender has to. Asked again for
    /// the same call, it answers the same.
    pub fn admit(&mut self, admit: &Admit) -> Option<ReservationId> {
        if let Some(lot) = self.lots.iter().find(|lot| lot.open.get(&admit.id).is_some()) {
            return Some(lot.id.clone());
        }
        self.wanted += admit.most;
        let lot = self.lots.iter_mut().find(|lot| lot.serves(admit) && lot.rest >= admit.most)?;
        lot.rest = lot.rest.saturating_sub(admit.most);
        lot.open.insert(admit.id.clone(), admit.most);
        Some(lot.id.clone())
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
        let rest = serving.fold(NanoUsd::ZERO, |sum, lot| sum + lot.rest);
        if fresh && rest >= times(LEAST, admit.most) {
            return None;
        }
        self.again = now + PATIENCE;
        let wanted = std::mem::take(&mut self.wanted);
        Some(Admit {
            lease: Millis(admit.lease.0.saturating_add(LIFE.0)),
            most: times(FIRST, admit.most).max(times(2, wanted)),
            least: times(LEAST, admit.most).max(NanoUsd(1)),
            share: SHARE,
            ..admit.clone()
        })
    }

    /// Takes what was lent; `None`: the lender had too little. An answer that came too late to be of use goes back as it is.
    pub fn lent(&mut self, draw: &Admit, granted: Option<NanoUsd>, now: Timestamp) {
        self.again = now + if granted.is_some() { AGAIN } else { REFUSED };
        self.lots.extend(granted.map(|rest| Lot {
            id: draw.id.clone(),
            at: draw.now,
            until: draw.now + draw.lease,
            rest,
            spent: NanoUsd::ZERO,
            open: SortedMap::new(),
            slice: 0,
            asked: None,
            over: false,
            heard: false,
        }));
    }

    /// Whether this was lent to it.
    pub fn has(&self, lent: &ReservationId) -> bool {
        self.lots.iter().any(|lot| lot.id == *lent)
    }

    /// Takes note of what a call came to; answers what its settlement is to say.
    pub fn settle(&mut self, lent: &ReservationId, call: &ReservationId, amount: NanoUsd) -> Part {
        let mut keep = None;
        if let Some(lot) = self.lots.iter_mut().find(|lot| lot.id == *lent)
            && let Some(granted) = lot.open.remove(call)
        {
            lot.spent += amount;
            lot.rest = (lot.rest + granted).saturating_sub(amount);
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
        Some(Admit { id: lot.id.clone(), slice: lot.slice, least: more.most, ..more.clone() })
    }

    /// Takes note of what became of it; answers with what the call has then.
    pub fn extended(&mut self, lent: &ReservationId, call: &ReservationId, is_granted: bool) -> Option<NanoUsd> {
        let lot = self.lots.iter_mut().find(|lot| lot.id == *lent)?;
        // An answer to another call's question says nothing of this one.
        let (_, more) = lot.asked.take_if(|(asking, _)| asking == call)?;
        let granted = lot.open.get_mut(call).filter(|_| is_granted)?;
        *granted += more;
        Some(*granted)
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
