//! A request into the common form: everything but the conversation.

use super::blocks_read::read_blocks;
use crate::dialect::Dialect;
use crate::dialect::ir::{
    ChatRequest, Effort, Json, Message, OutputFormat, Reasoning, Role, Thinking, Tool, ToolChoice,
};
use crate::dialect::json_read::{Object, Path, body_text, read_string};
use crate::error::ApiError;
use serde_json::value::RawValue;

pub(in crate::dialect) fn read(body: &[u8]) -> Result<ChatRequest, ApiError> {
    let root = Path::Root;
    let mut top = Object::read(body_text(body)?, &root)?;
    let mut request = ChatRequest::new(Dialect::Anthropic);
    let unread = &mut request.unread;
    request.model = top.string("model")?;
    request.instructions = read_blocks(top.take("system"), &root.member("system"), unread)?;
    request.messages = read_messages(&mut top, unread)?;
    request.tools = read_tools(&mut top)?;
    read_tool_choice(&mut top, &mut request.tool_choice, &mut request.parallel_tool_calls)?;
    request.reasoning = read_thinking(&mut top, unread)?;
    read_output(&mut top, &mut request.reasoning, &mut request.output, unread)?;
    request.sampling.temperature = top.number("temperature")?;
    request.sampling.top_p = top.number("top_p")?;
    request.sampling.top_k = top.count("top_k")?;
    request.max_output_tokens = top.count("max_tokens")?;
    let at = root.member("stop_sequences");
    for (index, raw) in top.items("stop_sequences")?.into_iter().enumerate() {
        request.stop.push(read_string(raw, &at.item(index))?);
    }
    request.stream = top.boolean("stream")?.unwrap_or(false);
    request.include_usage = true;
    let at = root.member("metadata");
    if let Some(raw) = top.take("metadata") {
        let mut metadata = Object::read(raw.get(), &at)?;
        request.user = metadata.string("user_id")?;
        metadata.rest_paths(unread);
    }
    request.service_tier = top.string("service_tier")?;
    request.cache = top.json("cache_control");
    request.extra = top.rest();
    Ok(request)
}

fn read_messages(top: &mut Object<'_, '_>, unread: &mut Vec<String>) -> Result<Vec<Message>, ApiError> {
    let path = Path::Root.member("messages");
    if !top.has("messages") {
        return Err(path.invalid("`messages` is missing."));
    }
    let mut messages = Vec::new();
    for (index, raw) in top.items("messages")?.into_iter().enumerate() {
        let at = path.item(index);
        let mut message = Object::read(raw.get(), &at)?;
        let role = match message.required_string("role")?.as_str() {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "system" => Role::System,
            _ => {
                let at = at.member("role");
                return Err(at.invalid(format!("`{at}` must be user or assistant.")));
            }
        };
        let content = read_blocks(message.take("content"), &at.member("content"), unread)?;
        message.rest_paths(unread);
        messages.push(Message::new(role, content));
    }
    Ok(messages)
}

fn read_tools(top: &mut Object<'_, '_>) -> Result<Vec<Tool>, ApiError> {
    let path = Path::Root.member("tools");
    let mut tools = Vec::new();
    for (index, raw) in top.items("tools")?.into_iter().enumerate() {
        let at = path.item(index);
        let mut tool = Object::read(raw.get(), &at)?;
        let kind = tool.string("type")?;
        tools.push(match kind.as_deref() {
            None | Some("custom") => Tool::Function {
                name: tool.required_string("name")?,
                description: tool.string("description")?,
                parameters: tool.json("input_schema"),
                strict: tool.boolean("strict")?,
                cache: tool.json("cache_control"),
                extra: tool.rest(),
            },
            Some(kind) => Tool::Opaque { origin: Dialect::Anthropic, kind: kind.to_owned(), json: Json::from(raw) },
        });
    }
    Ok(tools)
}

fn read_tool_choice(
    top: &mut Object<'_, '_>,
    tool_choice: &mut Option<ToolChoice>,
    parallel: &mut Option<bool>,
) -> Result<(), ApiError> {
    let path = Path::Root.member("tool_choice");
    let Some(raw) = top.take("tool_choice") else { return Ok(()) };
    let mut choice = Object::read(raw.get(), &path)?;
    let kind = choice.required_string("type")?;
    *tool_choice = Some(match kind.as_str() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Named(choice.required_string("name")?),
        _ => ToolChoice::Opaque { origin: Dialect::Anthropic, json: Json::from(raw) },
    });
    *parallel = choice.boolean("disable_parallel_tool_use")?.map(|disabled| !disabled);
    Ok(())
}

fn read_thinking(top: &mut Object<'_, '_>, unread: &mut Vec<String>) -> Result<Reasoning, ApiError> {
    let mut reasoning = Reasoning::default();
    let path = Path::Root.member("thinking");
    let Some(raw) = top.take("thinking") else { return Ok(reasoning) };
    let mut thinking = Object::read(raw.get(), &path)?;
    let budget = thinking.count("budget_tokens")?;
    reasoning.display = thinking.string("display")?;
    reasoning.thinking = Some(match (thinking.required_string("type")?.as_str(), budget) {
        ("disabled", _) => Thinking::Disabled,
        ("adaptive", _) => Thinking::Adaptive,
        ("enabled", Some(tokens)) => Thinking::Budget(tokens),
        ("enabled", None) => {
            return Err(path.member("budget_tokens").invalid("`thinking.budget_tokens` is missing."));
        }
        (_, _) => {
            let at = path.member("type");
            return Err(at.invalid("`thinking.type` must be enabled, adaptive or disabled."));
        }
    });
    thinking.rest_paths(unread);
    Ok(reasoning)
}

/// `output_config`, and the older `output_format`.
fn read_output(
    top: &mut Object<'_, '_>,
    reasoning: &mut Reasoning,
    output: &mut Option<OutputFormat>,
    unread: &mut Vec<String>,
) -> Result<(), ApiError> {
    let path = Path::Root.member("output_config");
    if let Some(raw) = top.take("output_config") {
        let mut config = Object::read(raw.get(), &path)?;
        if let Some(word) = config.string("effort")? {
            let at = path.member("effort");
            let effort = Effort::from_name(&word);
            reasoning.effort = Some(
                effort.ok_or_else(|| at.invalid("`output_config.effort` must be low, medium, high, xhigh or max."))?,
            );
        }
        if let Some(raw) = config.take("format") {
            *output = Some(read_format(raw, &path.member("format"), unread)?);
        }
        config.rest_paths(unread);
    }
    if let Some(raw) = top.take("output_format") {
        let format = read_format(raw, &Path::Root.member("output_format"), unread)?;
        output.get_or_insert(format);
    }
    Ok(())
}

fn read_format(raw: &RawValue, path: &Path<'_>, unread: &mut Vec<String>) -> Result<OutputFormat, ApiError> {
    let mut format = Object::read(raw.get(), path)?;
    let kind = format.required_string("type")?;
    if kind != "json_schema" {
        return Ok(OutputFormat::Opaque { origin: Dialect::Anthropic, json: Json::from(raw) });
    }
    let output =
        OutputFormat::JsonSchema { name: None, description: None, schema: format.json("schema"), strict: None };
    format.rest_paths(unread);
    Ok(output)
}
