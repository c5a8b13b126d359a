//! How many tokens a chat's prompt has, without the chat: Anthropic's `POST /v1/messages/count_tokens`. A
//! provider of the caller's dialect is asked; for any other it is an estimate, and marked as one.

use super::answer::{self, Written};
use crate::dialect::json_read::Path;
use crate::dialect::json_write::object;
use crate::dialect::{Dialect, Effect, Facts, ProtocolError, Warnings};
use bytes::Bytes;

/// The path below a provider's base URL; `None` where its dialect does not count.
pub fn path(provider: Dialect, chat_path: &str) -> Option<String> {
    match provider {
        Dialect::Anthropic => Some(format!("{chat_path}/count_tokens")),
        Dialect::OpenAiChat | Dialect::OpenAiResponses => None,
    }
}

/// A provider's own count, as it came.
pub fn read(body: Bytes) -> Result<Written, ProtocolError> {
    let path = Path::Root;
    let mut top = answer::open(answer::text(&body)?, &path, &["input_tokens"])?;
    let count = top.count("input_tokens").ok().flatten();
    drop(top);
    match count {
        Some(_) => Ok(Written::new(body, None, None)),
        None => Err(ProtocolError::WrongShape("the count is no number")),
    }
}

/// Our own count, for a provider that does not tell.
pub fn estimate(facts: &Facts, warnings: &mut Warnings) -> Written {
    warnings.add("input_tokens", Effect::Converted);
    let mut out = Vec::new();
    object(&mut out, |o| o.number("input_tokens", facts.probable_input().max(1)));
    Written::new(out, None, None)
}
