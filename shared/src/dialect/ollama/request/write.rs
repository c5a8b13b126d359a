//! A request from the common form: everything but the conversation.

use super::messages;
use crate::dialect::ir::{ChatRequest, Effort, OutputFormat, Thinking, Tool, ToolChoice};
use crate::dialect::json_read::RawMembers;
use crate::dialect::json_write::{Members, object};
use crate::dialect::{Effect, Target, ThinkingSupport, Warnings};

/// Members of Ollama's that no other dialect has a word for; a caller may write them as they are.
const OWN: [&str; 1] = ["keep_alive"];

pub(in crate::dialect) fn write(request: &ChatRequest, target: &Target<'_>, warnings: &mut Warnings) -> Vec<u8> {
    let mut out = Vec::with_capacity(1_024);
    object(&mut out, |o| {
        o.string("model", target.model);
        messages::write(o, request, warnings);
        write_tools(o, request, warnings);
        write_output(o, request, target, warnings);
        write_think(o, request, target, warnings);
        write_options(o, request, target, warnings);
        // It streams unless told not to.
        o.boolean("stream", target.stream);
        o.maybe_number("logprobs", request.sampling.logprobs);
        o.maybe_number("top_logprobs", request.sampling.top_logprobs);
        for (name, json) in &request.extra {
            if OWN.contains(&name.as_str()) {
                o.json(name, json);
            } else if name != "options" {
                warnings.dropped(name);
            }
        }
    });
    request.warn_of_labels(warnings);
    request.warn_of_services(warnings);
    out
}

/// There is no choice of tools: none means that none are told of, and the only one that may be called
/// is the only one told of.
fn write_tools(o: &mut Members<'_>, request: &ChatRequest, warnings: &mut Warnings) {
    let only = if let Some(ToolChoice::Named(name)) = &request.tool_choice { Some(name) } else { None };
    if request.parallel_tool_calls == Some(false) {
        warnings.dropped(request.origin.parallel_path());
    }
    match &request.tool_choice {
        Some(ToolChoice::None) => return,
        Some(ToolChoice::Named(_)) => warnings.add("tool_choice", Effect::Converted),
        Some(ToolChoice::Required | ToolChoice::Opaque { .. }) => warnings.dropped("tool_choice"),
        Some(ToolChoice::Auto) | None => {}
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
        return;
    }
    o.array("tools", |a| {
        for (index, tool) in tools {
            let Tool::Function { name, description, parameters, strict, cache, extra } = tool else { continue };
            a.object(|o| {
                o.string("type", "function");
                o.object("function", |o| {
                    o.string("name", name);
                    o.maybe_string("description", description.as_deref());
                    o.maybe_json("parameters", parameters.as_ref());
                });
            });
            let mut unsaid: Vec<&str> = extra.iter().map(|(member, _)| member.as_str()).collect();
            unsaid.extend((*strict == Some(true)).then_some("strict"));
            unsaid.extend(cache.is_some().then_some("cache_control"));
            let path = request.origin.function_path(index);
            unsaid.iter().for_each(|member| warnings.dropped(format_args!("{path}.{member}")));
        }
    });
}

fn write_output(o: &mut Members<'_>, request: &ChatRequest, target: &Target<'_>, warnings: &mut Warnings) {
    let path = request.origin.output_path();
    match &request.output {
        Some(OutputFormat::JsonSchema { name, description, schema: Some(schema), .. }) if target.quirks.json_schema => {
            for (member, present) in [("name", name.is_some()), ("description", description.is_some())] {
                if present {
                    warnings.dropped(format_args!("{}.{member}", request.origin.schema_path()));
                }
            }
            o.json("format", schema);
        }
        Some(OutputFormat::JsonSchema { .. }) => {
            warnings.add(path, Effect::Converted);
            o.string("format", "json");
        }
        Some(OutputFormat::JsonObject) => o.string("format", "json"),
        Some(OutputFormat::Opaque { .. }) => warnings.dropped(path),
        None => {}
    }
}

/// `think`: a level for OpenAI's open weights, which know no off, else yes or no.
fn write_think(o: &mut Members<'_>, request: &ChatRequest, target: &Target<'_>, warnings: &mut Warnings) {
    let reasoning = &request.reasoning;
    if reasoning.display.is_some() {
        warnings.dropped("thinking.display");
    }
    if reasoning.thinking.is_none() && reasoning.effort.is_none() {
        return;
    }
    if target.quirks.thinking == ThinkingSupport::None {
        if reasoning.is_wanted() {
            warnings.dropped(request.origin.reasoning_path());
        }
        return;
    }
    if let Some(Thinking::Budget(_)) = reasoning.thinking {
        warnings.add(request.origin.budget_path(), Effect::Converted);
    }
    if !target.model.contains("gpt-oss") {
        return o.boolean("think", reasoning.is_wanted());
    }
    let by_budget =
        if let Some(Thinking::Budget(tokens)) = reasoning.thinking { Some(Effort::from_budget(tokens)) } else { None };
    o.string(
        "think",
        match reasoning.effort.or(by_budget).unwrap_or(Effort::Medium) {
            Effort::None | Effort::Minimal | Effort::Low => "low",
            Effort::Medium => "medium",
            Effort::High | Effort::XHigh | Effort::Max => "high",
        },
    );
}

/// `options`: the caller's own first, then what other dialects have words for.
fn write_options(o: &mut Members<'_>, request: &ChatRequest, target: &Target<'_>, warnings: &mut Warnings) {
    let sampling = &request.sampling;
    let limit = match (request.max_output_tokens, target.max_output_tokens) {
        (Some(wish), Some(cap)) => Some(wish.min(cap)),
        (wish, cap) => wish.or(cap),
    };
    let callers = request.extra.iter().find(|(name, _)| name == "options").map(|(_, json)| json);
    let members = callers.and_then(|json| crate::json::parse::<RawMembers<'_>>(json.text()).ok());
    let members = members.map(|RawMembers(members)| members).unwrap_or_default();
    let ours =
        ["num_predict", "temperature", "top_p", "top_k", "seed", "presence_penalty", "frequency_penalty", "stop"];
    o.object("options", |o| {
        for (name, raw) in members {
            if let Some(raw) = raw.filter(|_| !ours.contains(&name.as_ref())) {
                o.value(&name).extend_from_slice(raw.get().as_bytes());
            }
        }
        o.maybe_number("num_predict", limit);
        o.maybe_number("temperature", sampling.temperature);
        o.maybe_number("top_p", sampling.top_p);
        o.maybe_number("top_k", sampling.top_k);
        o.maybe_number("seed", sampling.seed);
        o.maybe_number("presence_penalty", sampling.presence_penalty);
        o.maybe_number("frequency_penalty", sampling.frequency_penalty);
        if !request.stop.is_empty() {
            o.array("stop", |a| request.stop.iter().for_each(|text| a.string(text)));
        }
    });
    for (name, asked) in [("n", sampling.n.is_some_and(|n| n > 1)), ("logit_bias", sampling.logit_bias.is_some())] {
        if asked {
            warnings.dropped(name);
        }
    }
}
