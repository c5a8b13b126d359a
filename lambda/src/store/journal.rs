//! A tenant's journal in the table; see [`signalbox::gateway::journal`].
//!
//! A function cannot wait in line for the end of its team's chain: a hundred of them at once would mostly write in vain. So
//! a record is first put down as it is, in an item of its own that nobody contends for, and only then the ledger is settled.
//! Putting records into their chains is done for some hundreds at a time by one process that has its [turn](super::turn):
//! one that ended a request a while after it was last done, behind its caller's back, or one that wants to read the journal.
//!
//! A function that ends between the two writes leaves a record and an open reservation. When its lease runs out a loss is
//! put down beside it; who then finds the record there settles what it says. One that ends in its turn has written a part
//! of it, whole transactions each: what is in a chain waits no longer, and the rest is appended by the next.

use super::retry::{StoreError, Tries};
use super::shelves::{partition, record};
use super::turn::{LONG_LEASE, Turn};
use super::{Store, key, text};
use aws_sdk_dynamodb::types::KeysAndAttributes;
use signalbox::gateway::journal::{Appended, Batch, Entry, Unsettled, shelf};
use signalbox::records::{Expect, Range, Record, Write};
use signalbox::units::{Millis, Timestamp};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// How often records are put into their chains, by whichever process.
pub(crate) const EVERY: Millis = Millis(1_000);
/// How many records are appended in one turn by a process whose caller waits for the end of the stream.
const IN_PASSING: usize = 240;
/// How many are looked at together.
const PAGE: usize = 240;
/// What one transaction may write.
const MOST_WRITES: usize = 100;
/// How many are appended at once: mostly, a transaction has room for them, their lines and what is known of them.
const AT_ONCE: usize = 30;
/// Their texts together, which are written anew in their lines: well below the 4 MB a transaction may have.
const MOST_BYTES: usize = 1_500_000;
/// What one read of many rows may ask for.
const MOST_READS: usize = 100;
/// How often somebody who wants to read looks whether the one at work is done.
const LOOK_AGAIN: Millis = Millis(20);
/// Records that are not in their chains yet.
const WAITING: &str = "o/";

