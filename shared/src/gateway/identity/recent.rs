//! What a store said lately, for records that are asked for by name with every call.

use crate::gateway::key_cache::{FRESH, MAX_AGE};
use crate::sorted::SortedMap;
use crate::units::Timestamp;

/// Entries kept. Unknown names are remembered too, so this also bounds what guessing costs.
const CAPACITY: usize = 10_000;

/// A bounded map from name to what the store said of it.
#[derive(Debug)]
pub struct Recent<R> {
    entries: SortedMap<String, Entry<R>>,
}

#[derive(Debug)]
struct Entry<R> {
    said: Option<R>,
    read_at: Timestamp,
    refreshing: bool,
}

impl<R> Default for Recent<R> {
    fn default() -> Recent<R> {
        Recent { entries: SortedMap::new() }
    }
}

impl<R: Clone> Recent<R> {
    /// What the store said of a name, and whether the one who got this must ask again. `None`: ask first.
    pub fn get(&mut self, name: &str, now: Timestamp) -> Option<(Option<R>, bool)> {
        let entry = self.entries.get_mut(name)?;
        let age = now.since(entry.read_at);
        if age > MAX_AGE || now < entry.read_at {
            return None;
        }
        let is_asker = age > FRESH && !entry.refreshing;
        entry.refreshing |= is_asker;
        Some((entry.said.clone(), is_asker))
    }

    /// Remembers what the store said.
    pub fn put(&mut self, name: &str, said: Option<R>, now: Timestamp) {
        if self.entries.len() >= CAPACITY && !self.entries.contains_key(name) {
            self.entries.retain(|_, entry| now.since(entry.read_at) <= MAX_AGE);
            if self.entries.len() >= CAPACITY {
                self.entries.clear();
            }
        }
        self.entries.insert(name.to_owned(), Entry { said, read_at: now, refreshing: false });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_good_then_asked_for_by_one_then_gone() {
        let mut recent = Recent::default();
        recent.put("a", Some(1), Timestamp(10_000));
        assert_eq!(recent.get("a", Timestamp(12_000)), Some((Some(1), false)));
        assert_eq!(recent.get("a", Timestamp(12_001)), Some((Some(1), true)));
        assert_eq!(recent.get("a", Timestamp(12_002)), Some((Some(1), false)), "one asks");
        assert_eq!(recent.get("a", Timestamp(15_001)), None);
        assert_eq!(recent.get("a", Timestamp(9_999)), None, "a clock that jumps back makes nothing younger");
        assert_eq!(recent.get("b", Timestamp(10_000)), None);
    }

    #[test]
    fn guessing_names_does_not_grow_it_without_bound() {
        let mut recent = Recent::<u8>::default();
        for n in 0..(CAPACITY + 50) {
            recent.put(&n.to_string(), None, Timestamp(1));
        }
        assert!(recent.entries.len() <= CAPACITY);
    }
}
