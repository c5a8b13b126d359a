//! Streams: a provider's bytes in, events of the common form; events in, a caller's bytes out.

use super::ir::Event;
use super::{
    Dialect, ProviderDialect, StreamContext, UpstreamError, anthropic, bedrock, cohere, gemini, ollama, openai_chat,
    openai_responses, workers_ai,
};
use crate::eventstream::{self, Frame};
use crate::ndjson;
use crate::sse;

/// The largest event that is read. An event holds whole images, in every dialect: Google's parts, what OpenAI draws and
/// repeats in its last event, the pages that Anthropic's tools fetch.
pub(crate) const LARGEST_EVENT: usize = 24 << 20;

/// A reader of events of any size that providers send.
pub(super) fn reader() -> sse::Reader {
    sse::Reader::with_limit(LARGEST_EVENT)
}

/// Reads a provider's stream, cut anywhere.
///
/// After [`Event::Error`] only [`Event::Usage`] follows, after [`Event::End`] nothing.
#[derive(Debug)]
pub struct Decoder(Framing);

/// How a stream is cut into what its dialect reads.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one for a stream, and it is not moved")]
enum Framing {
    /// Server-sent events.
    Events(sse::Reader, DialectDecoder),
    /// AWS event stream.
    Frames(eventstream::Reader, bedrock::stream::Decode),
    /// JSON lines.
    Lines(ndjson::Reader, ollama::stream::Decode),
}

/// A dialect whose streams are server-sent events.
#[derive(Debug)]
enum DialectDecoder {
    OpenAiChat(openai_chat::stream::Decode),
    Anthropic(anthropic::stream::Decode),
    OpenAiResponses(openai_responses::stream::Decode),
    Gemini(gemini::stream::Decode),
    Cohere(cohere::stream::Decode),
    WorkersAi(workers_ai::stream::Decode),
}

impl DialectDecoder {
    fn new(dialect: Dialect) -> DialectDecoder {
        match dialect {
            Dialect::OpenAiChat => DialectDecoder::OpenAiChat(openai_chat::stream::Decode::default()),
            Dialect::Anthropic => DialectDecoder::Anthropic(anthropic::stream::Decode::default()),
            Dialect::OpenAiResponses => DialectDecoder::OpenAiResponses(openai_responses::stream::Decode::default()),
            Dialect::Gemini => DialectDecoder::Gemini(gemini::stream::Decode::default()),
        }
    }

    fn event(&mut self, event: sse::Event<'_>, out: &mut Vec<Event>) {
        match self {
            DialectDecoder::OpenAiChat(decode) => decode.event(event.name, event.data, out),
            DialectDecoder::Anthropic(decode) => decode.event(event.name, event.data, out),
            DialectDecoder::OpenAiResponses(decode) => decode.event(event.name, event.data, out),
            DialectDecoder::Gemini(decode) => decode.event(event.data, out),
            DialectDecoder::Cohere(decode) => decode.event(event.name, event.data, out),
            DialectDecoder::WorkersAi(decode) => decode.event(event.name, event.data, out),
        }
    }

    fn fail(&mut self, error: UpstreamError, out: &mut Vec<Event>) {
        match self {
            DialectDecoder::OpenAiChat(decode) => decode.fail(error, out),
            DialectDecoder::Anthropic(decode) => decode.fail(error, out),
            DialectDecoder::OpenAiResponses(decode) => decode.fail(error, out),
            DialectDecoder::Gemini(decode) => decode.fail(error, out),
            DialectDecoder::Cohere(decode) => decode.fail(error, out),
            DialectDecoder::WorkersAi(decode) => decode.fail(error, out),
        }
    }

    fn end_of_body(&mut self, out: &mut Vec<Event>) {
        match self {
            DialectDecoder::OpenAiChat(decode) => decode.end_of_body(out),
            DialectDecoder::Anthropic(decode) => decode.end_of_body(out),
            DialectDecoder::OpenAiResponses(decode) => decode.end_of_body(out),
            DialectDecoder::Gemini(decode) => decode.end_of_body(out),
            DialectDecoder::Cohere(decode) => decode.end_of_body(out),
            DialectDecoder::WorkersAi(decode) => decode.end_of_body(out),
        }
    }
}

