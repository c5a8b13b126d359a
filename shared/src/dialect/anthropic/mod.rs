//! Anthropic Messages.

mod citation;
pub(super) mod error;
pub(super) mod request;
pub(super) mod response;
pub(super) mod stream;
mod usage;

use super::ir::FinishReason;

/// A stop reason as Anthropic spells it.
fn read_stop(word: &str, sequence: Option<String>) -> FinishReason {
    match word {
        "end_turn" => FinishReason::Stop,
        "stop_sequence" => FinishReason::StopSequence(sequence),
        "max_tokens" => FinishReason::Length,
        "model_context_window_exceeded" => FinishReason::ContextWindow,
        "tool_use" => FinishReason::ToolCalls,
        "pause_turn" => FinishReason::PauseTurn,
        "refusal" => FinishReason::Refusal,
        other => FinishReason::Other(other.to_owned()),
    }
}

/// The stop reason an Anthropic client knows. A stop with open tool calls is `tool_use`: OpenAI says
/// `stop` there when a tool was forced, and a client of this dialect would not run the tools.
fn stop_word(reason: Option<&FinishReason>, calls_tools: bool) -> &'static str {
    match reason {
        Some(FinishReason::StopSequence(_)) => "stop_sequence",
        Some(FinishReason::Length) => "max_tokens",
        Some(FinishReason::ContextWindow) => "model_context_window_exceeded",
        Some(FinishReason::PauseTurn) => "pause_turn",
        Some(FinishReason::Refusal | FinishReason::ContentFilter) => "refusal",
        Some(FinishReason::ToolCalls) => "tool_use",
        Some(FinishReason::Stop | FinishReason::Other(_)) | None if calls_tools => "tool_use",
        Some(FinishReason::Stop | FinishReason::Other(_)) | None => "end_turn",
    }
}

/// The stop text that came up, where it is known.
fn stop_sequence(reason: Option<&FinishReason>) -> Option<&str> {
    if let Some(FinishReason::StopSequence(sequence)) = reason { sequence.as_deref() } else { None }
}
