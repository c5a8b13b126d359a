//! What a shard is lent, in its item: every change of a purse is a conditional update against the books it was decided on.

use super::books::{Image, purse_attribute, spent_attribute};
use super::expression::Expression;
use super::ledger::{DynamoLedger, Refused};
use super::retry::{StoreError, Tries};
use super::{number, text};
use signalbox::gateway::ledger::escrow::{Escrow, Purse};

impl DynamoLedger {
    /// Tells this shard what it is lent of a window; answers with its purse.
    pub async fn escrow(&self, escrow: &Escrow) -> Result<Purse, StoreError> {
        self.advance(escrow.now);
        let mut tries = Tries::of("tell a purse");
        let mut image = self.load().await?;
        loop {
            let before = image.purse(&escrow.charge);
            let (posted, held, unconfirmed) = image.sums(&escrow.charge, self.now());
            let mut purse = before.clone();
            purse.tell(escrow, posted, unconfirmed, held);
            if purse == before {
                return Ok(purse);
            }
            match self.update(change(&image, escrow, &purse)).await {
                Ok(_) => return Ok(purse),
                Err(Refused::Stale(item)) => {
                    tries.reload().await?;
                    image = self.look(&item);
                }
                // What it was told may be told again.
                Err(Refused::Failed(error)) => {
                    tries.again(*error).await?;
                    image = self.load().await?;
                }
            }
        }
    }
}

/// The update, on condition that the purse and what is spent are as they were. A reservation may have been settled at what
/// it held meanwhile: then more is posted, and a slice ends a turn later than it could.
fn change(image: &Image, escrow: &Escrow, purse: &Purse) -> Expression {
    let (ours, spent) = (purse_attribute(&escrow.charge), spent_attribute(&escrow.charge));
    let mut expression = Expression::default();
    match image.purses.get(&escrow.charge) {
        Some(json) => expression.require(&ours, "=", text(json)),
        None => expression.require_absent(&ours),
    }
    match image.spent.get(&escrow.charge) {
        Some(amount) => expression.require(&spent, "=", number(amount)),
        None => expression.require_absent(&spent),
    }
    // Strings, integers and lists of them: nothing here can fail to be written.
    expression.set(&ours, text(serde_json::to_string(purse).unwrap_or_default()));
    expression
}
