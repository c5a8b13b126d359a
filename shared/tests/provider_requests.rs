//! Requests in the dialects that providers alone speak: each member's counterpart, and what the warnings name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use serde_json::{Value, json};
use signalbox::dialect::{Dialect, ProviderDialect, Quirks, SamplingSupport, Target, ThinkingSupport, Warnings};

use Dialect::{Anthropic, OpenAiChat};
use ProviderDialect::{Bedrock, Cohere, Ollama, WorkersAi};

const CLAUDE: &str = "us.anthropic.claude-haiku-4-5-20251001-v1:0";
const BUDGET: Quirks = Quirks { thinking: ThinkingSupport::Budget, ..Quirks::STANDARD };

fn send(from: Dialect, body: &Value, to: ProviderDialect, model: &str, quirks: &Quirks) -> (Value, Vec<String>) {
    let request = from.read_request(body.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}: {body}"));
    let target = Target { model, stream: false, max_output_tokens: None, default_max_output_tokens: 9_000, quirks };
    let mut warnings = Warnings::default();
    let body = to.write_request(&request, &target, &mut warnings);
    let body =
        serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&body)));
    (body, warnings.list().iter().map(|warning| format!("{};{}", warning.path, warning.effect.as_str())).collect())
}

/// A request of one user message with these members.
fn chat(members: &Value) -> Value {
    let mut body = json!({"model": "x", "messages": [{"role": "user", "content": "hi"}]});
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    body
}

/// What the caller says, where to look, what is there, what the warnings name.
type Row = (Value, &'static str, Value, Vec<&'static str>);

fn hold(to: ProviderDialect, model: &str, quirks: &Quirks, table: Vec<Row>) {
    for (members, pointer, value, warnings) in table {
        let (body, told) = send(OpenAiChat, &chat(&members), to, model, quirks);
        assert_eq!(
            (body.pointer(pointer).unwrap_or(&Value::Null), &told),
            (&value, &warnings.into_iter().map(str::to_owned).collect()),
            "{members}"
        );
    }
}

