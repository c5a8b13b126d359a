//! What administrators changed lately, as one process knows it.
//!
//! The key store and the stored configuration are read from caches that may lag (Workers KV up to a minute). So every
//! change is also put on the shelf `admin`, which does not lag, and a counter there, the *epoch*, is raised. A process
//! under traffic reads the epoch every [`FRESH`](super::key_cache::FRESH) behind its callers' backs, and the rest only
//! when it moved. One that has not heard for [`MAX_AGE`](super::key_cache::MAX_AGE) asks before it lets anybody in:
//! a key that was revoked is refused everywhere within that time.

use super::definitions;
use super::keys::KeyRecord;
use super::people::{self, Person};
use super::policy::{Keys, lock};
use super::weights;
use crate::config::Terms;
use crate::context::Library;
use crate::ports::{Clock, Directory, Records, StoreError};
use crate::records::{MAX_WRITES, Range, Record, Write};
use crate::sorted::SortedMap;
use crate::units::{Millis, Timestamp};
use futures_util::future::{try_join, try_join3};
use serde_json::{Map, Value};
use std::sync::Arc;

/// The shelf of everything administrators keep.
pub const SHELF: &str = "admin";
/// Counts the changes that every process must know of.
const EPOCH: &str = "epoch";
/// Keys that were changed lately, by hash.
const CHANGED: &str = "changed/";
/// Teams that are kept beside the configuration document, by name.
pub const TEAM: &str = "team/";
/// Organisations, by name.
pub const ORGANISATION: &str = "organisation/";
/// How the records of users begin, and of those who were removed.
pub const USERS: &str = "user";
/// Which version of the document is in force.
pub const CURRENT: &str = "config/current";

/// How long a changed key is told of: far longer than any key store lags.
const TELL: Millis = Millis(24 * 3_600_000);
/// Records read at once, and how many times at the most.
const PAGE: usize = 500;
const MAX_PAGES: usize = 40;

/// Teams kept beside the document: what the document would say of each.
pub type Teams = Arc<SortedMap<String, Value>>;

/// What is known of the administrators' changes.
#[derive(Debug, Default)]
pub struct Live {
    /// `None` before anything was heard.
    heard: Option<Heard>,
    changed: SortedMap<String, KeyRecord>,
    teams: Teams,
    config: u64,
    /// Governed definitions, and how many changes of them were heard.
    library: (u64, Arc<Library>),
    /// What binds an organisation, for those that are bound by anything.
    organisations: SortedMap<String, Arc<Terms>>,
    /// Whether there are records of users at all.
    has_people: bool,
    /// Those who were looked up since the last change.
    people: SortedMap<String, Option<Arc<Person>>>,
}

/// People remembered.
const MAX_PEOPLE: usize = 10_000;

#[derive(Clone, Copy, Debug)]
struct Heard {
    at: Timestamp,
    epoch: u64,
}

impl Live {
    /// How old what is known is; for ever when nothing is.
    pub fn age(&self, now: Timestamp) -> Millis {
        self.heard.map_or(Millis(u64::MAX), |heard| if now < heard.at { Millis(u64::MAX) } else { now.since(heard.at) })
    }

    /// A key as it was changed, if it was lately.
    pub fn key(&self, hash: &str) -> Option<&KeyRecord> {
        self.changed.get(hash)
    }

    /// Notes a change made by this process, which is not to wait for its own news.
    pub fn note(&mut self, record: &KeyRecord) {
        self.changed.insert(record.hash.clone(), record.clone());
    }

    /// The teams kept beside the document.
    pub fn teams(&self) -> Teams {
        self.teams.clone()
    }

    /// The governed definitions in force.
    pub fn library(&self) -> Arc<Library> {
        self.library.1.clone()
    }

    /// The same, with the count of changes after which they are so.
    pub fn definitions(&self) -> (Arc<Library>, u64) {
        (self.library.1.clone(), self.library.0)
    }

    /// What binds an organisation.
    pub fn organisation(&self, name: &str) -> Option<&Arc<Terms>> {
        self.organisations.get(name)
    }

    /// What is known of a user since the last change: that there is a record, or none. `Err`: it must be looked up; the
    /// number is for [`meet`](Live::meet).
    pub fn person(&self, user: &str) -> Result<Option<Arc<Person>>, u64> {
        match self.heard {
            Some(_) if !self.has_people => Ok(None),
            Some(heard) => self.people.get(user).cloned().ok_or(heard.epoch),
            None => Err(0),
        }
    }

    /// Remembers what was looked up, unless something changed meanwhile.
    pub fn meet(&mut self, epoch: u64, user: &str, person: Option<Arc<Person>>) {
        if self.heard.is_none_or(|heard| heard.epoch != epoch) {
            return;
        }
        if self.people.len() >= MAX_PEOPLE {
            self.people.clear();
        }
        self.people.insert(user.to_owned(), person);
    }

    /// The version of the document in force; 0 where none was ever stored.
    pub fn config(&self) -> u64 {
        self.config
    }
}

