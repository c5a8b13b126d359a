//! Whose turn it is to put a tenant's records into their chains: a short lease on an item of its own.
//!
//! The lease keeps processes out of each other's way and nothing more. The chains are right without it, because every
//! append is conditioned on their heads: one who takes longer than the lease lasts, or whose clock is off, is merely
//! refused. A process that ends while it has its turn costs the next one the rest of the lease.

use super::expression::Expression;
use super::retry::{StoreError, Tries};
use super::{Store, key, number, text};
use signalbox::units::{Millis, Timestamp};

/// How long the turn of one who passes by lasts: many times what it takes.
const LEASE: Millis = Millis(5_000);
/// And that of a reader, who appends all there is.
pub(super) const LONG_LEASE: Millis = Millis(30_000);

/// A turn that was taken.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    tenant: String,
    who: String,
}

impl Store {
    /// Takes the turn, unless somebody has it. Who merely passes by (`due`) also leaves it when it was had a moment ago.
    pub(super) async fn take_turn(&self, tenant: &str, now: Timestamp, due: bool) -> Result<Option<Turn>, StoreError> {
        let turn = Turn { tenant: tenant.to_owned(), who: format!("{:016x}", fastrand::u64(..)) };
        let mut tries = Tries::of("take a turn at the journal");
        loop {
            let mut expression = Expression::default();
            expression.set("who", text(&turn.who));
            expression.set("until", number((now + if due { LEASE } else { LONG_LEASE }).0));
            // It may be ours already, by an earlier try whose answer was lost.
            let (who, until) = (expression.name("who"), expression.name("until"));
            let (us, at) = (expression.value(text(&turn.who)), expression.value(number(now.0)));
            expression.require_any(format!("attribute_not_exists({until}) OR {until} <= {at} OR {who} = {us}"));
            if due {
                expression.require_unless_absent("rest", "<=", number(now.0));
            }
            if let Some(taken) = self.change_turn(tenant, &expression, &mut tries).await? {
                return Ok(taken.then_some(turn));
            }
        }
    }

    /// Gives the turn back; nobody who merely passes by takes it before `rest`. One that is kept ends by itself.
    pub(super) async fn end_turn(&self, turn: &Turn, rest: Timestamp) -> Result<(), StoreError> {
        let mut tries = Tries::of("end a turn at the journal");
        let mut expression = Expression::default();
        expression.require("who", "=", text(&turn.who));
        expression.set("rest", number(rest.0));
        expression.remove("until");
        while self.change_turn(&turn.tenant, &expression, &mut tries).await?.is_none() {}
        Ok(())
    }

    /// Whether the change was made; `None` when nobody knows and it is to be tried again.
    async fn change_turn(
        &self,
        tenant: &str,
        expression: &Expression,
        tries: &mut Tries,
    ) -> Result<Option<bool>, StoreError> {
        let request =
            self.client.update_item().table_name(&self.table).set_key(Some(key(format!("turn#{tenant}"), "turn")));
        let request = request
            .set_update_expression(expression.update())
            .set_condition_expression(expression.condition())
            .set_expression_attribute_names(expression.names())
            .set_expression_attribute_values(expression.values());
        match request.send().await {
            Ok(_) => Ok(Some(true)),
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Ok(Some(false))
            }
            Err(error) => tries.again(error).await.map(|()| None),
        }
    }
}
