//! A request into the common form: everything but the conversation.

use super::messages_read::read_messages;
use crate::dialect::Dialect;
use crate::dialect::ir::{ChatRequest, Effort, Json, OutputFormat, Reasoning, Sampling, Thinking, Tool, ToolChoice};
use crate::dialect::json_read::{Object, Path, body_text, read_items, read_string};
use crate::error::ApiError;
use serde_json::value::RawValue;

pub(in crate::dialect) fn read(body: &[u8]) -> Result<ChatRequest, ApiError> {
    let mut top = Object::read(body_text(body)?, &Path::Root)?;
    let mut request = ChatRequest::new(Dialect::OpenAiChat);
    let unread = &mut request.unread;
    request.model = top.string("model")?;
    request.messages = read_messages(&mut top, unread)?;
    request.tools = read_tools(&mut top, unread)?;
    request.tool_choice = read_tool_choice(&mut top)?;
    request.parallel_tool_calls = top.boolean("parallel_tool_calls")?;
    request.output = read_output(&mut top, unread)?;
    request.reasoning = read_reasoning(&mut top, unread)?;
    request.sampling = Sampling {
        temperature: top.number("temperature")?,
        top_p: top.number("top_p")?,
        top_k: top.count("top_k")?,
        seed: top.integer("seed")?,
        n: top.count("n")?,
        presence_penalty: top.number("presence_penalty")?,
        frequency_penalty: top.number("frequency_penalty")?,
        logit_bias: top.json("logit_bias").filter(|bias| bias.text() != "{}"),
        logprobs: top.boolean("logprobs")?,
        top_logprobs: top.count("top_logprobs")?,
    };
    request.max_output_tokens = match (top.count("max_completion_tokens")?, top.count("max_tokens")?) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    request.stop = read_stop(&mut top)?;
    request.stream = top.boolean("stream")?.unwrap_or(false);
    if let Some(raw) = top.take("stream_options") {
        let path = Path::Root.member("stream_options");
        let mut options = Object::read(raw.get(), &path)?;
        request.include_usage = options.boolean("include_usage")?.unwrap_or(false);
        options.rest_paths(unread);
    }
    request.user = match top.string("user")? {
        Some(user) => Some(user),
        None => top.string("safety_identifier")?,
    };
    request.service_tier = top.string("service_tier")?;
    request.metadata = top.json("metadata").filter(|metadata| metadata.text() != "{}");
    request.store = top.boolean("store")?;
    request.verbosity = top.string("verbosity")?;
    request.cache = top.json("cache_control");
    request.extra = top.rest();
    Ok(request)
}

/// `tools`, and the older `functions`.
fn read_tools(top: &mut Object<'_, '_>, unread: &mut Vec<String>) -> Result<Vec<Tool>, ApiError> {
    let mut tools = Vec::new();
    let path = Path::Root.member("tools");
    for (index, raw) in top.items("tools")?.into_iter().enumerate() {
        let at = path.item(index);
        let mut tool = Object::read(raw.get(), &at)?;
        let kind = tool.string("type")?.unwrap_or_else(|| "function".to_owned());
        if kind != "function" {
            tools.push(Tool::Opaque { origin: Dialect::OpenAiChat, kind, json: Json::from(raw) });
            continue;
        }
        let within = at.member("function");
        let function = tool.take("function").ok_or_else(|| within.invalid(format!("`{within}` is missing.")))?;
        let cache = tool.json("cache_control");
        tool.rest_paths(unread);
        tools.push(read_function(function, &within, cache)?);
    }
    let path = Path::Root.member("functions");
    for (index, raw) in top.items("functions")?.into_iter().enumerate() {
        tools.push(read_function(raw, &path.item(index), None)?);
    }
    Ok(tools)
}

fn read_function(raw: &RawValue, path: &Path<'_>, cache: Option<Json>) -> Result<Tool, ApiError> {
    let mut function = Object::read(raw.get(), path)?;
    Ok(Tool::Function {
        name: function.required_string("name")?,
        description: function.string("description")?,
        parameters: function.json("parameters"),
        strict: function.boolean("strict")?,
        cache: cache.or(function.json("cache_control")),
        extra: function.rest(),
    })
}