/// The writes that tell every process that something changed: part of the change itself.
pub fn tell(now: Timestamp, keys: &[KeyRecord]) -> Vec<Write> {
    let changed = |record: &KeyRecord| {
        // Plain data with string keys cannot fail to serialise.
        let text = serde_json::to_string(record).unwrap_or_default();
        Write::put(format!("{CHANGED}{}", record.hash), text).until(now + TELL)
    };
    // One change touches one key, which has few hashes.
    let mut writes: Vec<Write> = keys.iter().take(MAX_WRITES / 2).map(changed).collect();
    writes.push(Write::put(EPOCH, ""));
    writes
}

/// Hears what changed. On an error what was known stays known, and grows old.
pub async fn refresh<P: Records + Clock>(ports: &P, keys: &Keys) -> Result<(), StoreError> {
    let at = ports.now();
    let epoch = ports.read_record(SHELF, EPOCH).await?.map_or(0, |record| record.version);
    {
        let live = &mut lock(keys).live;
        if let Some(heard) = &mut live.heard
            && heard.epoch >= epoch
        {
            heard.at = heard.at.max(at);
            return Ok(());
        }
    }
    // Read after the epoch: what changes meanwhile raises it again, and is read next time.
    let anybody = Range { prefix: USERS.to_owned(), after: None, descending: false, limit: 1 };
    let lists = try_join3(all(ports, CHANGED), all(ports, TEAM), all(ports, ORGANISATION));
    let others = try_join(ports.read_record(SHELF, CURRENT), ports.list_records(SHELF, &anybody));
    let known = lock(keys).live.library.0;
    let of_records = try_join(lists, others);
    let (((changes, kept, bound), (current, anybody)), library) =
        try_join(of_records, definitions::refresh(ports, known)).await?;
    let mut changed = SortedMap::new();
    for record in changes {
        let key: KeyRecord =
            crate::json::parse(&record.value).map_err(|error| unreadable(&record, &error.to_string()))?;
        changed.insert(key.hash.clone(), key);
    }
    let mut teams = SortedMap::new();
    for record in kept {
        teams.insert(record.key.trim_start_matches(TEAM).to_owned(), section(&read(&record)?));
    }
    let mut organisations = SortedMap::new();
    for record in bound {
        let terms =
            people::terms(&read(&record)?, &people::all_of_it()).map_err(|problem| unreadable(&record, &problem))?;
        if !terms.is_empty() {
            organisations.insert(record.key.trim_start_matches(ORGANISATION).to_owned(), Arc::new(terms));
        }
    }
    let config = current.map_or(0, |record| record.version);
    let version = weights::version(ports).await?;
    lock(keys).weights.hear(version);
    let live = &mut lock(keys).live;
    if live.heard.is_none_or(|heard| heard.epoch < epoch) {
        let teams = if *live.teams == teams { live.teams.clone() } else { Arc::new(teams) };
        let library = library.map_or_else(|| live.library.clone(), |(count, library)| (count, Arc::new(library)));
        let (heard, has_people) = (Some(Heard { at, epoch }), !anybody.is_empty());
        *live = Live { heard, changed, teams, config, library, organisations, has_people, people: SortedMap::new() };
    }
    Ok(())
}

/// Reads a key from its store, and remembers it.
pub(super) async fn read_key<P: Directory + Clock>(
    ports: &P,
    keys: &Keys,
    hash: &str,
) -> Result<Option<KeyRecord>, StoreError> {
    let record = ports.key(hash).await?;
    lock(keys).put(hash, record.clone(), ports.now());
    Ok(record)
}

/// Every record under a prefix.
pub async fn all<P: Records>(ports: &P, prefix: &str) -> Result<Vec<Record>, StoreError> {
    let mut found: Vec<Record> = Vec::new();
    for _ in 0..MAX_PAGES {
        let after = found.last().map(|record| record.key.clone());
        let range = Range { prefix: prefix.to_owned(), after, descending: false, limit: PAGE };
        let page = ports.list_records(SHELF, &range).await?;
        let is_last = page.len() < PAGE;
        found.extend(page);
        if is_last {
            break;
        }
    }
    Ok(found)
}

/// What a record of the admin plane has beside what people wrote.
pub const MARKS: [&str; 5] = ["object", "id", "created_at", "updated_at", "source"];

/// A team's record without those: its section as it would stand in the document.
pub fn section(members: &Map<String, Value>) -> Value {
    let written = members.iter().filter(|(name, _)| !MARKS.contains(&name.as_str()));
    Value::Object(written.map(|(name, value)| (name.clone(), value.clone())).collect())
}

fn read(record: &Record) -> Result<Map<String, Value>, StoreError> {
    crate::json::object(&record.value).map_err(|error| unreadable(record, &error.to_string()))
}

/// The error about a record that says nothing that could be understood.
pub fn unreadable(record: &Record, problem: &str) -> StoreError {
    StoreError(format!("the record {} cannot be read: {problem}", record.key))
}
