//! The reader against a plain reading of the rules, and against what hostile providers send.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::{Event, EventTooLarge, Reader, write_event};
use proptest::prelude::*;

/// An event that has left its reader: name, data, id.
type Owned = (String, String, String);

fn owned(event: Event<'_>) -> Owned {
    (event.name.to_owned(), event.data.to_owned(), event.id.to_owned())
}

fn drain(reader: &mut Reader, events: &mut Vec<Owned>) -> Result<(), EventTooLarge> {
    while let Some(event) = reader.next() {
        events.push(owned(event?));
    }
    Ok(())
}

/// Every event of the chunks, and the one the end cut off.
fn read<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Owned>, Option<Owned>) {
    let mut reader = Reader::new();
    let mut events = Vec::new();
    for chunk in chunks {
        reader.push(chunk);
        drain(&mut reader, &mut events).unwrap();
    }
    (events, reader.finish().map(owned))
}

/// The rules of HTML 9.2.6, as slowly and as literally as they are written.
fn by_the_rules(stream: &[u8]) -> Vec<Owned> {
    let text = String::from_utf8_lossy(stream);
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text).replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<&str> = text.split('\n').collect();
    lines.pop(); // what follows the last line end is no line
    let (mut name, mut data, mut id, mut events) = (String::new(), String::new(), String::new(), Vec::new());
    for line in lines {
        if line.is_empty() {
            if !data.is_empty() {
                data.pop();
                let name = if name.is_empty() { "message" } else { &name };
                events.push((name.to_owned(), data.clone(), id.clone()));
            }
            data.clear();
            name.clear();
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => name = value.to_owned(),
            "data" => data += &format!("{value}\n"),
            "id" if !value.contains('\0') => id = value.to_owned(),
            _ => {}
        }
    }
    events
}

/// A stream of fragments that mean something, in any order, so that rare meetings become common.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop::sample::select(vec![
        &b"data"[..],
        b"data: ",
        b"data:",
        b"event: ",
        b"id: ",
        b"retry: 5",
        b": ping",
        b":",
        b" ",
        b"\n",
        b"\n\n",
        b"\r",
        b"\r\n",
        b"\r\n\r\n",
        b"\xEF\xBB\xBF",
        b"x",
        b"{\"a\":1}",
        b"[DONE]",
        b"\xF0\x9F\x98\x80",
        b"\xF0\x9F",
        b"\xFF",
        b"\0",
        b"\xE2\x80\xA8",
    ]);
    prop::collection::vec(fragment, 0..60).prop_map(|fragments| fragments.concat())
}

/// A stream cut into chunks, empty ones included.
fn cut(stream: &[u8], sizes: &[usize]) -> Vec<Vec<u8>> {
    let mut rest = stream;
    let mut chunks: Vec<Vec<u8>> = Vec::new();
    for size in sizes {
        let (chunk, after) = rest.split_at((*size).min(rest.len()));
        chunks.push(chunk.to_vec());
        rest = after;
    }
    chunks.push(rest.to_vec());
    chunks
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_stream_is_read_as_the_rules_say(stream in stream()) {
        prop_assert_eq!(read([stream.as_slice()]).0, by_the_rules(&stream));
    }

    #[test]
    fn any_chunking_gives_the_same_events(stream in stream(), sizes in prop::collection::vec(0usize..9, 0..60)) {
        let chunks = cut(&stream, &sizes);
        prop_assert_eq!(read(chunks.iter().map(Vec::as_slice)), read([stream.as_slice()]));
    }

    #[test]
    fn any_chunking_refuses_the_same_event_at_the_same_place(
        stream in stream(),
        sizes in prop::collection::vec(0usize..9, 0..60),
        limit in 0usize..20,
    ) {
        let run = |chunks: &[Vec<u8>]| {
            let (mut reader, mut events) = (Reader::with_limit(limit), Vec::new());
            let mut outcome = Ok(());
            for chunk in chunks {
                reader.push(chunk);
                outcome = outcome.and(drain(&mut reader, &mut events));
            }
            (events, outcome)
        };
        prop_assert_eq!(run(&cut(&stream, &sizes)), run(&[stream]));
    }

    #[test]
    fn what_is_written_is_read_back(events in prop::collection::vec(("[a-z_.]{1,12}", "[ -~é\n😀]{0,40}"), 0..8)) {
        let mut stream = Vec::new();
        for (name, data) in &events {
            write_event(&mut stream, Some(name), data.as_bytes());
        }
        let expected: Vec<Owned> = events.into_iter().map(|(name, data)| (name, data, String::new())).collect();
        prop_assert_eq!(read([stream.as_slice()]), (expected, None));
    }
}

#[test]
fn an_event_without_its_blank_line_is_told_at_the_end_only() {
    let table: [(&str, usize, Option<&str>); 9] = [
        ("data: a\n\n", 1, None),
        ("data: a\n", 0, Some("a")),
        ("data: a", 0, Some("a")),
        ("data: a\n\ndata: [DONE]", 1, Some("[DONE]")),
        ("data: a\r", 0, Some("a")),
        ("data: a\ndata: b", 0, Some("a\nb")),
        ("data: a\n\n: bye", 1, None),
        ("event: x", 0, None),
        ("", 0, None),
    ];
    for (stream, complete, cut_off) in table {
        let (events, rest) = read([stream.as_bytes()]);
        assert_eq!(events.len(), complete, "{stream:?}");
        assert_eq!(rest.map(|event| event.1).as_deref(), cut_off, "{stream:?}");
    }
}

