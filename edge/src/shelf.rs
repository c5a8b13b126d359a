//! A shelf of records in a Durable Object's SQLite; see [`signalbox::records`].
//!
//! The object is the shelf's only owner and answers one question at a time, so a change is checked and made in one turn.

use serde::Deserialize;
use signalbox::records::{Expect, Range, Record, Write};
use signalbox::units::Timestamp;
use std::cell::Cell;
use wasm_bindgen::prelude::*;
use worker::durable::State;
use worker::worker_sys::DurableObjectState;
use worker::{SqlStorage, SqlStorageValue};

/// What is asked of a shelf, at the asker's time.
#[derive(Deserialize, serde::Serialize)]
pub(crate) struct Question {
    pub(crate) now: Timestamp,
    pub(crate) ask: Ask,
}

/// The question itself.
#[derive(Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ask {
    /// One record; answered with a list of at most one.
    Read(String),
    /// Several; answered with a list.
    List(Range),
    /// A change; answered with whether it was made.
    Write(Vec<Write>),
}

/// How often records that have expired are removed.
const SWEEP_MS: u64 = 60_000;

/// The records behind one object.
#[wasm_bindgen]
pub struct Shelf(Table);

/// The table they are in.
pub(crate) struct Table {
    pub(crate) sql: SqlStorage,
    swept: Cell<Timestamp>,
}

/// What a statement gives of each row: a key, a value and, where it asks for one, a version.
pub(crate) fn rows(
    sql: &SqlStorage,
    statement: &str,
    bindings: Vec<SqlStorageValue>,
) -> worker::Result<Vec<(String, String, u64)>> {
    let mut rows = Vec::new();
    for row in sql.exec(statement, bindings)?.raw() {
        let mut columns = row?.into_iter();
        match (columns.next(), columns.next(), columns.next()) {
            (Some(SqlStorageValue::String(key)), Some(SqlStorageValue::String(value)), version) => {
                let version = if let Some(SqlStorageValue::Integer(version)) = version { version } else { 0 };
                rows.push((key, value, version as u64));
            }
            _ => return Err("a row of the store is no text".into()),
        }
    }
    Ok(rows)
}

#[wasm_bindgen]
impl Shelf {
    /// Finds the shelf in the object's storage.
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState) -> Result<Shelf, JsError> {
        Ok(Shelf(Table::open(State::from(state).storage().sql()).map_err(js)?))
    }

    /// Answers one [`Question`], JSON in and out.
    pub fn call(&self, question: &str) -> Result<String, JsError> {
        let Question { now, ask } = signalbox::json::parse(question)?;
        let answer = match ask {
            Ask::Read(key) => serde_json::to_string(&self.0.read(&key, now).map_err(js)?),
            Ask::List(range) => serde_json::to_string(&self.0.list(&range, now).map_err(js)?),
            Ask::Write(writes) => serde_json::to_string(&self.0.write(&writes, now).map_err(js)?),
        };
        Ok(answer?)
    }
}

impl Table {
    /// Finds the table, or makes it.
    pub(crate) fn open(sql: SqlStorage) -> worker::Result<Table> {
        let table = "CREATE TABLE IF NOT EXISTS records \
            (key TEXT PRIMARY KEY, value TEXT NOT NULL, version INTEGER NOT NULL, expires INTEGER) WITHOUT ROWID";
        sql.exec(table, None)?;
        // Millions of records may wait to expire: they are found, not looked for.
        sql.exec("CREATE INDEX IF NOT EXISTS records_expire ON records (expires) WHERE expires IS NOT NULL", None)?;
        Ok(Table { sql, swept: Cell::new(Timestamp(0)) })
    }

    fn select(&self, rest: &str, bindings: Vec<SqlStorageValue>) -> worker::Result<Vec<Record>> {
        let rows = rows(&self.sql, &format!("SELECT key, value, version FROM records WHERE {rest}"), bindings)?;
        Ok(rows.into_iter().map(|(key, value, version)| Record { key, value, version }).collect())
    }

    fn read(&self, key: &str, now: Timestamp) -> worker::Result<Vec<Record>> {
        self.select("key = ? AND (expires IS NULL OR expires > ?)", vec![text(key), instant(now)])
    }

    fn list(&self, range: &Range, now: Timestamp) -> worker::Result<Vec<Record>> {
        let mut rest = "key >= ? AND key < ? AND (expires IS NULL OR expires > ?)".to_owned();
        // Nothing sorts after the last character there is.
        let mut bindings = vec![text(&range.prefix), text(&format!("{}\u{10FFFF}", range.prefix)), instant(now)];
        if let Some(after) = &range.after {
            rest.push_str(if range.descending { " AND key < ?" } else { " AND key > ?" });
            bindings.push(text(after));
        }
        rest.push_str(if range.descending { " ORDER BY key DESC LIMIT ?" } else { " ORDER BY key LIMIT ?" });
        bindings.push(SqlStorageValue::Integer(range.limit as i64));
        self.select(&rest, bindings)
    }

    fn write(&self, writes: &[Write], now: Timestamp) -> worker::Result<bool> {
        self.sweep(now)?;
        let mut versions = Vec::with_capacity(writes.len());
        for write in writes {
            let version = self.read(&write.key, now)?.first().map_or(0, |record| record.version);
            let holds = match write.expect {
                Expect::Anything => true,
                Expect::Absent => version == 0,
                Expect::Version(wanted) => version == wanted,
            };
            if !holds {
                return Ok(false);
            }
            versions.push(version);
        }
        for (write, version) in writes.iter().zip(versions) {
            match &write.value {
                Some(value) => {
                    let statement = "INSERT OR REPLACE INTO records (key, value, version, expires) VALUES (?, ?, ?, ?)";
                    let version = SqlStorageValue::Integer(version as i64 + 1);
                    let expires = write.expires_at.map_or(SqlStorageValue::Null, instant);
                    self.sql.exec(statement, vec![text(&write.key), text(value), version, expires])?;
                }
                None => drop(self.sql.exec("DELETE FROM records WHERE key = ?", vec![text(&write.key)])?),
            }
        }
        Ok(true)
    }

    /// Removes what has expired, from time to time.
    pub(crate) fn sweep(&self, now: Timestamp) -> worker::Result<()> {
        if now.since(self.swept.get()).0 >= SWEEP_MS {
            self.swept.set(now);
            self.sql.exec("DELETE FROM records WHERE expires <= ?", vec![instant(now)])?;
        }
        Ok(())
    }
}

pub(crate) fn text(text: &str) -> SqlStorageValue {
    SqlStorageValue::String(text.to_owned())
}

fn instant(at: Timestamp) -> SqlStorageValue {
    SqlStorageValue::Integer(at.0 as i64)
}

fn js(error: worker::Error) -> JsError {
    JsError::new(&error.to_string())
}
