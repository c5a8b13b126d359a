//! Requests of Converse. They are only written: no caller speaks this dialect.

mod blocks;
mod fields;
mod media;
mod tools;
mod write;

pub(in crate::dialect) use write::write;
