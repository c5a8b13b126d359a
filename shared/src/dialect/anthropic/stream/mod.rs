//! Streams in Anthropic's dialect.

mod decode;
mod encode;
mod watch;
mod wire;

pub(in crate::dialect) use decode::Decode;
pub(in crate::dialect) use encode::Encode;
pub(in crate::dialect) use watch::Watch;
pub(in crate::dialect) use wire::BlockWire;
