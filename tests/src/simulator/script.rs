//! The data of a simulated answer: status, headers, and a body or the steps of a stream.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use signalbox::eventstream::crc32;

use super::mcp::Mcp;

/// One answer of an upstream.
///
/// ```json
/// {"status": 429, "headers": {"retry-after": "2"}, "body": {"error": {"message": "slow down"}}}
/// {"steps": [{"data": {"id": "1"}}, {"delay_ms": 50}, {"send": "data: {\"tru"}, {"cut": true}], "chunking": "one_byte"}
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// HTTP status; 200 when absent.
    #[serde(default = "ok", skip_serializing_if = "is_ok")]
    pub status: u16,
    /// Headers. `content-type` is filled in when absent: `text/event-stream` for steps, else by the kind of body.
    /// With steps, a `content-length` given here is sent as it is, so that a cut can leave a body short.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// What happens before the head is sent: delays, or an end without any answer. Sends are not possible here and are passed over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before_head: Vec<Step>,
    /// A whole body with `content-length`: a JSON string is sent as raw text, anything else as compact JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// A whole body as base64, for bytes that are no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_b64: Option<String>,
    /// A streamed body, after `body` where both are given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// How the bytes are cut into network chunks.
    #[serde(default, skip_serializing_if = "Chunking::is_default")]
    pub chunking: Chunking,
}

/// One step of a stream. In JSON an object with one member: `{"send": "text"}`, `{"cut": true}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Text as it is.
    Send(String),
    /// Bytes as base64.
    SendB64(String),
    /// A server-sent event with only `data`: compact JSON, or a string's own text (`{"data": "[DONE]"}`).
    Data(Value),
    /// A server-sent event named after the JSON's `type` member, as Anthropic sends them.
    Event(Value),
    /// A frame of an AWS event stream: the event's name and its payload, compact JSON.
    Frame(String, Value),
    /// The same for an exception, which ends such a stream.
    Exception(String, Value),
    /// A line of JSON.
    Line(Value),
    /// Nothing for this many milliseconds.
    DelayMs(u64),
    /// The connection closes without the body's proper end.
    Cut(True),
    /// The connection is reset (TCP RST).
    Reset(True),
    /// Nothing more, for ever, with the connection open.
    Stall(True),
}

/// How a body is cut into chunks. Sends with nothing between them are cut as one run, except `AsGiven`, where each is a chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chunking {
    /// Each send is one chunk.
    #[default]
    AsGiven,
    /// Every byte alone.
    OneByte,
    /// Chunks of 1 to 48 bytes, mostly small, from this seed.
    Random(u64),
    /// Chunks of this many bytes (0 counts as 1); the last of a run may be shorter.
    Fixed(usize),
}

impl Chunking {
    fn is_default(&self) -> bool {
        *self == Chunking::AsGiven
    }
}

/// One entry of a registered sequence: a script, or the name of a built-in one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// `{"use": "friendly"}`: a built-in answer, made for the request at hand.
    Use {
        /// The built-in's name.
        #[serde(rename = "use")]
        name: String,
    },
    /// `{"mcp": […]}`: a server of the Model Context Protocol, which answers what it is asked.
    Mcp(Mcp),
    /// The script itself.
    Script(Box<Script>),
}

impl From<Script> for Answer {
    fn from(script: Script) -> Answer {
        Answer::Script(Box::new(script))
    }
}

/// The JSON literal `true`; `{"cut": false}` would be a step that does nothing and is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct True;

impl Serialize for True {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(true)
    }
}

impl<'de> Deserialize<'de> for True {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<True, D::Error> {
        match bool::deserialize(deserializer)? {
            true => Ok(True),
            false => Err(serde::de::Error::custom("only `true` is possible here; leave the step out instead")),
        }
    }
}

fn ok() -> u16 {
    200
}

fn is_ok(status: &u16) -> bool {
    *status == 200
}

