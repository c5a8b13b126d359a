//! Cohere's v2 chat: a provider's dialect, which no caller speaks.
//!
//! Source: Cohere's API reference, "Chat" and "Chat with Streaming" (v2).

mod citation;
pub(super) mod error;
pub(super) mod request;
pub(super) mod response;
pub(super) mod stream;
mod usage;

use super::ir::FinishReason;

/// A `finish_reason`. `ERROR` and `TIMEOUT` are no ends of an answer: see [`error::broken_off`].
fn read_finish(word: &str) -> FinishReason {
    match word {
        "COMPLETE" => FinishReason::Stop,
        "STOP_SEQUENCE" => FinishReason::StopSequence(None),
        "MAX_TOKENS" => FinishReason::Length,
        "TOOL_CALL" => FinishReason::ToolCalls,
        other => FinishReason::Other(other.to_owned()),
    }
}
