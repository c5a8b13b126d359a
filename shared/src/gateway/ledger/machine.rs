//! The ledger as one state machine in memory: what every store's answers are held against.

use super::command::{
    Admit, Charge, Command, Denial, RateKind, Reply, Report, ReservationId, Settle, Settled,
    Standing, Verdict, Void,
};
use super::decide::{self, Books, Draw, REMEMBER_OVER, REMEMBER_UNCONFIRMED, RateKey};
use super::rate::Tat;
use super::rows::Key;
use crate::units::{Millis, NanoUsd, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How often books that can be closed are looked for.
const SWEEP: Millis = Millis(60_000);

/// The books of one tenant.
///
/// Not durable by itself: after every command (or batch) the driver takes [`Ledger::changes`] and
/// writes them in one transaction *before* it lets the answer out.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// The latest instant seen. Time does not go backwards here, whatever the clock does.
    pub(super) last: Timestamp,
    pub(super) swept: Timestamp,
    pub(super) tallies: BTreeMap<Charge, Tally>,
    pub(super) rates: BTreeMap<RateKey, Tat>,
    pub(super) reservations: BTreeMap<ReservationId, Reservation>,
    /// Open reservations by the end of their lease.
    pub(super) leases: BTreeSet<(Timestamp, ReservationId)>,
    /// The others by when they are forgotten.
    pub(super) memory: BTreeSet<(Timestamp, ReservationId)>,
    pub(super) dirty: BTreeSet<Key>,
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
}

/// What is known of a reservation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reservation {
    /// Its call is under way.
    Open { until: Timestamp, hold: Hold },
    /// Its lease ran out; the grant counts until a settlement says better.
    Unconfirmed { forget: Timestamp, hold: Hold },
    /// Its cost is posted.
    Settled {
        forget: Timestamp,
        posted: NanoUsd,
        overdraft: bool,
    },
    /// It was given back.
    Voided {
        forget: Timestamp,
        charges: Vec<Charge>,
    },
}

/// What a reservation holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hold {
    pub(super) granted: NanoUsd,
    pub(super) charges: Vec<Charge>,
    /// Draws on token rates, to be put right.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) draws: Vec<Draw>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) note: String,
}

impl Books for Ledger {
    fn spent(&self, charge: &Charge) -> NanoUsd {
        self.tallies.get(charge).map_or(NanoUsd::ZERO, Tally::spent)
    }

