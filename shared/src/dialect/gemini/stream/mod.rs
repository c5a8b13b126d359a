//! Streams in Gemini's dialect.

mod decode;
mod encode;
mod partial;
mod watch;
mod wire;

pub(in crate::dialect) use decode::Decode;
pub(in crate::dialect) use encode::Encode;
pub(in crate::dialect) use watch::Watch;

/// No answer has more candidates or parts of arguments; a hostile stream must not grow our state
/// without end.
const MOST: usize = 256;
