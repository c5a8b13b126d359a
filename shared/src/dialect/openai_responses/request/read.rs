//! A request into the common form: everything but the conversation.

use super::items_read::read_input;
use crate::dialect::Dialect;
use crate::dialect::ir::{
    ChatRequest, Effort, Json, NativeOnly, OutputFormat, Part, Reasoning, Sampling, Tool, ToolChoice,
};
use crate::dialect::json_read::{Object, Path, body_text, read_string};
use crate::error::ApiError;

/// Members whose meaning lies with the provider that keeps what they name, and what to do instead.
const NATIVE_ONLY: [(&str, &str); 4] = [
    ("previous_response_id", "Send the whole conversation in `input`."),
    ("conversation", "Send the whole conversation in `input`."),
    ("prompt", "Send the prompt's text in `instructions` and `input`."),
    ("background", "Wait for the answer, or stream it."),
];

pub(in crate::dialect) fn read(body: &[u8]) -> Result<ChatRequest, ApiError> {
    let mut top = Object::read(body_text(body)?, &Path::Root)?;
    let mut request = ChatRequest::new(Dialect::OpenAiResponses);
    request.model = top.string("model")?;
    read_native_only(&mut top, &mut request.native_only);
    request.instructions = read_instructions(&mut top)?;
    read_input(&mut top, &mut request)?;
    let unread = &mut request.unread;
    request.tools = read_tools(&mut top, unread)?;
    request.tool_choice = read_tool_choice(&mut top)?;
    request.parallel_tool_calls = top.boolean("parallel_tool_calls")?;
    if let Some(raw) = top.take("text") {
        let path = Path::Root.member("text");
        let mut text = Object::read(raw.get(), &path)?;
        request.verbosity = text.string("verbosity")?;
        request.output = read_format(&mut text, unread)?;
        text.rest_paths(unread);
    }
    request.reasoning = read_reasoning(&mut top, unread)?;
    request.sampling = Sampling {
        temperature: top.number("temperature")?,
        top_p: top.number("top_p")?,
        top_logprobs: top.count("top_logprobs")?.filter(|top| *top > 0),
        logprobs: read_include(&mut top, unread)?,
        ..Sampling::default()
    };
    if request.sampling.top_logprobs.is_some() {
        request.sampling.logprobs = Some(true);
    }
    request.max_output_tokens = top.count("max_output_tokens")?;
    request.stream = top.boolean("stream")?.unwrap_or(false);
    request.include_usage = true;
    if let Some(raw) = top.take("stream_options") {
        let path = Path::Root.member("stream_options");
        let mut options = Object::read(raw.get(), &path)?;
        // Without it nothing is padded here.
        if options.boolean("include_obfuscation")? == Some(true) {
            unread.push(path.member("include_obfuscation").to_string());
        }
        options.rest_paths(unread);
    }
    request.user = match top.string("user")? {
        Some(user) => Some(user),
        None => top.string("safety_identifier")?,
    };
    request.service_tier = top.string("service_tier")?;
    request.metadata = top.json("metadata").filter(|metadata| metadata.text() != "{}");
    request.store = top.boolean("store")?;
    request.extra = top.rest();
    // What says no more than the default.
    request.extra.retain(|(name, json)| (name.as_str(), json.text()) != ("truncation", "\"disabled\""));
    Ok(request)
}

fn read_native_only(top: &mut Object<'_, '_>, native_only: &mut Vec<NativeOnly>) {
    for (name, instead) in NATIVE_ONLY {
        if top.take(name).is_some_and(|raw| raw.get() != "false") {
            native_only.push(NativeOnly { path: name.to_owned(), instead });
        }
    }
}

fn read_instructions(top: &mut Object<'_, '_>) -> Result<Vec<Part>, ApiError> {
    let text = top.string("instructions")?.filter(|text| !text.is_empty());
    Ok(text.into_iter().map(Part::text).collect())
}

