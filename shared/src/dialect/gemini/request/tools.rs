//! Tools and the choice among them, both ways.

use super::schema::to_json_schema;
use crate::dialect::gemini::citation::json_of;
use crate::dialect::ir::{ChatRequest, Json, Tool, ToolChoice};
use crate::dialect::json_read::{Object, Path, read_items, read_string};
use crate::dialect::json_write::{Members, object};
use crate::dialect::{Dialect, Warnings};
use crate::error::ApiError;
use serde_json::value::RawValue;

/// `tools`: functions by name; everything else is a tool Google runs.
pub(super) fn read_tools(top: &mut Object<'_, '_>) -> Result<Vec<Tool>, ApiError> {
    let path = Path::Root.member("tools");
    let mut tools = Vec::new();
    for (index, raw) in top.items("tools")?.into_iter().enumerate() {
        let at = path.item(index);
        let mut tool = Object::read(raw.get(), &at)?.camel_case();
        let within = at.member("functionDeclarations");
        for (place, raw) in tool.items("functionDeclarations")?.into_iter().enumerate() {
            tools.push(read_function(raw, &within.item(place))?);
        }
        for (kind, json) in tool.rest() {
            let mut whole = Vec::new();
            object(&mut whole, |o| o.json(&kind, &json));
            tools.push(Tool::Opaque { origin: Dialect::Gemini, kind, json: json_of(&whole) });
        }
    }
    Ok(tools)
}

fn read_function(raw: &RawValue, path: &Path<'_>) -> Result<Tool, ApiError> {
    let mut function = Object::read(raw.get(), path)?.camel_case();
    let google = function.take("parameters");
    let parameters = function.json("parametersJsonSchema").or_else(|| google.map(to_json_schema));
    Ok(Tool::Function {
        name: function.required_string("name")?,
        description: function.string("description")?,
        parameters,
        strict: None,
        cache: None,
        extra: function.rest(),
    })
}

/// `toolConfig`.
pub(super) fn read_tool_choice(
    top: &mut Object<'_, '_>,
    unread: &mut Vec<String>,
) -> Result<Option<ToolChoice>, ApiError> {
    let path = Path::Root.member("toolConfig");
    let Some(whole) = top.take("toolConfig") else { return Ok(None) };
    let mut config = Object::read(whole.get(), &path)?.camel_case();
    let within = path.member("functionCallingConfig");
    let calling = config.take("functionCallingConfig");
    config.rest_paths(unread);
    let Some(calling) = calling else { return Ok(None) };
    let mut calling = Object::read(calling.get(), &within)?.camel_case();
    let mode = calling.string("mode")?.map(|mode| mode.to_ascii_uppercase());
    let at = within.member("allowedFunctionNames");
    let mut names = Vec::new();
    for (index, raw) in calling.items("allowedFunctionNames")?.into_iter().enumerate() {
        names.push(read_string(raw, &at.item(index))?);
    }
    calling.rest_paths(unread);
    Ok(match (mode.as_deref(), names.as_slice()) {
        (None | Some("MODE_UNSPECIFIED"), _) => None,
        (Some("NONE"), _) => Some(ToolChoice::None),
        (Some("ANY"), []) => Some(ToolChoice::Required),
        (Some("ANY"), [only]) => Some(ToolChoice::Named(only.clone())),
        // Calls held to their schema, where there are any: the other dialects' automatic choice.
        (Some("AUTO" | "VALIDATED"), []) => Some(ToolChoice::Auto),
        (Some("AUTO" | "VALIDATED" | "ANY"), _) => {
            Some(ToolChoice::Opaque { origin: Dialect::Gemini, json: Json::from(whole) })
        }
        (Some(_), _) => {
            let at = within.member("mode");
            return Err(at.invalid(format!("`{at}` must be AUTO, ANY, NONE or VALIDATED.")));
        }
    })
}

