//! Streams in OpenAI's dialect.

mod decode;
mod encode;
mod strip;
mod watch;
mod wire;

pub(in crate::dialect) use decode::Decode;
pub(in crate::dialect) use encode::Encode;
pub use strip::Stripper;
pub(in crate::dialect) use watch::Watch;
pub(in crate::dialect) use wire::DeltaWire;

/// No answer has more choices or calls; a hostile stream must not grow our state without end.
const MOST: usize = 256;
