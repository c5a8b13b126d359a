//! Requests between the dialects: what both can say survives, the rest is named in the warnings.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros, reason = "tests read files")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use proptest::prelude::*;
use serde_json::{Value, json};
use signalbox::dialect::ir::{ChatRequest, Message, Part, Role};
use signalbox::dialect::{Dialect, Quirks, ReasoningReplay, SamplingSupport, Target, ThinkingSupport, Warnings};

use Dialect::{Anthropic, OpenAiChat};

fn send(from: Dialect, body: &Value, to: Dialect, quirks: &Quirks) -> (Value, Vec<String>) {
    let request = from.read_request(body.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}: {body}"));
    write(&request, to, quirks)
}

fn write(request: &ChatRequest, to: Dialect, quirks: &Quirks) -> (Value, Vec<String>) {
    let target =
        Target { model: "m", stream: false, max_output_tokens: None, default_max_output_tokens: 4_096, quirks };
    let mut warnings = Warnings::default();
    let body = to.write_request(request, &target, &mut warnings);
    let body =
        serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&body)));
    (body, warnings.list().iter().map(|warning| format!("{};{}", warning.path, warning.effect.as_str())).collect())
}

/// An OpenAI request with one user message and these members.
fn chat(members: Value) -> Value {
    let mut body = json!({"model": "x", "messages": [{"role": "user", "content": "hi"}]});
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    body
}

/// An Anthropic request with one user message and these members.
fn message(members: Value) -> Value {
    let mut body = chat(json!({"max_tokens": 9_000}));
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    body
}

fn budget() -> Quirks {
    Quirks { thinking: ThinkingSupport::Budget, ..Quirks::default() }
}

#[test]
fn each_member_becomes_its_counterpart() {
    let tool = json!({"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "x-odd": [1.50]}, "strict": true}});
    let tools = json!([tool]);
    #[rustfmt::skip]
    let table = [
        // what the caller says, where to look, what is there, warnings
        (json!({"max_tokens": 5}), "/max_tokens", json!(5), vec![]),
        (json!({}), "/max_tokens", json!(4_096), vec![]),
        (json!({"max_completion_tokens": 6}), "/max_tokens", json!(6), vec![]),
        (json!({"stop": "END"}), "/stop_sequences", json!(["END"]), vec![]),
        (json!({"stop": ["a", " "]}), "/stop_sequences", json!(["a"]), vec!["stop;dropped"]),
        (json!({"temperature": 1.5}), "/temperature", json!(1), vec!["temperature;clamped"]),
        (json!({"temperature": 0.7, "top_p": 0.9, "top_k": 4}), "/temperature", json!(0.7), vec![]),
        (json!({"user": "u"}), "/metadata", json!({"user_id": "u"}), vec![]),
        (json!({"service_tier": "default"}), "/service_tier", json!("standard_only"), vec![]),
        (json!({"service_tier": "flex"}), "/service_tier", Value::Null, vec!["service_tier;dropped"]),
        (json!({"tools": tools}), "/tools/0", json!({"name": "f", "description": "d", "input_schema": {"type": "object", "x-odd": [1.50]}, "strict": true}), vec![]),
        (json!({"tools": [{"type": "function", "function": {"name": "f"}}]}), "/tools/0", json!({"name": "f", "input_schema": {"type": "object", "properties": {}}}), vec![]),
        (json!({"tools": [{"type": "custom", "custom": {"name": "c"}}, tool]}), "/tools/1", Value::Null, vec!["tools[0];dropped"]),
        (json!({"tools": tools, "tool_choice": "auto"}), "/tool_choice", json!({"type": "auto"}), vec![]),
        (json!({"tools": tools, "tool_choice": "required"}), "/tool_choice", json!({"type": "any"}), vec![]),
        (json!({"tools": tools, "tool_choice": "none"}), "/tool_choice", json!({"type": "none"}), vec![]),
        (json!({"tools": tools, "tool_choice": {"type": "function", "function": {"name": "f"}}}), "/tool_choice", json!({"type": "tool", "name": "f"}), vec![]),
        (json!({"tools": tools, "parallel_tool_calls": false}), "/tool_choice", json!({"type": "auto", "disable_parallel_tool_use": true}), vec![]),
        (json!({"tools": tools, "tool_choice": {"type": "allowed_tools", "allowed_tools": {}}}), "/tool_choice", Value::Null, vec!["tool_choice;dropped"]),
        (json!({"tool_choice": "none"}), "/tool_choice", Value::Null, vec![]),
        (json!({"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": true}}}), "/output_config", json!({"format": {"type": "json_schema", "schema": {"type": "object"}}}), vec!["response_format.json_schema.name;dropped"]),
        (json!({"response_format": {"type": "json_object"}}), "/output_config", Value::Null, vec!["response_format;dropped"]),
        (json!({"response_format": {"type": "text"}}), "/output_config", Value::Null, vec![]),
        (json!({"n": 1, "logprobs": false, "presence_penalty": 0, "logit_bias": {}, "store": false, "metadata": {}}), "/n", Value::Null, vec![]),
        (json!({"n": 2, "seed": 1, "logit_bias": {"5": 1}, "logprobs": true, "frequency_penalty": 0.5, "store": true, "metadata": {"a": "b"}}), "/n", Value::Null,
            vec!["seed;dropped", "n;dropped", "frequency_penalty;dropped", "logit_bias;dropped", "logprobs;dropped", "metadata;dropped", "store;dropped"]),
        (json!({"verbosity": "low", "prediction": {"type": "content"}}), "/verbosity", Value::Null, vec!["verbosity;dropped", "prediction;dropped"]),
        (json!({"reasoning_effort": "high"}), "/output_config/effort", json!("high"), vec![]),
        (json!({"reasoning_effort": "minimal"}), "/output_config/effort", json!("low"), vec![]),
        (json!({"reasoning_effort": "low"}), "/thinking", json!({"type": "adaptive"}), vec![]),
        (json!({"reasoning_effort": "none"}), "/thinking", json!({"type": "disabled"}), vec![]),
        (json!({"reasoning_effort": "low", "temperature": 0.5, "top_p": 0.99}), "/top_p", json!(0.99), vec!["temperature;dropped"]),
        (json!({"reasoning_effort": "low", "tools": tools, "tool_choice": "required"}), "/thinking", Value::Null, vec!["reasoning_effort;dropped"]),
        (json!({"functions": [{"name": "f"}], "function_call": {"name": "f"}}), "/tool_choice", json!({"type": "tool", "name": "f"}), vec![]),
    ];
    for (members, pointer, value, warnings) in table {
        let (body, told) = send(OpenAiChat, &chat(members.clone()), Anthropic, &Quirks::default());
        assert_eq!(
            (body.pointer(pointer).unwrap_or(&Value::Null), &told),
            (&value, &warnings.into_iter().map(str::to_owned).collect()),
            "{members}"
        );
    }
}