pub(super) fn write_tools(o: &mut Members<'_>, request: &ChatRequest, warnings: &mut Warnings) {
    let is_function = |tool: &&Tool| matches!(tool, Tool::Function { .. });
    for (index, tool) in request.tools.iter().enumerate() {
        if matches!(tool, Tool::Opaque { origin, .. } if *origin != Dialect::Gemini) {
            warnings.dropped(format_args!("tools[{index}]"));
        }
    }
    let ours = |tool: &&Tool| matches!(tool, Tool::Opaque { origin: Dialect::Gemini, .. });
    if !request.tools.iter().any(|tool| is_function(&tool) || ours(&tool)) {
        return;
    }
    o.array("tools", |a| {
        if request.tools.iter().any(|tool| is_function(&tool)) {
            a.object(|o| {
                o.array("functionDeclarations", |a| {
                    for (index, tool) in request.tools.iter().enumerate().filter(|(_, tool)| is_function(tool)) {
                        a.object(|o| write_function(o, tool, index, request.origin, warnings));
                    }
                });
            });
        }
        for tool in request.tools.iter().filter(ours) {
            if let Tool::Opaque { json, .. } = tool {
                a.json(json);
            }
        }
    });
}

fn write_function(o: &mut Members<'_>, tool: &Tool, index: usize, origin: Dialect, warnings: &mut Warnings) {
    let Tool::Function { name, description, parameters, strict, cache, extra } = tool else { return };
    o.string("name", name);
    o.maybe_string("description", description.as_deref());
    o.maybe_json("parametersJsonSchema", parameters.as_ref());
    for (member, present) in [("strict", *strict == Some(true)), ("cache_control", cache.is_some())] {
        if present {
            warnings.dropped(format_args!("tools[{index}].{member}"));
        }
    }
    for (name, json) in extra {
        if origin == Dialect::Gemini {
            o.json(name, json);
        } else {
            warnings.dropped(format_args!("tools[{index}].{name}"));
        }
    }
}

pub(super) fn write_tool_choice(o: &mut Members<'_>, request: &ChatRequest, warnings: &mut Warnings) {
    if request.parallel_tool_calls == Some(false) {
        warnings.dropped(request.origin.parallel_path());
    }
    let functions = request.tools.iter().any(|tool| matches!(tool, Tool::Function { .. }));
    if !functions && request.origin != Dialect::Gemini {
        // A choice without functions is refused.
        return request.warn_of_choice(warnings);
    }
    let (mode, names) = match &request.tool_choice {
        Some(ToolChoice::Auto) => ("AUTO", Vec::new()),
        Some(ToolChoice::None) => ("NONE", Vec::new()),
        Some(ToolChoice::Required) => ("ANY", Vec::new()),
        Some(ToolChoice::Named(name)) => ("ANY", vec![name.clone()]),
        Some(ToolChoice::Opaque { origin: Dialect::Gemini, json }) => return o.json("toolConfig", json),
        Some(ToolChoice::Opaque { json, .. }) => match allowed_tools(json) {
            Some(allowed) => allowed,
            None => return warnings.dropped("tool_choice"),
        },
        None => return,
    };
    o.object("toolConfig", |o| {
        o.object("functionCallingConfig", |o| {
            o.string("mode", mode);
            if !names.is_empty() {
                o.array("allowedFunctionNames", |a| names.iter().for_each(|name| a.string(name)));
            }
        });
    });
}

/// OpenAI's choice among some of the tools: under `allowed_tools` in chats, by itself in responses.
fn allowed_tools(json: &Json) -> Option<(&'static str, Vec<String>)> {
    let path = Path::Root;
    let mut choice = Object::read(json.text(), &path).ok()?;
    let mut allowed = match choice.take("allowed_tools") {
        Some(inner) => Object::read(inner.get(), &path).ok()?,
        None if choice.string("type").ok()?.as_deref() == Some("allowed_tools") => choice,
        None => return None,
    };
    // Only what is called at all can be held to names: VALIDATED leaves it open whether something is.
    let mode = if allowed.string("mode").ok()?.as_deref() == Some("required") { "ANY" } else { "VALIDATED" };
    let name = |raw: &RawValue| {
        let mut tool = Object::read(raw.get(), &path).ok()?;
        match tool.take("function") {
            Some(function) => Object::read(function.get(), &path).ok()?.string("name").ok()?,
            None => tool.string("name").ok()?,
        }
    };
    let names =
        read_items(allowed.take("tools")?, &path).ok()?.into_iter().map(name).collect::<Option<Vec<String>>>()?;
    Some((mode, names)).filter(|(_, names)| !names.is_empty())
}