fn tool() -> Value {
    json!({"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "required": ["a"], "x-odd": [1.50]}}})
}

fn strict() -> Value {
    let mut tool = tool();
    tool["function"]["strict"] = json!(true);
    tool
}

#[test]
fn each_member_becomes_its_counterpart_in_converse() {
    let (tool, strict) = (tool(), strict());
    let image = |url: &str| json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "image_url", "image_url": {"url": url}}]}]});
    let schema = json!({"type": "json_schema", "json_schema": {"name": "n", "description": "d", "schema": {"type": "object"}, "strict": true}});
    #[rustfmt::skip]
    hold(Bedrock, CLAUDE, &BUDGET, vec![
        (json!({}), "", json!({"messages": [{"role": "user", "content": [{"text": "hi"}]}]}), vec![]),
        (json!({"max_tokens": 5, "top_p": 0.5}), "/inferenceConfig", json!({"maxTokens": 5, "topP": 0.5}), vec![]),
        (json!({"temperature": 1.5}), "/inferenceConfig", json!({"temperature": 1}), vec!["temperature;clamped"]),
        (json!({"stop": ["a", " "]}), "/inferenceConfig/stopSequences", json!(["a"]), vec!["stop;dropped"]),
        (json!({"stop": "a"}), "/additionalModelResponseFieldPaths", json!(["/stop_sequence"]), vec![]),
        (json!({"top_k": 4}), "/additionalModelRequestFields", json!({"top_k": 4}), vec![]),
        (json!({"reasoning_effort": "low", "max_tokens": 9_000}), "/additionalModelRequestFields", json!({"thinking": {"type": "enabled", "budget_tokens": 2_048}}), vec![]),
        (json!({"reasoning_effort": "low", "temperature": 0.5}), "/inferenceConfig", Value::Null, vec!["temperature;dropped"]),
        (json!({"additionalModelRequestFields": {"top_k": 9, "x": 1}, "top_k": 4}), "/additionalModelRequestFields", json!({"top_k": 9, "x": 1}), vec![]),
        (json!({"guardrailConfig": {"guardrailIdentifier": "g"}}), "/guardrailConfig", json!({"guardrailIdentifier": "g"}), vec![]),
        (json!({"tools": [tool]}), "/toolConfig", json!({"tools": [{"toolSpec": {"name": "f", "description": "d", "inputSchema": {"json": {"type": "object", "required": ["a"], "x-odd": [1.50]}}}}]}), vec![]),
        (json!({"tools": [strict]}), "/toolConfig/tools/0/toolSpec/strict", json!(true), vec![]),
        (json!({"tools": [{"type": "function", "function": {"name": "f"}}]}), "/toolConfig/tools/0/toolSpec/inputSchema/json", json!({"type": "object", "properties": {}}), vec![]),
        (json!({"tools": [tool], "tool_choice": "auto"}), "/toolConfig/toolChoice", json!({"auto": {}}), vec![]),
        (json!({"tools": [tool], "tool_choice": "required"}), "/toolConfig/toolChoice", json!({"any": {}}), vec![]),
        (json!({"tools": [tool], "tool_choice": {"type": "function", "function": {"name": "f"}}}), "/toolConfig/toolChoice", json!({"tool": {"name": "f"}}), vec![]),
        (json!({"tools": [tool], "tool_choice": "none"}), "/toolConfig", Value::Null, vec![]),
        (json!({"tools": [tool], "parallel_tool_calls": false}), "/toolConfig/toolChoice", Value::Null, vec!["parallel_tool_calls;dropped"]),
        (json!({"response_format": schema}), "/outputConfig/textFormat", json!({"type": "json_schema", "structure": {"jsonSchema": {"schema": "{\"type\":\"object\"}", "name": "n", "description": "d"}}}), vec![]),
        (json!({"response_format": {"type": "json_object"}}), "/outputConfig", Value::Null, vec!["response_format;dropped"]),
        (json!({"service_tier": "flex"}), "/serviceTier", json!({"type": "flex"}), vec![]),
        (json!({"metadata": {"team": "a b"}}), "/requestMetadata", json!({"team": "a b"}), vec![]),
        (json!({"metadata": {"team": "é"}}), "/requestMetadata", Value::Null, vec!["metadata;dropped"]),
        (json!({"user": "u", "seed": 1, "n": 2, "store": true}), "/user", Value::Null, vec!["seed;dropped", "n;dropped", "user;dropped", "store;dropped"]),
        (image("data:image/jpg;base64,AAAA"), "/messages/0/content/1", json!({"image": {"format": "jpeg", "source": {"bytes": "AAAA"}}}), vec![]),
        (image("s3://bucket/a.png"), "/messages/0/content/1", json!({"image": {"format": "png", "source": {"s3Location": {"uri": "s3://bucket/a.png"}}}}), vec![]),
        (image("https://example.com/a.png"), "/messages/0/content/1", Value::Null, vec!["messages[0].content[1];dropped"]),
    ]);
}

#[test]
fn what_only_a_model_knows_is_said_in_its_makers_words() {
    let ask = json!({"reasoning_effort": "high", "top_k": 4});
    #[rustfmt::skip]
    let table = [
        ("amazon.nova-2-lite-v1:0", json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}, "inferenceConfig": {"topK": 4}}), vec![]),
        ("openai.gpt-oss-20b-1:0", json!({"reasoning_effort": "high"}), vec!["top_k;dropped"]),
        ("mistral.mistral-large-2402-v1:0", json!({"top_k": 4}), vec!["reasoning_effort;dropped"]),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/x", json!({"top_k": 4}), vec!["reasoning_effort;dropped"]),
    ];
    for (model, fields, warnings) in table {
        let (body, told) = send(OpenAiChat, &chat(&ask), Bedrock, model, &Quirks::STANDARD);
        assert_eq!(
            (&body["additionalModelRequestFields"], told),
            (&fields, warnings.into_iter().map(str::to_owned).collect()),
            "{model}"
        );
    }
    let adaptive =
        send(OpenAiChat, &chat(&ask), Bedrock, CLAUDE, &Quirks { sampling: SamplingSupport::None, ..Quirks::STANDARD });
    assert_eq!(
        adaptive.0["additionalModelRequestFields"],
        json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}})
    );
    assert_eq!(adaptive.1, ["top_k;dropped"]);
}

