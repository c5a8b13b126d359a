//! An answer as it stands on the wire, whole or a line of a stream. Whatever has an unexpected type
//! is absent.

use crate::dialect::ir::Json;
use crate::dialect::lenient::{Count, Many, One, Text};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
pub(super) struct AnswerWire<'a> {
    #[serde(borrow, default)]
    pub(super) model: Text<'a>,
    #[serde(borrow, default)]
    pub(super) created_at: Text<'a>,
    #[serde(borrow, default)]
    pub(super) message: One<MessageWire<'a>>,
    #[serde(borrow, default)]
    done: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) done_reason: Text<'a>,
    #[serde(default)]
    pub(super) prompt_eval_count: Count,
    #[serde(default)]
    pub(super) eval_count: Count,
    #[serde(borrow, default)]
    logprobs: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) error: Option<&'a RawValue>,
}

impl AnswerWire<'_> {
    /// Whether it is the last of its stream.
    pub(super) fn is_done(&self) -> bool {
        self.done.is_some_and(|raw| raw.get() == "true")
    }

    /// Token probabilities in OpenAI's form, whose entries Ollama uses.
    pub(super) fn logprobs(&self) -> Option<Json> {
        let list = self.logprobs?.get();
        if list.starts_with('[') && list != "[]" { Json::parse(&format!("{{\"content\":{list}}}")) } else { None }
    }

    /// The sentence of an error.
    pub(super) fn failure(&self) -> Option<String> {
        let raw = self.error?.get();
        if raw == "null" {
            return None;
        }
        Some(crate::dialect::text::decode(raw).unwrap_or_else(|| raw.to_owned()))
    }
}

#[derive(Default, Deserialize)]
pub(super) struct MessageWire<'a> {
    #[serde(borrow, default)]
    pub(super) content: Text<'a>,
    #[serde(borrow, default)]
    pub(super) thinking: Text<'a>,
    #[serde(borrow, default)]
    pub(super) tool_calls: Many<One<CallWire<'a>>>,
}

#[derive(Deserialize)]
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
    /// An object, always whole.
    #[serde(borrow, default)]
    pub(super) arguments: Option<&'a RawValue>,
}

impl FunctionWire<'_> {
    /// The arguments as text; some servers put them into a string.
    pub(super) fn arguments_text(&self) -> String {
        let raw = self.arguments.map_or("null", RawValue::get);
        match raw {
            "null" => "{}".to_owned(),
            raw => crate::dialect::text::decode(raw).unwrap_or_else(|| raw.to_owned()),
        }
    }
}
