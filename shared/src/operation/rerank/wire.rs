//! What providers want and answer. Cohere: docs.cohere.com/reference/rerank, Jina: api.jina.ai, Voyage:
//! docs.voyageai.com/reference/reranker-api.

use super::read::Request;
use crate::dialect::json_read::{Object, Path};
use crate::dialect::json_write::{Members, object};
use crate::dialect::{Effect, ProtocolError, Warnings};
use crate::operation::answer::{self, Written};
use crate::usage::Usage;
use bytes::Bytes;
use serde_json::value::RawValue;

pub(super) fn cohere(request: &Request<'_>, model: &str, warnings: &mut Warnings) -> Vec<u8> {
    write(request, model, "top_n", warnings, |o| o.maybe_number("max_tokens_per_doc", request.max_tokens_per_doc))
}

pub(super) fn voyage(request: &Request<'_>, model: &str, warnings: &mut Warnings) -> Vec<u8> {
    if request.max_tokens_per_doc.is_some() {
        warnings.dropped("max_tokens_per_doc");
    }
    write(request, model, "top_k", warnings, |_| {})
}

/// A request whose documents are texts.
fn write(
    request: &Request<'_>,
    model: &str,
    limit: &str,
    warnings: &mut Warnings,
    more: impl FnOnce(&mut Members<'_>),
) -> Vec<u8> {
    request.unknown.iter().for_each(|name| warnings.add(name, Effect::Dropped));
    let lossy = request.documents.iter().position(|document| document.is_lossy);
    if let Some(index) = lossy {
        warnings.add(format_args!("documents[{index}]"), Effect::Converted);
    }
    let mut out = Vec::with_capacity(128 + request.documents.iter().map(|d| d.text().len() + 8).sum::<usize>());
    object(&mut out, |o| {
        o.string("model", model);
        o.string("query", &request.query);
        o.array("documents", |a| request.documents.iter().for_each(|document| a.string(document.text())));
        o.maybe_number(limit, request.top_n);
        more(o);
    });
    out
}

/// An answer in the common shape, as it came; one that has `data` in place of `results` gets the usual
/// name.
pub(super) fn common(body: Bytes, model: &str) -> Result<Written, ProtocolError> {
    let path = Path::Root;
    let mut top = answer::open(answer::text(&body)?, &path, &["results", "data"])?;
    if !top.has("results") {
        return rewritten(&body, None, model);
    }
    let (named, usage) = (top.string("model").ok().flatten(), consumed(&mut top));
    drop(top);
    Ok(Written::new(body, named, usage))
}

/// An answer in the common shape, from one that is nearly so. The caller's documents are put beside
/// their results where the caller wants them and the provider did not send them.
pub(super) fn rewritten(body: &[u8], request: Option<&Request<'_>>, model: &str) -> Result<Written, ProtocolError> {
    let path = Path::Root;
    let mut top = answer::open(answer::text(body)?, &path, &["results", "data"])?;
    let wrong = || ProtocolError::WrongShape("the results are not a list of indices and scores");
    let name = if top.has("results") { "results" } else { "data" };
    let results = top.items(name).map_err(|_| wrong())?;
    let results = results.into_iter().map(result).collect::<Option<Vec<_>>>().ok_or_else(wrong)?;
    let (id, usage) = (top.string("id").ok().flatten(), consumed(&mut top));
    let wanted = request.filter(|request| request.return_documents);
    let mut out = Vec::with_capacity(256 + body.len());
    object(&mut out, |o| {
        o.maybe_string("id", id.as_deref());
        o.string("model", model);
        o.array("results", |a| {
            for (index, score, document) in &results {
                let own = || wanted.and_then(|request| request.documents.get(usize::try_from(*index).ok()?));
                a.object(|o| {
                    o.number("index", index);
                    o.value("relevance_score").extend_from_slice(score.get().as_bytes());
                    match (document, own()) {
                        (Some(document), _) => write_document(o, document),
                        (None, Some(document)) => write_document(o, document.raw),
                        (None, None) => {}
                    }
                });
            }
        });
        if let Some(usage) = usage {
            write_usage(o, &usage);
        }
    });
    Ok(Written::new(out, Some(model.to_owned()), usage))
}

/// Index, score as it stands, document.
fn result(raw: &RawValue) -> Option<(u64, &RawValue, Option<&RawValue>)> {
    let path = Path::Root;
    let mut result = Object::read(raw.get(), &path).ok()?;
    let index = result.count("index").ok()??;
    let score = result.take("relevance_score").or_else(|| result.take("score"))?;
    crate::json::parse::<f64>(score.get()).ok()?;
    Some((index, score, result.take("document")))
}

/// A document in a result is always an object: a text is put into one.
fn write_document(o: &mut Members<'_>, raw: &RawValue) {
    let text = raw.get().as_bytes();
    match text.first() {
        Some(b'"') => o.object("document", |o| o.value("text").extend_from_slice(text)),
        Some(_) | None => o.value("document").extend_from_slice(text),
    }
}

/// Searches under `meta.billed_units`, tokens there or under `usage`.
fn consumed(top: &mut Object<'_, '_>) -> Option<Usage> {
    let path = Path::Root;
    let tokens = answer::input(top);
    let billed = top.take("meta").and_then(|raw| {
        let mut meta = Object::read(raw.get(), &path).ok()?;
        let mut billed = Object::read(meta.take("billed_units")?.get(), &path).ok()?;
        let mut count = |name: &str| {
            let number = billed.number(name).ok().flatten()?;
            (0.0..=1e9).contains(&number).then_some(number.ceil() as u64)
        };
        let (searches, input) = (count("search_units"), count("input_tokens"));
        searches.or(input)?;
        Some(Usage { input: input.unwrap_or(0), searches: searches.unwrap_or(0), ..Usage::default() })
    });
    billed.or(tokens)
}

fn write_usage(o: &mut Members<'_>, usage: &Usage) {
    if usage.searches > 0 {
        o.object("meta", |o| o.object("billed_units", |o| o.number("search_units", usage.searches)));
    }
    if usage.input > 0 {
        o.object("usage", |o| {
            o.number("prompt_tokens", usage.input);
            o.number("total_tokens", usage.input);
        });
    }
}
