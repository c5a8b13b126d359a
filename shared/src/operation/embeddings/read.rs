//! What a caller writes: OpenAI's request, with the members of others that callers add to it.

use crate::error::ApiError;
use crate::json::Document;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What is to be embedded.
#[derive(Debug)]
pub(super) enum Inputs<'a> {
    /// Texts.
    Texts(Vec<Cow<'a, str>>),
    /// Texts as tokens of the model's own.
    Tokens(Vec<Vec<u64>>),
    /// Something else: images, or what a later API takes. For providers of the caller's shape.
    Other(usize),
}

impl Inputs<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Inputs::Texts(texts) => texts.len(),
            Inputs::Tokens(lists) => lists.len(),
            Inputs::Other(items) => *items,
        }
    }
}

/// A request for a provider of another shape.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) inputs: Inputs<'a>,
    pub(super) dimensions: Option<u64>,
    /// What the vectors are for, in Cohere's words: `search_document`, `search_query`.
    pub(super) input_type: Option<String>,
    /// What to do with a text that is too long, in Cohere's words.
    pub(super) truncate: Option<String>,
    /// Members no other shape has a place for.
    pub(super) unknown: Vec<String>,
}

/// Reads the whole request.
pub(super) fn request<'a>(body: &Document<'a>) -> Result<Request<'a>, ApiError> {
    const KNOWN: [&str; 7] = ["model", "input", "encoding_format", "dimensions", "user", "input_type", "truncate"];
    let names = body.members().iter().map(|member| member.name.as_ref());
    Ok(Request {
        inputs: inputs(body)?,
        dimensions: member(body, "dimensions", "an integer of at least 1")?,
        input_type: member(body, "input_type", "a string")?,
        truncate: member(body, "truncate", "a string")?,
        unknown: names.filter(|name| !KNOWN.contains(name)).map(str::to_owned).collect(),
    })
}

fn member<T: for<'d> Deserialize<'d>>(body: &Document<'_>, name: &str, what: &str) -> Result<Option<T>, ApiError> {
    let Some(text) = body.get(name) else { return Ok(None) };
    crate::json::parse(text).map_err(|_| ApiError::invalid(name, format!("`{name}` must be {what}.")))
}

/// A string, its escapes decoded only where it has some.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Reads `input` in all its forms.
pub(super) fn inputs<'a>(body: &Document<'a>) -> Result<Inputs<'a>, ApiError> {
    let wrong = || ApiError::invalid("input", "`input` must be a string, a list of strings, or tokens.");
    let text = body.get("input").filter(|text| *text != "null").ok_or_else(wrong)?;
    let inputs = match text.bytes().next() {
        Some(b'"') => Inputs::Texts(vec![crate::json::parse::<Text<'a>>(text).map_err(|_| wrong())?.0]),
        Some(b'[') => list(text).ok_or_else(wrong)?,
        Some(_) | None => return Err(wrong()),
    };
    if inputs.len() == 0 {
        return Err(ApiError::invalid("input", "`input` is empty."));
    }
    Ok(inputs)
}

fn list(text: &str) -> Option<Inputs<'_>> {
    let items: Vec<&RawValue> = crate::json::parse(text).ok()?;
    match items.first().and_then(|item| item.get().bytes().next()) {
        Some(b'"') => {
            let texts: Vec<Text<'_>> = crate::json::parse(text).ok()?;
            Some(Inputs::Texts(texts.into_iter().map(|Text(text)| text).collect()))
        }
        Some(b'0'..=b'9') => Some(Inputs::Tokens(vec![crate::json::parse(text).ok()?])),
        Some(b'[') => Some(Inputs::Tokens(crate::json::parse(text).ok()?)),
        Some(b'{') => Some(Inputs::Other(items.len())),
        None => Some(Inputs::Texts(Vec::new())),
        Some(_) => None,
    }
}
