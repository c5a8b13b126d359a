//! The friendly answer in OpenAI's Chat Completions.

use serde_json::{Value, json};

use super::reply::{any_object, content_text, tokens};
use super::{Finish, Reply, Style, Tool, ToolChoice, Wishes, pieces, with};
use crate::simulator::ask::Parsed;
use crate::simulator::script::{Script, Step};

/// What the real API would refuse, in a sentence.
pub(super) fn refusal(body: &Value) -> Option<&'static str> {
    if !body.is_object() {
        return Some("We could not parse the JSON body of your request.");
    }
    if body.get("messages").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        return Some("Missing required parameter: 'messages'.");
    }
    body.get("model").and_then(Value::as_str).is_none().then_some("you must provide a model parameter")
}

pub(super) fn wishes(body: &Value) -> Wishes {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let messages: &[Value] = body.get("messages").and_then(Value::as_array).map_or(&[], Vec::as_slice);
    let role = |message: &Value| message.get("role").and_then(Value::as_str).unwrap_or_default().to_owned();
    let content = |message: &Value| message.get("content").map(content_text).unwrap_or_default();
    let format = body.get("response_format");
    let schema = match format.and_then(|format| format.get("type")).and_then(Value::as_str) {
        Some("json_schema") => format.and_then(|format| format.pointer("/json_schema/schema")).cloned(),
        Some("json_object") => Some(any_object()),
        _ => None,
    };
    Wishes {
        model: text("model"),
        question: messages.iter().rev().find(|message| role(message) == "user").map(content).unwrap_or_default(),
        tool_result: messages.last().filter(|message| role(message) == "tool").map(content),
        prompt_tokens: messages
            .iter()
            .map(|message| tokens(&content(message)).saturating_add(4))
            .sum::<u64>()
            .saturating_add(body.get("tools").map_or(0, |tools| tokens(&tools.to_string()))),
        max_tokens: ["max_completion_tokens", "max_tokens"]
            .iter()
            .find_map(|name| body.get(name).and_then(Value::as_u64)),
        stop: match body.get("stop") {
            Some(Value::String(stop)) => vec![stop.clone()],
            other => other
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        },
        tools: body.get("tools").and_then(Value::as_array).into_iter().flatten().filter_map(tool).collect(),
        tool_choice: match body.get("tool_choice") {
            Some(Value::String(choice)) if choice == "required" => ToolChoice::Required,
            Some(choice) => {
                let name = choice.pointer("/function/name").and_then(Value::as_str);
                name.map_or(ToolChoice::Free, |name| ToolChoice::Named(name.to_owned()))
            }
            None => ToolChoice::Free,
        },
        schema,
        // OpenAI shows no thoughts; they only count.
        thinking: body.get("reasoning_effort").and_then(Value::as_str).is_some_and(|effort| effort != "none"),
    }
}

fn tool(value: &Value) -> Option<Tool> {
    let function = value.get("function")?;
    Some(Tool {
        name: function.get("name")?.as_str()?.to_owned(),
        schema: function.get("parameters").cloned().unwrap_or_default(),
    })
}

pub(super) fn script(parsed: &Parsed, reply: &Reply, serial: u64, style: &Style) -> Script {
    let script = if parsed.stream {
        let told =
            style.usage && parsed.body.pointer("/stream_options/include_usage").and_then(Value::as_bool) == Some(true);
        Script::stream(stream(parsed, reply, serial, told, style.pace_ms))
    } else {
        Script::json(200, whole(parsed, reply, serial, style))
    };
    script.header("x-request-id", format!("req_simulator{serial:06}")).header("openai-processing-ms", "5")
}

fn finish(finish: &Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::StopSequence(_) => "stop",
        Finish::Length => "length",
        Finish::ToolCalls => "tool_calls",
        Finish::Filtered => "content_filter",
    }
}

fn usage(reply: &Reply) -> Value {
    json!({
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "total_tokens": reply.prompt_tokens.saturating_add(reply.completion_tokens),
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": reply.thinking_tokens, "audio_tokens": 0,
            "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
        },
    })
}

fn call_id(serial: u64, index: usize) -> String {
    format!("call_simulator{serial:06}n{index}")
}

fn whole(parsed: &Parsed, reply: &Reply, serial: u64, style: &Style) -> Value {
    let message = json!({
        "role": "assistant",
        "content": if reply.calls.is_empty() { json!(reply.text()) } else { Value::Null },
        "refusal": null,
        "annotations": [],
    });
    let calls = reply.calls.iter().enumerate().map(|(index, (name, arguments))| {
        let function = json!({"name": name, "arguments": arguments.to_string()});
        json!({"id": call_id(serial, index), "type": "function", "function": function})
    });
    let calls: Vec<Value> = calls.collect();
    let message = if calls.is_empty() { message } else { with(message, "tool_calls", json!(calls)) };
    let body = json!({
        "id": format!("chatcmpl-simulator{serial:06}"),
        "object": "chat.completion",
        "created": parsed.unix_seconds,
        "model": parsed.model,
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": finish(&reply.finish)}],
        "service_tier": "default",
        "system_fingerprint": "fp_simulator",
    });
    if style.usage { with(body, "usage", usage(reply)) } else { body }
}

fn stream(parsed: &Parsed, reply: &Reply, serial: u64, told: bool, pace_ms: u64) -> Vec<Step> {
    let chunk = |choices: Value, usage: Value| {
        let chunk = json!({
            "id": format!("chatcmpl-simulator{serial:06}"),
            "object": "chat.completion.chunk",
            "created": parsed.unix_seconds,
            "model": parsed.model,
            "service_tier": "default",
            "system_fingerprint": "fp_simulator",
            "choices": choices,
        });
        // Null on every chunk but the last, as the real API sends it once usage was asked for.
        Step::Data(if told { with(chunk, "usage", usage) } else { chunk })
    };
    let delta = |delta: Value, finish: Value| {
        chunk(json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]), Value::Null)
    };
    let opening = if reply.calls.is_empty() { json!("") } else { Value::Null };
    let mut steps = vec![delta(json!({"role": "assistant", "content": opening, "refusal": null}), Value::Null)];
    let mut paced = |step: Step| {
        if pace_ms > 0 {
            steps.push(Step::DelayMs(pace_ms));
        }
        steps.push(step);
    };
    for word in &reply.words {
        paced(delta(json!({"content": word}), Value::Null));
    }
    for (index, (name, arguments)) in reply.calls.iter().enumerate() {
        let begin = json!({"index": index, "id": call_id(serial, index), "type": "function", "function": {"name": name, "arguments": ""}});
        paced(delta(json!({"tool_calls": [begin]}), Value::Null));
        for piece in pieces(&arguments.to_string()) {
            paced(delta(json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}), Value::Null));
        }
    }
    paced(delta(json!({}), json!(finish(&reply.finish))));
    if told {
        steps.push(chunk(json!([]), usage(reply)));
    }
    steps.push(Step::Data(json!("[DONE]")));
    steps
}
