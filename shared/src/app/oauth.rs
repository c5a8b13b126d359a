//! What OAuth's programs ask for: tokens, the keys they are signed with, and where all of it is.

use super::setup::Setup;
use super::{App, Standard, answer};
use crate::dialect::Dialect;
use crate::error::{ApiError, Code};
use crate::gateway::identity::oauth::{self, MAX_FORM_BYTES};
use crate::json::json;
use crate::pipeline::{self, Reply};
use crate::ports::{Ports, Request};

impl<P: Ports> App<P> {
    /// `POST /oauth/token`.
    pub(super) async fn token<R: Request>(&self, setup: &Setup<P>, request: R) -> Reply<Standard<P>> {
        let authorization = request.header("authorization").map(str::to_owned);
        let content_type = request.header("content-type").map(str::to_owned);
        let Ok(body) = pipeline::body(&self.inner.ports, request, MAX_FORM_BYTES, pipeline::PATIENCE).await else {
            let message = "The form cannot be read, or is larger than 8 KiB.";
            return answer(400, &json!({ "error": "invalid_request", "error_description": message }));
        };
        let identity = setup.pipeline.layers.gateway.identity();
        let oauth::Answer { status, body } = match &self.inner.hasher {
            Some(hasher) => identity.token(hasher, authorization.as_deref(), content_type.as_deref(), &body).await,
            None => {
                return self.error(Dialect::OpenAiChat, &ApiError::new(Code::NotConfigured, "The gateway has no SIGNALBOX_SECRET. Bind one of at least 32 bytes; tokens are signed with a key derived from it."));
            }
        };
        let mut reply = answer(status, &body);
        reply.head.set("pragma", "no-cache");
        if status == 401 {
            reply.head.set("www-authenticate", "Basic realm=\"signalbox\"");
        }
        reply
    }

    /// `GET /.well-known/jwks.json`.
    pub(super) async fn jwks(&self) -> Reply<Standard<P>> {
        let mut reply = answer(200, &self.inner.identity.signer.jwks(&self.inner.ports).await);
        reply.head.headers.retain(|(name, _)| name != "cache-control");
        reply.head.set("cache-control", "public, max-age=300");
        reply
    }

    /// `GET /.well-known/oauth-authorization-server` (RFC 8414).
    pub(super) fn metadata(&self, setup: &Setup<P>) -> Reply<Standard<P>> {
        let Some(url) = &setup.config.auth.public_url else {
            let sentence = "The gateway does not know its own URL. Bind SIGNALBOX_PUBLIC_URL, or set auth.public_url in the configuration.";
            return self.error(Dialect::OpenAiChat, &ApiError::new(Code::NotConfigured, sentence));
        };
        answer(
            200,
            &json!({
                "issuer": url.as_str(),
                "token_endpoint": format!("{url}/oauth/token"),
                "jwks_uri": format!("{url}/.well-known/jwks.json"),
                "grant_types_supported": ["client_credentials"],
                "response_types_supported": [],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                "scopes_supported": ["inference", "admin"],
            }),
        )
    }
}
