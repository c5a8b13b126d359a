//! The standard proxy: HTTP to the providers of the configuration.

use super::answer::{collected, context, whole};
use super::consult::{Consult, Unheard};
use super::failure::{Failure, Stage, retry_after};
use super::google::{self, Tokens};
use super::live::Live;
use super::tally::Tally;
use super::transform::{Transform, Translation};
use super::{Answer, Call, Content, Proxy};
use super::{operations, prompt_cache, room};
use crate::catalog::{Catalog, Model};
use crate::config::{Auth, Provider, Providers, RemoteAccess, Streams};
use crate::dialect::{Dialect, Edits, Framing, ProviderDialect, Stripper, Target, UpstreamError, Warnings};
use crate::http::Header;
use crate::json;
use crate::operation::Operation;
use crate::ports::{Body, ExchangeError, Outgoing, Ports, Whole, is_success};
use crate::units::{Millis, Timestamp};
use crate::words::Words;
use bytes::Bytes;
use futures_util::future::{Either, select};
use std::borrow::Cow;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

/// The largest whole answer that is read.
pub(super) const MAX_ANSWER_BYTES: usize = 32 * 1024 * 1024;
/// As much of an error's body as is read.
const MAX_ERROR_BYTES: usize = 64 * 1024;
/// What Anthropic's dialect is told when nobody named a limit and the catalog knows none.
const DEFAULT_MAX_OUTPUT_TOKENS: u64 = 8_192;

/// Calls the enabled providers through a platform's transport.
#[derive(Debug)]
pub struct HttpProxy<P> {
    pub(super) ports: P,
    providers: Arc<Providers>,
    catalog: Arc<Catalog>,
    streams: Streams,
    tokens: Tokens,
    remote: Option<Consult>,
}

impl<P: Ports> HttpProxy<P> {
    /// A proxy to these providers. The catalog tells how their models differ.
    pub fn new(ports: P, providers: Arc<Providers>, catalog: Arc<Catalog>, streams: Streams) -> HttpProxy<P> {
        HttpProxy { ports, providers, catalog, streams, tokens: Tokens::default(), remote: None }
    }

    /// The same, with another service that is asked for decisions.
    #[must_use]
    pub fn consulting(self, remote: Option<RemoteAccess>) -> HttpProxy<P> {
        HttpProxy { remote: remote.map(Consult::new), ..self }
    }

    /// Waits for `future`, at the most until `stage` has lasted `patience` since `since` or the whole
    /// request is over.
    pub(super) async fn within<T>(
        &self,
        future: impl Future<Output = T>,
        wait: &Wait<'_>,
        stage: Stage,
        patience: Millis,
    ) -> Result<T, Failure> {
        let now = self.ports.now();
        let stage_left = (wait.since + patience).since(now);
        let total_left = wait.deadline.since(now);
        let (stage, left) = if total_left < stage_left { (Stage::Total, total_left) } else { (stage, stage_left) };
        match select(pin!(future), pin!(self.ports.sleep(left))).await {
            Either::Left((value, _)) => Ok(value),
            Either::Right(((), _)) => {
                let waited = self.ports.now().since(wait.since);
                Err(Failure::timeout(wait.provider, stage, waited))
            }
        }
    }
}

/// Against what a wait is measured.
pub(super) struct Wait<'a> {
    pub(super) provider: &'a str,
    since: Timestamp,
    deadline: Timestamp,
}

impl<P: Ports> Proxy for HttpProxy<P> {
    type Body = P::Body;

    fn consults(&self) -> bool {
        self.remote.is_some()
    }

    async fn consult(&self, question: Vec<u8>) -> Result<Bytes, Unheard> {
        match &self.remote {
            Some(remote) => remote.ask(&self.ports, question).await,
            None => Err(Unheard::NotConfigured),
        }
    }

    fn judged(&self, good: bool) {
        if let Some(remote) = &self.remote {
            remote.note(good, self.ports.now());
        }
    }

