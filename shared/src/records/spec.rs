//! The specification of a shelf in a form every store can be run against: endless mixed traffic whose answers must be
//! those of the [`Shelf`] in memory.

use super::{Expect, Range, Record, Shelf, Write};
use crate::units::{Millis, Timestamp};
use std::fmt::Display;

/// A shelf that can be put to the test, wherever it is kept. Time is an argument, so that records can expire.
#[allow(async_fn_in_trait, reason = "generic within one thread's executor; see ports")]
pub trait ShelfUnderTest {
    /// Why a question could not be answered at all.
    type Error: Display;

    /// One record.
    async fn read(&mut self, key: &str, now: Timestamp) -> Result<Option<Record>, Self::Error>;
    /// Several.
    async fn list(&mut self, range: &Range, now: Timestamp) -> Result<Vec<Record>, Self::Error>;
    /// A change; whether it was made.
    async fn write(&mut self, writes: &[Write], now: Timestamp) -> Result<bool, Self::Error>;
}

/// Asks an empty shelf `steps` things and compares each answer with the specification's.
pub async fn check<S: ShelfUnderTest>(shelf: &mut S, seed: u64, steps: usize, begin: Timestamp) -> Result<(), String> {
    let (mut reference, mut random, mut now) = (Shelf::default(), Random(seed), begin);
    for step in 0..steps {
        let told = |what: String| format!("seed {seed}, step {step}: {what}");
        now = now + Millis(random.below(400));
        match random.below(10) {
            0..=1 => {
                let key = random.key();
                let (want, got) = (reference.read(&key, now), shelf.read(&key, now).await);
                let got = got.map_err(|error| told(error.to_string()))?;
                if want != got {
                    return Err(told(format!("read {key}: {got:?}, not {want:?}")));
                }
            }
            2..=3 => {
                let range = random.range();
                let (want, got) = (reference.list(&range, now), shelf.list(&range, now).await);
                let got = got.map_err(|error| told(error.to_string()))?;
                if want != got {
                    return Err(told(format!("list {range:?}: {got:?}, not {want:?}")));
                }
            }
            _ => {
                let writes = random.writes(&reference, now);
                let (want, got) = (reference.write(&writes, now), shelf.write(&writes, now).await);
                let got = got.map_err(|error| told(error.to_string()))?;
                if want != got {
                    return Err(told(format!("write {writes:?}: {got}, not {want}")));
                }
            }
        }
    }
    Ok(())
}

/// SplitMix64: the same seed asks the same.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn key(&mut self) -> String {
        // Names with a common beginning, with what patterns would misread, beyond ASCII.
        let names = ["a", "a/1", "a/10", "a/2", "a_1", "a%", "b", "b/é", "b/z", "B"];
        let at = self.below(names.len() as u64) as usize;
        names.get(at).copied().unwrap_or("a").to_owned()
    }

    fn range(&mut self) -> Range {
        let prefixes = ["", "a", "a/", "a_", "b/", "none"];
        let at = self.below(prefixes.len() as u64) as usize;
        let after = (self.below(2) == 0).then(|| self.key());
        let prefix = prefixes.get(at).copied().unwrap_or("").to_owned();
        Range { prefix, after, descending: self.below(2) == 0, limit: self.below(4) as usize + 1 }
    }

    fn writes(&mut self, shelf: &Shelf, now: Timestamp) -> Vec<Write> {
        let mut writes: Vec<Write> = Vec::new();
        for _ in 0..=self.below(3) {
            let key = self.key();
            if writes.iter().any(|write| write.key == key) {
                continue;
            }
            let version = shelf.read(&key, now).map_or(0, |record| record.version);
            let expect = match self.below(4) {
                0 => Expect::Absent,
                // Mostly right, sometimes out of date.
                1 if version > 0 => Expect::Version(version),
                1 => Expect::Version(self.below(3) + 1),
                _ => Expect::Anything,
            };
            let value = (self.below(5) > 0).then(|| format!("{{\"n\":{}}}", self.below(1_000)));
            let expires_at = (self.below(4) == 0).then(|| now + Millis(self.below(2_000) + 1));
            writes.push(Write { key, value, expect, expires_at });
        }
        writes
    }
}
