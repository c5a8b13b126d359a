//! Archiving: what is sealed of the chains is copied to a bucket of the operator's, in objects that can be checked alone.
//!
//! An object is a stretch of one team's chain: its records as they are exported, a line each, and last a signed checkpoint
//! of where it ends. A stretch goes as far as the next checkpoint, or, where that is far, as an object shall be long; the
//! chain is signed there then, too. Both follow from the chain, so whoever writes an object again, because a process ended
//! before it could note that it was written, writes the same bytes under the same name.
//!
//! Done when the platform's clock comes round. Only what the bucket has taken counts as archived; what it has not is
//! written the next time. Records leave the store at the end of their retention, archived or not: a bucket that is away for
//! longer than that has a gap, which is logged.

use super::journal::checkpoint::{Checkpoint, Signed, checkpoint_key, checkpoint_prefix, shown};
use super::journal::{Broken, Head, Walk, archived_key, line_key, line_place, line_prefix, shelf};
use super::policy::TENANT;
use super::sealing::{Sealing, grown, lock};
use crate::json::json;
use crate::ports::{Archive, Clock, Crypto, Records, StoreError};
use crate::records::{Range, Record, Write};
use crate::time::rfc3339;
use crate::units::Timestamp;
use serde_json::Value;

/// How many records an object has at the most, and how many bytes before its last one.
const MOST_RECORDS: u64 = 1_024;
const MOST_BYTES: usize = 4 << 20;
/// How many objects are written of one chain when the clock comes round.
const AT_ONCE: usize = 16;
/// How many records are fetched at a time.
const PAGE: usize = 128;

/// How the names of a team's objects begin; without a team, of everybody's.
pub fn objects(team: Option<&str>) -> String {
    team.map_or_else(|| "audit/".to_owned(), |team| format!("audit/{team}/"))
}

impl Sealing {
    /// Archives what is sealed of every chain. One that is broken is logged and left as it is. A chain that did not grow since
    /// it was found archived costs nothing.
    pub async fn archive<P: Archive + Records + Crypto + Clock>(&self, ports: &P) -> Result<(), StoreError> {
        if !ports.has_archive() {
            return Ok(());
        }
        for (team, size) in grown(ports, &self.archived).await? {
            if self.archive_chain(ports, &team).await? == size {
                lock(&self.archived).insert(team, size);
            }
        }
        Ok(())
    }

    /// Archives a chain; gives the number of the last record that was archived before.
    async fn archive_chain<P: Archive + Records + Crypto + Clock>(
        &self,
        ports: &P,
        team: &str,
    ) -> Result<u64, StoreError> {
        let (shelf, key, mut archived) = (shelf(TENANT), archived_key(team), 0);
        for _ in 0..AT_ONCE {
            let mark = ports.read_record(&shelf, &key).await?;
            let from = end(mark.as_ref());
            archived = from.tree.size();
            let Some(stretch) = self.stretch(ports, team, from).await? else { break };
            ports.put_object(&stretch.name(team), stretch.text).await?;
            let end = serde_json::to_string(&stretch.walk.end(stretch.at)).unwrap_or_default();
            let write = mark.as_ref().map_or_else(|| Write::create(&key, &end), |mark| Write::replace(mark, &end));
            // Whoever was faster has written the same objects.
            if !ports.write_records(&shelf, vec![write]).await? {
                break;
            }
        }
        Ok(archived)
    }

