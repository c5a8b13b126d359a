//! Server-sent events, read as the WHATWG rules say (HTML, section 9.2.6), for any chunking.
//!
//! [`Reader`] is fed the bytes of a stream as they arrive and lends out the events that have become
//! complete. It does no I/O; its memory is bounded by the largest event and the largest chunk.
//! [`write_event`] is the other direction, and [`ToArray`] another form.
//!
//! Every choice the rules leave to the reader, or that a provider forces on it:
//! - Bytes that are not UTF-8 become U+FFFD, as the rules want; they never end the stream.
//! - An event the stream ends within is not lost: [`Reader::finish`] tells of it, because some
//!   providers leave out the last blank line. A caller that ignores it follows the rules to the letter.
//! - An event above the [limit](Reader::with_limit) ends the stream with [`EventTooLarge`].

mod array;
mod reader;
mod write;

pub use array::ToArray;
pub use reader::{DEFAULT_LIMIT, Event, EventTooLarge, Reader};
pub use write::write_event;

#[cfg(test)]
mod tests;
