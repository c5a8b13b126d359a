//! Tokens as one process remembers them, so that a signature is checked once and not with every call.
//!
//! A token is known by the SHA-256 of all of it: two that begin alike are not alike. An entry never outlives its token,
//! and never five minutes; one memory serves one configuration, so that no token is believed by rules that were changed.

use super::clients::Scope;
use crate::gateway::Caller;
use crate::sorted::SortedMap;
use crate::units::{Millis, Timestamp};
use sha2::{Digest, Sha256};

/// The longest a token is believed without another look.
const MAX_AGE: Millis = Millis(300_000);
/// Tokens remembered.
const CAPACITY: usize = 10_000;

/// A token's SHA-256.
pub type Fingerprint = [u8; 32];

/// The fingerprint of a whole token.
pub fn fingerprint(token: &str) -> Fingerprint {
    Sha256::digest(token.as_bytes()).into()
}

/// A token that was good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Good {
    /// An identity provider's.
    Foreign {
        /// Who presents it.
        caller: Box<Caller>,
        /// Whose it is: a name in the configuration.
        source: String,
        /// Which state of its issuer's keys it was checked against.
        epoch: u64,
    },
    /// An opaque one, which its issuer said is good.
    Told(Box<Caller>),
    /// The gateway's own.
    Own {
        /// The client it was issued to.
        client: String,
        /// What it was issued for.
        scopes: Vec<Scope>,
    },
}

/// A bounded map of tokens that were looked at.
#[derive(Debug)]
pub struct Tokens<T = Good> {
    /// Boxed, so that adding one moves little.
    entries: SortedMap<Fingerprint, Box<(Timestamp, T)>>,
}

impl<T> Default for Tokens<T> {
    fn default() -> Tokens<T> {
        Tokens { entries: SortedMap::new() }
    }
}

impl<T> Tokens<T> {
    /// What is remembered of a token.
    pub fn get(&self, token: &Fingerprint, now: Timestamp) -> Option<&T> {
        self.entries.get(token).filter(|entry| now < entry.0 && now + MAX_AGE >= entry.0).map(|entry| &entry.1)
    }

    /// Remembers a token until its end, or for as long as is allowed.
    pub fn put(&mut self, token: Fingerprint, said: T, expires_at: Timestamp, now: Timestamp) {
        let until = expires_at.min(now + MAX_AGE);
        if until <= now {
            return;
        }
        if self.entries.len() >= CAPACITY {
            self.entries.retain(|_, entry| now < entry.0);
            if self.entries.len() >= CAPACITY {
                self.entries.clear();
            }
        }
        self.entries.insert(token, Box::new((until, said)));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn good() -> Good {
        Good::Foreign { caller: Box::default(), source: "corp".into(), epoch: 1 }
    }

    #[test]
    fn fault_6_tokens_that_begin_alike_are_not_alike() {
        let mut tokens = Tokens::<Good>::default();
        let one = format!("{}a", "x".repeat(200));
        let other = format!("{}b", "x".repeat(200));
        tokens.put(fingerprint(&one), good(), Timestamp(1_000), Timestamp(0));
        assert!(tokens.get(&fingerprint(&one), Timestamp(1)).is_some());
        assert!(tokens.get(&fingerprint(&other), Timestamp(1)).is_none());
    }

    #[test]
    fn fault_7_a_token_is_forgotten_at_its_end_and_after_five_minutes() {
        let mut tokens = Tokens::<Good>::default();
        let token = fingerprint("t");
        tokens.put(token, good(), Timestamp(1_000), Timestamp(0));
        assert!(tokens.get(&token, Timestamp(999)).is_some() && tokens.get(&token, Timestamp(1_000)).is_none());
        tokens.put(token, good(), Timestamp(9_000_000), Timestamp(1_000));
        assert!(tokens.get(&token, Timestamp(300_999)).is_some() && tokens.get(&token, Timestamp(301_000)).is_none());
        tokens.put(token, good(), Timestamp(500), Timestamp(600));
        assert!(tokens.get(&token, Timestamp(301_000)).is_none());
    }

    #[test]
    fn fault_89_a_clock_that_jumps_back_lengthens_no_token() {
        let mut tokens = Tokens::<Good>::default();
        tokens.put(fingerprint("t"), good(), Timestamp(9_000_000), Timestamp(1_000_000));
        assert!(tokens.get(&fingerprint("t"), Timestamp(900_000)).is_none());
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut tokens = Tokens::<Good>::default();
        for n in 0..CAPACITY + 5 {
            tokens.put(fingerprint(&n.to_string()), good(), Timestamp(1_000), Timestamp(0));
        }
        assert!(tokens.entries.len() <= CAPACITY);
    }
}
