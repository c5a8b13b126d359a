//! What the function keeps in DynamoDB: the ledger, keys, the configuration and records, in one table.
//!
//! | item | `pk` | `sk` |
//! |---|---|---|
//! | a tenant's books | `ledger#<tenant>` | `books` |
//! | a reservation that is over | `reservation#<length of tenant>#<tenant>#<id>` | `reservation` |
//! | a key | `keys` | its hash |
//! | a document | `document#<name>` | `document` |
//! | a record | `shelf#<shelf>` | its key |
//! | a row of the journal | `shelf#@<tenant>` | its key; `o/<ms>/<request id>` for what is not in its chain yet |
//! | whose turn it is at a journal | `turn#<tenant>` | `turn` |
//!
//! The time to live is in `expires`, in seconds.

mod books;
mod connect;
mod documents;
mod escrow;
mod expression;
mod extend;
mod finish;
mod journal;
mod keys;
mod ledger;
mod reservations;
mod retry;
mod shelves;
mod tidy;
mod turn;
mod update;

pub use connect::{Connection, connect, create_table};
pub use documents::{Document, PutDocument};
pub(crate) use journal::EVERY as APPEND_EVERY;
pub use ledger::DynamoLedger;
pub use retry::StoreError;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;

/// An item as the client hands it over.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The table, and a client to reach it by. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) client: Client,
    pub(crate) table: String,
}

impl Store {
    /// A store on an existing table.
    pub fn new(client: Client, table: impl Into<String>) -> Store {
        Store { client, table: table.into() }
    }

    /// One tenant's limits and budgets. Keep it for the life of the process: it remembers what it saw.
    pub fn ledger(&self, tenant: impl Into<String>) -> DynamoLedger {
        DynamoLedger::new(self.clone(), tenant.into())
    }
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(crate) fn key(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

pub(crate) fn text_of(item: &Item, name: &str) -> Option<String> {
    item.get(name).and_then(|value| value.as_s().ok()).cloned()
}

pub(crate) fn number_of<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name).and_then(|value| value.as_n().ok()).and_then(|digits| digits.parse().ok())
}
