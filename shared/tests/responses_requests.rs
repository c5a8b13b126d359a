//! Requests of the Responses dialect, to and from the others: each member and its counterpart.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use serde_json::{Value, json};
use signalbox::dialect::ir::ChatRequest;
use signalbox::dialect::{Dialect, Quirks, ReasoningReplay, Target, Warnings};

use Dialect::{Anthropic, OpenAiChat, OpenAiResponses};

fn read(from: Dialect, body: &Value) -> ChatRequest {
    from.read_request(body.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}: {body}"))
}

fn write(request: &ChatRequest, to: Dialect, quirks: &Quirks) -> (Value, Vec<String>) {
    let target =
        Target { model: "m", stream: false, max_output_tokens: None, default_max_output_tokens: 4_096, quirks };
    let mut warnings = Warnings::default();
    let body = serde_json::from_slice(&to.write_request(request, &target, &mut warnings)).unwrap();
    (body, warnings.list().iter().map(|warning| format!("{};{}", warning.path, warning.effect.as_str())).collect())
}

fn send(from: Dialect, body: &Value, to: Dialect) -> (Value, Vec<String>) {
    write(&read(from, body), to, &Quirks::default())
}

/// A request with one user message and these members.
fn with(body: Value, members: &Value) -> Value {
    let mut body = body;
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    body
}

fn chat(members: &Value) -> Value {
    with(json!({"model": "x", "messages": [{"role": "user", "content": "hi"}]}), members)
}

fn responses(members: &Value) -> Value {
    with(json!({"model": "x", "input": "hi"}), members)
}

type Row = (Value, &'static str, Value, Vec<&'static str>);

/// What is said, where to look for it, what is there, and what is warned of.
fn holds(from: Dialect, of: fn(&Value) -> Value, to: Dialect, table: Vec<Row>) {
    for (members, pointer, value, warnings) in table {
        let (body, told) = send(from, &of(&members), to);
        let seen = (body.pointer(pointer).unwrap_or(&Value::Null), told);
        assert_eq!(seen, (&value, warnings.into_iter().map(str::to_owned).collect()), "{members}");
    }
}

#[test]
fn what_a_chat_caller_says_reaches_a_responses_provider() {
    let tool = json!({"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "x-odd": [1.50]}, "strict": true}});
    #[rustfmt::skip]
    let table = vec![
        (json!({"max_tokens": 5}), "/max_output_tokens", json!(5), vec![]),
        (json!({}), "/max_output_tokens", Value::Null, vec![]),
        (json!({}), "/store", json!(false), vec![]),
        (json!({"store": true, "metadata": {"a": "b"}}), "/store", json!(true), vec![]),
        (json!({"temperature": 1.5, "top_p": 0.5}), "/temperature", json!(1.5), vec![]),
        (json!({"user": "u"}), "/user", json!("u"), vec![]),
        (json!({"service_tier": "flex"}), "/service_tier", json!("flex"), vec![]),
        (json!({"verbosity": "low"}), "/text", json!({"verbosity": "low"}), vec![]),
        (json!({"prompt_cache_key": "k", "safety_identifier": "s", "user": "u"}), "/prompt_cache_key", json!("k"), vec![]),
        (json!({"tools": [tool]}), "/tools/0", json!({"type": "function", "name": "f", "description": "d", "parameters": {"type": "object", "x-odd": [1.50]}, "strict": true}), vec![]),
        (json!({"tools": [{"type": "function", "function": {"name": "f"}}]}), "/tools/0", json!({"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": false}), vec![]),
        (json!({"tools": [tool, {"type": "custom", "custom": {"name": "c"}}]}), "/tools/1", Value::Null, vec!["tools[1];dropped"]),
        (json!({"tools": [tool], "tool_choice": "required", "parallel_tool_calls": false}), "/tool_choice", json!("required"), vec![]),
        (json!({"tools": [tool], "tool_choice": {"type": "function", "function": {"name": "f"}}}), "/tool_choice", json!({"type": "function", "name": "f"}), vec![]),
        (json!({"tools": [tool], "tool_choice": {"type": "allowed_tools", "allowed_tools": {}}}), "/tool_choice", Value::Null, vec!["tool_choice;dropped"]),
        (json!({"response_format": {"type": "json_object"}}), "/text/format", json!({"type": "json_object"}), vec![]),
        (json!({"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": true}}}), "/text/format", json!({"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": true}), vec![]),
        (json!({"reasoning_effort": "high"}), "/reasoning", json!({"effort": "high"}), vec![]),
        (json!({"reasoning_effort": "high"}), "/include", json!(["reasoning.encrypted_content"]), vec![]),
        (json!({"reasoning_effort": "none"}), "/include", Value::Null, vec![]),
        (json!({"logprobs": true, "top_logprobs": 2}), "/include", json!(["message.output_text.logprobs"]), vec![]),
        (json!({"logprobs": true, "top_logprobs": 2}), "/top_logprobs", json!(2), vec![]),
        (json!({"n": 1, "presence_penalty": 0, "logit_bias": {}}), "/n", Value::Null, vec![]),
        (json!({"n": 2, "seed": 1, "logit_bias": {"5": 1}, "frequency_penalty": 0.5, "presence_penalty": 1, "stop": "x", "top_k": 3, "prediction": {}}), "/n", Value::Null,
            vec!["top_k;dropped", "seed;dropped", "n;dropped", "presence_penalty;dropped", "frequency_penalty;dropped", "logit_bias;dropped", "stop;dropped", "prediction;dropped"]),
    ];
    holds(OpenAiChat, chat, OpenAiResponses, table);
}

