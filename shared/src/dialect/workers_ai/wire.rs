//! An answer as it stands on the wire, whole or an event of a stream. Whatever has an unexpected type
//! is absent.

use crate::dialect::ir::Json;
use crate::dialect::lenient::{Count, Many, One, Text};
use crate::dialect::wire::wire;
use crate::usage::Usage;
use serde_json::value::RawValue;

wire! {
    pub(super) struct AnswerWire<'a> {
        response: Option<&'a RawValue>,
        pub(super) tool_calls: Many<One<CallWire<'a>>>,
        usage: One<UsageWire>,
        /// There in answers of OpenAI's form.
        pub(super) choices: Option<&'a RawValue>,
        pub(super) errors: Option<&'a RawValue>,
        pub(super) error: Option<&'a RawValue>,
    }
}

wire! {
    #[derive(Clone, Copy)]
    struct UsageWire {
        prompt_tokens: Count,
        completion_tokens: Count,
    }
}

impl AnswerWire<'_> {
    /// The text; what is JSON because JSON was asked for stays as it is.
    pub(super) fn text(&self) -> Option<String> {
        let raw = self.response?.get();
        let text = if raw == "null" { return None } else { crate::dialect::text::decode(raw) };
        Some(text.unwrap_or_else(|| raw.to_owned())).filter(|text| !text.is_empty())
    }

    /// The usage, unless nothing believable was said.
    pub(super) fn usage(&self) -> Option<Usage> {
        let usage = self.usage.0?;
        let (prompt, output) = (usage.prompt_tokens.tokens(), usage.completion_tokens.tokens());
        prompt.or(output)?;
        Some(Usage { input: prompt.unwrap_or(0), output: output.unwrap_or(0), ..Usage::default() })
    }
}

wire! {
    /// A call: bare, or in OpenAI's form.
    pub(super) struct CallWire<'a> {
        pub(super) id: Text<'a>,
        name: Text<'a>,
        arguments: Option<&'a RawValue>,
        function: One<FunctionWire<'a>>,
    }
}

wire! {
    struct FunctionWire<'a> {
        name: Text<'a>,
        arguments: Option<&'a RawValue>,
    }
}

impl CallWire<'_> {
    /// Its name and its arguments as text; `None` without a name.
    pub(super) fn call(&self) -> Option<(String, String)> {
        let function = self.function.0.as_ref();
        let name = function.and_then(|function| function.name.some()).or(self.name.some())?;
        let arguments = function.and_then(|function| function.arguments).or(self.arguments);
        let arguments = arguments.map(RawValue::get).filter(|raw| *raw != "null").unwrap_or("{}");
        let text = crate::dialect::text::decode(arguments).unwrap_or_else(|| arguments.to_owned());
        Some((name.to_owned(), text))
    }
}

/// The first of `errors`, if there is one.
pub(super) fn first_error(errors: Option<&RawValue>) -> Option<Json> {
    let list: Vec<&RawValue> = crate::json::parse(errors?.get()).ok()?;
    list.first().map(|raw| Json::from(*raw))
}
