//! What callers call the things a request can ask for: the paths in warnings.

use super::Dialect;

/// Something a request can ask for that has another name in each dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// The form of the answer.
    Output,
    /// How much to think.
    Reasoning,
    /// Whether to call several tools at once.
    ParallelCalls,
    /// The caller's own user.
    User,
    /// Texts that end the answer.
    Stop,
}

impl Wish {
    /// Where a caller of this dialect wrote it.
    pub(super) fn path(self, origin: Dialect) -> &'static str {
        match (self, origin) {
            (Wish::Output, Dialect::OpenAiChat) => "response_format",
            (Wish::Output, Dialect::Anthropic) => "output_config.format",
            (Wish::Reasoning, Dialect::OpenAiChat) => "reasoning_effort",
            (Wish::Reasoning, Dialect::Anthropic) => "thinking",
            (Wish::ParallelCalls, Dialect::OpenAiChat) => "parallel_tool_calls",
            (Wish::ParallelCalls, Dialect::Anthropic) => "tool_choice.disable_parallel_tool_use",
            (Wish::User, Dialect::OpenAiChat) => "user",
            (Wish::User, Dialect::Anthropic) => "metadata.user_id",
            (Wish::Stop, Dialect::OpenAiChat) => "stop",
            (Wish::Stop, Dialect::Anthropic) => "stop_sequences",
        }
    }
}
