//! How a route chooses among its candidates, and the figures each way of choosing takes.

use super::names::ModelId;
use super::routes::MODEL;
use super::shape::{Fields, Flag, OneOf, Real, Record, Whole};
use crate::units::{Millis, NanoUsd};

/// How a route chooses.
#[derive(Clone, Debug, PartialEq)]
pub enum Strategy {
    /// In the order they are written.
    Ordered,
    /// By what the caller is, the same for the same.
    Hash(Sticky),
    /// By chance, in proportion to their weights; the others stand by in their order.
    Weighted {
        /// Who gets the same again.
        sticky: Option<Sticky>,
    },
    /// The cheapest for this request.
    Cost,
    /// The one that will give its first token soonest.
    Latency,
    /// The one with the fewest calls under way for the room its provider leaves.
    Load,
    /// The one whose answers are best.
    Quality,
    /// The one for this agent's role.
    Role,
    /// Two at once, or the second after a while; the first to answer wins.
    Race(Race),
    /// Cheap first; a bad answer leads to the next.
    Cascade(Cascade),
    /// The first, or the last where it is worth it for this prompt, so that a goal is met.
    Learned(Goal),
    /// The one for what the prompt is about.
    Semantic,
    /// The one whose answers did best on prompts like this one.
    Bandit {
        /// The most calls on which another one is tried, from 0 to 1.
        explore: f64,
    },
}

/// What a learned choice is to meet, on average over calls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// The share of calls that go to the strongest candidate, from 0 to 1.
    StrongShare(f64),
    /// What a call costs.
    PerCall(NanoUsd),
    /// The share of answers that do, from 0 to 1.
    Quality(f64),
}

impl Strategy {
    /// The figures of a cascade, where it is one.
    pub fn cascade(&self) -> Option<Cascade> {
        if let Strategy::Cascade(cascade) = self { Some(cascade.clone()) } else { None }
    }

    /// How many whole answers a group of so many candidates may lead to.
    pub fn answers(&self, candidates: usize) -> usize {
        match self {
            Strategy::Race(_) => 2,
            Strategy::Cascade(_) => candidates,
            Strategy::Ordered
            | Strategy::Hash(_)
            | Strategy::Weighted { .. }
            | Strategy::Cost
            | Strategy::Latency
            | Strategy::Load
            | Strategy::Quality
            | Strategy::Role
            | Strategy::Learned(_)
            | Strategy::Semantic
            | Strategy::Bandit { .. } => 1,
        }
    }
}

/// What decides who gets the same again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sticky {
    /// The user.
    User,
    /// `x-signalbox-session`; the user where there is none.
    Session,
    /// The team.
    Team,
}

/// The figures of a race.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Race {
    /// When the second call is made; `None`: when the first takes twice as long as it usually does.
    pub after: Option<Millis>,
    /// The most of what the route spends that may go to losers, from 0 to 1. A race at once keeps to none.
    pub max_waste: f64,
}

/// The figures of a cascade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cascade {
    /// How much of a stream is held back before it is judged, in tokens.
    pub hold_tokens: u64,
    /// An answer of fewer tokens is taken for none.
    pub min_tokens: u64,
    /// The second candidate is asked, too, and the first one's answer taken where both come to the same.
    pub agree: bool,
    /// The least log-probability of a token that one in twenty may fall short of, in thousandths, where a provider tells them.
    pub min_logprob: Option<i32>,
    /// Who says whether an answer will do that is none of these.
    pub judge: Option<Judge>,
}

/// A model that is asked whether an answer will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judge {
    /// Which.
    pub model: ModelId,
    /// How long it is waited for.
    pub timeout: Millis,
}

#[derive(Clone, Copy)]
enum Word {
    Ordered,
    Hash,
    Weighted,
    Cost,
    Latency,
    Load,
    Quality,
    Role,
    Race,
    Cascade,
    Learned,
    Semantic,
    Bandit,
}

const WORDS: OneOf<Word> = OneOf {
    words: &[
        ("ordered", Word::Ordered),
        ("fallback", Word::Ordered),
        ("static", Word::Ordered),
        ("hash", Word::Hash),
        ("weighted", Word::Weighted),
        ("cost", Word::Cost),
        ("latency", Word::Latency),
        ("load", Word::Load),
        ("quality", Word::Quality),
        ("role", Word::Role),
        ("race", Word::Race),
        ("cascade", Word::Cascade),
        ("learned", Word::Learned),
        ("semantic", Word::Semantic),
        ("bandit", Word::Bandit),
    ],
    later: &["shadow"],
};

const STICKY: OneOf<Sticky> =
    OneOf { words: &[("user", Sticky::User), ("session", Sticky::Session), ("team", Sticky::Team)], later: &[] };

