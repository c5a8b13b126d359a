//! An issuer's keys as one process knows them, and when to ask for them again: a state machine.
//!
//! Keys are used while they are refreshed, and kept while the issuer is down. A token with an unknown key makes the keys
//! be fetched, for the key may be new; but not more than once a minute, whoever presents how many of them.

use crate::jose::set::Choice;
use crate::jose::{Algorithm, Jwk, KeySet};
use crate::units::{Millis, Timestamp};

/// Keys of this age are fetched again, behind the callers' backs.
const REFRESH_AFTER: Millis = Millis(300_000);
/// Least time between two fetches while there are keys.
const AT_MOST_EVERY: Millis = Millis(60_000);
/// Least time between two fetches while there are none: nobody can call before.
const RETRY_EVERY: Millis = Millis(5_000);
/// How long keys are believed whose issuer does not answer.
const KEEP: Millis = Millis(86_400_000);
/// A fetch that has not ended by now never will: its process was frozen.
const LOST_AFTER: Millis = Millis(20_000);

/// What is known of an issuer's keys.
#[derive(Debug, Default)]
pub struct Jwks {
    keys: Option<(KeySet, Timestamp)>,
    asked_at: Option<Timestamp>,
    in_flight: bool,
    epoch: u64,
}

/// What to do about a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Find {
    /// Check it with this key.
    Key(Box<Jwk>),
    /// Fetch the keys, then look again. Said to one; others wait.
    Fetch,
    /// Somebody is fetching: look again in a moment.
    Wait,
    /// There is no key for it.
    None,
    /// The issuer's keys cannot be had.
    Down,
}

impl Jwks {
    /// The key for a token.
    pub fn find(&mut self, kid: Option<&str>, algorithm: Algorithm, now: Timestamp) -> Find {
        let keys = self.keys.as_ref().filter(|(_, at)| now.since(*at) <= KEEP);
        let found = match keys.map(|(keys, _)| keys.choose(kid, algorithm)) {
            Some(Choice::Key(key)) => return Find::Key(Box::new(key.clone())),
            Some(Choice::Unfit) => return Find::None,
            Some(Choice::Unknown) => Find::None,
            None => Find::Down,
        };
        if self.is_busy(now) {
            return Find::Wait;
        }
        let pause = if matches!(found, Find::Down) { RETRY_EVERY } else { AT_MOST_EVERY };
        if self.asked_at.is_none_or(|at| now.since(at) >= pause || now < at) { self.begin(now) } else { found }
    }

    /// Whether the keys have become old enough to be fetched behind the callers' backs. Said to one.
    pub fn is_due(&mut self, now: Timestamp) -> bool {
        let old = self.keys.as_ref().is_some_and(|(_, at)| now.since(*at) > REFRESH_AFTER);
        let due = old && !self.is_busy(now) && self.asked_at.is_none_or(|at| now.since(at) >= AT_MOST_EVERY);
        if due {
            self.begin(now);
        }
        due
    }

    fn begin(&mut self, now: Timestamp) -> Find {
        self.asked_at = Some(now);
        self.in_flight = true;
        Find::Fetch
    }

    fn is_busy(&self, now: Timestamp) -> bool {
        self.in_flight && self.asked_at.is_some_and(|at| now.since(at) <= LOST_AFTER)
    }

    /// A fetch ended. Without keys the last good ones stay.
    pub fn fetched(&mut self, keys: Option<KeySet>, now: Timestamp) {
        self.in_flight = false;
        let Some(keys) = keys else { return };
        // A key that is gone was revoked: what was checked with it must be looked at again.
        if self.keys.as_ref().is_some_and(|(old, _)| !keys.keeps(old)) {
            self.epoch += 1;
        }
        self.keys = Some((keys, now));
    }

    /// Changes whenever a key is gone.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: Timestamp = Timestamp(1_000_000_000);

    fn set(kids: &[&str]) -> KeySet {
        let x = "pk0W25mNx44GJJfrm0n8kFof969s41QNMNvw0agXtCE";
        let keys: Vec<_> =
            kids.iter().map(|kid| json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid })).collect();
        KeySet::read(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
    }

    fn known(kids: &[&str]) -> Jwks {
        let mut jwks = Jwks::default();
        assert_eq!(find(&mut jwks, "a", NOW), Find::Fetch);
        jwks.fetched(Some(set(kids)), NOW);
        jwks
    }

    fn find(jwks: &mut Jwks, kid: &str, now: Timestamp) -> Find {
        jwks.find(Some(kid), Algorithm::EdDsa, now)
    }

    #[test]
    fn fault_8_unknown_keys_are_fetched_for_once_a_minute_however_many_ask() {
        let mut jwks = known(&["a"]);
        let mut fetches = 0;
        for request in 0..100_000u64 {
            let now = NOW + Millis(request);
            let found = find(&mut jwks, &format!("unknown-{request}"), now);
            if found == Find::Fetch {
                fetches += 1;
                jwks.fetched(Some(set(&["a"])), now);
            } else {
                assert_eq!(found, Find::None);
            }
        }
        assert_eq!(fetches, 1, "in 100 seconds, after the first");
    }

    #[test]
    fn one_fetches_and_the_others_wait() {
        let mut jwks = Jwks::default();
        assert_eq!(find(&mut jwks, "a", NOW), Find::Fetch);
        assert_eq!(find(&mut jwks, "a", NOW), Find::Wait);
        assert_eq!(find(&mut jwks, "a", NOW + Millis(20_001)), Find::Fetch, "a lost fetch is no fetch");
    }

    #[test]
    fn fault_10_a_new_key_is_found_and_an_old_one_ends_what_was_checked_with_it() {
        let mut jwks = known(&["a"]);
        let later = NOW + Millis(60_000);
        assert_eq!(find(&mut jwks, "b", later), Find::Fetch);
        jwks.fetched(Some(set(&["a", "b"])), later);
        assert!(matches!(find(&mut jwks, "b", later), Find::Key(_)));
        assert_eq!(jwks.epoch(), 0, "nothing is gone");
        jwks.fetched(Some(set(&["b"])), later);
        assert_eq!(jwks.epoch(), 1);
        assert_eq!(find(&mut jwks, "a", later), Find::None);
    }

    #[test]
    fn keys_are_kept_for_a_day_while_the_issuer_is_down() {
        let mut jwks = known(&["a"]);
        let later = NOW + Millis(300_001);
        assert!(jwks.is_due(later) && !jwks.is_due(later), "one refreshes");
        jwks.fetched(None, later);
        assert!(!jwks.is_due(later + Millis(59_999)) && jwks.is_due(later + Millis(60_000)));
        jwks.fetched(None, later);
        assert!(matches!(find(&mut jwks, "a", NOW + KEEP), Find::Key(_)));
        assert_eq!(find(&mut jwks, "a", NOW + KEEP + Millis(1)), Find::Fetch);
        jwks.fetched(None, NOW + KEEP + Millis(1));
        assert_eq!(find(&mut jwks, "a", NOW + KEEP + Millis(2)), Find::Down);
    }
}
