//! A team's kept answers. Each team has a shelf of its own, so what is kept for one is never found by another.
//!
//! An answer that is longer than a record has its first part where a short one has all of it, and the others beside: whoever
//! finds one of those missing has found nothing. They are written first, and each time under another name.
//!
//! Beside an answer there can be a *claim*: somebody is about to get it, so others who ask the same wait instead of
//! paying for it too. A claim ends with the answer, when it is given up, or by its time.

use super::{denial, parts};
use crate::ports::{Ports, StoreError};
use crate::records::{MAX_WRITES, Range, Write};
use crate::units::Timestamp;

/// What looking for a kept answer brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recall {
    /// Its text.
    Kept(String),
    /// None, and it is the asker's to get: a claim was made.
    Claimed,
    /// None yet: somebody else has claimed it.
    Awaited,
    /// The shelf does not answer. The call is made without it.
    Unavailable,
}

const ANSWER: &str = "answer/";
const PARTS: &str = "part/";
const CLAIM: &str = "claim/";
const NEAR: &str = "near/";
/// Counts the names that were kept, and which were the last.
const RING: &str = "near-ring";
/// The most questions of a team that are found by what they mean.
const MOST_NEAR: u64 = 10_000;

fn shelf(team: &str) -> String {
    format!("answers/{team}")
}

/// Looks for an answer; where there is none, claims it until `until`.
pub(super) async fn recall(ports: &impl Ports, team: &str, key: &str, until: Timestamp) -> Recall {
    let shelf = shelf(team);
    let look = async {
        if let Some(text) = read(ports, &shelf, &format!("{ANSWER}{key}")).await? {
            return Ok(Recall::Kept(text));
        }
        let claim = Write::create(format!("{CLAIM}{key}"), "").until(until);
        Ok(if ports.write_records(&shelf, vec![claim]).await? { Recall::Claimed } else { Recall::Awaited })
    };
    look.await.unwrap_or_else(|problem: StoreError| {
        ports.log(&denial::store_line("answers", &problem));
        Recall::Unavailable
    })
}

/// Something a team has kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept<'a> {
    /// The answer of this name.
    Answer(&'a str),
    /// Where the answer is to a question of this name.
    Near(&'a str),
}

/// Something that was kept, without a claim on it.
pub(super) async fn kept(ports: &impl Ports, team: &str, what: Kept<'_>) -> Option<String> {
    let key = match what {
        Kept::Answer(key) => format!("{ANSWER}{key}"),
        Kept::Near(name) => format!("{NEAR}{name}"),
    };
    read(ports, &shelf(team), &key).await.unwrap_or_else(|problem| {
        ports.log(&denial::store_line("answers", &problem));
        None
    })
}

/// What the first part of a long text begins with: where the others are, and how much they say.
struct Rest<'a> {
    name: &'a str,
    count: usize,
    bytes: usize,
}

impl<'a> Rest<'a> {
    /// The rest of what is kept, and its first part; no rest where that is all of it.
    fn of(kept: &'a str) -> (Option<Rest<'a>>, &'a str) {
        let read = || {
            let (line, first) = kept.strip_prefix('+')?.split_once('\n')?;
            let mut words = line.split(' ');
            let name = words.next()?;
            let (count, bytes) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
            Some((Some(Rest { name, count, bytes }), first))
        };
        read().unwrap_or((None, kept))
    }

    fn place(&self) -> String {
        format!("{PARTS}{}", self.name)
    }
}

/// A text, whole; `None` where it is not there, or not all of it.
async fn read(ports: &impl Ports, shelf: &str, key: &str) -> Result<Option<String>, StoreError> {
    let Some(record) = ports.read_record(shelf, key).await? else { return Ok(None) };
    let (Some(rest), first) = Rest::of(&record.value) else { return Ok(Some(record.value)) };
    let read = parts::read(ports, shelf, &rest.place(), rest.count).await?;
    Ok(read.filter(|text| text.len() == rest.bytes).map(|text| [first, &text].concat()))
}

