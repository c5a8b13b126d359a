//! The friendly answer in OpenAI's Responses.

use serde_json::{Value, json};

use super::reply::{any_object, content_text, tokens};
use super::{Finish, Reply, Style, Tool, ToolChoice, Wishes, pieces};
use crate::simulator::ask::Parsed;
use crate::simulator::script::{Script, Step};

/// What the real API would refuse, in a sentence.
pub(super) fn refusal(body: &Value) -> Option<&'static str> {
    if !body.is_object() {
        return Some("We could not parse the JSON body of your request.");
    }
    match body.get("input") {
        Some(Value::String(_) | Value::Array(_)) => {}
        _ if body.get("previous_response_id").is_some() => {}
        _ => return Some("Missing required parameter: 'input'."),
    }
    body.get("model").and_then(Value::as_str).is_none().then_some("you must provide a model parameter")
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

pub(super) fn wishes(body: &Value) -> Wishes {
    let said = |item: &Value| ["content", "output"].iter().find_map(|name| item.get(name)).map(content_text);
    let input = match body.get("input") {
        Some(Value::String(text)) => vec![json!({"role": "user", "content": text})],
        other => other.and_then(Value::as_array).cloned().unwrap_or_default(),
    };
    let format = body.pointer("/text/format");
    let schema = match format.map(|format| text(format, "type")).as_deref() {
        Some("json_schema") => format.and_then(|format| format.get("schema")).cloned(),
        Some("json_object") => Some(any_object()),
        _ => None,
    };
    let question = input.iter().rev().find(|item| text(item, "role") == "user").and_then(said);
    let result = input.last().filter(|item| text(item, "type") == "function_call_output").and_then(said);
    let words = input.iter().filter_map(said).map(|text| tokens(&text).saturating_add(4)).sum::<u64>();
    Wishes {
        model: text(body, "model"),
        question: question.unwrap_or_default(),
        tool_result: result,
        prompt_tokens: words
            .saturating_add(tokens(&text(body, "instructions")))
            .saturating_add(body.get("tools").map_or(0, |tools| tokens(&tools.to_string()))),
        max_tokens: body.get("max_output_tokens").and_then(Value::as_u64),
        stop: Vec::new(),
        tools: body.get("tools").and_then(Value::as_array).into_iter().flatten().filter_map(tool).collect(),
        tool_choice: match body.get("tool_choice") {
            Some(Value::String(choice)) if choice == "required" => ToolChoice::Required,
            Some(choice) => choice
                .get("name")
                .and_then(Value::as_str)
                .map_or(ToolChoice::Free, |name| ToolChoice::Named(name.to_owned())),
            None => ToolChoice::Free,
        },
        schema,
        thinking: body.pointer("/reasoning/effort").and_then(Value::as_str).is_some_and(|effort| effort != "none"),
    }
}

fn tool(value: &Value) -> Option<Tool> {
    Some(Tool {
        name: value.get("name")?.as_str()?.to_owned(),
        schema: value.get("parameters").cloned().unwrap_or_default(),
    })
}

pub(super) fn script(parsed: &Parsed, reply: &Reply, serial: u64, style: &Style) -> Script {
    let script = if parsed.stream {
        Script::stream(stream(parsed, reply, serial, style))
    } else {
        Script::json(200, response(parsed, reply, serial, style, Some(&items(reply, serial))))
    };
    script.header("x-request-id", format!("req_simulator{serial:06}")).header("openai-processing-ms", "5")
}

/// The answer around its output; without output it is only beginning.
fn response(parsed: &Parsed, reply: &Reply, serial: u64, style: &Style, output: Option<&[Value]>) -> Value {
    let cut = match reply.finish {
        Finish::Length => Some("max_output_tokens"),
        Finish::Filtered => Some("content_filter"),
        Finish::Stop | Finish::StopSequence(_) | Finish::ToolCalls => None,
    };
    let status = match (output, cut) {
        (None, _) => "in_progress",
        (Some(_), Some(_)) => "incomplete",
        (Some(_), None) => "completed",
    };
    let usage = json!({
        "input_tokens": reply.prompt_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": reply.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": reply.thinking_tokens},
        "total_tokens": reply.prompt_tokens.saturating_add(reply.completion_tokens),
    });
    let echo = |name: &str, usual: Value| parsed.body.get(name).cloned().unwrap_or(usual);
    json!({
        "id": format!("resp_simulator{serial:06}"),
        "object": "response",
        "created_at": parsed.unix_seconds,
        "status": status,
        "error": null,
        "incomplete_details": output.and(cut).map(|reason| json!({"reason": reason})),
        "instructions": echo("instructions", Value::Null),
        "model": parsed.model,
        "output": output.unwrap_or_default(),
        "parallel_tool_calls": echo("parallel_tool_calls", json!(true)),
        "temperature": echo("temperature", json!(1.0)),
        "text": echo("text", json!({"format": {"type": "text"}})),
        "tool_choice": echo("tool_choice", json!("auto")),
        "tools": echo("tools", json!([])),
        "top_p": echo("top_p", json!(1.0)),
        "usage": if style.usage && output.is_some() { usage } else { Value::Null },
        "metadata": echo("metadata", json!({})),
    })
}

