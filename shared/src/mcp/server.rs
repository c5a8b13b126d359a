//! A server of resources: what is asked in, what is answered out. Streamable HTTP, without sessions and without streams of
//! its own.

use super::{LEGACY, META_CAPABILITIES, META_DEFINITION, META_VERSION, MODERN};
use crate::base64url;
use crate::context::{Definition, Library};
use crate::json;
use crate::json::json;
use crate::time::rfc3339;
use crate::units::Timestamp;
use serde_json::{Map, Value};

/// Definitions on a page of a list.
const PAGE: usize = 100;
/// How long an answer may be kept by whoever asked.
const TTL_MS: u64 = 60_000;
/// How the name of a definition's resource begins.
const SCHEME: &str = "signalbox://context/";

/// A request: its body, and what the transport says of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// `mcp-protocol-version`.
    pub version: Option<&'a str>,
    /// `mcp-method`.
    pub method: Option<&'a str>,
    /// `mcp-name`.
    pub name: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

/// What is answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// Nothing: it was a notification.
    Accepted,
    /// A status and a message.
    Message(u16, Value),
}

/// An error of the protocol.
struct Wrong {
    status: u16,
    code: i64,
    message: String,
    data: Option<Value>,
}

fn wrong(status: u16, code: i64, message: impl Into<String>) -> Wrong {
    Wrong { status, code, message: message.into(), data: None }
}

const INVALID: i64 = -32_602;
const MISMATCH: i64 = -32_020;

/// Answers a request of a team.
pub fn answer(asked: &Asked<'_>, library: &Library, team: &str, now: Timestamp) -> Told {
    let message = match read(asked.body) {
        Ok(message) => message,
        Err(wrong) => return failed(&Value::Null, wrong),
    };
    let Some(id) = message.get("id").filter(|id| id.is_string() || id.is_number()) else {
        // What has no id wants no answer; an id of null is one that is wrong.
        return match message.get("method").filter(|_| !message.contains_key("id")) {
            Some(_) => Told::Accepted,
            None => failed(&Value::Null, wrong(400, -32_600, "A request with a method and an id is expected.")),
        };
    };
    let method = message.get("method").and_then(Value::as_str).unwrap_or_default();
    let none = Map::new();
    let params = message.get("params").and_then(Value::as_object).unwrap_or(&none);
    let meta = params.get("_meta").and_then(Value::as_object);
    let said = meta.and_then(|meta| meta.get(META_VERSION)).and_then(Value::as_str);
    let is_modern = said.is_some() || asked.version.is_some_and(|version| version == MODERN);
    let shown = Shown { library, team, now };
    let result = match is_modern {
        true => modern(asked, method, params, said, meta.unwrap_or(&none))
            .and_then(|()| serve(method, params, shown, is_modern)),
        false => legacy(asked, method, params).unwrap_or_else(|| serve(method, params, shown, is_modern)),
    };
    match result {
        Ok(result) => {
            let result = if is_modern { dressed(method, result) } else { result };
            Told::Message(200, json!({ "jsonrpc": "2.0", "id": id, "result": result }))
        }
        Err(wrong) => failed(id, wrong),
    }
}

fn read(body: &[u8]) -> Result<Map<String, Value>, Wrong> {
    json::scan(body, &json::Limits::default())
        .ok()
        .and_then(|_| json::text(body).and_then(json::object).ok())
        .ok_or_else(|| wrong(400, -32_700, "The body must be one JSON-RPC message."))
}

fn failed(id: &Value, wrong: Wrong) -> Told {
    let mut error = json!({ "code": wrong.code, "message": wrong.message });
    if let (Some(data), Some(members)) = (wrong.data, error.as_object_mut()) {
        members.insert("data".to_owned(), data);
    }
    let mut message = json!({ "jsonrpc": "2.0", "error": error });
    if let (false, Some(members)) = (id.is_null(), message.as_object_mut()) {
        members.insert("id".to_owned(), id.clone());
    }
    Told::Message(wrong.status, message)
}

