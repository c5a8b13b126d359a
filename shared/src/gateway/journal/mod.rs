//! The audit journal: one record per request, chained per team, so that nothing can be left out or changed unseen.
//!
//! Every record has a number in its team, the hash of its predecessor and a hash of its own over canonical JSON. From time
//! to time the state of a chain is sealed by a signed [`checkpoint`] over a Merkle tree of the same hashes. What is written
//! is rows of text on the tenant's [`shelf`]; [`Batch`] decides which, and knows no store:
//!
//! | key | holds |
//! |---|---|
//! | `h/<team>` | the end of the chain: [`Head`] |
//! | `e/<team>/<written ms>.<number>` | a record as it is exported |
//! | `i/<request id>` | where the request's record stands, so that a repetition changes nothing |
//! | `u/<team>/<hour>/<digest>` | the sums of the records of an hour that agree in everything usage is grouped by |
//! | `c/<team>/<size>` | a signed checkpoint |
//! | `a/<team>` | how far the chain is archived: a [`Head`] |
//!
//! All rows of an append are written in one transaction, with the settlement where the store can, and only if the heads are
//! still those it was decided on. The reservation in the ledger is the intent that goes before: a call whose process ended
//! leaves an open reservation, and when its lease has run out whoever notices appends a record with the outcome `lost` that
//! costs what the ledger goes on counting. A settlement that comes later still takes the place of it: its record says which
//! one it supersedes. So the records of a budget add up to its books at any time.

mod append;
mod canonical;
mod chain;
pub mod checkpoint;
mod entry;
mod merkle;
pub(crate) mod read;
mod sums;
#[cfg(test)]
mod tests;
mod walk;

pub use append::{Appended, Batch, Unsettled, known_key, line_of};
pub use canonical::canonical;
pub use chain::{Head, Line, archived_key, head_key, line_key, line_place, line_prefix};
pub use entry::{Entry, Posting, at_shard, lent, note};
pub use merkle::{Frontier, Hash};
pub use read::{Lines, Place};
pub use sums::{Facts, Figures, GROUPS, NAMES, Sums, is_tokens, sums_prefix};
pub use walk::{Broken, Walk};

/// The shelf a tenant's journal is on. Names that begin so are kept with the tenant's ledger.
pub fn shelf(tenant: &str) -> String {
    format!("@{tenant}")
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from(if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble }));
        }
    }
    text
}
