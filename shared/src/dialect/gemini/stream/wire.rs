//! An event of a stream as it stands on the wire; a whole answer reads the same way. Whatever has an
//! unexpected type is absent.

use crate::dialect::gemini::usage::UsageWire;
use crate::dialect::lenient::{Count, Many, One, Text};
use crate::dialect::wire::wire;
use serde_json::value::RawValue;

wire! {
    /// One `GenerateContentResponse`.
    pub(super) struct EventWire<'a> {
        pub(super) candidates: Many<One<CandidateWire<'a>>>,
        pub(super) prompt_feedback: One<FeedbackWire<'a>> as "promptFeedback",
        pub(super) usage_metadata: One<UsageWire> as "usageMetadata",
        pub(super) model_version: Text<'a> as "modelVersion",
        pub(super) response_id: Text<'a> as "responseId",
        pub(super) error: Option<&'a RawValue>,
    }
}

wire! {
    pub(super) struct FeedbackWire<'a> {
        pub(super) block_reason: Text<'a> as "blockReason",
    }
}

wire! {
    pub(super) struct CandidateWire<'a> {
        pub(super) index: Count,
        pub(super) content: One<ContentWire<'a>>,
        pub(super) finish_reason: Text<'a> as "finishReason",
        pub(super) grounding_metadata: Option<&'a RawValue> as "groundingMetadata",
        pub(super) citation_metadata: Option<&'a RawValue> as "citationMetadata",
        pub(super) logprobs_result: Option<&'a RawValue> as "logprobsResult",
    }
}

wire! {
    pub(super) struct ContentWire<'a> {
        pub(super) parts: Many<&'a RawValue>,
    }
}

wire! {
    pub(super) struct PartWire<'a> {
        pub(super) text: Text<'a>,
        pub(super) thought: Option<&'a RawValue>,
        pub(super) thought_signature: Text<'a> as "thoughtSignature",
        pub(super) function_call: One<CallWire<'a>> as "functionCall",
    }
}

impl PartWire<'_> {
    pub(super) fn is_thought(&self) -> bool {
        self.thought.is_some_and(|raw| raw.get() == "true")
    }
}

wire! {
    pub(super) struct CallWire<'a> {
        pub(super) id: Text<'a>,
        pub(super) name: Text<'a>,
        pub(super) args: Option<&'a RawValue>,
        pub(super) partial_args: Many<One<PartialWire<'a>>> as "partialArgs",
        will_continue: Option<&'a RawValue> as "willContinue",
    }
}

impl CallWire<'_> {
    /// Whether more of this call is to come (Vertex, where streamed arguments were asked for).
    pub(super) fn will_continue(&self) -> bool {
        self.will_continue.is_some_and(|raw| raw.get() == "true")
    }
}

wire! {
    /// A piece of a call's arguments.
    pub(super) struct PartialWire<'a> {
        pub(super) json_path: Text<'a> as "jsonPath",
        pub(super) string_value: Text<'a> as "stringValue",
        pub(super) number_value: Option<&'a RawValue> as "numberValue",
        pub(super) bool_value: Option<&'a RawValue> as "boolValue",
        pub(super) null_value: Option<&'a RawValue> as "nullValue",
    }
}
