//! Requests: OpenAI's conversation and tools, Cloudflare's parameters. The model stands in the URL.

use crate::dialect::ir::{ChatRequest, OutputFormat, ToolChoice};
use crate::dialect::json_write::{Members, object};
use crate::dialect::openai_chat::request::{write_messages, write_tools};
use crate::dialect::{Effect, Quirks, Target, Warnings};

/// Parameters that no other dialect has a word for; a caller may write them as they are.
const OWN: [&str; 3] = ["repetition_penalty", "lora", "raw"];

pub(in crate::dialect) fn write(request: &ChatRequest, target: &Target<'_>, warnings: &mut Warnings) -> Vec<u8> {
    let quirks = Quirks { developer_role: false, cache_control: false, ..*target.quirks };
    let mut out = Vec::with_capacity(1_024);
    object(&mut out, |o| {
        write_messages(o, request, &quirks, warnings);
        if request.tool_choice != Some(ToolChoice::None) {
            write_tools(o, request, &quirks, warnings);
        }
        write_output(o, request, warnings);
        write_sampling(o, request, target, warnings);
        o.boolean("stream", target.stream);
        for (name, json) in &request.extra {
            if OWN.contains(&name.as_str()) {
                o.json(name, json);
            } else {
                warnings.dropped(name);
            }
        }
    });
    let forced =
        matches!(request.tool_choice, Some(ToolChoice::Required | ToolChoice::Named(_) | ToolChoice::Opaque { .. }));
    for (name, asked) in [
        ("tool_choice", forced),
        (request.origin.parallel_path(), request.parallel_tool_calls == Some(false)),
        (request.origin.reasoning_path(), request.reasoning.is_wanted()),
        (request.origin.stop_path(), !request.stop.is_empty()),
    ] {
        if asked {
            warnings.dropped(name);
        }
    }
    request.warn_of_labels(warnings);
    request.warn_of_services(warnings);
    out
}

fn write_output(o: &mut Members<'_>, request: &ChatRequest, warnings: &mut Warnings) {
    match &request.output {
        Some(OutputFormat::JsonSchema { schema: Some(schema), .. }) => o.object("response_format", |o| {
            o.string("type", "json_schema");
            o.json("json_schema", schema);
        }),
        Some(OutputFormat::JsonObject | OutputFormat::JsonSchema { .. }) => {
            o.object("response_format", |o| o.string("type", "json_object"));
        }
        Some(OutputFormat::Opaque { .. }) => warnings.dropped(request.origin.output_path()),
        None => {}
    }
}

fn write_sampling(o: &mut Members<'_>, request: &ChatRequest, target: &Target<'_>, warnings: &mut Warnings) {
    let sampling = &request.sampling;
    let limit = match (request.max_output_tokens, target.max_output_tokens) {
        (Some(wish), Some(cap)) => Some(wish.min(cap)),
        (wish, cap) => wish.or(cap),
    };
    o.maybe_number("max_tokens", limit);
    o.maybe_number("temperature", sampling.temperature);
    o.maybe_number("top_p", sampling.top_p);
    o.maybe_number("frequency_penalty", sampling.frequency_penalty);
    o.maybe_number("presence_penalty", sampling.presence_penalty);
    if let Some(k) = sampling.top_k {
        let fits = k.clamp(1, 50);
        if fits != k {
            warnings.add("top_k", Effect::Clamped);
        }
        o.number("top_k", fits);
    }
    o.maybe_number("seed", sampling.seed);
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
