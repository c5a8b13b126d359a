//! The event stream reader against streams that others wrote: the shared vectors and recorded traffic.
//! Both are read in place; where they are absent the tests say so and pass.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros, reason = "tests read files")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]

use serde_json::Value;
use signalbox::sse::{Event, Reader};
use std::path::PathBuf;

type Owned = (String, String, String);

fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SIGNALBOX_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let found = Some(root.join(path)).filter(|path| path.exists());
    if found.is_none() {
        eprintln!("skipped: no {path} in {}", root.display());
    }
    found
}

/// Standard base64, for the vectors' bytes.
fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter_map(|byte| ALPHABET.iter().position(|&digit| digit == byte));
    let (mut bits, mut held, mut bytes) = (0u32, 0, Vec::new());
    for digit in digits {
        bits = bits << 6 | digit as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    bytes
}

fn owned(event: Event<'_>) -> Owned {
    (event.name.to_owned(), event.data.to_owned(), event.id.to_owned())
}

fn read<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Owned>, Option<u64>) {
    let mut reader = Reader::new();
    let mut events = Vec::new();
    for chunk in chunks {
        reader.push(chunk);
        while let Some(event) = reader.next() {
            events.push(owned(event.unwrap()));
        }
    }
    (events, reader.retry())
}

#[test]
fn every_vector_gives_its_events_whole_byte_by_byte_and_split_anywhere() {
    let Some(path) = shared("security/vectors/sse/sse_vectors.json") else { return };
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert!(vectors.len() >= 46, "only {} vectors", vectors.len());
    for vector in vectors {
        let name = vector["name"].as_str().unwrap();
        let stream = base64(vector["bytes_b64"].as_str().unwrap());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let events = vector["expect"].as_array().unwrap().iter();
        let events = events.map(|event| (text(&event["event"]), text(&event["data"]), text(&event["id"])));
        let expected = (events.collect(), vector["retry"].as_u64());
        assert_eq!(read([stream.as_slice()]), expected, "{name}, whole");
        assert_eq!(read(stream.chunks(1)), expected, "{name}, byte by byte");
        // The largest vector has a million offsets: try those near its ends, and some between.
        let step = |at: &usize| *at < 32 || stream.len() - at < 32 || at.is_multiple_of(1 + stream.len() / 300);
        for at in (0..=stream.len()).filter(step) {
            let (before, after) = stream.split_at(at);
            assert_eq!(read([before, after]), expected, "{name}, split at {at}");
        }
    }
}

#[test]
fn recorded_streams_give_the_same_events_in_any_chunks() {
    let Some(root) = shared("traffic/corpus/dev") else { return };
    let mut streams = 0;
    for case in std::fs::read_dir(root).unwrap().flatten().filter_map(|provider| provider.path().read_dir().ok()) {
        for path in case.flatten().map(|case| case.path().join("response.sse")).filter(|path| path.exists()) {
            let stream = std::fs::read(&path).unwrap();
            let whole = read([stream.as_slice()]);
            assert!(!whole.0.is_empty(), "{}", path.display());
            for size in [1, 2, 3, 7, 64, 1_000] {
                assert_eq!(read(stream.chunks(size)), whole, "{}, chunks of {size}", path.display());
            }
            streams += 1;
        }
    }
    assert!(streams > 0);
    eprintln!("{streams} recorded streams");
}
