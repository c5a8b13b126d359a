//! Scripts and their interpreter, with no socket and no clock.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use serde_json::{Value, json};
use signalbox_tests::simulator::{Action, Answer, Ask, BUILT_IN, Chunking, Script, Step, True, Upstream};

fn ask(path: &str, body: &Value) -> Ask {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Ask {
        method: "POST".into(),
        path: path.into(),
        headers,
        body: body.to_string().into_bytes(),
        unix_seconds: 1_700_000_000,
    }
}

fn chat(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "hello"}]})
}

fn message(model: &str) -> Value {
    json!({"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": "hello"}]})
}

fn upstream() -> Upstream {
    Upstream::new(30, true)
}

fn sent(script: &Script) -> Vec<u8> {
    script
        .play()
        .filter_map(|action| if let Action::Send(bytes) = action { Some(bytes) } else { None })
        .flatten()
        .collect()
}

fn body(script: &Script) -> Value {
    serde_json::from_slice(&sent(script)).unwrap()
}

/// The JSON of every event, and how many ended in `[DONE]`.
fn events(script: &Script) -> Vec<Value> {
    let text = String::from_utf8(sent(script)).unwrap();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}

#[test]
fn a_script_reads_as_it_is_written_in_json() {
    let text = json!({
        "status": 200,
        "headers": {"x-request-id": "r1"},
        "before_head": [{"delay_ms": 5}],
        "steps": [{"data": {"a": 1}}, {"data": "[DONE]"}, {"event": {"type": "ping"}}, {"send": "x"}, {"send_b64": "AP8="}, {"delay_ms": 7}, {"cut": true}],
        "chunking": {"fixed": 1000},
    });
    let script: Script = serde_json::from_value(text).unwrap();
    let mut expected = b"data: {\"a\":1}\n\ndata: [DONE]\n\nevent: ping\ndata: {\"type\":\"ping\"}\n\nx".to_vec();
    expected.extend([0, 255]);
    let actions: Vec<Action> = script.play().collect();
    assert_eq!(actions, [Action::Delay(5), Action::Head, Action::Send(expected.into()), Action::Delay(7), Action::Cut]);
}

#[test]
fn a_mistyped_script_is_refused() {
    for wrong in [
        json!({"statuss": 200}),
        json!({"steps": [{"cut": false}]}),
        json!({"steps": [{"sned": "x"}]}),
        json!({"steps": [{"send": "x", "cut": true}]}),
        json!({"chunking": "sometimes"}),
    ] {
        assert!(serde_json::from_value::<Script>(wrong.clone()).is_err(), "{wrong}");
    }
    assert!(Script { body_b64: Some("%".into()), ..Script::default() }.check().is_err());
    assert!(Script::json(99, json!({})).check().is_err());
}

#[test]
fn a_whole_body_has_its_length_and_a_stream_has_none() {
    let length = |script: &Script| script.head().into_iter().find(|(name, _)| name == "content-length");
    assert_eq!(length(&Script::json(200, json!("héllo"))).unwrap().1, "6");
    assert_eq!(length(&Script::stream(vec![Step::Send("x".into())])), None);
}

#[test]
fn a_registered_sequence_is_played_one_a_request_and_its_last_answer_repeats() {
    let upstream = upstream();
    let first = Answer::from(Script::json(500, json!({})));
    upstream.register("flaky", vec![first, Answer::Use { name: "friendly".into() }]).unwrap();
    let statuses: Vec<u16> =
        (0..3).map(|_| upstream.answer(ask("/v1/chat/completions", &chat("gpt~flaky"))).script.status).collect();
    assert_eq!(statuses, [500, 200, 200]);
    assert!(upstream.register("nothing", vec![]).is_err());
    assert!(upstream.register("wrong", vec![Answer::Use { name: "no-such".into() }]).is_err());
}

#[test]
fn a_script_is_chosen_by_path_then_by_model_and_an_unknown_name_is_an_error() {
    let upstream = upstream();
    let status = |path: &str, model: &str| upstream.answer(ask(path, &chat(model))).script.status;
    assert_eq!(status("/v1/chat/completions", "gpt"), 200);
    assert_eq!(status("/v1/chat/completions", "openai/gpt-4o~503"), 503);
    assert_eq!(status("/__use/529/v1/chat/completions", "gpt~503"), 529);
    assert_eq!(status("/some/prefix/v1/chat/completions", "gpt~no-such"), 404);
    assert_eq!(upstream.seen(Some("529")).len(), 1);
    assert_eq!(upstream.seen(None).len(), 4);
    upstream.clear_log(Some("529"));
    assert_eq!(upstream.seen(None).len(), 3);
}

