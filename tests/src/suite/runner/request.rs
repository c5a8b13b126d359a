//! A step's request, put together.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::suite::case::{Auth, Send};
use crate::suite::document::{ADMIN_KEY, Names};
use crate::suite::level::Call;
use crate::suite::stream::Dialect;

/// Where a credential can stand.
const CREDENTIALS: [&str; 4] = ["authorization", "x-api-key", "api-key", "x-goog-api-key"];

/// The request as it is sent: credential and content type as the dialect's SDK would, unless the step says otherwise.
pub(super) fn call(send: &Send, names: &Names) -> Result<Call, String> {
    let body = body(send, names)?;
    let path = names.fill(&send.path);
    let mut headers = Vec::new();
    for (name, value) in &send.headers {
        match value {
            Value::String(text) => headers.push((name.clone(), names.fill(text))),
            Value::Array(items) => {
                headers.extend(items.iter().filter_map(Value::as_str).map(|text| (name.clone(), names.fill(text))));
            }
            Value::Null => {}
            Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
                return Err(format!("the header {name} is no text"));
            }
        }
    }
    if body.is_some() && !send.headers.contains_key("content-type") {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    let key = match send.auth {
        Auth::Key => Some(names.text("key")),
        Auth::Admin => Some(ADMIN_KEY.to_owned()),
        Auth::None => None,
    };
    if let (Some(key), false) = (key, CREDENTIALS.iter().any(|name| send.headers.contains_key(*name))) {
        match Dialect::of(&path) {
            Dialect::OpenAi | Dialect::Responses => headers.push(("authorization".to_owned(), format!("Bearer {key}"))),
            Dialect::Anthropic => headers.push(("x-api-key".to_owned(), key)),
            // Its SDKs put the key into a header, older ones into the query.
            Dialect::Gemini if path.contains("key=") => {}
            Dialect::Gemini => headers.push(("x-goog-api-key".to_owned(), key)),
        }
    }
    let method = send.method.clone().unwrap_or_else(|| if body.is_some() { "POST" } else { "GET" }.to_owned());
    Ok(Call { method, path, headers, body: body.unwrap_or_default(), leave: send.leave })
}

fn body(send: &Send, names: &Names) -> Result<Option<Vec<u8>>, String> {
    Ok(match (&send.json, &send.text, &send.base64, &send.generate) {
        (None, None, None, None) => None,
        (Some(json), None, None, None) => Some(names.fill_value(json).to_string().into_bytes()),
        (None, Some(text), None, None) => Some(names.fill(text).into_bytes()),
        (None, None, Some(text), None) => {
            Some(BASE64_STANDARD.decode(text).map_err(|error| format!("the body is no base64: {error}"))?)
        }
        (None, None, None, Some(parts)) => {
            Some(format!("{}{}{}", parts.before, parts.repeat.repeat(parts.times), parts.after).into_bytes())
        }
        _ => return Err("a request has one body: json, text, base64 or generate".to_owned()),
    })
}
