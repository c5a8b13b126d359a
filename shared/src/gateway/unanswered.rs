//! An admission whose answer nobody waits for any more.

use super::denial;
use super::ledger::{ReservationId, Settle};
use crate::ports::Ports;
use crate::units::NanoUsd;

/// An admission under way. Dropped without an answer (the caller left, the store failed and may have
/// done it all the same), it settles the reservation at nothing:
/// whichever of the two arrives first, the ledger ends with no room taken.
pub(super) struct Unanswered<P: Ports> {
    waiting: Option<(P, String, ReservationId)>,
}

impl<P: Ports> Unanswered<P> {
    /// One that was asked of this ledger.
    pub(super) fn new(ports: P, ledger: String, id: ReservationId) -> Unanswered<P> {
        Unanswered { waiting: Some((ports, ledger, id)) }
    }

    pub(super) fn answered(mut self) {
        self.waiting = None;
    }
}

impl<P: Ports> Drop for Unanswered<P> {
    fn drop(&mut self) {
        let Some((ports, ledger, id)) = self.waiting.take() else { return };
        let spawner = ports.clone();
        spawner.spawn(async move {
            let now = ports.now();
            let settle = Settle { id, now, amount: NanoUsd::ZERO, tokens: Some(0), charge: Vec::new(), of: None };
            if let Err(problem) = ports.settle(&ledger, settle).await {
                ports.log(&denial::store_line("settle", &problem));
            }
        });
    }
}
