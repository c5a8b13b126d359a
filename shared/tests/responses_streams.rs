//! Streams and answers of the Responses dialect: what providers get wrong, and what callers rely on.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros, reason = "tests read files")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod corpus;

use corpus::{Answer, decode, encode};
use serde_json::{Value, json};
use signalbox::dialect::ir::{BlockKind, Delta, Event, FinishReason, Seal};
use signalbox::dialect::{
    Dialect, Echo, ProtocolError, ResponseContext, State, StreamContext, UpstreamClass, Warnings,
};
use signalbox::usage::Usage;

const RESPONSES: Dialect = Dialect::OpenAiResponses;

/// The answer of a stream of these events.
fn answer(events: &[Value]) -> Answer {
    Answer::from_events(&decode(RESPONSES, [stream(events).as_bytes()]))
}

fn stream(events: &[Value]) -> String {
    events
        .iter()
        .map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or("message")))
        .collect()
}

fn created() -> Value {
    json!({"type": "response.created", "response": {"id": "resp_1", "model": "m"}})
}

fn completed(output: Value) -> Value {
    json!({"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": output, "usage": {"input_tokens": 3, "output_tokens": 2}}})
}

fn text(delta: &str) -> Value {
    json!({"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": delta})
}

#[test]
fn a_stream_is_complete_only_with_its_last_event() {
    let whole = [created(), text("a"), completed(json!([]))];
    assert!(answer(&whole).ended);
    for cut in 0..2 {
        let answer = answer(&whole[..=cut]);
        assert_eq!((answer.ended, answer.error.map(|error| error.class)), (false, Some(UpstreamClass::Protocol)));
    }
    // Not even `[DONE]` makes up for it.
    let done = stream(&whole[..2]) + "data: [DONE]\n\n";
    assert!(!Answer::from_events(&decode(RESPONSES, [done.as_bytes()])).ended);
    let done = stream(&whole) + "data: [DONE]\n\n";
    assert!(Answer::from_events(&decode(RESPONSES, [done.as_bytes()])).ended);
}

