//! Amazon Bedrock's Converse and ConverseStream: a provider's dialect, which no caller speaks.
//!
//! Source: the Amazon Bedrock API reference, `Converse` and `ConverseStream`. The model stands in the
//! URL, not in the body; an answer names none and has no id.

mod citation;
pub(super) mod error;
pub(super) mod request;
pub(super) mod response;
pub(super) mod stream;
mod usage;

use super::ir::FinishReason;
use super::wire::wire;

/// A `stopReason`. `sequence` is the stop text, which Claude tells when it is asked to.
fn read_stop(word: &str, sequence: Option<String>) -> FinishReason {
    match word {
        "end_turn" => FinishReason::Stop,
        "stop_sequence" => FinishReason::StopSequence(sequence),
        "max_tokens" => FinishReason::Length,
        "model_context_window_exceeded" => FinishReason::ContextWindow,
        "tool_use" => FinishReason::ToolCalls,
        "content_filtered" | "guardrail_intervened" => FinishReason::ContentFilter,
        "refusal" => FinishReason::Refusal,
        other => FinishReason::Other(other.to_owned()),
    }
}

wire! {
    /// `additionalModelResponseFields`: the stop text, where the request asked for it.
    struct ModelFields<'a> {
        stop_sequence: super::lenient::Text<'a>,
    }
}