fn reasoning(serial: u64, sealed: bool) -> Value {
    let sealed = sealed.then(|| format!("sealed-by-the-simulator-{serial:06}"));
    json!({"id": format!("rs_simulator{serial:06}"), "type": "reasoning", "summary": [], "encrypted_content": sealed})
}

fn message(serial: u64, status: &str, content: &[Value]) -> Value {
    json!({"id": format!("msg_simulator{serial:06}"), "type": "message", "status": status, "role": "assistant", "content": content})
}

fn output_text(text: &str) -> Value {
    json!({"type": "output_text", "annotations": [], "logprobs": [], "text": text})
}

fn call(serial: u64, index: usize, name: &str, arguments: &str) -> Value {
    json!({
        "id": format!("fc_simulator{serial:06}n{index}"), "type": "function_call", "status": "completed",
        "arguments": arguments, "call_id": format!("call_simulator{serial:06}n{index}"), "name": name,
    })
}

fn items(reply: &Reply, serial: u64) -> Vec<Value> {
    let mut items = Vec::new();
    if reply.thinking_tokens > 0 {
        items.push(reasoning(serial, true));
    }
    if reply.calls.is_empty() {
        items.push(message(serial, "completed", &[output_text(&reply.text())]));
    }
    let calls = reply.calls.iter().enumerate();
    items.extend(calls.map(|(index, (name, arguments))| call(serial, index, name, &arguments.to_string())));
    items
}

fn stream(parsed: &Parsed, reply: &Reply, serial: u64, style: &Style) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut number = 0_u64;
    let mut send = |kind: &str, mut event: Value, pause: bool| {
        if let Some(members) = event.as_object_mut() {
            members.insert("type".to_owned(), json!(kind));
            members.insert("sequence_number".to_owned(), json!(number));
        }
        number = number.saturating_add(1);
        if pause && style.pace_ms > 0 {
            steps.push(Step::DelayMs(style.pace_ms));
        }
        steps.push(Step::Event(event));
    };
    let begun = response(parsed, reply, serial, style, None);
    send("response.created", json!({"response": begun}), false);
    send("response.in_progress", json!({"response": begun}), false);
    let items = items(reply, serial);
    for (place, item) in items.iter().enumerate() {
        let id = item.get("id").cloned().unwrap_or_default();
        match text(item, "type").as_str() {
            "message" => {
                let at = json!({"item_id": id, "output_index": place, "content_index": 0});
                let with = |name: &str, value: Value| super::with(at.clone(), name, value);
                send(
                    "response.output_item.added",
                    json!({"output_index": place, "item": message(serial, "in_progress", &[])}),
                    false,
                );
                send("response.content_part.added", with("part", output_text("")), false);
                for word in &reply.words {
                    send(
                        "response.output_text.delta",
                        super::with(with("delta", json!(word)), "logprobs", json!([])),
                        true,
                    );
                }
                send(
                    "response.output_text.done",
                    super::with(with("text", json!(reply.text())), "logprobs", json!([])),
                    false,
                );
                send("response.content_part.done", with("part", output_text(&reply.text())), false);
            }
            "function_call" => {
                let arguments = text(item, "arguments");
                let opening =
                    super::with(super::with(item.clone(), "arguments", json!("")), "status", json!("in_progress"));
                send("response.output_item.added", json!({"output_index": place, "item": opening}), true);
                for piece in pieces(&arguments) {
                    let delta = json!({"item_id": id, "output_index": place, "delta": piece});
                    send("response.function_call_arguments.delta", delta, true);
                }
                let done = json!({"item_id": id, "output_index": place, "arguments": arguments});
                send("response.function_call_arguments.done", done, false);
            }
            _ => send(
                "response.output_item.added",
                json!({"output_index": place, "item": reasoning(serial, false)}),
                true,
            ),
        }
        send("response.output_item.done", json!({"output_index": place, "item": item}), false);
    }
    let ended = response(parsed, reply, serial, style, Some(&items));
    let kind = if text(&ended, "status") == "incomplete" { "response.incomplete" } else { "response.completed" };
    send(kind, json!({"response": ended}), false);
    steps
}
