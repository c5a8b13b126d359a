//! A request from the common form: everything but the conversation.

use super::messages_write::write_messages;
use crate::dialect::ir::{ChatRequest, Effort, OutputFormat, Sampling, Thinking, Tool, ToolChoice};
use crate::dialect::json_write::{Members, object};
use crate::dialect::openai_responses::SHARED_MEMBERS;
use crate::dialect::{Dialect, Effect, Quirks, SamplingSupport, Target, Warnings};

pub(in crate::dialect) fn write(request: &ChatRequest, target: &Target<'_>, warnings: &mut Warnings) -> Vec<u8> {
    let quirks = target.quirks;
    let mut out = Vec::with_capacity(1_024);
    object(&mut out, |o| {
        o.string("model", target.model);
        write_messages(o, request, quirks, warnings);
        if write_tools(o, request, quirks, warnings) {
            write_tool_choice(o, request, warnings);
        } else {
            request.warn_of_choice(warnings);
        }
        write_output(o, request, quirks, warnings);
        write_reasoning(o, request, quirks, warnings);
        write_sampling(o, request, quirks, warnings);
        let limit = match (request.max_output_tokens, target.max_output_tokens) {
            (Some(wish), Some(cap)) => Some(wish.min(cap)),
            (wish, cap) => wish.or(cap),
        };
        o.maybe_number(quirks.max_tokens_field.as_str(), limit);
        write_stop(o, request, quirks, warnings);
        if target.stream {
            o.boolean("stream", true);
            if quirks.stream_usage {
                o.object("stream_options", |o| o.boolean("include_usage", true));
            }
        }
        write_account(o, request, quirks, warnings);
        match &request.cache {
            Some(cache) if quirks.cache_control => o.json("cache_control", cache),
            Some(_) => warnings.dropped("cache_control"),
            None => {}
        }
        for (name, json) in &request.extra {
            match request.origin {
                Dialect::OpenAiChat => o.json(name, json),
                Dialect::OpenAiResponses if SHARED_MEMBERS.contains(&name.as_str()) => o.json(name, json),
                Dialect::Anthropic | Dialect::OpenAiResponses | Dialect::Gemini => warnings.dropped(name),
            }
        }
    });
    for path in &request.unread {
        warnings.dropped(path);
    }
    out
}

/// Writes the tools; `false` where there are none, and so nothing to choose from either.
pub(in crate::dialect) fn write_tools(
    o: &mut Members<'_>,
    request: &ChatRequest,
    quirks: &Quirks,
    warnings: &mut Warnings,
) -> bool {
    let ours = |tool: &Tool| match tool {
        Tool::Function { .. } => true,
        Tool::Opaque { origin, .. } => *origin == Dialect::OpenAiChat,
    };
    for (index, tool) in request.tools.iter().enumerate() {
        if !ours(tool) {
            warnings.dropped(format_args!("tools[{index}]"));
        }
    }
    if !request.tools.iter().any(ours) {
        return false;
    }
    o.array("tools", |a| {
        for (index, tool) in request.tools.iter().enumerate() {
            match tool {
                Tool::Function { name, description, parameters, strict, cache, extra } => a.object(|o| {
                    o.string("type", "function");
                    o.object("function", |o| {
                        o.string("name", name);
                        o.maybe_string("description", description.as_deref());
                        o.maybe_json("parameters", parameters.as_ref());
                        o.maybe_number("strict", *strict);
                        for (name, json) in extra {
                            if request.origin == Dialect::OpenAiChat {
                                o.json(name, json);
                            } else {
                                warnings.dropped(format_args!("tools[{index}].{name}"));
                            }
                        }
                    });
                    match cache {
                        Some(cache) if quirks.cache_control => o.json("cache_control", cache),
                        Some(_) => warnings.dropped(format_args!("tools[{index}].cache_control")),
                        None => {}
                    }
                }),
                Tool::Opaque { json, .. } if ours(tool) => a.json(json),
                Tool::Opaque { .. } => {}
            }
        }
    });
    true
}

fn write_tool_choice(o: &mut Members<'_>, request: &ChatRequest, warnings: &mut Warnings) {
    match &request.tool_choice {
        Some(ToolChoice::Auto) => o.string("tool_choice", "auto"),
        Some(ToolChoice::None) => o.string("tool_choice", "none"),
        Some(ToolChoice::Required) => o.string("tool_choice", "required"),
        Some(ToolChoice::Named(name)) => o.object("tool_choice", |o| {
            o.string("type", "function");
            o.object("function", |o| o.string("name", name));
        }),
        Some(ToolChoice::Opaque { origin: Dialect::OpenAiChat, json }) => o.json("tool_choice", json),
        Some(ToolChoice::Opaque { .. }) => warnings.dropped("tool_choice"),
        None => {}
    }
    o.maybe_number("parallel_tool_calls", request.parallel_tool_calls);
}

