//! A client of servers' resources, for what is taken from them on a schedule.
//!
//! A server is a stranger: it may be slow, endless, broken, or say anything. Everything it says is bounded, in time as in
//! length, and whoever asks gets all of its resources or a sentence about what went wrong.

use super::{LEGACY, META_CAPABILITIES, META_VERSION, MODERN};
use crate::http::Header;
use crate::json::json;
use crate::ports::{Clock, ExchangeError, Outgoing, Transport, Whole};
use crate::secret::Secret;
use crate::sse::Reader;
use crate::units::{Millis, Timestamp};
use serde_json::{Map, Value};

/// How long one answer may take, and all of them.
const PATIENCE: Millis = Millis(10_000);
const IN_ALL: Millis = Millis(60_000);
/// The longest answer, and all of them: what is read is in memory until all is.
const LONGEST: usize = 1 << 20;
const MOST_BYTES: usize = 16 << 20;
/// The most resources that are taken from one server.
const MOST: usize = 500;
/// The most pages of its list.
const PAGES: usize = 20;

/// Where a server is, and how it knows us.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its endpoint.
    pub url: String,
    /// Sent as `Authorization: Bearer …`.
    pub token: Option<Secret>,
}

/// A resource, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// Its name for it.
    pub uri: String,
    /// What it is called.
    pub title: String,
    /// What it says.
    pub text: String,
    /// What stands beside its text.
    pub meta: Map<String, Value>,
}

/// How a server is spoken to.
enum Era {
    /// Every request says everything.
    Modern,
    /// After a handshake: its revision, and the session it wants to be reminded of.
    Legacy(String, Option<String>),
}

/// A call that came to nothing.
enum Problem {
    /// The server does not know the revision without a handshake.
    Older,
    /// Something else, in a sentence.
    Said(String),
}

struct Session<'a, P> {
    ports: &'a P,
    place: &'a Place,
    era: Era,
    until: Timestamp,
    /// As many bytes may still come.
    room: usize,
    number: u64,
}

/// Every text among a server's resources.
pub async fn resources<P: Transport + Clock>(ports: &P, place: &Place) -> Result<Vec<Resource>, String> {
    let mut session =
        Session { ports, place, era: Era::Modern, until: ports.now() + IN_ALL, room: MOST_BYTES, number: 0 };
    let listed = match session.list().await {
        Err(Problem::Older) => {
            session.greet().await.map_err(told)?;
            session.list().await
        }
        listed => listed,
    };
    let mut found = Vec::new();
    for entry in listed.map_err(told)? {
        let Some(uri) = entry.get("uri").and_then(Value::as_str) else { continue };
        let read = session.call("resources/read", json!({ "uri": uri })).await.map_err(told)?;
        let contents = read.get("contents").and_then(Value::as_array).cloned().unwrap_or_default();
        // What has no text (a picture) defines nothing.
        let Some((text, content)) = contents.iter().find_map(|one| Some((one.get("text")?.as_str()?, one))) else {
            continue;
        };
        let title = ["title", "name"].iter().find_map(|name| entry.get(*name)?.as_str()).unwrap_or(uri);
        let meta = content.get("_meta").and_then(Value::as_object).cloned().unwrap_or_default();
        found.push(Resource { uri: uri.to_owned(), title: title.to_owned(), text: text.to_owned(), meta });
    }
    Ok(found)
}

fn told(problem: Problem) -> String {
    match problem {
        Problem::Older => "it speaks no revision of the protocol that is known here".to_owned(),
        Problem::Said(sentence) => sentence,
    }
}

fn said(sentence: impl Into<String>) -> Problem {
    Problem::Said(sentence.into())
}

