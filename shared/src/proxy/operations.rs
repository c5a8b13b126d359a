//! Calls that are no chats: the request in the provider's words, and a whole answer in the caller's.

use super::failure::{Failure, Retry};
use super::http_proxy::headers;
use super::{Answer, Call, Content};
use crate::config::Provider;
use crate::dialect::{Dialect, Edits, MaxTokensField, ProtocolError, Warnings};
use crate::error::{ApiError, Code};
use crate::json::{self, Document};
use crate::operation::{Operation, Written, count_tokens, embeddings};
use crate::ports::Outgoing;
use bytes::Bytes;

/// The call, as the provider wants it.
pub(super) fn write(call: &Call<'_>, provider: &Provider, warnings: &mut Warnings) -> Result<Outgoing, Failure> {
    let request = call.request;
    let model = call.model.model.as_str();
    let document = scan(&request.body)?;
    let (url, body, same) = match &request.operation {
        Operation::Embeddings => {
            let api = provider.operations.embeddings.ok_or_else(|| lacks(provider, &request.operation))?;
            let url = api.path().map(|path| provider.model_url(path, model));
            let body = api.write(&document, model, warnings).map_err(Failure::request)?;
            (url.unwrap_or_else(|| provider.operation_url("/embeddings")), body, api == embeddings::Api::OpenAi)
        }
        Operation::Rerank => {
            let api = provider.operations.rerank.ok_or_else(|| lacks(provider, &request.operation))?;
            let url = api.path().map(|path| provider.base_url.join(path));
            let body = api.write(&document, model, warnings).map_err(Failure::request)?;
            (url.unwrap_or_else(|| provider.operation_url("/rerank")), body, false)
        }
        Operation::Completions => {
            if !provider.operations.completions || provider.dialect != Dialect::OpenAiChat {
                return Err(lacks(provider, &request.operation));
            }
            let edits = Edits {
                model: Some(model),
                include_usage: request.facts.stream && provider.quirks.stream_usage,
                max_output_tokens: call.max_output_tokens,
                max_tokens_field: MaxTokensField::MaxTokens,
            };
            (provider.operation_url("/completions"), Dialect::OpenAiChat.rewrite_request(&document, &edits), true)
        }
        Operation::CountTokens(endpoint) => {
            let url = provider.count_url(model).ok_or_else(|| lacks(provider, &request.operation))?;
            (url, endpoint.dialect.rewrite_count(&document, model), true)
        }
        Operation::Chat(_) | Operation::PassThrough(_) => return Err(lacks(provider, &request.operation)),
    };
    let headers = headers(call, provider, same);
    // Embeddings and rerank do not stream.
    Ok(Outgoing { method: "POST", url, headers, body, forward: request.facts.stream })
}

/// A whole answer, in the caller's words.
pub(super) fn whole<B>(call: &Call<'_>, provider: &Provider, body: Bytes) -> Result<Content<B>, Failure> {
    let request = call.request;
    let model = call.model.model.as_str();
    let document = scan(&request.body)?;
    let written = match (&request.operation, provider.operations) {
        (Operation::Embeddings, operations) => operations.embeddings.map(|api| api.read(body, &document, model)),
        (Operation::Rerank, operations) => operations.rerank.map(|api| api.read(body, &document, model)),
        (Operation::CountTokens(endpoint), _) => Some(count_tokens::read(endpoint.dialect, body)),
        (Operation::Chat(_) | Operation::Completions | Operation::PassThrough(_), _) => None,
    };
    let broken = |error: ProtocolError| Failure::upstream(&error.into_upstream(), None);
    let Written { body, observed } = written.ok_or_else(|| lacks(provider, &request.operation))?.map_err(broken)?;
    Ok(Content::Whole { body, observed, stream: false })
}

/// A count of our own, for a provider that speaks another dialect than the caller.
pub(super) fn counted<B>(call: &Call<'_>, mut warnings: Warnings) -> Answer<B> {
    let Written { body, observed } = count_tokens::estimate(call.request.dialect, &call.request.facts, &mut warnings);
    Answer {
        status: 200,
        warnings,
        room: None,
        passed: None,
        content: Content::Whole { body, observed, stream: false },
    }
}

fn scan(body: &[u8]) -> Result<Document<'_>, Failure> {
    json::scan(body, &json::Limits::default()).map_err(|error| Failure::request(error.into()))
}

/// A provider that does not do what is asked; another may.
fn lacks(provider: &Provider, operation: &Operation) -> Failure {
    let what = operation.as_str();
    let message = format!("The provider `{}` has no {what}. Choose a model of another provider.", provider.id);
    Failure {
        error: ApiError { param: Some("model".to_owned()), ..ApiError::new(Code::InvalidRequest, message) },
        retry: Retry::Elsewhere,
        status: None,
        content_policy: false,
        may_be_billed: false,
    }
}
