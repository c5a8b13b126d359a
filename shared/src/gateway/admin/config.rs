//! The configuration document: show, validate, replace, remove.

use super::{Admin, Answer, Ask, Content, unavailable};
use crate::config::{Config, Invalid};
use crate::error::{ApiError, Code};
use crate::ports::{Ports, StoredConfig};
use serde_json::{Value, json};

impl<P: Ports> Admin<P> {
    pub(super) async fn show_config(&self, _ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let stored = self.ports.config().await.map_err(unavailable)?.and_then(|stored| stored.document);
        let source = if stored.is_some() { "stored" } else { "binding" };
        Ok(Answer::ok(json!({ "object": "config", "source": source, "document": stored })))
    }

    /// Replaces the stored document, which takes the place of the binding's. An invalid one is
    /// refused whole and changes nothing.
    pub(super) async fn put_config(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let text = utf8(&ask.request.body)?;
        if let Err(invalid) = Config::parse(text) {
            return Ok(refused(&invalid));
        }
        self.store(Some(text.to_owned()), json!({ "object": "config", "source": "stored", "valid": true })).await
    }

    /// Removes the stored document: the binding's is in force again.
    pub(super) async fn remove_config(&self, _ask: &Ask<'_>) -> Result<Answer, ApiError> {
        self.store(None, json!({ "object": "config", "source": "binding" })).await
    }

    async fn store(&self, document: Option<String>, body: Value) -> Result<Answer, ApiError> {
        let config = StoredConfig { at: self.ports.now(), document };
        self.ports.put_config(&config).await.map_err(unavailable)?;
        Ok(Answer { config: Some(config), ..Answer::ok(body) })
    }

    pub(super) async fn validate_config(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        Ok(match utf8(&ask.request.body).map(Config::parse) {
            Ok(Ok(_)) => Answer::ok(json!({ "valid": true, "problems": [] })),
            Ok(Err(invalid)) => Answer::ok(json!({ "valid": false, "problems": invalid.problems })),
            Err(error) => Answer::ok(
                json!({ "valid": false, "problems": [{ "path": "document", "message": error.message, "hint": "" }] }),
            ),
        })
    }
}

fn utf8(body: &[u8]) -> Result<&str, ApiError> {
    std::str::from_utf8(body).map_err(|_| ApiError::new(Code::InvalidRequest, "The document is not UTF-8."))
}

fn refused(invalid: &Invalid) -> Answer {
    let body: Value = json!({ "error": {
        "message": invalid.to_string(),
        "type": "invalid_request_error",
        "code": Code::InvalidRequest.as_str(),
        "param": null,
        "problems": invalid.problems,
    } });
    Answer { status: 400, content: Content::Json(body), ..Answer::ok(Value::Null) }
}
