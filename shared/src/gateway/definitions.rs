//! Governed definitions as they are kept: every version for good, and of each name which version is in force.
//!
//! On the shelf of the admin plane, so that whoever hears of administrators' changes hears of these: a request never
//! waits for a definition. A counter of their own tells whether any of them changed.

use super::live::{self, SHELF};
use crate::context::{Definition, Library, MAX_DEFINITIONS, read};
use crate::ports::{Clock, Records, StoreError};
use crate::records::{Record, Write};
use crate::time::{parse_rfc3339, rfc3339};
use crate::units::Timestamp;
use serde_json::{Map, Value};

/// The version in force, by name.
pub const HEAD: &str = "context/";
/// Every version, by name and number.
pub const VERSION: &str = "context-version/";
/// Counts the changes of definitions.
const EPOCH: &str = "context-epoch";
/// Definitions that are written in one transaction: each is two records.
const BATCH: usize = 20;

/// What a record has beside what people said of a definition.
pub const MARKS: [&str; 8] = ["object", "version", "created_at", "created_by", RETIRED, RETIRED_BY, VANISHED, "source"];
/// The mark of one that is given to nobody any more: since when.
pub const RETIRED: &str = "retired_at";
/// Who retired it, where somebody did: what a server says does not bring it back.
pub const RETIRED_BY: &str = "retired_by";
/// The mark of one that its server no longer lists: since when.
pub const VANISHED: &str = "vanished_at";

/// The key of a version; numbers sort as they count.
pub fn version_key(id: &str, version: u64) -> String {
    format!("{VERSION}{id}/{version:010}")
}

/// What people said, without the marks.
pub fn said(record: &Map<String, Value>) -> Map<String, Value> {
    let written = record.iter().filter(|(name, value)| !MARKS.contains(&name.as_str()) && !value.is_null());
    written.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// A definition as a record has it; `None` for one that is retired, or that nobody can read.
fn in_force(record: &Record) -> Option<Definition> {
    let members: Map<String, Value> = crate::json::object(&record.value).ok()?;
    if members.contains_key(RETIRED) {
        return None;
    }
    let version = members.get("version")?.as_u64()?;
    let vanished_at = members.get(VANISHED).and_then(Value::as_str).and_then(parse_rfc3339);
    Some(Definition { version, vanished_at, ..read(&said(&members)).ok()? })
}

/// All that are in force, if any changed since `known`; with the count of changes.
pub async fn refresh(ports: &impl Records, known: u64) -> Result<Option<(u64, Library)>, StoreError> {
    let epoch = ports.read_record(SHELF, EPOCH).await?.map_or(0, |record| record.version);
    if epoch == known {
        return Ok(None);
    }
    let heads = live::all(ports, HEAD).await?;
    Ok(Some((epoch, Library::new(heads.iter().filter_map(in_force).collect()))))
}

/// How the name of a server begins among those who say something.
pub const SERVER: &str = "mcp:";

/// Who says something of definitions, and when.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// Their key, or the server it comes from.
    pub by: &'a str,
    /// When.
    pub at: Timestamp,
}

/// What became of definitions that were said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Versions that were made, as they are cited.
    pub created: Vec<String>,
    /// Those that say what was said before.
    pub unchanged: usize,
}

/// Why definitions were not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Untaken {
    /// There would be too many.
    Full,
    /// Somebody else was faster.
    Beaten,
    /// The store does not answer.
    Store(StoreError),
}

impl From<StoreError> for Untaken {
    fn from(problem: StoreError) -> Untaken {
        Untaken::Store(problem)
    }
}