    async fn call(&self, call: &Call<'_>) -> Result<Answer<P::Body>, Failure> {
        let id = call.model.provider.as_str();
        let provider = self.providers.get(id).ok_or_else(|| Failure::not_configured(id))?;
        if call.request.provider_key.is_some() && !matches!(provider.auth, Auth::Header { .. }) {
            return Err(Failure::takes_no_key(id));
        }
        let mut warnings = Warnings::default();
        let wait = Wait { provider: id, since: self.ports.now(), deadline: call.deadline };
        let mut outgoing = match &call.request.operation {
            Operation::Chat(_) => write(call, provider, &self.catalog.model(call.model), &mut warnings)?,
            Operation::CountTokens(endpoint) if provider.dialect != endpoint.dialect => {
                return Ok(operations::counted(call, warnings));
            }
            Operation::CountTokens(_) | Operation::Completions | Operation::Embeddings | Operation::Rerank => {
                operations::write(call, provider, &mut warnings)?
            }
            Operation::PassThrough(target) => return self.pass(call, provider, target, &wait).await,
        };
        // Forwarded bytes go to the caller as they are; natively, if they are framed as they came.
        let forward = outgoing.forward && !self.hides_usage(call, provider) && call.words.is_none();
        outgoing.forward = forward && !call.metered && call.request.facts.framing == Framing::Events;
        let outgoing = self.signed(provider, outgoing).await?;

        match call.request.facts.stream {
            true => self.stream(call, provider, outgoing, forward, &wait, warnings).await,
            false => self.exchange(call, provider, outgoing, &wait, warnings).await,
        }
    }

    async fn fetch(&self, call: Outgoing, patience: Millis, limit: usize) -> Option<Whole> {
        self.ports.exchange(call, patience, limit).await.ok()
    }
}

impl<P: Ports> HttpProxy<P> {
    /// The call with its signature or its token, where its provider wants one. Nothing of it may change afterwards.
    pub(super) async fn signed(&self, provider: &Provider, mut call: Outgoing) -> Result<Outgoing, Failure> {
        match &provider.auth {
            Auth::Aws(signer) => {
                call.headers.extend(signer.sign(call.method, &call.url, &call.body, self.ports.now()));
            }
            Auth::Google(account) => {
                let token = google::token(&self.ports, &self.tokens, provider.id.as_str(), account).await?;
                call.headers.push(header("authorization", format!("Bearer {}", token.expose())));
            }
            Auth::Header { .. } | Auth::None => {}
        }
        Ok(call)
    }

    /// Whether a stream of this call will bring a usage event that the caller must not see.
    fn hides_usage(&self, call: &Call<'_>, provider: &Provider) -> bool {
        match call.request.dialect {
            Dialect::OpenAiChat => {
                same_dialect(call, provider)
                    && self.streams.hide_unasked_usage
                    && !call.request.facts.include_usage
                    && provider.quirks.stream_usage
            }
            Dialect::Anthropic | Dialect::OpenAiResponses | Dialect::Gemini => false,
        }
    }

    /// Sends a call and reads its answer whole; an answer whose status is an error is a failure.
    async fn ask(
        &self,
        call: &Call<'_>,
        provider: &Provider,
        outgoing: Outgoing,
        wait: &Wait<'_>,
    ) -> Result<Whole, Failure> {
        let left = provider.timeouts.with(&call.timeouts).total.min(wait.deadline.since(wait.since));
        let exchanged = self.ports.exchange(outgoing, left, MAX_ANSWER_BYTES).await;
        let answer = exchanged.map_err(|error| match error {
            ExchangeError::Failed(error) => Failure::send(wait.provider, &error),
            ExchangeError::TimedOut => {
                Failure::timeout(wait.provider, Stage::Total, self.ports.now().since(wait.since))
            }
        })?;
        if !is_success(answer.status) {
            let body = answer.body.unwrap_or_default();
            return Err(self.failure(provider, answer.status, &answer.headers, &body));
        }
        Ok(answer)
    }