fn read_tools(top: &mut Object<'_, '_>, unread: &mut Vec<String>) -> Result<Vec<Tool>, ApiError> {
    let mut tools = Vec::new();
    let path = Path::Root.member("tools");
    for (index, raw) in top.items("tools")?.into_iter().enumerate() {
        let at = path.item(index);
        let mut tool = Object::read(raw.get(), &at)?;
        let kind = tool.required_string("type")?;
        if kind != "function" {
            tools.push(Tool::Opaque { origin: Dialect::OpenAiResponses, kind, json: Json::from(raw) });
            continue;
        }
        // Some clients nest it as the other dialect does.
        let within = at.member("function");
        let nested = if tool.has("name") { None } else { tool.take("function") };
        let mut function = match nested {
            Some(nested) => {
                tool.rest_paths(unread);
                Object::read(nested.get(), &within)?
            }
            None => tool,
        };
        tools.push(Tool::Function {
            name: function.required_string("name")?,
            description: function.string("description")?,
            parameters: function.json("parameters"),
            // Not told means as strict as the schema allows, which others cannot be asked for.
            strict: function.boolean("strict")?,
            cache: None,
            extra: function.rest(),
        });
    }
    Ok(tools)
}

fn read_tool_choice(top: &mut Object<'_, '_>) -> Result<Option<ToolChoice>, ApiError> {
    let Some(raw) = top.take("tool_choice") else { return Ok(None) };
    let path = Path::Root.member("tool_choice");
    if !raw.get().starts_with('{') {
        return match read_string(raw, &path)?.as_str() {
            "auto" => Ok(Some(ToolChoice::Auto)),
            "none" => Ok(Some(ToolChoice::None)),
            "required" => Ok(Some(ToolChoice::Required)),
            _ => Err(path.invalid("`tool_choice` must be auto, none, required or an object naming a tool.")),
        };
    }
    let mut choice = Object::read(raw.get(), &path)?;
    Ok(Some(match choice.required_string("type")?.as_str() {
        "function" => {
            let within = path.member("function");
            match choice.take("function") {
                Some(nested) => ToolChoice::Named(Object::read(nested.get(), &within)?.required_string("name")?),
                None => ToolChoice::Named(choice.required_string("name")?),
            }
        }
        // `allowed_tools`, built-in tools, `custom`, `mcp`
        _ => ToolChoice::Opaque { origin: Dialect::OpenAiResponses, json: Json::from(raw) },
    }))
}

fn read_format(text: &mut Object<'_, '_>, unread: &mut Vec<String>) -> Result<Option<OutputFormat>, ApiError> {
    let path = text.path.member("format");
    let Some(raw) = text.take("format") else { return Ok(None) };
    let mut format = Object::read(raw.get(), &path)?;
    Ok(match format.required_string("type")?.as_str() {
        "text" => None,
        "json_object" => Some(OutputFormat::JsonObject),
        "json_schema" => {
            let output = OutputFormat::JsonSchema {
                name: format.string("name")?,
                description: format.string("description")?,
                schema: format.json("schema"),
                strict: format.boolean("strict")?,
            };
            format.rest_paths(unread);
            Some(output)
        }
        _ => Some(OutputFormat::Opaque { origin: Dialect::OpenAiResponses, json: Json::from(raw) }),
    })
}

fn read_reasoning(top: &mut Object<'_, '_>, unread: &mut Vec<String>) -> Result<Reasoning, ApiError> {
    let path = Path::Root.member("reasoning");
    let Some(raw) = top.take("reasoning") else { return Ok(Reasoning::default()) };
    let mut object = Object::read(raw.get(), &path)?;
    let at = path.member("effort");
    let effort = match object.string("effort")? {
        Some(word) => {
            let known = "none, minimal, low, medium, high, xhigh or max";
            let level = Effort::from_name(&word);
            Some(level.ok_or_else(|| at.invalid(format!("`{at}` must be {known}.")))?)
        }
        None => None,
    };
    let summary = match object.string("summary")? {
        Some(summary) => Some(summary),
        // Its older name.
        None => object.string("generate_summary")?,
    };
    object.rest_paths(unread);
    Ok(Reasoning { effort, summary, ..Reasoning::default() })
}

/// `include`: whether token probabilities are wanted. Sealed reasoning is included always.
fn read_include(top: &mut Object<'_, '_>, unread: &mut Vec<String>) -> Result<Option<bool>, ApiError> {
    let path = Path::Root.member("include");
    let mut logprobs = None;
    for (index, raw) in top.items("include")?.into_iter().enumerate() {
        let at = path.item(index);
        match read_string(raw, &at)?.as_str() {
            "message.output_text.logprobs" => logprobs = Some(true),
            "reasoning.encrypted_content" => {}
            _ => unread.push(at.to_string()),
        }
    }
    Ok(logprobs)
}
