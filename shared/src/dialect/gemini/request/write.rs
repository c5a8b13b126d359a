//! A request from the common form: everything but the conversation's parts.

use super::thinking;
use super::tools::{write_tool_choice, write_tools};
use crate::dialect::gemini::parts_write::{Towards, Writer};
use crate::dialect::ir::{ChatRequest, OutputFormat, Part};
use crate::dialect::json_read::{Object, Path};
use crate::dialect::json_write::{Items, Members, array, object};
use crate::dialect::turns::arrange;
use crate::dialect::{Dialect, Effect, SamplingSupport, Target, ThinkingSupport, Warnings};

/// The most stop texts Google takes.
const MOST_STOPS: usize = 5;

pub(in crate::dialect) fn write(request: &ChatRequest, target: &Target<'_>, warnings: &mut Warnings) -> Vec<u8> {
    let mut out = Vec::with_capacity(1_024);
    object(&mut out, |o| {
        write_conversation(o, request, target, warnings);
        write_tools(o, request, warnings);
        write_tool_choice(o, request, warnings);
        let mut config = Vec::new();
        object(&mut config, |o| write_config(o, request, target, warnings));
        if config != b"{}" {
            o.value("generationConfig").append(&mut config);
        }
        write_service_tier(o, request, warnings);
        for (name, json) in &request.extra {
            match request.origin {
                Dialect::Gemini => o.json(name, json),
                Dialect::OpenAiChat | Dialect::Anthropic | Dialect::OpenAiResponses => warnings.dropped(name),
            }
        }
    });
    for (name, present) in [
        ("user", request.user.is_some()),
        ("metadata", request.metadata.is_some()),
        ("store", request.store == Some(true)),
        (request.origin.verbosity_path(), request.verbosity.is_some()),
        ("reasoning.summary", request.reasoning.summary.is_some()),
        ("cache_control", request.cache.is_some()),
    ] {
        if present {
            warnings.dropped(name);
        }
    }
    for path in &request.unread {
        warnings.dropped(path);
    }
    out
}

fn write_conversation(o: &mut Members<'_>, request: &ChatRequest, target: &Target<'_>, warnings: &mut Warnings) {
    let (system, turns) = arrange(request, false, true, warnings);
    // The turn at hand begins with the last word of the user; what the model called since must be signed.
    let asked = turns.iter().rposition(|turn| {
        turn.role == "user" && turn.parts.iter().any(|placed| !matches!(placed.part, Part::ToolResult { .. }))
    });
    let signs = target.quirks.thinking == ThinkingSupport::Adaptive;
    let mut writer = Writer::new(Towards::Provider { origin: request.origin, quirks: *target.quirks }, warnings);
    o.array("contents", |a| {
        for (place, turn) in turns.iter().enumerate() {
            writer.must_sign = signs && asked.is_none_or(|asked| place > asked);
            let mut parts = Vec::new();
            array(&mut parts, |a| writer.turn(a, &turn.parts));
            if parts != b"[]" {
                write_content(a, if turn.role == "assistant" { "model" } else { "user" }, parts);
            }
        }
    });
    let mut parts = Vec::new();
    array(&mut parts, |a| {
        for placed in &system {
            if matches!(placed.part, Part::Text { .. }) {
                writer.turn(a, std::slice::from_ref(placed));
            } else {
                writer.warnings.dropped(&placed.path);
            }
        }
    });
    if parts != b"[]" {
        o.object("systemInstruction", |o| o.value("parts").append(&mut parts));
    }
}

fn write_content(a: &mut Items<'_>, role: &str, mut parts: Vec<u8>) {
    a.object(|o| {
        o.string("role", role);
        o.value("parts").append(&mut parts);
    });
}

fn write_config(o: &mut Members<'_>, request: &ChatRequest, target: &Target<'_>, warnings: &mut Warnings) {
    write_sampling(o, request, target, warnings);
    let limit = match (request.max_output_tokens, target.max_output_tokens) {
        (Some(wish), Some(cap)) => Some(wish.min(cap)),
        (wish, cap) => wish.or(cap),
    };
    o.maybe_number("maxOutputTokens", limit);
    if request.stop.len() > MOST_STOPS {
        warnings.add(request.origin.stop_path(), Effect::Clamped);
    }
    if !request.stop.is_empty() {
        o.array("stopSequences", |a| request.stop.iter().take(MOST_STOPS).for_each(|text| a.string(text)));
    }
    write_output(o, request, target, warnings);
    thinking::write(o, request, target, warnings);
}

fn write_sampling(o: &mut Members<'_>, request: &ChatRequest, target: &Target<'_>, warnings: &mut Warnings) {
    let sampling = &request.sampling;
    let top_k = sampling.top_k.map(|k| k as f64);
    for (name, member, wish) in [
        ("temperature", "temperature", sampling.temperature),
        ("top_p", "topP", sampling.top_p),
        ("top_k", "topK", top_k),
        ("presence_penalty", "presencePenalty", sampling.presence_penalty),
        ("frequency_penalty", "frequencyPenalty", sampling.frequency_penalty),
    ] {
        match target.quirks.sampling {
            SamplingSupport::All | SamplingSupport::OneOf => o.maybe_number(member, wish),
            SamplingSupport::None if wish.is_some() => warnings.dropped(name),
            SamplingSupport::None => {}
        }
    }
    o.maybe_number("seed", sampling.seed);
    o.maybe_number("candidateCount", sampling.n);
    if sampling.logit_bias.is_some() {
        warnings.dropped("logit_bias");
    }
    if sampling.logprobs == Some(true) {
        o.boolean("responseLogprobs", true);
        o.maybe_number("logprobs", sampling.top_logprobs.filter(|top| *top > 0));
    }
}

fn write_output(o: &mut Members<'_>, request: &ChatRequest, target: &Target<'_>, warnings: &mut Warnings) {
    let path = request.origin.output_path();
    match &request.output {
        Some(OutputFormat::JsonObject) => o.string("responseMimeType", "application/json"),
        Some(OutputFormat::JsonSchema { name, description, schema, .. }) => {
            o.string("responseMimeType", "application/json");
            if target.quirks.json_schema {
                for (member, present) in [("name", name.is_some()), ("description", description.is_some())] {
                    if present {
                        warnings.dropped(format_args!("{}.{member}", request.origin.schema_path()));
                    }
                }
                o.maybe_json("responseJsonSchema", schema.as_ref());
            } else {
                warnings.add(path, Effect::Converted);
            }
        }
        Some(OutputFormat::Opaque { origin: Dialect::Gemini, json }) => {
            if let Ok(form) = Object::read(json.text(), &Path::Root) {
                form.rest().iter().for_each(|(name, json)| o.json(name, json));
            }
        }
        Some(OutputFormat::Opaque { .. }) => warnings.dropped(path),
        None => {}
    }
}

fn write_service_tier(o: &mut Members<'_>, request: &ChatRequest, warnings: &mut Warnings) {
    let Some(tier) = &request.service_tier else { return };
    match (request.origin, tier.as_str()) {
        (Dialect::Gemini, tier) => o.string("serviceTier", tier),
        (Dialect::OpenAiChat | Dialect::OpenAiResponses, "auto" | "default")
        | (Dialect::Anthropic, "auto" | "standard_only") => {}
        (Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::Anthropic, _) => warnings.dropped("service_tier"),
    }
}
