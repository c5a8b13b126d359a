//! Virtual keys as one process remembers them, so that no request waits for the key store while
//! traffic flows, and a revocation is still seen everywhere within [`MAX_AGE`].

use super::keys::KeyRecord;
use super::live::Live;
use super::weights::Loaded;
use crate::sorted::SortedMap;
use crate::units::{Millis, Timestamp};

/// Up to this age an entry is used as it is.
pub const FRESH: Millis = Millis(2_000);
/// Up to this age an entry is used while it is refreshed behind the caller's back; past it the
/// store is asked first.
pub const MAX_AGE: Millis = Millis(5_000);
/// Entries kept. Unknown credentials are remembered too, so this also bounds what guessing costs.
const CAPACITY: usize = 10_000;

/// What the cache knows of a credential's hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// Good as it is. `None`: the store has no such key.
    Fresh(Option<KeyRecord>),
    /// Good for this request; the one who got this must refresh it.
    Stale(Option<KeyRecord>),
    /// Ask the store.
    Miss,
}

#[derive(Debug)]
struct Entry {
    record: Option<KeyRecord>,
    read_at: Timestamp,
    refreshing: bool,
}

/// A bounded map from hash to what the store said of it.
#[derive(Debug, Default)]
pub struct KeyCache {
    /// What was changed lately: it comes before what the key store says.
    pub live: Live,
    /// The weights of the embedding, where there is a use for them.
    pub weights: Loaded,
    /// Boxed, so that adding one moves little.
    entries: SortedMap<String, Box<Entry>>,
}

impl KeyCache {
    /// Looks a hash up. Of all who find an entry stale, one is told so.
    pub fn get(&mut self, hash: &str, now: Timestamp) -> Lookup {
        let Some(entry) = self.entries.get_mut(hash) else { return Lookup::Miss };
        let age = now.since(entry.read_at);
        if age > MAX_AGE || now < entry.read_at {
            return Lookup::Miss;
        }
        if age > FRESH && !entry.refreshing {
            entry.refreshing = true;
            return Lookup::Stale(entry.record.clone());
        }
        Lookup::Fresh(entry.record.clone())
    }

    /// Remembers what the store said.
    pub fn put(&mut self, hash: &str, record: Option<KeyRecord>, now: Timestamp) {
        if self.entries.len() >= CAPACITY && !self.entries.contains_key(hash) {
            self.entries.retain(|_, entry| now.since(entry.read_at) <= MAX_AGE);
            if self.entries.len() >= CAPACITY {
                self.entries.clear();
            }
        }
        let entry = Entry { record, read_at: now, refreshing: false };
        self.entries.insert(hash.to_owned(), Box::new(entry));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_fresh_then_stale_for_one_then_gone() {
        let mut cache = KeyCache::default();
        cache.put("h", None, Timestamp(10_000));
        assert_eq!(cache.get("h", Timestamp(12_000)), Lookup::Fresh(None));
        assert_eq!(cache.get("h", Timestamp(12_001)), Lookup::Stale(None));
        assert_eq!(cache.get("h", Timestamp(12_002)), Lookup::Fresh(None), "one refresh at a time");
        assert_eq!(cache.get("h", Timestamp(15_001)), Lookup::Miss);
        assert_eq!(cache.get("other", Timestamp(10_000)), Lookup::Miss);
    }

    #[test]
    fn fault_89_a_clock_that_jumps_back_makes_nothing_younger() {
        let mut cache = KeyCache::default();
        cache.put("h", None, Timestamp(10_000));
        assert_eq!(cache.get("h", Timestamp(9_000)), Lookup::Miss);
    }

    #[test]
    fn guessing_keys_does_not_grow_the_cache_without_bound() {
        let mut cache = KeyCache::default();
        for n in 0..(CAPACITY + 50) {
            cache.put(&n.to_string(), None, Timestamp(1));
        }
        assert!(cache.entries.len() <= CAPACITY);
    }
}
