//! A request from the common form: everything but the conversation.

use super::messages::{self, Document};
use crate::dialect::anthropic::request::write_schema;
use crate::dialect::ir::{ChatRequest, Effort, Json, OutputFormat, Thinking, Tool, ToolChoice};
use crate::dialect::json_read::{Object, Path};
use crate::dialect::json_write::{Items, Members, object};
use crate::dialect::{Dialect, Effect, Target, ThinkingSupport, Warnings};

/// Members of Cohere's that no other dialect has a word for; a caller may write them as they are.
const OWN: [&str; 6] = ["documents", "citation_options", "safety_mode", "strict_tools", "raw_prompting", "priority"];

/// The most stop texts Cohere takes.
const MOST_STOPS: usize = 5;

pub(in crate::dialect) fn write(request: &ChatRequest, target: &Target<'_>, warnings: &mut Warnings) -> Vec<u8> {
    let mut out = Vec::with_capacity(1_024);
    object(&mut out, |o| {
        o.string("model", target.model);
        let documents = messages::write(o, request, warnings);
        write_documents(o, request, &documents);
        write_tools(o, request, warnings);
        write_output(o, request, target, warnings);
        write_thinking(o, request, target, warnings);
        write_sampling(o, request, target, warnings);
        // Said either way, as Cohere's own clients do.
        o.boolean("stream", target.stream);
        for (name, json) in &request.extra {
            if OWN.contains(&name.as_str()) {
                if name != "documents" {
                    o.json(name, json);
                }
            } else {
                warnings.dropped(name);
            }
        }
    });
    request.warn_of_labels(warnings);
    request.warn_of_services(warnings);
    out
}

/// `documents`: the caller's own, then those from the conversation.
fn write_documents(o: &mut Members<'_>, request: &ChatRequest, found: &[Document]) {
    let callers = request.extra.iter().find(|(name, _)| name == "documents").map(|(_, json)| json);
    let callers: Vec<&serde_json::value::RawValue> =
        callers.and_then(|json| crate::json::parse(json.text()).ok()).unwrap_or_default();
    if callers.is_empty() && found.is_empty() {
        return;
    }
    o.array("documents", |a| {
        callers.iter().for_each(|raw| a.value().extend_from_slice(raw.get().as_bytes()));
        for (title, text) in found {
            a.object(|o| {
                o.object("data", |o| {
                    o.maybe_string("title", title.as_deref());
                    o.string("text", text);
                });
            });
        }
    });
}

fn write_tools(o: &mut Members<'_>, request: &ChatRequest, warnings: &mut Warnings) {
    // One tool that must be called is the only one there is, and must be called.
    let only = if let Some(ToolChoice::Named(name)) = &request.tool_choice { Some(name) } else { None };
    if request.parallel_tool_calls == Some(false) {
        warnings.dropped(request.origin.parallel_path());
    }
    let mut tools = Vec::new();
    for (index, tool) in request.tools.iter().enumerate() {
        match tool {
            Tool::Function { name, .. } if only.is_none_or(|only| only == name) => tools.push((index, tool)),
            Tool::Function { .. } => {}
            Tool::Opaque { .. } => warnings.dropped(format_args!("tools[{index}]")),
        }
    }
    if tools.is_empty() {
        request.warn_of_choice(warnings);
        return;
    }
    o.array("tools", |a| tools.iter().for_each(|(index, tool)| write_tool(a, request.origin, *index, tool, warnings)));
    match &request.tool_choice {
        Some(ToolChoice::Required) => o.string("tool_choice", "REQUIRED"),
        Some(ToolChoice::None) => o.string("tool_choice", "NONE"),
        Some(ToolChoice::Named(_)) => {
            o.string("tool_choice", "REQUIRED");
            if request.tools.len() > 1 {
                warnings.add("tool_choice", Effect::Converted);
            }
        }
        Some(ToolChoice::Opaque { .. }) => warnings.dropped("tool_choice"),
        // As it likes is what a request without the member asks for.
        Some(ToolChoice::Auto) | None => {}
    }
    write_strictness(o, request, &tools, warnings);
}

fn write_tool(a: &mut Items<'_>, origin: Dialect, index: usize, tool: &Tool, warnings: &mut Warnings) {
    let Tool::Function { name, description, parameters, cache, extra, .. } = tool else { return };
    a.object(|o| {
        o.string("type", "function");
        o.object("function", |o| {
            o.string("name", name);
            o.maybe_string("description", description.as_deref());
            write_schema(o, "parameters", parameters.as_ref());
        });
    });
    if cache.is_some() {
        warnings.dropped(format_args!("tools[{index}].cache_control"));
    }
    for (member, _) in extra {
        warnings.dropped(format_args!("{}.{member}", origin.function_path(index)));
    }
}

