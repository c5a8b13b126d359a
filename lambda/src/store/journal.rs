//! A tenant's journal in the table; see [`signalbox::gateway::journal`].
//!
//! A function cannot wait in line for the end of its team's chain: a hundred of them at once would mostly write in vain. So
//! a record is first put down as it is, in an item of its own that nobody contends for, and only then the ledger is settled.
//! Putting records into their chains is done for several at a time, by whoever ends a request a while after it was last
//! done, and before anybody reads the journal. Who meets another at it leaves it to them.
//!
//! A function that ends between the two writes leaves a record and an open reservation. When its lease runs out a loss is
//! put down beside it; who then finds the record there settles what it says.

use super::retry::{StoreError, Tries};
use super::shelves::partition;
use super::{Store, key, text};
use futures_util::future::try_join_all;
use signalbox::gateway::journal::{Batch, Entry, Unsettled, shelf};
use signalbox::records::{Expect, Range, Write};
use signalbox::units::{Millis, Timestamp};
use std::collections::BTreeMap;

/// How often a process puts records into their chains.
pub(crate) const EVERY: Millis = Millis(1_000);
/// How many at a time: with their rows and the heads of their chains they fit into one transaction.
const AT_ONCE: usize = 9;
/// How many times in a row, so that nobody works off an hour's worth while a caller waits.
pub(crate) const ROUNDS: usize = 4;
/// Records that are not in their chains yet.
const WAITING: &str = "o/";

impl Store {
    /// Puts a record down, to be appended later, in the order of time: the loss of a request, known only when its lease
    /// has run out, comes after its record. The same request again changes nothing, then.
    pub async fn put_entry(&self, tenant: &str, entry: &Entry, now: Timestamp) -> Result<(), StoreError> {
        let name = format!("{WAITING}{:015}/{}", now.0, entry.id);
        let mut tries = Tries::of("write a record down");
        let json = serde_json::to_string(entry).unwrap_or_default();
        loop {
            let mut item = key(partition(&shelf(tenant)), &name);
            item.extend([("value".to_owned(), text(&json)), ("version".to_owned(), super::number(1))]);
            match self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await {
                Ok(_) => return Ok(()),
                Err(error) => tries.again(error).await?,
            }
        }
    }

    /// Appends what waits to its chains, at most `rounds` times a few. Names what is recorded and was never settled.
    pub async fn append_waiting(
        &self,
        tenant: &str,
        now: Timestamp,
        rounds: usize,
    ) -> Result<Vec<Unsettled>, StoreError> {
        let mut unsettled = Vec::new();
        for _ in 0..rounds {
            let range = Range { prefix: WAITING.to_owned(), limit: AT_ONCE, ..Range::default() };
            let waiting = self.list_records(&shelf(tenant), &range, now).await?;
            if waiting.is_empty() {
                break;
            }
            let entries = waiting.iter().filter_map(|record| serde_json::from_str(&record.value).ok()).collect();
            let Some(more) = self.append(tenant, Batch::new(entries), &waiting, now).await? else { break };
            unsettled.extend(more);
        }
        Ok(unsettled)
    }

    /// Appends a batch and removes what waited; `None` when somebody else was faster.
    async fn append(
        &self,
        tenant: &str,
        batch: Batch,
        waiting: &[signalbox::records::Record],
        now: Timestamp,
    ) -> Result<Option<Vec<Unsettled>>, StoreError> {
        let shelf = shelf(tenant);
        // The heads first: what is read after them is as they say, or they have changed by the time of writing.
        let heads = self.read_rows(&shelf, batch.heads(), now).await?;
        let others = self.read_rows(&shelf, batch.others(), now).await?;
        let stored: BTreeMap<String, String> =
            heads.iter().chain(&others).map(|(key, (value, _))| (key.clone(), value.clone())).collect();
        let appended = batch.append(now, stored);
        // Only the heads need a condition; with one on each nobody has to look what is there.
        let conditional = appended.writes.into_iter().map(|write| {
            let known = heads.get(&write.key).or_else(|| others.get(&write.key));
            let expect = match (&write.value, known) {
                (None, _) => Expect::Anything,
                (Some(_), Some((_, version))) => Expect::Version(*version),
                (Some(_), None) => Expect::Absent,
            };
            Write { expect, ..write }
        });
        // A record that was put down anew meanwhile says the same.
        let gone = waiting.iter().map(|record| Write::remove(&record.key));
        let writes: Vec<Write> = conditional.chain(gone).collect();
        let written = self.write_records(&shelf, &writes, now).await?;
        Ok(written.then_some(appended.unsettled))
    }

    /// The rows there are of these, with their versions.
    async fn read_rows(
        &self,
        shelf: &str,
        keys: Vec<String>,
        now: Timestamp,
    ) -> Result<BTreeMap<String, (String, u64)>, StoreError> {
        let reads = keys.iter().map(|key| self.read_record(shelf, key, now));
        let rows = try_join_all(reads).await?.into_iter().flatten();
        Ok(rows.map(|record| (record.key, (record.value, record.version))).collect())
    }
}