#[test]
fn what_an_anthropic_caller_says_reaches_a_responses_provider() {
    let of = |members: &Value| chat(&with(json!({"max_tokens": 9}), members));
    #[rustfmt::skip]
    let table = vec![
        (json!({"system": "s"}), "/instructions", json!("s"), vec![]),
        (json!({"system": [{"type": "text", "text": "a"}, {"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}}]}), "/input/0", json!({"role": "system", "content": [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]}), vec!["system[1].cache_control;dropped"]),
        (json!({"thinking": {"type": "enabled", "budget_tokens": 8_000}}), "/reasoning", json!({"effort": "medium"}), vec!["thinking.budget_tokens;converted"]),
        (json!({"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "max"}}), "/reasoning", json!({"effort": "max", "summary": "auto"}), vec![]),
        (json!({"thinking": {"type": "adaptive", "display": "omitted"}}), "/reasoning", Value::Null, vec!["thinking.display;dropped"]),
        (json!({"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}}), "/text/format", json!({"type": "json_schema", "name": "response", "schema": {"type": "object"}, "strict": true}), vec![]),
        (json!({"stop_sequences": ["a"], "top_k": 4}), "/stop", Value::Null, vec!["top_k;dropped", "stop_sequences;dropped"]),
        (json!({"service_tier": "standard_only", "metadata": {"user_id": "u"}}), "/service_tier", json!("default"), vec![]),
        (json!({"container": "c", "cache_control": {"type": "ephemeral"}}), "/container", Value::Null, vec!["container;dropped", "cache_control;dropped"]),
    ];
    holds(Anthropic, of, OpenAiResponses, table);
}

#[test]
fn what_a_responses_caller_says_reaches_other_providers() {
    let tool = json!({"type": "function", "name": "f", "parameters": {"type": "object"}});
    #[rustfmt::skip]
    let table = vec![
        (json!({"instructions": "s"}), "/messages/0", json!({"role": "system", "content": "s"}), vec![]),
        (json!({"max_output_tokens": 5}), "/max_completion_tokens", json!(5), vec![]),
        (json!({"text": {"format": {"type": "text"}, "verbosity": "high"}}), "/verbosity", json!("high"), vec![]),
        (json!({"text": {"format": {"type": "json_schema", "name": "n", "schema": {"a": 1.50}, "strict": true, "description": "d"}}}), "/response_format/json_schema", json!({"name": "n", "description": "d", "schema": {"a": 1.50}, "strict": true}), vec![]),
        (json!({"reasoning": {"effort": "xhigh", "summary": "auto"}}), "/reasoning_effort", json!("xhigh"), vec!["reasoning.summary;dropped"]),
        (json!({"reasoning": {"effort": "max"}}), "/reasoning_effort", json!("xhigh"), vec!["reasoning.effort;clamped"]),
        (json!({"reasoning": {"effort": "low", "context": "all_turns"}}), "/reasoning_effort", json!("low"), vec!["reasoning.context;dropped"]),
        (json!({"include": ["message.output_text.logprobs", "reasoning.encrypted_content", "file_search_call.results"], "top_logprobs": 3}), "/top_logprobs", json!(3), vec!["include[2];dropped"]),
        (json!({"tools": [tool, {"type": "web_search"}, {"type": "mcp"}], "tool_choice": {"type": "web_search"}}), "/tools/0/function", json!({"name": "f", "parameters": {"type": "object"}}), vec!["tools[1];dropped", "tools[2];dropped", "tool_choice;dropped"]),
        (json!({"tools": [tool], "tool_choice": {"type": "function", "name": "f"}, "parallel_tool_calls": true}), "/tool_choice/function/name", json!("f"), vec![]),
        (json!({"service_tier": "priority", "prompt_cache_key": "k", "safety_identifier": "s"}), "/user", json!("s"), vec![]),
        (json!({"truncation": "disabled", "store": true, "metadata": {"a": "b"}, "stream_options": {"include_obfuscation": false}}), "/store", json!(true), vec![]),
        (json!({"truncation": "auto", "max_tool_calls": 3, "stream_options": {"include_obfuscation": true}}), "/truncation", Value::Null, vec!["truncation;dropped", "max_tool_calls;dropped", "stream_options.include_obfuscation;dropped"]),
    ];
    holds(OpenAiResponses, responses, OpenAiChat, table);
    #[rustfmt::skip]
    let table = vec![
        (json!({"instructions": "s"}), "/system", json!("s"), vec![]),
        (json!({"text": {"format": {"type": "json_object"}, "verbosity": "low"}}), "/output_config", Value::Null, vec!["text.format;dropped", "text.verbosity;dropped"]),
        (json!({"text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}}}), "/output_config/format", json!({"type": "json_schema", "schema": {"type": "object"}}), vec!["text.format.name;dropped"]),
        (json!({"reasoning": {"effort": "low"}}), "/thinking", json!({"type": "adaptive"}), vec![]),
        (json!({"reasoning": {"effort": "low", "summary": "auto"}}), "/output_config/effort", json!("low"), vec![]),
        (json!({"temperature": 1.5, "top_logprobs": 2}), "/temperature", json!(1), vec!["temperature;clamped", "logprobs;dropped", "top_logprobs;dropped"]),
        (json!({"tools": [{"type": "function", "name": "f", "parameters": {}, "defer_loading": true}], "tool_choice": "required", "parallel_tool_calls": false}), "/tool_choice", json!({"type": "any", "disable_parallel_tool_use": true}), vec!["tools[0].defer_loading;dropped"]),
        (json!({"prompt_cache_key": "k", "service_tier": "flex", "store": true}), "/store", Value::Null, vec!["service_tier;dropped", "prompt_cache_key;dropped", "store;dropped"]),
    ];
    holds(OpenAiResponses, responses, Anthropic, table);
}

/// A conversation with everything in it.
fn conversation() -> Value {
    json!({"input": [
        {"role": "developer", "content": "d"},
        {"role": "user", "content": [{"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": "data:image/png;base64,QUJD", "detail": "low"},
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"}, {"type": "input_audio", "input_audio": {"data": "QQ==", "format": "wav"}}]},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "one "}, {"type": "summary_text", "text": "two"}], "encrypted_content": "c2VhbA==", "status": "completed"},
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "phase": "commentary", "content": [{"type": "output_text", "text": "Looking.", "annotations": [], "logprobs": []}]},
        {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{\"big\": 12345678901234567890.10}", "status": "completed"},
        {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c2", "name": "g", "input": "say \"x\""},
        {"type": "function_call_output", "call_id": "c1", "output": "r1"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "r2"}, {"type": "input_image", "image_url": "https://x.example/y.png"}]},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"role": "assistant", "content": [{"type": "output_text", "text": "Done."}, {"type": "refusal", "refusal": "no"}]},
        {"role": "user", "content": "thanks"},
    ]})
}

#[test]
fn items_become_turns_and_each_part_is_warned_of_where_the_caller_has_it() {
    let (sent, told) = send(OpenAiResponses, &conversation(), OpenAiChat);
    let roles: Vec<&str> = sent["messages"].as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["developer", "user", "assistant", "tool", "tool", "user", "assistant", "user"]);
    let calls = &sent["messages"][2]["tool_calls"];
    assert_eq!(calls[0]["function"]["arguments"], "{\"big\": 12345678901234567890.10}");
    assert_eq!(calls[1]["function"], json!({"name": "g", "arguments": "{\"input\":\"say \\\"x\\\"\"}"}));
    assert_eq!(sent["messages"][6]["refusal"], "no");
    assert_eq!(told, ["input[2];dropped", "input[7].output[1];moved", "input[8];dropped", "input[3].phase;dropped"]);

    let (sent, told) = send(OpenAiResponses, &conversation(), Anthropic);
    assert_eq!(sent["messages"][2]["content"][1]["content"][1]["source"]["url"], "https://x.example/y.png");
    let expected = [
        "input[1].content[1].detail;dropped",
        "input[1].content[3].input_audio;dropped",
        "input[2];dropped",
        "input[8];dropped",
        "input[9].content[1];converted",
        "input[3].phase;dropped",
    ];
    assert_eq!(told, expected);
}

#[test]
fn sealed_reasoning_goes_through_a_chat_caller_and_back_to_its_provider() {
    let request = read(OpenAiResponses, &conversation());
    let details = Quirks { reasoning_replay: ReasoningReplay::ReasoningDetails, ..Quirks::default() };
    let (as_chat, _) = write(&request, OpenAiChat, &details);
    let (back, told) = send(OpenAiChat, &as_chat, OpenAiResponses);
    let item = back["input"].as_array().unwrap().iter().find(|item| item["type"] == "reasoning").unwrap();
    assert_eq!(item["encrypted_content"], "c2VhbA==");
    let words: String = item["summary"].as_array().unwrap().iter().map(|part| part["text"].as_str().unwrap()).collect();
    assert_eq!((words.as_str(), told.len()), ("one two", 0));

    // Another provider's seal is of no use here, and that is told.
    let foreign = json!({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "text", "text": "b"}]}]});
    let (sent, told) = send(Anthropic, &foreign, OpenAiResponses);
    assert_eq!((sent["input"].as_array().unwrap().len(), told), (2, vec!["messages[1].content[0];dropped".to_owned()]));

    // Words alone go back only where they are taken.
    let bare = json!({"messages": [{"role": "assistant", "content": "b", "reasoning_content": "hm"}]});
    let (sent, told) = write(&read(OpenAiChat, &bare), OpenAiResponses, &details);
    assert_eq!(
        sent["input"][0],
        json!({"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]})
    );
    assert_eq!(told, Vec::<String>::new());
    assert_eq!(send(OpenAiChat, &bare, OpenAiResponses).1, ["messages[0].content[0];dropped"]);
}

#[test]
fn what_needs_its_own_provider_says_so_and_says_what_to_do() {
    for (members, path) in [
        (json!({"previous_response_id": "resp_1"}), Some("previous_response_id")),
        (json!({"conversation": "conv_1"}), Some("conversation")),
        (json!({"prompt": {"id": "p"}}), Some("prompt")),
        (json!({"background": true}), Some("background")),
        (json!({"background": false, "conversation": null}), None),
        (json!({"input": [{"type": "item_reference", "id": "msg_1"}]}), Some("input[0]")),
    ] {
        let error = read(OpenAiResponses, &responses(&members)).needs_native();
        assert_eq!(error.as_ref().and_then(|error| error.param.as_deref()), path, "{members}");
        assert!(error.is_none_or(
            |error| error.code.status() == 400 && error.message.contains("Send") || members["background"] == true
        ));
    }
    // It may be all there is.
    assert!(OpenAiResponses.read_request(br#"{"previous_response_id":"resp_1"}"#).is_ok());
}

#[test]
fn a_malformed_request_is_refused_with_the_path_of_what_is_wrong() {
    #[rustfmt::skip]
    let table = [
        (json!({"model": "m"}), "input"),
        (json!({"input": 5}), "input"),
        (json!({"input": ["hi"]}), "input[0]"),
        (json!({"input": [{"content": "x"}]}), "input[0].type"),
        (json!({"input": [{"role": "king", "content": "x"}]}), "input[0].role"),
        (json!({"input": [{"role": "user"}]}), "input[0].content"),
        (json!({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}), "input[0].content[0].text"),
        (json!({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}), "input[0].content[0]"),
        (json!({"input": [{"type": "function_call", "name": "f"}]}), "input[0].call_id"),
        (json!({"input": [{"type": "function_call_output", "call_id": "c"}]}), "input[0].output"),
        (responses(&json!({"tools": [{"name": "f"}]})), "tools[0].type"),
        (responses(&json!({"tools": [{"type": "function"}]})), "tools[0].name"),
        (responses(&json!({"tool_choice": "maybe"})), "tool_choice"),
        (responses(&json!({"reasoning": {"effort": "lots"}})), "reasoning.effort"),
        (responses(&json!({"text": {"format": {}}})), "text.format.type"),
        (responses(&json!({"max_output_tokens": -1})), "max_output_tokens"),
        (responses(&json!({"temperature": "hot"})), "temperature"),
        (responses(&json!({"include": [1]})), "include[0]"),
    ];
    for (body, param) in table {
        let error = OpenAiResponses.read_request(body.to_string().as_bytes()).expect_err(param);
        assert_eq!((error.param.as_deref(), error.code.status()), (Some(param), 400), "{body}");
    }
}
