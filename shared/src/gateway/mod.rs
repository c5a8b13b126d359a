//! Policy: who is calling, may they, how much, what is written down.

pub mod ledger;
