//! An event stream told as one JSON array: however it is cut, the same array, and always a whole one.

use crate::{chunks, take_byte};
use serde_json::value::RawValue;
use signalbox::sse::{Reader, ToArray};

const LIMIT: usize = 4_096;

fn array<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let (mut array, mut out) = (ToArray::new(LIMIT), Vec::new());
    chunks.for_each(|chunk| array.push(chunk, &mut out));
    array.finish(&mut out);
    let whole = out.len();
    array.push(b"data: {}\n\n", &mut out);
    array.finish(&mut out);
    assert_eq!(out.len(), whole, "something was written after the end");
    out
}

pub fn run(mut data: &[u8]) {
    let seed = take_byte(&mut data);
    let whole = array(std::iter::once(data));
    assert_eq!(whole, array(chunks(data, seed)));

    let items: Vec<&RawValue> = serde_json::from_slice(&whole).expect("a whole array");
    // Each item is an event's data, and none is missing that is JSON.
    let mut reader = Reader::with_limit(LIMIT);
    reader.push(data);
    let mut events = Vec::new();
    while let Some(event) = reader.next() {
        events.extend(event.ok().map(|event| event.data.to_owned()));
    }
    events.extend(reader.finish().map(|event| event.data.to_owned()));
    events.retain(|data| serde_json::from_str::<&RawValue>(data).is_ok());
    let same = items.iter().map(|item| item.get()).eq(events.iter().map(|data| data.trim_matches([' ', '\t', '\n', '\r'])));
    assert!(same, "{items:?} {events:?}");
}