/// Reads the strategy and its figures; a figure of another strategy is a problem, because it would do nothing.
pub(super) fn strategy(fields: &mut Fields<'_, '_>) -> Strategy {
    let word = fields.optional("strategy", "how a candidate is chosen; else in order", WORDS).unwrap_or(Word::Ordered);
    let sticky = fields.optional("sticky", "who gets the same again: user, session or team (hash, weighted)", STICKY);
    let after = fields.optional("after_ms", "when the second call is made; 0 is at once (race)", SPAN).map(Millis);
    let waste = fields.optional("max_waste", "the most of the spend that may go to losers; else 0.02 (race)", WASTE);
    let hold = fields.optional("hold_tokens", "how much of a stream is judged; else 40 (cascade)", HOLD);
    let least = fields.optional("min_tokens", "a shorter answer is taken for none; else 1 (cascade)", LEAST);
    let agree = fields.optional("agree", "the second is asked, too; what both say is taken (cascade)", Flag);
    let sure = fields.optional("min_logprob", "what one token in twenty may fall short of, where told (cascade)", SURE);
    let judge = fields.optional("judge", JUDGE, Record(judge));
    let strong = fields.optional("strong_share", "of the calls, those for the last candidate (learned)", SHARE);
    let per_call =
        fields.optional("usd_per_call", "what a call may cost on average (learned)", USD).and_then(NanoUsd::from_usd);
    let quality = fields.optional("min_quality", "of the answers, those that are to do (learned)", SHARE);
    let explore = fields.optional("explore", "the most calls that try another; else 0.05 (bandit)", SHARE);
    let of = |word: Word, wanted: &[Word]| wanted.iter().any(|one| *one as u8 == word as u8);
    for (name, set, wanted) in [
        ("sticky", sticky.is_some(), &[Word::Hash, Word::Weighted][..]),
        ("after_ms", after.is_some(), &[Word::Race]),
        ("max_waste", waste.is_some(), &[Word::Race]),
        ("hold_tokens", hold.is_some(), &[Word::Cascade]),
        ("min_tokens", least.is_some(), &[Word::Cascade]),
        ("agree", agree.is_some(), &[Word::Cascade]),
        ("min_logprob", sure.is_some(), &[Word::Cascade]),
        ("judge", judge.is_some(), &[Word::Cascade]),
        ("strong_share", strong.is_some(), &[Word::Learned]),
        ("usd_per_call", per_call.is_some(), &[Word::Learned]),
        ("min_quality", quality.is_some(), &[Word::Learned]),
        ("explore", explore.is_some(), &[Word::Bandit]),
    ] {
        if set && !of(word, wanted) {
            fields.problem(name, "does nothing with this strategy", "Remove it, or choose the strategy it is for");
        }
    }
    let goals = [strong.is_some(), per_call.is_some(), quality.is_some()].iter().filter(|set| **set).count();
    if goals > 1 {
        fields.problem("strategy", "has more than one goal", "Keep one of strong_share, usd_per_call and min_quality");
    }
    let goal = strong.map(Goal::StrongShare).or(per_call.map(Goal::PerCall)).or(quality.map(Goal::Quality));
    match word {
        Word::Ordered => Strategy::Ordered,
        Word::Hash => Strategy::Hash(sticky.unwrap_or(Sticky::User)),
        Word::Weighted => Strategy::Weighted { sticky },
        Word::Cost => Strategy::Cost,
        Word::Latency => Strategy::Latency,
        Word::Load => Strategy::Load,
        Word::Quality => Strategy::Quality,
        Word::Role => Strategy::Role,
        Word::Race => Strategy::Race(Race { after, max_waste: waste.unwrap_or(0.02) }),
        Word::Cascade => Strategy::Cascade(Cascade {
            hold_tokens: hold.unwrap_or(40),
            min_tokens: least.unwrap_or(1),
            agree: agree.unwrap_or(false),
            min_logprob: sure.map(|sure| (sure * 1_000.0) as i32),
            judge,
        }),
        Word::Learned => Strategy::Learned(goal.unwrap_or(Goal::StrongShare(0.3))),
        Word::Semantic => Strategy::Semantic,
        Word::Bandit => Strategy::Bandit { explore: explore.unwrap_or(0.05) },
    }
}

const JUDGE: &str = "a model that says whether the answer will do (cascade)";

pub(super) fn judge(fields: &mut Fields<'_, '_>) -> Option<Judge> {
    let model = fields.required("model", "provider:model", MODEL);
    let timeout = fields.defaulted("timeout_ms", "how long it is waited for", PATIENCE, 10_000);
    Some(Judge { model: model?, timeout: Millis(timeout) })
}

const PATIENCE: Whole = Whole { min: 1, max: 60_000 };
const SPAN: Whole = Whole { min: 0, max: 600_000 };
/// A call that costs more is no call.
const USD: Real = Real { min: 0.0, max: 1_000.0, hint: "Use an amount in dollars" };
const SHARE: Real = Real { min: 0.0, max: 1.0, hint: "Use a number from 0 to 1" };
const WASTE: Real = Real { min: 0.0, max: 1.0, hint: "Use a number from 0 to 1" };
/// Long enough to tell a refusal, short enough not to be felt.
const SURE: Real = Real { min: -100.0, max: 0.0, hint: "Use a number from -100 to 0, such as -2.5" };
const HOLD: Whole = Whole { min: 1, max: 400 };
const LEAST: Whole = Whole { min: 1, max: 10_000 };