#[test]
fn words_that_no_delta_told_are_told_once_by_what_ends_them() {
    let message = json!({"type": "message", "content": [{"type": "output_text", "text": "all", "annotations": [{"type": "url_citation", "url": "https://x.example"}]}, {"type": "refusal", "refusal": "no"}]});
    let call = json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{\"a\":1}"});
    let thoughts = json!({"type": "reasoning", "summary": [{"text": "hm"}], "encrypted_content": "s"});
    let output = json!([thoughts, message, call]);
    let done =
        |index: usize| json!({"type": "response.output_item.done", "output_index": index, "item": output[index]});
    let by_done = vec![created(), done(0), done(1), done(2), completed(output.clone())];
    let by_end = vec![created(), completed(output.clone())];
    let by_parts = vec![
        created(),
        json!({"type": "response.reasoning_summary_text.done", "output_index": 0, "summary_index": 0, "text": "hm"}),
        done(0),
        json!({"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "delta": "all"}),
        json!({"type": "response.output_text.done", "output_index": 1, "content_index": 0, "text": "all"}),
        json!({"type": "response.content_part.done", "output_index": 1, "content_index": 0, "part": message["content"][0]}),
        json!({"type": "response.output_item.added", "output_index": 2, "item": {"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}}),
        done(1),
        done(2),
        completed(output.clone()),
    ];
    for events in [by_done, by_end, by_parts] {
        let answer = answer(&events);
        assert_eq!(
            (answer.text.as_str(), answer.refusal.as_str(), answer.thoughts.as_str()),
            ("all", "no", "hm"),
            "{events:?}"
        );
        assert_eq!(answer.signatures, ["openai-responses-v1 s"]);
        assert_eq!(answer.calls, [("c".to_owned(), "f".to_owned(), "{\"a\":1}".to_owned())]);
        assert_eq!((answer.finish, answer.ended), (Some(FinishReason::ToolCalls), true));
        let cited = decode(RESPONSES, [stream(&events).as_bytes()]);
        assert_eq!(
            cited.iter().filter(|event| matches!(event, Event::Delta { delta: Delta::Citation(_), .. })).count(),
            1
        );
    }
}

#[test]
fn how_an_answer_ended_is_told_by_status_and_reason() {
    let incomplete = |reason: Value| json!({"type": "response.incomplete", "response": {"status": "incomplete", "incomplete_details": {"reason": reason}, "output": []}});
    for (last, finish) in [
        (incomplete(json!("max_output_tokens")), FinishReason::Length),
        (incomplete(json!("content_filter")), FinishReason::ContentFilter),
        (incomplete(json!("whatever")), FinishReason::Length),
        (incomplete(Value::Null), FinishReason::Length),
        (completed(json!([])), FinishReason::Stop),
    ] {
        assert_eq!(answer(&[created(), text("a"), last]).finish, Some(finish));
    }
}

#[test]
fn a_failure_is_told_once_with_its_class_whatever_its_form() {
    use UpstreamClass::{InvalidRequest, Overloaded, Protocol, RateLimited, ServerError};
    let failed = |error: Value| json!({"type": "response.failed", "response": {"status": "failed", "error": error, "usage": {"input_tokens": 3, "output_tokens": 1}}});
    for (event, class) in [
        (failed(json!({"code": "server_error", "message": "x"})), ServerError),
        (failed(json!({"code": "rate_limit_exceeded", "message": "x"})), RateLimited),
        (failed(json!({"code": "invalid_prompt", "message": "x"})), InvalidRequest),
        (failed(Value::Null), ServerError),
        (
            json!({"type": "error", "code": "server_error", "message": "x", "param": null, "sequence_number": 4}),
            ServerError,
        ),
        (json!({"type": "error", "error": {"type": "overloaded_error", "message": "x"}}), Overloaded),
        (json!({"error": {"message": "x", "code": 429}}), RateLimited),
        (json!({"type": "response.completed"}), Protocol),
    ] {
        let events =
            decode(RESPONSES, [stream(&[created(), text("a"), event.clone(), event.clone(), text("b")]).as_bytes()]);
        let answer = Answer::from_events(&events);
        assert_eq!(
            (answer.error.map(|error| error.class), answer.ended, answer.text.as_str()),
            (Some(class), false, "a"),
            "{event}"
        );
        assert_eq!(events.iter().filter(|event| matches!(event, Event::Error(_))).count(), 1);
        let written = String::from_utf8(encode(RESPONSES, &events)).unwrap();
        assert!(written.contains("event: error\n") && !written.contains("response.completed"), "{written}");
    }
}

#[test]
fn a_built_in_tools_item_is_kept_for_its_own_dialect_and_left_out_of_others() {
    let begun = json!({"type": "web_search_call", "id": "ws_1", "status": "in_progress"});
    let done = json!({"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"query": "q"}});
    let events = decode(
        RESPONSES,
        [stream(&[
            created(),
            json!({"type": "response.output_item.added", "output_index": 0, "item": begun}),
            json!({"type": "response.web_search_call.searching", "output_index": 0, "item_id": "ws_1"}),
            json!({"type": "response.output_item.done", "output_index": 0, "item": done}),
            json!({"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "delta": "a"}),
            completed(json!([])),
        ])
        .as_bytes()],
    );
    assert!(events.iter().any(|event| matches!(event, Event::BlockStart { kind: BlockKind::Opaque { .. }, .. })));
    let own = String::from_utf8(encode(RESPONSES, &events)).unwrap();
    let last: Value = serde_json::from_str(own.trim_end().rsplit_once("data: ").unwrap().1).unwrap();
    assert_eq!(last["response"]["output"][0], done);
    for dialect in [Dialect::OpenAiChat, Dialect::Anthropic] {
        assert!(!String::from_utf8(encode(dialect, &events)).unwrap().contains("web_search_call"));
    }
}

#[test]
fn the_meter_knows_content_failure_and_end_as_they_come() {
    let mut meter = RESPONSES.meter();
    let mut push = |event: Value| {
        meter.push(stream(&[event]).as_bytes());
        meter.state()
    };
    assert_eq!(push(created()), State::Waiting);
    assert_eq!(
        push(
            json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "reasoning", "summary": []}})
        ),
        State::Waiting
    );
    assert_eq!(push(text("é😀")), State::Streaming);
    assert_eq!(push(text("x")), State::Streaming);
    assert_eq!(push(completed(json!([]))), State::Complete);
    let observed = meter.finish();
    assert_eq!((observed.output_bytes, observed.model.as_deref()), (7, Some("m")));
    assert_eq!(observed.usage.map(|usage| usage.total_tokens()), Some(5));
}

#[test]
fn parallel_calls_that_overlap_go_out_as_they_come() {
    let start = |block: u64, id: &str| Event::BlockStart {
        choice: 0,
        block,
        kind: BlockKind::ToolCall { id: id.to_owned(), name: "f".to_owned() },
    };
    let piece = |block: u64, text: &str| Event::Delta { choice: 0, block, delta: Delta::Arguments(text.to_owned()) };
    let stop = |block: u64| Event::BlockStop { choice: 0, block };
    let events = vec![
        Event::Start { id: None, model: None },
        start(0, "a"),
        piece(0, "{\"x\":"),
        start(1, "b"),
        piece(1, "{}"),
        piece(0, "1}"),
        stop(1),
        stop(0),
        Event::Finish { choice: 0, reason: FinishReason::ToolCalls },
        Event::Usage(Usage { input: 1, output: 2, ..Usage::default() }),
        Event::End,
    ];
    let written = encode(RESPONSES, &events);
    let again = Answer::from_events(&decode(RESPONSES, [written.as_slice()]));
    let calls = [("a", "{\"x\":1}"), ("b", "{}")].map(|(id, text)| (id.to_owned(), "f".to_owned(), text.to_owned()));
    assert_eq!(again.calls, calls);
}

#[test]
fn probabilities_and_sources_are_in_the_answer_at_the_end() {
    let logprobs = r#"{"content":[{"token":"hi","logprob":-0.5,"bytes":[104,105],"top_logprobs":[]}]}"#;
    let citation = json!({"type": "url_citation", "url_citation": {"url": "https://x.example", "title": "t", "start_index": 0, "end_index": 2}});
    let chat = [
        json!({"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "hi"}, "logprobs": serde_json::from_str::<Value>(logprobs).unwrap()}]}),
        json!({"choices": [{"index": 0, "delta": {"annotations": [citation]}, "finish_reason": "stop"}]}),
    ];
    let chat: String = chat.iter().map(|chunk| format!("data: {chunk}\n\n")).collect::<String>() + "data: [DONE]\n\n";
    let written = String::from_utf8(encode(RESPONSES, &decode(Dialect::OpenAiChat, [chat.as_bytes()]))).unwrap();
    let last: Value = serde_json::from_str(written.trim_end().rsplit_once("data: ").unwrap().1).unwrap();
    let part = &last["response"]["output"][0]["content"][0];
    assert_eq!(part["logprobs"][0]["token"], "hi");
    assert_eq!(
        part["annotations"],
        json!([{"type": "url_citation", "start_index": 0, "end_index": 2, "title": "t", "url": "https://x.example"}])
    );
    assert_eq!(last["response"]["id"], "resp_c");
}

#[test]
fn a_whole_answer_that_is_a_failure_or_none_is_told_from_one() {
    let upstream = |body: &str| match RESPONSES.read_response(body.as_bytes()) {
        Err(ProtocolError::Upstream(error)) => Some(error.class),
        Ok(_) | Err(_) => None,
    };
    assert_eq!(
        upstream(r#"{"status":"failed","output":[],"error":{"code":"server_error","message":"x"}}"#),
        Some(UpstreamClass::ServerError)
    );
    assert_eq!(upstream(r#"{"status":"failed","output":[]}"#), Some(UpstreamClass::ServerError));
    assert_eq!(upstream(r#"{"status":"cancelled","output":[]}"#), Some(UpstreamClass::Protocol));
    assert_eq!(
        upstream(r#"{"error":{"message":"x","type":"invalid_request_error"}}"#),
        Some(UpstreamClass::InvalidRequest)
    );
    for body in ["<html>", "[]", "{}", r#"{"output":5}"#] {
        assert!(
            RESPONSES.read_response(body.as_bytes()).is_err() && RESPONSES.observe_response(body.as_bytes()).is_err(),
            "{body}"
        );
    }
    // Odd members are no failure.
    let odd = r#"{"output":[null,5,{"type":"message","content":null},{"type":"reasoning"},{"type":"function_call"},{}],"usage":{"input_tokens":"x"}}"#;
    assert_eq!(RESPONSES.read_response(odd.as_bytes()).unwrap().choices.len(), 1);
}

#[test]
fn an_answer_has_everything_the_sdks_models_want() {
    let body = br#"{"id":"msg_1","type":"message","role":"assistant","model":"c","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":4,"cache_read_input_tokens":3,"output_tokens":2}}"#;
    let response = Dialect::Anthropic.read_response(body).unwrap();
    let context = ResponseContext { id: "req_1", model: None, created: 7, echo: &Echo::default() };
    let mut warnings = Warnings::default();
    let written: Value = serde_json::from_slice(&RESPONSES.write_response(&response, &context, &mut warnings)).unwrap();
    assert!(warnings.is_empty());
    for member in [
        "id",
        "object",
        "created_at",
        "status",
        "error",
        "incomplete_details",
        "instructions",
        "metadata",
        "model",
        "output",
        "parallel_tool_calls",
        "temperature",
        "text",
        "tool_choice",
        "tools",
        "top_p",
        "usage",
    ] {
        assert!(written.get(member).is_some(), "{member}");
    }
    let usage = json!({"input_tokens": 7, "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 0}, "output_tokens": 2, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 9});
    assert_eq!(written["usage"], usage);
    let sealed = Event::BlockStart { choice: 0, block: 0, kind: BlockKind::RedactedThinking(Seal::anthropic("x")) };
    assert!(
        String::from_utf8(encode(RESPONSES, &[sealed])).unwrap().contains("signalbox:thoughts:anthropic-claude-v1:x")
    );
}

#[test]
fn an_answer_repeats_what_its_request_said_and_nothing_of_a_request_in_another_dialect() {
    let request = json!({
        "model": "m", "input": "Hello?", "stream": true, "instructions": "Be kind.", "max_output_tokens": 9, "temperature": null,
        "metadata": {"a": "b"}, "text": {"format": {"type": "json_schema", "name": "city", "schema": {"type": "object"}}},
        "tools": [{"type": "function", "name": "add"}], "tool_choice": "none",
    });
    let echo = RESPONSES.echo(request.to_string().as_bytes());
    let repeated = |answer: &Value| {
        for member in ["instructions", "max_output_tokens", "metadata", "text", "tools", "tool_choice"] {
            assert_eq!(answer[member], request[member], "{member}");
        }
        assert_eq!((&answer["temperature"], &answer["top_p"]), (&Value::Null, &Value::Null));
        assert_eq!(answer["truncation"], "disabled");
        // The model is the provider's word, and the conversation is not repeated.
        assert_eq!((&answer["model"], answer.get("input")), (&json!("c"), None));
    };

    let body = br#"{"id":"msg_1","type":"message","role":"assistant","model":"c","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn"}"#;
    let response = Dialect::Anthropic.read_response(body).unwrap();
    let context = ResponseContext { id: "req_1", model: None, created: 7, echo: &echo };
    let whole = RESPONSES.write_response(&response, &context, &mut Warnings::default());
    repeated(&serde_json::from_slice(&whole).unwrap());

    let mut encoder = RESPONSES.encoder(StreamContext { echo, ..corpus::context() });
    let mut streamed = Vec::new();
    response.into_events().into_iter().for_each(|event| encoder.push(event, &mut streamed));
    let streamed = String::from_utf8(streamed).unwrap();
    let data = streamed.lines().filter_map(|line| line.strip_prefix("data: "));
    let events: Vec<Value> = data.map(|data| serde_json::from_str(data).unwrap()).collect();
    let answers: Vec<&Value> = events.iter().filter_map(|event| event.get("response")).collect();
    assert_eq!(answers.len(), 3, "created, in progress, completed: {streamed}");
    answers.into_iter().for_each(repeated);

    for dialect in [Dialect::OpenAiChat, Dialect::Anthropic, Dialect::Gemini] {
        assert_eq!(format!("{:?}", dialect.echo(request.to_string().as_bytes())), "Echo([])");
    }
}