#[test]
fn a_player_of_its_own_tells_the_log_what_became_of_the_answer() {
    let upstream = upstream();
    let played = upstream.answer(ask("/v1/chat/completions", &chat("gpt~words-3")));
    played.sent(7);
    played.finish();
    drop(played);
    drop(upstream.answer(ask("/v1/chat/completions", &chat("gpt~words-4"))));
    let seen = upstream.seen(None);
    assert_eq!((seen[0].bytes_sent, seen[0].done, seen[0].client_gone), (7, true, false));
    assert_eq!((seen[1].done, seen[1].client_gone), (true, true));
}

#[test]
fn every_built_in_answers_in_both_dialects_streamed_and_whole() {
    let upstream = upstream();
    for (name, _) in BUILT_IN {
        let name = name.replace("NNN", "503").replace('N', "12");
        for (path, mut request) in [("/v1/chat/completions", chat("m")), ("/v1/messages", message("m"))] {
            for stream in [false, true] {
                request["stream"] = json!(stream);
                let answered = upstream.answer(ask(&format!("/__use/{name}{path}"), &request));
                assert_ne!(answered.script.status, 404, "{name} is listed but unknown");
                answered.script.check().unwrap();
                let last = answered.script.play().last().unwrap();
                assert!(matches!(last, Action::End | Action::Cut | Action::Reset | Action::Stall), "{name}: {last:?}");
            }
        }
    }
}

#[test]
fn faults_in_the_middle_come_after_some_of_the_answer() {
    let upstream = upstream();
    for (name, last) in
        [("cut", Action::Cut), ("reset", Action::Reset), ("stall-mid", Action::Stall), ("cut-quiet", Action::End)]
    {
        for path in ["/v1/chat/completions", "/v1/messages"] {
            let mut request = message("m");
            request["stream"] = json!(true);
            let script = upstream.answer(ask(&format!("/__use/{name}{path}"), &request)).script;
            assert_eq!(script.play().last(), Some(last.clone()), "{name} {path}");
            assert!(events(&script).len() >= 3, "{name} {path}");
            assert!(
                !String::from_utf8(sent(&script)).unwrap().contains("stop\""),
                "{name} {path} is not in the middle"
            );
        }
    }
}

#[test]
fn the_openai_stream_says_what_the_whole_answer_says() {
    let upstream = upstream();
    let mut request = chat("gpt");
    let whole = body(&upstream.answer(ask("/v1/chat/completions", &request)).script);
    request["stream"] = json!(true);
    request["stream_options"] = json!({"include_usage": true});
    let stream = events(&upstream.answer(ask("/v1/chat/completions", &request)).script);
    let text: String =
        stream.iter().filter_map(|chunk| chunk.pointer("/choices/0/delta/content")).filter_map(Value::as_str).collect();
    assert_eq!(json!(text), whole["choices"][0]["message"]["content"]);
    assert!(text.contains("“hello”"));
    let usage = stream.last().unwrap();
    assert_eq!(usage["choices"], json!([]));
    assert_eq!(usage["usage"], whole["usage"]);
    assert_eq!(stream[stream.len() - 2]["choices"][0]["finish_reason"], "stop");
}

#[test]
fn the_anthropic_stream_says_what_the_whole_answer_says() {
    let upstream = upstream();
    let mut request = message("claude");
    request["thinking"] = json!({"type": "enabled", "budget_tokens": 1024});
    let whole = body(&upstream.answer(ask("/v1/messages", &request)).script);
    request["stream"] = json!(true);
    let stream = events(&upstream.answer(ask("/v1/messages", &request)).script);
    let joined = |kind: &str, member: &str| -> String {
        let deltas = stream.iter().filter(|event| event["delta"]["type"] == kind);
        deltas.filter_map(|event| event["delta"][member].as_str()).collect()
    };
    assert_eq!(json!(joined("thinking_delta", "thinking")), whole["content"][0]["thinking"]);
    assert_eq!(json!(joined("signature_delta", "signature")), whole["content"][0]["signature"]);
    assert_eq!(json!(joined("text_delta", "text")), whole["content"][1]["text"]);
    let end = &stream[stream.len() - 2];
    assert_eq!(end["usage"]["output_tokens"], whole["usage"]["output_tokens"]);
    assert_eq!(end["delta"]["stop_reason"], "end_turn");
}

#[test]
fn max_tokens_and_stop_sequences_end_the_answer_with_their_reason() {
    let upstream = upstream();
    let mut request = chat("gpt");
    request["max_completion_tokens"] = json!(2);
    let answer = body(&upstream.answer(ask("/v1/chat/completions", &request)).script);
    assert_eq!(answer["choices"][0]["message"]["content"], "This is");
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
    assert_eq!(answer["usage"]["completion_tokens"], 2);
    let mut request = message("claude");
    request["stop_sequences"] = json!(["Nowhere", " built-in"]);
    let answer = body(&upstream.answer(ask("/v1/messages", &request)).script);
    assert_eq!(answer["content"][0]["text"], "This is Signalbox's");
    assert_eq!((&answer["stop_reason"], &answer["stop_sequence"]), (&json!("stop_sequence"), &json!(" built-in")));
}

