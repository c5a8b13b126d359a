//! What a caller's SDK makes of a stream: read here without any of the product's own code, strictly.
//!
//! The result is one JSON object, for expectations to be held against:
//!
//! | member | meaning |
//! |---|---|
//! | `text`, `thinking`, `refusal` | pieces joined |
//! | `tool_calls` | `id`, `name` and `arguments` (as JSON where they are) |
//! | `finish` | `finish_reason` or `stop_reason` |
//! | `usage` | as the dialect tells it |
//! | `message` | the assistant's message, or the answer's items, fit to be sent back |
//! | `error` | the error event, whole |
//! | `done` | the dialect's terminal event came |
//! | `events` | how many events with data there were |
//! | `violations` | what an SDK would choke on |

mod anthropic;
mod gemini;
mod openai;
mod responses;

use serde_json::Value;

/// The dialects of callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Chat completions.
    OpenAi,
    /// Messages.
    Anthropic,
    /// Responses.
    Responses,
    /// generateContent.
    Gemini,
}

impl Dialect {
    /// The dialect of a path.
    pub fn of(path: &str) -> Dialect {
        match path {
            path if path.starts_with("/v1/messages") => Dialect::Anthropic,
            path if path.starts_with("/v1/responses") => Dialect::Responses,
            path if path.starts_with("/v1beta") || path.contains("enerateContent") => Dialect::Gemini,
            _ => Dialect::OpenAi,
        }
    }
}

/// One server-sent event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Its `event` field; empty when absent.
    pub name: String,
    /// Its `data` lines, joined.
    pub data: String,
}

/// The complete events of a stream: those that ended with an empty line and have data.
pub fn events(bytes: &[u8]) -> Vec<Event> {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace('\r', "\n");
    let Some((complete, _)) = text.rsplit_once("\n\n") else { return Vec::new() };
    complete.split("\n\n").filter_map(event).collect()
}

fn event(block: &str) -> Option<Event> {
    let (mut name, mut data) = (String::new(), Vec::new());
    for line in block.split('\n') {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut name),
            "data" => data.push(value),
            _ => {}
        }
    }
    (!data.is_empty()).then(|| Event { name, data: data.join("\n") })
}

/// Reads a whole stream, or as much of it as came.
pub fn assemble(dialect: Dialect, bytes: &[u8]) -> Value {
    let events = events(bytes);
    match dialect {
        Dialect::OpenAi => openai::assemble(&events),
        Dialect::Anthropic => anthropic::assemble(&events),
        Dialect::Responses => responses::assemble(&events),
        Dialect::Gemini => gemini::assemble(&gemini::elements(bytes).unwrap_or(events)),
    }
}

/// Arguments as JSON where they are, else as the text that came.
fn arguments(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// A text member; empty where it is none.
fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
