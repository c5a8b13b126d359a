//! A dialect, against anything a caller or a provider may send in it: nothing panics, whatever is read
//! can be written in every dialect and read again, and no chunking changes what a stream says.

use crate::{chunks, take_byte};
use serde_json::Value;
use signalbox::dialect::ir::Event;
use signalbox::dialect::{
    Dialect, Edits, Finish, Meter, Observed, ProviderDialect, Quirks, ResponseContext, StreamContext, Target, Warnings,
};
use signalbox::json::{Limits, scan};

pub(crate) const DIALECTS: [Dialect; 4] =
    [Dialect::OpenAiChat, Dialect::Anthropic, Dialect::OpenAiResponses, Dialect::Gemini];

/// The first byte says what the rest is.
pub fn run(dialect: Dialect, mut data: &[u8]) {
    match take_byte(&mut data) % 4 {
        0 => request(dialect, data),
        1 => response(dialect, data),
        2 => stream(dialect, data),
        _ => error(dialect, data),
    }
}

fn request(dialect: Dialect, body: &[u8]) {
    let Ok(document) = scan(body, &Limits::default()) else { return };
    let facts = dialect.inspect(&document);
    let edits = Edits { model: Some("other"), include_usage: true, max_output_tokens: Some(100), ..Edits::default() };
    let rewritten = dialect.rewrite_request(&document, &edits);
    let rewritten = scan(&rewritten, &Limits::default()).expect("a rewritten request is JSON");
    if dialect != Dialect::Gemini {
        assert_eq!(rewritten.get("model"), Some("\"other\""));
    }

    let Ok(request) = dialect.read_request(body) else { return };
    let facts = facts.expect("what can be read can be inspected");
    assert_eq!(facts.stream, request.stream);
    let quirks = Quirks::default();
    let target = Target {
        model: "other",
        stream: facts.stream,
        max_output_tokens: None,
        default_max_output_tokens: 100,
        quirks: &quirks,
    };
    for target_dialect in DIALECTS {
        let written = target_dialect.write_request(&request, &target, &mut Warnings::default());
        let document = scan(&written, &Limits::default()).expect("a written request is JSON");
        // Gemini's model stands in the path.
        let named = (target_dialect != Dialect::Gemini).then_some("\"other\"");
        assert_eq!(document.get("model"), named);
        target_dialect.read_request(&written).expect("a written request can be read");
    }
}

fn response(dialect: Dialect, body: &[u8]) {
    let observed = dialect.observe_response(body);
    let Ok(response) = dialect.read_response(body) else { return };
    // A body whose names repeat, or with a number beyond a float, has no one meaning: it must not panic, no more.
    let strict = scan(body, &Limits::default()).is_ok() && serde_json::from_slice::<Value>(body).is_ok();
    if strict {
        assert_eq!(observed.expect("what can be read can be observed").usage, response.usage);
    }
    let context = ResponseContext { id: "id", model: Some("other"), created: 1, echo: &signalbox::dialect::Echo::default() };
    for caller in DIALECTS {
        let written = caller.write_response(&response, &context, &mut Warnings::default());
        let again = caller.read_response(&written);
        if strict {
            scan(&written, &Limits::default()).expect("a written response is JSON");
            let again = again.expect("a written response can be read").usage.map(|usage| usage.total_tokens());
            // Anthropic's answers cannot be without usage: there unknown becomes zero.
            let said = response.usage.map(|usage| usage.total_tokens());
            assert!(said.is_none() || again == said, "{again:?} {said:?}");
        }
    }
}

fn stream(dialect: Dialect, mut data: &[u8]) {
    let seed = take_byte(&mut data);
    let events = decode(dialect, std::iter::once(data));
    assert_eq!(events, decode(dialect, chunks(data, seed)));
    well_formed(&events);
    let observed = observe(dialect.meter(), std::iter::once(data));
    assert_eq!(observed, observe(dialect.meter(), chunks(data, seed)));

    told_to_callers(&events);
}

/// Every caller gets the same end of a stream.
pub(crate) fn told_to_callers(events: &[Event]) {
    for caller in DIALECTS {
        let context = StreamContext {
            id: "id".to_owned(),
            model: None,
            created: 1,
            include_usage: true,
            request_id: "request".to_owned(),
            echo: signalbox::dialect::Echo::default(),
        };
        let mut encoder = caller.encoder(context);
        let mut written = Vec::new();
        for event in events {
            encoder.push(event.clone(), &mut written);
        }
        let again = decode(caller, std::iter::once(written.as_slice()));
        well_formed(&again);
        assert_eq!(complete(&again), complete(events), "{:?}\n{}", caller, written.escape_ascii());
        let complete = observe(caller.meter(), std::iter::once(written.as_slice())).finish == Finish::Complete;
        assert_eq!(complete, self::complete(&again));
    }
}

fn error(dialect: Dialect, mut body: &[u8]) {
    let status = 400 + take_byte(&mut body) as u16;
    let error = dialect.read_error(status, body).to_api_error();
    scan(&dialect.write_error(&error, "request"), &Limits::default()).expect("a written error is JSON");
    let stream = dialect.write_stream_error(&error, "request");
    assert!(!complete(&decode(dialect, std::iter::once(stream.as_slice()))));
}

pub(crate) fn decode<'a>(dialect: impl Into<ProviderDialect>, chunks: impl Iterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut decoder = dialect.into().decoder();
    let mut events = Vec::new();
    chunks.for_each(|chunk| decoder.push(chunk, &mut events));
    decoder.finish(&mut events);
    events
}

fn observe<'a>(mut meter: Meter, chunks: impl Iterator<Item = &'a [u8]>) -> Observed {
    chunks.for_each(|chunk| meter.push(chunk));
    meter.finish()
}

pub(crate) fn complete(events: &[Event]) -> bool {
    events.last() == Some(&Event::End)
}

/// What the documentation of [`Event`] promises of their order.
pub(crate) fn well_formed(events: &[Event]) {
    let failed = events.iter().position(|event| matches!(event, Event::Error(_)));
    let after = failed.map_or(&[][..], |at| &events[at + 1..]);
    assert!(after.iter().all(|event| matches!(event, Event::Usage(_))), "after the error: {after:?}");
    let ends = events.iter().filter(|event| matches!(event, Event::End)).count();
    assert!(ends == usize::from(complete(events)), "one end, and it comes last: {events:?}");
    assert!(complete(events) != failed.is_some(), "an end or an error: {events:?}");
    let starts = events.iter().filter(|event| matches!(event, Event::Start { .. })).count();
    assert!(starts <= 1, "{events:?}");
    let mut open = std::collections::BTreeSet::new();
    let mut seen = std::collections::BTreeSet::new();
    for event in events {
        match event {
            Event::BlockStart { choice, block, .. } => {
                assert!(seen.insert((*choice, *block)), "a block's number is used again: {events:?}");
                open.insert((*choice, *block));
            }
            Event::Delta { choice, block, .. } => assert!(open.contains(&(*choice, *block)), "{events:?}"),
            Event::BlockStop { choice, block } => assert!(open.remove(&(*choice, *block)), "{events:?}"),
            Event::Start { .. }
            | Event::Logprobs { .. }
            | Event::Finish { .. }
            | Event::Usage(_)
            | Event::Error(_)
            | Event::End => {}
        }
    }
    assert!(open.is_empty() || failed.is_some(), "a block is never closed: {events:?}");
}
