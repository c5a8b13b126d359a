//! OpenAI Responses: answers are lists of typed items, streams are typed events with numbers.

pub(super) mod error;
mod item;
pub(super) mod request;
pub(super) mod response;
mod seal;
pub(super) mod stream;
mod usage;

use super::ir::FinishReason;

/// Members of a request that mean the same in OpenAI's two dialects, and nothing in others.
pub(super) const SHARED_MEMBERS: [&str; 4] =
    ["prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "safety_identifier"];

/// Why an incomplete answer ended. Whatever the reason is called, it was cut off.
fn read_incomplete(reason: Option<&str>) -> FinishReason {
    match reason {
        Some("content_filter") => FinishReason::ContentFilter,
        Some(_) | None => FinishReason::Length,
    }
}

/// `incomplete_details.reason`, where an answer is not complete.
fn incomplete_word(reason: Option<&FinishReason>) -> Option<&'static str> {
    match reason? {
        FinishReason::Length | FinishReason::ContextWindow => Some("max_output_tokens"),
        FinishReason::ContentFilter | FinishReason::Refusal => Some("content_filter"),
        FinishReason::Stop
        | FinishReason::StopSequence(_)
        | FinishReason::ToolCalls
        | FinishReason::PauseTurn
        | FinishReason::Other(_) => None,
    }
}
