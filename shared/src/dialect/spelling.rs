//! How each dialect's callers call what the common form calls otherwise: for warnings, which name the
//! caller's own fields.

use super::ir::{ChatRequest, ToolChoice};
use super::{Dialect, Warnings};

impl Dialect {
    /// The member that asks for a form of the answer.
    pub(crate) fn output_path(self) -> &'static str {
        match self {
            Dialect::OpenAiChat => "response_format",
            Dialect::Anthropic => "output_config.format",
            Dialect::OpenAiResponses => "text.format",
            Dialect::Gemini => "generationConfig.responseJsonSchema",
        }
    }

    /// Where the name and description of the answer's schema stand.
    pub(crate) fn schema_path(self) -> &'static str {
        match self {
            Dialect::OpenAiChat => "response_format.json_schema",
            Dialect::Anthropic | Dialect::OpenAiResponses | Dialect::Gemini => self.output_path(),
        }
    }

    /// The member that asks for reasoning.
    pub(crate) fn reasoning_path(self) -> &'static str {
        match self {
            Dialect::OpenAiChat => "reasoning_effort",
            Dialect::Anthropic => "thinking",
            Dialect::OpenAiResponses => "reasoning.effort",
            Dialect::Gemini => "generationConfig.thinkingConfig",
        }
    }

    /// The member that bounds reasoning by a number of tokens.
    pub(crate) fn budget_path(self) -> &'static str {
        match self {
            Dialect::OpenAiChat | Dialect::Anthropic | Dialect::OpenAiResponses => "thinking.budget_tokens",
            Dialect::Gemini => "generationConfig.thinkingConfig.thinkingBudget",
        }
    }

    /// The member that says whether several tools may be called at once.
    pub(crate) fn parallel_path(self) -> &'static str {
        match self {
            Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::Gemini => "parallel_tool_calls",
            Dialect::Anthropic => "tool_choice.disable_parallel_tool_use",
        }
    }

    /// The member that names the caller's own user.
    pub(crate) fn user_path(self) -> &'static str {
        match self {
            Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::Gemini => "user",
            Dialect::Anthropic => "metadata.user_id",
        }
    }

    /// The member with texts that end the answer.
    pub(crate) fn stop_path(self) -> &'static str {
        match self {
            Dialect::OpenAiChat | Dialect::OpenAiResponses => "stop",
            Dialect::Anthropic => "stop_sequences",
            Dialect::Gemini => "generationConfig.stopSequences",
        }
    }

    /// The member with the answer's wordiness.
    pub(crate) fn verbosity_path(self) -> &'static str {
        match self {
            Dialect::OpenAiChat | Dialect::Anthropic | Dialect::Gemini => "verbosity",
            Dialect::OpenAiResponses => "text.verbosity",
        }
    }

    /// The members of a function, below its tool.
    pub(crate) fn function_path(self, tool: usize) -> String {
        match self {
            Dialect::OpenAiChat => format!("tools[{tool}].function"),
            Dialect::Anthropic | Dialect::OpenAiResponses | Dialect::Gemini => format!("tools[{tool}]"),
        }
    }

    /// The arguments of a tool call, whose place is known.
    pub(crate) fn arguments_path(self, call: &str) -> String {
        match self {
            Dialect::OpenAiChat => format!("{call}.function.arguments"),
            Dialect::Anthropic => format!("{call}.input"),
            Dialect::OpenAiResponses => format!("{call}.arguments"),
            Dialect::Gemini => format!("{call}.functionCall.args"),
        }
    }

    /// A part of what a tool answered, whose result's place is known.
    pub(crate) fn result_part_path(self, result: &str, part: usize) -> String {
        match self {
            Dialect::OpenAiChat | Dialect::Anthropic => format!("{result}.content[{part}]"),
            Dialect::OpenAiResponses => format!("{result}.output[{part}]"),
            Dialect::Gemini => format!("{result}.functionResponse.parts[{part}]"),
        }
    }

    /// A detail of an image, whose place is known.
    pub(crate) fn image_detail_path(self, image: &str) -> String {
        match self {
            Dialect::OpenAiChat => format!("{image}.image_url.detail"),
            Dialect::Anthropic | Dialect::OpenAiResponses | Dialect::Gemini => format!("{image}.detail"),
        }
    }

    /// The id of an uploaded file, whose part's place is known.
    pub(crate) fn file_id_path(self, part: &str) -> String {
        match self {
            Dialect::OpenAiChat => format!("{part}.file.file_id"),
            Dialect::Anthropic => format!("{part}.source.file_id"),
            Dialect::OpenAiResponses => format!("{part}.file_id"),
            Dialect::Gemini => format!("{part}.fileData.fileUri"),
        }
    }
}

impl ChatRequest {
    /// Where the caller has a part of the instructions above the conversation.
    pub(crate) fn instruction_place(&self, part: usize) -> String {
        match self.origin {
            Dialect::OpenAiChat | Dialect::Anthropic => format!("system[{part}]"),
            Dialect::OpenAiResponses => "instructions".to_owned(),
            Dialect::Gemini => format!("systemInstruction.parts[{part}]"),
        }
    }

    /// Names what says something of the request and nothing to the model, and what was not understood:
    /// for dialects that have no place for it.
    pub(crate) fn warn_of_labels(&self, warnings: &mut Warnings) {
        for (path, asked) in [
            (self.origin.user_path(), self.user.is_some()),
            ("store", self.store == Some(true)),
            (self.origin.verbosity_path(), self.verbosity.is_some()),
        ] {
            if asked {
                warnings.dropped(path);
            }
        }
        self.unread.iter().for_each(|path| warnings.dropped(path));
    }

    /// Names a choice among tools that none of the tools came with: a provider refuses it then, unless it asks for nothing.
    pub(crate) fn warn_of_choice(&self, warnings: &mut Warnings) {
        if matches!(self.tool_choice, Some(ToolChoice::Required | ToolChoice::Named(_) | ToolChoice::Opaque { .. })) {
            warnings.dropped("tool_choice");
        }
    }

    /// Names what asks the provider for a service beside the answer: for dialects that have none.
    pub(crate) fn warn_of_services(&self, warnings: &mut Warnings) {
        for (path, asked) in [
            ("service_tier", self.service_tier.as_deref().is_some_and(|tier| tier != "auto")),
            ("metadata", self.metadata.is_some()),
            ("cache_control", self.cache.is_some()),
        ] {
            if asked {
                warnings.dropped(path);
            }
        }
    }
}
