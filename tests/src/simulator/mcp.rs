//! A server of the Model Context Protocol, as far as a reader of its resources notices: the answer depends on the request, so
//! it does not matter how often, or in what order, it is asked.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::script::{Script, Step};

/// Resources on a page of the list.
const PAGE: usize = 2;

/// What the server has, and how it is.
///
/// ```json
/// {"mcp": [{"uri": "wiki://terms/churn", "title": "Churn", "text": "Gone."}], "handshake": "2025-06-18"}
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mcp {
    /// Its resources; one without a text is a picture.
    mcp: Vec<Value>,
    /// The revision it speaks, after a handshake alone; else the newest, without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    handshake: Option<String>,
    /// Every page of its list is followed by the same one.
    #[serde(default)]
    endless: bool,
    /// Bytes of white space before each message.
    #[serde(default)]
    padding: usize,
}

impl Mcp {
    /// The answer to a message.
    pub(crate) fn script(&self, message: &Value) -> Script {
        let method = message.get("method").and_then(Value::as_str).unwrap_or_default();
        let modern = message.pointer("/params/_meta").is_some();
        let error = |code: i32| json!({ "jsonrpc": "2.0", "id": message.get("id"), "error": { "code": code, "message": "no" } });
        let result = |result: Value| json!({ "jsonrpc": "2.0", "id": message.get("id"), "result": result });
        if modern == self.handshake.is_some() {
            return Script::json(400, error(-32_600));
        }
        match method {
            "initialize" => {
                let server = json!({ "name": "simulated", "version": "1" });
                let body = json!({ "protocolVersion": self.handshake, "capabilities": { "resources": {} }, "serverInfo": server });
                Script::json(200, result(body)).header("mcp-session-id", "session-7")
            }
            "notifications/initialized" => Script { status: 202, ..Script::default() },
            "resources/list" => self.list(message, &result),
            "resources/read" => match self.read(message) {
                Some(contents) => self.told(result(json!({ "contents": [contents] }))),
                None => self.told(error(-32_002)),
            },
            _ => self.told(error(-32_601)),
        }
    }

    fn told(&self, message: Value) -> Script {
        let text = " ".repeat(self.padding) + &message.to_string();
        Script::json(200, Value::String(text)).header("content-type", "application/json")
    }

    /// A page, the second and later ones as events.
    fn list(&self, message: &Value, result: &dyn Fn(Value) -> Value) -> Script {
        let cursor = message.pointer("/params/cursor").and_then(Value::as_str);
        let from: usize = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        let shown = |resource: &Value| {
            let mut shown = resource.clone();
            shown.as_object_mut().map(|members| members.remove("text"));
            shown
        };
        let mut page = json!({ "resources": self.mcp.iter().skip(from).take(PAGE).map(shown).collect::<Vec<_>>() });
        match (page.as_object_mut(), self.endless, from + PAGE < self.mcp.len()) {
            (Some(page), true, _) => drop(page.insert("nextCursor".to_owned(), json!("0"))),
            (Some(page), false, true) => drop(page.insert("nextCursor".to_owned(), json!((from + PAGE).to_string()))),
            (Some(_), false, false) | (None, _, _) => {}
        }
        if cursor.is_none() {
            return self.told(result(page));
        }
        let progress = json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": {} });
        Script::stream(vec![Step::Data(progress), Step::Data(result(page))])
    }

    fn read(&self, message: &Value) -> Option<Value> {
        let uri = message.pointer("/params/uri")?;
        let resource = self.mcp.iter().find(|resource| resource.get("uri") == Some(uri))?;
        Some(match resource.get("text") {
            Some(text) => json!({ "uri": uri, "mimeType": "text/markdown", "text": text }),
            None => json!({ "uri": uri, "mimeType": "image/png", "blob": "AAAA" }),
        })
    }
}
