//! Texts as vectors. Callers speak OpenAI's embeddings API; a provider of the same shape gets the
//! caller's bytes but for the model, the others a request of their own and an answer put back.

mod cohere;
mod gemini;
mod read;
mod vector;
mod workers_ai;

use super::answer::{self, Written};
use super::{model, with_model};
use crate::dialect::json_read::Path;
use crate::dialect::json_write::object;
use crate::dialect::{Facts, ProtocolError, Warnings};
use crate::error::ApiError;
use crate::json::Document;
use crate::usage::Usage;
use bytes::Bytes;
use read::{Inputs, Request};
use serde_json::value::RawValue;

/// How a provider spells embeddings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// `POST …/embeddings`, OpenAI's.
    OpenAi,
    /// `POST /v1beta/models/{model}:batchEmbedContents`.
    Gemini,
    /// `POST /v2/embed`.
    Cohere,
    /// `POST /run/{model}`.
    WorkersAi,
}

impl Api {
    /// The path below the base URL; `None` where it stands beside the chat's. `{model}` and `{model/path}` stand for
    /// the model, as in a chat's.
    pub fn path(self) -> Option<&'static str> {
        match self {
            Api::OpenAi => None,
            Api::Gemini => Some("/v1beta/models/{model}:batchEmbedContents"),
            Api::Cohere => Some("/v2/embed"),
            Api::WorkersAi => Some("/run/{model/path}"),
        }
    }

    /// The provider's body for a caller's.
    pub fn write(self, body: &Document<'_>, model: &str, warnings: &mut Warnings) -> Result<Vec<u8>, ApiError> {
        match self {
            Api::OpenAi => Ok(with_model(body, model)),
            Api::Gemini => gemini::write(&read::request(body)?, model, warnings),
            Api::Cohere => cohere::write(&read::request(body)?, model, warnings),
            Api::WorkersAi => workers_ai::write(&read::request(body)?, warnings),
        }
    }

    /// The caller's answer for a provider's of status 200. `request` is the caller's body.
    pub fn read(self, answer: Bytes, request: &Document<'_>, model: &str) -> Result<Written, ProtocolError> {
        let base64 = request.get("encoding_format") == Some("\"base64\"");
        match self {
            Api::OpenAi => untouched(answer),
            Api::Gemini => gemini::read(&answer)?.write(model, base64),
            Api::Cohere => cohere::read(&answer)?.write(model, base64),
            Api::WorkersAi => workers_ai::read(&answer)?.write(model, base64),
        }
    }
}

/// What policy and routing need to know of a request.
pub(super) fn inspect(body: &Document<'_>) -> Result<Facts, ApiError> {
    let inputs = read::inputs(body)?;
    let user = body.get("user").map(crate::json::parse::<Option<String>>).transpose();
    Ok(Facts {
        model: model(body.get("model"))?,
        user: user.map_err(|_| ApiError::invalid("user", "`user` must be a string."))?.flatten(),
        max_output_tokens: Some(0),
        n: 1,
        messages: inputs.len(),
        // A token is at least a byte of text; of tokens, each stands for the bytes of an average one.
        text_bytes: match &inputs {
            Inputs::Texts(texts) => texts.iter().map(|text| text.len()).sum(),
            Inputs::Tokens(lists) => lists.iter().map(Vec::len).sum::<usize>().saturating_mul(4),
            Inputs::Other(_) => body.body().len(),
        },
        ..Facts::default()
    })
}

/// OpenAI's own answer, as it came.
fn untouched(body: Bytes) -> Result<Written, ProtocolError> {
    let path = Path::Root;
    let mut top = answer::open(answer::text(&body)?, &path, &["data"])?;
    let (model, usage) = (top.string("model").ok().flatten(), answer::input(&mut top));
    drop(top);
    Ok(Written::new(body, model, usage))
}

/// An answer of another shape, read.
struct Vectors<'a> {
    /// Each an array of numbers, in the order of the inputs.
    vectors: Vec<&'a RawValue>,
    usage: Option<Usage>,
}

impl Vectors<'_> {
    fn write(self, model: &str, base64: bool) -> Result<Written, ProtocolError> {
        let wrong = ProtocolError::WrongShape("an embedding is not an array of numbers");
        let vectors: Option<Vec<_>> = self.vectors.iter().map(|raw| vector::write(raw.get(), base64)).collect();
        let vectors = vectors.ok_or(wrong)?;
        let mut out = Vec::with_capacity(256 + vectors.iter().map(|vector| vector.len() + 64).sum::<usize>());
        object(&mut out, |o| {
            o.string("object", "list");
            o.array("data", |a| {
                for (index, vector) in vectors.iter().enumerate() {
                    a.object(|o| {
                        o.string("object", "embedding");
                        o.number("index", index);
                        o.value("embedding").extend_from_slice(vector);
                    });
                }
            });
            o.string("model", model);
            let tokens = self.usage.map_or(0, |usage| usage.prompt_tokens());
            o.object("usage", |o| {
                o.number("prompt_tokens", tokens);
                o.number("total_tokens", tokens);
            });
        });
        Ok(Written::new(out, Some(model.to_owned()), self.usage))
    }
}

/// The texts of a request, for a provider that takes no tokens.
fn texts<'r>(request: &'r Request<'_>, provider: &str) -> Result<&'r [std::borrow::Cow<'r, str>], ApiError> {
    match &request.inputs {
        Inputs::Texts(texts) => Ok(texts),
        Inputs::Tokens(_) | Inputs::Other(_) => {
            Err(ApiError::invalid("input", format!("{provider} embeds texts. Send `input` as strings, not as tokens.")))
        }
    }
}

#[cfg(test)]
mod tests;