/// Takes definitions: a new version of each that says something new. What was read holds the rules already; `more` is
/// written together with the last of them.
pub async fn take<P: Records + Clock>(
    ports: &P,
    wanted: &[Map<String, Value>],
    said_by: Said<'_>,
    more: Vec<Write>,
) -> Result<Taken, Untaken> {
    let known: Vec<Record> = match wanted {
        [one] => ports.read_record(SHELF, &head_key(one)).await?.into_iter().collect(),
        [] | [_, ..] => Vec::new(),
    };
    // What is new is counted among all there are.
    let heads = if known.is_empty() { live::all(ports, HEAD).await? } else { known };
    let mut taken = Taken::default();
    let mut writes: Vec<Vec<Write>> = Vec::new();
    let mut count = heads.len();
    for members in wanted {
        let key = head_key(members);
        let head = heads.iter().find(|record| record.key == key);
        let before: Map<String, Value> =
            head.and_then(|head| crate::json::object(&head.value).ok()).unwrap_or_default();
        let buried = before.contains_key(RETIRED_BY) && said_by.by.starts_with(SERVER);
        if buried || (head.is_some() && said(&before) == *members && !is_marked(&before)) {
            taken.unchanged += 1;
            continue;
        }
        let version = before.get("version").and_then(Value::as_u64).unwrap_or(0) + 1;
        let id = members.get("id").and_then(Value::as_str).unwrap_or_default();
        let text = Value::Object(marked(members, version, said_by)).to_string();
        count += usize::from(head.is_none());
        let head = match head {
            Some(head) => Write::replace(head, text.as_str()),
            None => Write::create(key, text.as_str()),
        };
        taken.created.push(format!("{id}@{version}"));
        writes.push(vec![head, Write::create(version_key(id, version), text)]);
    }
    if count > MAX_DEFINITIONS && !taken.created.is_empty() {
        return Err(Untaken::Full);
    }
    let mut more = Some(more);
    let batches = writes.len().div_ceil(BATCH);
    for (number, batch) in writes.chunks(BATCH).enumerate() {
        let mut all = told(said_by.at);
        all.extend(batch.iter().flatten().cloned());
        if number + 1 == batches {
            all.extend(more.take().unwrap_or_default());
        }
        if !ports.write_records(SHELF, all).await? {
            return Err(Untaken::Beaten);
        }
    }
    Ok(taken)
}

/// Marks what somebody said and no longer says: everything of theirs but what they `have`. Tells which versions those are. What
/// comes back is a new version.
pub async fn mark<P: Records + Clock>(
    ports: &P,
    mark: &str,
    said_by: Said<'_>,
    have: &[String],
) -> Result<Vec<String>, Untaken> {
    let (mut marked, mut writes) = (Vec::new(), Vec::new());
    for head in live::all(ports, HEAD).await? {
        let Ok(mut members) = crate::json::object(&head.value) else { continue };
        let theirs = members.get("created_by").and_then(Value::as_str) == Some(said_by.by);
        let id = head.key.trim_start_matches(HEAD);
        if !theirs || is_marked(&members) || have.iter().any(|one| one == id) {
            continue;
        }
        let version = members.get("version").and_then(Value::as_u64).unwrap_or(0);
        marked.push(format!("{id}@{version}"));
        members.insert(mark.to_owned(), Value::from(rfc3339(said_by.at)));
        writes.push(Write::replace(&head, Value::Object(members).to_string()));
    }
    for batch in writes.chunks(2 * BATCH) {
        let mut all = told(said_by.at);
        all.extend(batch.iter().cloned());
        if !ports.write_records(SHELF, all).await? {
            return Err(Untaken::Beaten);
        }
    }
    Ok(marked)
}

fn is_marked(members: &Map<String, Value>) -> bool {
    [RETIRED, VANISHED].iter().any(|mark| members.contains_key(*mark))
}

/// The writes that tell every process that definitions changed: part of the change itself.
pub fn told(now: Timestamp) -> Vec<Write> {
    let mut writes = live::tell(now, &[]);
    writes.push(Write::put(EPOCH, ""));
    writes
}

fn head_key(members: &Map<String, Value>) -> String {
    format!("{HEAD}{}", members.get("id").and_then(Value::as_str).unwrap_or_default())
}

/// A version as it is kept and shown.
fn marked(members: &Map<String, Value>, version: u64, said_by: Said<'_>) -> Map<String, Value> {
    let mut whole = members.clone();
    let marks = [
        ("object", Value::from("context.definition")),
        ("version", Value::from(version)),
        ("created_at", Value::from(rfc3339(said_by.at))),
        ("created_by", Value::from(said_by.by)),
    ];
    whole.extend(marks.map(|(name, value)| (name.to_owned(), value)));
    whole
}
