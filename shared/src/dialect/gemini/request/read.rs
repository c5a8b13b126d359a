//! A request into the common form: everything but the conversation.

use super::contents_read::{read_contents, read_instructions};
use super::schema::to_json_schema;
use super::thinking;
use super::tools::{read_tool_choice, read_tools};
use crate::dialect::Dialect;
use crate::dialect::gemini::citation::json_of;
use crate::dialect::ir::{ChatRequest, OutputFormat, Sampling};
use crate::dialect::json_read::{Object, Path, body_text, read_string};
use crate::dialect::json_write::object;
use crate::error::ApiError;

pub(in crate::dialect) fn read(body: &[u8]) -> Result<ChatRequest, ApiError> {
    let root = Path::Root;
    let mut top = Object::read(body_text(body)?, &root)?.camel_case();
    let mut request = ChatRequest::new(Dialect::Gemini);
    let mut unread = Vec::new();
    // The path says it; some clients repeat it.
    top.take("model");
    if let Some(raw) = top.take("systemInstruction") {
        request.instructions = read_instructions(raw, &mut unread)?;
    }
    request.messages = read_contents(&mut top, &mut request.places, &mut unread)?;
    request.tools = read_tools(&mut top)?;
    request.tool_choice = read_tool_choice(&mut top, &mut unread)?;
    let path = root.member("generationConfig");
    if let Some(raw) = top.take("generationConfig") {
        let config = Object::read(raw.get(), &path)?.camel_case();
        read_config(config, &mut request, &mut unread)?;
    }
    request.include_usage = true;
    request.service_tier = top.string("serviceTier")?;
    request.extra = top.rest();
    request.unread = unread;
    Ok(request)
}

fn read_config(
    mut config: Object<'_, '_>,
    request: &mut ChatRequest,
    unread: &mut Vec<String>,
) -> Result<(), ApiError> {
    request.output = read_output(&mut config)?;
    request.reasoning = thinking::read(&mut config, unread)?;
    request.sampling = Sampling {
        temperature: config.number("temperature")?,
        top_p: config.number("topP")?,
        // Any number is taken here; fractions mean nothing.
        top_k: config.number("topK")?.filter(|k| *k >= 0.0).map(|k| k as u64),
        seed: config.integer("seed")?,
        n: config.count("candidateCount")?,
        presence_penalty: config.number("presencePenalty")?,
        frequency_penalty: config.number("frequencyPenalty")?,
        logit_bias: None,
        logprobs: config.boolean("responseLogprobs")?,
        top_logprobs: config.count("logprobs")?,
    };
    request.max_output_tokens = config.count("maxOutputTokens")?;
    let path = *config.path;
    let path = path.member("stopSequences");
    for (index, raw) in config.items("stopSequences")?.into_iter().enumerate() {
        request.stop.push(read_string(raw, &path.item(index))?);
    }
    // Text alone is what everybody answers with.
    let modalities = config.json("responseModalities");
    if modalities.is_some_and(|list| !list.text().replace([' ', '\n'], "").eq_ignore_ascii_case("[\"TEXT\"]")) {
        unread.push("generationConfig.responseModalities".to_owned());
    }
    config.rest_paths(unread);
    Ok(())
}

fn read_output(config: &mut Object<'_, '_>) -> Result<Option<OutputFormat>, ApiError> {
    let kind = config.string("responseMimeType")?;
    let google = config.take("responseSchema");
    let schema = config.json("responseJsonSchema").or_else(|| google.map(to_json_schema));
    let json = |schema| OutputFormat::JsonSchema { name: None, description: None, schema, strict: None };
    Ok(match (kind.as_deref(), schema) {
        (None | Some("text/plain" | ""), None) => None,
        (Some("application/json"), None) => Some(OutputFormat::JsonObject),
        (None | Some("text/plain" | "" | "application/json"), schema @ Some(_)) => Some(json(schema)),
        (Some(kind), schema) => {
            let mut form = Vec::new();
            object(&mut form, |o| {
                o.string("responseMimeType", kind);
                o.maybe_json("responseJsonSchema", schema.as_ref());
            });
            Some(OutputFormat::Opaque { origin: Dialect::Gemini, json: json_of(&form) })
        }
    })
}