/// Holds a request of the revision without a handshake against its rules: what the transport says must be what it says
/// itself.
fn modern(
    asked: &Asked<'_>,
    method: &str,
    params: &Map<String, Value>,
    said: Option<&str>,
    meta: &Map<String, Value>,
) -> Result<(), Wrong> {
    let Some(version) = said else {
        return Err(wrong(400, INVALID, format!("params._meta must have {META_VERSION}.")));
    };
    if version != MODERN {
        return Err(unsupported(version));
    }
    if !meta.get(META_CAPABILITIES).is_some_and(Value::is_object) {
        return Err(wrong(400, INVALID, format!("params._meta must have {META_CAPABILITIES}.")));
    }
    let name = params.get("uri").or(params.get("name")).and_then(Value::as_str);
    let named = asked.name.map(plain);
    let pairs = [
        ("MCP-Protocol-Version", asked.version.map(str::to_owned), Some(version)),
        ("Mcp-Method", asked.method.map(str::to_owned), Some(method)),
        ("Mcp-Name", named, name.filter(|_| method == "resources/read")),
    ];
    for (header, stands, wanted) in pairs {
        if wanted.is_some() && stands.as_deref() != wanted {
            return Err(wrong(400, MISMATCH, format!("Header mismatch: {header} must say what the body says.")));
        }
    }
    Ok(())
}

fn unsupported(version: &str) -> Wrong {
    let requested: String = version.chars().take(64).collect();
    let supported: Vec<&str> = std::iter::once(MODERN).chain(LEGACY).collect();
    let data = json!({ "supported": supported, "requested": requested });
    Wrong { data: Some(data), ..wrong(400, -32_022, "Unsupported protocol version") }
}

/// A header's value that may be wrapped in base64, as names are that cannot stand in one.
fn plain(value: &str) -> String {
    let inside = value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?="));
    let standard = |text: &str| text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    let decoded = inside.and_then(|text| base64url::decode(&standard(text)));
    decoded.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_else(|| value.to_owned())
}

/// What only the revisions with a handshake know; `None` for what both do.
fn legacy(asked: &Asked<'_>, method: &str, params: &Map<String, Value>) -> Option<Result<Value, Wrong>> {
    if let Some(version) = asked.version.filter(|version| !LEGACY.contains(version)) {
        return Some(Err(unsupported(version)));
    }
    match method {
        "initialize" => {
            let wanted = params.get("protocolVersion").and_then(Value::as_str);
            let [newest, ..] = LEGACY;
            let version = wanted.and_then(|wanted| LEGACY.into_iter().find(|known| *known == wanted)).unwrap_or(newest);
            Some(Ok(json!({
                "protocolVersion": version,
                "capabilities": capabilities(),
                "serverInfo": server(),
                "instructions": INSTRUCTIONS,
            })))
        }
        "ping" => Some(Ok(json!({}))),
        _ => None,
    }
}

const INSTRUCTIONS: &str =
    "Governed definitions of this organisation. Read the one whose term you use; it is exactly what is meant.";

fn capabilities() -> Value {
    json!({ "resources": {} })
}

fn server() -> Value {
    json!({ "name": "signalbox", "title": "Signalbox", "version": env!("CARGO_PKG_VERSION") })
}

/// A result as the revision without a handshake has it.
fn dressed(method: &str, result: Value) -> Value {
    let Value::Object(mut members) = result else { return result };
    members.insert("resultType".to_owned(), json!("complete"));
    members.insert("ttlMs".to_owned(), json!(TTL_MS));
    // What a team may see is nobody else's to be given.
    members.insert("cacheScope".to_owned(), json!("private"));
    if method == "server/discover" {
        members.insert("instructions".to_owned(), json!(INSTRUCTIONS));
    }
    members.insert("_meta".to_owned(), json!({ "io.modelcontextprotocol/serverInfo": server() }));
    Value::Object(members)
}

