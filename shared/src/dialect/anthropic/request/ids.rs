//! Ids of tool calls as Anthropic takes them: letters, digits, `_` and `-`, each used once.
//!
//! Servers of OpenAI's dialect make ids like `functions.get_weather:0` and use them again in every
//! turn. A result follows the last call that had its id.

use crate::sorted::{SortedMap, SortedSet};

#[derive(Debug, Default)]
pub(in crate::dialect) struct Ids {
    /// From the caller's id to the one last written for it.
    last: SortedMap<String, String>,
    used: SortedSet<String>,
}

impl Ids {
    /// The id to write for a call.
    pub(in crate::dialect) fn call(&mut self, id: &str) -> String {
        let base = clean(id);
        let mut unique = base.clone();
        let mut n = 1_usize;
        while !self.used.insert(unique.clone()) {
            n += 1;
            // Calls that share an id are numbered by how many there are: no search from 1 each time.
            n = n.max(self.used.len());
            unique = format!("{base}_{n}");
        }
        self.last.insert(id.to_owned(), unique.clone());
        unique
    }

    /// The id to write for a result.
    pub(in crate::dialect) fn result(&self, id: &str) -> String {
        self.last.get(id).cloned().unwrap_or_else(|| clean(id))
    }
}

fn clean(id: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let clean: String = id.chars().map(|c| if fits(c) { c } else { '_' }).collect();
    if clean.is_empty() { "call".to_owned() } else { clean }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_clean_and_unique_and_results_follow_their_call() {
        let mut ids = Ids::default();
        assert_eq!(ids.call("functions.get:0"), "functions_get_0");
        assert_eq!(ids.result("functions.get:0"), "functions_get_0");
        let again = ids.call("functions.get:0");
        assert_ne!(again, "functions_get_0");
        assert_eq!(ids.result("functions.get:0"), again);
        assert_eq!(
            (ids.call("toolu_01-A"), ids.result("unknown/1")),
            ("toolu_01-A".to_owned(), "unknown_1".to_owned())
        );
    }

    #[test]
    fn ten_thousand_equal_ids_take_no_time() {
        let mut ids = Ids::default();
        let unique: SortedSet<String> = (0..10_000).map(|_| ids.call("same")).collect();
        assert_eq!(unique.len(), 10_000);
    }
}