#[test]
fn a_conversation_reaches_converse_whole_and_in_its_order() {
    let ttl = json!({"type": "ephemeral", "ttl": "1h"});
    let body = json!({"model": "x", "max_tokens": 900, "cache_control": {"type": "ephemeral"},
        "system": [{"type": "text", "text": "s", "cache_control": ttl}],
        "tools": [{"name": "f", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": [{"type": "document", "title": "Q3.v2", "context": "c", "citations": {"enabled": true}, "source": {"type": "text", "media_type": "text/plain", "data": "t"}},
                {"type": "document", "title": "Q3.v2", "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}}]},
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "t", "signature": "s"}, {"type": "redacted_thinking", "data": "r"},
                {"type": "tool_use", "id": "a.b", "name": "f", "input": {"x": 1.0}}]},
            {"role": "user", "content": [{"type": "text", "text": "so"}, {"type": "tool_result", "tool_use_id": "a.b", "is_error": true,
                "content": [{"type": "text", "text": "no"}, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}}]}]}]});
    let (sent, warnings) = send(Anthropic, &body, Bedrock, CLAUDE, &BUDGET);
    let point = json!({"cachePoint": {"type": "default"}});
    let long = json!({"cachePoint": {"type": "default", "ttl": "1h"}});
    assert_eq!(sent["system"], json!([{"text": "s"}, long]));
    assert_eq!(
        sent["toolConfig"]["tools"],
        json!([{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}, point])
    );
    assert_eq!(
        sent["messages"],
        json!([
            {"role": "user", "content": [
                {"document": {"name": "Q3-v2", "format": "txt", "source": {"text": "t"}, "context": "c", "citations": {"enabled": true}}},
                {"document": {"name": "Q3-v2 2", "format": "pdf", "source": {"bytes": "AAAA"}}}]},
            {"role": "assistant", "content": [{"reasoningContent": {"reasoningText": {"text": "t", "signature": "s"}}}, {"reasoningContent": {"redactedContent": "r"}},
                {"toolUse": {"toolUseId": "a_b", "name": "f", "input": {"x": 1.0}}}]},
            {"role": "user", "content": [{"toolResult": {"toolUseId": "a_b", "content": [{"text": "no"}, {"image": {"format": "png", "source": {"bytes": "AA"}}}], "status": "error"}},
                {"text": "so"}, point]}])
    );
    assert_eq!(warnings, ["messages[0].content[0];converted", "messages[0].content[1];converted"]);
}

#[test]
fn a_conversation_that_used_tools_tells_converse_of_tools() {
    let used = json!({"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c", "content": "r"}]});
    let (body, warnings) = send(OpenAiChat, &chat(&used), Bedrock, CLAUDE, &BUDGET);
    let names: Vec<&str> = body["toolConfig"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["toolSpec"]["name"].as_str().unwrap())
        .collect();
    assert_eq!((names, warnings), (vec!["f"], vec!["tools;converted".to_owned()]));
    let mut with_choice = used;
    with_choice["tools"] = json!([tool()]);
    with_choice["tool_choice"] = json!("none");
    let (body, warnings) = send(OpenAiChat, &chat(&with_choice), Bedrock, CLAUDE, &BUDGET);
    assert!(body["toolConfig"]["tools"].is_array() && body["toolConfig"]["toolChoice"].is_null());
    assert_eq!(warnings, ["tool_choice;dropped"]);
}