impl Default for Script {
    fn default() -> Script {
        Script {
            status: ok(),
            headers: BTreeMap::new(),
            before_head: Vec::new(),
            body: None,
            body_b64: None,
            steps: Vec::new(),
            chunking: Chunking::default(),
        }
    }
}

impl Script {
    /// An answer with a whole body.
    pub fn json(status: u16, body: Value) -> Script {
        Script { status, body: Some(body), ..Script::default() }
    }

    /// A 200 answer with a streamed body.
    pub fn stream(steps: Vec<Step>) -> Script {
        Script { steps, ..Script::default() }
    }

    /// The same answer with a header set.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Script {
        self.headers.insert(name.to_owned(), value.into());
        self
    }

    /// The same answer, cut into other chunks.
    pub fn chunked(mut self, chunking: Chunking) -> Script {
        self.chunking = chunking;
        self
    }

    /// What a recorded exchange answered: a folder with `response.*`, `status`, and `chunks.json` where the network's
    /// chunks were recorded. Recorded headers come along, but for those that describe the recorded connection.
    ///
    /// # Errors
    /// The folder has no response, or a file in it cannot be read.
    pub fn recorded(folder: &Path) -> std::io::Result<Script> {
        const KINDS: [(&str, &str); 5] = [
            ("response.sse", "text/event-stream"),
            ("response.json", "application/json"),
            ("response.ndjson", "application/x-ndjson"),
            ("response.eventstream", "application/vnd.amazon.eventstream"),
            ("response.txt", "text/plain"),
        ];
        let Some((name, kind)) = KINDS.iter().find(|(name, _)| folder.join(name).is_file()) else {
            return Err(std::io::Error::new(
                std::io::ErrorKind::NotFound,
                format!("no response.* in {}", folder.display()),
            ));
        };
        let bytes = std::fs::read(folder.join(name))?;
        let status = std::fs::read_to_string(folder.join("status")).ok().and_then(|text| text.trim().parse().ok());
        let lengths: Vec<usize> = std::fs::read(folder.join("chunks.json"))
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok())
            .unwrap_or_default();
        let mut script = Script { status: status.unwrap_or(200), ..Script::default() }.header("content-type", *kind);
        let meta: Value = std::fs::read(folder.join("meta.json"))
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok())
            .unwrap_or_default();
        for (name, value) in meta.get("response_headers").and_then(Value::as_object).into_iter().flatten() {
            let name = name.to_ascii_lowercase();
            let of_the_connection =
                ["content-length", "content-encoding", "transfer-encoding", "connection"].contains(&name.as_str());
            if let (false, Some(value)) = (of_the_connection, value.as_str()) {
                script.headers.insert(name, value.to_owned());
            }
        }
        if lengths.is_empty() {
            script.body_b64 = Some(BASE64_STANDARD.encode(&bytes));
            return Ok(script);
        }
        let mut rest = bytes.as_slice();
        for length in lengths {
            let (chunk, after) = rest.split_at(length.min(rest.len()));
            script.steps.push(Step::SendB64(BASE64_STANDARD.encode(chunk)));
            rest = after;
        }
        if !rest.is_empty() {
            script.steps.push(Step::SendB64(BASE64_STANDARD.encode(rest)));
        }
        Ok(script)
    }

    /// The head's headers, lower case, with the content type filled in, and the content length where the body is whole.
    pub fn head(&self) -> Vec<(String, String)> {
        let mut headers: Vec<(String, String)> =
            self.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
        let has = |headers: &[(String, String)], wanted: &str| headers.iter().any(|(name, _)| name == wanted);
        if !has(&headers, "content-type") {
            let kind = match (&self.body, self.steps.is_empty()) {
                (_, false) => self.stream_type(),
                (Some(Value::String(_)), true) => "text/plain; charset=utf-8",
                (Some(_), true) => "application/json",
                (None, true) => "application/octet-stream",
            };
            headers.push(("content-type".to_owned(), kind.to_owned()));
        }
        if self.steps.is_empty() && !has(&headers, "content-length") && !has(&headers, "transfer-encoding") {
            headers.push(("content-length".to_owned(), self.whole_body().len().to_string()));
        }
        headers
    }

    /// The media type of the steps, told by the first that has one.
    fn stream_type(&self) -> &'static str {
        let of = |step: &Step| match step {
            Step::Frame(..) | Step::Exception(..) => Some("application/vnd.amazon.eventstream"),
            Step::Line(_) => Some("application/x-ndjson"),
            Step::Send(_) | Step::SendB64(_) | Step::Data(_) | Step::Event(_) => Some("text/event-stream"),
            Step::DelayMs(_) | Step::Cut(_) | Step::Reset(_) | Step::Stall(_) => None,
        };
        self.steps.iter().find_map(of).unwrap_or("text/event-stream")
    }

    /// The bytes of `body` and `body_b64`. Text that is no base64 counts as nothing: [`Script::check`] names it.
    pub(crate) fn whole_body(&self) -> Vec<u8> {
        let mut bytes = match &self.body {
            Some(Value::String(text)) => text.clone().into_bytes(),
            Some(value) => value.to_string().into_bytes(),
            None => Vec::new(),
        };
        if let Some(text) = &self.body_b64 {
            bytes.extend(BASE64_STANDARD.decode(text).unwrap_or_default());
        }
        bytes
    }

    /// What the type alone cannot hold: base64 that is base64, a status that is one.
    ///
    /// # Errors
    /// A sentence that names the part at fault.
    pub fn check(&self) -> Result<(), String> {
        if !(200..=599).contains(&self.status) {
            return Err(format!("status {} is none a final answer can have (200 to 599)", self.status));
        }
        let steps = self.before_head.iter().chain(&self.steps);
        let encoded = steps.filter_map(|step| if let Step::SendB64(text) = step { Some(text) } else { None });
        match encoded.chain(&self.body_b64).find(|text| BASE64_STANDARD.decode(text).is_err()) {
            Some(text) => Err(format!("not base64: {text}")),
            None => Ok(()),
        }
    }
}

