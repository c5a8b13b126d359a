//! The ledger as one state machine in memory: what every store's answers are held against.

use super::command::{
    Admit, Charge, Command, Denial, Pending, RateKind, Reply, Report, ReservationId, Settle, Settled, Standing, Verdict,
};
use super::decide::{self, Books, Draw, RateKey};
use super::escrow::Purse;
use super::rate::Tat;
use super::reservation::{Change, Hold, Pot, REMEMBER_UNCONFIRMED, Reservation};
use super::rows::Key;
use crate::sorted::{SortedMap, SortedSet};
use crate::units::{Millis, NanoUsd, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How often books that can be closed are looked for.
const SWEEP: Millis = Millis(60_000);

/// The books of one tenant.
///
/// Not durable by itself: after every command (or batch) the driver takes [`Ledger::changes`] and
/// writes them in one transaction *before* it lets the answer out. After [`Ledger::load`] the clock
/// is that of the next command: a jump back across a restart is not noticed.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// The latest instant seen. Time does not go backwards here, whatever the clock does.
    pub(super) last: Timestamp,
    pub(super) swept: Timestamp,
    pub(super) tallies: SortedMap<Charge, Tally>,
    pub(super) rates: SortedMap<RateKey, Tat>,
    /// What was lent of each window, where this is a shard.
    pub(super) purses: SortedMap<Charge, Purse>,
    /// A tenant's traffic of as long as they are remembered: a tree.
    pub(super) reservations: BTreeMap<ReservationId, Reservation>,
    /// How many places among parallel calls the open ones hold.
    pub(super) places: SortedMap<RateKey, u64>,
    /// Open reservations by the end of their lease.
    pub(super) leases: BTreeSet<(Timestamp, ReservationId)>,
    /// The others by when they are forgotten.
    pub(super) memory: BTreeSet<(Timestamp, ReservationId)>,
    pub(super) dirty: SortedSet<Key>,
    /// Reservations whose lease has run out since they were last taken note of.
    pub(super) lapsed: Vec<(ReservationId, Hold)>,
}

/// The sums of one budget window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tally {
    #[serde(rename = "p")]
    pub(super) posted: NanoUsd,
    #[serde(rename = "h")]
    pub(super) held: NanoUsd,
    #[serde(rename = "u")]
    pub(super) unconfirmed: NanoUsd,
}

impl Tally {
    fn spent(&self) -> NanoUsd {
        self.posted + self.held + self.unconfirmed
    }

    fn pot(&mut self, pot: Pot) -> &mut NanoUsd {
        match pot {
            Pot::Posted => &mut self.posted,
            Pot::Held => &mut self.held,
            Pot::Unconfirmed => &mut self.unconfirmed,
        }
    }
}

impl Books for Ledger {
    fn spent(&self, charge: &Charge) -> NanoUsd {
        self.tallies.get(charge).map_or(NanoUsd::ZERO, Tally::spent)
    }

    fn lent(&self, charge: &Charge) -> NanoUsd {
        self.purses.get(charge).map_or(NanoUsd::ZERO, Purse::lent)
    }

    fn tat(&self, key: &RateKey) -> Tat {
        self.rates.get(key).copied().unwrap_or(0)
    }

    fn under_way(&self, key: &RateKey, _now: Timestamp) -> u64 {
        self.places.get(key).copied().unwrap_or(0)
    }
}

impl Ledger {
    /// Empty books.
    pub fn new() -> Ledger {
        Ledger::default()
    }

    /// Carries out commands in order; every one is answered.
    pub fn apply(&mut self, batch: Vec<Command>) -> Vec<Reply> {
        batch
            .into_iter()
            .map(|command| match command {
                Command::Admit(admit) => Reply::Verdict(self.admit(&admit)),
                Command::Settle(settle) => Reply::Settled(self.settle(&settle)),
                Command::Void(void) => Reply::Settled(self.void(&void)),
                Command::Report(report) => Reply::Report(self.report(&report)),
                Command::Expire(now) => Reply::Expired(self.expire(now)),
                Command::Pending(now) => Reply::Pending(self.pending(now)),
                Command::Rates(now) => Reply::Rates(self.rates(now)),
                Command::Escrow(escrow) => Reply::Purse(self.escrow(&escrow)),
            })
            .collect()
    }

