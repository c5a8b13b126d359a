//! The ledger as rows of text, so that a store writes what changed and reads all of it back.

use super::command::{Charge, ReservationId};
use super::decide::RateKey;
use super::escrow::Purse;
use super::machine::{Ledger, Tally};
use super::rate::Tat;
use super::reservation::Reservation;
use serde::Serialize;
use std::fmt;

/// One row to keep under its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is about: `w…` a window, `t…` a rate, `r…` a reservation, `p…` a purse; then its name as JSON.
    pub key: String,
    /// Its content as JSON; `None` deletes the row.
    pub value: Option<String>,
}

/// A row that was not written by a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidRow {
    /// The row's key.
    pub key: String,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for InvalidRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the ledger's row {:?} cannot be read: {}", self.key, self.reason)
    }
}

impl std::error::Error for InvalidRow {}

/// What a row is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Tally(Charge),
    Rate(RateKey),
    Reservation(ReservationId),
    Purse(Charge),
}

impl Ledger {
    /// The rows that changed since the last call, to be written together.
    pub fn changes(&mut self) -> Vec<Row> {
        std::mem::take(&mut self.dirty)
            .into_iter()
            .map(|key| {
                let value = match &key {
                    Key::Tally(charge) => self.tallies.get(charge).map(json),
                    Key::Rate(rate) => self.rates.get(rate).map(json),
                    Key::Reservation(id) => self.reservations.get(id).map(json),
                    Key::Purse(charge) => self.purses.get(charge).map(json),
                };
                Row { key: key.name(), value }
            })
            .collect()
    }

    /// The books from all rows a store holds, in any order.
    pub fn load(rows: impl IntoIterator<Item = (String, String)>) -> Result<Ledger, InvalidRow> {
        let mut ledger = Ledger::new();
        for (key, value) in rows {
            ledger.read(&key, &value).map_err(|error| InvalidRow { key, reason: error.to_string() })?;
        }
        ledger.dirty.clear();
        Ok(ledger)
    }

    fn read(&mut self, key: &str, value: &str) -> Result<(), crate::json::ReadError> {
        if let Some(name) = key.strip_prefix('w') {
            self.tallies.insert(crate::json::parse(name)?, crate::json::parse::<Tally>(value)?);
        } else if let Some(name) = key.strip_prefix('t') {
            self.rates.insert(crate::json::parse(name)?, crate::json::parse::<Tat>(value)?);
        } else if let Some(name) = key.strip_prefix('r') {
            self.enter(&crate::json::parse(name)?, crate::json::parse::<Reservation>(value)?);
        } else if let Some(name) = key.strip_prefix('p') {
            self.purses.insert(crate::json::parse(name)?, crate::json::parse::<Purse>(value)?);
        } else {
            return Err(serde::de::Error::custom("keys begin with w, t, r or p"));
        }
        Ok(())
    }
}

impl Key {
    fn name(&self) -> String {
        match self {
            Key::Tally(charge) => format!("w{}", json(charge)),
            Key::Rate(rate) => format!("t{}", json(rate)),
            Key::Reservation(id) => format!("r{}", json(id)),
            Key::Purse(charge) => format!("p{}", json(charge)),
        }
    }
}

/// Strings, integers and lists of them: nothing here can fail to be written.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
