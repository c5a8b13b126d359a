//! The end of a reservation: settled or given back, wherever it is found by then.
//!
//! Nearly always it is still in the books, often as this process itself wrote it there: then the end
//! is one conditional update. A reservation that has left the books, or that nobody made, takes a
//! transaction of its own item and the books'.

use super::books::{entry_attribute, rate_attribute, spent_attribute, unconfirmed_attribute};
use super::expression::Expression;
use super::ledger::{DynamoLedger, Refused, read};
use super::reservations::write;
use super::retry::{StoreError, Tries, failed};
use super::{number, number_of, text, text_of};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{ConditionCheck, Put, TransactWriteItem, Update};
use signalbox::gateway::ledger::Settled;
use signalbox::gateway::ledger::reservation::{Change, Pot, Reservation};
use signalbox::units::Timestamp;

/// At every how many finished reservations the one who finishes tidies up.
const TIDY_EVERY: i128 = 32;
const OPERATION: &str = "finish a reservation";

/// Where a reservation was found, and how it is written there.
enum Found {
    /// In the books.
    Books(String),
    /// In an item of its own.
    Kept(String),
    Nowhere,
}

/// What came of trying to write.
enum Written {
    Yes,
    /// Somebody was faster; look again.
    Stale,
    /// It failed, or nobody knows; look again, after a pause.
    Unknown,
}

impl DynamoLedger {
    /// Carries out what `change` makes of the reservation, once.
    pub(super) async fn finish(
        &self,
        id: &str,
        change: impl Fn(Option<Reservation>, Timestamp) -> Result<Change, Settled>,
    ) -> Result<Settled, StoreError> {
        let mut tries = Tries::of(OPERATION);
        let mut hint = self.lease(id).map(Found::Books);
        let mut unknown: Option<(String, Settled)> = None;
        loop {
            let found = match hint.take() {
                Some(found) => found,
                None => self.find(id).await?,
            };
            let now = self.now();
            let known = match &found {
                Found::Books(json) | Found::Kept(json) => {
                    if let Some((_, reply)) = unknown.as_ref().filter(|(written, _)| written == json) {
                        // An earlier try was carried out after all.
                        self.forget_leases([&id.to_owned()]);
                        return Ok(reply.clone());
                    }
                    let written = read(json).ok_or_else(|| StoreError {
                        operation: OPERATION,
                        detail: format!("{json} is no reservation"),
                    })?;
                    let current = written.at(now);
                    if current.is_none() && matches!(found, Found::Books(_)) {
                        tries.reload().await?;
                        self.tidy(now).await?;
                        continue;
                    }
                    current
                }
                Found::Nowhere => None,
            };
            let change = match change(known, now) {
                Ok(change) => change,
                Err(already) => return Ok(already),
            };
            let json = write(&change.reservation);
            let written = match &found {
                Found::Books(old) => self.end_in_books(id, old, &json, &change, &mut tries).await?,
                Found::Kept(_) | Found::Nowhere => {
                    self.end_outside(id, &found, &json, &change, now, &mut tries).await?
                }
            };
            match written {
                Written::Yes => {
                    self.forget_leases([&id.to_owned()]);
                    return Ok(change.reply);
                }
                Written::Stale => tries.reload().await?,
                Written::Unknown => unknown = Some((json, change.reply)),
            }
        }
    }

    async fn find(&self, id: &str) -> Result<Found, StoreError> {
        let mut tries = Tries::of("look a reservation up");
        let in_books = loop {
            let request = self.store.client.get_item().table_name(&self.store.table).set_key(Some(self.books_key()));
            let request = request.projection_expression("#l, #t").expression_attribute_names("#l", entry_attribute(id));
            match request.expression_attribute_names("#t", "last").consistent_read(true).send().await {
                Ok(found) => break found.item.unwrap_or_default(),
                Err(error) => tries.again(error).await?,
            }
        };
        self.advance(Timestamp(number_of(&in_books, "last").unwrap_or(0)));
        // In this order: whatever leaves the books is kept outside before it does.
        Ok(match text_of(&in_books, &entry_attribute(id)) {
            Some(json) => Found::Books(json),
            None => self.recall(id).await?.map_or(Found::Nowhere, Found::Kept),
        })
    }

