//! The reader: one buffer, in which frames are checked and lent where they lie.

use super::crc32;
use std::fmt;

/// The most bytes a frame may have unless told otherwise: 1 MiB, as much as an SSE event.
pub const DEFAULT_LIMIT: usize = 1 << 20;

/// Lengths and their checksum.
const PRELUDE: usize = 12;
/// The checksum of the whole frame.
const TRAILER: usize = 4;

/// One frame, lent by the [`Reader`] until its next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// An event.
    Event {
        /// Its `:event-type`.
        name: &'a str,
        /// Its body, JSON at Bedrock.
        payload: &'a [u8],
    },
    /// A failure the service has a name for. Typically the last frame of a stream.
    Exception {
        /// Its `:exception-type`.
        name: &'a str,
        /// Its body, JSON at Bedrock.
        payload: &'a [u8],
    },
    /// A failure nobody modelled.
    Error {
        /// Its `:error-code`.
        code: &'a str,
        /// Its `:error-message`.
        message: &'a str,
    },
}

/// Bytes that are no event stream. It comes once and ends the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// The lengths' checksum is wrong. Typically not an event stream at all.
    PreludeChecksum,
    /// The frame's checksum is wrong: bytes were lost or changed on the way.
    MessageChecksum,
    /// A frame is larger than the reader's limit.
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The checksums hold, but lengths or headers make no sense.
    Malformed,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::PreludeChecksum => f.write_str("a frame of the stream begins with a wrong checksum"),
            FrameError::MessageChecksum => f.write_str("a frame of the stream ends with a wrong checksum"),
            FrameError::TooLarge { limit } => write!(f, "a frame of the stream is larger than {limit} bytes"),
            FrameError::Malformed => f.write_str("a frame of the stream has another shape"),
        }
    }
}

impl std::error::Error for FrameError {}

/// Reads an event stream that arrives in chunks: push a chunk, take frames until there is none, push
/// the next.
#[derive(Debug)]
pub struct Reader {
    limit: usize,
    buf: Vec<u8>,
    /// Where the next frame begins: `at <= buf.len()`.
    at: usize,
    failed: bool,
}

impl Default for Reader {
    fn default() -> Reader {
        Reader::new()
    }
}

impl Reader {
    /// A reader with the [default limit](DEFAULT_LIMIT).
    pub fn new() -> Reader {
        Reader::with_limit(DEFAULT_LIMIT)
    }

    /// A reader that refuses a frame of more than `limit` bytes, before those have arrived. It never
    /// holds more than twice the limit and the largest chunk.
    pub fn with_limit(limit: usize) -> Reader {
        Reader { limit, buf: Vec::new(), at: 0, failed: false }
    }

    /// Takes the next bytes of the stream. After an error it does nothing.
    pub fn push(&mut self, chunk: &[u8]) {
        if self.failed {
            return;
        }
        // Moved once they are the smaller part, so that all moves together cost no more than the stream is long.
        if self.at >= self.buf.len() - self.at {
            self.buf.drain(..self.at);
            self.at = 0;
        }
        self.buf.extend_from_slice(chunk);
    }

    /// The next complete frame, or `None` until more bytes are pushed.
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend what it yields")]
    pub fn next(&mut self) -> Option<Result<Frame<'_>, FrameError>> {
        let length = match self.complete()? {
            Ok(length) => length,
            Err(error) => return Some(Err(self.fail(error))),
        };
        let frame = self.at..self.at + length;
        self.at = frame.end;
        if self.buf.get(frame.clone()).and_then(read).is_none() {
            return Some(Err(self.fail(FrameError::Malformed)));
        }
        self.buf.get(frame).and_then(read).map(Ok)
    }

    /// Bytes of memory held for the stream.
    #[cfg(test)]
    pub(super) fn buffered(&self) -> usize {
        self.buf.capacity()
    }

    /// The length of the frame at hand, once all of it is there and its checksums hold.
    fn complete(&self) -> Option<Result<usize, FrameError>> {
        let rest = self.buf.get(self.at..)?;
        let (lengths, after) = rest.split_first_chunk::<8>()?;
        let checksum = u32::from_be_bytes(*after.first_chunk()?);
        if crc32(lengths) != checksum {
            return Some(Err(FrameError::PreludeChecksum));
        }
        let total = number(lengths)?;
        if total > self.limit {
            return Some(Err(FrameError::TooLarge { limit: self.limit }));
        }
        if total < PRELUDE + TRAILER {
            return Some(Err(FrameError::Malformed));
        }
        let (message, checksum) = rest.get(..total)?.split_last_chunk::<TRAILER>()?;
        let holds = crc32(message) == u32::from_be_bytes(*checksum);
        Some(if holds { Ok(total) } else { Err(FrameError::MessageChecksum) })
    }

    fn fail(&mut self, error: FrameError) -> FrameError {
        *self = Reader { failed: true, ..Reader::with_limit(self.limit) };
        error
    }
}

/// A big-endian length.
fn number(bytes: &[u8]) -> Option<usize> {
    usize::try_from(u32::from_be_bytes(*bytes.first_chunk()?)).ok()
}

/// Reads a frame whose checksums hold; `None` when it makes no sense.
fn read(frame: &[u8]) -> Option<Frame<'_>> {
    let headers = number(frame.get(4..)?)?;
    let rest = frame.get(PRELUDE..frame.len() - TRAILER)?;
    let (mut headers, payload) = rest.split_at_checked(headers)?;
    let (mut kind, mut name, mut code, mut message) = ("event", "", "", "");
    while !headers.is_empty() {
        let (header, value) = take_header(&mut headers)?;
        // Every other header says nothing a chat needs: content types, dates, ids.
        match (header, value) {
            (b":message-type", Some(text)) => kind = text,
            (b":event-type" | b":exception-type", Some(text)) => name = text,
            (b":error-code", Some(text)) => code = text,
            (b":error-message", Some(text)) => message = text,
            _ => {}
        }
    }
    match kind {
        "event" => Some(Frame::Event { name, payload }),
        "exception" => Some(Frame::Exception { name, payload }),
        "error" => Some(Frame::Error { code, message }),
        _ => None,
    }
}

/// A header's name, and its value if that is a string.
fn take_header<'a>(headers: &mut &'a [u8]) -> Option<(&'a [u8], Option<&'a str>)> {
    let length = usize::from(*take(headers, 1)?.first()?);
    let name = take(headers, length)?;
    let length = match take(headers, 1)?.first()? {
        // true, false
        0 | 1 => 0,
        // Integers of 8, 16, 32 and 64 bits.
        2 => 1,
        3 => 2,
        4 => 4,
        5 => 8,
        6 => usize::from(u16::from_be_bytes(*take(headers, 2)?.first_chunk()?)),
        7 => {
            let length = usize::from(u16::from_be_bytes(*take(headers, 2)?.first_chunk()?));
            return Some((name, Some(str::from_utf8(take(headers, length)?).ok()?)));
        }
        // An instant, a UUID.
        8 => 8,
        9 => 16,
        _ => return None,
    };
    take(headers, length).map(|_| (name, None))
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}
