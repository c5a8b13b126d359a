//! Bad input that no list of cases holds: every status with every body a provider may answer, a provider that breaks off
//! and a caller who leaves at any byte, and bodies that do not arrive. What only raw sockets can send is in `bad_input_sockets.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use serde_json::{Value, json};
use signalbox::app::App;
use signalbox::ports::{BodyError, Clock, Request};
use signalbox::units::Millis;
use signalbox_tests::suite::case::Case;
use signalbox_tests::suite::document::{ADMIN_KEY, bindings};
use signalbox_tests::suite::in_process::InProcess;
use signalbox_tests::virtual_time::World;

/// Plays a case in process; says what is not as expected.
fn play(case: Value) -> Vec<String> {
    let name = case["name"].as_str().unwrap().to_owned();
    let case: Case = serde_json::from_value(case).unwrap();
    InProcess::run(&case, 1).into_iter().map(|problem| format!("{name}: {problem}")).collect()
}

/// A request in each dialect of callers, whole and streamed, to each dialect of providers.
fn asks(script: &str) -> Vec<Value> {
    let providers = ["openai:gpt-5.4-mini", "anthropic:claude-haiku-4-5"];
    let asks = providers.iter().flat_map(|provider| {
        [
            ("/v1/chat/completions", false),
            ("/v1/chat/completions", true),
            ("/v1/messages", false),
            ("/v1/messages", true),
        ]
        .map(|(path, stream)| {
            let messages = [json!({ "role": "user", "content": "Hi" })];
            let model = format!("{provider}~{script}");
            json!({ "path": path, "json": { "model": model, "max_tokens": 9, "stream": stream, "messages": messages } })
        })
    });
    asks.collect()
}

/// What the README's table makes of a provider's status when its body says nothing more.
const STATUSES: [(u16, u16); 24] = [
    (302, 502),
    (400, 400),
    (401, 502),
    (402, 429),
    (403, 502),
    (404, 404),
    (405, 400),
    (408, 504),
    (409, 400),
    (413, 413),
    (418, 400),
    (422, 400),
    (429, 429),
    (451, 400),
    (498, 429),
    (500, 502),
    (501, 502),
    (502, 502),
    (503, 503),
    (504, 504),
    (520, 502),
    (524, 504),
    (529, 503),
    (599, 502),
];

/// Bodies of errors as they have been seen, and as nobody should write them.
fn bodies() -> Vec<Value> {
    let text = |text: &str| json!({ "body": text });
    vec![
        json!({ "body": { "error": { "message": "odd", "type": "odd", "param": null, "code": null } } }),
        json!({ "body": { "type": "error", "error": { "type": "odd", "message": "odd" }, "request_id": null } }),
        json!({ "body": [{ "error": { "code": 5, "message": "odd", "status": "ODD", "details": [] } }] }),
        json!({ "body": { "error": "odd" } }),
        json!({ "body": { "error": null } }),
        json!({ "body": { "error": { "message": { "text": ["odd"] }, "code": { "a": 1 } } } }),
        json!({ "body": { "message": "odd", "request_id": "odd" } }),
        json!({ "body": { "object": "error", "message": "odd", "type": "odd", "code": "3051" } }),
        json!({ "body": { "detail": [{ "loc": ["body"], "msg": "odd", "type": "odd" }] } }),
        json!({ "body": { "detail": "odd" } }),
        json!({ "body": { "success": false, "errors": [{ "code": 7000, "message": "odd" }], "result": null } }),
        json!({ "body": {} }),
        json!({ "body": [] }),
        text("null"),
        text("51e999"),
        text("\"odd\""),
        text(""),
        text("no upstream"),
        text("{\"error\": {\"mess"),
        text("{\"error\": {\"message\": \"\\ud83d \\u0000 \\u202e\"}}"),
        text(&"[".repeat(100_000)),
        text(&"x".repeat(1_000_000)),
        json!({ "headers": { "content-type": "text/html" }, "body": "<html><body><h1>Bad Gateway</h1></body></html>" }),
        json!({ "headers": { "content-type": "application/json" }, "body_b64": "eyJlcnJvciI6IP/+fQ==" }),
        json!({ "headers": { "content-type": "text/event-stream" }, "steps": [{ "data": { "error": { "message": "odd" } } }] }),
    ]
}

