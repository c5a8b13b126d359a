//! Escrow: what a shard has been lent of a tenant's budgets, so that it admits by itself.
//!
//! One object, one item, takes so many writes a second. Past that a tenant's ledger lends bounded *slices* of its budgets to
//! ledgers of their own near the callers, its shards. A slice is an ordinary reservation in the lender's books, so the lender
//! needs to know nothing of shards, and what it holds for them counts in full whatever becomes of them. A shard admits as
//! much as it was lent, in its own books, without asking anybody.
//!
//! At every moment, with any message lost or repeated: what the shards' books say was spent is at most what the lender has
//! posted and holds for them, and that is at most the limit. Two orders keep it so: a slice is in the lender's books before
//! it is in the [`Purse`], and it has left the purse before the lender hears that it is over.

use super::command::{Admit, BudgetLine, Charge, ReservationId, Settle};
use crate::units::{Millis, NanoUsd, Timestamp};
use serde::{Deserialize, Serialize};

/// How long the lender holds a slice: past the end of every window but `total`, whose slices are told of in time.
const LEASE: Millis = Millis(400 * 24 * 3_600_000);

/// A part of a budget that is lent to a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// Counts a purse's slices from 0.
    pub number: u64,
    /// How much it is; of one that ended, how much of it was spent.
    pub amount: NanoUsd,
}

/// What a shard has been lent of one window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purse {
    /// What was spent of slices that ended: the lender has it in its books, or holds more.
    pub returned: NanoUsd,
    /// Slices that may be spent, oldest first.
    pub slices: Vec<Slice>,
    /// Slices that ended and whose end the lender is not known to have heard of.
    pub ended: Vec<Slice>,
    /// Those of them that nobody lent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unlent: Vec<u64>,
    /// The number of the next one.
    pub next: u64,
}

/// Tells a shard's purse what was lent and what the lender has heard; answered with the purse.
///
/// What it says may be said again. Every time, slices that are spent to their end leave the purse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escrow {
    /// Which window.
    pub charge: Charge,
    /// The time it is.
    pub now: Timestamp,
    /// The slice that was asked for under [`Purse::next`]; one of nothing was refused for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lent: Option<Slice>,
    /// Ended slices that the lender knows of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heard: Vec<u64>,
    /// Whether what is not needed is given back too.
    #[serde(default)]
    pub spare: bool,
    /// Whether what is unconfirmed counts as spent for good: whoever says so has written its losses down.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lost: bool,
}

impl Purse {
    /// The most that may stand in the shard's books.
    pub fn lent(&self) -> NanoUsd {
        self.slices.iter().fold(self.returned, |sum, slice| sum + slice.amount)
    }

    /// Whether nothing is lent, and the lender knows.
    pub fn is_over(&self) -> bool {
        self.slices.is_empty() && self.ended.is_empty()
    }

    /// Takes note of what is told, with what stands in the shard's books.
    ///
    /// A settlement of something unconfirmed that comes after it was counted as spent leaves the lender with too much in
    /// its books, until the next slice that ends here is told of as so much less.
    pub fn tell(&mut self, escrow: &Escrow, posted: NanoUsd, unconfirmed: NanoUsd, held: NanoUsd) {
        let spent = posted + unconfirmed + held;
        let posted = if escrow.lost { posted + unconfirmed } else { posted };
        if let Some(slice) = escrow.lent.filter(|slice| slice.number == self.next) {
            self.next += 1;
            self.slices.extend(Some(slice).filter(|slice| slice.amount > NanoUsd::ZERO));
        }
        self.ended.retain(|slice| !escrow.heard.contains(&slice.number));
        self.unlent.retain(|number| !escrow.heard.contains(number));
        while let Some(first) = self.slices.first()
            && posted >= self.returned + first.amount
        {
            // The last one bears what a call cost beyond its grant.
            let all = posted.saturating_sub(self.returned);
            self.end(if self.slices.len() == 1 { all } else { first.amount });
        }
        // Nothing is lent, and all the same something was spent: by a budget that only counts, or beyond a grant.
        if self.slices.is_empty() && posted > self.returned {
            self.slices.push(Slice { number: self.next, amount: NanoUsd::ZERO });
            self.unlent.push(self.next);
            self.next += 1;
            self.end(posted.saturating_sub(self.returned));
        }
        if !escrow.spare {
            return;
        }
        while let Some(last) = self.slices.last().copied()
            && spent + last.amount <= self.lent()
        {
            self.slices.pop();
            self.ended.push(Slice { amount: NanoUsd::ZERO, ..last });
        }
        // Of the one that is begun the rest can go only when nothing is under way.
        if posted == spent && !self.slices.is_empty() {
            self.end(spent.saturating_sub(self.returned));
        }
    }

    /// Ends the oldest slice, of which this much was spent.
    fn end(&mut self, spent: NanoUsd) {
        if !self.slices.is_empty() {
            let first = self.slices.remove(0);
            self.returned += spent;
            self.ended.push(Slice { amount: spent, ..first });
        }
    }

    /// What to ask the lender for the next slice: `wanted`, or at least `least` of it.
    pub fn draw(&self, shard: &str, line: &BudgetLine, wanted: NanoUsd, least: NanoUsd, now: Timestamp) -> Admit {
        let charge = Charge { scope: line.scope.clone(), window: line.window };
        Admit {
            id: slice_id(shard, &charge, self.next),
            slice: 0,
            now,
            lease: LEASE,
            most: wanted,
            least: least.min(wanted),
            budgets: vec![line.clone()],
            rates: Vec::new(),
            note: String::new(),
            escrowed: false,
            share: 0,
            calls: 0,
            enough: NanoUsd::ZERO,
        }
    }

    /// What the lender is to be told of slices that ended. One that it lent is in its books until it hears of the end; told
    /// again when that is forgotten, it must be posted nowhere.
    pub fn ends(&self, shard: &str, charge: &Charge, now: Timestamp) -> Vec<Settle> {
        let end = |slice: &Slice| Settle {
            id: slice_id(shard, charge, slice.number),
            now,
            amount: slice.amount,
            tokens: None,
            charge: if self.unlent.contains(&slice.number) { vec![charge.clone()] } else { Vec::new() },
            of: None,
        };
        self.ended.iter().map(end).collect()
    }
}

const SLICE: &str = "escrow/";

/// The reservation that a slice is in the lender's books.
fn slice_id(shard: &str, charge: &Charge, number: u64) -> ReservationId {
    ReservationId(format!("{SLICE}{shard}/{number}/{}/{}", charge.window, charge.scope))
}

/// The shard a reservation in the lender's books is a slice of; `None` for one that is a call's.
pub fn borrower(id: &ReservationId) -> Option<&str> {
    id.0.strip_prefix(SLICE)?.split('/').next()
}

/// The name of a team's shard of a tenant's ledger. No tenant's and no team's name has a `~`.
pub fn shard(tenant: &str, team: &str, number: u64) -> String {
    format!("{tenant}~{team}~{number}")
}

/// The tenant whose ledger this is, or lends to this one.
pub fn lender(ledger: &str) -> &str {
    ledger.split('~').next().unwrap_or(ledger)
}
