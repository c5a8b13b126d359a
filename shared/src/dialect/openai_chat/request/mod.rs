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
// Workers AI has its conversation and its tools as OpenAI does.
pub(in crate::dialect) use messages_write::write_messages;
pub(in crate::dialect) use read::read;
pub(in crate::dialect) use rewrite::rewrite;
pub(in crate::dialect) use write::{write, write_tools};