    /// Makes a reservation, or says why not.
    pub fn admit(&mut self, admit: &Admit) -> Verdict {
        let now = self.advance(admit.now);
        match self.reservations.get(&admit.id) {
            Some(Reservation::Open { until, hold }) if admit.slice > 0 => {
                let (until, hold) = (*until, hold.clone());
                return self.extend(admit, until, &hold, now);
            }
            Some(Reservation::Open { hold, .. }) => {
                return decide::admitted(admit, hold.granted, admit.calls_of(&hold.draws), self, now);
            }
            Some(Reservation::Unconfirmed { .. } | Reservation::Settled { .. } | Reservation::Voided { .. }) => {
                return Verdict::Denied(Denial::Over);
            }
            None if admit.slice > 0 => return Verdict::Denied(Denial::Over),
            None => {}
        }
        let grant = match decide::decide(admit, self, now) {
            Ok(grant) => grant,
            Err(denial) => return Verdict::Denied(denial),
        };
        for draw in grant.draws.iter().filter(|draw| draw.key.kind != RateKind::Parallel) {
            self.set_rate(&draw.key, draw.tat);
        }
        let charges = admit.charges();
        self.shift(&charges, None, Some((Pot::Held, grant.amount)));
        let calls = admit.calls_of(&grant.draws);
        let draws = grant.draws.into_iter().filter(|draw| admit.keeps(draw)).collect();
        let hold =
            Hold { granted: grant.amount, slice: 0, parts: NanoUsd::ZERO, charges, draws, note: admit.note.clone() };
        self.enter(&admit.id, Reservation::Open { until: now + admit.lease, hold });
        decide::admitted(admit, grant.amount, calls, self, now)
    }

    /// Adds a slice to an open reservation, unless it has it.
    fn extend(&mut self, admit: &Admit, until: Timestamp, hold: &Hold, now: Timestamp) -> Verdict {
        let asked = admit.within(hold);
        if admit.slice <= hold.slice {
            return decide::admitted(&asked, hold.granted, 0, self, now);
        }
        let grant = match decide::decide(&asked, self, now) {
            Ok(grant) => grant,
            Err(denial) => return Verdict::Denied(denial),
        };
        let hold = hold.extended(admit.slice, grant.amount);
        let granted = hold.granted;
        self.shift(&hold.charges, None, Some((Pot::Held, grant.amount)));
        self.enter(&admit.id, Reservation::Open { until: until.max(now + admit.lease), hold });
        decide::admitted(&asked, granted, 0, self, now)
    }

    /// Posts what a call came to. Never refused: what was consumed is owed.
    pub fn settle(&mut self, settle: &Settle) -> Settled {
        let now = self.advance(settle.now);
        let known = self.reservations.get(&settle.id).cloned();
        let Some(part) = &settle.of else {
            return self.carry_out(&settle.id, Reservation::settle(known, settle, now));
        };
        // As long as something is missing of what was lent, a call that is told of late is a part of that.
        let mut change = match self.is_missing(&part.lent) {
            true => Reservation::settle(known, &Settle { now, ..settle.clone() }, now),
            false => Reservation::settle(known, settle, now),
        };
        if let Ok(change) = &mut change
            && change.from.is_none()
        {
            self.take_part(part, change, now);
        }
        let reply = self.carry_out(&settle.id, change);
        part.keep.iter().for_each(|keep| self.keep(&part.lent, keep, now));
        reply
    }

    pub(super) fn carry_out(&mut self, id: &ReservationId, change: Result<Change, Settled>) -> Settled {
        let Change { reservation, charges, from, to, corrections, reply } = match change {
            Ok(change) => change,
            Err(already) => return already,
        };
        for (key, by) in corrections {
            let tat = self.tat(&key).saturating_add_signed(by);
            self.set_rate(&key, tat);
        }
        self.shift(&charges, from, to);
        self.enter(id, reservation);
        reply
    }

