//! `POST /mcp`: the definitions a team may see, for agents that speak the Model Context Protocol; and the servers that
//! definitions are taken from.

use super::setup::Setup;
use super::{App, Standard, bound};
use crate::config::mcp::Server;
use crate::config::{Bindings, Config, ContextName};
use crate::dialect::Dialect;
use crate::error::{ApiError, Code};
use crate::gateway::Gateway;
use crate::gateway::sync::Source;
use crate::http::Head;
use crate::json::json;
use crate::mcp::client::Place;
use crate::mcp::server::{self, Asked, Told};
use crate::pipeline::{self, Layers, Reply};
use crate::ports::{Clock, Ports, Request};
use crate::secret::Secret;
use std::sync::Arc;

/// The longest message.
const MAX_BODY_BYTES: usize = 64 * 1024;

impl<P: Ports> App<P> {
    pub(super) async fn mcp<R: Request>(&self, setup: &Arc<Setup<P>>, request: R) -> Reply<Standard<P>> {
        match self.message(setup, request).await {
            Ok(Told::Accepted) => Reply::whole(Head { status: 202, headers: Vec::new() }, Vec::new()),
            Ok(Told::Message(status, message)) => super::answer(status, &message),
            Err(error) => self.error(Dialect::OpenAiChat, &error),
        }
    }

    async fn message<R: Request>(&self, setup: &Arc<Setup<P>>, request: R) -> Result<Told, ApiError> {
        // A page in a browser that was not let in must not be able to ask on behalf of who sits before it.
        if request.header("origin").is_some_and(|origin| setup.config.cors.allow(origin).is_none()) {
            return Err(ApiError::new(
                Code::PermissionDenied,
                "Pages of this origin may not call (cors.allow_origins).",
            ));
        }
        let gateway = setup.pipeline.layers.gateway();
        let caller = gateway.authenticate(pipeline::credential(&request)?.as_deref()).await?;
        let header = |name| request.header(name).map(str::to_owned);
        let [version, method, name] = ["mcp-protocol-version", "mcp-method", "mcp-name"].map(header);
        let body = pipeline::body(&self.inner.ports, request, MAX_BODY_BYTES, pipeline::PATIENCE).await?;
        let asked =
            Asked { version: version.as_deref(), method: method.as_deref(), name: name.as_deref(), body: &body };
        Ok(server::answer(&asked, &gateway.library(), &caller.team, self.inner.ports.now()))
    }
}

/// The servers that definitions are taken from, with what they know us by. One whose binding is missing is not asked.
pub(super) fn sources(config: &Config, bindings: &(impl Bindings + ?Sized), ports: &impl Clock) -> Arc<[Source]> {
    let source = |(name, server): (&ContextName, &Server)| {
        let token = match &server.token {
            None => None,
            Some(binding) => match bound(bindings, binding.as_str()) {
                Some(text) => Some(Secret::new(text.trim())),
                None => {
                    ports.log(
                        &json!({ "event": "mcp_disabled", "server": name.as_str(), "missing": binding.as_str() })
                            .to_string(),
                    );
                    return None;
                }
            },
        };
        let place = Place { url: server.url.as_str().to_owned(), token };
        let (tags, teams, vanished) = (server.tags.clone(), server.teams.clone(), server.vanished);
        Some(Source { name: name.as_str().to_owned(), place, every: server.every, tags, teams, vanished })
    };
    config.mcp.iter().filter_map(source).collect()
}
