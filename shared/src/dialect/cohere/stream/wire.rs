//! An event of a stream as it stands on the wire. Whatever has an unexpected type is absent.

use crate::dialect::cohere::usage::UsageWire;
use crate::dialect::lenient::{Count, One, Text};
use crate::dialect::wire::wire;
use serde_json::value::RawValue;

wire! {
    /// One `data` of a stream; `type` tells which members matter.
    pub(super) struct EventWire<'a> {
        pub(super) kind: Text<'a> as "type",
        pub(super) id: Text<'a>,
        pub(super) index: Count,
        pub(super) delta: One<DeltaWire<'a>>,
        /// A failure told outside of any event's form.
        pub(super) message: Text<'a>,
    }
}

wire! {
    pub(super) struct DeltaWire<'a> {
        pub(super) message: One<MessageWire<'a>>,
        pub(super) finish_reason: Text<'a>,
        pub(super) error: Text<'a>,
        pub(super) usage: One<UsageWire>,
    }
}

wire! {
    pub(super) struct MessageWire<'a> {
        pub(super) content: One<ContentWire<'a>>,
        pub(super) tool_plan: Text<'a>,
        pub(super) tool_calls: One<CallWire<'a>>,
        /// One, though the name says several; an array of them is read too.
        pub(super) citations: Option<&'a RawValue>,
    }
}

wire! {
    pub(super) struct ContentWire<'a> {
        pub(super) text: Text<'a>,
        pub(super) thinking: Text<'a>,
    }
}

wire! {
    pub(super) struct CallWire<'a> {
        pub(super) id: Text<'a>,
        pub(super) function: One<FunctionWire<'a>>,
    }
}

wire! {
    pub(super) struct FunctionWire<'a> {
        pub(super) name: Text<'a>,
        pub(super) arguments: Text<'a>,
    }
}
