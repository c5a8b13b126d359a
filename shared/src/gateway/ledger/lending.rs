//! What only a ledger is told that lends to processes: what their calls came to, and what they keep. See
//! [`allowance`](super::allowance).
//!
//! What was lent is a reservation like any other. Its calls are taken out of it one by one, each under its own id, and what
//! is left of it when its lease runs out is one loss for all calls nobody told of. A call that is told of all the same makes
//! that loss smaller: it is written down again, in place of the former.

use super::command::{Keep, Part, RateKind, ReservationId, Settled, Void};
use super::decide::RateKey;
use super::machine::Ledger;
use super::reservation::{Change, Hold, Pot, REMEMBER_OVER, Reservation};
use crate::units::{NanoUsd, Timestamp};

impl Ledger {
    /// Has a settlement draw on what was lent, as far as that goes.
    pub(super) fn take_part(&mut self, part: &Part, change: &mut Change, now: Timestamp) {
        let amount = change.reply.posted;
        let Some(lent) = self.reservations.get(&part.lent).cloned() else { return };
        let Some((pot, hold)) = lent.held() else { return };
        let (taken, charges) = (hold.granted.min(amount), hold.charges.clone());
        let left = Hold { granted: hold.granted.saturating_sub(taken), parts: hold.parts + amount, ..hold.clone() };
        let rest = match left.granted {
            // Where calls draw on rates, nothing of them may be left to give back; it is over when that is said.
            NanoUsd::ZERO if left.draws.is_empty() => {
                Reservation::Voided { forget: now + REMEMBER_OVER, charges: charges.clone() }
            }
            NanoUsd(_) => lent.with(left.clone()),
        };
        self.enter(&part.lent, rest);
        self.found(&part.lent, pot, left);
        let overdraft = amount > taken;
        (change.from, change.charges, change.reply.overdraft) = (Some((pot, taken)), charges, overdraft);
        if let Reservation::Settled { overdraft: noted, .. } = &mut change.reservation {
            *noted = overdraft;
        }
    }

    /// Whether not all was told of what was lent.
    pub(super) fn is_missing(&self, lent: &ReservationId) -> bool {
        self.reservations.get(lent).is_some_and(|lent| lent.held().is_some())
    }

    /// Gives back what is not kept of what was lent.
    pub(super) fn keep(&mut self, lent: &ReservationId, keep: &Keep, now: Timestamp) {
        if self.reservations.contains_key(lent) {
            self.void(&Void { id: lent.clone(), now, but: Some(keep.clone()) });
        }
    }

    /// Gives a reservation back, also one whose lease ran out. What is settled stays so.
    pub fn void(&mut self, void: &Void) -> Settled {
        let now = self.advance(void.now);
        let known = self.reservations.get(&void.id).cloned();
        let held = known.as_ref().and_then(Reservation::held).map(|(pot, hold)| (pot, hold.clone()));
        let change = Reservation::void(known, void, now);
        let kept = change.as_ref().ok().and_then(|change| change.to).map_or(NanoUsd::ZERO, |(_, kept)| kept);
        if let Some((pot, hold)) = held.filter(|_| void.but.is_some()) {
            self.found(&void.id, pot, Hold { granted: kept, ..hold });
        }
        self.carry_out(&void.id, change)
    }

    /// So much is still missing of what was written down as lost.
    fn found(&mut self, lent: &ReservationId, pot: Pot, rest: Hold) {
        match pot {
            Pot::Unconfirmed => self.lapsed.push((lent.clone(), rest)),
            Pot::Held | Pot::Posted => {}
        }
    }
}

impl Reservation {
    /// What it holds, and as what.
    fn held(&self) -> Option<(Pot, &Hold)> {
        match self {
            Reservation::Open { hold, .. } => Some((Pot::Held, hold)),
            Reservation::Unconfirmed { hold, .. } => Some((Pot::Unconfirmed, hold)),
            Reservation::Voided { .. } | Reservation::Settled { .. } => None,
        }
    }

    /// The same, holding this.
    fn with(&self, hold: Hold) -> Reservation {
        match self {
            Reservation::Open { until, .. } => Reservation::Open { until: *until, hold },
            Reservation::Unconfirmed { forget, .. } => Reservation::Unconfirmed { forget: *forget, hold },
            over @ (Reservation::Voided { .. } | Reservation::Settled { .. }) => over.clone(),
        }
    }

    /// What giving back does to one of which something is kept, money or a place; `None`: nothing is.
    pub(super) fn keep(&self, keep: &Keep, now: Timestamp) -> Option<Change> {
        let (pot, hold) = self.held()?;
        let kept = match keep.slice < hold.slice {
            // It was extended meanwhile.
            true => hold.granted,
            false => hold.granted.min(keep.most.saturating_sub(hold.parts)),
        };
        let mut left = Hold { granted: kept, ..hold.clone() };
        let corrections = match pot {
            Pot::Held => left.keep_draws(&keep.rates, now),
            // What was drawn so long ago has leaked away.
            Pot::Unconfirmed | Pot::Posted => Vec::new(),
        };
        let some = kept > NanoUsd::ZERO || (pot == Pot::Held && left.places().any(|place| place.cost > 0));
        some.then(|| Change {
            reservation: self.with(left),
            charges: hold.charges.clone(),
            from: Some((pot, hold.granted)),
            to: Some((pot, kept)),
            corrections,
            reply: Settled { posted: NanoUsd::ZERO, overdraft: false, already: false },
        })
    }
}

impl Hold {
    /// Keeps so much of each draw; answers how the rates move. A draw only ever becomes smaller, so that what was said before
    /// and comes late changes nothing.
    fn keep_draws(&mut self, kept: &[u64], now: Timestamp) -> Vec<(RateKey, i64)> {
        let mut corrections = Vec::new();
        for (draw, kept) in self.draws.iter_mut().zip(kept).filter(|(draw, kept)| **kept < draw.cost) {
            if draw.key.kind != RateKind::Parallel {
                let by = draw.correction(*kept, now);
                draw.tat = draw.tat.saturating_add_signed(by);
                corrections.push((draw.key.clone(), by));
            }
            draw.cost = *kept;
        }
        corrections
    }
}
