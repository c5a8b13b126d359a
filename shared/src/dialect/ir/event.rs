//! A streamed answer in the common form.
//!
//! An answer is a list of blocks, each opened, filled and closed once. Blocks of one choice may
//! overlap (OpenAI streams parallel calls interleaved); an encoder that may not interleave queues.

use super::{FinishReason, Json, Seal};
use crate::dialect::{Dialect, UpstreamError};
use crate::usage::Usage;

/// One step of a streamed answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The answer begins. Comes first, once, unless the stream fails before it.
    Start {
        /// The provider's id of the answer.
        id: Option<String>,
        /// The model as the provider names it.
        model: Option<String>,
    },
    /// A block opens.
    BlockStart {
        /// Which answer, when `n` asked for several.
        choice: u64,
        /// The block's number within the choice; never reused.
        block: u64,
        /// What it is.
        kind: BlockKind,
    },
    /// A block grows.
    Delta {
        /// Which answer.
        choice: u64,
        /// Which block.
        block: u64,
        /// By what.
        delta: Delta,
    },
    /// A block is complete.
    BlockStop {
        /// Which answer.
        choice: u64,
        /// Which block.
        block: u64,
    },
    /// Token probabilities in OpenAI's form, of the text just sent.
    Logprobs {
        /// Which answer.
        choice: u64,
        /// `{"content":[…],"refusal":[…]}`.
        json: Json,
    },
    /// A choice ended. A later one for the same choice replaces it.
    Finish {
        /// Which answer.
        choice: u64,
        /// Why.
        reason: FinishReason,
    },
    /// What was consumed so far. A later one replaces it.
    Usage(Usage),
    /// The provider failed. Only [`Event::Usage`] may follow.
    Error(UpstreamError),
    /// The answer is complete. Comes last, once.
    End,
}

/// What a block is.
#[derive(Clone, Debug, PartialEq)]
pub enum BlockKind {
    /// The answer's text.
    Text,
    /// The model's words when it declines.
    Refusal,
    /// Reasoning.
    Thinking,
    /// Reasoning only the provider can read; it comes whole.
    RedactedThinking(Seal),
    /// A tool call.
    ToolCall {
        /// Unique within the answer.
        id: String,
        /// The tool's name.
        name: String,
    },
    /// A block of one dialect that no other has.
    Opaque {
        /// The dialect that understands it.
        origin: Dialect,
        /// The block as it began.
        json: Json,
    },
}

/// What a block grows by.
#[derive(Clone, Debug, PartialEq)]
pub enum Delta {
    /// Text of a text, refusal or thinking block.
    Text(String),
    /// The signature of a thinking block, or a piece of it.
    Signature(Seal),
    /// A piece of what a tool is given, the caller's or a provider's own: JSON text, cut anywhere.
    Arguments(String),
    /// A source of the text.
    Citation(super::Citation),
    /// A delta of an opaque block, as its dialect's own JSON; in some dialects the whole block anew.
    Opaque(Json),
}
