//! The models this caller may use, in the form its SDK reads: OpenAI's, Anthropic's or Gemini's.

use super::setup::Setup;
use super::{App, Standard, answer};
use crate::catalog::{Kind, Model};
use crate::config::ModelId;
use crate::dialect::Dialect;
use crate::error::{ApiError, Code};
use crate::gateway::Gateway;
use crate::http::percent_decoded;
use crate::json::json;
use crate::pipeline::{self, Layers, Reply};
use crate::ports::{Ports, Request};
use serde_json::Value;
use std::sync::Arc;

/// The form of a list of models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `GET /v1/models`.
    OpenAi,
    /// The same path, for a caller that names Anthropic's version.
    Anthropic,
    /// `GET /v1beta/models`.
    Gemini,
}

/// Something a caller can name as `model`.
struct Listed {
    name: String,
    owner: String,
    /// `None` for a route or class.
    model: Option<Arc<Model>>,
}

impl Form {
    /// The form of a request for `/v1/models`, which two SDKs ask; Anthropic's says so itself.
    pub(super) fn of(request: &impl Request) -> Form {
        if request.header("anthropic-version").is_some() { Form::Anthropic } else { Form::OpenAi }
    }

    fn dialect(self) -> Dialect {
        match self {
            Form::OpenAi => Dialect::OpenAiChat,
            Form::Gemini => Dialect::Gemini,
            Form::Anthropic => Dialect::Anthropic,
        }
    }

    fn one(self, listed: &Listed) -> Value {
        let Listed { name, owner, model } = listed;
        match self {
            // When they were made nobody tells.
            Form::OpenAi => json!({
                "id": name, "object": "model", "type": "model", "created": 0, "display_name": name, "owned_by": owner,
            }),
            Form::Anthropic => json!({
                "type": "model", "id": name, "display_name": name, "created_at": "1970-01-01T00:00:00Z",
            }),
            Form::Gemini => {
                let mut value = json!({
                    "name": format!("models/{name}"), "baseModelId": name, "version": "1", "displayName": name,
                    "description": format!("served by {owner}"),
                });
                if let Some(members) = value.as_object_mut() {
                    members.insert("supportedGenerationMethods".to_owned(), methods(model.as_deref()));
                    let limits = model.as_ref().map(|model| (model.context_tokens, model.max_output_tokens));
                    let (input, output) = limits.unwrap_or_default();
                    for (name, limit) in [("inputTokenLimit", input), ("outputTokenLimit", output)] {
                        if let Some(limit) = limit {
                            members.insert(name.to_owned(), limit.into());
                        }
                    }
                }
                value
            }
        }
    }

    fn all(self, listed: &[Listed]) -> Value {
        let values: Vec<Value> = listed.iter().map(|listed| self.one(listed)).collect();
        let end = |listed: Option<&Listed>| listed.map_or(Value::Null, |listed| listed.name.clone().into());
        match self {
            Form::OpenAi => json!({ "object": "list", "data": values }),
            Form::Anthropic => json!({
                "data": values, "has_more": false, "first_id": end(listed.first()), "last_id": end(listed.last()),
            }),
            Form::Gemini => json!({ "models": values }),
        }
    }
}

/// What Gemini's SDK asks a model for.
fn methods(model: Option<&Model>) -> Value {
    match model.and_then(|model| model.traits.kind) {
        Some(Kind::Chat) | None => json!(["generateContent", "streamGenerateContent", "countTokens"]),
        Some(Kind::Embedding) => json!(["embedContent", "batchEmbedContents"]),
        Some(Kind::Completion | Kind::Rerank) => json!([]),
    }
}

impl<P: Ports> App<P> {
    /// All of them, or the one of a name, still percent-encoded.
    pub(super) async fn models<R: Request>(
        &self,
        setup: &Setup<P>,
        request: &R,
        form: Form,
        name: Option<&str>,
    ) -> Reply<Standard<P>> {
        let listed = match self.permitted(setup, request).await {
            Ok(listed) => listed,
            Err(error) => return self.error(form.dialect(), &error),
        };
        let Some(name) = name else { return answer(200, &form.all(&listed)) };
        let name = percent_decoded(name).and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
        // A bare name, and a slash for the colon, are good wherever a model is named, so they are good here.
        let as_id = name.replacen('/', ":", 1);
        let bare = |listed: &&Listed| listed.name.split_once(':').is_some_and(|(_, model)| model == name);
        let named = |name: &str| listed.iter().find(|listed| listed.name == name);
        match named(&name).or_else(|| named(&as_id)).or_else(|| listed.iter().find(bare)) {
            Some(listed) => answer(200, &form.one(listed)),
            None => {
                let message = "There is no such model for this key. GET /v1/models lists what you may use.";
                self.error(form.dialect(), &ApiError::new(Code::ModelNotFound, message))
            }
        }
    }

    async fn permitted<R: Request>(&self, setup: &Setup<P>, request: &R) -> Result<Vec<Listed>, ApiError> {
        let gateway = setup.pipeline.layers.gateway();
        let caller = gateway.authenticate(pipeline::credential(request)?.as_deref()).await?;
        let allowed = gateway.allowed(&caller)?;
        let permitted = |name: &str| allowed.iter().all(|access| access.permits(name));
        let names = setup.catalog.names().into_iter().filter(|(name, _)| permitted(name));
        let listed = names.map(|(name, owner)| {
            let model = ModelId::parse(&name).map(|id| setup.catalog.model(&id));
            Listed { name, owner, model }
        });
        Ok(listed.collect())
    }
}
