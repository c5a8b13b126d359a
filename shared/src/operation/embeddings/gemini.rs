//! Gemini's `batchEmbedContents` (ai.google.dev/api/embeddings).

use super::read::Request;
use super::{Vectors, texts};
use crate::dialect::json_read::{Object, Path};
use crate::dialect::json_write::object;
use crate::dialect::{Effect, ProtocolError, Warnings};
use crate::error::ApiError;
use crate::operation::answer;
use crate::usage::Usage;

pub(super) fn write(request: &Request<'_>, model: &str, warnings: &mut Warnings) -> Result<Vec<u8>, ApiError> {
    let texts = texts(request, "Gemini")?;
    let task = request.input_type.as_deref().and_then(task);
    if request.input_type.is_some() && task.is_none() {
        warnings.dropped("input_type");
    }
    if request.truncate.is_some() {
        warnings.dropped("truncate");
    }
    request.unknown.iter().for_each(|name| warnings.add(name, Effect::Dropped));
    let mut out = Vec::with_capacity(64 + texts.iter().map(|text| text.len() + 128).sum::<usize>());
    object(&mut out, |o| {
        o.array("requests", |a| {
            for text in texts {
                a.object(|o| {
                    o.string("model", &format!("models/{model}"));
                    o.object("content", |o| o.array("parts", |a| a.object(|o| o.string("text", text))));
                    o.maybe_string("taskType", task);
                    o.maybe_number("outputDimensionality", request.dimensions);
                });
            }
        });
    });
    Ok(out)
}

/// Cohere's word for what a vector is for, in Gemini's.
fn task(input_type: &str) -> Option<&'static str> {
    match input_type {
        "search_document" | "document" | "passage" => Some("RETRIEVAL_DOCUMENT"),
        "search_query" | "query" => Some("RETRIEVAL_QUERY"),
        "classification" => Some("CLASSIFICATION"),
        "clustering" => Some("CLUSTERING"),
        _ => None,
    }
}

pub(super) fn read(body: &[u8]) -> Result<Vectors<'_>, ProtocolError> {
    let path = Path::Root;
    let mut top = answer::open(answer::text(body)?, &path, &["embeddings", "embedding"])?;
    let wrong = |_| ProtocolError::WrongShape("the embeddings are not an array");
    let mut items = top.items("embeddings").map_err(wrong)?;
    items.extend(top.take("embedding"));
    let values = items.into_iter().map(|raw| {
        let item = Object::read(raw.get(), &path).ok().and_then(|mut item| item.take("values"));
        item.ok_or(ProtocolError::WrongShape("an embedding has no values"))
    });
    let vectors = values.collect::<Result<_, _>>()?;
    let usage = top.take("usageMetadata").and_then(|raw| {
        let mut usage = Object::read(raw.get(), &path).ok()?;
        let mut count = |name: &str| usage.count(name).ok().flatten().filter(|count| *count <= answer::MOST_TOKENS);
        let input = count("promptTokenCount").or_else(|| count("totalTokenCount"))?;
        Some(Usage { input, ..Usage::default() })
    });
    Ok(Vectors { vectors, usage })
}
