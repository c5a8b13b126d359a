//! A request from the common form: everything but the conversation.

use super::items_write::write_input;
use crate::dialect::ir::{ChatRequest, OutputFormat, Thinking, Tool, ToolChoice};
use crate::dialect::json_write::{Members, object};
use crate::dialect::openai_responses::SHARED_MEMBERS;
use crate::dialect::{Dialect, Effect, Quirks, SamplingSupport, Target, Warnings};

pub(in crate::dialect) fn write(request: &ChatRequest, target: &Target<'_>, warnings: &mut Warnings) -> Vec<u8> {
    let quirks = target.quirks;
    let ours = request.origin == Dialect::OpenAiResponses;
    let mut out = Vec::with_capacity(1_024);
    object(&mut out, |o| {
        o.string("model", target.model);
        write_input(o, request, quirks, warnings);
        write_tools(o, request, warnings);
        write_tool_choice(o, request, warnings);
        write_text(o, request, quirks, warnings);
        write_reasoning(o, request, quirks, warnings);
        write_sampling(o, request, quirks, warnings);
        write_include(o, request, quirks);
        let limit = match (request.max_output_tokens, target.max_output_tokens) {
            (Some(wish), Some(cap)) => Some(wish.min(cap)),
            (wish, cap) => wish.or(cap),
        };
        o.maybe_number("max_output_tokens", limit);
        if target.stream {
            o.boolean("stream", true);
        }
        o.maybe_string("user", request.user.as_deref());
        write_service_tier(o, request, warnings);
        o.maybe_json("metadata", request.metadata.as_ref());
        // Left out it means true here, and false or nothing wherever else a request comes from.
        o.maybe_number("store", request.store.or((!ours).then_some(false)));
        for (name, json) in &request.extra {
            match request.origin {
                Dialect::OpenAiResponses => o.json(name, json),
                Dialect::OpenAiChat if SHARED_MEMBERS.contains(&name.as_str()) => o.json(name, json),
                Dialect::OpenAiChat | Dialect::Anthropic | Dialect::Gemini => warnings.dropped(name),
            }
        }
    });
    if request.cache.is_some() {
        warnings.dropped("cache_control");
    }
    for path in &request.unread {
        warnings.dropped(path);
    }
    out
}