    /// The books of a scope, window by window; those with nothing in them, and nothing lent, are left out.
    pub fn report(&mut self, report: &Report) -> Vec<Standing> {
        let now = self.advance(report.now);
        let charges = self.tallies.keys().chain(self.purses.keys()).filter(|charge| report.covers(&charge.scope));
        let standing = |charge: &Charge| {
            let (tally, purse) = (self.tallies.get(charge).copied().unwrap_or_default(), self.purses.get(charge));
            let used = tally.spent() > NanoUsd::ZERO && !closed(charge, &tally, now);
            (used || purse.is_some_and(|purse| !purse.is_over())).then(|| Standing {
                scope: charge.scope.clone(),
                window: charge.window,
                posted: tally.posted,
                held: tally.held,
                unconfirmed: tally.unconfirmed,
                purse: purse.cloned(),
            })
        };
        charges.collect::<SortedSet<_>>().into_iter().filter_map(standing).collect()
    }

    /// Moves leases that have run out to unconfirmed; answers when the next one will.
    pub fn expire(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.advance(now);
        self.next_expiry()
    }

    /// When to send [`Expire`](Command::Expire) if nobody calls before: as soon as a lease runs out, a minute after
    /// something can be forgotten, a day after the last look for windows that are closed.
    pub fn next_wake(&self) -> Option<Timestamp> {
        const DAY: Millis = Millis(24 * 3_600_000);
        let forget = self.memory.first().map(|(forget, _)| *forget + SWEEP);
        let closes = self.tallies.keys().any(|charge| charge.window.resets_at().is_some());
        let sweep = (closes || !self.rates.is_empty()).then_some(self.swept.max(self.last) + DAY);
        self.next_expiry().into_iter().chain(forget).chain(sweep).min()
    }