impl Decoder {
    pub(crate) fn new(dialect: ProviderDialect) -> Decoder {
        Decoder(match dialect {
            ProviderDialect::Both(dialect) => Framing::Events(reader(), DialectDecoder::new(dialect)),
            ProviderDialect::Cohere => Framing::Events(sse::Reader::new(), DialectDecoder::Cohere(Default::default())),
            ProviderDialect::WorkersAi => {
                Framing::Events(sse::Reader::new(), DialectDecoder::WorkersAi(Default::default()))
            }
            ProviderDialect::Ollama => Framing::Lines(ndjson::Reader::new(), Default::default()),
            ProviderDialect::Bedrock => Framing::Frames(eventstream::Reader::new(), Default::default()),
        })
    }

    /// Takes the next bytes of the body; appends what they complete to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<Event>) {
        match &mut self.0 {
            Framing::Events(reader, decode) => {
                reader.push(bytes);
                while let Some(event) = reader.next() {
                    match event {
                        Ok(event) => decode.event(event, out),
                        Err(error) => decode.fail(UpstreamError::protocol(&error.to_string()), out),
                    }
                }
            }
            Framing::Lines(reader, decode) => {
                reader.push(bytes);
                while let Some(line) = reader.next() {
                    match line {
                        Ok(line) => decode.line(&line, out),
                        Err(error) => decode.fail(UpstreamError::protocol(&error.to_string()), out),
                    }
                }
            }
            Framing::Frames(reader, decode) => {
                reader.push(bytes);
                while let Some(frame) = reader.next() {
                    match frame {
                        Ok(Frame::Event { name, payload }) => decode.event(name, payload, out),
                        Ok(Frame::Exception { name, payload }) => {
                            decode.fail(bedrock::error::exception(name, payload), out);
                        }
                        Ok(Frame::Error { code, message }) => {
                            decode.fail(bedrock::error::unmodelled(code, message), out)
                        }
                        Err(error) => decode.fail(UpstreamError::protocol(&error.to_string()), out),
                    }
                }
            }
        }
    }

    /// The body has ended. A stream that did not come to its end becomes an error of class Protocol;
    /// one that only lacks its last marker counts as complete.
    pub fn finish(&mut self, out: &mut Vec<Event>) {
        match &mut self.0 {
            Framing::Events(reader, decode) => {
                if let Some(event) = reader.finish() {
                    // Half an event is a cut stream, which `end_of_body` tells; a whole one lost its blank line.
                    if event.data.trim() == "[DONE]" || crate::json::parse::<serde::de::IgnoredAny>(event.data).is_ok()
                    {
                        decode.event(event, out);
                    }
                }
                decode.end_of_body(out);
            }
            Framing::Lines(reader, decode) => {
                if let Some(line) = reader.finish()
                    && crate::json::parse::<serde::de::IgnoredAny>(&line).is_ok()
                {
                    decode.line(&line, out);
                }
                decode.end_of_body(out);
            }
            // Half a frame is a cut stream.
            Framing::Frames(_, decode) => decode.end_of_body(out),
        }
    }
}

/// Writes a caller's event stream.
#[derive(Debug)]
pub struct Encoder(DialectEncoder);

#[derive(Debug)]
enum DialectEncoder {
    OpenAiChat(Box<openai_chat::stream::Encode>),
    Anthropic(Box<anthropic::stream::Encode>),
    OpenAiResponses(Box<openai_responses::stream::Encode>),
    Gemini(Box<gemini::stream::Encode>),
}

impl Encoder {
    pub(crate) fn new(dialect: Dialect, context: StreamContext) -> Encoder {
        Encoder(match dialect {
            Dialect::OpenAiChat => DialectEncoder::OpenAiChat(Box::new(openai_chat::stream::Encode::new(context))),
            Dialect::Anthropic => DialectEncoder::Anthropic(Box::new(anthropic::stream::Encode::new(context))),
            Dialect::OpenAiResponses => {
                DialectEncoder::OpenAiResponses(Box::new(openai_responses::stream::Encode::new(context)))
            }
            Dialect::Gemini => DialectEncoder::Gemini(Box::new(gemini::stream::Encode::new(context))),
        })
    }

    /// Appends what an event becomes to `out`. [`Event::Error`] becomes the dialect's error event, after
    /// which nothing more is written.
    pub fn push(&mut self, event: Event, out: &mut Vec<u8>) {
        match &mut self.0 {
            DialectEncoder::OpenAiChat(encode) => encode.event(event, out),
            DialectEncoder::Anthropic(encode) => encode.event(event, out),
            DialectEncoder::OpenAiResponses(encode) => encode.event(event, out),
            DialectEncoder::Gemini(encode) => encode.event(event, out),
        }
    }
}