#[test]
fn a_carriage_return_ends_the_event_without_waiting_for_what_follows() {
    let mut reader = Reader::new();
    reader.push(b"data: a\r\r");
    assert_eq!(reader.next().unwrap().unwrap().data, "a");
    reader.push(b"\ndata: b\r\n\r");
    assert_eq!(reader.next().unwrap().unwrap().data, "b");
}

#[test]
fn the_last_valid_reconnection_time_counts() {
    let mut reader = Reader::new();
    reader.push(b"retry: 20\nretry: x\nretry:\nretry: 99999999999999999999999\n");
    assert!(reader.next().is_none());
    assert_eq!(reader.retry(), Some(20));
}

#[test]
fn an_event_of_exactly_the_limit_is_read_and_one_byte_more_ends_the_stream() {
    let stream = |size: usize| [b"data: ".as_slice(), &vec![b'x'; size], b"\n\ndata: next\n\n"].concat();
    let mut reader = Reader::with_limit(1_000);
    reader.push(&stream(1_000));
    assert_eq!(reader.next().unwrap().unwrap().data.len(), 1_000);
    assert_eq!(reader.next().unwrap().unwrap().data, "next");

    let mut reader = Reader::with_limit(1_000);
    reader.push(&stream(1_001));
    assert_eq!(reader.next(), Some(Err(EventTooLarge { limit: 1_000 })));
    reader.push(b"data: a\n\n");
    assert_eq!(reader.next(), None);
    assert_eq!(reader.finish(), None);
}

#[test]
fn fault_45_a_never_ending_line_is_refused_in_bounded_memory() {
    for line in [&b"data: "[..], b": ", b"", b"event:"] {
        let mut reader = Reader::new();
        reader.push(line);
        let refused = (0..1_000).any(|_| {
            reader.push(&[b'x'; 16 * 1024]);
            assert!(reader.memory() <= 4 << 20);
            matches!(reader.next(), Some(Err(_)))
        });
        assert!(refused);
    }
}

#[test]
fn fault_45_an_event_of_endless_lines_is_refused_in_bounded_memory() {
    let mut reader = Reader::new();
    let refused = (0..1_000_000).any(|_| {
        reader.push(b"data: 0123456789\n");
        assert!(reader.memory() <= 4 << 20);
        matches!(reader.next(), Some(Err(_)))
    });
    assert!(refused);
}

#[test]
fn fault_45_a_million_comments_cost_no_memory_and_hide_no_event() {
    let comments = b": keep-alive\n".repeat(1_000);
    let mut reader = Reader::new();
    reader.push(b"data: open\n");
    for _ in 0..1_000 {
        reader.push(&comments);
        assert_eq!(reader.next(), None);
    }
    assert!(reader.memory() <= 4 * comments.len());
    reader.push(b"\n");
    assert_eq!(reader.next().unwrap().unwrap().data, "open");
}

#[test]
fn an_event_of_the_largest_size_is_read_byte_by_byte() {
    for (field, lines) in [("data: ", 1), ("data:", 1 << 10)] {
        let line = format!("{field}{}\n", "x".repeat((1 << 20) / lines - 1));
        let stream = line.repeat(lines) + "\n";
        let (events, rest) = read(stream.as_bytes().chunks(1));
        assert_eq!((events.len(), rest), (1, None));
        assert_eq!(events[0].1.len(), (1 << 20) - 1);
    }
}

#[test]
fn a_name_cannot_forge_a_field_and_lines_of_data_stay_data() {
    let mut out = Vec::new();
    write_event(&mut out, Some("a\r\ndata: forged"), b"1\r\nevent: 2\r3\n");
    assert_eq!(out, b"event: a\ndata: 1\ndata: event: 2\ndata: 3\ndata: \n\n");
    out.clear();
    write_event(&mut out, None, b"");
    assert_eq!(out, b"data: \n\n");
}

/// `cargo test --release -p signalbox throughput -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
#[allow(clippy::disallowed_methods, clippy::print_stdout, reason = "a measurement needs a clock")]
fn throughput_of_the_reader() {
    let delta = r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1754000000,"model":"m","choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null}],"usage":null}"#;
    let mut stream = Vec::new();
    while stream.len() < 64 << 20 {
        write_event(&mut stream, None, delta.as_bytes());
    }
    for size in [usize::MAX, 64 << 10, 4 << 10, 300, 16] {
        let (mut reader, mut bytes) = (Reader::new(), 0);
        let start = std::time::Instant::now();
        for chunk in stream.chunks(size.min(stream.len())) {
            reader.push(chunk);
            while let Some(Ok(event)) = reader.next() {
                bytes += event.data.len();
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        println!("sse, chunks of {size}: {:.0} MB/s ({bytes} bytes of data)", stream.len() as f64 / 1e6 / seconds);
    }
}
