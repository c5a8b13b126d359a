//! Gemini's dialect between the others: what both can say survives, the rest is named in the warnings;
//! signatures find their way back; streams mean what they mean however they are cut.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros, reason = "tests read files")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod corpus;

use corpus::{ALL, Answer, decode, encode};
use proptest::prelude::*;
use serde_json::{Value, json};
use signalbox::dialect::ir::{Delta, Event, FinishReason};
use signalbox::dialect::{
    Dialect, Finish, ProtocolError, Quirks, ResponseContext, SamplingSupport, Target, ThinkingSupport, UpstreamClass,
    Warnings,
};

use Dialect::{Anthropic, Gemini, OpenAiChat};

fn send(from: Dialect, body: &Value, to: Dialect, quirks: &Quirks) -> (Value, Vec<String>) {
    let request = from.read_request(body.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}: {body}"));
    let target =
        Target { model: "m", stream: false, max_output_tokens: None, default_max_output_tokens: 4_096, quirks };
    let mut warnings = Warnings::default();
    let body = serde_json::from_slice(&to.write_request(&request, &target, &mut warnings)).unwrap();
    (body, warnings.list().iter().map(|warning| format!("{};{}", warning.path, warning.effect.as_str())).collect())
}

fn with(mut body: Value, members: &Value) -> Value {
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    body
}

/// An OpenAI request with one user message and these members.
fn chat(members: &Value) -> Value {
    with(json!({"model": "x", "messages": [{"role": "user", "content": "hi"}]}), members)
}

/// A Gemini request with one content and these members.
fn generate(members: &Value) -> Value {
    with(json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}), members)
}

type Row = (Value, &'static str, Value, Vec<&'static str>);

fn check(from: Dialect, to: Dialect, quirks: &Quirks, base: fn(&Value) -> Value, table: Vec<Row>) {
    for (members, pointer, value, warnings) in table {
        let (body, told) = send(from, &base(&members), to, quirks);
        let warnings: Vec<String> = warnings.into_iter().map(str::to_owned).collect();
        assert_eq!((body.pointer(pointer).unwrap_or(&Value::Null), &told), (&value, &warnings), "{members}\n{body}");
    }
}

