//! The updates of the books that make a reservation or add to it, with the conditions that make good what was decided.

use super::books::{Image, entry_attribute, purse_attribute, rate_attribute, spent_attribute};
use super::expression::Expression;
use super::{number, text};
use signalbox::gateway::ledger::decide::{Books, Grant};
use signalbox::gateway::ledger::rate::{advance, micros, span};
use signalbox::gateway::ledger::reservation::Hold;
use signalbox::gateway::ledger::{Admit, Charge, RateKind};
use signalbox::units::{Millis, NanoUsd, Timestamp};

/// How far two processes' clocks may differ before the one behind is held to the other.
const SKEW: Millis = Millis(1_000);

/// The update that makes a reservation, on condition that it still can be made.
pub(super) fn reservation(admit: &Admit, grant: &Grant, image: &Image, json: &str, now: Timestamp) -> Expression {
    let mut expression = Expression::default();
    expression.require_absent(&entry_attribute(&admit.id.0));
    expression.set(&entry_attribute(&admit.id.0), text(json));
    expression.require_unless_absent("last", "<=", number((now + SKEW).0));
    expression.set("last", number(now.0));
    afford(&mut expression, admit, image, grant.amount);
    for charge in admit.charges() {
        expression.add(&spent_attribute(&charge), i128::from(grant.amount.0));
    }
    for (line, draw) in admit.distinct_rates().zip(&grant.draws) {
        let (attribute, now) = (rate_attribute(&draw.key), micros(now));
        if draw.key.kind == RateKind::Parallel {
            expression.require_unless_absent(&attribute, "<=", number(line.limit.saturating_sub(line.cost)));
            expression.add(&attribute, i128::from(line.cost));
            continue;
        }
        let by = advance(line, line.cost);
        if image.tat(&draw.key) <= now {
            expression.require_unless_absent(&attribute, "<=", number(now));
            expression.set(&attribute, number(draw.tat));
        } else {
            expression.require(&attribute, ">", number(now));
            expression.require(&attribute, "<=", number(now.saturating_add(span(line)).saturating_sub(by)));
            expression.add(&attribute, i128::from(by));
        }
    }
    expression
}

/// Requires that every hard budget still affords the amount; of a shard, that it was not given back meanwhile what affords it.
fn afford(expression: &mut Expression, admit: &Admit, image: &Image, amount: NanoUsd) {
    // Something was granted, so it fits; an overdrawn budget still admits what costs nothing.
    for line in admit.budgets.iter().filter(|line| line.hard && amount > NanoUsd::ZERO) {
        let charge = Charge { scope: line.scope.clone(), window: line.window };
        let mut limit = line.limit;
        if admit.escrowed {
            limit = limit.min(image.lent(&charge));
            // Where nothing was lent nothing is granted.
            let purse = image.purses.get(&charge).cloned().unwrap_or_default();
            expression.require(&purse_attribute(&charge), "=", text(purse));
        }
        expression.require_unless_absent(&spent_attribute(&charge), "<=", number(limit.saturating_sub(amount).0));
    }
}

/// The update that adds a slice to a reservation, `old` as it is written, on condition that it still can be added.
pub(super) fn slice(asked: &Admit, hold: &Hold, image: &Image, amount: NanoUsd, old: &str, new: &str) -> Expression {
    let mut expression = Expression::default();
    expression.require(&entry_attribute(&asked.id.0), "=", text(old));
    expression.set(&entry_attribute(&asked.id.0), text(new));
    afford(&mut expression, asked, image, amount);
    for charge in &hold.charges {
        expression.add(&spent_attribute(charge), i128::from(amount.0));
    }
    expression
}
