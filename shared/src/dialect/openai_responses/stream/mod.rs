//! Streams in the Responses dialect.

mod decode;
mod encode;
mod items;
mod output;
mod watch;
mod wire;

pub(in crate::dialect) use decode::Decode;
pub(in crate::dialect) use encode::Encode;
pub(in crate::dialect) use watch::Watch;

/// No answer has more items at once; a hostile stream must not grow our state without end.
const MOST: usize = 4_096;
