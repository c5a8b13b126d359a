//! An event of a stream as it stands on the wire; a whole answer reads the same way. Whatever has an
//! unexpected type is absent.

use crate::dialect::gemini::usage::UsageWire;
use crate::dialect::lenient::{Count, Many, One, Text};
use serde::Deserialize;
use serde_json::value::RawValue;

/// One `GenerateContentResponse`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventWire<'a> {
    #[serde(borrow, default)]
    pub(super) candidates: Many<One<CandidateWire<'a>>>,
    #[serde(borrow, default)]
    pub(super) prompt_feedback: One<FeedbackWire<'a>>,
    #[serde(default)]
    pub(super) usage_metadata: One<UsageWire>,
    #[serde(borrow, default)]
    pub(super) model_version: Text<'a>,
    #[serde(borrow, default)]
    pub(super) response_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FeedbackWire<'a> {
    #[serde(borrow, default)]
    pub(super) block_reason: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CandidateWire<'a> {
    #[serde(default)]
    pub(super) index: Count,
    #[serde(borrow, default)]
    pub(super) content: One<ContentWire<'a>>,
    #[serde(borrow, default)]
    pub(super) finish_reason: Text<'a>,
    #[serde(borrow, default)]
    pub(super) grounding_metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) citation_metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) logprobs_result: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct ContentWire<'a> {
    #[serde(borrow, default)]
    pub(super) parts: Many<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PartWire<'a> {
    #[serde(borrow, default)]
    pub(super) text: Text<'a>,
    #[serde(borrow, default)]
    pub(super) thought: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) thought_signature: Text<'a>,
    #[serde(borrow, default)]
    pub(super) function_call: One<CallWire<'a>>,
}

impl PartWire<'_> {
    pub(super) fn is_thought(&self) -> bool {
        self.thought.is_some_and(|raw| raw.get() == "true")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CallWire<'a> {
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) name: Text<'a>,
    #[serde(borrow, default)]
    pub(super) args: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) partial_args: Many<One<PartialWire<'a>>>,
    #[serde(borrow, default)]
    will_continue: Option<&'a RawValue>,
}

impl CallWire<'_> {
    /// Whether more of this call is to come (Vertex, where streamed arguments were asked for).
    pub(super) fn will_continue(&self) -> bool {
        self.will_continue.is_some_and(|raw| raw.get() == "true")
    }
}

/// A piece of a call's arguments.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PartialWire<'a> {
    #[serde(borrow, default)]
    pub(super) json_path: Text<'a>,
    #[serde(borrow, default)]
    pub(super) string_value: Text<'a>,
    #[serde(borrow, default)]
    pub(super) number_value: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) bool_value: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) null_value: Option<&'a RawValue>,
}
