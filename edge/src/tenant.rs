//! A tenant's Durable Object: the ledger in memory, every change in SQLite within the same turn, and the journal.
//!
//! The object is the only one who touches its ledger, one batch at a time. What a batch changes is
//! written before the answer can leave: the platform's output gate holds the answer back until the
//! write is durable, so an admission that was answered is never forgotten.

use crate::journal;
use crate::shelf::{Table, rows};
use serde::{Deserialize, Serialize};
use signalbox::gateway::journal::Entry;
use signalbox::gateway::ledger::{Command, Ledger, ReservationId, Row};
use signalbox::units::Timestamp;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;
use worker::durable::State;
use worker::worker_sys::DurableObjectState;
use worker::{SqlStorage, SqlStorageValue};

/// The class behind the binding `TENANT`.
#[wasm_bindgen]
pub struct Tenant {
    sql: SqlStorage,
    ledger: RefCell<Ledger>,
    journal: Table,
}

/// What travels to a tenant in one hop.
#[derive(Deserialize, Serialize)]
pub(crate) struct Turn {
    pub(crate) now: Timestamp,
    pub(crate) commands: Vec<Command>,
    /// Records of requests, some of whose settlements are among the commands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) entries: Vec<Entry>,
    /// To a shard: losses whose records are written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) told: Vec<ReservationId>,
    #[serde(default)]
    pub(crate) wants: Wants,
}

impl Turn {
    /// One in which nothing is asked.
    pub(crate) fn at(now: Timestamp) -> Turn {
        Turn { now, commands: Vec::new(), entries: Vec::new(), told: Vec::new(), wants: Wants::Replies }
    }
}

/// What a turn is answered with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Wants {
    /// The replies to its commands.
    #[default]
    Replies,
    /// Some of the losses of this shard, as entries.
    Losses,
    /// Settlements that never arrived at the shards of these entries, which are losses, by shard.
    Left,
}

/// What one statement may bind on the platform.
const MOST_BINDINGS: usize = 100;
/// How many losses are told at a time.
const MOST_LOSSES: usize = 100;

#[wasm_bindgen]
impl Tenant {
    /// Loads the ledger from the object's storage.
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState) -> Result<Tenant, JsError> {
        let sql = State::from(state).storage().sql();
        sql.exec("CREATE TABLE IF NOT EXISTS ledger (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID", None)
            .map_err(js)?;
        let stored = rows(&sql, "SELECT key, value FROM ledger", Vec::new()).map_err(js)?;
        let ledger = Ledger::load(stored.into_iter().map(|(key, value, _)| (key, value)))
            .map_err(|error| JsError::new(&error.to_string()))?;
        let journal = Table::open(sql.clone()).map_err(js)?;
        Ok(Tenant { sql, ledger: RefCell::new(ledger), journal })
    }

    /// Takes a [`Turn`] and gives the replies to its commands, JSON in and out. Nothing awaits in between, so it is
    /// one transaction: either all of its changes are durable or, if writing fails, `entry.mjs` drops this
    /// machine and builds it anew from what is stored.
    pub fn call(&self, turn: &str) -> Result<String, JsError> {
        let Turn { now, commands, mut entries, told, wants } = signalbox::json::parse(turn)?;
        let mut ledger = self.ledger.borrow_mut();
        let replies = ledger.apply(commands);
        ledger.told(&told);
        let lost = ledger.take_lapsed();
        let lost = lost.iter().filter_map(|(id, hold)| Entry::lost(id, hold));
        // A shard's are written down by its lender, who is told when it asks.
        entries.extend(lost.filter(|entry| entry.shard.is_none()));
        let mut at_shards = Vec::new();
        for mut left in journal::append(&self.journal, entries, now).map_err(js)? {
            match left.shard.take() {
                Some(shard) => at_shards.push((shard, left.settle(now))),
                None => drop(ledger.settle(&left.settle(now))),
            }
        }
        self.write(ledger.changes()).map_err(js)?;
        Ok(match wants {
            Wants::Replies => serde_json::to_string(&replies),
            Wants::Losses => {
                let losses = ledger.losses().filter_map(|(id, hold)| Entry::lost(id, hold));
                serde_json::to_string(&losses.take(MOST_LOSSES).collect::<Vec<_>>())
            }
            Wants::Left => serde_json::to_string(&at_shards),
        }?)
    }

    /// When the object wants to be woken if nobody calls it before, in seconds; `entry.mjs` sets its alarm.
    pub fn wake(&self) -> Option<u32> {
        self.ledger.borrow().next_wake().map(|at| u32::try_from(at.0.div_ceil(1_000)).unwrap_or(u32::MAX))
    }
}

impl Tenant {
    /// Writes changed rows, as many as possible with one statement: crossing to SQLite costs more
    /// than what it does there.
    fn write(&self, rows: Vec<Row>) -> worker::Result<()> {
        let (changed, gone): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.value.is_some());
        for some in changed.chunks(MOST_BINDINGS / 2) {
            let values = vec!["(?,?)"; some.len()].join(",");
            let bindings = some.iter().flat_map(|row| [row.key.clone(), row.value.clone().unwrap_or_default()]);
            let statement = format!("INSERT OR REPLACE INTO ledger (key, value) VALUES {values}");
            self.sql.exec(&statement, bindings.map(SqlStorageValue::String).collect::<Vec<_>>())?;
        }
        for some in gone.chunks(MOST_BINDINGS) {
            let keys = vec!["?"; some.len()].join(",");
            let bindings = some.iter().map(|row| SqlStorageValue::String(row.key.clone()));
            self.sql.exec(&format!("DELETE FROM ledger WHERE key IN ({keys})"), bindings.collect::<Vec<_>>())?;
        }
        Ok(())
    }
}

fn js(error: worker::Error) -> JsError {
    JsError::new(&error.to_string())
}