#[test]
fn each_member_of_openais_becomes_its_counterpart() {
    let tool = json!({"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "x-odd": [1.50], "default": null}, "strict": true}});
    let tools = json!([tool]);
    let plain = json!({"type": "function", "function": {"name": "f"}});
    #[rustfmt::skip]
    let table: Vec<Row> = vec![
        (json!({"max_tokens": 5}), "/generationConfig/maxOutputTokens", json!(5), vec![]),
        (json!({}), "/generationConfig", Value::Null, vec![]),
        (json!({"model": "x"}), "/model", Value::Null, vec![]),
        (json!({"stop": "END"}), "/generationConfig/stopSequences", json!(["END"]), vec![]),
        (json!({"stop": ["1", "2", "3", "4", "5", "6"]}), "/generationConfig/stopSequences", json!(["1", "2", "3", "4", "5"]), vec!["stop;clamped"]),
        (json!({"temperature": 1.5, "top_p": 0.9, "top_k": 4, "seed": 7, "presence_penalty": 0.5, "frequency_penalty": -0.5, "n": 2}), "/generationConfig",
            json!({"temperature": 1.5, "topP": 0.9, "topK": 4, "seed": 7, "presencePenalty": 0.5, "frequencyPenalty": -0.5, "candidateCount": 2}), vec![]),
        (json!({"logprobs": true, "top_logprobs": 3}), "/generationConfig", json!({"responseLogprobs": true, "logprobs": 3}), vec![]),
        (json!({"logit_bias": {"5": 1}, "user": "u", "store": true, "metadata": {"a": "b"}, "verbosity": "low"}), "/generationConfig", Value::Null,
            vec!["logit_bias;dropped", "user;dropped", "metadata;dropped", "store;dropped", "verbosity;dropped"]),
        (json!({"service_tier": "default"}), "/serviceTier", Value::Null, vec![]),
        (json!({"service_tier": "flex"}), "/serviceTier", Value::Null, vec!["service_tier;dropped"]),
        (json!({"tools": tools}), "/tools/0/functionDeclarations/0", json!({"name": "f", "description": "d", "parametersJsonSchema": {"type": "object", "x-odd": [1.50], "default": null}}), vec!["tools[0].strict;dropped"]),
        (json!({"tools": [{"type": "custom", "custom": {"name": "c"}}]}), "/tools", Value::Null, vec!["tools[0];dropped"]),
        (json!({"tools": [plain], "tool_choice": "auto"}), "/toolConfig/functionCallingConfig", json!({"mode": "AUTO"}), vec![]),
        (json!({"tools": [plain], "tool_choice": "required"}), "/toolConfig/functionCallingConfig", json!({"mode": "ANY"}), vec![]),
        (json!({"tools": [plain], "tool_choice": "none"}), "/toolConfig/functionCallingConfig", json!({"mode": "NONE"}), vec![]),
        (json!({"tools": [plain], "tool_choice": {"type": "function", "function": {"name": "f"}}}), "/toolConfig/functionCallingConfig", json!({"mode": "ANY", "allowedFunctionNames": ["f"]}), vec![]),
        (json!({"tools": [plain], "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}, {"type": "function", "function": {"name": "g"}}]}}}), "/toolConfig/functionCallingConfig", json!({"mode": "ANY", "allowedFunctionNames": ["f", "g"]}), vec![]),
        (json!({"tools": [plain], "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]}}}), "/toolConfig/functionCallingConfig/mode", json!("VALIDATED"), vec![]),
        (json!({"tools": [plain], "tool_choice": {"type": "custom", "custom": {"name": "c"}}}), "/toolConfig", Value::Null, vec!["tool_choice;dropped"]),
        // A choice without functions is refused.
        (json!({"tool_choice": "auto"}), "/toolConfig", Value::Null, vec![]),
        (json!({"tool_choice": "required"}), "/toolConfig", Value::Null, vec!["tool_choice;dropped"]),
        (json!({"parallel_tool_calls": false}), "/toolConfig", Value::Null, vec!["parallel_tool_calls;dropped"]),
        (json!({"parallel_tool_calls": true}), "/toolConfig", Value::Null, vec![]),
        (json!({"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object", "not": {}}, "strict": true}}}), "/generationConfig",
            json!({"responseMimeType": "application/json", "responseJsonSchema": {"type": "object", "not": {}}}), vec!["response_format.json_schema.name;dropped"]),
        (json!({"response_format": {"type": "json_object"}}), "/generationConfig", json!({"responseMimeType": "application/json"}), vec![]),
        (json!({"reasoning_effort": "high"}), "/generationConfig/thinkingConfig", json!({"thinkingLevel": "high", "includeThoughts": true}), vec![]),
        (json!({"reasoning_effort": "minimal"}), "/generationConfig/thinkingConfig", json!({"thinkingLevel": "low", "includeThoughts": true}), vec!["reasoning_effort;clamped"]),
        (json!({"reasoning_effort": "none"}), "/generationConfig/thinkingConfig", json!({"thinkingLevel": "low"}), vec!["reasoning_effort;converted"]),
    ];
    check(OpenAiChat, Gemini, &Quirks::default(), chat, table);
}

#[test]
fn thinking_is_asked_for_in_the_words_the_model_takes() {
    let budget = Quirks { thinking: ThinkingSupport::Budget, ..Quirks::default() };
    #[rustfmt::skip]
    check(OpenAiChat, Gemini, &budget, chat, vec![
        (json!({"reasoning_effort": "none"}), "/generationConfig/thinkingConfig", json!({"thinkingBudget": 0}), vec![]),
        (json!({"reasoning_effort": "low"}), "/generationConfig/thinkingConfig", json!({"thinkingBudget": 2_048, "includeThoughts": true}), vec![]),
        (json!({"thinking": {"type": "enabled", "budget_tokens": 30_000}}), "/generationConfig/thinkingConfig/thinkingBudget", json!(24_576), vec!["thinking;clamped"]),
        (json!({"thinking": {"type": "adaptive"}}), "/generationConfig/thinkingConfig", json!({"thinkingBudget": -1, "includeThoughts": true}), vec![]),
    ]);
    let minimal = Quirks { minimal_effort: true, ..Quirks::default() };
    #[rustfmt::skip]
    check(OpenAiChat, Gemini, &minimal, chat, vec![
        (json!({"reasoning_effort": "minimal"}), "/generationConfig/thinkingConfig/thinkingLevel", json!("minimal"), vec![]),
        (json!({"reasoning_effort": "none"}), "/generationConfig/thinkingConfig/thinkingLevel", json!("minimal"), vec!["reasoning_effort;converted"]),
    ]);
    let none = Quirks { thinking: ThinkingSupport::None, sampling: SamplingSupport::None, ..Quirks::default() };
    #[rustfmt::skip]
    check(OpenAiChat, Gemini, &none, chat, vec![
        (json!({"reasoning_effort": "low"}), "/generationConfig", Value::Null, vec!["reasoning_effort;dropped"]),
        (json!({"reasoning_effort": "none"}), "/generationConfig", Value::Null, vec![]),
        (json!({"temperature": 1}), "/generationConfig", Value::Null, vec!["temperature;dropped"]),
    ]);
}

#[test]
fn each_member_of_geminis_becomes_its_counterpart() {
    #[rustfmt::skip]
    let table: Vec<Row> = vec![
        (json!({"generationConfig": {"maxOutputTokens": 5, "temperature": 0.5, "topP": 0.9, "seed": 3, "candidateCount": 2, "stopSequences": ["a"], "presencePenalty": 1, "frequencyPenalty": 2}}), "/max_completion_tokens", json!(5), vec![]),
        (json!({"generation_config": {"max_output_tokens": 6, "stop_sequences": ["a"]}}), "/stop", json!(["a"]), vec![]),
        (json!({"generationConfig": {"topK": 40.0}}), "/top_k", Value::Null, vec!["top_k;dropped"]),
        (json!({"generationConfig": {"responseLogprobs": true, "logprobs": 2}}), "/top_logprobs", json!(2), vec![]),
        (json!({"generationConfig": {"responseMimeType": "application/json"}}), "/response_format", json!({"type": "json_object"}), vec![]),
        (json!({"generationConfig": {"responseMimeType": "application/json", "responseSchema": {"type": "OBJECT", "nullable": true}}}), "/response_format/json_schema/schema", json!({"type": ["object", "null"]}), vec![]),
        (json!({"generationConfig": {"responseMimeType": "application/json", "response_json_schema": {"type": "object", "default": null}}}), "/response_format/json_schema/schema", json!({"type": "object", "default": null}), vec![]),
        (json!({"generationConfig": {"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING"}}}), "/response_format", Value::Null, vec!["generationConfig.responseJsonSchema;dropped"]),
        (json!({"generationConfig": {"responseModalities": ["TEXT"]}}), "/modalities", Value::Null, vec![]),
        (json!({"generationConfig": {"responseModalities": ["IMAGE"], "speechConfig": {}}}), "/modalities", Value::Null, vec!["generationConfig.responseModalities;dropped", "generationConfig.speechConfig;dropped"]),
        (json!({"generationConfig": {"thinkingConfig": {"thinkingLevel": "HIGH"}}}), "/reasoning_effort", json!("high"), vec![]),
        (json!({"generationConfig": {"thinkingConfig": {"thinking_budget": 8_000}}}), "/reasoning_effort", json!("medium"), vec!["generationConfig.thinkingConfig.thinkingBudget;converted"]),
        (json!({"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}}), "/reasoning_effort", Value::Null, vec![]),
        (json!({"systemInstruction": {"parts": {"text": "s"}}}), "/messages/0", json!({"role": "system", "content": "s"}), vec![]),
        (json!({"safetySettings": [], "cached_content": "c"}), "/safetySettings", Value::Null, vec!["safetySettings;dropped", "cachedContent;dropped"]),
        (json!({"tools": [{"functionDeclarations": [{"name": "f", "description": "d", "parameters": {"type": "OBJECT"}, "behavior": "BLOCKING"}], "googleSearch": {}}]}), "/tools", json!([{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}]), vec!["tools[1];dropped", "tools[0].behavior;dropped"]),
        (json!({"tools": [{"functionDeclarations": [{"name": "f"}]}], "toolConfig": {"functionCallingConfig": {"mode": "any"}}}), "/tool_choice", json!("required"), vec![]),
        (json!({"tools": [{"functionDeclarations": [{"name": "f"}]}], "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["f"]}}}), "/tool_choice/function/name", json!("f"), vec![]),
        (json!({"tools": [{"functionDeclarations": [{"name": "f"}]}], "toolConfig": {"functionCallingConfig": {"mode": "VALIDATED"}}}), "/tool_choice", json!("auto"), vec![]),
        (json!({"tools": [{"functionDeclarations": [{"name": "f"}]}], "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f", "g"]}}}), "/tool_choice", Value::Null, vec!["tool_choice;dropped"]),
    ];
    check(Gemini, OpenAiChat, &Quirks::default(), generate, table);
}

#[test]
fn what_only_gemini_knows_comes_back_unchanged() {
    let body = json!({
        "contents": [
            {"role": "user", "parts": [{"text": "a"}, {"inlineData": {"mimeType": "video/mp4", "data": "AAAA"}, "videoMetadata": {"fps": 1}}, {"fileData": {"fileUri": "gs://b/c.pdf"}}]},
            {"role": "model", "parts": [{"executableCode": {"language": "PYTHON", "code": "1"}}, {"text": "t", "thought": true, "thoughtSignature": "QUJD"}, {"text": "x", "thoughtSignature": "QUJE"}]},
            {"role": "user", "parts": [{"text": "b"}]},
        ],
        "systemInstruction": {"parts": [{"text": "s"}]},
        "tools": [{"googleSearch": {"a": 1}}],
        "toolConfig": {"functionCallingConfig": {"mode": "VALIDATED", "allowedFunctionNames": ["f", "g"]}},
        "generationConfig": {"responseMimeType": "text/x.enum", "responseJsonSchema": {"enum": ["a"]}},
        "safetySettings": [{"category": "c"}],
        "labels": {"a": "b"},
    });
    assert_eq!(send(Gemini, &body, Gemini, &Quirks::default()), (body, vec![]));
}

#[test]
fn a_conversation_with_tools_and_images_reaches_gemini_in_its_form() {
    let body = json!({"model": "x", "messages": [
        {"role": "system", "content": "s"},
        {"role": "user", "content": [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}, {"type": "image_url", "image_url": {"url": "https://a.example/b.webp?c"}}]},
        {"role": "assistant", "content": null, "tool_calls": [
            {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}},
            {"id": "2", "type": "function", "function": {"name": "g", "arguments": ""}}]},
        {"role": "tool", "tool_call_id": "2", "content": "[1,2]"},
        {"role": "tool", "tool_call_id": "1", "content": "{\"x\": null}"},
        {"role": "user", "content": "and?"},
    ]});
    let contents = json!([
        {"role": "user", "parts": [{"text": "see"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}, {"fileData": {"mimeType": "image/webp", "fileUri": "https://a.example/b.webp?c"}}]},
        {"role": "model", "parts": [{"functionCall": {"id": "1", "name": "f", "args": {"a": 1}}}, {"functionCall": {"id": "2", "name": "g", "args": {}}}]},
        {"role": "user", "parts": [
            {"functionResponse": {"id": "2", "name": "g", "response": {"output": [1, 2]}}},
            {"functionResponse": {"id": "1", "name": "f", "response": {"x": null}}},
            {"text": "and?"}]},
    ]);
    let (sent, warnings) = send(OpenAiChat, &body, Gemini, &Quirks::default());
    assert_eq!(
        (&sent["contents"], &sent["systemInstruction"], warnings),
        (&contents, &json!({"parts": [{"text": "s"}]}), vec![])
    );
    // Vertex takes no ids.
    let (sent, _) = send(OpenAiChat, &body, Gemini, &Quirks { call_ids: false, ..Quirks::default() });
    assert!(!sent.to_string().contains("\"id\""), "{sent}");
}

#[test]
fn what_was_called_since_the_user_spoke_is_signed_or_excused() {
    let call = |id: &str| json!({"role": "assistant", "tool_calls": [{"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}}, {"id": format!("{id}b"), "type": "function", "function": {"name": "f", "arguments": "{}"}}]});
    let result = |id: &str| json!({"role": "tool", "tool_call_id": id, "content": "r"});
    let signed = with(
        call("2"),
        &json!({"reasoning_details": [{"type": "reasoning.encrypted", "data": "QUJD", "format": "google-gemini-v1"}]}),
    );
    let body = json!({"model": "x", "messages": [
        {"role": "user", "content": "a"}, call("1"), result("1"), {"role": "assistant", "content": "so"},
        {"role": "user", "content": "b"}, signed, result("2"), call("3"), result("3")]});
    let signatures = |quirks: &Quirks| -> Vec<Value> {
        let (sent, _) = send(OpenAiChat, &body, Gemini, quirks);
        let parts: Vec<Value> = sent["contents"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|content| content["parts"].as_array().unwrap().clone())
            .collect();
        parts
            .iter()
            .filter(|part| part.get("functionCall").is_some())
            .map(|part| part["thoughtSignature"].clone())
            .collect()
    };
    let skip = json!("skip_thought_signature_validator");
    let levels = [Value::Null, Value::Null, json!("QUJD"), Value::Null, skip, Value::Null];
    assert_eq!(signatures(&Quirks::default()), levels);
    // Older models do not ask for one.
    let budget = Quirks { thinking: ThinkingSupport::Budget, ..Quirks::default() };
    assert_eq!(signatures(&budget), [Value::Null, Value::Null, json!("QUJD"), Value::Null, Value::Null, Value::Null]);
}

#[test]
fn images_a_tool_returns_stand_in_its_answer_or_beside_it() {
    let body = json!({"model": "x", "max_tokens": 9, "messages": [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "is_error": true, "content": [{"type": "text", "text": "no"}, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}}]}]}]});
    let image = json!({"inlineData": {"mimeType": "image/png", "data": "AA"}});
    let (sent, _) = send(Anthropic, &body, Gemini, &Quirks::default());
    assert_eq!(
        sent["contents"][2]["parts"],
        json!([{"functionResponse": {"id": "t", "name": "f", "response": {"error": "no"}, "parts": [image]}}])
    );
    let (sent, warnings) =
        send(Anthropic, &body, Gemini, &Quirks { thinking: ThinkingSupport::Budget, ..Quirks::default() });
    assert_eq!(sent["contents"][2]["parts"][1], image);
    assert_eq!(warnings, ["messages[2].content[0].content[1];moved"]);
    let again = Gemini.read_request(sent.to_string().as_bytes()).unwrap();
    assert!(format!("{:?}", again.messages[2].content[0]).contains("is_error: Some(true)"));
}

#[test]
fn calls_without_ids_get_the_same_ones_each_time_and_results_find_them() {
    let call = |name: &str| json!({"functionCall": {"name": name, "args": {}}});
    let result = |name: &str, text: &str| json!({"functionResponse": {"name": name, "response": {"output": text}}});
    let body = json!({"contents": [
        {"role": "user", "parts": [{"text": "a"}]},
        {"role": "model", "parts": [call("f"), call("g"), call("f")]},
        {"role": "function", "parts": [result("g", "1"), result("f", "2"), result("f", "3")]}]});
    let (sent, _) = send(Gemini, &body, OpenAiChat, &Quirks::default());
    let ids: Vec<&Value> =
        sent["messages"][1]["tool_calls"].as_array().unwrap().iter().map(|call| &call["id"]).collect();
    let results: Vec<(&Value, &Value)> = sent["messages"].as_array().unwrap()[2..]
        .iter()
        .map(|message| (&message["tool_call_id"], &message["content"]))
        .collect();
    assert_eq!(results, [(ids[1], &json!("1")), (ids[0], &json!("2")), (ids[2], &json!("3"))]);
    assert_eq!(send(Gemini, &body, OpenAiChat, &Quirks::default()).0, sent);
}

const CALL: &str = r#"{"candidates":[{"content":{"parts":[{"text":"hm","thought":true},{"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"U0lH"},{"functionCall":{"name":"f","args":{}}}],"role":"model"},"finishReason":"STOP"}],"modelVersion":"m","responseId":"r-1"}"#;

#[test]
fn a_signature_returns_to_its_call_through_a_caller_that_gives_back_what_it_got() {
    let response = Gemini.read_response(CALL.as_bytes()).unwrap();
    let context = ResponseContext { id: "i", model: None, created: 1, echo: &signalbox::dialect::Echo::default() };
    let answer: Value =
        serde_json::from_slice(&OpenAiChat.write_response(&response, &context, &mut Warnings::default())).unwrap();
    let message = answer["choices"][0]["message"].clone();
    let results: Vec<Value> = message["tool_calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| json!({"role": "tool", "tool_call_id": call["id"], "content": "r"}))
        .collect();
    let mut messages = vec![json!({"role": "user", "content": "a"}), message];
    messages.extend(results);
    let (sent, _) = send(OpenAiChat, &json!({"model": "x", "messages": messages}), Gemini, &Quirks::default());
    let parts = &sent["contents"][1]["parts"];
    assert_eq!(parts[0], json!({"text": "hm", "thought": true}));
    assert_eq!((&parts[1]["thoughtSignature"], &parts[2]["thoughtSignature"]), (&json!("U0lH"), &Value::Null));
    assert_eq!(parts[1]["functionCall"]["id"], json!("call_r1_0_0"));
}

#[test]
fn another_providers_signed_thoughts_survive_in_a_gemini_callers_hands() {
    let answer = json!({"id": "m", "type": "message", "role": "assistant", "model": "c", "stop_reason": "tool_use", "usage": {"input_tokens": 1, "output_tokens": 1}, "content": [
        {"type": "thinking", "thinking": "hm", "signature": "c2ln+/=="}, {"type": "redacted_thinking", "data": "ZGF0YQ=="}, {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}]});
    let response = Anthropic.read_response(answer.to_string().as_bytes()).unwrap();
    let context = ResponseContext { id: "i", model: None, created: 1, echo: &signalbox::dialect::Echo::default() };
    let told: Value =
        serde_json::from_slice(&Gemini.write_response(&response, &context, &mut Warnings::default())).unwrap();
    let back = json!({"contents": [{"role": "user", "parts": [{"text": "a"}]}, told["candidates"][0]["content"], {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": "r"}}}]}]});
    let (sent, warnings) = send(Gemini, &back, Anthropic, &Quirks::default());
    assert_eq!((&sent["messages"][1]["content"], warnings), (&answer["content"], vec![]));
    // The same by way of a stream.
    let stream = encode(Gemini, &response.into_events());
    let events = decode(Gemini, [stream.as_slice()]);
    let seals = Answer::from_events(&events);
    assert_eq!(seals.signatures, ["anthropic-claude-v1 c2ln+/=="]);
    assert_eq!(seals.redacted, ["anthropic-claude-v1 ZGF0YQ=="]);
}

fn gemini(events: &[&str]) -> Vec<Event> {
    let stream: String = events.iter().map(|event| format!("data: {event}\r\n\r\n")).collect();
    decode(Gemini, [stream.as_bytes()])
}

fn say(parts: &str, more: &str) -> String {
    format!(
        r#"{{"candidates":[{{"content":{{"parts":[{parts}],"role":"model"}}{more},"index":0}}],"modelVersion":"m","responseId":"r"}}"#
    )
}

const STOP: &str = r#","finishReason":"STOP""#;

#[test]
fn a_finish_reason_is_told_in_every_dialects_words() {
    for (word, finish, openai) in [
        ("STOP", FinishReason::Stop, "stop"),
        ("MAX_TOKENS", FinishReason::Length, "length"),
        ("SAFETY", FinishReason::ContentFilter, "content_filter"),
        ("RECITATION", FinishReason::ContentFilter, "content_filter"),
        ("IMAGE_SAFETY", FinishReason::ContentFilter, "content_filter"),
        ("MALFORMED_FUNCTION_CALL", FinishReason::Other("MALFORMED_FUNCTION_CALL".to_owned()), "stop"),
    ] {
        let events = gemini(&[&say(r#"{"text":"a"}"#, &format!(r#","finishReason":"{word}""#))]);
        assert_eq!(Answer::from_events(&events).finish, Some(finish), "{word}");
        let stream = String::from_utf8(encode(OpenAiChat, &events)).unwrap();
        assert!(stream.contains(&format!("\"finish_reason\":\"{openai}\"")), "{stream}");
        let stream = String::from_utf8(encode(Gemini, &events)).unwrap();
        let same = if openai == "content_filter" { "SAFETY" } else { word };
        assert!(stream.contains(&format!("\"finishReason\":\"{same}\"")), "{stream}");
    }
    let called = gemini(&[&say(r#"{"functionCall":{"name":"f"}}"#, STOP)]);
    assert_eq!(Answer::from_events(&called).finish, Some(FinishReason::ToolCalls));
}

#[test]
fn a_failure_inside_a_stream_is_told_once_and_never_as_an_end() {
    let hi = say(r#"{"text":"hi"}"#, "");
    let error = r#"{"error":{"code":503,"message":"m","status":"UNAVAILABLE","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"2s"}]}}"#;
    for (events, class) in [
        (vec![], UpstreamClass::Protocol),
        (vec![hi.as_str()], UpstreamClass::Protocol),
        (vec![&hi, "{broken"], UpstreamClass::Protocol),
        (vec![&hi, error], UpstreamClass::Overloaded),
        (vec![error], UpstreamClass::Overloaded),
    ] {
        let told = gemini(&events);
        let answer = Answer::from_events(&told);
        assert_eq!((answer.error.map(|error| error.class), answer.ended), (Some(class), false), "{events:?}");
        for dialect in ALL {
            assert!(!Answer::from_events(&decode(dialect, [encode(dialect, &told).as_slice()])).ended);
        }
    }
}

#[test]
fn arguments_over_several_lines_stay_in_one_event() {
    let events = gemini(&[&say(r#"{"functionCall":{"name":"f","args":{"a":1}}}"#, STOP)]);
    let mut pretty = events;
    for event in &mut pretty {
        if let Event::Delta { delta: Delta::Arguments(text), .. } = event {
            *text = "{\n  \"a\":\r\n 1\n}".to_owned();
        }
    }
    let again = Answer::from_events(&decode(Gemini, [encode(Gemini, &pretty).as_slice()]));
    assert_eq!(serde_json::from_str::<Value>(&again.calls[0].2).unwrap(), json!({"a": 1}));
}

#[test]
fn geminis_streams_survive_what_the_provider_may_come_to_send() {
    let answer = Answer::from_events(&gemini(&[
        r#"{"usageMetadata":{"promptTokenCount":1}}"#,
        r#"{"candidates":null}"#,
        r#"{"candidates":[null,5,{"content":null},{"content":{"parts":null}}]}"#,
        "[]",
        "3",
        "[DONE]",
        &say(r#"{"text":5},{"unheardOf":{}},null,{"text":"a","thought":false},{"functionCall":null}"#, ""),
        &say(r#"{"text":"b\ud83d"}"#, ""),
        &say(r#"{"text":"\ude00"}"#, ""),
        &say(r#"{"functionCall":{"name":"f","id":"x","args":{"k":1}}},{"functionCall":{"name":"f","id":"x"}}"#, ""),
        &say(r#"{"text":""}"#, r#","finishReason":"STOP","unknown":1"#),
        r#"{"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":"many","thoughtsTokenCount":7}}"#,
    ]));
    assert!(answer.ended && answer.error.is_none(), "{answer:?}");
    assert_eq!(answer.text, "ab😀");
    assert_eq!(answer.usage.map(|usage| (usage.input, usage.output, usage.reasoning)), Some((5, 0, 7)));
    assert_eq!(answer.calls[0], ("x".to_owned(), "f".to_owned(), r#"{"k":1}"#.to_owned()));
    assert_ne!(answer.calls[1].0, "x");
}

#[test]
fn a_blocked_prompt_ends_a_stream_and_an_answer() {
    let blocked = r#"{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":3}}"#;
    let answer = Answer::from_events(&gemini(&[blocked]));
    assert_eq!((answer.ended, answer.finish), (true, Some(FinishReason::ContentFilter)));
    let mut meter = Gemini.meter();
    meter.push(format!("data: {blocked}\n\n").as_bytes());
    assert_eq!(meter.finish().finish, Finish::Complete);
    let response = Gemini.read_response(blocked.as_bytes()).unwrap();
    assert_eq!(response.choices[0].finish, Some(FinishReason::ContentFilter));
}

#[test]
fn an_array_of_events_is_an_answer_if_it_came_to_its_end() {
    let (a, b) = (say(r#"{"text":"a"}"#, ""), say(r#"{"text":"b"}"#, STOP));
    let response = Gemini.read_response(format!("[{a},{b}]").as_bytes()).unwrap();
    assert_eq!(Answer::from_response(&response).text, "ab");
    for broken in [format!("[{a},{a}]"), "[]".to_owned(), "{}".to_owned(), "<html>".to_owned(), "7".to_owned()] {
        assert!(Gemini.read_response(broken.as_bytes()).is_err(), "{broken}");
    }
    let error = Gemini.read_response(br#"[{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}]"#);
    assert!(matches!(error, Err(ProtocolError::Upstream(error)) if error.class == UpstreamClass::RateLimited));
}

#[test]
fn grounding_becomes_annotations_and_back() {
    let grounded = say(
        r#"{"text":"It is so."}"#,
        r#","finishReason":"STOP","groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://a.example","title":"A"}}],"groundingSupports":[{"segment":{"endIndex":9},"groundingChunkIndices":[0]}]}"#,
    );
    let response = Gemini.read_response(grounded.as_bytes()).unwrap();
    let context = ResponseContext { id: "i", model: None, created: 1, echo: &signalbox::dialect::Echo::default() };
    let chat = OpenAiChat.write_response(&response, &context, &mut Warnings::default());
    let told: Value = serde_json::from_slice(&chat).unwrap();
    let cited = &told["choices"][0]["message"]["annotations"][0]["url_citation"];
    assert_eq!((&cited["url"], &cited["title"]), (&json!("https://a.example"), &json!("A")));
    let back = OpenAiChat.read_response(&chat).unwrap();
    let back: Value =
        serde_json::from_slice(&Gemini.write_response(&back, &context, &mut Warnings::default())).unwrap();
    assert_eq!(
        back["candidates"][0]["groundingMetadata"]["groundingChunks"][0]["web"]["uri"],
        json!("https://a.example")
    );
}

/// One event's part.
fn part() -> impl Strategy<Value = String> {
    let text = "[a-zé😀\\n ]{0,6}".prop_map(|text| Value::from(text).to_string());
    prop_oneof![
        text.clone().prop_map(|text| format!(r#"{{"text":{text}}}"#)),
        text.clone().prop_map(|text| format!(r#"{{"text":{text},"thought":true}}"#)),
        text.clone().prop_map(|text| format!(r#"{{"text":{text},"thoughtSignature":"U0lH"}}"#)),
        text.clone().prop_map(|text| format!(r#"{{"functionCall":{{"name":"f","args":{{"k":{text}}}}}}}"#)),
        text.prop_map(|text| format!(
            r#"{{"functionCall":{{"name":"g","id":"i","args":{{"k":{text}}}}},"thoughtSignature":"U0lH"}}"#
        )),
    ]
}

proptest! {
    #[test]
    fn any_answer_survives_every_dialect_there_and_back_in_any_chunking(parts in prop::collection::vec(part(), 0..8), size in 1_usize..40) {
        let mut stream: String = parts.iter().map(|part| format!("data: {}\r\n\r\n", say(part, ""))).collect();
        stream += &format!("data: {}\r\n\r\n", say(r#"{"text":""}"#, r#","finishReason":"STOP""#));
        let events = decode(Gemini, [stream.as_bytes()]);
        prop_assert_eq!(&decode(Gemini, stream.as_bytes().chunks(size)), &events);
        let original = Answer::from_events(&events);
        let mut meter = Gemini.meter();
        stream.as_bytes().chunks(size).for_each(|chunk| meter.push(chunk));
        let observed = meter.finish();
        prop_assert_eq!(observed.finish, Finish::Complete);
        for dialect in ALL {
            let out = encode(dialect, &events);
            let there = Answer::from_events(&decode(dialect, out.chunks(size)));
            prop_assert_eq!((&there.text, &there.thoughts, &there.calls, there.ended), (&original.text, &original.thoughts, &original.calls, true));
            if dialect != Anthropic {
                prop_assert_eq!(&there.redacted, &original.redacted);
            }
        }
    }
}
