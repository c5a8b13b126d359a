//! Decisions in numbers: sums that any number of processes add to, in any order.
//!
//! They are kept a day at a time, in a few records that instances share. A line is a name and five figures.

use super::{Concluded, Verdict};
use crate::json::json;
use crate::sorted::SortedMap;
use crate::units::{Millis, NanoUsd, Timestamp};
use serde_json::{Map, Value};

/// The shelf on which the sums are kept.
pub const TALLIES: &str = "tallies";
/// How long.
pub const TALLY_LIFE: Millis = Millis(32 * DAY);
const DAY: u64 = 24 * 3_600_000;
/// Records a day: who adds at once mostly adds to another.
const SHARDS: u64 = 8;
/// Routes with their reasons, verdicts and rails that are counted apart.
const MOST: usize = 512;

/// What is counted of a route and reason: decisions, those that fell back, those that nobody answered, what was spent and
/// what was saved, in nano-dollars. Of anything else the first alone.
pub(super) type Figures = [u64; 5];

/// Sums, by what they are of: `route NAME REASON`, `verdict WORD`, `dropped RAIL`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally(SortedMap<String, Figures>);

impl Tally {
    /// The record that an instance adds to at an instant.
    pub fn key(instance: &str, now: Timestamp) -> String {
        let shard = instance.bytes().fold(0, |sum, byte| sum + u64::from(byte)) % SHARDS;
        format!("{:06}/{shard}", now.0 / DAY)
    }

