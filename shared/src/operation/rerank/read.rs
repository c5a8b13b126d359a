//! What a caller writes.

use crate::dialect::json_read::{Object, Path};
use crate::error::ApiError;
use crate::json::Document as Body;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A document: a text, or an object, by custom with a `text` in it.
#[derive(Debug)]
pub(super) struct Document<'a> {
    /// As it came.
    pub(super) raw: &'a RawValue,
    text: Option<Cow<'a, str>>,
    /// It is more than a text.
    pub(super) is_lossy: bool,
}

impl Document<'_> {
    /// The document as a text: its own, or its JSON where it has none.
    pub(super) fn text(&self) -> &str {
        self.text.as_deref().unwrap_or(self.raw.get())
    }
}

/// A request, read.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) query: Cow<'a, str>,
    pub(super) documents: Vec<Document<'a>>,
    pub(super) top_n: Option<u64>,
    pub(super) return_documents: bool,
    /// Cohere's limit of tokens for each document.
    pub(super) max_tokens_per_doc: Option<u64>,
    /// Members no other shape has a place for.
    pub(super) unknown: Vec<String>,
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

pub(super) fn request<'a>(body: &Body<'a>) -> Result<Request<'a>, ApiError> {
    const KNOWN: [&str; 6] = ["model", "query", "documents", "top_n", "return_documents", "max_tokens_per_doc"];
    let query = body.get("query").and_then(|text| crate::json::parse::<Text<'a>>(text).ok());
    let query = query.ok_or_else(|| ApiError::invalid("query", "`query` must be a string."))?.0;
    let wrong = || ApiError::invalid("documents", "`documents` must be a list of strings or objects.");
    let items: Vec<&'a RawValue> =
        body.get("documents").and_then(|text| crate::json::parse(text).ok()).ok_or_else(wrong)?;
    if items.is_empty() {
        return Err(ApiError::invalid("documents", "`documents` is empty."));
    }
    let names = body.members().iter().map(|member| member.name.as_ref());
    Ok(Request {
        query,
        documents: items.into_iter().map(|raw| document(raw).ok_or_else(wrong)).collect::<Result<_, _>>()?,
        top_n: member(body, "top_n", "an integer of at least 1")?,
        return_documents: member(body, "return_documents", "true or false")?.unwrap_or(false),
        max_tokens_per_doc: member(body, "max_tokens_per_doc", "an integer of at least 1")?,
        unknown: names.filter(|name| !KNOWN.contains(name)).map(str::to_owned).collect(),
    })
}

fn document(raw: &RawValue) -> Option<Document<'_>> {
    match raw.get().bytes().next()? {
        b'"' => {
            let Text(text) = crate::json::parse(raw.get()).ok()?;
            Some(Document { raw, text: Some(text), is_lossy: false })
        }
        b'{' => {
            let path = Path::Root;
            let mut object = Object::read(raw.get(), &path).ok()?;
            let text = object.string("text").ok().flatten().map(Cow::Owned);
            Some(Document { raw, text, is_lossy: !object.rest().is_empty() })
        }
        _ => None,
    }
}

fn member<T: for<'d> Deserialize<'d>>(body: &Body<'_>, name: &str, what: &str) -> Result<Option<T>, ApiError> {
    let Some(text) = body.get(name) else { return Ok(None) };
    crate::json::parse(text).map_err(|_| ApiError::invalid(name, format!("`{name}` must be {what}.")))
}
