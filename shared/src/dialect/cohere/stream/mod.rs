//! Streams of v2 chat: server-sent events.

mod decode;
mod wire;

pub(in crate::dialect) use decode::Decode;

/// No answer has more calls; a hostile stream must not grow our state without end.
const MOST: usize = 256;
