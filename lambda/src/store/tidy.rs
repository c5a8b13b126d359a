//! Keeping the books' item small: what is over moves to items of its own, what is past is dropped.
//!
//! Nobody has to do it in time, or at all for the books to be right. A reservation is first kept
//! outside and then removed from the item, provided it has not changed meanwhile: at every moment
//! it is found in one place or the other.

use super::books::{Image, entry_attribute, purse_attribute, rate_attribute, spent_attribute, unconfirmed_attribute};
use super::expression::Expression;
use super::ledger::DynamoLedger;
use super::retry::{StoreError, Tries};
use super::{number, text};
use futures_util::future::try_join_all;
use signalbox::gateway::journal::Entry;
use signalbox::gateway::ledger::decide::{RateKey, is_past, is_stale};
use signalbox::gateway::ledger::escrow::lender;
use signalbox::gateway::ledger::reservation::Reservation;
use signalbox::gateway::ledger::{Charge, RateKind, ReservationId};
use signalbox::units::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// How many things one update removes; its expression must stay under 4 kB.
const AT_ONCE: usize = 25;

impl DynamoLedger {
    /// Removes what need not be in the item. Someone else's interference ends it early and does no harm.
    pub(super) async fn tidy(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut tries = Tries::of("tidy the books");
        loop {
            let image = self.load().await?;
            let leaving: Vec<_> = image
                .written()
                .filter_map(|(id, json, written)| {
                    let leaves = !matches!(written.clone().at(now), Some(Reservation::Open { .. }));
                    leaves.then(|| (id.to_owned(), json.to_owned(), written))
                })
                .take(AT_ONCE)
                .collect();
            let mut expression = Expression::default();
            try_join_all(leaving.iter().filter_map(|(id, _, written)| {
                let current = written.clone().at(now)?;
                Some(async move { self.keep(id, &current, now).await })
            }))
            .await?;
            // Before they leave: whoever tidies next would no longer see them.
            try_join_all(leaving.iter().filter_map(|(id, _, written)| match written {
                Reservation::Open { hold, .. } => {
                    let loss = Entry::lost(&ReservationId(id.clone()), hold)?;
                    Some(async move { self.store.put_entry(lender(&self.tenant), &loss, now).await })
                }
                Reservation::Unconfirmed { .. } | Reservation::Voided { .. } | Reservation::Settled { .. } => None,
            }))
            .await?;
            let mut unconfirmed: BTreeMap<Charge, i128> = BTreeMap::new();
            let mut places: BTreeMap<RateKey, i128> = BTreeMap::new();
            let mut over = 0;
            for (id, json, written) in &leaving {
                expression.require(&entry_attribute(id), "=", text(json));
                expression.remove(&entry_attribute(id));
                match written {
                    // Forgotten or not, what it held goes on counting.
                    Reservation::Open { hold, .. } | Reservation::Unconfirmed { hold, .. } => {
                        // Only an open one holds places, and is written as such until now.
                        let open = matches!(written, Reservation::Open { .. });
                        for place in hold.places().filter(|_| open) {
                            *places.entry(place.key.clone()).or_default() += i128::from(place.cost);
                        }
                        for charge in &hold.charges {
                            *unconfirmed.entry(charge.clone()).or_default() += i128::from(hold.granted.0);
                        }
                    }
                    Reservation::Voided { .. } | Reservation::Settled { .. } => over += 1,
                }
            }
            for (charge, amount) in unconfirmed {
                expression.add(&unconfirmed_attribute(&charge), amount);
            }
            for (key, taken) in places {
                expression.add(&rate_attribute(&key), -taken);
            }
            if over > 0 {
                expression.add("n", -over);
            }
            if leaving.is_empty() {
                drop_past(&image, now, &mut expression);
            }
            let Some(update) = expression.update() else { return Ok(()) };
            let request = self.store.client.update_item().table_name(&self.store.table).set_key(Some(self.books_key()));
            let request = request.update_expression(update).set_condition_expression(expression.condition());
            let request = request
                .set_expression_attribute_names(expression.names())
                .set_expression_attribute_values(expression.values());
            match request.send().await {
                Ok(_) => self.forget_leases(leaving.iter().map(|(id, _, _)| id)),
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

/// Windows whose books are closed and rates that have refilled, unless somebody uses them just now.
fn drop_past(image: &Image, now: Timestamp, expression: &mut Expression) {
    let in_use: BTreeSet<Charge> = image
        .written()
        .filter_map(|(_, _, reservation)| match reservation {
            Reservation::Open { hold, .. } | Reservation::Unconfirmed { hold, .. } => Some(hold.charges),
            Reservation::Voided { .. } | Reservation::Settled { .. } => None,
        })
        .flatten()
        .collect();
    // What a lender still waits to hear of is not forgotten.
    let done = |charge: &Charge| !in_use.contains(charge) && image.purse(charge).is_over();
    let past = image.spent.iter().filter(|(charge, _)| is_past(&charge.window, now) && done(charge));
    for (charge, spent) in past.take(AT_ONCE / 2) {
        expression.require(&spent_attribute(charge), "=", number(spent));
        expression.remove(&spent_attribute(charge));
        expression.remove(&unconfirmed_attribute(charge));
        if image.purses.contains_key(charge) {
            expression.remove(&purse_attribute(charge));
        }
    }
    let refilled = |(rate, tat): &(&RateKey, &i128)| match rate.kind {
        RateKind::Requests | RateKind::Tokens => u64::try_from(**tat).map_or(true, |tat| is_stale(tat, now)),
        RateKind::Parallel => **tat == 0,
    };
    let stale = image.tats.iter().filter(refilled);
    for (rate, tat) in stale.take(AT_ONCE / 2) {
        expression.require(&rate_attribute(rate), "=", number(tat));
        expression.remove(&rate_attribute(rate));
    }
}