    async fn end_in_books(
        &self,
        id: &str,
        old: &str,
        json: &str,
        change: &Change,
        tries: &mut Tries,
    ) -> Result<Written, StoreError> {
        let mut expression = Expression::default();
        expression.require(&entry_attribute(id), "=", text(old));
        expression.set(&entry_attribute(id), text(json));
        // What is unconfirmed only by the clock is not yet counted as such in the books.
        spend(&mut expression, change);
        for (rate, by) in &change.corrections {
            expression.add(&rate_attribute(rate), i128::from(*by));
        }
        let before = read(old);
        if let Some(Reservation::Open { hold, .. }) = &before {
            for place in hold.places() {
                expression.add(&rate_attribute(&place.key), -i128::from(place.cost));
            }
        }
        let newly = matches!(before, Some(Reservation::Open { .. } | Reservation::Unconfirmed { .. }));
        if newly {
            expression.add("n", 1);
        }
        match self.update(expression).await {
            Ok(changed) => {
                let over: i128 = number_of(&changed, "n").unwrap_or(0);
                if newly && over > 0 && over % TIDY_EVERY == 0 {
                    // The settlement stands; who fails to tidy leaves it to the next one.
                    drop(self.tidy(self.now()).await);
                }
                Ok(Written::Yes)
            }
            Err(Refused::Stale(_)) => Ok(Written::Stale),
            Err(Refused::Failed(error)) => tries.again(*error).await.map(|()| Written::Unknown),
        }
    }

    async fn end_outside(
        &self,
        id: &str,
        found: &Found,
        json: &str,
        change: &Change,
        now: Timestamp,
        tries: &mut Tries,
    ) -> Result<Written, StoreError> {
        let mut books = Expression::default();
        books.require_absent(&entry_attribute(id));
        spend(&mut books, change);
        if let Some((Pot::Unconfirmed, held)) = change.from {
            for charge in &change.charges {
                books.add(&unconfirmed_attribute(charge), -i128::from(held.0));
            }
        }
        let mut own = Expression::default();
        match found {
            Found::Kept(old) => own.require("s", "=", text(old)),
            Found::Books(_) | Found::Nowhere => own.require_unless_absent("forget", "<=", number(now.0)),
        }
        let put = Put::builder()
            .table_name(&self.store.table)
            .set_item(Some(self.reservation_item(id, &change.reservation, json)))
            .set_condition_expression(own.condition())
            .set_expression_attribute_names(own.names())
            .set_expression_attribute_values(own.values())
            .build()
            .map_err(|error| failed(OPERATION, error))?;
        let request = self
            .store
            .client
            .transact_write_items()
            .transact_items(self.books_part(books)?)
            .transact_items(TransactWriteItem::builder().put(put).build());
        let error = match request.send().await {
            Ok(_) => return Ok(Written::Yes),
            Err(error) => error,
        };
        if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() {
            let reasons = cancelled.cancellation_reasons();
            if reasons.iter().any(|reason| reason.code() == Some("ConditionalCheckFailed")) {
                return Ok(Written::Stale);
            }
        }
        tries.again(error).await.map(|()| Written::Unknown)
    }

    /// The books' part in a transaction: an update, or only a condition if there is nothing to charge.
    fn books_part(&self, books: Expression) -> Result<TransactWriteItem, StoreError> {
        let item = TransactWriteItem::builder();
        Ok(match books.update() {
            Some(update) => item.update(
                Update::builder()
                    .table_name(&self.store.table)
                    .set_key(Some(self.books_key()))
                    .update_expression(update)
                    .set_condition_expression(books.condition())
                    .set_expression_attribute_names(books.names())
                    .set_expression_attribute_values(books.values())
                    .build()
                    .map_err(|error| failed(OPERATION, error))?,
            ),
            None => item.condition_check(
                ConditionCheck::builder()
                    .table_name(&self.store.table)
                    .set_key(Some(self.books_key()))
                    .set_condition_expression(books.condition())
                    .set_expression_attribute_names(books.names())
                    .build()
                    .map_err(|error| failed(OPERATION, error))?,
            ),
        }
        .build())
    }
}

/// Moves what is spent of every window: what was held goes, what was posted comes.
fn spend(expression: &mut Expression, change: &Change) {
    let part = |pot: Option<(Pot, signalbox::units::NanoUsd)>| pot.map_or(0, |(_, amount)| i128::from(amount.0));
    for charge in &change.charges {
        expression.add(&spent_attribute(charge), part(change.to) - part(change.from));
    }
}
