//! The configuration document: show, validate, replace, remove. Its past is in [`versions`](super::versions).

use super::{Admin, Answer, Ask, Content, unavailable};
use crate::config::{Config, Invalid};
use crate::error::{ApiError, Code};
use crate::gateway::live::CURRENT;
use crate::gateway::policy::lock;
use crate::gateway::weights;
use crate::json::json;
use crate::ports::Ports;
use serde_json::Value;

impl<P: Ports> Admin<P> {
    pub(super) async fn show_config(&self, _ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let version = self.read(CURRENT).await?.map_or(0, |record| record.version);
        let stored = match version {
            // From before versions were kept, or never.
            0 => self.ports.config().await.map_err(unavailable)?,
            version => super::versions::read(&self.ports, version).await.map_err(unavailable)?,
        };
        let document = stored.and_then(|stored| stored.document);
        let source = if document.is_some() { "stored" } else { "binding" };
        let body = json!({ "object": "config", "source": source, "version": version, "document": document });
        Ok(Answer::ok(body).tagged(version))
    }

    /// Replaces the stored document, which takes the place of the binding's. An invalid one is
    /// refused whole and changes nothing.
    pub(super) async fn put_config(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let text = utf8(&ask.request.body)?;
        let config = match Config::parse(text) {
            Ok(config) => config,
            Err(invalid) => return Ok(refused(&invalid)),
        };
        let version = self.store_version(ask, Some(text.to_owned()), None).await?;
        let mut answer = stored(true, version);
        if let Content::Json(Value::Object(body)) = &mut answer.content {
            body.insert("warnings".to_owned(), json!(self.warnings(&config)));
        }
        Ok(answer)
    }

    /// What a document wants and the gateway cannot do as it is now.
    fn warnings(&self, config: &Config) -> Vec<&'static str> {
        if lock(&self.keys).weights.known().is_lacking { weights::wanted(config) } else { Vec::new() }
    }

    /// Removes the stored document: the binding's is in force again.
    pub(super) async fn remove_config(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let version = self.store_version(ask, None, None).await?;
        Ok(stored(false, version))
    }

    pub(super) async fn validate_config(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        Ok(match utf8(&ask.request.body).map(Config::parse) {
            Ok(Ok(config)) => Answer::ok(json!({ "valid": true, "problems": [], "warnings": self.warnings(&config) })),
            Ok(Err(invalid)) => Answer::ok(json!({ "valid": false, "problems": invalid.problems })),
            Err(error) => Answer::ok(
                json!({ "valid": false, "problems": [{ "path": "document", "message": error.message, "hint": "" }] }),
            ),
        })
    }
}

/// The answer to a change of what is in force.
pub(super) fn stored(is_stored: bool, version: u64) -> Answer {
    let source = if is_stored { "stored" } else { "binding" };
    Answer::ok(json!({ "object": "config", "source": source, "version": version, "valid": true }))
        .tagged(version)
        .news()
}

pub(super) fn utf8(body: &[u8]) -> Result<&str, ApiError> {
    std::str::from_utf8(body).map_err(|_| ApiError::new(Code::InvalidRequest, "The document is not UTF-8."))
}

pub(super) fn refused(invalid: &Invalid) -> Answer {
    let body: Value = json!({ "error": {
        "message": invalid.to_string(),
        "type": "invalid_request_error",
        "code": Code::InvalidRequest.as_str(),
        "param": null,
        "problems": invalid.problems,
    } });
    Answer { status: 400, content: Content::Json(body), ..Answer::ok(Value::Null) }
}
