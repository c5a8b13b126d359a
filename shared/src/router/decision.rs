//! What was decided and why: the same words in headers, logs, the dry run and the decisions kept.

use super::view::Chance;
use crate::config::{ModelId, TimeoutsOverride};
use crate::units::{Millis, NanoUsd, Timestamp, Tokens};
use serde::{Deserialize, Serialize, Serializer};

/// An ordered plan and how it came about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    /// The request's id.
    pub id: String,
    /// The route or class the ask resolved to; `None` when a model was named.
    pub route: Option<String>,
    /// How the plan was ordered.
    pub strategy: Strategy,
    /// Why the first step is first, in one word.
    pub reason: Reason,
    /// Whom to ask, in this order.
    pub plan: Vec<Step>,
    /// Every candidate and its verdict.
    pub considered: Vec<Considered>,
    /// What was known of the request.
    pub signals: Told,
    /// What was known of the world.
    pub view: Seen,
    /// Who is sent a copy in the background.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow: Option<ModelId>,
    /// The route learns from what the copy comes to.
    #[serde(skip)]
    pub shadow_teaches: bool,
    /// Who says whether the copy's answer will do.
    #[serde(skip)]
    pub shadow_judge: Option<crate::config::Judge>,
    /// Another service made it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub remote: bool,
    /// The route's own time limits, for every step of the plan.
    #[serde(skip)]
    pub timeouts: TimeoutsOverride,
    /// How a cascade judges.
    #[serde(skip)]
    pub cascade: Option<crate::config::Cascade>,
    /// A refusal by a provider's content policy leads to the next step.
    #[serde(skip)]
    pub past_content_policy: bool,
    /// When the soonest of those that are resting can be asked again.
    #[serde(skip)]
    pub retry_at: Option<Timestamp>,
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Whom to ask.
    pub model: ModelId,
    /// Why it is in the plan.
    pub role: Role,
    /// For a hedge: how long the primary is waited for before it is asked too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_ms: Option<Millis>,
}

/// The role of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Asked first.
    Primary,
    /// Asked when those before it failed.
    Fallback,
    /// Asked beside the primary.
    Hedge,
    /// Asked when the answer before it is not good enough, or failed.
    Escalation,
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $variant:ident = $word:literal,)* })*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$word_doc])* $variant,)* }

        impl $name {
            /// The word as it stands in a decision.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }

            /// Reads the word.
            pub fn parse(word: &str) -> Option<$name> {
                match word { $($word => Some($name::$variant),)* _ => None }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    )* };
}

