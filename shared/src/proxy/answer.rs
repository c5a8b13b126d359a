//! A provider's whole answer on its way to the caller.

use super::failure::Failure;
use super::http_proxy::{dialect, same_dialect};
use super::live::frame_whole;
use super::tally::Tally;
use super::transform::rewritten;
use super::{Call, Content, operations};
use crate::config::Provider;
use crate::dialect::ir::ChatResponse;
use crate::dialect::{Observed, ResponseContext, StreamContext, Warnings};
use crate::operation::Operation;
use crate::units::Timestamp;
use bytes::Bytes;

/// A whole answer, in the caller's dialect and in the form the caller asked for.
pub(super) fn whole<B>(
    call: &Call<'_>,
    provider: &Provider,
    body: Bytes,
    now: Timestamp,
    warnings: &mut Warnings,
) -> Result<Content<B>, Failure> {
    match &call.request.operation {
        Operation::Chat(_) | Operation::Completions | Operation::PassThrough(_) => {}
        Operation::CountTokens(_) | Operation::Embeddings | Operation::Rerank => {
            return operations::whole(call, provider, body);
        }
    }
    let broken = |error: crate::dialect::ProtocolError| Failure::upstream(&error.into_upstream(), None);
    // Somebody judges it before its caller hears it, and can judge all of it.
    let stream = call.request.facts.stream && call.words.is_none_or(|words| words.piece().is_none());
    if same_dialect(call, provider) && !stream {
        let observed = call.request.dialect.observe_response(&body).map_err(broken)?;
        return Ok(Content::Whole { body, observed, stream });
    }
    let response = dialect(call, provider).read_response(&body).map_err(broken)?;
    let observed = Observed::of(&response);
    let body = if stream {
        let mut encoder = call.request.dialect.encoder(context(call, provider, now));
        let mut out = Vec::with_capacity(body.len());
        let events = response.into_events();
        let heard = match call.words {
            Some(words) => rewritten(&mut words.rewrite(), events),
            None => events,
        };
        heard.into_iter().for_each(|event| encoder.push(event, &mut out));
        frame_whole(call.request.facts.framing, out)
    } else {
        written(call, provider, &response, now, warnings)
    };
    Ok(Content::Whole { body, observed, stream })
}

/// An answer that came as a stream, for a caller who wants it whole.
pub(super) fn collected<B>(
    call: &Call<'_>,
    provider: &Provider,
    body: &[u8],
    now: Timestamp,
    warnings: &mut Warnings,
) -> Result<Content<B>, Failure> {
    let dialect = dialect(call, provider);
    let (mut decoder, mut events, mut tally) = (dialect.decoder(), Vec::new(), Tally::default());
    decoder.push(body, &mut events);
    decoder.finish(&mut events);
    events.iter().for_each(|event| tally.event(event));
    if let Some(error) = tally.error() {
        return Err(Failure::upstream(error, None));
    }
    let body = written(call, provider, &ChatResponse::from_events(dialect, events), now, warnings);
    Ok(Content::Whole { body, observed: tally.finish(), stream: false })
}

/// A whole answer in the caller's dialect.
fn written(
    call: &Call<'_>,
    provider: &Provider,
    response: &ChatResponse,
    now: Timestamp,
    warnings: &mut Warnings,
) -> Bytes {
    let echo = &call.request.dialect.echo(&call.request.body);
    let context = ResponseContext { id: call.request_id, model: label(call, provider), created: now.0 / 1_000, echo };
    call.request.dialect.write_response(response, &context, warnings).into()
}

/// The model to name in an answer of a provider that names none.
fn label<'a>(call: &Call<'a>, provider: &Provider) -> Option<&'a str> {
    (!dialect(call, provider).names_its_model()).then(|| call.model.model.as_str())
}

/// How a stream of this call is labelled.
pub(super) fn context(call: &Call<'_>, provider: &Provider, now: Timestamp) -> StreamContext {
    StreamContext {
        id: call.request_id.to_owned(),
        model: label(call, provider).map(str::to_owned),
        created: now.0 / 1_000,
        include_usage: call.request.facts.include_usage,
        request_id: call.request_id.to_owned(),
        echo: call.request.dialect.echo(&call.request.body),
    }
}