    /// When the next lease runs out.
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.leases.first().map(|(until, _)| *until)
    }

    /// The reservations that are open.
    pub fn pending(&mut self, now: Timestamp) -> Vec<Pending> {
        self.advance(now);
        let open = |(id, reservation): (&ReservationId, &Reservation)| match reservation {
            Reservation::Open { until, hold } => {
                Some(Pending { id: id.clone(), until: *until, held: hold.granted, note: hold.note.clone() })
            }
            Reservation::Unconfirmed { .. } | Reservation::Settled { .. } | Reservation::Voided { .. } => None,
        };
        self.reservations.iter().filter_map(open).collect()
    }

    /// What is drawn of the rates.
    pub fn rates(&mut self, now: Timestamp) -> Vec<Draw> {
        let now = self.advance(now);
        let rates = self.rates.iter().map(|(key, tat)| Draw::standing(key, 0, *tat));
        let places = self.places.iter().map(|(key, taken)| Draw::standing(key, *taken, 0));
        decide::standing(rates.chain(places).collect(), now)
    }

    /// The reservations whose lease has run out since the last call: their requests want a record. To be written down in
    /// the transaction that writes [`changes`](Ledger::changes).
    pub fn take_lapsed(&mut self) -> Vec<(ReservationId, Hold)> {
        std::mem::take(&mut self.lapsed)
    }

    /// Brings the books to `now`, or to the latest instant seen if that is later.
    pub(super) fn advance(&mut self, now: Timestamp) -> Timestamp {
        self.last = self.last.max(now);
        let now = self.last;
        while let Some((_, id)) = self.leases.first().filter(|(until, _)| *until <= now).cloned() {
            if let Some(Reservation::Open { until, hold }) = self.reservations.get(&id).cloned() {
                self.shift(&hold.charges, Some((Pot::Held, hold.granted)), Some((Pot::Unconfirmed, hold.granted)));
                self.lapsed.push((id.clone(), hold.clone()));
                self.enter(&id, Reservation::Unconfirmed { forget: until + REMEMBER_UNCONFIRMED, hold });
            }
        }
        while let Some((forget, id)) = self.memory.first().filter(|(forget, _)| *forget <= now).cloned() {
            self.memory.remove(&(forget, id.clone()));
            self.reservations.remove(&id);
            self.dirty.insert(Key::Reservation(id));
        }
        if self.swept + SWEEP <= now {
            self.sweep(now);
        }
        now
    }

    /// Drops what no longer tells anything: closed windows, rates that have refilled.
    fn sweep(&mut self, now: Timestamp) {
        self.swept = now;
        let dirty = &mut self.dirty;
        let purses = &self.purses;
        self.tallies.retain(|charge, tally| {
            // What a lender still waits to hear of is not forgotten.
            let keep = !closed(charge, tally, now) || purses.get(charge).is_some_and(|purse| !purse.is_over());
            if !keep {
                dirty.insert(Key::Tally(charge.clone()));
            }
            keep
        });
        self.purses.retain(|charge, purse| {
            let keep = !(decide::is_past(&charge.window, now) && purse.is_over());
            if !keep {
                dirty.insert(Key::Purse(charge.clone()));
            }
            keep
        });
        self.rates.retain(|key, tat| {
            let keep = !decide::is_stale(*tat, now);
            if !keep {
                dirty.insert(Key::Rate(key.clone()));
            }
            keep
        });
    }

    fn shift(&mut self, charges: &[Charge], from: Option<(Pot, NanoUsd)>, to: Option<(Pot, NanoUsd)>) {
        for charge in charges {
            let tally = self.tallies.entry(charge.clone()).or_default();
            if let Some((pot, amount)) = from {
                let pot = tally.pot(pot);
                *pot = pot.saturating_sub(amount);
            }
            if let Some((pot, amount)) = to {
                *tally.pot(pot) += amount;
            }
            self.dirty.insert(Key::Tally(charge.clone()));
        }
    }

    fn set_rate(&mut self, key: &RateKey, tat: Tat) {
        self.rates.insert(key.clone(), tat);
        self.dirty.insert(Key::Rate(key.clone()));
    }

    pub(super) fn enter(&mut self, id: &ReservationId, reservation: Reservation) {
        self.schedule(id, &reservation);
        if let Reservation::Open { hold, .. } = &reservation {
            hold.places().for_each(|draw| *self.places.entry(draw.key.clone()).or_default() += draw.cost);
        }
        self.dirty.insert(Key::Reservation(id.clone()));
        if let Some(before) = self.reservations.insert(id.clone(), reservation) {
            match before {
                Reservation::Open { until, hold } => {
                    hold.places().for_each(|draw| self.give_back(draw));
                    // Unless it was extended, and the lease with it no longer.
                    let same = matches!(self.reservations.get(id), Some(Reservation::Open { until: now, .. }) if *now == until);
                    !same && self.leases.remove(&(until, id.clone()))
                }
                Reservation::Unconfirmed { forget, .. }
                | Reservation::Settled { forget, .. }
                | Reservation::Voided { forget, .. } => {
                    // Unless it is due at the very instant its successor is.
                    let same = self.reservations.get(id).is_some_and(|now| now.forget() == Some(forget));
                    !same && self.memory.remove(&(forget, id.clone()))
                }
            };
        }
    }

    fn give_back(&mut self, place: &Draw) {
        if let Some(taken) = self.places.get_mut(&place.key) {
            *taken = taken.saturating_sub(place.cost);
            if *taken == 0 {
                self.places.remove(&place.key);
            }
        }
    }

    fn schedule(&mut self, id: &ReservationId, reservation: &Reservation) {
        match reservation {
            Reservation::Open { until, .. } => self.leases.insert((*until, id.clone())),
            Reservation::Unconfirmed { forget, .. }
            | Reservation::Settled { forget, .. }
            | Reservation::Voided { forget, .. } => self.memory.insert((*forget, id.clone())),
        };
    }
}

/// Whether a window's books are closed: long past, and nothing is under way in it.
fn closed(charge: &Charge, tally: &Tally, now: Timestamp) -> bool {
    tally.held == NanoUsd::ZERO && decide::is_past(&charge.window, now)
}
