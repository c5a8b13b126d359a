//! Every dialect of callers with every dialect of providers, whole, streamed and broken off: text, a call and the usage
//! mean the same in all of them, and cost the same.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::{Value, json};
use signalbox_tests::suite::case::Case;
use signalbox_tests::suite::in_process::InProcess;

/// What every provider says: `Grüße.`, and a call of `weather` in Zürich, for ten tokens read and three written.
struct Provider {
    dialect: &'static str,
    whole: Value,
    /// The steps of a stream; of them, the first two begin the text.
    stream: Vec<Value>,
}

const ARGUMENTS: &str = "{\"city\":\"Zürich\"}";

fn providers() -> Vec<Provider> {
    let city = json!({ "city": "Zürich" });
    let function = |arguments: &Value| json!({ "name": "weather", "arguments": arguments });
    let call = json!({ "id": "call_a", "type": "function", "function": function(&ARGUMENTS.into()) });
    let chat_usage = json!({ "prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13 });
    let usage = json!({ "input_tokens": 10, "output_tokens": 3, "total_tokens": 13 });
    let google_usage = json!({ "promptTokenCount": 10, "candidatesTokenCount": 3, "totalTokenCount": 13 });
    let aws_usage = json!({ "inputTokens": 10, "outputTokens": 3, "totalTokens": 13 });
    let cohere_usage = json!({ "tokens": { "input_tokens": 10, "output_tokens": 3 } });
    let data = |event: Value| json!({ "data": event });
    let event = |event: Value| json!({ "event": event });
    let frame = |name: &str, payload: Value| json!({ "frame": [name, payload] });
    let line = |line: Value| json!({ "line": line });

    let chunk = |delta: Value, finish: Value| {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish });
        data(json!({ "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice] }))
    };
    let mut streamed_call = call.clone();
    streamed_call["index"] = json!(0);
    let said = json!({ "type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
        "content": [{ "type": "output_text", "text": "Grüße.", "annotations": [] }] });
    let called = json!({ "type": "function_call", "id": "fc_1", "call_id": "call_a", "name": "weather",
        "arguments": ARGUMENTS, "status": "completed" });
    let response = json!({ "id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "m",
        "output": [said, called], "usage": usage });
    let item = |kind: &str, members: Value, number: u64| {
        let mut members = members;
        members["type"] = json!(format!("response.{kind}"));
        members["sequence_number"] = json!(number);
        event(members)
    };
    let begun = json!({ "id": "resp_1", "object": "response", "created_at": 1, "status": "in_progress", "model": "m", "output": [] });
    let empty =
        json!({ "type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress", "content": [] });
    let part = json!({ "type": "output_text", "text": "", "annotations": [] });
    let open_call = json!({ "type": "function_call", "id": "fc_1", "call_id": "call_a", "name": "weather", "arguments": "", "status": "in_progress" });
    let in_text = |name: &str, value: Value| {
        let mut members = json!({ "item_id": "msg_1", "output_index": 0, "content_index": 0 });
        members[name] = value;
        members
    };
    let turn = |parts: Value, end: Value| {
        let mut candidate = json!({ "content": { "role": "model", "parts": parts }, "index": 0 });
        if end.is_string() {
            candidate["finishReason"] = end;
        }
        json!({ "candidates": [candidate], "usageMetadata": google_usage })
    };
    let google_call = json!({ "functionCall": { "id": "call_a", "name": "weather", "args": city } });
    let delta = |kind: &str, index: u64, delta: Value| event(json!({ "type": kind, "index": index, "delta": delta }));
    let cohere = |content: Value| json!({ "message": content });
    let ollama = |message: Value| json!({ "model": "m", "created_at": "2026-01-01T00:00:00Z", "message": message, "done": false });

    vec![
        Provider {
            dialect: "openai_chat",
            whole: json!({ "id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": chat_usage, "choices": [{ "index": 0,
                "finish_reason": "tool_calls", "message": { "role": "assistant", "content": "Grüße.", "tool_calls": [call] } }] }),
            stream: vec![
                chunk(json!({ "role": "assistant", "content": "Grü" }), Value::Null),
                chunk(json!({ "content": "ße." }), Value::Null),
                chunk(json!({ "tool_calls": [streamed_call] }), Value::Null),
                chunk(json!({}), json!("tool_calls")),
                data(
                    json!({ "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], "usage": chat_usage }),
                ),
                json!({ "data": "[DONE]" }),
            ],
        },
        Provider {
            dialect: "openai_responses",
            whole: response.clone(),
            stream: vec![
                item("created", json!({ "response": begun }), 0),
                item("output_item.added", json!({ "output_index": 0, "item": empty }), 1),
                item("content_part.added", in_text("part", part), 2),
                item("output_text.delta", in_text("delta", json!("Grü")), 3),
                item("output_text.delta", in_text("delta", json!("ße.")), 4),
                item("output_text.done", in_text("text", json!("Grüße.")), 5),
                item("output_item.done", json!({ "output_index": 0, "item": said }), 6),
                item("output_item.added", json!({ "output_index": 1, "item": open_call }), 7),
                item(
                    "function_call_arguments.delta",
                    json!({ "item_id": "fc_1", "output_index": 1, "delta": ARGUMENTS }),
                    8,
                ),
                item(
                    "function_call_arguments.done",
                    json!({ "item_id": "fc_1", "output_index": 1, "arguments": ARGUMENTS }),
                    9,
                ),
                item("output_item.done", json!({ "output_index": 1, "item": called }), 10),
                item("completed", json!({ "response": response }), 11),
            ],
        },
        Provider {
            dialect: "anthropic",
            whole: json!({ "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "tool_use", "stop_sequence": null,
                "content": [{ "type": "text", "text": "Grüße." }, { "type": "tool_use", "id": "call_a", "name": "weather", "input": city }], "usage": usage }),
            stream: vec![
                event(
                    json!({ "type": "message_start", "message": { "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [],
                    "stop_reason": null, "stop_sequence": null, "usage": { "input_tokens": 10, "output_tokens": 1 } } }),
                ),
                event(
                    json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
                ),
                delta("content_block_delta", 0, json!({ "type": "text_delta", "text": "Grü" })),
                delta("content_block_delta", 0, json!({ "type": "text_delta", "text": "ße." })),
                event(json!({ "type": "content_block_stop", "index": 0 })),
                event(
                    json!({ "type": "content_block_start", "index": 1, "content_block": { "type": "tool_use", "id": "call_a", "name": "weather", "input": {} } }),
                ),
                delta("content_block_delta", 1, json!({ "type": "input_json_delta", "partial_json": ARGUMENTS })),
                event(json!({ "type": "content_block_stop", "index": 1 })),
                event(
                    json!({ "type": "message_delta", "delta": { "stop_reason": "tool_use", "stop_sequence": null }, "usage": { "output_tokens": 3 } }),
                ),
                event(json!({ "type": "message_stop" })),
            ],
        },
        Provider {
            dialect: "gemini",
            whole: turn(json!([{ "text": "Grüße." }, google_call]), json!("STOP")),
            stream: vec![
                data(turn(json!([{ "text": "Grü" }]), Value::Null)),
                data(turn(json!([{ "text": "ße." }]), Value::Null)),
                data(turn(json!([google_call]), json!("STOP"))),
            ],
        },
        Provider {
            dialect: "bedrock",
            whole: json!({ "output": { "message": { "role": "assistant", "content": [{ "text": "Grüße." },
                { "toolUse": { "toolUseId": "call_a", "name": "weather", "input": city } }] } }, "stopReason": "tool_use", "usage": aws_usage }),
            stream: vec![
                frame("messageStart", json!({ "role": "assistant" })),
                frame("contentBlockDelta", json!({ "contentBlockIndex": 0, "delta": { "text": "Grü" } })),
                frame("contentBlockDelta", json!({ "contentBlockIndex": 0, "delta": { "text": "ße." } })),
                frame("contentBlockStop", json!({ "contentBlockIndex": 0 })),
                frame(
                    "contentBlockStart",
                    json!({ "contentBlockIndex": 1, "start": { "toolUse": { "toolUseId": "call_a", "name": "weather" } } }),
                ),
                frame(
                    "contentBlockDelta",
                    json!({ "contentBlockIndex": 1, "delta": { "toolUse": { "input": ARGUMENTS } } }),
                ),
                frame("contentBlockStop", json!({ "contentBlockIndex": 1 })),
                frame("messageStop", json!({ "stopReason": "tool_use" })),
                frame("metadata", json!({ "usage": aws_usage })),
            ],
        },
        Provider {
            dialect: "cohere",
            whole: json!({ "id": "c", "finish_reason": "TOOL_CALL", "usage": cohere_usage,
                "message": { "role": "assistant", "content": [{ "type": "text", "text": "Grüße." }], "tool_calls": [call] } }),
            stream: vec![
                event(json!({ "type": "message-start", "id": "c", "delta": cohere(json!({ "role": "assistant" })) })),
                delta("content-start", 0, cohere(json!({ "content": { "type": "text", "text": "" } }))),
                delta("content-delta", 0, cohere(json!({ "content": { "text": "Grü" } }))),
                delta("content-delta", 0, cohere(json!({ "content": { "text": "ße." } }))),
                event(json!({ "type": "content-end", "index": 0 })),
                delta(
                    "tool-call-start",
                    0,
                    cohere(
                        json!({ "tool_calls": { "id": "call_a", "type": "function", "function": function(&"".into()) } }),
                    ),
                ),
                delta(
                    "tool-call-delta",
                    0,
                    cohere(json!({ "tool_calls": { "function": { "arguments": ARGUMENTS } } })),
                ),
                event(json!({ "type": "tool-call-end", "index": 0 })),
                event(
                    json!({ "type": "message-end", "delta": { "finish_reason": "TOOL_CALL", "usage": cohere_usage } }),
                ),
            ],
        },
        Provider {
            dialect: "ollama",
            whole: json!({ "model": "m", "created_at": "2026-01-01T00:00:00Z", "done": true, "done_reason": "stop", "prompt_eval_count": 10, "eval_count": 3,
                "message": { "role": "assistant", "content": "Grüße.", "tool_calls": [{ "id": "call_a", "function": function(&city) }] } }),
            stream: vec![
                line(ollama(json!({ "role": "assistant", "content": "Grü" }))),
                line(ollama(json!({ "role": "assistant", "content": "ße." }))),
                line(ollama(
                    json!({ "role": "assistant", "content": "", "tool_calls": [{ "id": "call_a", "function": function(&city) }] }),
                )),
                line(
                    json!({ "model": "m", "message": { "role": "assistant", "content": "" }, "done": true, "done_reason": "stop", "prompt_eval_count": 10, "eval_count": 3 }),
                ),
            ],
        },
        Provider {
            dialect: "workers_ai",
            whole: json!({ "result": { "response": "Grüße.", "tool_calls": [function(&city)], "usage": chat_usage }, "success": true, "errors": [] }),
            stream: vec![
                data(json!({ "response": "Grü" })),
                data(json!({ "response": "ße." })),
                data(json!({ "response": "", "tool_calls": [function(&city)] })),
                data(json!({ "response": "", "usage": chat_usage })),
                json!({ "data": "[DONE]" }),
            ],
        },
    ]
}

/// A caller: its path and its body for a model, and its answer in one piece.
struct Caller {
    name: &'static str,
    ask: fn(model: &str, stream: bool) -> (String, Value),
    answer: fn() -> Value,
}

fn schema() -> Value {
    json!({ "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] })
}

const CALLERS: [Caller; 4] = [
    Caller {
        name: "Chat Completions",
        ask: |model, stream| {
            let tool = json!({ "type": "function", "function": { "name": "weather", "parameters": schema() } });
            let messages = json!([{ "role": "system", "content": "s" }, { "role": "user", "content": "Hi" }]);
            let body =
                json!({ "model": model, "messages": messages, "tools": [tool], "max_tokens": 99, "stream": stream });
            ("/v1/chat/completions".to_owned(), body)
        },
        answer: || {
            let call = json!({ "type": "function", "function": { "name": "weather", "arguments": { "$json": { "city": "Zürich" } } } });
            let choice =
                json!({ "finish_reason": "tool_calls", "message": { "content": "Grüße.", "tool_calls": [call] } });
            json!({ "choices": [choice], "usage": { "prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13 } })
        },
    },
    Caller {
        name: "Responses",
        ask: |model, stream| {
            let tool = json!({ "type": "function", "name": "weather", "parameters": schema() });
            let body = json!({ "model": model, "instructions": "s", "input": "Hi", "tools": [tool], "max_output_tokens": 99, "stream": stream });
            ("/v1/responses".to_owned(), body)
        },
        answer: || {
            let call =
                json!({ "type": "function_call", "name": "weather", "arguments": { "$json": { "city": "Zürich" } } });
            let said = json!({ "type": "message", "content": [{ "type": "output_text", "text": "Grüße." }] });
            json!({ "status": "completed", "output": [said, call], "usage": { "input_tokens": 10, "output_tokens": 3, "total_tokens": 13 } })
        },
    },
    Caller {
        name: "Messages",
        ask: |model, stream| {
            let tool = json!({ "name": "weather", "input_schema": schema() });
            let messages = json!([{ "role": "user", "content": "Hi" }]);
            let body = json!({ "model": model, "system": "s", "messages": messages, "tools": [tool], "max_tokens": 99, "stream": stream });
            ("/v1/messages".to_owned(), body)
        },
        answer: || {
            let call = json!({ "type": "tool_use", "name": "weather", "input": { "city": "Zürich" } });
            json!({ "stop_reason": "tool_use", "content": [{ "type": "text", "text": "Grüße." }, call], "usage": { "input_tokens": 10, "output_tokens": 3 } })
        },
    },
    Caller {
        name: "generateContent",
        ask: |model, stream| {
            let tool = json!({ "functionDeclarations": [{ "name": "weather", "parameters": schema() }] });
            let contents = json!([{ "role": "user", "parts": [{ "text": "Hi" }] }]);
            let system = json!({ "parts": [{ "text": "s" }] });
            let body = json!({ "contents": contents, "systemInstruction": system, "tools": [tool], "generationConfig": { "maxOutputTokens": 99 } });
            let method = if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
            (format!("/v1beta/models/{model}:{method}"), body)
        },
        answer: || {
            let call = json!({ "functionCall": { "name": "weather", "args": { "city": "Zürich" } } });
            let candidate = json!({ "content": { "parts": [{ "text": "Grüße." }, call] }, "finishReason": "STOP" });
            json!({ "candidates": [candidate], "usageMetadata": { "promptTokenCount": 10, "candidatesTokenCount": 3, "totalTokenCount": 13 } })
        },
    },
];

#[test]
fn every_callers_dialect_reaches_every_providers_whole_streamed_and_broken_off() {
    let mut problems = Vec::new();
    for Provider { dialect, whole, stream } in providers() {
        let id = format!("like-{}", dialect.replace('_', "-"));
        // Up to the first piece of text.
        let begun = stream.iter().position(|step| step.to_string().contains("\"Grü\"")).unwrap() + 1;
        let cut: Vec<Value> = stream.iter().take(begun).cloned().chain([json!({ "cut": true })]).collect();
        let steps = CALLERS.iter().flat_map(|caller| {
            let send = |script: &str, stream: bool| {
                let (path, body) = (caller.ask)(&format!("{id}:m~{script}"), stream);
                json!({ "path": path, "json": body })
            };
            let calls = json!([{ "name": "weather", "arguments": { "city": "Zürich" } }]);
            let told = json!({ "text": "Grüße.", "tool_calls": calls, "error": null, "violations": [] });
            let error = json!({ "text": "Grü", "error": { "error": { "message": { "$any": true } } }, "violations": [] });
            [
                json!({ "send": send("whole", false), "expect": { "body": (caller.answer)(), "upstream": [{}], "audit": { "outcome": "ok" }, "cost": 16_000 } }),
                json!({ "send": send("flows", true), "expect": { "stream": told, "upstream": [{}], "audit": { "outcome": "ok" }, "cost": 16_000 } }),
                json!({ "send": send("cut-off", true), "expect": { "stream": error, "upstream": [{}], "audit": { "outcome": "cut" } } }),
            ]
        });
        let case = json!({
            "name": format!("every caller of {dialect}"),
            "config": { "providers": { &id: { "dialect": dialect, "base_url": "${upstream}", "api_key": { "binding": "OPENAI_API_KEY" } } } },
            "upstream": { "whole": { "body": whole }, "flows": { "chunking": { "random": 11 }, "steps": stream }, "cut-off": { "steps": cut } },
            "steps": steps.collect::<Vec<_>>(),
        });
        let case: Case = serde_json::from_value(case).unwrap();
        problems.extend(InProcess::run(&case, 1).into_iter().map(|problem| format!("{dialect}: {problem}")));
    }
    let callers = CALLERS.map(|caller| caller.name);
    assert!(problems.is_empty(), "{} problems with {callers:?}:\n{}", problems.len(), problems.join("\n"));
}
