//! Streams of `/api/chat`: JSON lines.

mod decode;

pub(in crate::dialect) use decode::Decode;

/// No answer has more calls; a hostile stream must not grow our state without end.
const MOST: u64 = 256;