impl Step {
    /// The bytes this step sends; nothing for those that send none.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self {
            Step::Send(text) => text.clone().into_bytes(),
            Step::SendB64(text) => BASE64_STANDARD.decode(text).unwrap_or_default(),
            Step::Data(data) => format!("data: {}\n\n", sse_data(data)).into_bytes(),
            Step::Event(data) => {
                let name = data.get("type").and_then(Value::as_str).unwrap_or("message");
                format!("event: {name}\ndata: {}\n\n", sse_data(data)).into_bytes()
            }
            Step::Frame(name, payload) => frame("event", name, payload),
            Step::Exception(name, payload) => frame("exception", name, payload),
            Step::Line(line) => format!("{line}\n").into_bytes(),
            Step::DelayMs(_) | Step::Cut(_) | Step::Reset(_) | Step::Stall(_) => Vec::new(),
        }
    }
}

/// A frame of an AWS event stream: lengths and their checksum, headers of type string, payload, checksum.
fn frame(kind: &str, name: &str, payload: &Value) -> Vec<u8> {
    let typed = format!(":{kind}-type");
    let mut headers = Vec::new();
    for (name, value) in [(typed.as_str(), name), (":content-type", "application/json"), (":message-type", kind)] {
        headers.push(name.len() as u8);
        headers.extend(name.as_bytes());
        headers.push(7);
        headers.extend((value.len() as u16).to_be_bytes());
        headers.extend(value.as_bytes());
    }
    let payload = payload.to_string();
    let mut out = Vec::new();
    out.extend(((16 + headers.len() + payload.len()) as u32).to_be_bytes());
    out.extend((headers.len() as u32).to_be_bytes());
    out.extend(crc32(&out).to_be_bytes());
    out.extend(headers);
    out.extend(payload.as_bytes());
    out.extend(crc32(&out).to_be_bytes());
    out
}

fn sse_data(data: &Value) -> String {
    data.as_str().map_or_else(|| data.to_string(), str::to_owned)
}
