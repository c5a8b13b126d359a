//! The reader: one buffer, in which lines are found and the data of an event is joined in place.

use memchr::{memchr, memchr2};
use std::fmt;
use std::ops::Range;

/// The most bytes of data an event may have unless told otherwise: 1 MiB.
pub const DEFAULT_LIMIT: usize = 1 << 20;

/// What a line may have beside its data without counting against the limit: `data: `.
const FIELD: usize = 6;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// One event, lent by the [`Reader`] until its next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The event's type: its `event` field, or `message`.
    pub name: &'a str,
    /// The values of its `data` fields, joined with LF.
    pub data: &'a str,
    /// The last `id` field of the stream so far, this event's included; empty where there was none.
    pub id: &'a str,
}

/// An event, or a single line, is larger than the reader's limit. Typically a provider's defect, or
/// something that is no event stream at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventTooLarge {
    /// The limit in bytes.
    pub limit: usize,
}

impl fmt::Display for EventTooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an event of the stream is larger than {} bytes", self.limit)
    }
}

impl std::error::Error for EventTooLarge {}

/// Reads an event stream that arrives in chunks.
///
/// Push a chunk, take events until there is none, push the next. Where the chunks are cut never
/// matters: inside a character, between CR and LF, inside the byte order mark.
///
/// ```
/// let mut reader = signalbox::sse::Reader::new();
/// reader.push(b"data: {\"n\":1}\n\nda");
/// assert_eq!(reader.next().unwrap().unwrap().data, "{\"n\":1}");
/// assert!(reader.next().is_none());
/// ```
#[derive(Debug)]
pub struct Reader {
    limit: usize,
    /// What has arrived and is still wanted: `data`, then the line being read.
    buf: Vec<u8>,
    /// Where in `buf` the joined data of the event being read lies; it ends at or before `line`.
    data: Option<Range<usize>>,
    /// Where the line being read begins: `line <= searched <= buf.len()`.
    line: usize,
    /// Up to where that line is known to have no end, so that no byte is searched twice.
    searched: usize,
    /// A CR has just ended a line: an LF that follows belongs to it.
    after_cr: bool,
    at_start: bool,
    /// The event being read has been lent out; the next call begins another.
    lent: bool,
    failed: bool,
    name: String,
    id: String,
    retry: Option<u64>,
    /// Data that had to be repaired because it is not UTF-8.
    repaired: String,
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

    /// A reader that refuses an event with more than `limit` bytes of data, and any line longer than
    /// that and a `data: ` before it. It never holds more than a small multiple of the limit and the
    /// largest chunk.
    pub fn with_limit(limit: usize) -> Reader {
        Reader {
            limit,
            buf: Vec::new(),
            data: None,
            line: 0,
            searched: 0,
            after_cr: false,
            at_start: true,
            lent: false,
            failed: false,
            name: String::new(),
            id: String::new(),
            retry: None,
            repaired: String::new(),
        }
    }

    /// Takes the next bytes of the stream. Take all events with [`next`](Reader::next) before the
    /// next push: bytes pushed without that pile up. After [`EventTooLarge`] it does nothing.
    pub fn push(&mut self, chunk: &[u8]) {
        if self.failed {
            return;
        }
        self.release();
        self.compact();
        self.buf.extend_from_slice(chunk);
    }

