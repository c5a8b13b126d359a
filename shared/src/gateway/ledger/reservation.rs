//! The life of one reservation, apart from where it is kept: what each event makes of it, and what
//! that moves in the books.
//!
//! ```text
//!           admit                settle
//! (unknown) ─────▶ Open ─────────────────────▶ Settled
//!   │  │            │ lease ends                 ▲  ▲
//!   │  │            ▼            late settle     │  │
//!   │  │       Unconfirmed ──────────────────────┘  │
//!   │  │ void       │ void     settle all the same  │
//!   │  └───────▶ Voided ────────────────────────────┤
//!   └──────────── settle: posted where it says ─────┘
//! ```
//! Every arrow goes one way, so a store can tell the later of two records by [`Reservation::rank`].

use super::command::{Charge, RateKind, Settle, Settled, Void};
use super::decide::{Draw, RateKey};
use crate::sorted::SortedSet;
use crate::units::{Millis, NanoUsd, Timestamp, Tokens};
use serde::{Deserialize, Serialize};

/// How long a settled or voided id is remembered, so that a repetition is recognised.
pub const REMEMBER_OVER: Millis = Millis(15 * 60_000);
/// How long an unconfirmed reservation can still be put right by a late settlement.
pub const REMEMBER_UNCONFIRMED: Millis = Millis(24 * 3_600_000);

/// What is known of a reservation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reservation {
    /// Its call is under way.
    Open {
        /// When its lease runs out.
        until: Timestamp,
        /// What it holds.
        hold: Hold,
    },
    /// Its lease ran out; the grant counts until a settlement says better.
    Unconfirmed {
        /// When a settlement is no longer expected.
        forget: Timestamp,
        /// What it still holds.
        hold: Hold,
    },
    /// It was given back.
    Voided {
        /// When it is forgotten.
        forget: Timestamp,
        /// Where a settlement that comes all the same is posted.
        charges: Vec<Charge>,
    },
    /// Its cost is posted.
    Settled {
        /// When it is forgotten.
        forget: Timestamp,
        /// What was posted.
        posted: NanoUsd,
        /// Whether that was more than was held.
        overdraft: bool,
    },
}

/// What a reservation holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// How much, in every one of `charges`, with all slices.
    pub granted: NanoUsd,
    /// The last slice that was granted.
    #[serde(default, skip_serializing_if = "is_first")]
    pub slice: u32,
    /// Of one that was lent: what calls have come to that were taken out of it. No part of what is granted any more.
    #[serde(default, skip_serializing_if = "NanoUsd::is_zero")]
    pub parts: NanoUsd,
    /// The windows that pay, each once.
    pub charges: Vec<Charge>,
    /// The draws on token rates, to be put right, and the places among parallel calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub draws: Vec<Draw>,
    /// The caller's note.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

fn is_first(slice: &u32) -> bool {
    *slice == 0
}

/// The three parts of what is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pot {
    /// Settled.
    Posted,
    /// Reserved, its lease alive.
    Held,
    /// Reserved, its lease over.
    Unconfirmed,
}

/// What an event does: to the reservation, to the books, and the answer to give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The reservation afterwards.
    pub reservation: Reservation,
    /// The windows whose sums change, each in the same way.
    pub charges: Vec<Charge>,
    /// Taken out of each.
    pub from: Option<(Pot, NanoUsd)>,
    /// Put into each.
    pub to: Option<(Pot, NanoUsd)>,
    /// How token rates move, in microseconds of arrival time.
    pub corrections: Vec<(RateKey, i64)>,
    /// What to answer.
    pub reply: Settled,
}

impl Reservation {
    /// The reservation as of `now`: leases end and the dead are forgotten (`None`) by time alone.
    pub fn at(self, now: Timestamp) -> Option<Reservation> {
        let current = match self {
            Reservation::Open { until, hold } if until <= now => {
                Reservation::Unconfirmed { forget: until + REMEMBER_UNCONFIRMED, hold }
            }
            other @ (Reservation::Open { .. }
            | Reservation::Unconfirmed { .. }
            | Reservation::Voided { .. }
            | Reservation::Settled { .. }) => other,
        };
        current.forget().is_none_or(|forget| now < forget).then_some(current)
    }

    /// When it may be forgotten; an open one never.
    pub fn forget(&self) -> Option<Timestamp> {
        match self {
            Reservation::Open { .. } => None,
            Reservation::Unconfirmed { forget, .. }
            | Reservation::Voided { forget, .. }
            | Reservation::Settled { forget, .. } => Some(*forget),
        }
    }

    /// Grows with every event of a reservation's life.
    pub fn rank(&self) -> u8 {
        match self {
            Reservation::Open { .. } => 0,
            Reservation::Unconfirmed { .. } => 1,
            Reservation::Voided { .. } => 2,
            Reservation::Settled { .. } => 3,
        }
    }

