//! One slice more for a reservation that is open: a conditional update of the books, like the one that made it.
//!
//! Whoever extends mostly made the reservation and knows how it is written, so this is one round trip. A reservation that
//! has left the books is over.

use super::ledger::{DynamoLedger, Refused, read};
use super::reservations::write;
use super::retry::{StoreError, Tries};
use super::update::slice;
use signalbox::gateway::ledger::decide;
use signalbox::gateway::ledger::reservation::Reservation;
use signalbox::gateway::ledger::{Admit, Denial, Verdict};

impl DynamoLedger {
    /// Adds a slice to an open reservation, unless it has it.
    pub(super) async fn extend(&self, admit: &Admit) -> Result<Verdict, StoreError> {
        let mut tries = Tries::of("extend a reservation");
        let (mut image, mut fresh) = (self.books(), false);
        let mut known = self.lease(&admit.id.0);
        loop {
            let now = self.now();
            let json = match (known.take(), fresh) {
                (Some(json), _) => json,
                (None, false) => {
                    (image, fresh) = (self.load().await?, true);
                    known = image.entries.get(&admit.id.0).cloned();
                    continue;
                }
                (None, true) => return Ok(Verdict::Denied(Denial::Over)),
            };
            let (until, hold) = match read(&json).and_then(|reservation| reservation.at(now)) {
                Some(Reservation::Open { until, hold }) => (until, hold),
                Some(Reservation::Unconfirmed { .. } | Reservation::Voided { .. } | Reservation::Settled { .. })
                | None => return Ok(Verdict::Denied(Denial::Over)),
            };
            let asked = admit.within(&hold);
            if admit.slice <= hold.slice {
                if !fresh {
                    (image, fresh) = (self.load().await?, true);
                    known = image.entries.get(&admit.id.0).cloned();
                    continue;
                }
                return Ok(decide::admitted(&asked, hold.granted, 0, &image, now));
            }
            let grant = match decide::decide(&asked, &image, now) {
                Ok(grant) => grant,
                Err(denial) if fresh => return Ok(Verdict::Denied(denial)),
                Err(_) => {
                    (image, fresh) = (self.load().await?, true);
                    known = image.entries.get(&admit.id.0).cloned();
                    continue;
                }
            };
            let hold = hold.extended(admit.slice, grant.amount);
            let granted = hold.granted;
            let longer = write(&Reservation::Open { until: until.max(now + admit.lease), hold: hold.clone() });
            match self.update(slice(&asked, &hold, &image, grant.amount, &json, &longer)).await {
                Ok(changed) => {
                    self.remember_lease(&admit.id.0, &longer);
                    image.merge(&changed);
                    return Ok(decide::admitted(&asked, granted, 0, &image, now));
                }
                Err(Refused::Stale(item)) => {
                    tries.reload().await?;
                    (image, fresh) = (self.look(&item), true);
                    known = image.entries.get(&admit.id.0).cloned();
                }
                // If it was carried out all the same, the slice is had when it is looked for.
                Err(Refused::Failed(error)) => {
                    tries.again(*error).await?;
                    (image, fresh) = (self.load().await?, true);
                    known = image.entries.get(&admit.id.0).cloned();
                }
            }
        }
    }
}
