//! Limits and budgets: how much may this caller still spend, and what did the call come to.
//!
//! A call is *admitted* before it is made: an upper bound of its cost is reserved in every budget
//! that pays for it and its share is drawn from every rate, all or none. When it ends it is
//! *settled* with what it really cost. Nobody has to be reliable for the books to be right:
//! - a hard budget is never overspent, because what could still be billed is reserved beforehand;
//! - a reservation that nobody settles becomes *unconfirmed* when its lease runs out. It still
//!   counts: to release it would let a slow stream be paid for twice over;
//! - every command carries its reservation's id and may be repeated; nothing is counted twice;
//! - what was consumed is posted whatever happened before: after the lease, after a void, without
//!   any reservation, beyond the grant.
//!
//! [`Ledger`] is the specification: a synchronous state machine, held in memory, that reports the
//! rows it changed. Stores that share state between processes follow it by the same decision
//! and life cycle
//! ([`decide`], [`reservation`]) and are held to it by [`spec`].

pub mod allowance;
pub mod command;
pub mod decide;
pub mod escrow;
mod lending;
mod machine;
pub mod rate;
pub mod reservation;
mod rows;
mod shard;
pub mod spec;

#[cfg(test)]
mod tests;

pub use crate::window::{Period, Window};
pub use command::{
    Admission, Admit, BudgetLine, BudgetState, Charge, Command, Denial, Keep, Part, Pending, RateKind, RateLine,
    RateState, Reply, Report, ReservationId, Settle, Settled, Standing, Verdict, Void,
};
pub use machine::Ledger;
pub use rows::{InvalidRow, Row};
