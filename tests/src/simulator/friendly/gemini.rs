//! The friendly answer in Gemini's generateContent.

use serde_json::{Value, json};

use super::reply::{any_object, content_text, tokens};
use super::{Finish, Reply, Style, Tool, ToolChoice, Wishes, with};
use crate::simulator::ask::Parsed;
use crate::simulator::script::{Script, Step};

/// What the real API would refuse, in a sentence.
pub(super) fn refusal(body: &Value) -> Option<&'static str> {
    let contents = body.get("contents").and_then(Value::as_array);
    if contents.is_none_or(Vec::is_empty) {
        return Some("* GenerateContentRequest.contents: contents is not specified\n");
    }
    let empty = |content: &Value| content.get("parts").and_then(Value::as_array).is_none_or(Vec::is_empty);
    let bare = |content: &Value| content.get("role").and_then(Value::as_str).is_none();
    if contents.into_iter().flatten().any(|content| empty(content) || bare(content)) {
        return Some("* GenerateContentRequest.contents: each must have a role and at least one part\n");
    }
    body.get("model").is_some().then_some("Invalid JSON payload received. Unknown name \"model\": Cannot find field.")
}

pub(super) fn wishes(parsed: &Parsed) -> Wishes {
    let body = &parsed.body;
    let contents: &[Value] = body.get("contents").and_then(Value::as_array).map_or(&[], Vec::as_slice);
    let said = |content: &Value| content.get("parts").map(content_text).unwrap_or_default();
    let is_user = |content: &&Value| content.get("role").and_then(Value::as_str) == Some("user");
    let config = |name: &str| body.get("generationConfig").and_then(|config| config.get(name));
    let functions = body.get("tools").and_then(Value::as_array).into_iter().flatten();
    let functions = functions.filter_map(|tool| tool.get("functionDeclarations")?.as_array()).flatten();
    let calling = |name: &str| body.pointer(&format!("/toolConfig/functionCallingConfig/{name}"));
    let json_wanted = config("responseMimeType").and_then(Value::as_str) == Some("application/json");
    let thinking = config("thinkingConfig").and_then(|config| config.get("includeThoughts"));
    Wishes {
        model: parsed.model.clone(),
        question: contents.iter().rev().filter(is_user).map(said).find(|text| !text.is_empty()).unwrap_or_default(),
        tool_result: contents.last().filter(is_user).and_then(tool_result),
        prompt_tokens: contents
            .iter()
            .map(|content| tokens(&said(content)).saturating_add(4))
            .sum::<u64>()
            .saturating_add(body.get("systemInstruction").map_or(0, |content| tokens(&said(content))))
            .saturating_add(body.get("tools").map_or(0, |tools| tokens(&tools.to_string()))),
        max_tokens: config("maxOutputTokens").and_then(Value::as_u64),
        stop: config("stopSequences")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|stop| stop.as_str().map(str::to_owned))
            .collect(),
        tools: functions.filter_map(tool).collect(),
        tool_choice: match (calling("mode").and_then(Value::as_str), calling("allowedFunctionNames/0")) {
            (Some("ANY"), Some(Value::String(name))) => ToolChoice::Named(name.clone()),
            (Some("ANY"), _) => ToolChoice::Required,
            _ => ToolChoice::Free,
        },
        schema: config("responseJsonSchema")
            .or_else(|| config("responseSchema"))
            .cloned()
            .or_else(|| json_wanted.then(any_object)),
        thinking: thinking == Some(&Value::Bool(true)),
    }
}

fn tool(value: &Value) -> Option<Tool> {
    // Google reads both spellings, and its own SDK for Python writes this one in snake case.
    let names = ["parametersJsonSchema", "parameters_json_schema", "parameters"];
    let schema = names.iter().find_map(|name| value.get(name)).cloned().unwrap_or_default();
    Some(Tool { name: value.get("name")?.as_str()?.to_owned(), schema })
}

fn tool_result(content: &Value) -> Option<String> {
    let parts = content.get("parts")?.as_array()?;
    let response = parts.iter().find_map(|part| part.pointer("/functionResponse/response"))?;
    Some(response.get("output").and_then(Value::as_str).map_or_else(|| response.to_string(), str::to_owned))
}

pub(super) fn script(parsed: &Parsed, reply: &Reply, serial: u64, style: &Style) -> Script {
    let mut parts: Vec<Value> = Vec::new();
    parts.extend(reply.thoughts.iter().map(|word| json!({"text": word, "thought": true})));
    parts.extend(reply.words.iter().map(|word| json!({"text": word})));
    parts.extend(reply.calls.iter().enumerate().map(|(index, (name, arguments))| {
        let call = json!({"functionCall": {"name": name, "args": arguments}});
        // The first call of a turn is signed.
        if index == 0 { with(call, "thoughtSignature", json!("c2ltdWxhdGVkIHNpZ25hdHVyZQ==")) } else { call }
    }));
    let finish = match &reply.finish {
        Finish::Stop | Finish::StopSequence(_) | Finish::ToolCalls => "STOP",
        Finish::Length => "MAX_TOKENS",
        Finish::Filtered => "SAFETY",
    };
    let usage = json!({
        "promptTokenCount": reply.prompt_tokens,
        "candidatesTokenCount": reply.completion_tokens.saturating_sub(reply.thinking_tokens),
        "thoughtsTokenCount": reply.thinking_tokens,
        "totalTokenCount": reply.prompt_tokens.saturating_add(reply.completion_tokens),
    });
    let event = |parts: Vec<Value>, finish: Option<&str>| {
        let candidate = json!({"content": {"parts": parts, "role": "model"}, "index": 0});
        let candidate = match finish {
            Some(word) => with(candidate, "finishReason", json!(word)),
            None => candidate,
        };
        let id = format!("simulator{serial:06}");
        let event = json!({"candidates": [candidate], "modelVersion": parsed.model, "responseId": id});
        if style.usage { with(event, "usageMetadata", usage.clone()) } else { event }
    };
    if !parsed.stream {
        let text = |part: &Value| part.get("text").is_some() && part.get("thought").is_none();
        let mut whole: Vec<Value> = parts.iter().filter(|part| !text(part)).cloned().collect();
        if reply.calls.is_empty() {
            whole.push(json!({"text": reply.text()}));
        }
        return Script::json(200, event(whole, Some(finish)));
    }
    let mut steps = Vec::new();
    for part in parts {
        if style.pace_ms > 0 {
            steps.push(Step::DelayMs(style.pace_ms));
        }
        steps.push(Step::Data(event(vec![part], None)));
    }
    steps.push(Step::Data(event(vec![json!({"text": ""})], Some(finish))));
    Script::stream(steps)
}
