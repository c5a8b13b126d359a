//! How many tokens a chat's prompt has, without the chat: Anthropic's `count_tokens`, Gemini's
//! `countTokens`. A provider of the caller's dialect is asked; for any other it is an estimate, and marked as one.

use super::answer::{self, Written};
use crate::dialect::json_read::Path;
use crate::dialect::json_write::object;
use crate::dialect::{Dialect, Effect, Facts, ProtocolError, Warnings};
use bytes::Bytes;

/// A provider's own count, as it came.
pub fn read(dialect: Dialect, body: Bytes) -> Result<Written, ProtocolError> {
    let path = Path::Root;
    let member = dialect.count_member();
    let mut top = answer::open(answer::text(&body)?, &path, &[member])?;
    let count = top.count(member).ok().flatten();
    drop(top);
    match count {
        Some(_) => Ok(Written::new(body, None, None)),
        None => Err(ProtocolError::WrongShape("the count is no number")),
    }
}

/// Our own count, for a provider that does not tell.
pub fn estimate(dialect: Dialect, facts: &Facts, warnings: &mut Warnings) -> Written {
    let member = dialect.count_member();
    warnings.add(member, Effect::Converted);
    let mut out = Vec::new();
    object(&mut out, |o| o.number(member, facts.probable_input().max(1)));
    Written::new(out, None, None)
}
