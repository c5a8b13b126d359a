//! An event of a stream as it stands on the wire. Whatever has an unexpected type is absent.

use crate::dialect::lenient::{Count, Many, One, ServiceTier, Text};
use crate::dialect::openai_responses::usage::UsageWire;
use crate::usage::Usage;
use serde::Deserialize;
use serde_json::value::RawValue;

/// One `data` of a stream; `type` tells which members matter.
#[derive(Deserialize)]
pub(super) struct EventWire<'a> {
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow, default)]
    pub(super) response: One<ResponseWire<'a>>,
    #[serde(default)]
    pub(super) output_index: Count,
    #[serde(default)]
    pub(super) content_index: Count,
    #[serde(default)]
    pub(super) summary_index: Count,
    #[serde(borrow, default)]
    pub(super) delta: Text<'a>,
    #[serde(borrow, default)]
    pub(super) text: Text<'a>,
    #[serde(borrow, default)]
    pub(super) refusal: Text<'a>,
    #[serde(borrow, default)]
    pub(super) item: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) part: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) annotation: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) logprobs: Many<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) error: Option<&'a RawValue>,
}

/// The answer as the events at its beginning and end tell it.
#[derive(Deserialize)]
pub(super) struct ResponseWire<'a> {
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) model: Text<'a>,
    #[serde(borrow, default)]
    pub(super) status: Text<'a>,
    #[serde(borrow, default)]
    pub(super) error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) incomplete_details: One<DetailsWire<'a>>,
    #[serde(borrow, default)]
    pub(super) output: Many<&'a RawValue>,
    #[serde(default)]
    service_tier: ServiceTier,
    #[serde(default)]
    usage: One<UsageWire>,
}

impl ResponseWire<'_> {
    /// The usage it tells, under the tier it tells.
    pub(super) fn usage(&self) -> Option<Usage> {
        let usage = self.usage.0.as_ref()?.usage()?;
        Some(Usage { tier: self.service_tier.0, ..usage })
    }
}

#[derive(Deserialize)]
pub(super) struct DetailsWire<'a> {
    #[serde(borrow, default)]
    pub(super) reason: Text<'a>,
}

/// An item, as far as it tells what it is.
#[derive(Deserialize)]
pub(super) struct ItemWire<'a> {
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) call_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) name: Text<'a>,
    #[serde(borrow, default)]
    pub(super) arguments: Text<'a>,
    #[serde(borrow, default)]
    pub(super) input: Text<'a>,
    #[serde(borrow, default)]
    pub(super) encrypted_content: Text<'a>,
    #[serde(borrow, default)]
    pub(super) content: Many<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) summary: Many<&'a RawValue>,
}

/// A part of a message, or a piece of a summary.
#[derive(Deserialize)]
pub(super) struct PartWire<'a> {
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow, default)]
    pub(super) text: Text<'a>,
    #[serde(borrow, default)]
    pub(super) refusal: Text<'a>,
    #[serde(borrow, default)]
    pub(super) annotations: Many<&'a RawValue>,
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