    /// The next complete event, or `None` until more bytes are pushed. An error comes once and ends
    /// the stream.
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend what it yields")]
    pub fn next(&mut self) -> Option<Result<Event<'_>, EventTooLarge>> {
        self.release();
        loop {
            match self.take_line() {
                Ok(None) => return None,
                Ok(Some(line)) if !line.is_empty() => self.read_field(line),
                Ok(Some(_)) if self.data.is_some() => return Some(Ok(self.lend())),
                // A blank line without data before it dispatches nothing, but forgets the type.
                Ok(Some(_)) => self.name.clear(),
                Err(error) => {
                    *self = Reader { failed: true, ..Reader::with_limit(self.limit) };
                    return Some(Err(error));
                }
            }
        }
    }

    /// What the stream's end has cut off: the event that has data but no blank line after it, as if
    /// its last line and the event itself ended here. To be called when [`next`](Reader::next) has
    /// returned `None` and no more bytes come.
    ///
    /// The rules discard such an event. A dialect may take it where it can tell that it is whole
    /// (`[DONE]`, a JSON object that parses).
    pub fn finish(&mut self) -> Option<Event<'_>> {
        self.release();
        let line = self.take(self.buf.len());
        self.read_field(line);
        self.data.is_some().then(|| self.lend())
    }

    /// The reconnection time in milliseconds, if the stream has named one.
    pub fn retry(&self) -> Option<u64> {
        self.retry
    }

    /// Bytes of memory held for the stream.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.buf.capacity() + self.name.capacity() + self.id.capacity() + self.repaired.capacity()
    }

    /// Forgets the event that has been lent out.
    fn release(&mut self) {
        if self.lent {
            self.lent = false;
            self.data = None;
            self.name.clear();
        }
    }

    /// Drops the bytes nobody wants any more, once they are the larger part, so that all moves
    /// together cost no more than the stream is long.
    fn compact(&mut self) {
        let data = self.data.clone().unwrap_or(self.line..self.line);
        let wanted = data.len() + self.buf.len() - self.line;
        if self.buf.len() - wanted <= wanted {
            return;
        }
        let moved = self.line - data.len();
        self.buf.copy_within(data.clone(), 0);
        self.buf.copy_within(self.line.., data.len());
        self.buf.truncate(wanted);
        self.data = self.data.as_ref().map(|_| 0..data.len());
        self.line -= moved;
        self.searched -= moved;
    }

    /// The next line without its end, if that has arrived.
    fn take_line(&mut self) -> Result<Option<Range<usize>>, EventTooLarge> {
        if self.after_cr {
            match self.buf.get(self.line) {
                None => return Ok(None),
                Some(b'\n') => self.line += 1,
                Some(_) => {}
            }
            self.after_cr = false;
            self.searched = self.line;
        }
        let unread = self.buf.get(self.searched..).unwrap_or_default();
        let found = memchr2(b'\n', b'\r', unread).map(|length| self.searched + length);
        let end = found.unwrap_or(self.buf.len());
        let held = self.data.as_ref().map_or(0, |data| data.len());
        if held + (end - self.line) > self.limit.saturating_add(FIELD) {
            return Err(EventTooLarge { limit: self.limit });
        }
        if found.is_none() {
            self.searched = end;
            return Ok(None);
        }
        self.after_cr = self.buf.get(end) == Some(&b'\r');
        let line = self.take(end);
        self.line += 1;
        self.searched = self.line;
        Ok(Some(line))
    }

    /// The bytes from the beginning of the line to `end`, without the byte order mark that may open
    /// the stream.
    fn take(&mut self, end: usize) -> Range<usize> {
        let mut start = std::mem::replace(&mut self.line, end);
        self.searched = end;
        if std::mem::take(&mut self.at_start) {
            let line = self.buf.get(start..end).unwrap_or_default();
            if line.starts_with(BYTE_ORDER_MARK) {
                start += BYTE_ORDER_MARK.len();
            }
        }
        start..end
    }

    /// Reads one line that is not blank: a field, a comment, or something to ignore.
    fn read_field(&mut self, line: Range<usize>) {
        let bytes = self.buf.get(line.clone()).unwrap_or_default();
        let (field, value) = match memchr(b':', bytes) {
            Some(colon) => bytes.split_at(colon),
            None => (bytes, Default::default()),
        };
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                let value = line.end - value.len()..line.end;
                self.append_data(value);
            }
            b"event" => {
                self.name.clear();
                self.name.push_str(&String::from_utf8_lossy(value));
            }
            b"id" if !value.contains(&0) => {
                self.id.clear();
                self.id.push_str(&String::from_utf8_lossy(value));
            }
            b"retry" if value.iter().all(u8::is_ascii_digit) => {
                self.retry = str::from_utf8(value).ok().and_then(|digits| digits.parse().ok()).or(self.retry);
            }
            _ => {}
        }
    }

    /// Joins a value to the event's data. It is moved to the left only: between the two lie at least
    /// the bytes of a field name.
    fn append_data(&mut self, value: Range<usize>) {
        let Some(data) = &mut self.data else {
            self.data = Some(value);
            return;
        };
        if let Some(gap) = self.buf.get_mut(data.end) {
            *gap = b'\n';
        }
        let joined = data.end + 1;
        data.end = joined + value.len();
        self.buf.copy_within(value, joined);
    }

    /// Lends the event that has been read.
    fn lend(&mut self) -> Event<'_> {
        self.lent = true;
        let bytes = self.data.clone().and_then(|data| self.buf.get(data)).unwrap_or_default();
        let data = match str::from_utf8(bytes) {
            Ok(data) => data,
            Err(_) => {
                self.repaired = String::from_utf8_lossy(bytes).into_owned();
                &self.repaired
            }
        };
        let name = if self.name.is_empty() { "message" } else { &self.name };
        Event { name, data, id: &self.id }
    }
}
