//! An event of a stream as it stands on the wire. Whatever has an unexpected type is absent.

use crate::dialect::cohere::usage::UsageWire;
use crate::dialect::lenient::{Count, One, Text};
use serde::Deserialize;
use serde_json::value::RawValue;

/// One `data` of a stream; `type` tells which members matter.
#[derive(Deserialize)]
pub(super) struct EventWire<'a> {
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(default)]
    pub(super) index: Count,
    #[serde(borrow, default)]
    pub(super) delta: One<DeltaWire<'a>>,
    /// A failure told outside of any event's form.
    #[serde(borrow, default)]
    pub(super) message: Text<'a>,
}

#[derive(Default, Deserialize)]
pub(super) struct DeltaWire<'a> {
    #[serde(borrow, default)]
    pub(super) message: One<MessageWire<'a>>,
    #[serde(borrow, default)]
    pub(super) finish_reason: Text<'a>,
    #[serde(borrow, default)]
    pub(super) error: Text<'a>,
    #[serde(default)]
    pub(super) usage: One<UsageWire>,
}

#[derive(Default, Deserialize)]
pub(super) struct MessageWire<'a> {
    #[serde(borrow, default)]
    pub(super) content: One<ContentWire<'a>>,
    #[serde(borrow, default)]
    pub(super) tool_plan: Text<'a>,
    #[serde(borrow, default)]
    pub(super) tool_calls: One<CallWire<'a>>,
    /// One, though the name says several; an array of them is read too.
    #[serde(borrow, default)]
    pub(super) citations: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
pub(super) struct ContentWire<'a> {
    #[serde(borrow, default)]
    pub(super) text: Text<'a>,
    #[serde(borrow, default)]
    pub(super) thinking: Text<'a>,
}

#[derive(Default, Deserialize)]
pub(super) struct CallWire<'a> {
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) function: One<FunctionWire<'a>>,
}

#[derive(Default, Deserialize)]
pub(super) struct FunctionWire<'a> {
    #[serde(borrow, default)]
    pub(super) name: Text<'a>,
    #[serde(borrow, default)]
    pub(super) arguments: Text<'a>,
}