    /// The name behind which the records of the last so many days stand, today's among them.
    pub fn since(days: u64, now: Timestamp) -> String {
        format!("{:06}", (now.0 / DAY + 1).saturating_sub(days))
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn count(&mut self, name: String, figures: Figures) {
        if self.0.len() < MOST || self.0.contains_key(&name) {
            let sums = self.0.entry(name).or_default();
            sums.iter_mut().zip(figures).for_each(|(sum, figure)| *sum = sum.saturating_add(figure));
        }
    }

    /// Counts a decision that is over.
    pub(super) fn note(&mut self, one: &Concluded) {
        let decision = &one.decision;
        let route = decision.route.as_deref().unwrap_or("direct");
        let unanswered = one.answered.is_none();
        let figures = [1, u64::from(!unanswered && one.fell_back()), unanswered.into(), one.cost.0, one.saved().0];
        self.count(["route ", route, " ", decision.reason.as_str()].concat(), figures);
        for considered in &decision.considered {
            self.count(["verdict ", considered.verdict.as_str()].concat(), [1, 0, 0, 0, 0]);
            if let Some(drop) = considered.reason.filter(|_| considered.verdict == Verdict::Dropped) {
                self.count(["dropped ", drop.as_str()].concat(), [1, 0, 0, 0, 0]);
            }
        }
    }

    /// Adds other sums.
    pub fn add(&mut self, other: &Tally) {
        other.0.iter().for_each(|(name, figures)| self.count(name.clone(), *figures));
    }

    /// As it is kept.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (name, figures) in &self.0 {
            text.push_str(name);
            figures.iter().for_each(|figure| text.extend([" ", &figure.to_string()]));
            text.push('\n');
        }
        text
    }

    /// Adds what [`Tally::text`] wrote; a line that is something else is passed over.
    pub fn read(&mut self, text: &str) {
        for line in text.lines() {
            let mut words = line.rsplitn(6, ' ');
            let mut figures = Figures::default();
            let read = figures
                .iter_mut()
                .rev()
                .all(|figure| words.next().and_then(|word| word.parse().ok()).map(|read| *figure = read).is_some());
            if let (true, Some(name)) = (read, words.next()) {
                self.count(name.to_owned(), figures);
            }
        }
    }

    /// What is counted of each route, whatever its reasons.
    pub(super) fn routes(&self) -> SortedMap<String, Figures> {
        let mut routes: SortedMap<String, Figures> = SortedMap::new();
        for (name, figures) in &self.0 {
            if let Some((route, _)) = name.strip_prefix("route ").and_then(|rest| rest.split_once(' ')) {
                let sums = routes.entry(route.to_owned()).or_default();
                sums.iter_mut().zip(figures).for_each(|(sum, figure)| *sum = sum.saturating_add(*figure));
            }
        }
        routes
    }

    /// As an administrator sees it.
    pub(super) fn json(&self) -> Value {
        let (mut decisions, mut routes) = (0_u64, Vec::new());
        let (mut verdicts, mut dropped) = (Map::new(), Map::new());
        for (name, [count, fell_back, unanswered, spent, saved]) in &self.0 {
            let mut words = name.split(' ');
            match (words.next(), words.next(), words.next()) {
                (Some("route"), Some(route), Some(reason)) => {
                    decisions = decisions.saturating_add(*count);
                    routes.push(json!({
                        "route": route, "reason": reason, "decisions": count, "fell_back": fell_back,
                        "unanswered": unanswered, "spent_usd": NanoUsd(*spent).to_string(),
                        "saved_usd_estimate": NanoUsd(*saved).to_string(),
                    }));
                }
                (Some("verdict"), Some(word), None) => drop(verdicts.insert(word.to_owned(), (*count).into())),
                (Some("dropped"), Some(word), None) => drop(dropped.insert(word.to_owned(), (*count).into())),
                (_, _, _) => {}
            }
        }
        json!({
            "object": "decisions.summary",
            "scope": "the fleet, by days in UTC: an estimate, for an instance that ends takes its last seconds' counts with it",
            "savings": "an estimate: what the dearest kept candidate would have cost for 400 tokens of answer, less the one that answered",
            "decisions": decisions,
            "routes": routes,
            "verdicts": verdicts,
            "dropped": dropped,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn tally(lines: &str) -> Tally {
        let mut tally = Tally::default();
        tally.read(lines);
        tally
    }

    #[test]
    fn sums_are_read_as_they_were_written_and_added_in_any_order() {
        let (a, b) =
            (tally("route fast first 3 1 0 50 70\nverdict kept 2 0 0 0 0\n"), tally("route fast first 1 0 1 5 0\n"));
        assert_eq!(tally(&a.text()), a);
        let (mut one, mut other) = (a.clone(), b.clone());
        one.add(&b);
        other.add(&a);
        assert_eq!(one, other);
        assert_eq!(one.text(), "route fast first 4 1 1 55 70\nverdict kept 2 0 0 0 0\n");
        let told = one.json();
        assert_eq!((&told["decisions"], &told["routes"][0]["fell_back"]), (&json!(4), &json!(1)));
        assert_eq!(told["verdicts"], json!({ "kept": 2 }));
    }

    #[test]
    fn what_is_no_sum_is_passed_over_and_what_is_counted_is_bounded() {
        assert!(tally("\n1 2 3 4 5\nroute x y 1 2 3 4\nroute x y 1 2 3 4 -5\nroute x y 1 2 3 4 z\n").is_empty());
        let many: String = (0..2_000).map(|n| format!("route r{n} first 1 0 0 0 0\n")).collect();
        assert_eq!(tally(&many).text().lines().count(), MOST);
        assert_eq!(
            tally(&format!("verdict kept {0} 0 0 0 0\nverdict kept {0} 0 0 0 0\n", u64::MAX)).0["verdict kept"][0],
            u64::MAX
        );
    }

    #[test]
    fn the_records_of_some_days_stand_behind_one_name() {
        let (first, today) = (Timestamp(20_000 * DAY), Timestamp(20_002 * DAY + 5));
        assert!(
            Tally::since(3, today) <= Tally::key("00ff", first) && Tally::since(2, today) > Tally::key("00ff", first)
        );
        assert!(Tally::since(1, today) < Tally::key("00ff", today));
    }
}
