//! Streams of ConverseStream.

mod decode;
mod wire;

pub(in crate::dialect) use decode::Decode;

/// No answer has more blocks open; a hostile stream must not grow our state without end.
const MOST_OPEN: usize = 256;
