//! Cache points for providers that keep a prompt only where they are told to: Anthropic, and Bedrock for its models that can.
//!
//! One point, behind the whole prompt: what begins the same the next time is then read at a tenth of its price, and nothing of
//! the prompt changes its place. A caller who sets points knows better, and a short prompt is not worth the dearer writing.

use crate::dialect::ir::{ChatRequest, Json};
use crate::dialect::{Dialect, ProviderDialect};
use crate::json::{self, Edits};
use crate::proxy::CallerRequest;
use crate::search;
use crate::units::Tokens;
use std::borrow::Cow;

/// The shortest prompt worth keeping: shorter ones are not kept by most models.
const WORTH: Tokens = 1_024;

const POINT: &str = r#"{"type":"ephemeral"}"#;

/// Whether a point of ours is set for this call.
fn is_due(request: &CallerRequest, dialect: ProviderDialect, model: &str) -> bool {
    let takes = match dialect {
        ProviderDialect::Both(Dialect::Anthropic) => true,
        ProviderDialect::Bedrock => model.contains("anthropic.claude") || model.contains("amazon.nova"),
        ProviderDialect::Both(Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::Gemini)
        | ProviderDialect::Cohere
        | ProviderDialect::Ollama
        | ProviderDialect::WorkersAi => false,
    };
    request.prompt_cache
        && takes
        && request.facts.probable_input() >= WORTH
        && search::find(&request.body, b"\"cache_control\"").is_none()
}

/// A body in the caller's own words, with the point where one is due.
pub(super) fn body(request: &CallerRequest, dialect: ProviderDialect, model: &str, body: Vec<u8>) -> Vec<u8> {
    if !is_due(request, dialect, model) {
        return body;
    }
    let Ok(document) = json::scan(&body, &json::Limits::default()) else { return body };
    let mut edits = Edits::new(&document);
    edits.set("cache_control", POINT);
    edits.apply()
}

/// A request to be translated, with the point where one is due.
pub(super) fn common<'a>(
    request: &CallerRequest,
    dialect: ProviderDialect,
    model: &str,
    common: &'a ChatRequest,
) -> Cow<'a, ChatRequest> {
    if !is_due(request, dialect, model) || common.cache.is_some() {
        return Cow::Borrowed(common);
    }
    Cow::Owned(ChatRequest { cache: Json::parse(POINT), ..common.clone() })
}
