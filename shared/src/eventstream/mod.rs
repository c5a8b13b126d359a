//! AWS event streams (`application/vnd.amazon.eventstream`), read for any chunking.
//!
//! A stream is a row of binary frames: total length, length of the headers and a checksum of both (the
//! prelude, 12 bytes), then headers, payload, and a checksum of everything before it. Lengths and
//! checksums (CRC-32) are big-endian. Source: Amazon Transcribe's page on event stream encoding, and
//! Smithy's `eventstream` specification.
//!
//! [`Reader`] is fed bytes as they arrive and lends out the frames that have become complete. A frame
//! whose checksum is wrong ends the stream: past it no length can be believed.

mod crc;
mod reader;

pub use crc::crc32;
pub use reader::{DEFAULT_LIMIT, Frame, FrameError, Reader};

#[cfg(test)]
mod tests;
