//! An answer as it stands on the wire, whole or a line of a stream. Whatever has an unexpected type
//! is absent.

use crate::dialect::ir::Json;
use crate::dialect::lenient::{Count, Many, One, Text};
use crate::dialect::wire::wire;
use serde_json::value::RawValue;

wire! {
    pub(super) struct AnswerWire<'a> {
        pub(super) model: Text<'a>,
        pub(super) created_at: Text<'a>,
        pub(super) message: One<MessageWire<'a>>,
        done: Option<&'a RawValue>,
        pub(super) done_reason: Text<'a>,
        pub(super) prompt_eval_count: Count,
        pub(super) eval_count: Count,
        logprobs: Option<&'a RawValue>,
        pub(super) error: Option<&'a RawValue>,
    }
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

wire! {
    pub(super) struct MessageWire<'a> {
        pub(super) content: Text<'a>,
        pub(super) thinking: Text<'a>,
        pub(super) tool_calls: Many<One<CallWire<'a>>>,
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
        /// An object, always whole.
        pub(super) arguments: Option<&'a RawValue>,
    }
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
