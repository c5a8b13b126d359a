//! Requests of v2 chat. They are only written: no caller speaks this dialect.

mod messages;
mod write;

pub(in crate::dialect) use write::write;