#[test]
fn every_status_with_every_body_is_answered_in_the_callers_dialect_and_settled_once() {
    let mut problems = Vec::new();
    for (theirs, ours) in STATUSES {
        for (index, body) in bodies().into_iter().enumerate() {
            let mut script = body;
            script["status"] = json!(theirs);
            // The error's form, the audit line and the books are looked at for every answer.
            let expect = json!({ "status": ours, "text": { "$lacks": "<html" }, "upstream": [{}] });
            let steps = asks("bad").into_iter().map(|send| json!({ "send": send, "expect": expect }));
            problems.extend(play(json!({
                "name": format!("{theirs} with body {index}"),
                "config": { "retries": { "max": 0 } },
                "upstream": { "bad": script },
                "steps": steps.collect::<Vec<_>>(),
            })));
        }
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn a_caller_may_leave_at_any_byte_and_at_any_moment() {
    let mut problems = Vec::new();
    let leave = |send: &Value, when: Value| {
        let mut send = send.clone();
        send["leave"] = when;
        json!({ "send": send })
    };
    // Longer than any of the answers: the last ones stay to the end.
    for send in asks("words-1") {
        let steps: Vec<Value> = (0..1_000).map(|bytes| leave(&send, json!({ "after_bytes": bytes }))).collect();
        problems.extend(play(json!({ "name": format!("any byte of {send}"), "steps": steps })));
    }
    for send in asks("words-5") {
        let steps: Vec<Value> = (0..40).map(|ms| leave(&send, json!({ "after_ms": ms }))).collect();
        problems.extend(play(json!({ "name": format!("any moment of {send}"), "steps": steps })));
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

/// A short stream of each dialect of providers: its events, and how many of them there are up to the first content for a
/// caller of Chat Completions, for one of Messages (whose blocks begin empty), and up to the one that tells why it ended.
fn streams() -> [(&'static str, Vec<String>, [usize; 3]); 2] {
    let chunk = |delta: Value, finish: Value| {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish });
        let chunk =
            json!({ "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice] });
        format!("data: {chunk}\n\n")
    };
    let event = |event: Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    let message = json!({ "id": "m", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": null, "usage": { "input_tokens": 3, "output_tokens": 1 } });
    [
        (
            "openai:gpt-5.4-mini",
            vec![
                chunk(json!({ "role": "assistant", "content": "" }), Value::Null),
                chunk(json!({ "content": "Grüezi" }), Value::Null),
                chunk(json!({}), json!("stop")),
                "data: [DONE]\n\n".to_owned(),
            ],
            [2, 2, 3],
        ),
        (
            "anthropic:claude-haiku-4-5",
            vec![
                event(json!({ "type": "message_start", "message": message })),
                event(
                    json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
                ),
                event(
                    json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": "Grüezi" } }),
                ),
                event(json!({ "type": "content_block_stop", "index": 0 })),
                event(
                    json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" }, "usage": { "output_tokens": 2 } }),
                ),
                event(json!({ "type": "message_stop" })),
            ],
            [3, 2, 5],
        ),
    ]
}

#[test]
fn a_provider_may_break_off_at_any_byte_and_is_never_taken_for_done() {
    use base64::Engine;
    let encode = |bytes: &[u8]| base64::prelude::BASE64_STANDARD.encode(bytes);
    let mut problems = Vec::new();
    for (model, events, places) in streams() {
        let [chat, messages, over] = places.map(|until| events.iter().take(until).map(String::len).sum::<usize>());
        let all = events.concat();
        for cut in 0..=all.len() {
            let send = |path: &str, begun: usize| {
                let said = [json!({ "role": "user", "content": "Hi" })];
                let body =
                    json!({ "model": format!("{model}~cut-here"), "max_tokens": 9, "stream": true, "messages": said });
                let failed = json!({ "error": { "message": { "$any": true } } });
                let expect = if cut < begun {
                    json!({ "status": 502, "body": failed })
                } else if cut + 2 < over {
                    // Half an event may have been forwarded by then: it stands before the error.
                    json!({ "stream": { "error": failed, "violations": { "$any": true } }, "audit": { "outcome": "cut" } })
                } else {
                    // Why it ended was told, if not the empty line after it; what would follow says nothing more.
                    json!({ "stream": { "text": "Grüezi", "done": { "$any": true } }, "audit": { "outcome": "ok" } })
                };
                json!({ "send": { "path": path, "json": body }, "expect": expect })
            };
            problems.extend(play(json!({
                "name": format!("{model} cut at {cut} of {}", all.len()),
                "config": { "retries": { "max": 0 } },
                "upstream": { "cut-here": { "steps": [{ "send_b64": encode(&all.as_bytes()[..cut]) }, { "cut": true }] } },
                "steps": [send("/v1/chat/completions", chat), send("/v1/messages", messages)],
            })));
        }
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

/// An administrator whose body takes its time.
struct Slow {
    world: World,
    path: &'static str,
    ms: u64,
}

impl Request for Slow {
    fn method(&self) -> &str {
        "POST"
    }

    fn path(&self) -> &str {
        self.path
    }

    fn query(&self) -> &str {
        ""
    }

    fn header(&self, name: &str) -> Option<&str> {
        (name == "x-api-key").then_some(ADMIN_KEY)
    }

    async fn body(self, _limit: usize) -> Result<Vec<u8>, BodyError> {
        self.world.sleep(Millis(self.ms)).await;
        Ok(br#"{"name":"slow","team":"default"}"#.to_vec())
    }
}

#[test]
fn a_body_that_does_not_arrive_is_not_waited_for() {
    let world = World::new(signalbox_tests::virtual_time::Options::default());
    let bindings = bindings(world.upstream_url(), &BTreeMap::new());
    let app = App::new(world.clone(), move |name: &str| bindings.get(name).cloned());
    for (path, ms, status) in
        [("/admin/v1/keys", 59_000, 201), ("/admin/v1/keys", 3_600_000, 504), ("/oauth/token", 3_600_000, 400)]
    {
        let began = world.now();
        let served = app.serve(Slow { world: world.clone(), path, ms });
        let reply = world.executor().run(served).unwrap_or_else(|deadlock| panic!("{path}: {deadlock}"));
        assert_eq!(reply.head.status, status, "{path} after {ms} ms");
        assert!(world.now().since(began) <= Millis(60_000), "{path} after {ms} ms");
    }
}
