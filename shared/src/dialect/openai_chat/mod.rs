//! OpenAI Chat Completions, and the servers that speak it with an accent.

pub(super) mod error;
mod reasoning;
pub(super) mod request;
pub(super) mod response;
pub(super) mod stream;
pub(super) mod usage;

use super::ir::FinishReason;

/// A finish reason as OpenAI and its kin spell it.
pub(super) fn read_finish(word: &str) -> FinishReason {
    match word {
        "stop" | "eos" | "end_turn" | "COMPLETE" | "STOP" => FinishReason::Stop,
        "stop_sequence" | "STOP_SEQUENCE" => FinishReason::StopSequence(None),
        "length" | "max_tokens" | "model_length" | "MAX_TOKENS" => FinishReason::Length,
        "tool_calls" | "tool_call" | "function_call" | "tool_use" | "TOOL_CALL" => FinishReason::ToolCalls,
        "model_context_window_exceeded" => FinishReason::ContextWindow,
        "content_filter" | "sensitive" => FinishReason::ContentFilter,
        // Google's compatible endpoint says behind it what was found.
        filtered if filtered.starts_with("content_filter:") => FinishReason::ContentFilter,
        "refusal" => FinishReason::Refusal,
        other => FinishReason::Other(other.to_owned()),
    }
}

/// The finish reason an OpenAI client knows.
pub(super) fn finish_word(reason: &FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop | FinishReason::StopSequence(_) | FinishReason::PauseTurn | FinishReason::Other(_) => "stop",
        FinishReason::Length | FinishReason::ContextWindow => "length",
        FinishReason::ToolCalls => "tool_calls",
        FinishReason::ContentFilter | FinishReason::Refusal => "content_filter",
    }
}
