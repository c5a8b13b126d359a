//! Cohere's `POST /v2/embed` (docs.cohere.com/reference/embed).

use super::read::Request;
use super::{Vectors, texts};
use crate::dialect::json_read::{Object, Path};
use crate::dialect::json_write::object;
use crate::dialect::{Effect, ProtocolError, Warnings};
use crate::error::ApiError;
use crate::operation::answer;
use crate::usage::Usage;

pub(super) fn write(request: &Request<'_>, model: &str, warnings: &mut Warnings) -> Result<Vec<u8>, ApiError> {
    let texts = texts(request, "Cohere")?;
    request.unknown.iter().for_each(|name| warnings.add(name, Effect::Dropped));
    let mut out = Vec::with_capacity(160 + texts.iter().map(|text| text.len() + 8).sum::<usize>());
    object(&mut out, |o| {
        o.string("model", model);
        o.array("texts", |a| texts.iter().for_each(|text| a.string(text)));
        // Cohere wants to be told. A caller who does not say stores documents.
        o.string("input_type", request.input_type.as_deref().unwrap_or("search_document"));
        o.array("embedding_types", |a| a.string("float"));
        o.maybe_number("output_dimension", request.dimensions);
        o.maybe_string("truncate", request.truncate.as_deref());
    });
    Ok(out)
}

pub(super) fn read(body: &[u8]) -> Result<Vectors<'_>, ProtocolError> {
    let path = Path::Root;
    let mut top = answer::open(answer::text(body)?, &path, &["embeddings"])?;
    let wrong = || ProtocolError::WrongShape("the answer has no embeddings of type float");
    let by_type = top.take("embeddings").ok_or_else(wrong)?;
    // The first version of the API had the list itself here.
    let vectors = match by_type.get().starts_with('[') {
        true => crate::json::parse(by_type.get()).map_err(|_| wrong())?,
        false => {
            let mut by_type = Object::read(by_type.get(), &path).map_err(|_| wrong())?;
            by_type.has("float").then(|| by_type.items("float").ok()).flatten().ok_or_else(wrong)?
        }
    };
    Ok(Vectors { vectors, usage: usage(&mut top) })
}

/// `meta.billed_units`: texts and images have prices of their own.
fn usage(top: &mut Object<'_, '_>) -> Option<Usage> {
    let path = Path::Root;
    let mut meta = Object::read(top.take("meta")?.get(), &path).ok()?;
    let mut billed = Object::read(meta.take("billed_units")?.get(), &path).ok()?;
    let mut count = |name: &str| {
        let number = billed.number(name).ok().flatten()?;
        (0.0..=1e9).contains(&number).then_some(number as u64)
    };
    let (text, images) = (count("input_tokens"), count("image_tokens"));
    text.or(images)?;
    Some(Usage { input: text.unwrap_or(0), input_image: images.unwrap_or(0), ..Usage::default() })
}
