//! Documents in the order of their relevance to a query. There is no standard but a common shape
//! (`model`, `query`, `documents`, `top_n`, `return_documents`), which callers speak here: Cohere's of
//! the first version, Jina's, Together's and that of the usual servers.

mod read;
mod wire;

use super::answer::Written;
use super::{model, with_model};
use crate::dialect::{Facts, ProtocolError, Warnings};
use crate::error::ApiError;
use crate::json::Document;
use bytes::Bytes;

/// How a provider spells rerank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// `POST …/rerank` in the common shape: Jina, Together, Fireworks, vLLM and others.
    Common,
    /// The common shape with `top_k` in place of `top_n`, and an answer in `data`.
    Voyage,
    /// `POST /v2/rerank`: documents are texts, and none come back.
    Cohere,
}

impl Api {
    /// The path below the base URL; `None` where it stands beside the chat's.
    pub fn path(self) -> Option<&'static str> {
        match self {
            Api::Common | Api::Voyage => None,
            Api::Cohere => Some("/v2/rerank"),
        }
    }

    /// The provider's body for a caller's.
    pub fn write(self, body: &Document<'_>, model: &str, warnings: &mut Warnings) -> Result<Vec<u8>, ApiError> {
        match self {
            Api::Common => Ok(with_model(body, model)),
            Api::Voyage => Ok(wire::voyage(&read::request(body)?, model, warnings)),
            Api::Cohere => Ok(wire::cohere(&read::request(body)?, model, warnings)),
        }
    }

    /// The caller's answer for a provider's of status 200. `request` is the caller's body.
    pub fn read(self, answer: Bytes, request: &Document<'_>, model: &str) -> Result<Written, ProtocolError> {
        match self {
            Api::Common => wire::common(answer, model),
            // The documents the caller wants back come from the caller's own request.
            Api::Voyage | Api::Cohere => wire::rewritten(&answer, read::request(request).ok().as_ref(), model),
        }
    }
}

/// A document has at least this many bytes in each piece that a provider bills as one of its own: it is
/// cut at 500 tokens, the query's included.
const PIECE_BYTES: usize = 250;
/// Documents a search is billed for.
const SEARCH_DOCUMENTS: usize = 100;

/// What policy and routing need to know of a request.
pub(super) fn inspect(body: &Document<'_>) -> Result<Facts, ApiError> {
    let request = read::request(body)?;
    let bytes: usize = request.documents.iter().map(|document| document.text().len()).sum();
    let documents = request.documents.len();
    let pieces = documents.saturating_add(bytes / PIECE_BYTES);
    Ok(Facts {
        model: model(body.get("model"))?,
        max_output_tokens: Some(0),
        n: 1,
        messages: documents,
        // The query is read with every document.
        text_bytes: bytes.saturating_add(request.query.len().saturating_mul(documents)),
        searches: pieces.div_ceil(SEARCH_DOCUMENTS) as u64,
        ..Facts::default()
    })
}

#[cfg(test)]
mod tests;
