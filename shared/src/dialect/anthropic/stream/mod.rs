//! Streams in Anthropic's dialect.

mod decode;
mod encode;
mod watch;
mod wire;

pub(in crate::dialect) use decode::Decode;
pub(in crate::dialect) use encode::Encode;
pub(in crate::dialect) use watch::Watch;
pub(in crate::dialect) use wire::BlockWire;

/// No answer has more blocks open; a hostile stream must not grow our state without end.
const MOST_OPEN: usize = 256;
