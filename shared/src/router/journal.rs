//! The decisions of a process: the latest in full, and what of their numbers is not among the fleet's yet.
//!
//! In full they are kept where there is something to learn from them: the caller asked to have it explained, somebody
//! failed, or it is one in a few. At most twenty a second are written down for longer.

use super::learn::fixed::ONE;
use super::{Decision, Question, Tally, Verdict};
use crate::config::ModelId;
use crate::json::json;
use crate::units::{Millis, NanoUsd, Timestamp};
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The shelf on which decisions are kept.
pub const KEPT_DECISIONS: &str = "decisions";
/// Decisions remembered in full.
const REMEMBERED: usize = 256;
/// Of ordinary decisions, one in so many is written down.
const SAMPLE: u64 = 10;
/// Written down at once, and how often.
const BATCH: usize = 20;
const BATCH_AFTER: Millis = Millis(1_000);
/// How often what was counted is added to the fleet's sums.
const COUNT_AFTER: Millis = Millis(5_000);

/// What became of a decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Concluded {
    /// What was decided.
    pub decision: Arc<Decision>,
    /// By what: asked again, it gives the same.
    pub question: Arc<Question>,
    /// Whose request it was.
    pub team: String,
    /// When it came.
    pub at: Timestamp,
    /// Who answered in the end; `None`: nobody.
    pub answered: Option<ModelId>,
    /// Calls made.
    pub calls: usize,
    /// Who was asked and failed, call by call.
    pub failed: Vec<ModelId>,
    /// How it ended, in the audit line's word.
    pub outcome: &'static str,
    /// What it cost.
    pub cost: NanoUsd,
    /// Somebody wants to see it.
    pub explain: bool,
}

/// The decisions of a process.
#[derive(Debug, Default)]
pub struct Journal(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    recent: VecDeque<Concluded>,
    waiting: VecDeque<Concluded>,
    batch_at: Timestamp,
    seen: u64,
    /// What was counted and is not among the fleet's sums yet.
    fresh: Tally,
    counted_at: Timestamp,
}

impl Concluded {
    /// As it is shown and kept: the decision's own members, what it was made by, then what became of it.
    pub fn json(&self) -> Value {
        let mut value = crate::json::value(&*self.decision);
        if let Some(members) = value.as_object_mut() {
            let question = crate::json::text(&self.question.json()).and_then(crate::json::tree).unwrap_or_default();
            let more = json!({
                "question": question,
                "object": "decision", "at": self.at, "team": self.team, "answered": self.answered,
                "calls": self.calls, "outcome": self.outcome, "cost_nano_usd": self.cost,
            });
            members.extend(more.as_object().cloned().unwrap_or_default());
        }
        value
    }

    /// What the dearest candidate that was kept would have cost more, by estimate.
    pub(super) fn saved(&self) -> NanoUsd {
        let kept = self.decision.considered.iter().filter(|considered| considered.verdict != Verdict::Dropped);
        let cost = |model: &ModelId| {
            let of = self.decision.considered.iter().find(|considered| considered.model == *model);
            of.and_then(|considered| considered.scores).map(|scores| scores.usd)
        };
        let dearest = kept.filter_map(|considered| cost(&considered.model)).max();
        match (dearest, self.answered.as_ref().and_then(cost)) {
            (Some(dearest), Some(answered)) => dearest.saturating_sub(answered),
            (Some(_) | None, _) => NanoUsd::ZERO,
        }
    }

    /// How much of what answered went wrong, in parts of 65,536: an answer that broke off is none, one that somebody did
    /// not wait for is perhaps none.
    pub(super) fn wrong(&self) -> i32 {
        match self.outcome {
            "cut" => ONE,
            "cancelled" => ONE / 2,
            _ => 0,
        }
    }

    pub(super) fn fell_back(&self) -> bool {
        self.answered.as_ref() != self.decision.plan.first().map(|step| &step.model)
    }
}

impl Journal {
    /// Nothing panics while the lock is held, so a poisoned lock guards good data all the same.
    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of a decision that is over.
    pub fn note(&self, concluded: Concluded) {
        let mut pages = self.lock();
        pages.seen += 1;
        pages.fresh.note(&concluded);
        let telling = concluded.explain || concluded.fell_back() || pages.seen % SAMPLE == 1;
        if telling && pages.waiting.len() < BATCH {
            pages.waiting.push_back(concluded.clone());
        }
        if pages.recent.len() >= REMEMBERED {
            pages.recent.pop_front();
        }
        pages.recent.push_back(concluded);
    }

    /// What should be written down now, by id.
    pub fn due(&self, now: Timestamp) -> Vec<(String, String)> {
        let mut pages = self.lock();
        if pages.waiting.is_empty() || (now.since(pages.batch_at) < BATCH_AFTER && now >= pages.batch_at) {
            return Vec::new();
        }
        pages.batch_at = now;
        pages.waiting.drain(..).map(|one| (one.decision.id.clone(), one.json().to_string())).collect()
    }