words! {
    /// How a plan was ordered.
    Strategy {
        /// The caller named the model.
        Direct = "direct",
        /// A rule chose where to go, and the order there is written down.
        Static = "static",
        /// In the order of the configuration.
        Fallback = "fallback",
        /// By what the caller is.
        Hash = "hash",
        /// At random, by weight.
        Weighted = "weighted",
        /// By price.
        Cost = "cost",
        /// By time to first token.
        Latency = "latency",
        /// By calls under way.
        Load = "load",
        /// By quality.
        Quality = "quality",
        /// By an agent's role.
        Role = "role",
        /// Several at once.
        Race = "race",
        /// Cheap first.
        Cascade = "cascade",
        /// By what is foretold of the prompt.
        Learned = "learned",
        /// By what the prompt is about.
        Semantic = "semantic",
        /// By what became of prompts like it.
        Bandit = "bandit",
    }

    /// Why the first step is first.
    Reason {
        /// The caller named it.
        Named = "named",
        /// It stands first in the route.
        First = "first",
        /// A rule leads to it.
        Rule = "rule",
        /// The draw fell on it.
        Drawn = "drawn",
        /// The draw fell on the candidate on trial.
        Canary = "canary",
        /// This caller got it before and gets it again.
        Sticky = "sticky",
        /// The caller's hash leads to it.
        Hashed = "hashed",
        /// It costs least.
        Cheapest = "cheapest",
        /// It is well and soonest to answer.
        FastestHealthy = "fastest_healthy",
        /// Nothing is known yet: it stands first.
        Unmeasured = "unmeasured",
        /// It has the most room.
        LeastLoaded = "least_loaded",
        /// Its answers are best.
        BestQuality = "best_quality",
        /// It is for this role.
        RoleMatch = "role_match",
        /// It is asked beside another one.
        Raced = "raced",
        /// It will probably do, as well as the strongest one.
        CheaperWillDo = "cheaper_will_do",
        /// The strongest one is worth it for this prompt.
        StrongerWorthIt = "stronger_worth_it",
        /// It is for what the prompt is about.
        Topic = "topic",
        /// It did best on prompts like this one.
        DidBest = "did_best",
        /// It is tried out.
        TriedOut = "tried_out",
        /// Too little is known yet to choose: it stands first.
        Watching = "watching",
        /// It is tried before dearer ones.
        CheapFirst = "cheap_first",
        /// It holds the session's beginning in its cache; another would cost more.
        WarmCache = "warm_cache",
        /// Those before it were dropped.
        OnlyFit = "only_fit",
        /// None is well; it will be so soonest.
        LastTarget = "last_target",
        /// Another service chose it, in a word that is none of ours.
        Remote = "remote",
        /// A budget that could not pay for what was asked sent the call here.
        Budget = "budget",
    }

    /// Whether a candidate is in the plan.
    Verdict {
        /// First in the plan.
        Chosen = "chosen",
        /// Further down in the plan.
        Kept = "kept",
        /// Not in the plan.
        Dropped = "dropped",
    }

    /// The rail a candidate did not pass.
    Drop {
        /// Its provider has no credential here.
        NotEnabled = "not_enabled",
        /// The team or the key may not use it.
        NotAllowed = "not_allowed",
        /// Its provider does not keep data where it must be kept.
        Residency = "residency",
        /// Its provider does not promise what it must.
        DataPolicy = "data_policy",
        /// It is made for something else: an embedding model cannot chat.
        OtherKind = "other_kind",
        /// It cannot call tools.
        LacksTools = "lacks_tools",
        /// It cannot see images.
        LacksVision = "lacks_vision",
        /// It cannot be bound to a JSON Schema.
        LacksJsonSchema = "lacks_json_schema",
        /// It cannot read documents.
        LacksDocuments = "lacks_documents",
        /// It cannot hear.
        LacksAudio = "lacks_audio",
        /// The prompt and the answer do not fit its context window.
        ContextTooSmall = "context_too_small",
        /// The budget does not pay for it.
        OverBudget = "over_budget",
        /// Its provider asked not to be called for a while.
        CoolingDown = "cooling_down",
        /// It failed too often lately.
        CircuitOpen = "circuit_open",
        /// Another service, which was asked, left it out.
        LeftOut = "left_out",
    }
}

/// A candidate's verdict.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Considered {
    /// Who was considered.
    pub model: ModelId,
    /// Whether it is in the plan.
    pub verdict: Verdict,
    /// Why it is not; `None` unless dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Drop>,
    /// Its figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scores: Option<Scores>,
}

/// A candidate's figures for one ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Scores {
    /// Expected time to first token, where it was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttft_ms: Option<u64>,
    /// Expected cost.
    #[serde(serialize_with = "dollars")]
    pub usd: NanoUsd,
    /// How good its answers are, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<f64>,
    /// Of a thousand recent calls, those that failed.
    #[serde(skip_serializing_if = "is_zero")]
    pub errors_permille: u32,
    /// Calls under way.
    #[serde(skip_serializing_if = "is_zero")]
    pub in_flight: u32,
    /// That its answer will do, where the route learns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub will_do: Option<Chance>,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// In dollars, for people: nothing is reckoned with it.
fn dollars<S: Serializer>(cost: &NanoUsd, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(cost.0 as f64 / 1e9)
}

/// What was known of the request, as it is told.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Told {
    /// Estimated input tokens.
    pub tokens_in: Tokens,
    /// How hard it is, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complexity: Option<f64>,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Kinds of data found in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub data_classes: Vec<String>,
}

/// What was known of the world, as it is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// How old the fleet's figures were; `null`: there were none, and it was decided without.
    pub health_age_ms: Option<Millis>,
}
