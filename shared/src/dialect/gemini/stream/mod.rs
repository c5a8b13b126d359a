//! Streams in Gemini's dialect.

mod decode;
mod encode;
mod partial;
mod watch;
mod wire;

pub(in crate::dialect) use decode::Decode;
pub(in crate::dialect) use encode::Encode;
pub(in crate::dialect) use watch::Watch;

/// An image stands in one event, in base64.
pub(in crate::dialect) const LARGEST_EVENT: usize = 24 << 20;

/// No answer has more candidates or parts of arguments; a hostile stream must not grow our state
/// without end.
const MOST: usize = 256;