    /// The next stretch behind `from`; `None` where nothing is sealed, or the chain is broken.
    async fn stretch<P: Records + Crypto + Clock>(
        &self,
        ports: &P,
        team: &str,
        from: Head,
    ) -> Result<Option<Stretch>, StoreError> {
        let (shelf, archived) = (shelf(TENANT), from.tree.size());
        let mut lines = Range { prefix: line_prefix(team), limit: PAGE, ..Range::default() };
        lines.after = Some(line_key(team, from.at, archived));
        let mut page = ports.list_records(&shelf, &lines).await?;
        let Some((at, first)) = page.first().and_then(|line| line_place(&line.key)) else { return Ok(None) };
        let after = Some(checkpoint_key(team, first.saturating_sub(1)));
        let range = Range { prefix: checkpoint_prefix(team), after, descending: false, limit: 1 };
        let note = ports.list_records(&shelf, &range).await?.pop().map(|record| record.value).unwrap_or_default();
        let Some(sealed) = Signed::parse(&note).map(|signed| signed.checkpoint) else { return Ok(None) };
        let mut walk = Walk::after(team, from);
        if first != archived.saturating_add(1) {
            let gap = json!({ "event": "archive_gap", "team": team, "after_seq": archived, "before_seq": first });
            ports.log(&gap.to_string());
            walk = Walk::new(team);
        }
        let mut stretch = Stretch { walk, first, last: first, at, text: String::new() };
        while let Some(last) = page.last().map(|line| line.key.clone()) {
            match stretch.take(page, sealed.size) {
                Err(broken) => return Ok(refused(ports, team, &broken)),
                Ok(true) => return self.closed(ports, team, stretch, &sealed, note).await,
                Ok(false) => lines.after = Some(last),
            }
            page = ports.list_records(&shelf, &lines).await?;
        }
        let seq = stretch.last.saturating_add(1);
        Ok(refused(ports, team, &Broken { seq, reason: "Records are missing that a checkpoint covers." }))
    }

    /// A stretch with the checkpoint of its end. One that was cut short has none where nobody knows the tree: of a chain
    /// whose beginning was past its retention before it could be archived.
    async fn closed<P: Crypto + Clock>(
        &self,
        ports: &P,
        team: &str,
        mut stretch: Stretch,
        sealed: &Checkpoint,
        note: String,
    ) -> Result<Option<Stretch>, StoreError> {
        if let Some(Err(broken)) = stretch.walk.holds(sealed.size, &sealed.hash, &sealed.root) {
            return Ok(refused(ports, team, &broken));
        }
        let end = stretch.walk.end(stretch.at);
        let note = match (stretch.last == sealed.size, end.tree.is_sound()) {
            (true, _) => note,
            (false, true) => self.sign(ports, &Checkpoint::of(team, &end, stretch.at)).await?,
            (false, false) => return Ok(Some(stretch)),
        };
        stretch.line(&shown(team, stretch.last, &note).to_string());
        Ok(Some(stretch))
    }
}

/// Where a chain is archived up to, as it was noted.
pub(super) fn end(mark: Option<&Record>) -> Head {
    mark.and_then(|mark| crate::json::parse(&mark.value).ok()).unwrap_or_default()
}

/// Says that a chain is broken: nothing of it is archived from there on, until somebody has looked.
fn refused(clock: &impl Clock, team: &str, broken: &Broken) -> Option<Stretch> {
    let line: Value = json!({ "event": "archive_refused", "team": team, "seq": broken.seq, "reason": broken.reason });
    clock.log(&line.to_string());
    None
}

/// A stretch of a chain on its way into an object.
struct Stretch {
    walk: Walk,
    first: u64,
    last: u64,
    /// When the last one was written.
    at: Timestamp,
    text: String,
}

impl Stretch {
    /// Takes these records, up to the one that is the last; whether that was among them.
    fn take(&mut self, lines: Vec<Record>, sealed: u64) -> Result<bool, Broken> {
        for Record { key, value, .. } in lines {
            self.walk.step(&value)?;
            (self.at, self.last) = line_place(&key).unwrap_or((self.at, self.last));
            self.line(&value);
            let is_long = self.last - self.first + 1 >= MOST_RECORDS || self.text.len() >= MOST_BYTES;
            if self.last >= sealed || is_long {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// The day it ends on, and the numbers of its records: in the order of names, objects are in the order of the chain.
    fn name(&self, team: &str) -> String {
        let day: String = rfc3339(self.at).chars().take(10).collect();
        format!("{}{day}/{:012}-{:012}.jsonl", objects(Some(team)), self.first, self.last)
    }
}