#[test]
fn each_member_becomes_its_counterpart_in_coheres_dialect() {
    let (tool, strict) = (tool(), strict());
    let other = json!({"type": "function", "function": {"name": "g", "parameters": {"type": "object"}}});
    #[rustfmt::skip]
    hold(Cohere, "command-a-03-2025", &Quirks::STANDARD, vec![
        (json!({"max_tokens": 5, "top_p": 1, "top_k": 900}), "/p", json!(0.99), vec!["top_p;clamped", "top_k;clamped"]),
        (json!({"temperature": 0.3, "seed": 4, "stop": "a"}), "/stop_sequences", json!(["a"]), vec![]),
        (json!({"frequency_penalty": -1}), "/frequency_penalty", json!(0), vec!["frequency_penalty;clamped"]),
        (json!({"tools": [tool]}), "/tools", json!([tool]), vec![]),
        (json!({"tools": [tool], "tool_choice": "auto"}), "/tool_choice", Value::Null, vec![]),
        (json!({"tools": [tool], "tool_choice": "required"}), "/tool_choice", json!("REQUIRED"), vec![]),
        (json!({"tools": [tool], "tool_choice": "none"}), "/tool_choice", json!("NONE"), vec![]),
        (json!({"tools": [tool, other], "tool_choice": {"type": "function", "function": {"name": "f"}}}), "/tools", json!([tool]), vec!["tool_choice;converted"]),
        (json!({"tools": [strict]}), "/strict_tools", json!(true), vec![]),
        (json!({"tools": [strict, other]}), "/strict_tools", Value::Null, vec!["tools[0].function.strict;dropped"]),
        (json!({"response_format": {"type": "json_object"}}), "/response_format", json!({"type": "json_object"}), vec![]),
        (json!({"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}}), "/response_format", json!({"type": "json_object", "json_schema": {"type": "object"}}), vec!["response_format.json_schema.name;dropped"]),
        (json!({"reasoning_effort": "low"}), "/thinking", json!({"type": "enabled", "token_budget": 2_048}), vec![]),
        (json!({"reasoning_effort": "none"}), "/thinking", json!({"type": "disabled"}), vec![]),
        (json!({"thinking": {"type": "enabled", "budget_tokens": 700}}), "/thinking", json!({"type": "enabled", "token_budget": 700}), vec![]),
        (json!({"safety_mode": "OFF", "documents": ["a"], "x": 1}), "/documents", json!(["a"]), vec!["x;dropped"]),
        (json!({"safety_mode": "OFF"}), "/safety_mode", json!("OFF"), vec![]),
        (json!({"user": "u", "n": 2, "logprobs": true, "parallel_tool_calls": false}), "/user", Value::Null, vec!["parallel_tool_calls;dropped", "n;dropped", "logprobs;dropped", "user;dropped"]),
    ]);
}

#[test]
fn a_conversation_reaches_cohere_message_by_message() {
    let body = json!({"model": "x", "max_tokens": 900, "system": "s", "messages": [
        {"role": "user", "content": [{"type": "text", "text": "q"}, {"type": "image", "source": {"type": "url", "url": "https://a.example/b"}},
            {"type": "document", "title": "T", "source": {"type": "text", "media_type": "text/plain", "data": "facts"}}]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "plan", "signature": ""}, {"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "r"}, {"type": "text", "text": "so"}]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": ""}, {"type": "text", "text": "a"}]}]});
    let (sent, warnings) = send(Anthropic, &body, Cohere, "command-a", &Quirks::STANDARD);
    assert_eq!(
        sent["messages"],
        json!([
            {"role": "system", "content": "s"},
            {"role": "user", "content": [{"type": "text", "text": "q"}, {"type": "image_url", "image_url": {"url": "https://a.example/b"}}]},
            {"role": "assistant", "tool_plan": "plan", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}}]},
            {"role": "tool", "tool_call_id": "c", "content": "r"},
            {"role": "user", "content": "so"},
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "a"}]}])
    );
    assert_eq!(sent["documents"], json!([{"data": {"title": "T", "text": "facts"}}]));
    assert_eq!(warnings, ["messages[0].content[2];moved"]);
}

