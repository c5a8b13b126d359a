//! Ollama's own chat (`/api/chat`): a provider's dialect, which no caller speaks.
//!
//! Source: Ollama's API reference, "Generate a chat message". A stream is JSON lines, each with the
//! shape of a whole answer; the last one is `done` and has the counts.

pub(super) mod error;
pub(super) mod request;
pub(super) mod response;
pub(super) mod stream;
mod usage;
mod wire;

use super::ir::FinishReason;

/// Why an answer is done. There is no word for calls: an answer that has some ended for them.
fn read_done(word: Option<&str>, calls: bool) -> FinishReason {
    match word {
        Some("stop") | None if calls => FinishReason::ToolCalls,
        // The other two tell of a model that was loaded or unloaded.
        Some("stop" | "load" | "unload") | None => FinishReason::Stop,
        Some("length") => FinishReason::Length,
        Some(other) => FinishReason::Other(other.to_owned()),
    }
}