/// What there is to be shown, to whom, and when.
#[derive(Clone, Copy)]
struct Shown<'a> {
    library: &'a Library,
    team: &'a str,
    now: Timestamp,
}

fn serve(method: &str, params: &Map<String, Value>, shown: Shown<'_>, is_modern: bool) -> Result<Value, Wrong> {
    let Shown { library, team, now } = shown;
    match method {
        "server/discover" if is_modern => {
            let supported: Vec<&str> = std::iter::once(MODERN).chain(LEGACY).collect();
            Ok(json!({ "supportedVersions": supported, "capabilities": capabilities() }))
        }
        "resources/list" => {
            let after = params.get("cursor").and_then(Value::as_str).unwrap_or_default();
            let mut visible = library.definitions().iter().filter(|one| one.is_for(team) && one.id.as_str() > after);
            let page: Vec<&Definition> = visible.by_ref().take(PAGE).collect();
            let mut result = json!({ "resources": page.iter().map(|one| resource(one)).collect::<Vec<_>>() });
            if let (Some(_), Some(last), Some(members)) = (visible.next(), page.last(), result.as_object_mut()) {
                members.insert("nextCursor".to_owned(), json!(last.id));
            }
            Ok(result)
        }
        "resources/templates/list" => Ok(json!({ "resourceTemplates": [{
            "uriTemplate": format!("{SCHEME}{{id}}"),
            "name": "definition",
            "title": "A governed definition",
            "description": "The version in force of the definition with this id.",
            "mimeType": "text/markdown",
        }] })),
        "resources/read" => {
            let uri = params.get("uri").and_then(Value::as_str).unwrap_or_default();
            let found = uri.strip_prefix(SCHEME).and_then(|id| library.get(id)).filter(|one| one.is_for(team));
            let found = found.ok_or_else(|| {
                let code = if is_modern { INVALID } else { -32_002 };
                let uri: String = uri.chars().take(256).collect();
                Wrong { data: Some(json!({ "uri": uri })), ..wrong(200, code, "Resource not found") }
            })?;
            Ok(json!({ "contents": [contents(found, now)] }))
        }
        _ => Err(wrong(if is_modern { 404 } else { 200 }, -32_601, "Method not found")),
    }
}

fn uri(definition: &Definition) -> String {
    format!("{SCHEME}{}", definition.id)
}

fn resource(definition: &Definition) -> Value {
    let mut shown = json!({
        "uri": uri(definition),
        "name": definition.id,
        "title": definition.term(),
        "description": format!("What is meant by {}: {}", definition.term(), definition.name()),
        "mimeType": "text/markdown",
    });
    if let (Some(at), Some(members)) = (definition.certified_at, shown.as_object_mut()) {
        members.insert("annotations".to_owned(), json!({ "lastModified": rfc3339(at) }));
    }
    shown
}

/// A definition's text, with all of it beside for programs. One whose certification has ended says so in its heading, as it
/// does to models.
fn contents(definition: &Definition, now: Timestamp) -> Value {
    let Definition { id, version, terms, aliases, text, owner, certified_by, .. } = definition;
    let mut whole = json!({
        "id": id, "version": version, "terms": terms, "aliases": aliases, "owner": owner, "certified_by": certified_by,
        "certified_at": definition.certified_at.map(rfc3339), "valid_until": definition.valid_until().map(rfc3339),
    });
    if let Some(members) = whole.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    let ended = definition
        .ended(now)
        .map_or_else(String::new, |day| format!(" (out of date: its certification ended on {day})"));
    json!({
        "uri": uri(definition),
        "mimeType": "text/markdown",
        "text": format!("# {}{ended}\n\n{text}\n", definition.term()),
        "_meta": { META_DEFINITION: whole },
    })
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