#[test]
fn each_member_becomes_its_counterpart_in_ollamas_dialect() {
    let tool = tool();
    #[rustfmt::skip]
    hold(Ollama, "qwen3", &Quirks::STANDARD, vec![
        (json!({}), "", json!({"model": "qwen3", "messages": [{"role": "user", "content": "hi"}], "options": {}, "stream": false}), vec![]),
        (json!({"max_tokens": 5, "temperature": 0, "top_k": 4, "seed": 1, "stop": "a", "presence_penalty": 0.5}), "/options", json!({"num_predict": 5, "temperature": 0, "top_k": 4, "seed": 1, "presence_penalty": 0.5, "stop": ["a"]}), vec![]),
        (json!({"options": {"num_ctx": 9, "seed": 7}, "seed": 1}), "/options", json!({"num_ctx": 9, "seed": 1}), vec![]),
        (json!({"keep_alive": "5m"}), "/keep_alive", json!("5m"), vec![]),
        (json!({"reasoning_effort": "high"}), "/think", json!(true), vec![]),
        (json!({"reasoning_effort": "none"}), "/think", json!(false), vec![]),
        (json!({"response_format": {"type": "json_object"}}), "/format", json!("json"), vec![]),
        (json!({"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}}), "/format", json!({"type": "object"}), vec!["response_format.json_schema.name;dropped"]),
        (json!({"tools": [tool]}), "/tools", json!([tool]), vec![]),
        (json!({"tools": [tool], "tool_choice": "none"}), "/tools", Value::Null, vec![]),
        (json!({"tools": [tool], "tool_choice": "required"}), "/tools", json!([tool]), vec!["tool_choice;dropped"]),
        (json!({"logprobs": true, "top_logprobs": 2}), "/top_logprobs", json!(2), vec![]),
        (json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}, {"type": "image_url", "image_url": {"url": "https://a.example/b"}}, {"type": "text", "text": "b"}]}]}),
            "/messages/0", json!({"role": "user", "content": "a\nb", "images": ["AAAA"]}), vec!["messages[0].content[2];dropped"]),
        (json!({"messages": [{"role": "assistant", "content": "x", "reasoning_content": "t", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}}]}]}),
            "/messages/0", json!({"role": "assistant", "content": "x", "thinking": "t", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": {"a": 1}}}]}), vec![]),
        (json!({"messages": [{"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}, {"role": "tool", "tool_call_id": "c", "content": "r"}]}),
            "/messages/1", json!({"role": "tool", "content": "r", "tool_name": "f", "tool_call_id": "c"}), vec![]),
    ]);
    let (body, _) =
        send(OpenAiChat, &chat(&json!({"reasoning_effort": "minimal"})), Ollama, "gpt-oss:20b", &Quirks::STANDARD);
    assert_eq!(body["think"], "low");
}

#[test]
fn each_member_becomes_its_counterpart_in_workers_ais_form() {
    let tool = tool();
    #[rustfmt::skip]
    hold(WorkersAi, "@cf/meta/llama", &Quirks::STANDARD, vec![
        (json!({"max_completion_tokens": 5, "temperature": 2, "top_k": 90}), "", json!({"messages": [{"role": "user", "content": "hi"}], "max_tokens": 5, "temperature": 2, "top_k": 50, "stream": false}), vec!["top_k;clamped"]),
        (json!({"tools": [tool]}), "/tools", json!([tool]), vec![]),
        (json!({"tools": [tool], "tool_choice": "none"}), "/tools", Value::Null, vec![]),
        (json!({"tools": [tool], "tool_choice": "required", "stop": "a"}), "/tools/0", tool.clone(), vec!["tool_choice;dropped", "stop;dropped"]),
        (json!({"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}}), "/response_format", json!({"type": "json_schema", "json_schema": {"type": "object"}}), vec![]),
        (json!({"repetition_penalty": 1.1, "x": 1}), "/repetition_penalty", json!(1.1), vec!["x;dropped"]),
    ]);
}

#[test]
fn a_server_of_openais_dialect_is_not_sent_what_it_would_refuse() {
    let strict = Quirks { user: false, account_members: false, json_schema: false, ..Quirks::STANDARD };
    let body = json!({"model": "x", "max_tokens": 9, "metadata": {"user_id": "u"}, "service_tier": "standard_only",
        "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}},
        "messages": [{"role": "user", "content": "hi"}]});
    let (sent, warnings) = send(Anthropic, &body, OpenAiChat.into(), "m", &strict);
    for member in ["user", "service_tier", "store", "metadata", "verbosity"] {
        assert_eq!(sent[member], Value::Null, "{member}");
    }
    assert_eq!(sent["response_format"], json!({"type": "json_object"}));
    assert_eq!(warnings, ["output_config.format;converted", "metadata.user_id;dropped", "service_tier;dropped"]);
    let (sent, _) = send(Anthropic, &body, OpenAiChat.into(), "m", &Quirks::STANDARD);
    assert_eq!((&sent["user"], &sent["service_tier"]), (&json!("u"), &json!("default")));
}