    /// A call for a whole answer. Only the total binds it: its head comes when it is done.
    async fn exchange(
        &self,
        call: &Call<'_>,
        provider: &Provider,
        outgoing: Outgoing,
        wait: &Wait<'_>,
        mut warnings: Warnings,
    ) -> Result<Answer<P::Body>, Failure> {
        let Whole { status, headers, body } = self.ask(call, provider, outgoing, wait).await?;
        let body = body.ok_or_else(|| Failure::upstream(&UpstreamError::protocol("the answer is too large"), None))?;
        let (stream_type, now) = (dialect(call, provider).stream_type(), self.ports.now());
        // Some stream although nobody asked them to.
        let streamed = find(&headers, "content-type").is_some_and(|t| t.trim_start().starts_with(stream_type));
        let content = match (&call.request.operation, streamed) {
            (Operation::Chat(_), true) => collected(call, provider, &body, now, &mut warnings)?,
            _ => whole(call, provider, body, now, &mut warnings)?,
        };
        Ok(Answer { status, warnings, room: room::of(&headers, now), passed: None, content })
    }

    /// A call for a stream: returns with its first content.
    async fn stream(
        &self,
        call: &Call<'_>,
        provider: &Provider,
        outgoing: Outgoing,
        forward: bool,
        wait: &Wait<'_>,
        mut warnings: Warnings,
    ) -> Result<Answer<P::Body>, Failure> {
        let patience = provider.timeouts.with(&call.timeouts);
        let mut incoming = self
            .within(self.ports.send(outgoing), wait, Stage::Headers, patience.headers)
            .await?
            .map_err(|error| Failure::send(wait.provider, &error))?;
        let (status, room) = (incoming.status, room::of(&incoming.headers, self.ports.now()));
        let content_type = find(&incoming.headers, "content-type");
        let stream_type = dialect(call, provider).stream_type();
        let is_stream = content_type.is_none_or(|t| t.trim_start().starts_with(stream_type));
        if is_success(status) && is_stream {
            let transform = transform(call, provider, forward, self.ports.now());
            let mut live =
                Live::new(incoming.body, call.request.dialect, call.request.facts.framing, transform, patience.idle);
            self.within(live.open(), wait, Stage::FirstToken, patience.first_token).await??;
            return Ok(Answer { status, warnings, room, passed: None, content: Content::Live(Box::new(live)) });
        }
        // An error, or a provider that answers whole although it was asked to stream.
        let limit = if is_success(status) { MAX_ANSWER_BYTES } else { MAX_ERROR_BYTES };
        let body = self.within(incoming.body.whole(limit), wait, Stage::Total, patience.total).await?;
        let body = body.ok().flatten().unwrap_or_default();
        if !is_success(status) {
            return Err(self.failure(provider, status, &incoming.headers, &body));
        }
        let content = whole(call, provider, body, self.ports.now(), &mut warnings)?;
        Ok(Answer { status, warnings, room, passed: None, content })
    }
}

impl<P: Ports> HttpProxy<P> {
    /// What an answer whose status is an error means.
    pub(super) fn failure(&self, provider: &Provider, status: u16, headers: &[Header], body: &[u8]) -> Failure {
        let now = self.ports.now();
        let asked_for = retry_after(find(headers, "retry-after-ms"), find(headers, "retry-after"), now);
        // Some say only when their limit is whole again.
        let asked_for = asked_for.or_else(|| room::of(headers, now).filter(|_| status == 429)?.rest);
        let body = body.get(..MAX_ERROR_BYTES).unwrap_or(body);
        if status == 401 {
            google::forget(&self.tokens, provider.id.as_str());
        }
        Failure::upstream(&provider.dialect.read_error(status, body), asked_for)
    }
}

/// The first header of that name.
pub(super) fn find<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

/// The dialect this provider is asked in.
pub(super) fn dialect(call: &Call<'_>, provider: &Provider) -> ProviderDialect {
    provider.dialect_for(call.request.dialect)
}

/// Whether the caller gets the provider's dialect.
pub(super) fn same_dialect(call: &Call<'_>, provider: &Provider) -> bool {
    dialect(call, provider) == call.request.dialect
}