fn write_output(o: &mut Members<'_>, request: &ChatRequest, quirks: &Quirks, warnings: &mut Warnings) {
    let path = request.origin.output_path();
    match &request.output {
        Some(OutputFormat::JsonObject) => o.object("response_format", |o| o.string("type", "json_object")),
        Some(OutputFormat::JsonSchema { name, description, schema, strict }) if quirks.json_schema => {
            o.object("response_format", |o| {
                o.string("type", "json_schema");
                o.object("json_schema", |o| {
                    o.string("name", name.as_deref().unwrap_or("response"));
                    o.maybe_string("description", description.as_deref());
                    o.maybe_json("schema", schema.as_ref());
                    // Anthropic always holds to the schema; OpenAI does when told. Gemini's callers leave out
                    // what OpenAI then demands of a schema.
                    let strict = strict.or((request.origin == Dialect::Anthropic).then_some(true));
                    o.maybe_number("strict", strict);
                });
            });
        }
        Some(OutputFormat::JsonSchema { .. }) => {
            o.object("response_format", |o| o.string("type", "json_object"));
            warnings.add(path, Effect::Converted);
        }
        Some(OutputFormat::Opaque { origin: Dialect::OpenAiChat, json }) => o.json("response_format", json),
        Some(OutputFormat::Opaque { .. }) => warnings.dropped(path),
        None => {}
    }
}

fn write_reasoning(o: &mut Members<'_>, request: &ChatRequest, quirks: &Quirks, warnings: &mut Warnings) {
    let reasoning = &request.reasoning;
    if reasoning.display.is_some() {
        warnings.dropped("thinking.display");
    }
    if reasoning.summary.is_some() {
        warnings.dropped("reasoning.summary");
    }
    let path = request.origin.reasoning_path();
    if matches!(reasoning.thinking, Some(Thinking::Budget(_))) {
        warnings.add(request.origin.budget_path(), Effect::Converted);
    }
    match reasoning.level() {
        Some(_) if !quirks.reasoning_effort => warnings.dropped(path),
        Some(Effort::Max) => {
            o.string("reasoning_effort", Effort::XHigh.as_str());
            let path = if request.origin == Dialect::Anthropic { "output_config.effort" } else { path };
            warnings.add(path, Effect::Clamped);
        }
        Some(effort) => o.string("reasoning_effort", effort.as_str()),
        None => {}
    }
}

fn write_sampling(o: &mut Members<'_>, request: &ChatRequest, quirks: &Quirks, warnings: &mut Warnings) {
    let sampling = &request.sampling;
    let mut top_p = sampling.top_p;
    if quirks.sampling == SamplingSupport::OneOf && sampling.temperature.is_some() && top_p.take().is_some() {
        warnings.dropped("top_p");
    }
    let numbers = [
        ("temperature", sampling.temperature, 1.0),
        ("top_p", top_p, 1.0),
        ("presence_penalty", sampling.presence_penalty, 0.0),
        ("frequency_penalty", sampling.frequency_penalty, 0.0),
    ];
    for (name, value, usual) in numbers {
        match value {
            Some(value) if quirks.sampling.takes(value, usual) => o.number(name, value),
            Some(_) => warnings.dropped(name),
            None => {}
        }
    }
    if let Some(k) = sampling.top_k {
        // Not OpenAI's own, but many servers of its dialect take it.
        if request.origin == Dialect::OpenAiChat {
            o.number("top_k", k);
        } else {
            warnings.dropped("top_k");
        }
    }
    o.maybe_number("seed", sampling.seed);
    o.maybe_number("n", sampling.n);
    if quirks.sampling == SamplingSupport::None {
        return Sampling { n: None, seed: None, presence_penalty: None, frequency_penalty: None, ..sampling.clone() }
            .warn_of_the_rest(warnings);
    }
    o.maybe_json("logit_bias", sampling.logit_bias.as_ref());
    o.maybe_number("logprobs", sampling.logprobs);
    o.maybe_number("top_logprobs", sampling.top_logprobs);
}

fn write_stop(o: &mut Members<'_>, request: &ChatRequest, quirks: &Quirks, warnings: &mut Warnings) {
    let most = if quirks.sampling == SamplingSupport::None { 0 } else { quirks.stops };
    if request.stop.len() > most {
        let effect = if most == 0 { Effect::Dropped } else { Effect::Clamped };
        warnings.add(request.origin.stop_path(), effect);
    }
    if most.min(request.stop.len()) > 0 {
        o.array("stop", |a| request.stop.iter().take(most).for_each(|text| a.string(text)));
    }
}

/// What concerns the account at the provider more than the answer.
fn write_account(o: &mut Members<'_>, request: &ChatRequest, quirks: &Quirks, warnings: &mut Warnings) {
    match &request.user {
        Some(user) if quirks.user => o.string("user", user),
        Some(_) => warnings.dropped(request.origin.user_path()),
        None => {}
    }
    if quirks.account_members {
        write_service_tier(o, request, warnings);
        o.maybe_json("metadata", request.metadata.as_ref());
        o.maybe_string("verbosity", request.verbosity.as_deref());
        o.maybe_number("store", request.store);
        return;
    }
    for (path, asked) in [
        ("service_tier", request.service_tier.as_deref().is_some_and(|tier| tier != "auto")),
        ("metadata", request.metadata.is_some()),
        (request.origin.verbosity_path(), request.verbosity.is_some()),
        ("store", request.store == Some(true)),
    ] {
        if asked {
            warnings.dropped(path);
        }
    }
}

fn write_service_tier(o: &mut Members<'_>, request: &ChatRequest, warnings: &mut Warnings) {
    let Some(tier) = &request.service_tier else { return };
    match (request.origin, tier.as_str()) {
        (Dialect::OpenAiChat | Dialect::OpenAiResponses, tier) => o.string("service_tier", tier),
        (Dialect::Anthropic, "auto") => o.string("service_tier", "auto"),
        (Dialect::Anthropic, "standard_only") => o.string("service_tier", "default"),
        (Dialect::Anthropic | Dialect::Gemini, _) => warnings.dropped("service_tier"),
    }
}
