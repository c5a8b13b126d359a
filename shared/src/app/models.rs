//! `GET /v1/models`: what this caller may use, in the form both SDK families read.

use super::setup::Setup;
use super::{App, Standard, answer};
use crate::dialect::Dialect;
use crate::error::{ApiError, Code};
use crate::gateway::Gateway;
use crate::pipeline::{self, Layers, Reply};
use crate::ports::{Ports, Request};
use serde_json::{Value, json};

impl<P: Ports> App<P> {
    pub(super) async fn models<R: Request>(
        &self,
        setup: &Setup<P>,
        request: &R,
        id: Option<&str>,
    ) -> Reply<Standard<P>> {
        // Anthropic's SDK says so itself; the two lists share their members otherwise.
        let dialect =
            if request.header("anthropic-version").is_some() { Dialect::Anthropic } else { Dialect::OpenAiChat };
        match self.permitted(setup, request).await {
            Ok(models) => match id {
                None => {
                    let (first, last) = (name(models.first()), name(models.last()));
                    answer(
                        200,
                        &json!({ "object": "list", "data": models, "has_more": false, "first_id": first, "last_id": last }),
                    )
                }
                Some(id) => match models.iter().find(|model| model.get("id").and_then(Value::as_str) == Some(id)) {
                    Some(model) => answer(200, model),
                    None => self.error(
                        dialect,
                        &ApiError::new(
                            Code::ModelNotFound,
                            "There is no such model for this key. GET /v1/models lists what you may use.",
                        ),
                    ),
                },
            },
            Err(error) => self.error(dialect, &error),
        }
    }

    async fn permitted<R: Request>(&self, setup: &Setup<P>, request: &R) -> Result<Vec<Value>, ApiError> {
        let gateway = setup.pipeline.layers.gateway();
        let caller = gateway.authenticate(pipeline::credential(request)?.as_deref()).await?;
        let allowed = gateway.allowed(&caller)?;
        let permitted = |name: &str| allowed.iter().all(|access| access.permits(name));
        Ok(setup.catalog.names().into_iter().filter(|(name, _)| permitted(name)).map(|(name, owner)| {
            json!({ "id": name, "object": "model", "type": "model", "created": 0, "created_at": "1970-01-01T00:00:00Z", "display_name": name, "owned_by": owner })
        }).collect())
    }
}

fn name(model: Option<&Value>) -> Value {
    model.and_then(|model| model.get("id")).cloned().unwrap_or(Value::Null)
}
