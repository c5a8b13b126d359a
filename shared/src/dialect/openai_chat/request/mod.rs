//! Requests in OpenAI's dialect.

mod inspect;
mod messages_read;
mod messages_write;
mod read;
mod rewrite;
mod write;

pub(in crate::dialect) use inspect::inspect;
pub(super) use messages_read::{read_content as read_answer_content, thinking_text};
pub(super) use messages_write::write_call;
pub(in crate::dialect) use read::read;
pub(in crate::dialect) use rewrite::rewrite;
pub(in crate::dialect) use write::write;
