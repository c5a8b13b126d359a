//! The friendly answer in Anthropic's Messages.

use serde_json::{Value, json};

use super::reply::{content_text, tokens};
use super::{Finish, Reply, Style, Tool, ToolChoice, Wishes, pieces, with};
use crate::simulator::ask::Parsed;
use crate::simulator::script::{Script, Step};

/// What the real API would refuse, in a sentence.
pub(super) fn refusal(body: &Value) -> Option<&'static str> {
    if !body.is_object() {
        return Some("The request body is not valid JSON");
    }
    if body.get("model").and_then(Value::as_str).is_none() {
        return Some("model: Field required");
    }
    if body.get("max_tokens").and_then(Value::as_u64).is_none_or(|limit| limit == 0) {
        return Some("max_tokens: Field required");
    }
    body.get("messages").and_then(Value::as_array).is_none_or(Vec::is_empty).then_some("messages: Field required")
}

pub(super) fn wishes(body: &Value) -> Wishes {
    let messages: &[Value] = body.get("messages").and_then(Value::as_array).map_or(&[], Vec::as_slice);
    let content = |message: &Value| message.get("content").map(content_text).unwrap_or_default();
    let is_user = |message: &&Value| message.get("role").and_then(Value::as_str) == Some("user");
    let whole = |value: Option<&Value>| value.map_or(0, |value| tokens(&value.to_string()));
    let thinking = body.pointer("/thinking/type").and_then(Value::as_str);
    Wishes {
        model: body.get("model").and_then(Value::as_str).unwrap_or_default().to_owned(),
        question: messages.iter().rev().filter(is_user).map(content).find(|text| !text.is_empty()).unwrap_or_default(),
        tool_result: messages.last().filter(is_user).and_then(tool_result),
        prompt_tokens: messages
            .iter()
            .map(|message| tokens(&content(message)).saturating_add(4))
            .sum::<u64>()
            .saturating_add(body.get("system").map_or(0, |system| tokens(&content_text(system))))
            .saturating_add(whole(body.get("tools"))),
        max_tokens: body.get("max_tokens").and_then(Value::as_u64),
        stop: body
            .get("stop_sequences")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|stop| stop.as_str().map(str::to_owned))
            .collect(),
        tools: body.get("tools").and_then(Value::as_array).into_iter().flatten().filter_map(tool).collect(),
        tool_choice: match body.pointer("/tool_choice/type").and_then(Value::as_str) {
            Some("any") => ToolChoice::Required,
            Some("tool") => {
                let name = body.pointer("/tool_choice/name").and_then(Value::as_str).unwrap_or_default();
                ToolChoice::Named(name.to_owned())
            }
            _ => ToolChoice::Free,
        },
        schema: ["/output_config/format/schema", "/output_format/schema"]
            .iter()
            .find_map(|path| body.pointer(path))
            .cloned(),
        thinking: matches!(thinking, Some("enabled" | "adaptive")),
    }
}

fn tool(value: &Value) -> Option<Tool> {
    let schema = value.get("input_schema").cloned().unwrap_or_default();
    Some(Tool { name: value.get("name")?.as_str()?.to_owned(), schema })
}

fn tool_result(message: &Value) -> Option<String> {
    let blocks = message.get("content")?.as_array()?;
    let result = blocks.iter().find(|block| block.get("type").and_then(Value::as_str) == Some("tool_result"))?;
    Some(result.get("content").map(content_text).unwrap_or_default())
}

pub(super) fn script(parsed: &Parsed, reply: &Reply, serial: u64, style: &Style) -> Script {
    let script = if parsed.stream {
        Script::stream(stream(parsed, reply, serial, style))
    } else {
        let content = blocks(reply, serial).into_iter().map(|block| block.whole).collect();
        let message = with(message(parsed, serial), "content", content);
        let message = with(message, "stop_reason", json!(stop_reason(&reply.finish)));
        let message = with(message, "stop_sequence", stop_sequence(&reply.finish));
        let usage = usage(reply.prompt_tokens, reply.completion_tokens);
        Script::json(200, if style.usage { with(message, "usage", usage) } else { message })
    };
    script.header("request-id", format!("req_simulator{serial:06}"))
}