/// Keeps under a question's name where its answer is. Names go round in a ring: the newest takes the place of the oldest.
pub(super) async fn keep_near(ports: &impl Ports, team: &str, name: &str, text: String, until: Timestamp) {
    let shelf = shelf(team);
    let written = async {
        let count = ports.read_record(&shelf, RING).await?;
        let turn = count.as_ref().map_or(0, |count| count.version) % MOST_NEAR;
        let slot = format!("{RING}/{turn:05}");
        let before = ports.read_record(&shelf, &slot).await?.map(|record| record.value);
        let mut writes = vec![
            count.as_ref().map_or_else(|| Write::create(RING, ""), |count| Write::replace(count, "")),
            Write::put(slot, name),
            Write::put(format!("{NEAR}{name}"), text).until(until),
        ];
        writes.extend(before.filter(|before| before != name).map(|before| Write::remove(format!("{NEAR}{before}"))));
        ports.write_records(&shelf, writes).await
    };
    // Where another is kept at the same moment, this one is not: it will be asked again.
    if let Err(problem) = written.await {
        ports.log(&denial::store_line("answers", &problem));
    }
}

/// Keeps an answer, and ends the claim on it.
pub(super) async fn keep(ports: &impl Ports, team: &str, key: &str, mut text: String, until: Timestamp) {
    let mut writes = vec![Write::remove(format!("{CLAIM}{key}"))];
    let rest = text.split_off(parts::first(&text));
    let name = format!("{:016x}", ports.entropy());
    match parts::write(ports, &shelf(team), &format!("{PARTS}{name}"), &rest, Some(until)).await {
        Ok(count) => {
            let head = if rest.is_empty() { String::new() } else { format!("+{name} {count} {}\n", rest.len()) };
            writes.push(Write::put(format!("{ANSWER}{key}"), head + &text).until(until));
        }
        Err(problem) => ports.log(&denial::store_line("answers", &problem)),
    }
    write(ports, team, writes).await;
}

/// Ends a claim without an answer.
pub(super) async fn give_up(ports: &impl Ports, team: &str, key: &str) {
    write(ports, team, vec![Write::remove(format!("{CLAIM}{key}"))]).await;
}

async fn write(ports: &impl Ports, team: &str, writes: Vec<Write>) {
    if let Err(problem) = ports.write_records(&shelf(team), writes).await {
        ports.log(&denial::store_line("answers", &problem));
    }
}

/// Removes a team's kept answers for which `goes` says so; tells how many.
pub(super) async fn purge(ports: &impl Ports, team: &str, goes: impl Fn(&str) -> bool) -> Result<usize, StoreError> {
    let shelf = shelf(team);
    let mut range = Range { prefix: ANSWER.to_owned(), limit: PAGE, ..Range::default() };
    let mut purged = 0;
    loop {
        let page = ports.list_records(&shelf, &range).await?;
        let Some(last) = page.last() else { return Ok(purged) };
        range.after = Some(last.key.clone());
        let (mut gone, mut rests) = (Vec::new(), Vec::new());
        for record in &page {
            let (rest, first) = Rest::of(&record.value);
            if goes(first) {
                gone.push(Write::remove(&record.key));
                rests.extend(rest.iter().flat_map(|rest| (0..rest.count).map(|part| parts::name(&rest.place(), part))));
            }
        }
        purged += gone.len();
        // The first parts first: without them nobody finds the others.
        gone.extend(rests.into_iter().map(Write::remove));
        while !gone.is_empty() {
            let later = gone.split_off(gone.len().min(MAX_WRITES));
            ports.write_records(&shelf, gone).await?;
            gone = later;
        }
        if page.len() < PAGE {
            return Ok(purged);
        }
    }
}

/// Answers looked at in one go.
const PAGE: usize = 20;