/// `strict_tools` holds all tools to their schemas, and wants each to require something.
fn write_strictness(o: &mut Members<'_>, request: &ChatRequest, tools: &[(usize, &Tool)], warnings: &mut Warnings) {
    let path = Path::Root;
    let requires = |json: &Json| {
        let schema = Object::read(json.text(), &path).ok();
        schema.is_some_and(|mut schema| schema.items("required").is_ok_and(|names| !names.is_empty()))
    };
    let strict = |tool: &Tool| matches!(tool, Tool::Function { strict: Some(true), .. });
    let fit = |tool: &Tool| {
        strict(tool) && matches!(tool, Tool::Function { parameters: Some(schema), .. } if requires(schema))
    };
    let said = request.extra.iter().any(|(name, _)| name == "strict_tools");
    if !said && tools.iter().all(|(_, tool)| fit(tool)) {
        return o.boolean("strict_tools", true);
    }
    for (index, _) in tools.iter().filter(|(_, tool)| !said && strict(tool)) {
        warnings.dropped(format_args!("{}.strict", request.origin.function_path(*index)));
    }
}

fn write_output(o: &mut Members<'_>, request: &ChatRequest, target: &Target<'_>, warnings: &mut Warnings) {
    let path = request.origin.output_path();
    match &request.output {
        Some(OutputFormat::JsonObject | OutputFormat::JsonSchema { schema: None, .. }) => {
            o.object("response_format", |o| o.string("type", "json_object"));
        }
        Some(OutputFormat::JsonSchema { name, description, schema: Some(schema), .. }) if target.quirks.json_schema => {
            for (member, present) in [("name", name.is_some()), ("description", description.is_some())] {
                if present {
                    warnings.dropped(format_args!("{}.{member}", request.origin.schema_path()));
                }
            }
            o.object("response_format", |o| {
                o.string("type", "json_object");
                o.json("json_schema", schema);
            });
        }
        Some(OutputFormat::JsonSchema { .. }) => {
            warnings.add(path, Effect::Converted);
            o.object("response_format", |o| o.string("type", "json_object"));
        }
        Some(OutputFormat::Opaque { .. }) => warnings.dropped(path),
        None => {}
    }
}

fn write_thinking(o: &mut Members<'_>, request: &ChatRequest, target: &Target<'_>, warnings: &mut Warnings) {
    let reasoning = &request.reasoning;
    if reasoning.display.is_some() {
        warnings.dropped("thinking.display");
    }
    let (thinking, effort) = (reasoning.thinking, reasoning.effort);
    if thinking.is_none() && effort.is_none() {
        return;
    }
    if target.quirks.thinking == ThinkingSupport::None {
        if reasoning.is_wanted() {
            warnings.dropped(request.origin.reasoning_path());
        }
        return;
    }
    let budget = match (thinking, effort) {
        (Some(Thinking::Budget(tokens)), _) => Some(tokens),
        (_, Some(effort)) => Some(effort.budget()),
        (Some(Thinking::Adaptive | Thinking::Disabled) | None, None) => None,
    };
    let off = thinking == Some(Thinking::Disabled) || (thinking.is_none() && effort == Some(Effort::None));
    o.object("thinking", |o| {
        o.string("type", if off { "disabled" } else { "enabled" });
        o.maybe_number("token_budget", budget.filter(|_| !off));
    });
}

fn write_sampling(o: &mut Members<'_>, request: &ChatRequest, target: &Target<'_>, warnings: &mut Warnings) {
    let sampling = &request.sampling;
    let limit = match (request.max_output_tokens, target.max_output_tokens) {
        (Some(wish), Some(cap)) => Some(wish.min(cap)),
        (wish, cap) => wish.or(cap),
    };
    o.maybe_number("max_tokens", limit);
    for (name, ours, wish, range) in [
        ("temperature", "temperature", sampling.temperature, 0.0..=1.0),
        ("top_p", "p", sampling.top_p, 0.01..=0.99),
        ("presence_penalty", "presence_penalty", sampling.presence_penalty, 0.0..=1.0),
        ("frequency_penalty", "frequency_penalty", sampling.frequency_penalty, 0.0..=1.0),
    ] {
        let Some(wish) = wish else { continue };
        let fits = wish.clamp(*range.start(), *range.end());
        if fits != wish {
            warnings.add(name, Effect::Clamped);
        }
        o.number(ours, fits);
    }
    if let Some(k) = sampling.top_k {
        let fits = k.min(500);
        if fits != k {
            warnings.add("top_k", Effect::Clamped);
        }
        o.number("k", fits);
    }
    o.maybe_number("seed", sampling.seed);
    if request.stop.len() > MOST_STOPS {
        warnings.add(request.origin.stop_path(), Effect::Clamped);
    }
    if !request.stop.is_empty() {
        o.array("stop_sequences", |a| request.stop.iter().take(MOST_STOPS).for_each(|text| a.string(text)));
    }
    for (name, asked) in [
        ("n", sampling.n.is_some_and(|n| n > 1)),
        ("logit_bias", sampling.logit_bias.is_some()),
        ("logprobs", sampling.logprobs == Some(true)),
        ("top_logprobs", sampling.top_logprobs.is_some_and(|top| top > 0)),
    ] {
        if asked {
            warnings.dropped(name);
        }
    }
}
