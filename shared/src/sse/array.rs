//! An event stream as one JSON array, written element by element: what Google's callers get who did
//! not ask for events.

use super::Reader;

/// Turns the bytes of an event stream into those of an array of its events' data.
///
/// Data that is no JSON (a closing mark, half an event) is left out. After [`ToArray::finish`] the array
/// is closed and nothing more is written.
#[derive(Debug)]
pub struct ToArray {
    reader: Reader,
    begun: bool,
    closed: bool,
}

impl ToArray {
    /// For events of at most `limit` bytes.
    pub fn new(limit: usize) -> ToArray {
        ToArray { reader: Reader::with_limit(limit), begun: false, closed: false }
    }

    /// Takes the next bytes of the stream; appends what they complete to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.reader.push(bytes);
        while let Some(event) = self.reader.next() {
            // One that is too large is missing; the stream's own meter tells of it.
            if let Ok(event) = event
                && !self.closed
            {
                element(&mut self.begun, event.data, out);
            }
        }
    }

    /// Closes the array.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if !self.closed {
            // A whole event that lost its blank line.
            if let Some(event) = self.reader.finish() {
                element(&mut self.begun, event.data, out);
            }
            out.extend_from_slice(if self.begun { b"\n]\n" } else { b"[]\n" });
        }
        self.closed = true;
    }
}

fn element(begun: &mut bool, data: &str, out: &mut Vec<u8>) {
    if crate::json::parse::<serde::de::IgnoredAny>(data).is_ok() {
        out.extend_from_slice(if *begun { b",\n" } else { b"[" });
        *begun = true;
        out.extend_from_slice(data.as_bytes());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn array(chunks: impl IntoIterator<Item = Vec<u8>>) -> String {
        let mut writer = ToArray::new(1_000);
        let mut out = Vec::new();
        chunks.into_iter().for_each(|chunk| writer.push(&chunk, &mut out));
        writer.finish(&mut out);
        writer.push(b"data: 9\n\n", &mut out);
        writer.finish(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn events_become_elements_and_what_is_no_json_is_left_out() {
        let stream = b"data: {\"a\":1}\r\n\r\n: comment\n\nevent: x\ndata: {\ndata: }\n\ndata: [DONE]\n\ndata: {\"cu";
        let array = array([stream.to_vec()]);
        assert_eq!(array, "[{\"a\":1},\n{\n}\n]\n");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&array).unwrap(), crate::json::json!([{"a": 1}, {}]));
    }

    #[test]
    fn no_event_is_an_empty_array() {
        assert_eq!(array([]), "[]\n");
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_array(size in 1_usize..20) {
            let stream = b"data: {\"text\":\"\xC3\xA9\"}\r\n\r\ndata: 2\n\n";
            prop_assert_eq!(array(stream.chunks(size).map(<[u8]>::to_vec)), array([stream.to_vec()]));
        }
    }
}
