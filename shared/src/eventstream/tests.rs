//! Frames: whole, cut anywhere, damaged anywhere, too large.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use super::*;
use proptest::prelude::*;

/// A frame with headers of these types and bytes.
fn frame(headers: &[(&str, u8, &[u8])], payload: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, kind, value) in headers {
        block.push(name.len() as u8);
        block.extend(name.as_bytes());
        block.push(*kind);
        if matches!(kind, 6 | 7) {
            block.extend((value.len() as u16).to_be_bytes());
        }
        block.extend(*value);
    }
    let mut out = Vec::new();
    out.extend(((16 + block.len() + payload.len()) as u32).to_be_bytes());
    out.extend((block.len() as u32).to_be_bytes());
    out.extend(crc32(&out).to_be_bytes());
    out.extend(block);
    out.extend(payload);
    out.extend(crc32(&out).to_be_bytes());
    out
}

fn event(name: &str, payload: &str) -> Vec<u8> {
    let headers: [(&str, u8, &[u8]); 3] = [
        (":event-type", 7, name.as_bytes()),
        (":content-type", 7, b"application/json"),
        (":message-type", 7, b"event"),
    ];
    frame(&headers, payload.as_bytes())
}

/// What a stream says in these chunks: each frame as text, and the error that ended it.
fn read<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<String>, Option<FrameError>) {
    let mut reader = Reader::with_limit(4_096);
    let (mut frames, mut failed) = (Vec::new(), None);
    for chunk in chunks {
        reader.push(chunk);
        while let Some(frame) = reader.next() {
            match frame {
                Ok(Frame::Event { name, payload }) => {
                    frames.push(format!("event {name} {}", String::from_utf8_lossy(payload)));
                }
                Ok(Frame::Exception { name, payload }) => {
                    frames.push(format!("exception {name} {}", String::from_utf8_lossy(payload)));
                }
                Ok(Frame::Error { code, message }) => frames.push(format!("error {code} {message}")),
                Err(error) => assert_eq!(failed.replace(error), None, "told twice"),
            }
        }
    }
    (frames, failed)
}

/// The published vectors of the format: an empty message, a payload alone, one header of type 4.
#[test]
fn the_formats_own_examples_are_read() {
    let hex = |text: &str| -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    };
    let empty = hex("00000010 00000000 05c248eb 7d98c8ff");
    let payload = hex("0000001d 00000000 fd528c5a 7b27666f6f273a27626172277d c3653936");
    let header =
        hex("0000002d 00000010 41c424b8 0a6576656e742d74797065 04 0000a00c 7b27666f6f273a27626172277d 36f480a0");
    assert_eq!(read([empty.as_slice()]), (vec!["event  ".to_owned()], None));
    assert_eq!(read([payload.as_slice()]), (vec!["event  {'foo':'bar'}".to_owned()], None));
    assert_eq!(read([header.as_slice()]), (vec!["event  {'foo':'bar'}".to_owned()], None));
}

#[test]
fn events_exceptions_and_errors_are_told_apart_whatever_headers_stand_between() {
    let mut stream = event("messageStart", "{}");
    stream.extend(frame(
        &[
            (":message-type", 7, b"exception"),
            ("t", 0, b""),
            ("f", 1, b""),
            ("b", 2, b"1"),
            ("s", 3, b"12"),
            ("i", 4, b"1234"),
            ("l", 5, b"12345678"),
            ("bytes", 6, b"\xff\x00"),
            ("at", 8, b"12345678"),
            ("id", 9, b"1234567890123456"),
            (":exception-type", 7, b"throttlingException"),
        ],
        b"{\"message\":\"slow\"}",
    ));
    let text: [(&str, u8, &[u8]); 3] =
        [(":message-type", 7, b"error"), (":error-code", 7, b"42"), (":error-message", 7, b"no")];
    stream.extend(frame(&text, b""));
    let (frames, failed) = read([stream.as_slice()]);
    assert_eq!(
        frames,
        ["event messageStart {}", "exception throttlingException {\"message\":\"slow\"}", "error 42 no"]
    );
    assert_eq!(failed, None);
}

#[test]
fn a_stream_may_be_cut_anywhere() {
    let stream = [event("a", "{\"n\":1}"), event("b", ""), event("c", &"x".repeat(3_000))].concat();
    let whole = read([stream.as_slice()]);
    assert_eq!((whole.0.len(), whole.1), (3, None));
    for cut in 0..=stream.len() {
        let (one, other) = stream.split_at(cut);
        assert_eq!(read([one, other]), whole, "cut at {cut}");
    }
    for size in [1, 2, 5, 11, 12, 13, 16, 100] {
        assert_eq!(read(stream.chunks(size)), whole, "in chunks of {size}");
    }
}

#[test]
fn a_frame_that_is_not_all_there_is_no_frame() {
    let stream = event("a", "{}");
    for length in 0..stream.len() {
        assert_eq!(read([&stream[..length]]), (Vec::new(), None), "{length} bytes");
    }
}

#[test]
fn a_changed_byte_anywhere_is_noticed_and_nothing_after_it_is_believed() {
    let stream = [event("a", "{\"n\":1}"), event("b", "{}")].concat();
    for at in 0..event("a", "{\"n\":1}").len() {
        let mut damaged = stream.clone();
        damaged[at] ^= 0x10;
        let (frames, failed) = read([damaged.as_slice()]);
        assert!(frames.is_empty(), "byte {at}: {frames:?}");
        let expected = if at < 12 { FrameError::PreludeChecksum } else { FrameError::MessageChecksum };
        assert_eq!(failed, Some(expected), "byte {at}");
    }
}

#[test]
fn a_gigantic_frame_is_refused_before_it_arrives() {
    let large = event("a", &"x".repeat(5_000));
    assert_eq!(read([&large[..12]]), (Vec::new(), Some(FrameError::TooLarge { limit: 4_096 })));
    assert_eq!(read(large.chunks(7)), (Vec::new(), Some(FrameError::TooLarge { limit: 4_096 })));
}

#[test]
fn lengths_and_headers_that_make_no_sense_are_refused_although_the_checksums_hold() {
    let mut short = [0, 0, 0, 15, 0, 0, 0, 0].to_vec();
    short.extend(crc32(&short).to_be_bytes());
    let mut greedy = [0, 0, 0, 16, 0, 0, 0, 9].to_vec();
    greedy.extend(crc32(&greedy).to_be_bytes());
    greedy.extend(crc32(&greedy).to_be_bytes());
    let unknown_type = frame(&[("x", 10, b"")], b"");
    let unknown_message = frame(&[(":message-type", 7, b"novelty")], b"");
    let not_text = frame(&[(":event-type", 7, b"\xff")], b"");
    for stream in [short, greedy, unknown_type, unknown_message, not_text] {
        assert_eq!(read([stream.as_slice()]), (Vec::new(), Some(FrameError::Malformed)), "{stream:?}");
    }
}

#[test]
fn memory_stays_small_over_a_long_stream() {
    let one = event("a", &"x".repeat(1_000));
    let mut reader = Reader::new();
    for _ in 0..10_000 {
        reader.push(&one);
        while let Some(frame) = reader.next() {
            frame.unwrap();
        }
        assert!(reader.buffered() <= 4 * one.len());
    }
}

proptest! {
    #[test]
    fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..200), size in 1_usize..20) {
        prop_assert_eq!(read([bytes.as_slice()]), read(bytes.chunks(size)));
    }
}
