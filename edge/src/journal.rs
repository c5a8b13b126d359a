//! A tenant's journal in its object's SQLite, on the shelf that the `Records` port reads; see [`signalbox::gateway::journal`].
//!
//! Appends happen in the turn that settles, so a settlement and its record are durable together or not at all.

use crate::shelf::{Table, rows, text};
use signalbox::gateway::journal::{Batch, Entry, Unsettled};
use signalbox::records::Write;
use signalbox::sorted::SortedMap;
use signalbox::units::Timestamp;
use worker::{SqlStorage, SqlStorageValue};

/// What one statement may bind on the platform.
const MOST_BINDINGS: usize = 100;

/// Appends entries: one statement to read, one to write for the usual few. Gives what is recorded and was never settled.
pub(crate) fn append(table: &Table, entries: Vec<Entry>, now: Timestamp) -> worker::Result<Vec<Unsettled>> {
    let batch = Batch::new(entries);
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    table.sweep(now)?;
    let keys: Vec<String> = batch.heads().into_iter().chain(batch.others()).collect();
    let stored = read(&table.sql, &keys)?;
    let appended = batch.append(now, stored);
    write(&table.sql, appended.writes)?;
    Ok(appended.unsettled)
}

fn read(sql: &SqlStorage, keys: &[String]) -> worker::Result<SortedMap<String, String>> {
    let mut stored = SortedMap::new();
    for some in keys.chunks(MOST_BINDINGS) {
        let places = vec!["?"; some.len()].join(",");
        let bindings: Vec<SqlStorageValue> = some.iter().map(|key| text(key)).collect();
        let statement = format!("SELECT key, value FROM records WHERE key IN ({places})");
        stored.extend(rows(sql, &statement, bindings)?.into_iter().map(|(key, value, _)| (key, value)));
    }
    Ok(stored)
}

/// The journal's rows have one writer, so nobody asks for their versions.
fn write(sql: &SqlStorage, writes: Vec<Write>) -> worker::Result<()> {
    let (kept, gone): (Vec<Write>, Vec<Write>) = writes.into_iter().partition(|write| write.value.is_some());
    for write in gone {
        sql.exec("DELETE FROM records WHERE key = ?", vec![text(&write.key)])?;
    }
    for some in kept.chunks(MOST_BINDINGS / 3) {
        let values = vec!["(?,?,1,?)"; some.len()].join(",");
        let bindings = some.iter().flat_map(|write| {
            let expires = write.expires_at.map_or(SqlStorageValue::Null, |at| SqlStorageValue::Integer(at.0 as i64));
            [text(&write.key), text(write.value.as_deref().unwrap_or_default()), expires]
        });
        let statement = format!("INSERT OR REPLACE INTO records (key, value, version, expires) VALUES {values}");
        sql.exec(&statement, bindings.collect::<Vec<_>>())?;
    }
    Ok(())
}