/// `tool_choice`, and the older `function_call`.
fn read_tool_choice(top: &mut Object<'_, '_>) -> Result<Option<ToolChoice>, ApiError> {
    let (name, raw) = match top.take("tool_choice") {
        Some(raw) => ("tool_choice", raw),
        None => match top.take("function_call") {
            Some(raw) => ("function_call", raw),
            None => return Ok(None),
        },
    };
    let path = Path::Root.member(name);
    if !raw.get().starts_with('{') {
        return match read_string(raw, &path)?.as_str() {
            "auto" => Ok(Some(ToolChoice::Auto)),
            "none" => Ok(Some(ToolChoice::None)),
            "required" | "any" => Ok(Some(ToolChoice::Required)),
            _ => Err(path.invalid(format!("`{path}` must be auto, none, required or an object naming a tool."))),
        };
    }
    let mut choice = Object::read(raw.get(), &path)?;
    let kind = choice.string("type")?;
    let opaque = ToolChoice::Opaque { origin: Dialect::OpenAiChat, json: Json::from(raw) };
    Ok(Some(match kind.as_deref() {
        Some("function") | None => {
            let within = path.member("function");
            match choice.take("function") {
                Some(function) => ToolChoice::Named(Object::read(function.get(), &within)?.required_string("name")?),
                None => ToolChoice::Named(choice.required_string("name")?),
            }
        }
        Some("auto") => ToolChoice::Auto,
        Some("none") => ToolChoice::None,
        Some("required" | "any") => ToolChoice::Required,
        // `allowed_tools` and `custom`
        Some(_) => opaque,
    }))
}

fn read_output(top: &mut Object<'_, '_>, unread: &mut Vec<String>) -> Result<Option<OutputFormat>, ApiError> {
    let Some(raw) = top.take("response_format") else { return Ok(None) };
    let path = Path::Root.member("response_format");
    let mut format = Object::read(raw.get(), &path)?;
    Ok(match format.required_string("type")?.as_str() {
        "text" => None,
        // Some servers take the schema of `json_object` beside it.
        "json_object" => Some(match format.json("schema") {
            Some(schema) => {
                OutputFormat::JsonSchema { name: None, description: None, schema: Some(schema), strict: None }
            }
            None => OutputFormat::JsonObject,
        }),
        "json_schema" => {
            let within = path.member("json_schema");
            let inner = format.take("json_schema").ok_or_else(|| within.invalid(format!("`{within}` is missing.")))?;
            let mut inner = Object::read(inner.get(), &within)?;
            let output = OutputFormat::JsonSchema {
                name: inner.string("name")?,
                description: inner.string("description")?,
                schema: inner.json("schema").or(inner.json("schema_definition")),
                strict: inner.boolean("strict")?,
            };
            inner.rest_paths(unread);
            Some(output)
        }
        _ => Some(OutputFormat::Opaque { origin: Dialect::OpenAiChat, json: Json::from(raw) }),
    })
}

/// `reasoning_effort`; and, as other servers take them, `reasoning` and `thinking`.
fn read_reasoning(top: &mut Object<'_, '_>, unread: &mut Vec<String>) -> Result<Reasoning, ApiError> {
    let mut reasoning = Reasoning { effort: read_effort(top, "reasoning_effort")?, ..Reasoning::default() };
    if let Some(raw) = top.take("reasoning") {
        let path = Path::Root.member("reasoning");
        let mut object = Object::read(raw.get(), &path)?;
        reasoning.effort = reasoning.effort.or(read_effort(&mut object, "effort")?);
        reasoning.thinking = object.count("max_tokens")?.map(Thinking::Budget);
        if object.boolean("enabled")? == Some(false) {
            reasoning.thinking = Some(Thinking::Disabled);
        }
        object.rest_paths(unread);
    }
    if let Some(raw) = top.take("thinking") {
        let path = Path::Root.member("thinking");
        let mut thinking = Object::read(raw.get(), &path)?;
        let kind = thinking.string("type")?;
        let budget = thinking.count("budget_tokens")?;
        reasoning.thinking = match (kind.as_deref(), budget) {
            (Some("disabled"), _) => Some(Thinking::Disabled),
            (_, Some(tokens)) => Some(Thinking::Budget(tokens)),
            (_, None) => Some(Thinking::Adaptive),
        };
        thinking.rest_paths(unread);
    }
    Ok(reasoning)
}

fn read_effort(object: &mut Object<'_, '_>, name: &str) -> Result<Option<Effort>, ApiError> {
    let Some(word) = object.string(name)? else { return Ok(None) };
    let path = object.path.member(name);
    let known = "none, minimal, low, medium, high or xhigh";
    Effort::from_name(&word).map(Some).ok_or_else(|| path.invalid(format!("`{path}` must be {known}.")))
}

fn read_stop(top: &mut Object<'_, '_>) -> Result<Vec<String>, ApiError> {
    let Some(raw) = top.take("stop") else { return Ok(Vec::new()) };
    let path = Path::Root.member("stop");
    if raw.get().starts_with('[') {
        let items = read_items(raw, &path)?;
        return items.into_iter().enumerate().map(|(index, raw)| read_string(raw, &path.item(index))).collect();
    }
    Ok(vec![read_string(raw, &path)?])
}
