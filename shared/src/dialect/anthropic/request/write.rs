//! A request from the common form: everything but the conversation.

use super::blocks_write::Blocks;
use super::thinking::{self, Plan};
use crate::dialect::ir::{ChatRequest, Json, OutputFormat, Part, Thinking, Tool, ToolChoice};
use crate::dialect::json_read::{Object, Path};
use crate::dialect::json_write::{Members, object};
use crate::dialect::turns::arrange;
use crate::dialect::{Dialect, Effect, SamplingSupport, Target, Warnings};

pub(in crate::dialect) fn write(request: &ChatRequest, target: &Target<'_>, warnings: &mut Warnings) -> Vec<u8> {
    let wish = request.max_output_tokens.unwrap_or(target.default_max_output_tokens);
    let max_tokens = target.max_output_tokens.map_or(wish, |cap| wish.min(cap));
    let plan = thinking::plan(request, target, max_tokens, warnings);
    let mut out = Vec::with_capacity(1_024);
    object(&mut out, |o| {
        o.string("model", target.model);
        o.number("max_tokens", max_tokens);
        write_conversation(o, request, target, warnings);
        write_tools(o, request, warnings);
        write_thinking(o, request, &plan);
        write_output(o, request, target, &plan, warnings);
        write_sampling(o, request, target, &plan, warnings);
        write_stop(o, request, warnings);
        if target.stream {
            o.boolean("stream", true);
        }
        if let Some(user) = &request.user {
            o.object("metadata", |o| o.string("user_id", user));
        }
        write_service_tier(o, request, warnings);
        o.maybe_json("cache_control", request.cache.as_ref());
        if request.verbosity.is_some() {
            warnings.dropped(request.origin.verbosity_path());
        }
        for (name, json) in &request.extra {
            match request.origin {
                Dialect::Anthropic => o.json(name, json),
                Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::Gemini => warnings.dropped(name),
            }
        }
    });
    if request.metadata.is_some() {
        warnings.dropped("metadata");
    }
    if request.store == Some(true) {
        warnings.dropped("store");
    }
    for path in &request.unread {
        warnings.dropped(path);
    }
    out
}

fn write_conversation(o: &mut Members<'_>, request: &ChatRequest, target: &Target<'_>, warnings: &mut Warnings) {
    let (system, turns) = arrange(request, target.quirks.system_in_conversation, false, warnings);
    let mut blocks = Blocks::new(request.origin, warnings);
    match system.as_slice() {
        [] => {}
        [only] if matches!(only.part, Part::Text { cache: None, .. }) => {
            if let Part::Text { text, .. } = only.part {
                o.string("system", text);
            }
        }
        parts => o.array("system", |a| parts.iter().for_each(|placed| blocks.instruction(a, placed))),
    }
    o.array("messages", |a| {
        for turn in &turns {
            a.object(|o| {
                o.string("role", turn.role);
                match turn.parts.as_slice() {
                    [only] if matches!(only.part, Part::Text { cache: None, .. }) => {
                        if let Part::Text { text, .. } = only.part {
                            o.string("content", text);
                        }
                    }
                    parts => o.array("content", |a| parts.iter().for_each(|placed| blocks.block(a, turn.role, placed))),
                }
            });
        }
    });
}

fn write_tools(o: &mut Members<'_>, request: &ChatRequest, warnings: &mut Warnings) {
    let ours = |tool: &Tool| match tool {
        Tool::Function { .. } => true,
        Tool::Opaque { origin, .. } => *origin == Dialect::Anthropic,
    };
    for (index, tool) in request.tools.iter().enumerate() {
        if !ours(tool) {
            warnings.dropped(format_args!("tools[{index}]"));
        }
    }
    if !request.tools.iter().any(ours) {
        // A choice without tools is refused.
        request.warn_of_choice(warnings);
        return;
    }
    o.array("tools", |a| {
        for (index, tool) in request.tools.iter().enumerate() {
            match tool {
                Tool::Function { name, description, parameters, strict, cache, extra } => a.object(|o| {
                    o.string("name", name);
                    o.maybe_string("description", description.as_deref());
                    write_schema(o, "input_schema", parameters.as_ref());
                    o.maybe_number("strict", *strict);
                    o.maybe_json("cache_control", cache.as_ref());
                    for (name, json) in extra {
                        match request.origin {
                            Dialect::Anthropic => o.json(name, json),
                            Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::Gemini => {
                                warnings.dropped(format_args!("{}.{name}", request.origin.function_path(index)));
                            }
                        }
                    }
                }),
                Tool::Opaque { json, .. } if ours(tool) => a.json(json),
                Tool::Opaque { .. } => {}
            }
        }
    });
    write_tool_choice(o, request, warnings);
}

/// A schema of arguments as the member `name`. It must say that it is an object; every other keyword
/// stays as it came.
pub(in crate::dialect) fn write_schema(o: &mut Members<'_>, name: &str, schema: Option<&Json>) {
    let path = Path::Root;
    match schema.map(|schema| (schema, Object::read(schema.text(), &path))) {
        Some((schema, Ok(object))) if object.has("type") => o.json(name, schema),
        Some((_, Ok(object))) => o.object(name, |o| {
            o.string("type", "object");
            for (name, json) in object.rest() {
                o.json(&name, &json);
            }
        }),
        // No object at all: the provider's error says it best.
        Some((schema, Err(_))) => o.json(name, schema),
        None => o.object(name, |o| {
            o.string("type", "object");
            o.object("properties", |_| {});
        }),
    }
}

