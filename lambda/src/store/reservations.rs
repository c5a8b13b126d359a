//! Reservations that are over, each an item of its own: what a repeated or late command finds.

use super::ledger::DynamoLedger;
use super::retry::{StoreError, Tries};
use super::{Item, key, number, text, text_of};
use signalbox::gateway::ledger::reservation::Reservation;
use signalbox::units::Timestamp;
use std::collections::HashMap;

impl DynamoLedger {
    pub(super) fn reservation_key(&self, id: &str) -> Item {
        key(format!("reservation#{}#{}#{id}", self.tenant.len(), self.tenant), "reservation")
    }

    /// The reservation as an item; it deletes itself some time after it may be forgotten.
    pub(super) fn reservation_item(&self, id: &str, reservation: &Reservation, json: &str) -> Item {
        let forget = reservation.forget().unwrap_or(Timestamp(u64::MAX)).0;
        let mut item = self.reservation_key(id);
        item.extend(HashMap::from([
            ("s".to_owned(), text(json)),
            ("rank".to_owned(), number(reservation.rank())),
            ("forget".to_owned(), number(forget)),
            ("expires".to_owned(), number((forget / 1_000).saturating_add(1))),
        ]));
        item
    }

    /// The reservation of this id as it was written when it left the books.
    pub(super) async fn recall(&self, id: &str) -> Result<Option<String>, StoreError> {
        let mut tries = Tries::of("look a reservation up");
        loop {
            let request = self.store.client.get_item().table_name(&self.store.table);
            match request.set_key(Some(self.reservation_key(id))).consistent_read(true).send().await {
                Ok(found) => return Ok(found.item.as_ref().and_then(|item| text_of(item, "s"))),
                Err(error) => tries.again(error).await?,
            }
        }
    }

    /// Keeps a reservation that is about to leave the books, unless a later state of it is kept already.
    pub(super) async fn keep(&self, id: &str, reservation: &Reservation, now: Timestamp) -> Result<(), StoreError> {
        let mut tries = Tries::of("keep a reservation");
        let json = write(reservation);
        loop {
            let request = self
                .store
                .client
                .put_item()
                .table_name(&self.store.table)
                .set_item(Some(self.reservation_item(id, reservation, &json)))
                .condition_expression("attribute_not_exists(pk) OR #r < :r OR #f <= :now")
                .expression_attribute_names("#r", "rank")
                .expression_attribute_names("#f", "forget")
                .expression_attribute_values(":r", number(reservation.rank()))
                .expression_attribute_values(":now", number(now.0));
            match request.send().await {
                Ok(_) => return Ok(()),
                Err(error)
                    if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) =>
                {
                    return Ok(());
                }
                Err(error) => tries.again(error).await?,
            }
        }
    }
}

/// Strings, integers and lists of them: nothing here can fail to be written.
pub(super) fn write(reservation: &Reservation) -> String {
    serde_json::to_string(reservation).unwrap_or_default()
}
