//! Gemini `generateContent`, of AI Studio and of Vertex AI.
//!
//! Its JSON is protocol buffers': members are written in camelCase and read in snake_case too. Model
//! and stream stand in the path, so neither is in a body.

mod citation;
pub(super) mod error;
mod logprobs;
mod parts_write;
pub(super) mod request;
pub(super) mod response;
mod seal;
pub(super) mod stream;
mod usage;

use super::ir::FinishReason;

/// `STOP` stands for the end of a turn with and without tool calls, and for a stop text.
fn read_finish(word: &str, calls_tools: bool) -> FinishReason {
    match word {
        "STOP" if calls_tools => FinishReason::ToolCalls,
        "STOP" => FinishReason::Stop,
        "MAX_TOKENS" => FinishReason::Length,
        "SAFETY"
        | "RECITATION"
        | "LANGUAGE"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => FinishReason::ContentFilter,
        // MALFORMED_FUNCTION_CALL, UNEXPECTED_TOOL_CALL, OTHER and whatever comes to exist.
        other => FinishReason::Other(other.to_owned()),
    }
}

/// The finish reason a Gemini client knows.
fn finish_word(reason: Option<&FinishReason>) -> &str {
    match reason {
        Some(FinishReason::Length | FinishReason::ContextWindow) => "MAX_TOKENS",
        Some(FinishReason::ContentFilter | FinishReason::Refusal) => "SAFETY",
        // A word of our own kind goes as it came; SDKs refuse what is none.
        Some(FinishReason::Other(word)) if is_enum_word(word) => word,
        Some(FinishReason::Other(_)) => "OTHER",
        Some(
            FinishReason::Stop | FinishReason::StopSequence(_) | FinishReason::ToolCalls | FinishReason::PauseTurn,
        )
        | None => "STOP",
    }
}

fn is_enum_word(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}