impl<P: Transport + Clock> Session<'_, P> {
    /// The whole list.
    async fn list(&mut self) -> Result<Vec<Value>, Problem> {
        let (mut all, mut cursor) = (Vec::new(), Value::Null);
        for _ in 0..PAGES {
            let params = if cursor.is_null() { json!({}) } else { json!({ "cursor": cursor }) };
            let mut page = self.call("resources/list", params).await?;
            match page.get_mut("resources").map(Value::take) {
                Some(Value::Array(entries)) => all.extend(entries),
                Some(_) | None => return Err(said("its list of resources is none")),
            }
            if all.len() > MOST {
                return Err(said(format!("it has more than {MOST} resources")));
            }
            match page.get_mut("nextCursor").map(Value::take) {
                None | Some(Value::Null) => return Ok(all),
                Some(next) if next == cursor => return Err(said("its list does not end")),
                Some(next) => cursor = next,
            }
        }
        Err(said("its list does not end"))
    }

    /// The handshake of earlier revisions.
    async fn greet(&mut self) -> Result<(), Problem> {
        let [newest, ..] = LEGACY;
        self.era = Era::Legacy(newest.to_owned(), None);
        let client = json!({ "name": "signalbox", "version": env!("CARGO_PKG_VERSION") });
        let params = json!({ "protocolVersion": newest, "capabilities": {}, "clientInfo": client });
        let (result, whole) = self.request("initialize", params).await?;
        let version = result.get("protocolVersion").and_then(Value::as_str).unwrap_or_default();
        let known = LEGACY.into_iter().find(|known| *known == version).ok_or(Problem::Older)?;
        let session = whole.headers.iter().find(|(name, _)| name == "mcp-session-id").map(|(_, value)| value.clone());
        self.era = Era::Legacy(known.to_owned(), session);
        let note = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        self.send("notifications/initialized", "", note.to_string()).await.map(drop)
    }

    async fn call(&mut self, method: &'static str, params: Value) -> Result<Value, Problem> {
        self.request(method, params).await.map(|(result, _)| result)
    }

    async fn request(&mut self, method: &'static str, mut params: Value) -> Result<(Value, Whole), Problem> {
        self.number += 1;
        let name = params.get("uri").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let (Era::Modern, Some(members)) = (&self.era, params.as_object_mut()) {
            members.insert("_meta".to_owned(), json!({ META_VERSION: MODERN, META_CAPABILITIES: {} }));
        }
        let id = self.number;
        let body = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string();
        let whole = self.send(method, &name, body).await?;
        let message = whole.body.as_deref().and_then(|body| message(&whole, body, id));
        let Some(mut message) = message else {
            let refuses = matches!(whole.status, 400 | 404 | 405) && matches!(self.era, Era::Modern);
            return Err(if refuses {
                Problem::Older
            } else {
                said(format!("it answered {} and no message", whole.status))
            });
        };
        if let Some(error) = message.get("error") {
            let code = error.get("code").and_then(Value::as_i64).unwrap_or(0);
            // Errors of the new revision have codes of their own; anything else is an older server that does not understand.
            let is_older =
                matches!(self.era, Era::Modern) && method == "resources/list" && !matches!(code, -32_021 | -32_020);
            return Err(if is_older { Problem::Older } else { said(format!("it refuses {method} with {code}")) });
        }
        let result = message.get_mut("result").map(Value::take).ok_or_else(|| said("its answer has no result"))?;
        Ok((result, whole))
    }

    async fn send(&mut self, method: &str, name: &str, body: String) -> Result<Whole, Problem> {
        let left = self.until.since(self.ports.now());
        if left == Millis(0) {
            return Err(said("it took too long in all"));
        }
        let mut headers: Vec<Header> = [
            ("content-type", "application/json".to_owned()),
            ("accept", "application/json, text/event-stream".to_owned()),
        ]
        .map(|(name, value)| (name.into(), value))
        .into();
        match &self.era {
            Era::Modern => {
                headers.push(("mcp-protocol-version".into(), MODERN.to_owned()));
                headers.push(("mcp-method".into(), method.to_owned()));
                if !name.is_empty() {
                    headers.push(("mcp-name".into(), header_value(name)));
                }
            }
            Era::Legacy(version, session) => {
                headers.push(("mcp-protocol-version".into(), version.clone()));
                headers.extend(session.iter().map(|session| ("mcp-session-id".into(), session.clone())));
            }
        }
        if let Some(token) = &self.place.token {
            headers.push(("authorization".into(), format!("Bearer {}", token.expose())));
        }
        let call =
            Outgoing { method: "POST", url: self.place.url.clone(), headers, body: body.into_bytes(), forward: false };
        match self.ports.exchange(call, PATIENCE.min(left), LONGEST).await {
            Ok(whole) if whole.body.is_none() && whole.status < 300 => Err(said("its answer is too long")),
            Ok(whole) => {
                let length = whole.body.as_ref().map_or(0, |body| body.len());
                self.room = self.room.checked_sub(length).ok_or_else(|| said("it says too much in all"))?;
                Ok(whole)
            }
            Err(ExchangeError::TimedOut) => Err(said("it took too long")),
            Err(ExchangeError::Failed(_)) => Err(said("it cannot be reached")),
        }
    }
}

/// How a value begins and ends that is wrapped (SEP-2243).
const WRAPPED: [&str; 2] = ["=?base64?", "?="];

/// A text as it can stand in a header: as it is, or in base64, which keeps its padding.
fn header_value(text: &str) -> String {
    let [begin, end] = WRAPPED;
    if text.bytes().all(|byte| (0x21..=0x7e).contains(&byte)) && !text.starts_with(begin) {
        return text.to_owned();
    }
    let plain = crate::base64url::encode(text.as_bytes()).replace('-', "+").replace('_', "/");
    let padding = "=".repeat(plain.len().wrapping_neg() % 4);
    [begin, &plain, &padding, end].concat()
}

/// The message with this number, alone or in a stream.
fn message(whole: &Whole, body: &[u8], id: u64) -> Option<Map<String, Value>> {
    let is_ours = |message: &Map<String, Value>| message.get("id").and_then(Value::as_u64) == Some(id);
    let streams = |(name, value): &Header| name == "content-type" && value.starts_with("text/event-stream");
    if !whole.headers.iter().any(streams) {
        return crate::json::text(body)
            .and_then(crate::json::object)
            .ok()
            .filter(|message: &Map<String, Value>| is_ours(message) || message.contains_key("error"));
    }
    let mut reader = Reader::with_limit(LONGEST);
    reader.push(body);
    reader.push(b"\n\n");
    while let Some(Ok(event)) = reader.next() {
        if let Some(message) = crate::json::object(event.data).ok().filter(is_ours) {
            return Some(message);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::header_value;

    #[test]
    fn a_name_that_cannot_stand_in_a_header_is_wrapped_as_the_protocol_has_it() {
        for (name, value) in [
            ("wiki://a/b", "wiki://a/b"),
            ("wiki://Erlös", "=?base64?d2lraTovL0VybMO2cw==?="),
            ("a b", "=?base64?YSBi?="),
            ("a\r\nb", "=?base64?YQ0KYg==?="),
            ("=?base64?YQ==?=", "=?base64?PT9iYXNlNjQ/WVE9PT89?="),
        ] {
            assert_eq!(header_value(name), value, "{name}");
        }
    }
}
