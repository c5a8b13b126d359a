//! JSON lines (`application/x-ndjson`), read for any chunking.
//!
//! One value a line, lines ended by LF or CR LF. What stands in a line is the dialect's to judge.

use memchr::memchr;
use std::borrow::Cow;
use std::fmt;

/// The most bytes a line may have: 1 MiB, as much as an SSE event.
pub const DEFAULT_LIMIT: usize = 1 << 20;

/// A line is longer than the reader's limit. It comes once and ends the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineTooLong {
    /// The limit in bytes.
    pub limit: usize,
}

impl fmt::Display for LineTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a line of the stream is longer than {} bytes", self.limit)
    }
}

impl std::error::Error for LineTooLong {}

/// Reads lines that arrive in chunks: push a chunk, take lines until there is none, push the next.
#[derive(Debug)]
pub struct Reader {
    limit: usize,
    buf: Vec<u8>,
    /// Where the next line begins: `at <= searched <= buf.len()`.
    at: usize,
    /// Up to where that line is known to have no end, so that no byte is searched twice.
    searched: usize,
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

    /// A reader that refuses a line of more than `limit` bytes.
    pub fn with_limit(limit: usize) -> Reader {
        Reader { limit, buf: Vec::new(), at: 0, searched: 0, failed: false }
    }

    /// Takes the next bytes of the stream. After an error it does nothing.
    pub fn push(&mut self, chunk: &[u8]) {
        if self.failed {
            return;
        }
        if self.at >= self.buf.len() - self.at {
            self.buf.drain(..self.at);
            self.searched -= self.at;
            self.at = 0;
        }
        self.buf.extend_from_slice(chunk);
    }

    /// The next complete line that is not blank, without its end; bytes that are no UTF-8 become U+FFFD.
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend what it yields")]
    pub fn next(&mut self) -> Option<Result<Cow<'_, str>, LineTooLong>> {
        loop {
            let end = memchr(b'\n', self.buf.get(self.searched..)?).map(|length| self.searched + length);
            self.searched = end.unwrap_or(self.buf.len());
            if self.searched - self.at > self.limit {
                *self = Reader { failed: true, ..Reader::with_limit(self.limit) };
                return Some(Err(LineTooLong { limit: self.limit }));
            }
            end?;
            let start = std::mem::replace(&mut self.at, self.searched + 1);
            let line = start..std::mem::replace(&mut self.searched, self.at);
            if self.buf.get(line.clone()).is_some_and(|line| !line.trim_ascii().is_empty()) {
                return self.buf.get(line).map(|line| Ok(text(line)));
            }
        }
    }

    /// What the stream's end has cut off: a last line without its end, if there is one.
    pub fn finish(&mut self) -> Option<Cow<'_, str>> {
        let start = std::mem::replace(&mut self.at, self.buf.len());
        self.searched = self.at;
        self.buf.get(start..).map(text).filter(|line| !line.is_empty())
    }
}

fn text(line: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(line.trim_ascii())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn read<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<String>, bool, Option<String>) {
        let mut reader = Reader::with_limit(20);
        let (mut lines, mut refused) = (Vec::new(), false);
        for chunk in chunks {
            reader.push(chunk);
            while let Some(line) = reader.next() {
                match line {
                    Ok(line) => lines.push(line.into_owned()),
                    Err(LineTooLong { limit }) => {
                        assert!(limit == 20 && !refused, "told twice");
                        refused = true;
                    }
                }
            }
        }
        let last = reader.finish().map(Cow::into_owned);
        (lines, refused, last)
    }

    #[test]
    fn lines_come_whole_wherever_the_stream_is_cut() {
        let stream = "{\"a\":1}\n\r\n {\"é\":2}\r\n\n[3]".as_bytes();
        let expected = (vec!["{\"a\":1}".to_owned(), "{\"é\":2}".to_owned()], false, Some("[3]".to_owned()));
        assert_eq!(read([stream]), expected);
        for cut in 0..stream.len() {
            assert_eq!(read([&stream[..cut], &stream[cut..]]), expected, "cut at {cut}");
        }
        assert_eq!(read(stream.chunks(1)), expected);
    }

    #[test]
    fn a_line_that_is_too_long_ends_the_stream() {
        let stream = format!("{{}}\n{}\n{{}}\n", "x".repeat(21));
        for size in [1, 3, 100] {
            let (lines, refused, last) = read(stream.as_bytes().chunks(size));
            assert_eq!((lines, refused, last), (vec!["{}".to_owned()], true, None), "in chunks of {size}");
        }
        assert_eq!(read([format!("{}\n", "x".repeat(20)).as_bytes()]).0.len(), 1);
    }
}