fn write_tool_choice(o: &mut Members<'_>, request: &ChatRequest, warnings: &mut Warnings) {
    let serial = request.parallel_tool_calls.map(|parallel| !parallel);
    let kind = match &request.tool_choice {
        Some(ToolChoice::Auto) => "auto",
        Some(ToolChoice::None) => "none",
        Some(ToolChoice::Required) => "any",
        Some(ToolChoice::Named(_)) => "tool",
        Some(ToolChoice::Opaque { origin: Dialect::Anthropic, json }) => return o.json("tool_choice", json),
        Some(ToolChoice::Opaque { .. }) => {
            warnings.dropped("tool_choice");
            return;
        }
        None if serial == Some(true) => "auto",
        None => return,
    };
    o.object("tool_choice", |o| {
        o.string("type", kind);
        if let Some(ToolChoice::Named(name)) = &request.tool_choice {
            o.string("name", name);
        }
        if let Some(serial) = serial.filter(|_| kind != "none") {
            o.boolean("disable_parallel_tool_use", serial);
        }
    });
}

fn write_thinking(o: &mut Members<'_>, request: &ChatRequest, plan: &Plan) {
    let Some(thinking) = plan.thinking else { return };
    o.object("thinking", |o| {
        match thinking {
            Thinking::Disabled => return o.string("type", "disabled"),
            Thinking::Adaptive => o.string("type", "adaptive"),
            Thinking::Budget(tokens) => {
                o.string("type", "enabled");
                o.number("budget_tokens", tokens);
            }
        }
        o.maybe_string("display", request.reasoning.display.as_deref());
    });
}

fn write_output(o: &mut Members<'_>, request: &ChatRequest, target: &Target<'_>, plan: &Plan, warnings: &mut Warnings) {
    let path = request.origin.output_path();
    let format = match &request.output {
        Some(OutputFormat::JsonSchema { name, description, schema: Some(schema), .. }) if target.quirks.json_schema => {
            for (member, present) in [("name", name.is_some()), ("description", description.is_some())] {
                if present {
                    warnings.dropped(format_args!("{}.{member}", request.origin.schema_path()));
                }
            }
            Some(Ok(schema))
        }
        Some(OutputFormat::Opaque { origin: Dialect::Anthropic, json }) => Some(Err(json)),
        Some(OutputFormat::JsonObject | OutputFormat::JsonSchema { .. } | OutputFormat::Opaque { .. }) => {
            warnings.dropped(path);
            None
        }
        None => None,
    };
    if format.is_none() && plan.effort.is_none() {
        return;
    }
    o.object("output_config", |o| {
        o.maybe_string("effort", plan.effort.map(crate::dialect::ir::Effort::as_str));
        match format {
            Some(Ok(schema)) => o.object("format", |o| {
                o.string("type", "json_schema");
                o.json("schema", schema);
            }),
            Some(Err(json)) => o.json("format", json),
            None => {}
        }
    });
}

fn write_sampling(
    o: &mut Members<'_>,
    request: &ChatRequest,
    target: &Target<'_>,
    plan: &Plan,
    warnings: &mut Warnings,
) {
    let sampling = &request.sampling;
    let temperature = sampling.temperature.map(|wish| {
        let fits = wish.clamp(0.0, 1.0);
        if fits != wish {
            warnings.add("temperature", Effect::Clamped);
        }
        fits
    });
    // A thinking model takes a temperature of 1 and a top_p near it.
    let allowed = |name: &str, wish: f64| match target.quirks.sampling {
        SamplingSupport::None => false,
        SamplingSupport::All | SamplingSupport::OneOf if !plan.thinks() => true,
        SamplingSupport::All | SamplingSupport::OneOf => match name {
            "temperature" => wish == 1.0,
            "top_p" => wish >= 0.95,
            _ => false,
        },
    };
    let both = temperature.is_some() && sampling.top_p.is_some();
    let top_k = sampling.top_k.map(|k| k as f64);
    for (name, wish) in [("temperature", temperature), ("top_p", sampling.top_p), ("top_k", top_k)] {
        let Some(wish) = wish else { continue };
        let second = name == "top_p" && both && target.quirks.sampling == SamplingSupport::OneOf;
        if allowed(name, wish) && !second {
            o.number(name, wish);
        } else {
            warnings.dropped(name);
        }
    }
    sampling.warn_of_the_rest(warnings);
}

fn write_stop(o: &mut Members<'_>, request: &ChatRequest, warnings: &mut Warnings) {
    // A sequence of white space alone is refused.
    let (fits, blank): (Vec<_>, Vec<_>) = request.stop.iter().partition(|text| !text.trim().is_empty());
    if !blank.is_empty() {
        warnings.dropped(request.origin.stop_path());
    }
    if !fits.is_empty() {
        o.array("stop_sequences", |a| fits.iter().for_each(|text| a.string(text)));
    }
}

fn write_service_tier(o: &mut Members<'_>, request: &ChatRequest, warnings: &mut Warnings) {
    let Some(tier) = &request.service_tier else { return };
    match (request.origin, tier.as_str()) {
        (Dialect::Anthropic, tier) => o.string("service_tier", tier),
        (Dialect::OpenAiChat | Dialect::OpenAiResponses, "auto") => o.string("service_tier", "auto"),
        (Dialect::OpenAiChat | Dialect::OpenAiResponses, "default") => o.string("service_tier", "standard_only"),
        (Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::Gemini, _) => warnings.dropped("service_tier"),
    }
}