    /// What a settlement does to what is known of its reservation; `Err` is the answer of one that
    /// came before. Never refused: what was consumed is owed.
    pub fn settle(known: Option<Reservation>, settle: &Settle, now: Timestamp) -> Result<Change, Settled> {
        let amount = settle.amount.min(NanoUsd::MAX);
        let (from, charges, corrections) = match known {
            Some(Reservation::Settled { posted, overdraft, .. }) => {
                return Err(Settled { posted, overdraft, already: true });
            }
            Some(Reservation::Open { hold, .. }) => {
                let corrections = settle.tokens.map_or_else(Vec::new, |tokens| hold.corrections(tokens, now));
                (Some((Pot::Held, hold.granted)), hold.charges, corrections)
            }
            Some(Reservation::Unconfirmed { hold, .. }) => {
                (Some((Pot::Unconfirmed, hold.granted)), hold.charges, Vec::new())
            }
            Some(Reservation::Voided { charges, .. }) if !charges.is_empty() => (None, charges, Vec::new()),
            // It comes again when nobody remembers it any more: what it says was posted, or counts as unconfirmed.
            None if settle.now + REMEMBER_OVER <= now => {
                return Err(Settled { posted: NanoUsd::ZERO, overdraft: false, already: true });
            }
            Some(Reservation::Voided { .. }) | None => {
                let distinct: SortedSet<&Charge> = settle.charge.iter().collect();
                (None, distinct.into_iter().cloned().collect(), Vec::new())
            }
        };
        let overdraft = amount > from.map_or(NanoUsd::ZERO, |(_, held)| held);
        Ok(Change {
            reservation: Reservation::Settled { forget: now + REMEMBER_OVER, posted: amount, overdraft },
            charges,
            from,
            to: Some((Pot::Posted, amount)),
            corrections,
            reply: Settled { posted: amount, overdraft, already: false },
        })
    }

    /// What giving a reservation back does; `Err` is the answer where it is over already.
    ///
    /// An id not known yet is remembered as over: its admission may still be on the way. What was lent stays open with what
    /// is kept of it.
    pub fn void(known: Option<Reservation>, void: &Void, now: Timestamp) -> Result<Change, Settled> {
        if let (Some(known), Some(keep)) = (&known, &void.but)
            && let Some(change) = known.keep(keep, now)
        {
            return Ok(change);
        }
        let (from, charges, corrections) = match known {
            Some(Reservation::Settled { posted, overdraft, .. }) => {
                return Err(Settled { posted, overdraft, already: true });
            }
            Some(Reservation::Voided { .. }) => {
                return Err(Settled { posted: NanoUsd::ZERO, overdraft: false, already: true });
            }
            Some(Reservation::Open { hold, .. }) => {
                let corrections = hold.returned(void.but.as_ref().map_or(&[][..], |keep| &keep.rates), now);
                (Some((Pot::Held, hold.granted)), hold.charges, corrections)
            }
            Some(Reservation::Unconfirmed { hold, .. }) => {
                (Some((Pot::Unconfirmed, hold.granted)), hold.charges, Vec::new())
            }
            None => (None, Vec::new(), Vec::new()),
        };
        Ok(Change {
            reservation: Reservation::Voided { forget: now + REMEMBER_OVER, charges: charges.clone() },
            charges,
            from,
            to: None,
            corrections,
            reply: Settled { posted: NanoUsd::ZERO, overdraft: false, already: false },
        })
    }
}

impl Hold {
    /// This hold with one slice more of this size.
    pub fn extended(&self, slice: u32, by: NanoUsd) -> Hold {
        Hold { granted: (self.granted + by).min(NanoUsd::MAX), slice, ..self.clone() }
    }

    fn corrections(&self, tokens: Tokens, now: Timestamp) -> Vec<(RateKey, i64)> {
        let counted = self.draws.iter().filter(|draw| draw.key.kind == RateKind::Tokens);
        counted.map(|draw| (draw.key.clone(), draw.correction(tokens, now))).collect()
    }

    /// What giving it back corrects, but for so much of each draw. Requests are only remembered where they were lent.
    fn returned(&self, kept: &[u64], now: Timestamp) -> Vec<(RateKey, i64)> {
        let kept = kept.iter().copied().chain(std::iter::repeat(0));
        let counted = self.draws.iter().zip(kept).filter(|(draw, _)| draw.key.kind != RateKind::Parallel);
        counted.map(|(draw, kept)| (draw.key.clone(), draw.correction(kept.min(draw.cost), now))).collect()
    }

    /// The places among parallel calls it holds while it is open.
    pub fn places(&self) -> impl Iterator<Item = &Draw> {
        self.draws.iter().filter(|draw| draw.key.kind == RateKind::Parallel)
    }
}
