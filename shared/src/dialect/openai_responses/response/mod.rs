//! Whole answers in the Responses dialect.

mod read;
mod shape;
mod write;

pub(super) use read::failure;
pub(in crate::dialect) use read::{observe, read};
pub(in crate::dialect) use shape::echo;
pub(super) use shape::{Shape, Status, id};
pub(super) use write::token_logprobs;
pub(in crate::dialect) use write::write;
