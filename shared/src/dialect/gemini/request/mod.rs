//! Requests in Gemini's dialect.

mod contents_read;
mod count;
mod inspect;
mod media;
mod read;
mod rewrite;
mod schema;
mod thinking;
mod tools;
mod write;

pub(in crate::dialect) use count::{inspect_count, rewrite_count};
pub(in crate::dialect) use inspect::inspect;
pub(super) use media::write_media;
pub(in crate::dialect) use read::read;
pub(in crate::dialect) use rewrite::rewrite;
pub(in crate::dialect) use write::write;