    fn tat(&self, key: &RateKey) -> Tat {
        self.rates.get(key).copied().unwrap_or(0)
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
            })
            .collect()
    }

    /// Makes a reservation, or says why not.
    pub fn admit(&mut self, admit: &Admit) -> Verdict {
        let now = self.advance(admit.now);
        match self.reservations.get(&admit.id) {
            Some(Reservation::Open { hold, .. }) => {
                return decide::admitted(admit, hold.granted, self, now);
            }
            Some(
                Reservation::Unconfirmed { .. }
                | Reservation::Settled { .. }
                | Reservation::Voided { .. },
            ) => {
                return Verdict::Denied(Denial::Over);
            }
            None => {}
        }
        let grant = match decide::decide(admit, self, now) {
            Ok(grant) => grant,
            Err(denial) => return Verdict::Denied(denial),
        };
        for draw in &grant.draws {
            self.set_rate(&draw.key, draw.tat);
        }
        let charges = admit.charges();
        for charge in &charges {
            self.tally(charge, |tally| tally.held += grant.amount);
        }
        let draws = grant
            .draws
            .into_iter()
            .filter(|draw| draw.key.kind == RateKind::Tokens)
            .collect();
        let hold = Hold {
            granted: grant.amount,
            charges,
            draws,
            note: admit.note.clone(),
        };
        self.enter(
            &admit.id,
            Reservation::Open {
                until: now + admit.lease,
                hold,
            },
        );
        decide::admitted(admit, grant.amount, self, now)
    }

    /// Posts what a call came to. Never refused: what was consumed is owed.
    pub fn settle(&mut self, settle: &Settle) -> Settled {
        let now = self.advance(settle.now);
        let amount = settle.amount.min(NanoUsd::MAX);
        let (held, charges) = match self.reservations.get(&settle.id).cloned() {
            Some(Reservation::Settled {
                posted, overdraft, ..
            }) => {
                return Settled {
                    posted,
                    overdraft,
                    already: true,
                };
            }
            Some(Reservation::Open { hold, .. }) => {
                if let Some(tokens) = settle.tokens {
                    self.correct(&hold.draws, tokens, now);
                }
                self.release(&hold, |tally| &mut tally.held);
                (hold.granted, hold.charges)
            }
            Some(Reservation::Unconfirmed { hold, .. }) => {
                self.release(&hold, |tally| &mut tally.unconfirmed);
                (hold.granted, hold.charges)
            }
            Some(Reservation::Voided { charges, .. }) if !charges.is_empty() => {
                (NanoUsd::ZERO, charges)
            }
            Some(Reservation::Voided { .. }) | None => (NanoUsd::ZERO, distinct(&settle.charge)),
        };
        for charge in &charges {
            self.tally(charge, |tally| tally.posted += amount);
        }
        let overdraft = amount > held;
        self.enter(
            &settle.id,
            Reservation::Settled {
                forget: now + REMEMBER_OVER,
                posted: amount,
                overdraft,
            },
        );
        Settled {
            posted: amount,
            overdraft,
            already: false,
        }
    }

    /// Gives a reservation back, also one whose lease ran out. What is settled stays so.
    ///
    /// An id not known yet is remembered as over: its admission may still be on the way.
    pub fn void(&mut self, void: &Void) -> Settled {
        let now = self.advance(void.now);
        let charges = match self.reservations.get(&void.id).cloned() {
            Some(Reservation::Settled {
                posted, overdraft, ..
            }) => {
                return Settled {
                    posted,
                    overdraft,
                    already: true,
                };
            }
            Some(Reservation::Voided { .. }) => {
                return Settled {
                    posted: NanoUsd::ZERO,
                    overdraft: false,
                    already: true,
                };
            }
            Some(Reservation::Open { hold, .. }) => {
                self.correct(&hold.draws, 0, now);
                self.release(&hold, |tally| &mut tally.held);
                hold.charges
            }
            Some(Reservation::Unconfirmed { hold, .. }) => {
                self.release(&hold, |tally| &mut tally.unconfirmed);
                hold.charges
            }
            None => Vec::new(),
        };
        self.enter(
            &void.id,
            Reservation::Voided {
                forget: now + REMEMBER_OVER,
                charges,
            },
        );
        Settled {
            posted: NanoUsd::ZERO,
            overdraft: false,
            already: false,
        }
    }

    /// The books of one scope, window by window.
    pub fn report(&mut self, report: &Report) -> Vec<Standing> {
        let now = self.advance(report.now);
        let mut standings: Vec<Standing> = self
            .tallies
            .iter()
            .filter(|(charge, tally)| charge.scope == report.scope && !closed(charge, tally, now))
            .map(|(charge, tally)| Standing {
                window: charge.window,
                posted: tally.posted,
                held: tally.held,
                unconfirmed: tally.unconfirmed,
            })
            .collect();
        standings.sort_by_key(|standing| standing.window);
        standings
    }

    /// Moves leases that have run out to unconfirmed; answers when the next one will.
    pub fn expire(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.advance(now);
        self.next_expiry()
    }

    /// When the next lease runs out: the time to set an alarm for.
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.leases.first().map(|(until, _)| *until)
    }

    /// Brings the books to `now`, or to the latest instant seen if that is later.
    fn advance(&mut self, now: Timestamp) -> Timestamp {
        self.last = self.last.max(now);
        let now = self.last;
        while let Some((until, id)) = self
            .leases
            .first()
            .filter(|(until, _)| *until <= now)
            .cloned()
        {
            self.leases.remove(&(until, id.clone()));
            if let Some(Reservation::Open { hold, .. }) = self.reservations.get(&id).cloned() {
                self.release(&hold, |tally| &mut tally.held);
                for charge in &hold.charges {
                    self.tally(charge, |tally| tally.unconfirmed += hold.granted);
                }
                self.enter(
                    &id,
                    Reservation::Unconfirmed {
                        forget: until + REMEMBER_UNCONFIRMED,
                        hold,
                    },
                );
            }
        }
        while let Some((forget, id)) = self
            .memory
            .first()
            .filter(|(forget, _)| *forget <= now)
            .cloned()
        {
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
        self.tallies.retain(|charge, tally| {
            let keep = !closed(charge, tally, now);
            if !keep {
                dirty.insert(Key::Tally(charge.clone()));
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

    fn release(&mut self, hold: &Hold, part: impl Fn(&mut Tally) -> &mut NanoUsd) {
        for charge in &hold.charges {
            self.tally(charge, |tally| {
                let part = part(tally);
                *part = part.saturating_sub(hold.granted);
            });
        }
    }

    fn correct(&mut self, draws: &[Draw], tokens: u64, now: Timestamp) {
        for draw in draws {
            // The draw is made larger or smaller as if it had been right from the start.
            let tat = self.tat(&draw.key);
            self.set_rate(
                &draw.key,
                tat.saturating_add_signed(draw.correction(tokens, now)),
            );
        }
    }

    fn tally(&mut self, charge: &Charge, change: impl FnOnce(&mut Tally)) {
        change(self.tallies.entry(charge.clone()).or_default());
        self.dirty.insert(Key::Tally(charge.clone()));
    }

    fn set_rate(&mut self, key: &RateKey, tat: Tat) {
        self.rates.insert(key.clone(), tat);
        self.dirty.insert(Key::Rate(key.clone()));
    }

    pub(super) fn enter(&mut self, id: &ReservationId, reservation: Reservation) {
        self.schedule(id, &reservation);
        self.dirty.insert(Key::Reservation(id.clone()));
        if let Some(before) = self.reservations.insert(id.clone(), reservation) {
            match before {
                Reservation::Open { until, .. } => self.leases.remove(&(until, id.clone())),
                Reservation::Unconfirmed { forget, .. }
                | Reservation::Settled { forget, .. }
                | Reservation::Voided { forget, .. } => {
                    // Unless it is due at the very instant its successor is.
                    let same = self
                        .reservations
                        .get(id)
                        .is_some_and(|now| now.forget() == Some(forget));
                    !same && self.memory.remove(&(forget, id.clone()))
                }
            };
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

impl Reservation {
    /// When it may be forgotten; an open one never.
    fn forget(&self) -> Option<Timestamp> {
        match self {
            Reservation::Open { .. } => None,
            Reservation::Unconfirmed { forget, .. }
            | Reservation::Settled { forget, .. }
            | Reservation::Voided { forget, .. } => Some(*forget),
        }
    }
}

/// Whether a window's books are closed: long past, and nothing is under way in it.
fn closed(charge: &Charge, tally: &Tally, now: Timestamp) -> bool {
    tally.held == NanoUsd::ZERO && decide::is_past(&charge.window, now)
}

fn distinct(charges: &[Charge]) -> Vec<Charge> {
    charges
        .iter()
        .cloned()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}