/// Puts the request into the provider's words and on its wire.
fn write(call: &Call<'_>, provider: &Provider, model: &Model, warnings: &mut Warnings) -> Result<Outgoing, Failure> {
    let request = call.request;
    let stream = request.facts.stream;
    let same = same_dialect(call, provider);
    let name = call.model.model.as_str();
    let body = if same {
        let edits = Edits {
            model: Some(name),
            include_usage: stream && provider.quirks.stream_usage,
            max_output_tokens: call.max_output_tokens,
            max_tokens_field: provider.quirks.max_tokens_field,
        };
        let document =
            json::scan(&request.body, &json::Limits::default()).map_err(|error| Failure::request(error.into()))?;
        prompt_cache::body(request, dialect(call, provider), name, request.dialect.rewrite_request(&document, &edits))
    } else {
        let target = Target {
            model: name,
            stream,
            max_output_tokens: call.max_output_tokens,
            default_max_output_tokens: model.max_output_tokens.unwrap_or(DEFAULT_MAX_OUTPUT_TOKENS),
            quirks: &provider.quirks_for(model),
        };
        let common = request.common().map_err(Failure::request)?;
        if let Some(error) = common.needs_native() {
            return Err(Failure::needs_native(error));
        }
        let common = prompt_cache::common(request, dialect(call, provider), name, common);
        dialect(call, provider).write_request(&common, &target, warnings)
    };
    let headers = headers(call, provider, same);
    Ok(Outgoing {
        method: "POST",
        url: provider.url_for(dialect(call, provider), name, stream),
        headers,
        body,
        forward: stream && same,
    })
}

/// The headers of a call. `same`: in the caller's own words.
pub(super) fn headers(call: &Call<'_>, provider: &Provider, same: bool) -> Vec<Header> {
    let stream_type = dialect(call, provider).stream_type();
    let accept = if call.request.facts.stream { stream_type } else { "application/json" };
    let mut all = vec![header("content-type", "application/json"), header("accept", accept)];
    all.extend(own_headers(call, provider, same));
    all
}

/// The headers of any call: who calls, with what credential, and what caller and provider want said.
pub(super) fn own_headers(call: &Call<'_>, provider: &Provider, same: bool) -> Vec<Header> {
    let mut headers = vec![header("user-agent", USER_AGENT)];
    match (&provider.auth, &call.request.provider_key) {
        (Auth::Header { name: "authorization", .. }, Some(key)) => {
            headers.push(header("authorization", format!("Bearer {}", key.expose())));
        }
        (Auth::Header { name, .. }, Some(key)) => headers.push(header(name, key.expose())),
        (Auth::Header { name, value }, None) => headers.push(header(name, value.expose())),
        // Signed when all of the call is known.
        (Auth::Aws(_) | Auth::Google(_) | Auth::None, Some(_) | None) => {}
    }
    // What the caller says to a provider of its own dialect takes the place of what we would say.
    let forwarded = if same { call.request.forwarded.as_slice() } else { &[] };
    // And what the operator says of this call the place of both.
    let added = call.request.added.as_slice();
    let is_said = |name: &str, by: &[Header]| by.iter().any(|(said, _)| said == name);
    headers.extend(added.iter().cloned());
    headers.extend(forwarded.iter().filter(|(name, _)| !is_said(name, added)).cloned());
    let ours = provider.headers.iter().filter(|(name, _)| !is_said(name, forwarded) && !is_said(name, added));
    headers.extend(ours.map(|(name, value)| (Cow::Owned(name.clone()), value.expose().to_owned())));
    headers
}

/// Who calls, as providers see it.
const USER_AGENT: &str = concat!("signalbox/", env!("CARGO_PKG_VERSION"));

fn header(name: &'static str, value: impl Into<String>) -> Header {
    (Cow::Borrowed(name), value.into())
}

/// What happens to the bytes of this call's stream.
fn transform(call: &Call<'_>, provider: &Provider, forward: bool, now: Timestamp) -> Transform {
    if forward {
        return Transform::Untouched(Box::new(call.request.dialect.meter()));
    }
    if same_dialect(call, provider) && call.words.is_none() {
        return Transform::Stripped(Box::new((Stripper::default(), call.request.dialect.meter())));
    }
    let decoder = dialect(call, provider).decoder();
    let encoder = call.request.dialect.encoder(context(call, provider, now));
    Transform::Translated(Box::new(Translation {
        decoder,
        rewrite: call.words.map(Words::rewrite),
        encoder,
        tally: Tally::default(),
    }))
}
