//! Requests in Anthropic's dialect.

mod blocks_read;
mod blocks_write;
mod ids;
mod inspect;
mod read;
mod rewrite;
mod thinking;
mod write;

pub(super) use blocks_read::read_answer_block;
pub(super) use blocks_write::write_tool_use;
// Bedrock wants its ids and thoughts as Anthropic does.
pub(in crate::dialect) use ids::Ids;
pub(in crate::dialect) use inspect::inspect;
pub(in crate::dialect) use read::read;
pub(in crate::dialect) use rewrite::rewrite;
pub(in crate::dialect) use thinking::{Plan, plan};
pub(in crate::dialect) use write::{write, write_schema};