/// Rows as they were read, with their versions.
type Rows = BTreeMap<String, (String, u64)>;

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turned {
    /// Nothing waited any more.
    Done,
    /// There was more than one turn is for.
    MoreWaits,
    /// Somebody else was at it after all.
    Disturbed,
}

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

    /// Appends some of what waits, if nobody else does and nobody just has. Names what is recorded and was never settled.
    pub async fn append_some(&self, tenant: &str, now: Timestamp) -> Result<Vec<Unsettled>, StoreError> {
        let mut unsettled = Vec::new();
        if let Some(turn) = self.take_turn(tenant, now, true).await? {
            self.append_in_turn(tenant, &turn, now, IN_PASSING, &mut unsettled).await?;
        }
        Ok(unsettled)
    }

    /// Appends everything that waits, after whoever is at it. Names what is recorded and was never settled.
    pub async fn append_all(&self, tenant: &str, now: Timestamp) -> Result<Vec<Unsettled>, StoreError> {
        let mut unsettled = Vec::new();
        let (mut at, patience) = (now, now + LONG_LEASE + EVERY);
        while at < patience {
            if let Some(turn) = self.take_turn(tenant, at, false).await?
                && self.append_in_turn(tenant, &turn, at, usize::MAX, &mut unsettled).await? == Turned::Done
            {
                return Ok(unsettled);
            }
            tokio::time::sleep(Duration::from_millis(LOOK_AGAIN.0)).await;
            at = at + LOOK_AGAIN;
        }
        let detail = "others have been at it all the time".to_owned();
        Err(StoreError { operation: "bring the journal up to date", detail })
    }

    async fn append_in_turn(
        &self,
        tenant: &str,
        turn: &Turn,
        now: Timestamp,
        most: usize,
        unsettled: &mut Vec<Unsettled>,
    ) -> Result<Turned, StoreError> {
        let mut left = most;
        let turned = loop {
            let range = Range { prefix: WAITING.to_owned(), limit: PAGE.min(left), ..Range::default() };
            let waiting = self.list_records(&shelf(tenant), &range, now).await?;
            let (found, wanted) = (waiting.len(), range.limit);
            if !self.append_each(tenant, waiting, now, unsettled).await? {
                break Turned::Disturbed;
            }
            left = left.saturating_sub(found);
            if found < wanted {
                break Turned::Done;
            }
            if left == 0 {
                break Turned::MoreWaits;
            }
        };
        let rest = match turned {
            Turned::Done => now + EVERY,
            Turned::MoreWaits | Turned::Disturbed => now,
        };
        self.end_turn(turn, rest).await?;
        Ok(turned)
    }

    /// Appends these, transaction by transaction; `false` when somebody else is at it after all.
    async fn append_each(
        &self,
        tenant: &str,
        mut waiting: Vec<Record>,
        now: Timestamp,
        unsettled: &mut Vec<Unsettled>,
    ) -> Result<bool, StoreError> {
        let shelf = shelf(tenant);
        while !waiting.is_empty() {
            let batch = batch(waiting.iter().take(AT_ONCE));
            let rows = self.read_rows(&shelf, batch.heads().into_iter().chain(batch.others()).collect(), now).await?;
            let (appended, writes, many) = fitting(&waiting, &rows, now);
            if !self.write_records(&shelf, &writes, now).await? {
                return Ok(false);
            }
            unsettled.extend(appended.unsettled);
            waiting.drain(..many);
        }
        Ok(true)
    }

    /// The rows there are of these, with their versions. Not all of one instant: every one that is written over is
    /// conditioned on its version.
    async fn read_rows(&self, shelf: &str, keys: Vec<String>, now: Timestamp) -> Result<Rows, StoreError> {
        let mut rows = Rows::new();
        for some in keys.chunks(MOST_READS) {
            let mut tries = Tries::of("read rows of the journal");
            let mut wanted: Vec<_> = some.iter().map(|name| key(partition(shelf), name)).collect();
            while !wanted.is_empty() {
                let keys = KeysAndAttributes::builder().set_keys(Some(wanted.clone())).consistent_read(true).build();
                let keys = keys.map_err(|error| super::retry::failed("read rows of the journal", error))?;
                match self.client.batch_get_item().request_items(&self.table, keys).send().await {
                    Ok(answer) => {
                        let items = answer.responses.unwrap_or_default().remove(&self.table).unwrap_or_default();
                        let found = items.iter().filter_map(|item| record(item, now));
                        rows.extend(found.map(|record| (record.key, (record.value, record.version))));
                        let mut rest: HashMap<_, _> = answer.unprocessed_keys.unwrap_or_default();
                        wanted = rest.remove(&self.table).map(|rest| rest.keys).unwrap_or_default();
                        if !wanted.is_empty() {
                            tries.reload().await?;
                        }
                    }
                    Err(error) => tries.again(error).await?,
                }
            }
        }
        Ok(rows)
    }
}

fn batch<'a>(waiting: impl Iterator<Item = &'a Record>) -> Batch {
    Batch::new(waiting.filter_map(|record| serde_json::from_str(&record.value).ok()).collect())
}

/// As many of the first ones as go into one transaction: what is appended, the writes, and how many they are.
fn fitting(waiting: &[Record], rows: &Rows, now: Timestamp) -> (Appended, Vec<Write>, usize) {
    let mut bytes = 0;
    let fits = |record: &&Record| {
        bytes += record.value.len();
        bytes <= MOST_BYTES
    };
    let mut many = waiting.iter().take(AT_ONCE).take_while(fits).count().max(1).min(waiting.len());
    loop {
        let stored = rows.iter().map(|(key, (value, _))| (key.clone(), value.clone())).collect();
        let appended = batch(waiting.iter().take(many)).append(now, stored);
        let conditional = appended.writes.iter().cloned().map(|write| {
            let expect = match (&write.value, rows.get(&write.key)) {
                (None, _) => Expect::Anything,
                (Some(_), Some((_, version))) => Expect::Version(*version),
                (Some(_), None) => Expect::Absent,
            };
            Write { expect, ..write }
        });
        // A record that was put down anew meanwhile says the same.
        let gone = waiting.iter().take(many).map(|record| Write::remove(&record.key));
        let writes: Vec<Write> = conditional.chain(gone).collect();
        if writes.len() <= MOST_WRITES || many <= 1 {
            return (appended, writes, many);
        }
        many /= 2;
    }
}
