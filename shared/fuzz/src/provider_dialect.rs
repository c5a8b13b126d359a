//! A dialect that providers alone speak: nothing panics, whatever a caller says can be written in it,
//! whatever is read from it can be told to every caller, and no chunking changes what a stream says.

use crate::dialect::{DIALECTS, decode, told_to_callers, well_formed};
use crate::{chunks, take_byte};
use signalbox::dialect::{ProviderDialect, Quirks, ResponseContext, Target, Warnings};
use signalbox::eventstream::crc32;
use signalbox::json::{Limits, scan};

/// The first byte says what the rest is.
pub fn run(dialect: ProviderDialect, mut data: &[u8]) {
    match take_byte(&mut data) % 5 {
        0 => request(dialect, data),
        1 => response(dialect, data),
        2 => stream(dialect, data),
        3 => stream(dialect, &framed(data)),
        _ => error(dialect, data),
    }
}

fn request(dialect: ProviderDialect, mut body: &[u8]) {
    let models = ["m", "us.anthropic.claude-x-v1:0", "amazon.nova-2-lite", "openai.gpt-oss-20b", "arn:aws:x"];
    let model = models[take_byte(&mut body) % models.len()];
    let quirks = Quirks::default();
    for caller in DIALECTS {
        let Ok(request) = caller.read_request(body) else { continue };
        let target = Target {
            model,
            stream: request.stream,
            max_output_tokens: None,
            default_max_output_tokens: 100,
            quirks: &quirks,
        };
        let written = dialect.write_request(&request, &target, &mut Warnings::default());
        // A body whose own names repeat has no one meaning, and reaches no writer.
        if scan(body, &Limits::default()).is_ok() {
            scan(&written, &Limits::default()).expect("a written request is JSON");
        }
    }
}

fn response(dialect: ProviderDialect, body: &[u8]) {
    let Ok(response) = dialect.read_response(body) else { return };
    let context = ResponseContext { id: "id", model: Some("other"), created: 1, echo: &signalbox::dialect::Echo::default() };
    for caller in DIALECTS {
        let written = caller.write_response(&response, &context, &mut Warnings::default());
        if scan(body, &Limits::default()).is_ok() {
            caller.read_response(&written).expect("a written response can be read");
        }
    }
    well_formed(&response.into_events());
}

fn stream(dialect: ProviderDialect, mut data: &[u8]) {
    let seed = take_byte(&mut data);
    let events = decode(dialect, std::iter::once(data));
    assert_eq!(events, decode(dialect, chunks(data, seed)));
    well_formed(&events);
    told_to_callers(&events);
}

fn error(dialect: ProviderDialect, mut body: &[u8]) {
    let status = 400 + take_byte(&mut body) as u16;
    let error = dialect.read_error(status, body).to_api_error();
    assert!(error.message.len() < 10_000);
}

/// Lines of `name payload` as sound frames of an AWS event stream: damage to a frame is told by its
/// checksum, so the dialect inside is reached by sound ones alone. A name that begins with `!` is an
/// exception's.
fn framed(lines: &[u8]) -> Vec<u8> {
    let mut out = lines.first().map_or_else(Vec::new, |seed| vec![*seed]);
    for line in lines.get(1..).unwrap_or_default().split(|byte| *byte == b'\n') {
        let space = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
        let (name, payload) = line.split_at(space);
        let (kind, name) = match name.strip_prefix(b"!") {
            Some(name) => ("exception", name),
            None => ("event", name),
        };
        let mut headers = Vec::new();
        for (header, value) in [(format!(":{kind}-type"), name), (":message-type".to_owned(), kind.as_bytes())] {
            headers.push(header.len() as u8);
            headers.extend(header.as_bytes());
            headers.push(7);
            headers.extend((value.len() as u16).to_be_bytes());
            headers.extend(value);
        }
        let start = out.len();
        out.extend(((16 + headers.len() + payload.len()) as u32).to_be_bytes());
        out.extend((headers.len() as u32).to_be_bytes());
        out.extend(crc32(&out[start..]).to_be_bytes());
        out.extend(headers);
        out.extend(payload);
        out.extend(crc32(&out[start..]).to_be_bytes());
    }
    out
}