    /// A decision that is remembered.
    pub fn find(&self, id: &str) -> Option<Value> {
        self.lock().recent.iter().find(|one| one.decision.id == id).map(Concluded::json)
    }

    /// What is to be added to the fleet's sums, when it is time. Whoever takes it adds it, or gives it back.
    pub fn counted(&self, now: Timestamp) -> Option<Tally> {
        let mut pages = self.lock();
        if pages.fresh.is_empty() || (now.since(pages.counted_at) < COUNT_AFTER && now >= pages.counted_at) {
            return None;
        }
        pages.counted_at = now;
        Some(std::mem::take(&mut pages.fresh))
    }

    /// It could not be added: it is the next time.
    pub fn uncounted(&self, tally: &Tally) {
        self.lock().fresh.add(tally);
    }

    /// Decisions in numbers: the fleet's sums, and what of this process is not among them yet.
    pub fn sum<'r>(&self, kept: impl Iterator<Item = &'r str>) -> Tally {
        let mut sum = self.lock().fresh.clone();
        kept.for_each(|text| sum.read(text));
        sum
    }

    /// The same, as an administrator sees it.
    pub fn summary<'r>(&self, kept: impl Iterator<Item = &'r str>) -> Value {
        self.sum(kept).json()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::router::tests::{ask, router};
    use crate::router::{Ask, Router, View};

    fn concluded(id: &str, answered: &str) -> Concluded {
        let router = router("[routes.r]\nstrategy = \"cost\"\ncandidates = [\"openai:dear\", \"openai:cheap\"]");
        let question = Question { ask: ask("r"), view: Some(View::default()), entropy: Some(0) };
        let decision = router.decide(&question.ask, &View::default(), 0).unwrap();
        Concluded {
            question: Arc::new(question),
            decision: Arc::new(Decision { id: id.to_owned(), ..decision }),
            team: "payments".into(),
            at: Timestamp(1),
            answered: ModelId::parse(answered),
            calls: 1,
            failed: Vec::new(),
            outcome: "ok",
            cost: NanoUsd(5),
            explain: false,
        }
    }

    #[test]
    fn savings_are_held_against_the_dearest_that_was_kept() {
        let journal = Journal::default();
        journal.note(concluded("a", "openai:cheap"));
        journal.note(concluded("b", "openai:dear"));
        let summary = journal.summary([].into_iter());
        assert_eq!(summary["routes"][0]["decisions"], 2);
        assert_eq!(summary["routes"][0]["fell_back"], 1);
        assert_eq!(summary["routes"][0]["saved_usd_estimate"], "0.00891", "0.009 less 0.00009");
        assert_eq!(summary["verdicts"], json!({ "chosen": 2, "kept": 2 }));
        // Taken, it is counted where it was added; given back, here.
        let taken = journal.counted(Timestamp(10_000)).unwrap();
        assert_eq!(journal.summary([taken.text().as_str()].into_iter()), summary);
        assert_eq!(journal.counted(Timestamp(20_000)), None);
        journal.uncounted(&taken);
        assert_eq!(journal.counted(Timestamp(12_000)), None, "not that soon");
        assert_eq!(journal.summary([].into_iter()), summary);
        assert_eq!(journal.find("b").unwrap()["answered"], "openai:dear");
        assert_eq!(journal.find("c"), None);
    }

    #[test]
    fn what_was_kept_is_decided_again_and_comes_out_the_same() {
        let router = router("[routes.r]\nstrategy = \"weighted\"\ncandidates = [\"openai:dear\", \"openai:cheap\"]");
        let asked = Ask { user: Some("u".into()), session: Some("s".into()), ..ask("r") };
        for entropy in [0, 7, u64::MAX] {
            let view = router.view(&asked, Timestamp(5));
            let decision = router.decide(&asked, &view, entropy).unwrap();
            let question = Question { ask: asked.clone(), view: Some(view), entropy: Some(entropy) };
            let one = Concluded {
                decision: Arc::new(decision.clone()),
                question: Arc::new(question),
                ..concluded("a", "openai:dear")
            };
            let kept = one.json()["question"].to_string();
            let Question { ask, view, entropy } = crate::json::parse(&kept).unwrap();
            assert_eq!(router.decide(&ask, &view.unwrap(), entropy.unwrap()).unwrap(), decision);
        }
    }

    #[test]
    fn what_is_written_down_is_bounded_whatever_the_traffic() {
        let journal = Journal::default();
        let mut written = 0;
        for n in 0..5_000 {
            journal.note(concluded(&n.to_string(), "openai:dear"));
            written += journal.due(Timestamp(10_000 + n)).len();
        }
        assert!((60..=120).contains(&written), "{written} in five seconds");
        assert!(journal.find("0").is_none() && journal.find("4999").is_some(), "the latest are remembered");
    }
}
