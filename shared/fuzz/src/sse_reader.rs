//! The event reader: however a stream is cut, the same events or the same refusal; what was read can
//! be written and read again.

use crate::{chunks, take_byte};
use signalbox::sse::{EventTooLarge, Reader, write_event};

/// Everything a stream has told: events, the event cut off, the reconnection time.
#[derive(Debug, Default, PartialEq)]
struct Told {
    events: Vec<[String; 3]>,
    cut_off: Option<[String; 3]>,
    refused: Option<EventTooLarge>,
    retry: Option<u64>,
}

fn read<'a>(chunks: impl Iterator<Item = &'a [u8]>, limit: usize) -> Told {
    let mut reader = Reader::with_limit(limit);
    let mut told = Told::default();
    for chunk in chunks {
        reader.push(chunk);
        while let Some(event) = reader.next() {
            match event {
                Ok(event) => told.events.push([event.name, event.data, event.id].map(str::to_owned)),
                Err(error) => assert_eq!(told.refused.replace(error), None, "refused twice"),
            }
        }
    }
    told.retry = reader.retry();
    told.cut_off = reader.finish().map(|event| [event.name, event.data, event.id].map(str::to_owned));
    told
}

pub fn run(mut data: &[u8]) {
    let seed = take_byte(&mut data);
    let limit = match take_byte(&mut data) {
        small @ 0..64 => small,
        _ => 1 << 20,
    };
    let whole = read(std::iter::once(data), limit);
    assert_eq!(whole, read(chunks(data, seed), limit));

    let mut written = Vec::new();
    for [name, data, _] in &whole.events {
        write_event(&mut written, Some(name), data.as_bytes());
    }
    let again = read(std::iter::once(written.as_slice()), usize::MAX);
    let pairs =
        |told: &Told| told.events.iter().map(|[name, data, _]| [name.clone(), data.clone()]).collect::<Vec<_>>();
    assert_eq!(pairs(&whole), pairs(&again));
}