/// The message with nothing in it yet.
fn message(parsed: &Parsed, serial: u64) -> Value {
    json!({
        "id": format!("msg_simulator{serial:06}"),
        "type": "message",
        "role": "assistant",
        "model": parsed.model,
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
    })
}

fn usage(input: u64, output: u64) -> Value {
    json!({
        "input_tokens": input,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": output,
        "service_tier": "standard",
    })
}

fn stop_reason(finish: &Finish) -> &'static str {
    match finish {
        Finish::Stop => "end_turn",
        Finish::StopSequence(_) => "stop_sequence",
        Finish::Length => "max_tokens",
        Finish::ToolCalls => "tool_use",
        Finish::Filtered => "refusal",
    }
}

fn stop_sequence(finish: &Finish) -> Value {
    if let Finish::StopSequence(met) = finish { json!(met) } else { Value::Null }
}

/// A content block: as a whole, and as it is streamed.
struct Block {
    whole: Value,
    start: Value,
    deltas: Vec<Value>,
}

fn blocks(reply: &Reply, serial: u64) -> Vec<Block> {
    let mut blocks = Vec::new();
    if !reply.thoughts.is_empty() {
        let signature = "c2ltdWxhdGVkIHNpZ25hdHVyZQ==";
        let thoughts = reply.thoughts.iter().map(|word| json!({"type": "thinking_delta", "thinking": word}));
        blocks.push(Block {
            whole: json!({"type": "thinking", "thinking": reply.thoughts.concat(), "signature": signature}),
            start: json!({"type": "thinking", "thinking": "", "signature": ""}),
            deltas: thoughts.chain([json!({"type": "signature_delta", "signature": signature})]).collect(),
        });
    }
    if reply.calls.is_empty() {
        blocks.push(Block {
            whole: json!({"type": "text", "text": reply.text()}),
            start: json!({"type": "text", "text": ""}),
            deltas: reply.words.iter().map(|word| json!({"type": "text_delta", "text": word})).collect(),
        });
    }
    for (index, (name, arguments)) in reply.calls.iter().enumerate() {
        let id = format!("toolu_simulator{serial:06}n{index}");
        let pieces = pieces(&arguments.to_string());
        blocks.push(Block {
            whole: json!({"type": "tool_use", "id": id, "name": name, "input": arguments}),
            start: json!({"type": "tool_use", "id": id, "name": name, "input": {}}),
            deltas: pieces.iter().map(|piece| json!({"type": "input_json_delta", "partial_json": piece})).collect(),
        });
    }
    blocks
}

fn stream(parsed: &Parsed, reply: &Reply, serial: u64, style: &Style) -> Vec<Step> {
    let told = |object: Value, usage: Value| {
        if style.usage { with(object, "usage", usage) } else { object }
    };
    let start = told(message(parsed, serial), usage(reply.prompt_tokens, 1));
    let mut steps = vec![Step::Event(json!({"type": "message_start", "message": start}))];
    for (index, block) in blocks(reply, serial).into_iter().enumerate() {
        steps.push(Step::Event(json!({"type": "content_block_start", "index": index, "content_block": block.start})));
        if index == 0 {
            steps.push(Step::Event(json!({"type": "ping"})));
        }
        for delta in block.deltas {
            if style.pace_ms > 0 {
                steps.push(Step::DelayMs(style.pace_ms));
            }
            steps.push(Step::Event(json!({"type": "content_block_delta", "index": index, "delta": delta})));
        }
        steps.push(Step::Event(json!({"type": "content_block_stop", "index": index})));
    }
    let end = json!({
        "type": "message_delta",
        "delta": {"stop_reason": stop_reason(&reply.finish), "stop_sequence": stop_sequence(&reply.finish)},
    });
    steps.push(Step::Event(told(end, json!({"output_tokens": reply.completion_tokens}))));
    steps.push(Step::Event(json!({"type": "message_stop"})));
    steps
}