#[test]
fn a_required_tool_is_called_with_arguments_its_schema_allows() {
    let upstream = upstream();
    let schema = json!({
        "type": "object", "required": ["unit", "place", "days"], "additionalProperties": false,
        "properties": {"unit": {"enum": ["c", "f"]}, "place": {"$ref": "#/$defs/place"}, "days": {"type": "array", "minItems": 2, "items": {"type": "integer", "minimum": 1}}},
        "$defs": {"place": {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}},
    });
    let expected = json!({"unit": "c", "place": {"city": "simulated"}, "days": [1, 1]});
    let mut request = chat("gpt");
    request["tools"] = json!([{"type": "function", "function": {"name": "weather", "parameters": schema}}]);
    request["tool_choice"] = json!("required");
    request["stream"] = json!(true);
    let stream = events(&upstream.answer(ask("/v1/chat/completions", &request)).script);
    let arguments: String = stream
        .iter()
        .filter_map(|chunk| chunk.pointer("/choices/0/delta/tool_calls/0/function/arguments"))
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(serde_json::from_str::<Value>(&arguments).unwrap(), expected);

    let mut request = message("claude");
    request["tools"] = json!([{"name": "weather", "input_schema": schema}]);
    request["tool_choice"] = json!({"type": "tool", "name": "weather"});
    let answer = body(&upstream.answer(ask("/v1/messages", &request)).script);
    assert_eq!(answer["content"][0]["input"], expected);
    assert_eq!(answer["stop_reason"], "tool_use");
}

#[test]
fn structured_output_is_an_instance_of_its_schema() {
    let upstream = upstream();
    let schema = json!({"type": "object", "required": ["ok", "tag"], "properties": {"ok": {"type": "boolean"}, "tag": {"const": "x"}}});
    let mut request = chat("gpt");
    request["response_format"] = json!({"type": "json_schema", "json_schema": {"name": "s", "schema": schema}});
    let answer = body(&upstream.answer(ask("/v1/chat/completions", &request)).script);
    let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(text).unwrap(), json!({"ok": true, "tag": "x"}));
}

#[test]
fn what_the_real_apis_refuse_is_refused_in_their_words() {
    let upstream = upstream();
    let answer = body(&upstream.answer(ask("/v1/messages", &chat("claude"))).script);
    assert_eq!(answer["error"]["type"], "invalid_request_error");
    assert_eq!(answer["type"], "error");
    let answer = body(&upstream.answer(ask("/v1/chat/completions", &json!({"model": "gpt"}))).script);
    assert_eq!(answer["error"]["type"], "invalid_request_error");
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => ".{0,12}".prop_map(Step::Send),
        1 => (0u64..5).prop_map(Step::DelayMs),
        1 => Just(Step::Event(json!({"type": "ping"}))),
    ]
}

fn chunking() -> impl Strategy<Value = Chunking> {
    prop_oneof![
        Just(Chunking::AsGiven),
        Just(Chunking::OneByte),
        any::<u64>().prop_map(Chunking::Random),
        (0usize..9).prop_map(Chunking::Fixed),
    ]
}

proptest! {
    #[test]
    fn chunking_changes_neither_the_bytes_nor_the_end_nor_the_waiting(
        steps in prop::collection::vec(step(), 0..12),
        chunking in chunking(),
        cut in any::<bool>(),
    ) {
        let mut script = Script::stream(steps);
        if cut {
            script.steps.push(Step::Cut(True));
        }
        let rechunked = script.clone().chunked(chunking);
        prop_assert_eq!(sent(&script), sent(&rechunked));
        let waits = |script: &Script| -> u64 {
            script.play().map(|action| if let Action::Delay(ms) = action { ms } else { 0 }).sum()
        };
        prop_assert_eq!(waits(&script), waits(&rechunked));
        let actions: Vec<Action> = rechunked.play().collect();
        prop_assert_eq!(actions.last(), Some(&if cut { Action::Cut } else { Action::End }));
        prop_assert_eq!(actions.iter().filter(|action| **action == Action::Head).count(), 1);
        for action in &actions {
            if let Action::Send(bytes) = action {
                prop_assert!(!bytes.is_empty());
                match chunking {
                    Chunking::OneByte => prop_assert_eq!(bytes.len(), 1),
                    Chunking::Fixed(length) => prop_assert!(bytes.len() <= length.max(1)),
                    Chunking::AsGiven | Chunking::Random(_) => {}
                }
            }
        }
    }

    #[test]
    fn a_script_survives_its_own_json(steps in prop::collection::vec(step(), 0..6), chunking in chunking()) {
        let script = Script::stream(steps).chunked(chunking).header("x-a", "b");
        let text = serde_json::to_string(&script).unwrap();
        prop_assert_eq!(serde_json::from_str::<Script>(&text).unwrap(), script);
    }
}