fn write_tools(o: &mut Members<'_>, request: &ChatRequest, warnings: &mut Warnings) {
    let ours = |tool: &Tool| match tool {
        Tool::Function { .. } => true,
        Tool::Opaque { origin, .. } => *origin == Dialect::OpenAiResponses,
    };
    for (index, tool) in request.tools.iter().enumerate() {
        if !ours(tool) {
            warnings.dropped(format_args!("tools[{index}]"));
        }
    }
    if !request.tools.iter().any(ours) {
        return;
    }
    o.array("tools", |a| {
        for (index, tool) in request.tools.iter().enumerate() {
            match tool {
                Tool::Function { name, description, parameters, strict, cache, extra } => a.object(|o| {
                    o.string("type", "function");
                    o.string("name", name);
                    o.maybe_string("description", description.as_deref());
                    match parameters {
                        Some(parameters) => o.json("parameters", parameters),
                        None => o.object("parameters", |o| {
                            o.string("type", "object");
                            o.object("properties", |_| {});
                        }),
                    }
                    // Left out it means strict here, and not strict in every other dialect.
                    let usual = (request.origin != Dialect::OpenAiResponses).then_some(false);
                    o.maybe_number("strict", strict.or(usual));
                    if cache.is_some() {
                        warnings.dropped(format_args!("tools[{index}].cache_control"));
                    }
                    for (name, json) in extra {
                        match request.origin {
                            Dialect::OpenAiResponses => o.json(name, json),
                            Dialect::OpenAiChat | Dialect::Anthropic | Dialect::Gemini => {
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
}

fn write_tool_choice(o: &mut Members<'_>, request: &ChatRequest, warnings: &mut Warnings) {
    match &request.tool_choice {
        Some(ToolChoice::Auto) => o.string("tool_choice", "auto"),
        Some(ToolChoice::None) => o.string("tool_choice", "none"),
        Some(ToolChoice::Required) => o.string("tool_choice", "required"),
        Some(ToolChoice::Named(name)) => o.object("tool_choice", |o| {
            o.string("type", "function");
            o.string("name", name);
        }),
        Some(ToolChoice::Opaque { origin: Dialect::OpenAiResponses, json }) => o.json("tool_choice", json),
        Some(ToolChoice::Opaque { .. }) => warnings.dropped("tool_choice"),
        None => {}
    }
    o.maybe_number("parallel_tool_calls", request.parallel_tool_calls);
}

/// `text`: the form of the answer and how wordy it is.
fn write_text(o: &mut Members<'_>, request: &ChatRequest, quirks: &Quirks, warnings: &mut Warnings) {
    let path = request.origin.output_path();
    let carried = match &request.output {
        Some(OutputFormat::Opaque { origin, .. }) if *origin != Dialect::OpenAiResponses => {
            warnings.dropped(path);
            None
        }
        other => other.as_ref(),
    };
    if carried.is_none() && request.verbosity.is_none() {
        return;
    }
    o.object("text", |o| {
        match carried {
            Some(OutputFormat::JsonSchema { name, description, schema, strict }) if quirks.json_schema => {
                o.object("format", |o| {
                    o.string("type", "json_schema");
                    o.string("name", name.as_deref().unwrap_or("response"));
                    o.maybe_string("description", description.as_deref());
                    o.maybe_json("schema", schema.as_ref());
                    // Anthropic always holds to the schema; OpenAI does when told.
                    o.maybe_number("strict", strict.or((request.origin == Dialect::Anthropic).then_some(true)));
                });
            }
            Some(OutputFormat::JsonSchema { .. }) => {
                o.object("format", |o| o.string("type", "json_object"));
                warnings.add(path, Effect::Converted);
            }
            Some(OutputFormat::JsonObject) => o.object("format", |o| o.string("type", "json_object")),
            Some(OutputFormat::Opaque { json, .. }) => o.json("format", json),
            None => {}
        }
        o.maybe_string("verbosity", request.verbosity.as_deref());
    });
}

fn write_reasoning(o: &mut Members<'_>, request: &ChatRequest, quirks: &Quirks, warnings: &mut Warnings) {
    let reasoning = &request.reasoning;
    if matches!(reasoning.thinking, Some(Thinking::Budget(_))) {
        warnings.add(request.origin.budget_path(), Effect::Converted);
    }
    // A summary is what this dialect shows of thoughts. Not every account may ask for one.
    let shown = reasoning.display.as_deref() == Some("summarized");
    if reasoning.display.is_some() && !shown {
        warnings.dropped("thinking.display");
    }
    let summary = reasoning.summary.as_deref().or(shown.then_some("auto"));
    let effort = reasoning.level();
    if !quirks.reasoning_effort {
        if effort.is_some() {
            warnings.dropped(request.origin.reasoning_path());
        }
        if summary.is_some() {
            warnings.dropped(if shown { "thinking.display" } else { "reasoning.summary" });
        }
        return;
    }
    if effort.is_some() || summary.is_some() {
        o.object("reasoning", |o| {
            o.maybe_string("effort", effort.map(crate::dialect::ir::Effort::as_str));
            o.maybe_string("summary", summary);
        });
    }
}

fn write_sampling(o: &mut Members<'_>, request: &ChatRequest, quirks: &Quirks, warnings: &mut Warnings) {
    let sampling = &request.sampling;
    let mut top_p = sampling.top_p;
    if quirks.sampling == SamplingSupport::OneOf && sampling.temperature.is_some() && top_p.take().is_some() {
        warnings.dropped("top_p");
    }
    for (name, value) in [("temperature", sampling.temperature), ("top_p", top_p)] {
        match value {
            Some(value) if quirks.sampling.takes(value, 1.0) => o.number(name, value),
            Some(_) => warnings.dropped(name),
            None => {}
        }
    }
    o.maybe_number("top_logprobs", sampling.top_logprobs);
    let unknown = [
        ("top_k", sampling.top_k.is_some()),
        ("seed", sampling.seed.is_some()),
        ("n", sampling.n.is_some_and(|n| n > 1)),
        ("presence_penalty", sampling.presence_penalty.is_some_and(|penalty| penalty != 0.0)),
        ("frequency_penalty", sampling.frequency_penalty.is_some_and(|penalty| penalty != 0.0)),
        ("logit_bias", sampling.logit_bias.is_some()),
        (request.origin.stop_path(), !request.stop.is_empty()),
    ];
    for (name, asked) in unknown {
        if asked {
            warnings.dropped(name);
        }
    }
}

/// `include`: token probabilities, and the model's reasoning sealed, without which it is gone by the
/// next turn. A model that does not reason refuses to be asked for the latter.
fn write_include(o: &mut Members<'_>, request: &ChatRequest, quirks: &Quirks) {
    let sealed = quirks.encrypted_reasoning || (request.reasoning.is_wanted() && quirks.reasoning_effort);
    let logprobs = request.sampling.logprobs == Some(true);
    if sealed || logprobs {
        o.array("include", |a| {
            if sealed {
                a.string("reasoning.encrypted_content");
            }
            if logprobs {
                a.string("message.output_text.logprobs");
            }
        });
    }
}

fn write_service_tier(o: &mut Members<'_>, request: &ChatRequest, warnings: &mut Warnings) {
    let Some(tier) = &request.service_tier else { return };
    match (request.origin, tier.as_str()) {
        (Dialect::OpenAiResponses | Dialect::OpenAiChat, tier) => o.string("service_tier", tier),
        (Dialect::Anthropic, "auto") => o.string("service_tier", "auto"),
        (Dialect::Anthropic, "standard_only") => o.string("service_tier", "default"),
        (Dialect::Anthropic | Dialect::Gemini, _) => warnings.dropped("service_tier"),
    }
}
