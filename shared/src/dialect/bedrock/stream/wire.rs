//! The body of an event, read with as few allocations as its text has escapes. Whatever has an
//! unexpected type is absent; `p`, the padding that hides lengths from eavesdroppers, is passed over.

use crate::dialect::bedrock::ModelFields;
use crate::dialect::bedrock::usage::{TierWire, UsageWire};
use crate::dialect::lenient::{Count, One, Text};
use crate::dialect::wire::wire;
use serde_json::value::RawValue;

wire! {
    /// Any event; its name tells which members matter.
    pub(super) struct EventWire<'a> {
        pub(super) content_block_index: Count as "contentBlockIndex",
        pub(super) start: One<StartWire<'a>>,
        pub(super) delta: One<DeltaWire<'a>>,
        pub(super) stop_reason: Text<'a> as "stopReason",
        pub(super) additional_model_response_fields: One<ModelFields<'a>> as "additionalModelResponseFields",
        pub(super) usage: One<UsageWire<'a>>,
        pub(super) service_tier: One<TierWire> as "serviceTier",
    }
}

wire! {
    /// What opens a block. Text and reasoning have no opening.
    pub(super) struct StartWire<'a> {
        pub(super) tool_use: One<CallWire<'a>> as "toolUse",
    }
}

wire! {
    pub(super) struct CallWire<'a> {
        pub(super) tool_use_id: Text<'a> as "toolUseId",
        pub(super) name: Text<'a>,
        pub(super) kind: Text<'a> as "type",
    }
}

wire! {
    /// What a block grows by: one member, named after what it is.
    pub(super) struct DeltaWire<'a> {
        pub(super) text: Text<'a>,
        pub(super) tool_use: One<InputWire<'a>> as "toolUse",
        pub(super) reasoning_content: One<ReasoningWire<'a>> as "reasoningContent",
        pub(super) citation: Option<&'a RawValue>,
    }
}

wire! {
    pub(super) struct InputWire<'a> {
        pub(super) input: Text<'a>,
    }
}

wire! {
    pub(super) struct ReasoningWire<'a> {
        pub(super) text: Text<'a>,
        pub(super) signature: Text<'a>,
        pub(super) redacted_content: Text<'a> as "redactedContent",
    }
}
