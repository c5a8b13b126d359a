//! What only a shard's ledger is asked: what it is lent, and what it has lost. See [`escrow`](super::escrow).
//!
//! The journal is the lender's. So a shard writes no record of a request whose lease ran out; it tells of the loss until it
//! hears that the record is written.

use super::command::ReservationId;
use super::escrow::{Escrow, Purse};
use super::machine::Ledger;
use super::reservation::{Hold, Reservation};
use super::rows::Key;

impl Ledger {
    /// Tells this shard what it is lent of a window; answers with its purse.
    pub fn escrow(&mut self, escrow: &Escrow) -> Purse {
        self.advance(escrow.now);
        let tally = self.tallies.get(&escrow.charge).copied().unwrap_or_default();
        let purse = self.purses.entry(escrow.charge.clone()).or_default();
        let before = purse.clone();
        purse.tell(escrow, tally.posted, tally.unconfirmed, tally.held);
        if *purse != before {
            self.dirty.insert(Key::Purse(escrow.charge.clone()));
        }
        purse.clone()
    }

    /// The reservations whose lease ran out here and whose records are still to be written down.
    pub fn losses(&self) -> impl Iterator<Item = (&ReservationId, &Hold)> {
        self.reservations.iter().filter_map(|(id, reservation)| match reservation {
            Reservation::Unconfirmed { hold, .. } if !hold.note.is_empty() => Some((id, hold)),
            Reservation::Open { .. }
            | Reservation::Unconfirmed { .. }
            | Reservation::Voided { .. }
            | Reservation::Settled { .. } => None,
        })
    }

    /// Hears that the records of these losses are written.
    pub fn told(&mut self, ids: &[ReservationId]) {
        for id in ids {
            if let Some(Reservation::Unconfirmed { hold, .. }) = self.reservations.get_mut(id) {
                hold.note.clear();
                self.dirty.insert(Key::Reservation(id.clone()));
            }
        }
    }
}
