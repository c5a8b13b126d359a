//! A streamGenerateContent answer, put together: events, or the elements of one JSON array.

use serde_json::{Value, json};

use super::{Event, text};

/// The array's elements as if each were an event; an array that does not close is a violation.
pub(super) fn elements(bytes: &[u8]) -> Option<Vec<Event>> {
    let body = bytes.trim_ascii_start();
    if !body.starts_with(b"[") {
        return None;
    }
    let data = |value: &Value| Event { name: String::new(), data: value.to_string() };
    let broken = || vec![Event { name: String::new(), data: "an array that does not close".to_owned() }];
    Some(serde_json::from_slice::<Vec<Value>>(body).map_or_else(|_| broken(), |all| all.iter().map(data).collect()))
}

pub(super) fn assemble(events: &[Event]) -> Value {
    let (mut said, mut thoughts) = (String::new(), String::new());
    let (mut calls, mut parts, mut violations) = (Vec::new(), Vec::new(), Vec::new());
    let (mut finish, mut usage, mut error) = (Value::Null, Value::Null, Value::Null);
    let (mut id, mut model) = (Value::Null, Value::Null);
    for event in events {
        let Ok(data) = serde_json::from_str::<Value>(&event.data) else {
            violations.push(format!("data that is no JSON: {}", event.data));
            continue;
        };
        if data.get("error").is_some() {
            error = data;
            continue;
        }
        let take = |name: &str, place: &mut Value| {
            if let Some(value) = data.get(name) {
                *place = value.clone();
            }
        };
        take("usageMetadata", &mut usage);
        take("responseId", &mut id);
        take("modelVersion", &mut model);
        let candidate = data.pointer("/candidates/0").cloned().unwrap_or_default();
        for part in candidate.pointer("/content/parts").and_then(Value::as_array).into_iter().flatten() {
            parts.push(part.clone());
            match (part.get("functionCall"), part.get("thought")) {
                (Some(call), _) => {
                    if !call.get("args").is_some_and(Value::is_object) {
                        violations.push(format!("arguments that are no object: {part}"));
                    }
                    calls.push(json!({"id": call.get("id"), "name": call.get("name"), "arguments": call.get("args")}));
                }
                (None, Some(Value::Bool(true))) => thoughts.push_str(text(part, "text")),
                (None, _) => said.push_str(text(part, "text")),
            }
        }
        if let Some(reason) = candidate.get("finishReason") {
            if !finish.is_null() {
                violations.push(format!("a second end: {}", event.data));
            }
            finish = reason.clone();
        }
    }
    json!({
        "text": said,
        "thinking": thoughts,
        "refusal": "",
        "tool_calls": calls,
        "done": error.is_null() && !finish.is_null(),
        "finish": finish,
        "usage": usage,
        "error": error,
        "events": events.len(),
        "violations": violations,
        "id": id,
        "model": model,
        "message": {"role": "model", "parts": parts},
    })
}
