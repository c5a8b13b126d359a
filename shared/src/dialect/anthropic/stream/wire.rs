//! An event of a stream as it stands on the wire, read with as few allocations as its text has
//! escapes. Whatever has an unexpected type is absent.

use crate::dialect::anthropic::usage::UsageWire;
use crate::dialect::lenient::{Count, Many, One, Text};
use crate::dialect::wire::wire;
use serde::Deserialize;
use serde_json::value::RawValue;

wire! {
    /// One `data` of a stream; `type` tells which members matter.
    pub(in crate::dialect) struct EventWire<'a> {
        pub(in crate::dialect) kind: Text<'a> as "type",
        pub(in crate::dialect) index: Count,
        pub(in crate::dialect) message: One<MessageWire<'a>>,
        pub(in crate::dialect) content_block: Option<&'a RawValue>,
        pub(super) delta: One<DeltaWire<'a>>,
        pub(super) usage: One<UsageWire>,
        pub(in crate::dialect) error: Option<&'a RawValue>,
    }
}

/// What is done with a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Thinking,
    Call,
    /// Complete as it came, or not ours to look into.
    Other,
}

impl Kind {
    /// The kind of block a delta of this `type` belongs to.
    pub(super) fn of_delta(name: &str) -> Kind {
        match name {
            "text_delta" | "citations_delta" => Kind::Text,
            "thinking_delta" | "signature_delta" => Kind::Thinking,
            "input_json_delta" => Kind::Call,
            _ => Kind::Other,
        }
    }
}

/// The delta as its own JSON: for blocks nobody here looks into.
#[derive(Deserialize)]
pub(super) struct RawDelta<'a> {
    #[serde(borrow)]
    pub(super) delta: &'a RawValue,
}

wire! {
    /// The message as `message_start` tells it.
    pub(in crate::dialect) struct MessageWire<'a> {
        pub(in crate::dialect) id: Text<'a>,
        pub(in crate::dialect) model: Text<'a>,
        pub(in crate::dialect) content: Many<&'a RawValue>,
        pub(super) usage: One<UsageWire>,
        pub(in crate::dialect) stop_reason: Text<'a>,
    }
}

wire! {
    /// A content block.
    pub(in crate::dialect) struct BlockWire<'a> {
        pub(super) kind: Text<'a> as "type",
        pub(super) text: Text<'a>,
        pub(super) thinking: Text<'a>,
        pub(super) signature: Text<'a>,
        pub(super) data: Text<'a>,
        pub(super) id: Text<'a>,
        pub(super) name: Text<'a>,
        pub(super) input: Option<&'a RawValue>,
        pub(super) citations: Many<&'a RawValue>,
    }
}

impl BlockWire<'_> {
    /// The kind of block this opens.
    pub(super) fn opens(&self) -> Kind {
        match self.kind.some() {
            Some("text") => Kind::Text,
            Some("thinking") => Kind::Thinking,
            Some("tool_use") => Kind::Call,
            Some(_) | None => Kind::Other,
        }
    }

    /// The arguments a block brings along; `{}` is what a stream begins with and says nothing.
    pub(super) fn arguments(&self) -> Option<&str> {
        let text = self.input?.get();
        let blank = text == "null" || text.strip_prefix('{').is_some_and(|rest| rest.trim_start() == "}");
        (!blank).then_some(text)
    }

    /// Bytes of text, thoughts and arguments, for an estimate where usage is not told.
    pub(in crate::dialect) fn output_bytes(&self) -> u64 {
        let long = |text: &Text<'_>| text.some().map_or(0, str::len);
        let bytes = match self.opens() {
            Kind::Text => long(&self.text),
            Kind::Thinking => long(&self.thinking),
            Kind::Call => self.arguments().map_or(0, str::len),
            Kind::Other => 0,
        };
        bytes as u64
    }
}

wire! {
    /// What a block grows by, or (in `message_delta`) how the message ended.
    pub(in crate::dialect) struct DeltaWire<'a> {
        pub(super) kind: Text<'a> as "type",
        pub(super) text: Text<'a>,
        pub(super) partial_json: Text<'a>,
        pub(super) thinking: Text<'a>,
        pub(super) signature: Text<'a>,
        pub(super) citation: Option<&'a RawValue>,
        pub(super) stop_reason: Text<'a>,
        pub(super) stop_sequence: Text<'a>,
    }
}

impl DeltaWire<'_> {
    /// The kind of block this belongs to.
    pub(super) fn grows(&self) -> Kind {
        self.kind.some().map_or(Kind::Other, Kind::of_delta)
    }

    /// What it adds to a block of this kind.
    pub(super) fn words(&self, kind: Kind) -> Option<&str> {
        match kind {
            Kind::Text => self.text.some(),
            Kind::Thinking => self.thinking.some(),
            Kind::Call => self.partial_json.some(),
            Kind::Other => None,
        }
    }
}