#[test]
fn each_member_of_anthropics_becomes_its_counterpart() {
    let tool =
        json!({"name": "f", "description": "d", "input_schema": {"type": "object", "minimum": 1e2}, "strict": true});
    #[rustfmt::skip]
    let table = [
        (json!({"max_tokens": 5}), "/max_completion_tokens", json!(5), vec![]),
        (json!({"stop_sequences": ["a"]}), "/stop", json!(["a"]), vec![]),
        (json!({"stop_sequences": ["a", "b", "c", "d", "e"]}), "/stop", json!(["a", "b", "c", "d"]), vec!["stop_sequences;clamped"]),
        (json!({"top_k": 4}), "/top_k", Value::Null, vec!["top_k;dropped"]),
        (json!({"metadata": {"user_id": "u"}}), "/user", json!("u"), vec![]),
        (json!({"system": "s"}), "/messages/0", json!({"role": "system", "content": "s"}), vec![]),
        (json!({"system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}]}), "/messages/0", json!({"role": "system", "content": "s"}), vec!["system[0].cache_control;dropped"]),
        (json!({"tools": [tool]}), "/tools/0/function", json!({"name": "f", "description": "d", "parameters": {"type": "object", "minimum": 1e2}, "strict": true}), vec![]),
        (json!({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}), "/tools", Value::Null, vec!["tools[0];dropped"]),
        (json!({"tool_choice": {"type": "auto", "disable_parallel_tool_use": true}}), "/tool_choice", Value::Null, vec![]),
        (json!({"tool_choice": {"type": "auto", "disable_parallel_tool_use": true}}), "/parallel_tool_calls", Value::Null, vec![]),
        (json!({"tools": [{"type": "web_search_20250305", "name": "web_search"}], "tool_choice": {"type": "any"}}), "/tool_choice", Value::Null, vec!["tools[0];dropped", "tool_choice;dropped"]),
        (json!({"tools": [tool], "tool_choice": {"type": "any", "disable_parallel_tool_use": true}}), "/tool_choice", json!("required"), vec![]),
        (json!({"tools": [tool], "tool_choice": {"type": "any", "disable_parallel_tool_use": true}}), "/parallel_tool_calls", json!(false), vec![]),
        (json!({"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}}), "/response_format/json_schema", json!({"name": "response", "schema": {"type": "object"}, "strict": true}), vec![]),
        (json!({"output_format": {"type": "json_schema", "schema": {"type": "object"}}}), "/response_format/type", json!("json_schema"), vec![]),
        (json!({"output_config": {"effort": "medium"}}), "/reasoning_effort", json!("medium"), vec![]),
        (json!({"output_config": {"effort": "max"}}), "/reasoning_effort", json!("xhigh"), vec!["output_config.effort;clamped"]),
        (json!({"thinking": {"type": "enabled", "budget_tokens": 8_000}}), "/reasoning_effort", json!("medium"), vec!["thinking.budget_tokens;converted"]),
        (json!({"thinking": {"type": "disabled"}}), "/reasoning_effort", Value::Null, vec![]),
        (json!({"thinking": {"type": "adaptive", "display": "omitted"}}), "/reasoning_effort", Value::Null, vec!["thinking.display;dropped"]),
        (json!({"container": "c", "mcp_servers": []}), "/container", Value::Null, vec!["container;dropped", "mcp_servers;dropped"]),
        (json!({"service_tier": "standard_only"}), "/service_tier", json!("default"), vec![]),
        (json!({"cache_control": {"type": "ephemeral"}}), "/cache_control", Value::Null, vec!["cache_control;dropped"]),
    ];
    for (members, pointer, value, warnings) in table {
        let (body, told) = send(Anthropic, &message(members.clone()), OpenAiChat, &Quirks::default());
        assert_eq!(
            (body.pointer(pointer).unwrap_or(&Value::Null), &told),
            (&value, &warnings.into_iter().map(str::to_owned).collect()),
            "{members}"
        );
    }
}

#[test]
fn thinking_by_budget_stays_below_the_limit_of_output_tokens() {
    #[rustfmt::skip]
    let table = [
        (json!({"reasoning_effort": "low", "max_tokens": 9_000}), json!({"type": "enabled", "budget_tokens": 2_048}), vec![]),
        (json!({"reasoning_effort": "high", "max_tokens": 9_000}), json!({"type": "enabled", "budget_tokens": 4_500}), vec![]),
        (json!({"reasoning_effort": "high", "max_tokens": 1_500}), json!({"type": "enabled", "budget_tokens": 1_024}), vec![]),
        (json!({"reasoning_effort": "high", "max_tokens": 1_000}), Value::Null, vec!["reasoning_effort;dropped"]),
    ];
    for (members, thinking, warnings) in table {
        let (body, told) = send(OpenAiChat, &chat(members.clone()), Anthropic, &budget());
        assert_eq!(
            (body.pointer("/thinking").unwrap_or(&Value::Null), told),
            (&thinking, warnings.into_iter().map(str::to_owned).collect()),
            "{members}"
        );
    }
}

#[test]
fn a_model_that_takes_no_sampling_or_only_one_kind_is_not_sent_more() {
    let members = chat(json!({"temperature": 0.5, "top_p": 0.5}));
    for to in [OpenAiChat, Anthropic] {
        let one = Quirks { sampling: SamplingSupport::OneOf, ..Quirks::default() };
        let (body, told) = send(OpenAiChat, &members, to, &one);
        assert_eq!(
            (&body["temperature"], &body["top_p"], told),
            (&json!(0.5), &Value::Null, vec!["top_p;dropped".to_owned()])
        );
        let none = Quirks { sampling: SamplingSupport::None, ..Quirks::default() };
        let (body, told) = send(OpenAiChat, &members, to, &none);
        assert_eq!((&body["temperature"], told.len()), (&Value::Null, 2));
    }
}

#[test]
fn a_model_that_always_thinks_is_sent_no_stop_texts_and_only_what_asks_for_nothing() {
    let members = message(json!({"temperature": 1.0, "top_p": 0.5, "stop_sequences": ["a"]}));
    let none = Quirks { sampling: SamplingSupport::None, ..Quirks::default() };
    let (body, told) = send(Anthropic, &members, OpenAiChat, &none);
    assert_eq!((&body["temperature"], &body["top_p"], &body["stop"]), (&json!(1), &Value::Null, &Value::Null));
    assert_eq!(told, ["top_p;dropped", "stop_sequences;dropped"]);
    let members = json!({"contents": [{"parts": [{"text": "hi"}]}], "generationConfig": {"responseLogprobs": true, "seed": 7, "presencePenalty": 0.5}});
    let (body, told) = send(Dialect::Gemini, &members, OpenAiChat, &none);
    assert_eq!((&body["logprobs"], &body["seed"]), (&Value::Null, &json!(7)));
    assert_eq!(told, ["presence_penalty;dropped", "logprobs;dropped"]);
}

#[test]
fn a_file_kept_by_one_provider_is_not_asked_of_another() {
    let anthropic = message(json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "read"},
        {"type": "document", "source": {"type": "file", "file_id": "file_011"}}, {"type": "image", "source": {"type": "file", "file_id": "file_012"}}]}]}));
    let gemini = json!({"contents": [{"parts": [{"text": "read"},
        {"fileData": {"mimeType": "application/pdf", "fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc"}}]}]});
    for to in [OpenAiChat, Dialect::OpenAiResponses] {
        let (body, told) = send(Anthropic, &anthropic, to, &Quirks::default());
        assert!(!body.to_string().contains("file_01"), "{body}");
        assert_eq!(
            told,
            ["messages[0].content[1].source.file_id;dropped", "messages[0].content[2].source.file_id;dropped"]
        );
        let (body, told) = send(Dialect::Gemini, &gemini, to, &Quirks::default());
        assert!(!body.to_string().contains("files/abc"), "{body}");
        assert_eq!(told, ["contents[0].parts[1].fileData.fileUri;dropped"]);
    }
    // Between OpenAI's two dialects it stays where it is.
    let chat = json!({"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]}]});
    let (body, told) = send(OpenAiChat, &chat, Dialect::OpenAiResponses, &Quirks::default());
    assert_eq!((&body["input"][0]["content"][0]["file_id"], told.len()), (&json!("file-1"), 0));
}

#[test]
fn sound_has_the_name_that_openai_knows_it_by() {
    for (media_type, format) in
        [("audio/mpeg", "mp3"), ("audio/mp3", "mp3"), ("audio/x-wav", "wav"), ("audio/flac", "flac")]
    {
        let body = json!({"contents": [{"parts": [{"inlineData": {"mimeType": media_type, "data": "QUJD"}}]}]});
        let (sent, _) = send(Dialect::Gemini, &body, OpenAiChat, &Quirks::default());
        assert_eq!(sent["messages"][0]["content"][0]["input_audio"]["format"], format);
        let (sent, _) = send(Dialect::Gemini, &body, Dialect::OpenAiResponses, &Quirks::default());
        assert_eq!(sent["input"][0]["content"][0]["input_audio"]["format"], format);
    }
}

#[test]
fn blank_texts_do_not_reach_a_provider_that_refuses_them() {
    let body = json!({"messages": [{"role": "system", "content": " "}, {"role": "user", "content": "go"},
        {"role": "assistant", "content": "\n\n", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c", "content": "42"}]});
    let (sent, told) = send(OpenAiChat, &body, Anthropic, &Quirks::default());
    assert_eq!(sent["messages"][1]["content"], json!([{"type": "tool_use", "id": "c", "name": "f", "input": {}}]));
    assert_eq!(sent["system"], Value::Null);
    assert_eq!(told, ["messages[0].content[0];dropped", "messages[2].content[0];dropped"]);
    let (sent, _) = send(Anthropic, &message(json!({"system": ""})), Dialect::Gemini, &Quirks::default());
    assert_eq!(sent["systemInstruction"], Value::Null);
}

#[test]
fn conversations_become_alternating_turns_with_results_first() {
    let body = json!({"messages": [
        {"role": "system", "content": "one"},
        {"role": "developer", "content": [{"type": "text", "text": "two", "cache_control": {"type": "ephemeral"}}]},
        {"role": "user", "content": "a", "name": "ann"},
        {"role": "user", "content": [{"type": "text", "text": "b"}, {"type": "image_url", "image_url": {"url": "data:image/jpg;base64,QUJD", "detail": "low"}}]},
        {"role": "assistant", "content": null, "tool_calls": [
            {"id": "functions.f:0", "type": "function", "function": {"name": "f", "arguments": ""}},
            {"id": "functions.g:1", "type": "function", "function": {"name": "g", "arguments": "{\"big\": 12345678901234567890.10}"}},
            {"id": "bad", "type": "function", "function": {"name": "h", "arguments": "{oops"}}]},
        {"role": "tool", "tool_call_id": "functions.f:0", "content": "r0"},
        {"role": "user", "content": "meanwhile"},
        {"role": "tool", "tool_call_id": "functions.g:1", "content": [{"type": "text", "text": "r1"}]},
        {"role": "system", "content": "late"},
        {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "QQ==", "format": "wav"}}, {"type": "text", "text": ""}]},
    ]});
    let request = OpenAiChat.read_request(body.to_string().as_bytes()).unwrap();
    let target = Target {
        model: "m",
        stream: true,
        max_output_tokens: Some(100),
        default_max_output_tokens: 4_096,
        quirks: &Quirks::default(),
    };
    let mut warnings = Warnings::default();
    let written = String::from_utf8(Anthropic.write_request(&request, &target, &mut warnings)).unwrap();
    assert!(written.contains("12345678901234567890.10"), "numbers keep their digits");
    let sent: Value = serde_json::from_str(&written).unwrap();
    assert_eq!((&sent["stream"], &sent["max_tokens"]), (&json!(true), &json!(100)));
    assert_eq!(
        sent["system"],
        json!([{"type": "text", "text": "one"}, {"type": "text", "text": "two", "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "late"}])
    );
    let roles: Vec<&str> =
        sent["messages"].as_array().unwrap().iter().map(|turn| turn["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "user"]);
    assert_eq!(
        sent["messages"][0]["content"][2],
        json!({"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "QUJD"}})
    );
    let calls = &sent["messages"][1]["content"];
    assert_eq!((&calls[0]["input"], &calls[2]["input"]), (&json!({}), &json!({"text": "{oops"})));
    let last = &sent["messages"][2]["content"];
    assert_eq!(
        (&last[0]["tool_use_id"], &last[1]["tool_use_id"], &last[2]["text"]),
        (&json!("functions_f_0"), &json!("functions_g_1"), &json!("meanwhile"))
    );
    let told: Vec<String> =
        warnings.list().iter().map(|warning| format!("{};{}", warning.path, warning.effect.as_str())).collect();
    assert_eq!(
        told,
        [
            "messages[2].name;dropped",
            "messages[8];moved",
            "messages[3].content[1].image_url.detail;dropped",
            "messages[4].tool_calls[2].function.arguments;converted",
            "messages[9].content[0].input_audio;dropped"
        ]
    );
}

#[test]
fn tool_results_with_images_reach_a_dialect_whose_results_are_text() {
    let body = message(json!({"messages": [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t", "is_error": true, "content": [{"type": "text", "text": "see"}, {"type": "image", "source": {"type": "url", "url": "https://x.example/i.png"}}]},
            {"type": "text", "text": "and?"}]},
    ]}));
    let (sent, told) = send(Anthropic, &body, OpenAiChat, &Quirks::default());
    assert_eq!(sent["messages"][1]["tool_calls"][0]["function"], json!({"name": "f", "arguments": "{\"a\":1}"}));
    assert_eq!(sent["messages"][2], json!({"role": "tool", "tool_call_id": "t", "content": "see"}));
    assert_eq!(
        sent["messages"][3],
        json!({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x.example/i.png"}}, {"type": "text", "text": "and?"}]})
    );
    assert_eq!(told, ["messages[2].content[0].is_error;dropped", "messages[2].content[0].content[1];moved"]);
}

#[test]
fn signed_thoughts_survive_a_tool_conversation_of_an_openai_caller() {
    // An answer of Anthropic's, written for the caller, and sent back by it as it came.
    let answer = json!({"id": "m", "model": "c", "type": "message", "role": "assistant", "stop_reason": "tool_use", "usage": {"input_tokens": 1, "output_tokens": 2}, "content": [
        {"type": "thinking", "thinking": "hm", "signature": "sig+/="},
        {"type": "redacted_thinking", "data": "secret=="},
        {"type": "text", "text": "calling"},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"x": 1}}]});
    let response = Anthropic.read_response(answer.to_string().as_bytes()).unwrap();
    let context = signalbox::dialect::ResponseContext {
        id: "x",
        model: None,
        created: 1,
        echo: &signalbox::dialect::Echo::default(),
    };
    let mut warnings = Warnings::default();
    let chat_answer: Value =
        serde_json::from_slice(&OpenAiChat.write_response(&response, &context, &mut warnings)).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    let said = &chat_answer["choices"][0]["message"];
    assert_eq!(
        (&said["reasoning_content"], &chat_answer["choices"][0]["finish_reason"]),
        (&json!("hm"), &json!("tool_calls"))
    );

    let next = json!({"reasoning_effort": "low", "max_tokens": 9_000, "messages": [{"role": "user", "content": "go"}, said, {"role": "tool", "tool_call_id": "toolu_1", "content": "42"}]});
    for quirks in [Quirks::default(), budget()] {
        let (sent, told) = send(OpenAiChat, &next, Anthropic, &quirks);
        assert_eq!(sent["messages"][1]["content"], answer["content"]);
        assert!(sent["thinking"].is_object());
        assert_eq!(told, Vec::<String>::new());
    }
    // A caller that drops them: with a budget, Anthropic would refuse to think on.
    let mut forgetful = next.clone();
    forgetful["messages"][1].as_object_mut().unwrap().remove("reasoning_details");
    let (sent, told) = send(OpenAiChat, &forgetful, Anthropic, &budget());
    assert_eq!(
        (&sent["thinking"], told),
        (
            &Value::Null,
            vec!["reasoning_effort;dropped".to_owned(), "messages[1].reasoning_details[0];dropped".to_owned()]
        )
    );
    // The spelling of others.
    let mut other = forgetful.clone();
    other["messages"][1]["thinking_blocks"] = json!([{"type": "thinking", "thinking": "hm", "signature": "sig+/="}, {"type": "redacted_thinking", "data": "secret=="}]);
    assert_eq!(send(OpenAiChat, &other, Anthropic, &budget()).0["messages"][1]["content"], answer["content"]);
    // What another provider sealed is not given to Anthropic.
    let mut foreign = next;
    for entry in foreign["messages"][1]["reasoning_details"].as_array_mut().unwrap() {
        entry["format"] = json!("openai-responses-v1");
    }
    let (sent, told) = send(OpenAiChat, &foreign, Anthropic, &Quirks::default());
    assert_eq!((sent["messages"][1]["content"].as_array().unwrap().len(), told.len()), (2, 2));
}

#[test]
fn thoughts_go_back_to_a_server_of_openais_dialect_as_it_takes_them() {
    let body = message(json!({"messages": [{"role": "user", "content": "a"},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "text", "text": "b"}]}, {"role": "user", "content": "c"}]}));
    for (replay, member, value, warnings) in [
        (ReasoningReplay::None, "reasoning_content", Value::Null, vec!["messages[1].content[0];dropped"]),
        (
            ReasoningReplay::ReasoningContent,
            "reasoning_content",
            json!("hm"),
            vec!["messages[1].content[0].signature;dropped"],
        ),
        (
            ReasoningReplay::ReasoningDetails,
            "reasoning_details",
            json!([{"type": "reasoning.text", "text": "hm", "signature": "s", "format": "anthropic-claude-v1", "index": 0}]),
            vec![],
        ),
    ] {
        let (sent, told) =
            send(Anthropic, &body, OpenAiChat, &Quirks { reasoning_replay: replay, ..Quirks::default() });
        assert_eq!((&sent["messages"][1][member], told), (&value, warnings.into_iter().map(str::to_owned).collect()));
    }
}

#[test]
fn what_is_malformed_is_named_by_its_path() {
    #[rustfmt::skip]
    let table = [
        (OpenAiChat, json!({"messages": [{"role": "user", "content": [{"type": "text"}]}]}), "messages[0].content[0].text"),
        (OpenAiChat, json!({"messages": [{"role": "user", "content": 5}]}), "messages[0].content"),
        (OpenAiChat, json!({"messages": [{"role": "king", "content": "x"}]}), "messages[0].role"),
        (OpenAiChat, json!({"messages": [{"content": "x"}]}), "messages[0].role"),
        (OpenAiChat, json!({"messages": [{"role": "tool", "content": "x"}]}), "messages[0].tool_call_id"),
        (OpenAiChat, json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}), "messages[0].content[0].image_url.url"),
        (OpenAiChat, chat(json!({"tools": [{"type": "function"}]})), "tools[0].function"),
        (OpenAiChat, chat(json!({"tools": [{"type": "function", "function": {"name": 1}}]})), "tools[0].function.name"),
        (OpenAiChat, chat(json!({"tool_choice": "maybe"})), "tool_choice"),
        (OpenAiChat, chat(json!({"temperature": "hot"})), "temperature"),
        (OpenAiChat, chat(json!({"reasoning_effort": "lots"})), "reasoning_effort"),
        (OpenAiChat, chat(json!({"stop": [1]})), "stop[0]"),
        (OpenAiChat, chat(json!({"max_tokens": 1.5})), "max_tokens"),
        (OpenAiChat, json!({"model": "m"}), "messages"),
        (Anthropic, json!({"messages": ["Invalid content"]}), "messages[0]"),
        (Anthropic, json!({"messages": [{"role": "user", "content": [{"type": "image"}]}]}), "messages[0].content[0].source"),
        (Anthropic, json!({"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"text": "x"}]}]}]}), "messages[0].content[0].content[0].type"),
        (Anthropic, message(json!({"thinking": {"type": "enabled"}})), "thinking.budget_tokens"),
        (Anthropic, message(json!({"tool_choice": {"type": "tool"}})), "tool_choice.name"),
    ];
    for (dialect, body, param) in table {
        let error = dialect.read_request(body.to_string().as_bytes()).expect_err(param);
        assert_eq!((error.param.as_deref(), error.code.status()), (Some(param), 400), "{body}");
    }
    for body in [&b"[]"[..], b"7", b"\xff"] {
        assert_eq!(OpenAiChat.read_request(body).unwrap_err().code.status(), 400);
    }
}

#[test]
fn whatever_one_dialect_alone_can_say_is_named_and_survives_at_home() {
    let odd = chat(json!({"verbosity": "low", "top_k": 3, "tools": [{"type": "custom", "custom": {"name": "c"}}],
        "messages": [{"role": "user", "content": [{"type": "future", "x": 1}, {"type": "text", "text": "t", "odd": 1}], "weight": 1}]}));
    let request = OpenAiChat.read_request(odd.to_string().as_bytes()).unwrap();
    let (home, told) = write(&request, OpenAiChat, &Quirks::default());
    assert_eq!(
        (&home["verbosity"], &home["top_k"], &home["tools"], &home["messages"][0]["content"][0]),
        (&odd["verbosity"], &odd["top_k"], &odd["tools"], &odd["messages"][0]["content"][0])
    );
    assert_eq!(told, ["messages[0].content[1].odd;dropped", "messages[0].weight;dropped"]);
    let (_, told) = write(&request, Anthropic, &Quirks::default());
    for path in ["verbosity", "tools[0]", "messages[0].content[0]", "messages[0].content[1].odd", "messages[0].weight"]
    {
        assert!(told.contains(&format!("{path};dropped")), "{path}: {told:?}");
    }

    let odd = message(
        json!({"container": "c", "messages": [{"role": "user", "content": [{"type": "container_upload", "file_id": "f"}]}]}),
    );
    let request = Anthropic.read_request(odd.to_string().as_bytes()).unwrap();
    let (home, told) = write(&request, Anthropic, &Quirks::default());
    assert_eq!((&home["container"], &home["messages"], told.len()), (&odd["container"], &odd["messages"], 0));

    let alone =
        message(json!({"messages": [{"role": "user", "content": [{"type": "container_upload", "file_id": "f"}]}]}));
    let (sent, told) = send(Anthropic, &alone, OpenAiChat, &Quirks::default());
    assert_eq!(
        (&sent["messages"][0]["content"], told),
        (&json!(""), vec!["messages[0].content[0];dropped".to_owned()])
    );
}

/// A generated conversation, in OpenAI's words, that both dialects can say.
fn conversation() -> impl Strategy<Value = Value> {
    // Never white space alone: Anthropic refuses it, and it is left out.
    let words = "[a-zé😀\"\\\\\n]{0,9}[a-zé😀]";
    let part = prop_oneof![
        words.prop_map(|text| json!({"type": "text", "text": text})),
        "[A-Za-z0-9+/]{4,12}".prop_map(|data| json!({"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{data}")}})),
        "[a-z]{1,9}".prop_map(|path| json!({"type": "image_url", "image_url": {"url": format!("https://x.example/{path}")}})),
        ("[A-Za-z0-9+/]{4,12}", "[a-z]{1,6}").prop_map(|(data, name)| json!({"type": "file", "file": {"filename": name, "file_data": format!("data:application/pdf;base64,{data}")}})),
    ];
    let user = prop::collection::vec(part, 1..4);
    let arguments = prop::collection::btree_map("[a-z]{1,4}", "[a-z\"\\\\😀]{0,6}", 0..3);
    let exchange = (
        user,
        prop::option::of(words),
        prop::collection::vec((arguments, words), 0..3),
        prop::option::of("[A-Za-z0-9=]{4,9}"),
    );
    let system = prop::option::of(words);
    (system, prop::collection::vec(exchange, 1..4)).prop_map(|(system, exchanges)| {
        let mut messages: Vec<Value> = system.into_iter().map(|text| json!({"role": "system", "content": text})).collect();
        let mut calls = 0;
        for (user, said, used, seal) in exchanges {
            messages.push(json!({"role": "user", "content": user}));
            let ids: Vec<String> = used.iter().map(|_| { calls += 1; format!("call_{calls}") }).collect();
            if said.is_none() && ids.is_empty() {
                continue;
            }
            let tool_calls: Vec<Value> = ids.iter().zip(&used).map(|(id, (arguments, _))| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": serde_json::to_string(arguments).unwrap()}})).collect();
            let mut assistant = json!({"role": "assistant", "content": said});
            if !tool_calls.is_empty() {
                assistant["tool_calls"] = json!(tool_calls);
            }
            if let Some(seal) = seal {
                assistant["reasoning_details"] = json!([{"type": "reasoning.text", "text": "hm", "signature": seal}]);
            }
            messages.push(assistant);
            for (id, (_, result)) in ids.iter().zip(&used) {
                messages.push(json!({"role": "tool", "tool_call_id": id, "content": result}));
            }
        }
        json!({"messages": messages})
    })
}

/// Who said what, with turns of one role joined: how they are cut is a dialect's own affair.
fn told(request: &ChatRequest) -> Vec<(Role, Part)> {
    let instructions = Message::new(Role::System, request.instructions.clone());
    let messages = std::iter::once(&instructions).chain(&request.messages);
    messages.flat_map(|message| message.content.iter().map(|part| (message.role, part.clone()))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_conversation_both_can_say_survives_there_and_back(body in conversation(), choice in prop::sample::select(vec!["auto", "none", "required"]), parallel in any::<Option<bool>>(), stop in prop::collection::vec("[a-z]{1,3}", 0..3)) {
        let mut body = body;
        body["tools"] = json!([{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {"a": {"enum": [1.0, "x"]}}, "$defs": {}}}}]);
        body["tool_choice"] = json!(choice);
        body["max_tokens"] = json!(77);
        body["temperature"] = json!(0.25);
        body["user"] = json!("u");
        if let Some(parallel) = parallel.filter(|_| choice != "none") { body["parallel_tool_calls"] = json!(parallel); }
        if !stop.is_empty() { body["stop"] = json!(stop); }
        let replay = Quirks { reasoning_replay: ReasoningReplay::ReasoningDetails, ..Quirks::default() };

        let original = OpenAiChat.read_request(body.to_string().as_bytes()).unwrap();
        let (there, warnings) = write(&original, Anthropic, &Quirks::default());
        prop_assert_eq!(&warnings, &Vec::<String>::new());
        // Strictly alternating, beginning with the user.
        for (index, turn) in there["messages"].as_array().unwrap().iter().enumerate() {
            prop_assert_eq!(turn["role"].as_str(), Some(["user", "assistant"][index % 2]));
        }
        let middle = Anthropic.read_request(there.to_string().as_bytes()).unwrap();
        let (back, warnings) = write(&middle, OpenAiChat, &replay);
        prop_assert_eq!(&warnings, &Vec::<String>::new());
        let back = OpenAiChat.read_request(back.to_string().as_bytes()).unwrap();

        for request in [&middle, &back] {
            prop_assert_eq!(told(request), told(&original));
            prop_assert_eq!(&request.tools, &original.tools);
            prop_assert_eq!(&request.tool_choice, &original.tool_choice);
            prop_assert_eq!(request.parallel_tool_calls, original.parallel_tool_calls);
            prop_assert_eq!((&request.stop, &request.user, request.max_output_tokens), (&original.stop, &original.user, original.max_output_tokens));
            prop_assert_eq!(request.sampling.temperature, original.sampling.temperature);
        }
    }

    #[test]
    fn no_body_panics_a_reader_or_a_writer(text in "[\\[\\]{}\":, a-z0-9\\\\]{0,60}", place in 0usize..6) {
        let holes = [
            format!(r#"{{"messages":{text}}}"#), format!(r#"{{"messages":[{{"role":"user","content":{text}}}]}}"#),
            format!(r#"{{"messages":[],"tools":[{text}]}}"#), text.clone(),
            format!(r#"{{"messages":[{{"role":"assistant","content":[{{"type":"tool_use","id":"t","name":"n","input":{text}}}]}}]}}"#),
            format!(r#"{{"choices":[{{"message":{{"content":{text}}}}}],"content":[{text}]}}"#),
        ];
        let body = holes[place].as_bytes();
        for dialect in [OpenAiChat, Anthropic, Dialect::OpenAiResponses] {
            if let Ok(request) = dialect.read_request(body) {
                write(&request, Anthropic, &Quirks::default());
                write(&request, OpenAiChat, &Quirks::default());
            }
            let _ = (dialect.read_response(body), dialect.observe_response(body), dialect.read_error(500, body));
        }
    }
}
