//! Requests in the Responses dialect.

mod inspect;
mod items_read;
mod items_write;
mod parts_read;
mod read;
mod rewrite;
mod write;

pub(in crate::dialect) use inspect::inspect;
pub(super) use items_read::lowered;
pub(in crate::dialect) use read::read;
pub(in crate::dialect) use rewrite::rewrite;
pub(in crate::dialect) use write::write;
