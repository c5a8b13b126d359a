//! The body of an event, read with as few allocations as its text has escapes. Whatever has an
//! unexpected type is absent; `p`, the padding that hides lengths from eavesdroppers, is passed over.

use crate::dialect::bedrock::ModelFields;
use crate::dialect::bedrock::usage::{TierWire, UsageWire};
use crate::dialect::lenient::{Count, One, Text};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Any event; its name tells which members matter.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventWire<'a> {
    #[serde(default)]
    pub(super) content_block_index: Count,
    #[serde(borrow, default)]
    pub(super) start: One<StartWire<'a>>,
    #[serde(borrow, default)]
    pub(super) delta: One<DeltaWire<'a>>,
    #[serde(borrow, default)]
    pub(super) stop_reason: Text<'a>,
    #[serde(borrow, default)]
    pub(super) additional_model_response_fields: One<ModelFields<'a>>,
    #[serde(borrow, default)]
    pub(super) usage: One<UsageWire<'a>>,
    #[serde(default)]
    pub(super) service_tier: One<TierWire>,
}

/// What opens a block. Text and reasoning have no opening.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StartWire<'a> {
    #[serde(borrow, default)]
    pub(super) tool_use: One<CallWire<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CallWire<'a> {
    #[serde(borrow, default)]
    pub(super) tool_use_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) name: Text<'a>,
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Text<'a>,
}

/// What a block grows by: one member, named after what it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeltaWire<'a> {
    #[serde(borrow, default)]
    pub(super) text: Text<'a>,
    #[serde(borrow, default)]
    pub(super) tool_use: One<InputWire<'a>>,
    #[serde(borrow, default)]
    pub(super) reasoning_content: One<ReasoningWire<'a>>,
    #[serde(borrow, default)]
    pub(super) citation: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct InputWire<'a> {
    #[serde(borrow, default)]
    pub(super) input: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReasoningWire<'a> {
    #[serde(borrow, default)]
    pub(super) text: Text<'a>,
    #[serde(borrow, default)]
    pub(super) signature: Text<'a>,
    #[serde(borrow, default)]
    pub(super) redacted_content: Text<'a>,
}
