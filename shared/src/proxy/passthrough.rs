//! A call of a provider's API as it is: the caller's method, path and body, the provider's host and
//! credential; the provider's answer, whatever it is, less the headers that are not the caller's.

use super::failure::{Failure, Retry, Stage};
use super::http_proxy::{HttpProxy, MAX_ANSWER_BYTES, Wait, find, own_headers};
use super::live::Live;
use super::transform::Transform;
use super::{Answer, Call, Content, room};
use crate::config::Provider;
use crate::dialect::{Finish, Framing, Observed, UpstreamError, Warnings};
use crate::http::Head;
use crate::operation::passthrough::{ANSWER_HEADERS, Meter, Target};
use crate::ports::{Body, Incoming, Outgoing, Ports, is_success};
use crate::usage::Usage;
use std::borrow::Cow;

/// A JSON answer of at most this length is read before it is passed on, so that its head can tell what it
/// cost; anything else flows.
const MOST_WHOLE: u64 = 1024 * 1024;

impl<P: Ports> HttpProxy<P> {
    /// Makes the call, once: what it does at the provider may not be done twice.
    pub(super) async fn pass(
        &self,
        call: &Call<'_>,
        provider: &Provider,
        target: &Target,
        wait: &Wait<'_>,
    ) -> Result<Answer<P::Body>, Failure> {
        let once = |failure| Failure { retry: Retry::Never, ..failure };
        let outgoing = Outgoing {
            method: target.method,
            url: target.url(&provider.base_url),
            headers: own_headers(call, provider, true),
            body: call.request.body.clone(),
            forward: true,
        };
        let outgoing = self.signed(provider, outgoing).await.map_err(once)?;
        // Pictures take minutes before there is a head: only the total binds it.
        let sent = self.within(self.ports.send(outgoing), wait, Stage::Total, provider.timeouts.total).await;
        let mut incoming = sent.map_err(once)?.map_err(|error| once(Failure::send(wait.provider, &error)))?;
        match incoming.status {
            // Redirects are not followed, and where they lead is none of the caller's business.
            300..=399 if incoming.status != 304 => {
                let error = UpstreamError::protocol("it is a redirect, which is not followed");
                return Err(Failure { may_be_billed: false, ..once(Failure::upstream(&error, None)) });
            }
            // The gateway's own credential was refused: that is not the caller's affair, nor are the words.
            401 | 403 | 407 => {
                let body = incoming.body.whole(MAX_ANSWER_BYTES).await.ok().flatten().unwrap_or_default();
                return Err(once(self.failure(provider, incoming.status, &incoming.headers, &body)));
            }
            _ => {}
        }
        let status = incoming.status;
        let (passed, room) = (Some(head(&incoming)), room::of(&incoming.headers, self.ports.now()));
        let content = self.content(call, provider, target, wait, incoming).await.map_err(once)?;
        Ok(Answer { status, warnings: Warnings::default(), room, passed, content })
    }

    async fn content(
        &self,
        call: &Call<'_>,
        provider: &Provider,
        target: &Target,
        wait: &Wait<'_>,
        mut incoming: Incoming<P::Body>,
    ) -> Result<Content<P::Body>, Failure> {
        let succeeded = is_success(incoming.status);
        let length = find(&incoming.headers, "content-length").and_then(|text| text.trim().parse::<u64>().ok());
        let kind = find(&incoming.headers, "content-type").unwrap_or_default().to_owned();
        let is_empty = target.method == "HEAD" || matches!(incoming.status, 204 | 205 | 304) || length == Some(0);
        let is_small_json =
            kind.trim_start().starts_with("application/json") && length.is_some_and(|length| length <= MOST_WHOLE);
        let mut meter = Meter::new(&kind, length, target.is_billed() && succeeded);
        if succeeded && !is_empty && !is_small_json {
            let transform = Transform::Passed(Box::new(meter));
            let told_in = provider.dialect.of_callers().unwrap_or(call.request.dialect);
            let live = Live::new(incoming.body, told_in, Framing::Events, transform, provider.timeouts.idle);
            return Ok(Content::Live(Box::new(live)));
        }
        let body = match is_empty {
            true => Some(bytes::Bytes::new()),
            false => {
                let whole = incoming.body.whole(MAX_ANSWER_BYTES);
                let read = self.within(whole, wait, Stage::Total, provider.timeouts.total).await?;
                read.map_err(|error| Failure::send(wait.provider, &error))?
            }
        };
        let body = body.ok_or_else(|| Failure::upstream(&UpstreamError::protocol("the answer is too large"), None))?;
        let observed = if succeeded {
            meter.push(&body);
            Observed { finish: Finish::Complete, ..meter.finish() }
        } else {
            // Nobody bills a refusal.
            Observed {
                usage: Some(Usage::default()),
                finish: Finish::Complete,
                output_bytes: 0,
                model: None,
                content_started: true,
            }
        };
        Ok(Content::Whole { body, observed, stream: false })
    }
}

/// Status and headers as the caller gets them.
fn head<B>(incoming: &Incoming<B>) -> Head {
    let kept = incoming.headers.iter().filter(|(name, _)| ANSWER_HEADERS.contains(&name.as_ref()));
    let headers = kept.map(|(name, value)| (Cow::Owned(name.to_string()), value.clone())).collect();
    Head { status: incoming.status, headers }
}
