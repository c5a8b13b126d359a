//! A request for the admin plane: who asks, whether they may, and what the answer changes here.

use super::current::Inner;
use super::setup::Setup;
use super::{App, Standard, bound, console, fleet};
use crate::dialect::Dialect;
use crate::error::{ApiError, Code};
use crate::gateway::Gateway as _;
use crate::gateway::admin::{self, Admin, Answer, Ask};
use crate::gateway::caller::Via;
use crate::json::json;
use crate::pipeline::{self, Layers as _, Reply};
use crate::ports::{Ports, Request};
use std::sync::Arc;

impl<P: Ports> App<P> {
    pub(super) async fn admin<R: Request>(&self, setup: &Arc<Setup<P>>, request: R) -> Reply<Standard<P>> {
        match administer(&self.inner, setup, request).await {
            Ok(answered) => {
                let (head, body) = answered.written(&pipeline::request_id(&self.inner.ports));
                Reply::whole(head, body)
            }
            Err(error) => {
                if matches!(error.code, Code::InvalidApiKey | Code::TokenExpired | Code::PermissionDenied) {
                    let ports = &self.inner.ports;
                    let what = json!({ "event": "turned_away", "at": ports.now(), "operation": "admin",
                        "outcome": "refused", "status": error.code.status(), "code": error.code.as_str() });
                    self.inner.recorder.turned_away(ports, None, what);
                }
                self.error(Dialect::OpenAiChat, &error)
            }
        }
    }
}

async fn administer<P: Ports, R: Request>(
    inner: &Arc<Inner<P>>,
    setup: &Arc<Setup<P>>,
    request: R,
) -> Result<Answer, ApiError> {
    let admin = Admin {
        ports: inner.ports.clone(),
        config: setup.config.clone(),
        document: setup.document.clone(),
        hasher: inner.hasher.clone(),
        routing: fleet::routing(setup, inner.ports.now()),
        admin_key: bound(&*inner.bindings, "SIGNALBOX_ADMIN_KEY"),
        sources: setup.sources.clone(),
        keys: inner.keys.clone(),
        identity: inner.identity.clone(),
        recorder: inner.recorder.clone(),
    };
    let credential = pipeline::credential(&request)?;
    // A credential that was sent on purpose comes before a cookie that came along.
    let session = match credential {
        Some(_) => None,
        None => console::signed_in(inner, setup, &request).await?,
    };
    let who = match session {
        Some(who) => {
            admin.is_open()?;
            who
        }
        None => match admin.bootstrap(credential.as_deref())? {
            Some(who) => who,
            None => setup.pipeline.layers.gateway().authenticate(credential.as_deref()).await?,
        },
    };
    // Whoever has nothing but a provider's key is nobody here.
    if who.via == Via::ProviderKey {
        return Err(ApiError::new(Code::InvalidApiKey, "A provider's key is no credential on the admin plane."));
    }
    let (method, path) = (request.method().to_owned(), request.path().to_owned());
    let (route, args) = admin.open(&who, &method, path.strip_prefix(admin::PREFIX).unwrap_or_default())?;
    let header = |name| request.header(name).map(str::to_owned);
    let asked = admin::Request {
        query: request.query().to_owned(),
        if_match: header("if-match"),
        idempotency_key: header("idempotency-key"),
        body: Vec::new(),
    };
    let body = pipeline::body(&inner.ports, request, admin::max_body_bytes(route), pipeline::PATIENCE).await?;
    let asked = admin::Request { body, ..asked };
    let answered = admin.perform(route, &Ask { who: &who, args: &args, request: &asked }).await?;
    if route.method == "GET" {
        return Ok(answered.told());
    }
    let (via, status) = (who.via.as_str(), answered.status);
    let what = json!({
        "event": "admin", "at": inner.ports.now(), "via": via, "key_id": who.key_id, "user": who.user,
        "method": method, "path": path, "status": status,
    });
    inner.ports.log(&what.to_string());
    inner.recorder.witness(&inner.ports, what);
    // What was changed holds here from the next request on.
    if answered.is_news {
        inner.refresh().await;
    }
    Ok(answered)
}
