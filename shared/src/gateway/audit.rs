//! What is written down: one record per request, one line of JSON.
//!
//! A record never holds a credential, a body or an upstream URL; names that came from the caller
//! are bounded before they get here.

use crate::config::ModelId;
use crate::error::Code;
use crate::gateway::bodies::Spoken;
use crate::sorted::SortedMap;
use crate::units::{Millis, NanoUsd, Timestamp};
use crate::usage::Usage;
use crate::words::Hit;
use serde::Serialize;
use serde_json::Value;

/// The audit record of one request.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Record {
    /// When the request came, milliseconds UTC.
    pub at: Timestamp,
    /// The request's id.
    pub request_id: String,
    /// What was asked for: `chat`, `embeddings`.
    pub operation: &'static str,
    /// The dialect the caller spoke.
    pub dialect: &'static str,
    /// Who: organisation, team, project, key and user, as far as they became known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// The team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// What in the team the call was for, from the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The key's public id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The user, from the key or from `x-signalbox-user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Attribution, from `x-signalbox-tags`.
    #[serde(skip_serializing_if = "SortedMap::is_empty")]
    pub tags: SortedMap<String, String>,
    /// The model, class or route that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// Method and path of a call that was passed through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passed: Option<String>,
    /// The route it resolved to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// Why the first model of the plan was first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The model that answered, `provider:model`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelId>,
    /// How the answer cache stood: `hit`, `miss`, `bypass`; absent where it is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<&'static str>,
    /// How alike the question was to one whose answer was kept, in thousandths: given where the cache says `semantic`, else it
    /// would have been.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_alike_permille: Option<u32>,
    /// What the answer had cost when it was kept: what a hit saved.
    #[serde(skip_serializing_if = "NanoUsd::is_zero")]
    pub cache_saved_nano_usd: NanoUsd,
    /// What reading from the provider's prompt cache saved over reading anew,
    #[serde(skip_serializing_if = "NanoUsd::is_zero")]
    pub prompt_cache_saved_nano_usd: NanoUsd,
    /// and what writing to it cost more than that.
    #[serde(skip_serializing_if = "NanoUsd::is_zero")]
    pub prompt_cache_extra_nano_usd: NanoUsd,
    /// The caller brought its own provider key: the provider bills the caller, and the cost is none of ours.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub byok: bool,
    /// Every call to a provider, in order.
    pub attempts: Vec<Attempt>,
    /// Whether the caller asked for a stream.
    pub stream: bool,
    /// What was consumed.
    pub usage: Usage,
    /// What it cost.
    pub cost_nano_usd: NanoUsd,
    /// What of it went to models that judged: words, or whether an answer will do.
    #[serde(skip_serializing_if = "NanoUsd::is_zero")]
    pub moderation_nano_usd: NanoUsd,
    /// The cost was computed at the conservative rate of an unknown price.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub price_is_guess: bool,
    /// The cost exceeds what was reserved for it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub overdraft: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// The HTTP status the caller saw.
    pub status: u16,
    /// The error the caller saw, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// From the request to the first content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttft_ms: Option<Millis>,
    /// From the request to the end.
    pub duration_ms: Millis,
    /// What guardrails found; never what it said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub guardrails: Vec<Hit>,
    /// The transformations that held, and the versions of templates in them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transforms: Vec<String>,
    /// The classes of data that guardrails told the router of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub data_classes: Vec<String>,
    /// The governed definitions the model was given, by version: `revenue@7`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<String>,
    /// Those it was not given, and why: `margin@2 stale`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub context_left_out: Vec<String>,
    /// What a translation could not carry, by field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Which texts are kept beside the record, under whose key, and their SHA-256.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bodies: Option<Value>,
    /// The trace it is part of, as `traceparent` (W3C) says it: told to collectors alone.
    #[serde(skip)]
    pub trace: String,
    /// Whether that is the caller's.
    #[serde(skip)]
    pub traced: bool,
    /// Those texts, until they are kept: no part of the record.
    #[serde(skip)]
    pub spoken: Option<Box<Spoken>>,
}

/// One call to a provider.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Attempt {
    /// Who was called.
    pub model: ModelId,
    /// Its result: `ok`, or the code it failed with.
    pub result: &'static str,
    /// The provider's status, when it answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// From sending to the first content or the failure.
    pub duration_ms: Millis,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The answer is complete.
    Ok,
    /// The gateway refused the request or every attempt failed.
    #[default]
    Refused,
    /// The caller left before the end.
    Cancelled,
    /// The provider broke off mid-answer.
    Cut,
}

impl Outcome {
    /// The word in the audit line.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Refused => "refused",
            Outcome::Cancelled => "cancelled",
            Outcome::Cut => "cut",
        }
    }
}

impl Record {
    /// Marks the record as ended by an error.
    pub fn fail(&mut self, code: Code) {
        self.code = Some(code.as_str());
        self.status = code.status();
    }

    /// The record as the line that is logged.
    pub fn line(&self) -> String {
        // Plain data with string keys cannot fail to serialise. `serde(flatten)` would do the same for
        // several times the work.
        let record = serde_json::to_string(self).unwrap_or_default();
        let members = record.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
        format!("{{\"event\":\"request\",{members},\"cost_usd\":\"{}\"}}", self.cost_nano_usd)
    }
}
