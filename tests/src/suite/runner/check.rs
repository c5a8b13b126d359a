//! Holds what a caller got, and what reached the upstream, against what a step expects.

use serde_json::{Map, Value, json};

use crate::simulator::Seen;
use crate::suite::case::Expect;
use crate::suite::document::Names;
use crate::suite::level::{Answer, Level};
use crate::suite::matching::differences;
use crate::suite::stream::{Dialect, assemble};

/// How long what happens behind the caller's back may take.
pub(super) const PATIENCE_MS: u64 = 5_000;
/// Between two looks.
pub(super) const LOOK_MS: u64 = 10;

/// The answer as saved values are taken from it.
pub(super) fn seen(path: &str, answer: &Answer) -> Value {
    json!({
        "headers": answer.headers,
        "body": serde_json::from_slice::<Value>(&answer.body).unwrap_or_default(),
        "stream": assemble(Dialect::of(path), &answer.body),
    })
}

/// The beginning of a body, for people.
pub(super) fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(1_500).collect()
}

pub(super) fn answer(expect: &Expect, path: &str, is_call: bool, answer: &Answer, names: &Names) -> Vec<String> {
    let mut problems = Vec::new();
    let nothing_came = answer.left && answer.status == 0;
    if !nothing_came && answer.status != expect.status {
        problems.push(format!("status: expected {}, saw {}", expect.status, answer.status));
    }
    let holds = |what: &str, expected: &Option<Value>, actual: Option<&Value>| match expected {
        Some(expected) => differences(what, &names.fill_value(expected), actual),
        None => Vec::new(),
    };
    let seen = seen(path, answer);
    problems.extend(holds("headers", &expect.headers, seen.get("headers")));
    let is_json = serde_json::from_slice::<Value>(&answer.body).is_ok();
    problems.extend(holds("body", &expect.body, seen.get("body").filter(|_| is_json)));
    let text = Value::String(String::from_utf8_lossy(&answer.body).into_owned());
    problems.extend(holds("text", &expect.text, Some(&text)));
    if let Some(expected) = &expect.stream {
        problems.extend(stream(&names.fill_value(expected), seen.get("stream"), path, answer));
    }
    if is_call && !nothing_came {
        problems.extend(usual(path, answer, seen.get("body")));
    }
    if answer.cut && expect.stream.is_none() {
        problems.push("the body was cut short".to_owned());
    }
    problems
}

/// A stream is sound and complete, and nobody has to say so, unless the caller left, or the case expects otherwise.
fn stream(expected: &Value, seen: Option<&Value>, path: &str, answer: &Answer) -> Vec<String> {
    let mut expected = expected.clone();
    if let Some(members) = expected.as_object_mut() {
        let fails = members.get("error").is_some_and(|error| !error.is_null());
        members.entry("violations").or_insert(json!([]));
        if !answer.left {
            members.entry("done").or_insert(json!(!fails));
            members.entry("error").or_insert(Value::Null);
        }
    }
    let mut problems = differences("stream", &expected, seen);
    // Google's callers get one JSON array unless they ask for events.
    let array = Dialect::of(path) == Dialect::Gemini && !path.contains("alt=sse");
    let wanted = if array { "application/json" } else { "text/event-stream" };
    if !answer.headers.get("content-type").is_some_and(|kind| kind.starts_with(wanted)) {
        problems.push(format!("stream: the content type is not {wanted}"));
    }
    problems
}

/// What holds for every answer to a call.
fn usual(path: &str, answer: &Answer, body: Option<&Value>) -> Vec<String> {
    let mut expected = Map::new();
    expected.insert("x-signalbox-request-id".to_owned(), json!({"$starts": "req_"}));
    let mut problems = differences("headers", &Value::Object(expected), Some(&json!(answer.headers)));
    for unwanted in ["set-cookie", "server-internal", "x-internal", "alt-svc"] {
        if answer.headers.contains_key(unwanted) {
            problems.push(format!("headers: the provider's {unwanted} came through"));
        }
    }
    // A provider's own error passes as it is.
    let is_passed = path.starts_with("/passthrough/") && answer.headers.contains_key("x-signalbox-model");
    if answer.status >= 400 && !is_passed {
        let id = answer.headers.get("x-signalbox-request-id");
        let shape = match Dialect::of(path) {
            Dialect::OpenAi | Dialect::Responses => {
                json!({"error": {"message": {"$any": true}, "type": {"$any": true}, "code": {"$any": true}, "request_id": id}})
            }
            Dialect::Anthropic => {
                json!({"type": "error", "error": {"type": {"$any": true}, "message": {"$any": true}}, "request_id": id})
            }
            Dialect::Gemini => json!({"error": {
                "code": answer.status, "message": {"$any": true}, "status": {"$any": true},
                "details": {"$contains": {"reason": {"$any": true}, "metadata": {"request_id": id}}},
            }}),
        };
        problems.extend(differences("an error's body", &shape, body));
    }
    problems
}

/// The requests at the upstream, once they are as expected or time is up.
pub(super) async fn upstream<L: Level>(level: &L, expect: &Expect, names: &Names) -> Vec<String> {
    let Some(expected) = &expect.upstream else { return Vec::new() };
    let expected = names.fill_value(expected);
    let mut waited = 0;
    loop {
        let seen: Vec<Value> = level.upstream().seen(None).iter().map(request).collect();
        let problems = differences("upstream", &expected, Some(&json!(seen)));
        if problems.is_empty() || waited >= PATIENCE_MS {
            return problems;
        }
        level.pause(LOOK_MS).await;
        waited += LOOK_MS;
    }
}

fn request(seen: &Seen) -> Value {
    let body = serde_json::from_str(&seen.body).unwrap_or_else(|_| Value::String(seen.body.clone()));
    json!({
        "script": seen.script,
        "method": seen.method,
        "path": seen.path,
        "headers": seen.headers,
        "body": body,
        "raw": seen.body,
        "client_gone": seen.client_gone,
    })
}
