//! Whose prompt cache holds the beginning of a session: who answered it last, not long ago.

use crate::config::ModelId;
use crate::router::view::Warm;
use crate::sorted::SortedMap;
use crate::units::{Millis, Timestamp, Tokens};

/// How long providers keep a prompt that is not asked for again, on the short side.
const KEPT: Millis = Millis(300_000);
/// Sessions remembered.
const CAPACITY: usize = 4_096;

/// The sessions of a process.
#[derive(Debug, Default)]
pub(super) struct Sessions(SortedMap<String, Last>);

#[derive(Debug)]
struct Last {
    model: ModelId,
    tokens: Tokens,
    at: Timestamp,
}

impl Sessions {
    pub(super) fn get(&self, session: &str, now: Timestamp) -> Option<Warm> {
        let last = self.0.get(session).filter(|last| now.since(last.at) <= KEPT)?;
        Some(Warm { model: last.model.to_string(), tokens: last.tokens })
    }

    pub(super) fn put(&mut self, session: &str, model: &ModelId, tokens: Tokens, now: Timestamp) {
        if self.0.len() >= CAPACITY && !self.0.contains_key(session) {
            self.0.retain(|_, last| now.since(last.at) <= KEPT);
            if self.0.len() >= CAPACITY {
                self.0.clear();
            }
        }
        self.0.insert(session.to_owned(), Last { model: model.clone(), tokens, at: now });
    }
}
