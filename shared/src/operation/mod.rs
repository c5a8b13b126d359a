//! What a caller can ask for. A chat is one operation among several, and all of them walk the same
//! path: known, admitted, routed, tried, settled and written down exactly once.
//!
//! An operation says what its request means to policy and routing ([`Operation::inspect`]) and which
//! models it is for ([`Operation::kind`]). How chats are spelled is the dialects' business; each other
//! operation has a room here, for what callers write and for what providers want. Nothing in here
//! knows who calls, who pays or how bytes travel.

use crate::catalog::Kind;
use crate::dialect::{Dialect, Facts};
use crate::error::ApiError;
use crate::json::Document;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The next turn of a conversation, in a dialect.
    Chat(Dialect),
}

impl Operation {
    /// The name in the audit line.
    pub fn as_str(&self) -> &'static str {
        match self {
            Operation::Chat(_) => "chat",
        }
    }

    /// The dialect its errors are spelled in.
    pub fn dialect(&self) -> Dialect {
        match self {
            Operation::Chat(dialect) => *dialect,
        }
    }

    /// What a model must be made for.
    pub fn kind(&self) -> Kind {
        match self {
            Operation::Chat(_) => Kind::Chat,
        }
    }

    /// Whether its body is JSON and nothing else.
    pub fn takes_json(&self) -> bool {
        match self {
            Operation::Chat(_) => true,
        }
    }

    /// What policy and routing need to know of a request. A member of the wrong type is a 400 that
    /// names it.
    pub fn inspect(&self, body: &Document<'_>) -> Result<Facts, ApiError> {
        match self {
            Operation::Chat(dialect) => dialect.inspect(body),
        }
    }
}
