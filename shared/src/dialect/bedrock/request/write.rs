//! A request from the common form. Turns alternate as Anthropic's do, tool results first in theirs.

use super::blocks::Blocks;
use super::fields::{self, Family, Reasoning};
use super::tools;
use crate::dialect::ir::{ChatRequest, Json, OutputFormat};
use crate::dialect::json_read::{Object, Path};
use crate::dialect::json_write::{Members, object};
use crate::dialect::turns::{Placed, Turn, arrange};
use crate::dialect::{Effect, SamplingSupport, Target, Warnings};

/// Members of Converse that no other dialect has a word for; a caller may write them as they are.
const OWN: [&str; 4] = ["guardrailConfig", "performanceConfig", "promptVariables", "requestMetadata"];

pub(in crate::dialect) fn write(request: &ChatRequest, target: &Target<'_>, warnings: &mut Warnings) -> Vec<u8> {
    let family = Family::of(target.model);
    let reasoning = fields::reasoning(family, request, target, warnings);
    let (system, turns) = arrange(request, false, false, warnings);
    let mut out = Vec::with_capacity(1_024);
    object(&mut out, |o| {
        write_conversation(o, request, &system, &turns, family.caches(), warnings);
        tools::write(o, request, &turns, family.caches(), target, warnings);
        write_inference(o, family, request, target, reasoning, warnings);
        write_output(o, request, target, warnings);
        fields::write(o, family, request, target, reasoning, warnings);
        if family == Family::Claude && !request.stop.is_empty() {
            // Claude tells which of them came up, when asked.
            o.array("additionalModelResponseFieldPaths", |a| a.string("/stop_sequence"));
        }
        write_service_tier(o, request, warnings);
        write_metadata(o, request, warnings);
        for (name, json) in &request.extra {
            if OWN.contains(&name.as_str()) {
                o.json(name, json);
            } else if name != fields::FIELDS {
                warnings.dropped(name);
            }
        }
    });
    request.warn_of_labels(warnings);
    out
}

fn write_conversation(
    o: &mut Members<'_>,
    request: &ChatRequest,
    system: &[Placed<'_>],
    turns: &[Turn<'_>],
    caches: bool,
    warnings: &mut Warnings,
) {
    let mut blocks = Blocks::new(request.origin, caches, warnings);
    if !system.is_empty() {
        o.array("system", |a| system.iter().for_each(|placed| blocks.instruction(a, placed)));
    }
    o.array("messages", |a| {
        for (index, turn) in turns.iter().enumerate() {
            // A breakpoint for the whole prompt is one behind its last block.
            let last = request.cache.as_ref().filter(|_| index + 1 == turns.len());
            let mut content = blocks.turn(turn.role, &turn.parts, last);
            if !content.is_empty() {
                a.object(|o| {
                    o.string("role", turn.role);
                    o.value("content").append(&mut content);
                });
            }
        }
    });
}

fn write_inference(
    o: &mut Members<'_>,
    family: Family,
    request: &ChatRequest,
    target: &Target<'_>,
    reasoning: Option<Reasoning>,
    warnings: &mut Warnings,
) {
    let sampling = &request.sampling;
    let limit = match (request.max_output_tokens, target.max_output_tokens) {
        (Some(wish), Some(cap)) => Some(wish.min(cap)),
        (wish, cap) => wish.or(cap),
    };
    let temperature = sampling.temperature.map(|wish| {
        let fits = wish.clamp(0.0, 1.0);
        if fits != wish {
            warnings.add("temperature", Effect::Clamped);
        }
        fits
    });
    // Claude while it thinks takes a temperature of 1 and a top_p near it; newer ones only one of the two.
    let thinks = reasoning.is_some_and(Reasoning::fixes_sampling);
    let one_of = family == Family::Claude && target.quirks.sampling == SamplingSupport::OneOf && temperature.is_some();
    let none = target.quirks.sampling == SamplingSupport::None;
    let temperature_fits = !none && (!thinks || temperature == Some(1.0));
    let top_p_fits = !none && !one_of && (!thinks || sampling.top_p.is_some_and(|p| p >= 0.95));
    let mut fitting = |name: &str, wish: Option<f64>, fits: bool| {
        if wish.is_some() && !fits {
            warnings.dropped(name);
        }
        wish.filter(|_| fits)
    };
    let temperature = fitting("temperature", temperature, temperature_fits);
    let top_p = fitting("top_p", sampling.top_p, top_p_fits);
    // A sequence of white space alone is refused.
    let (stop, blank): (Vec<_>, Vec<_>) = request.stop.iter().partition(|text| !text.trim().is_empty());
    if !blank.is_empty() {
        warnings.dropped(request.origin.stop_path());
    }
    if limit.is_some() || temperature.is_some() || top_p.is_some() || !stop.is_empty() {
        o.object("inferenceConfig", |o| {
            o.maybe_number("maxTokens", limit);
            o.maybe_number("temperature", temperature);
            o.maybe_number("topP", top_p);
            if !stop.is_empty() {
                o.array("stopSequences", |a| stop.iter().for_each(|text| a.string(text)));
            }
        });
    }
    sampling.warn_of_the_rest(warnings);
}

fn write_output(o: &mut Members<'_>, request: &ChatRequest, target: &Target<'_>, warnings: &mut Warnings) {
    match &request.output {
        Some(OutputFormat::JsonSchema { name, description, schema: Some(schema), .. }) if target.quirks.json_schema => {
            o.object("outputConfig", |o| {
                o.object("textFormat", |o| {
                    o.string("type", "json_schema");
                    o.object("structure", |o| {
                        o.object("jsonSchema", |o| {
                            // The schema as text, not as an object.
                            o.string("schema", schema.text());
                            o.maybe_string("name", name.as_deref());
                            o.maybe_string("description", description.as_deref());
                        });
                    });
                });
            });
        }
        Some(OutputFormat::JsonObject | OutputFormat::JsonSchema { .. } | OutputFormat::Opaque { .. }) => {
            warnings.dropped(request.origin.output_path());
        }
        None => {}
    }
}

fn write_service_tier(o: &mut Members<'_>, request: &ChatRequest, warnings: &mut Warnings) {
    match request.service_tier.as_deref() {
        None | Some("auto") => {}
        Some(tier @ ("default" | "flex" | "priority")) => o.object("serviceTier", |o| o.string("type", tier)),
        Some("standard_only") => o.object("serviceTier", |o| o.string("type", "default")),
        Some(_) => warnings.dropped("service_tier"),
    }
}

/// `requestMetadata`: what logs of invocations can be searched by, in a narrow alphabet.
fn write_metadata(o: &mut Members<'_>, request: &ChatRequest, warnings: &mut Warnings) {
    let Some(metadata) = &request.metadata else { return };
    if request.extra.iter().all(|(name, _)| name != "requestMetadata") && fits(metadata) {
        o.json("requestMetadata", metadata);
    } else {
        warnings.dropped("metadata");
    }
}

fn fits(metadata: &Json) -> bool {
    let plain = |text: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || ":_@$#=/+,-.".contains(c);
        text.len() <= 256 && text.chars().all(allowed)
    };
    let path = Path::Root;
    let Ok(members) = Object::read(metadata.text(), &path) else { return false };
    let members = members.rest();
    let text = |json: &Json| crate::json::parse::<String>(json.text()).ok();
    (1..=16).contains(&members.len())
        && members
            .iter()
            .all(|(name, json)| !name.is_empty() && plain(name) && text(json).is_some_and(|value| plain(&value)))
}
