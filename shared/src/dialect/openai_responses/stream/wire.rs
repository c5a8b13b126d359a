//! An event of a stream as it stands on the wire. Whatever has an unexpected type is absent.

use crate::dialect::lenient::{Count, Many, One, ServiceTier, Text};
use crate::dialect::openai_responses::usage::UsageWire;
use crate::dialect::wire::wire;
use crate::usage::Usage;
use serde_json::value::RawValue;

wire! {
    /// One `data` of a stream; `type` tells which members matter.
    pub(super) struct EventWire<'a> {
        pub(super) kind: Text<'a> as "type",
        pub(super) response: One<ResponseWire<'a>>,
        pub(super) output_index: Count,
        pub(super) content_index: Count,
        pub(super) summary_index: Count,
        pub(super) delta: Text<'a>,
        pub(super) text: Text<'a>,
        pub(super) refusal: Text<'a>,
        pub(super) item: Option<&'a RawValue>,
        pub(super) part: Option<&'a RawValue>,
        pub(super) annotation: Option<&'a RawValue>,
        pub(super) logprobs: Many<&'a RawValue>,
        pub(super) error: Option<&'a RawValue>,
    }
}

wire! {
    /// The answer as the events at its beginning and end tell it.
    pub(super) struct ResponseWire<'a> {
        pub(super) id: Text<'a>,
        pub(super) model: Text<'a>,
        pub(super) status: Text<'a>,
        pub(super) error: Option<&'a RawValue>,
        pub(super) incomplete_details: One<DetailsWire<'a>>,
        pub(super) output: Many<&'a RawValue>,
        service_tier: ServiceTier,
        usage: One<UsageWire>,
    }
}

impl ResponseWire<'_> {
    /// The usage it tells, under the tier it tells.
    pub(super) fn usage(&self) -> Option<Usage> {
        let usage = self.usage.0.as_ref()?.usage()?;
        Some(Usage { tier: self.service_tier.0, ..usage })
    }
}

wire! {
    pub(super) struct DetailsWire<'a> {
        pub(super) reason: Text<'a>,
    }
}

wire! {
    /// An item, as far as it tells what it is.
    pub(super) struct ItemWire<'a> {
        pub(super) kind: Text<'a> as "type",
        pub(super) id: Text<'a>,
        pub(super) call_id: Text<'a>,
        pub(super) name: Text<'a>,
        pub(super) arguments: Text<'a>,
        pub(super) input: Text<'a>,
        pub(super) encrypted_content: Text<'a>,
        pub(super) content: Many<&'a RawValue>,
        pub(super) summary: Many<&'a RawValue>,
    }
}

wire! {
    /// A part of a message, or a piece of a summary.
    pub(super) struct PartWire<'a> {
        pub(super) kind: Text<'a> as "type",
        pub(super) text: Text<'a>,
        pub(super) refusal: Text<'a>,
        pub(super) annotations: Many<&'a RawValue>,
    }
}

/// Where a piece of words belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Text of a message, by part.
    Text(u64),
    /// A refusal, by part.
    Refusal(u64),
    /// A summary of thoughts, by part.
    Summary(u64),
    /// Thoughts in full, by part.
    Thoughts(u64),
    /// Arguments of a call.
    Arguments,
    /// Free text for a tool that takes it.
    Input,
}

impl Place {
    /// Where a delta of this `type` belongs.
    pub(super) fn of_delta(kind: &str, content: u64, summary: u64) -> Option<Place> {
        match kind {
            "response.output_text.delta" => Some(Place::Text(content)),
            "response.refusal.delta" => Some(Place::Refusal(content)),
            "response.reasoning_summary_text.delta" => Some(Place::Summary(summary)),
            "response.reasoning_text.delta" => Some(Place::Thoughts(content)),
            "response.function_call_arguments.delta" => Some(Place::Arguments),
            "response.custom_tool_call_input.delta" => Some(Place::Input),
            _ => None,
        }
    }

    pub(super) fn is_thoughts(self) -> bool {
        match self {
            Place::Summary(_) | Place::Thoughts(_) => true,
            Place::Text(_) | Place::Refusal(_) | Place::Arguments | Place::Input => false,
        }
    }
}
