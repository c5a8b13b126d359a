//! Counting a prompt's tokens: known, admitted within the request limits, answered at no cost.
//!
//! The first candidate decides. A provider of the caller's dialect that counts is asked; for every other
//! the answer is our own estimate, a token for every four bytes of text and a usual number for each image.

use super::draft::Draft;
use super::intake::{self, Intake};
use super::{Layers, Pipeline, Reply, estimate, headers, refusal};
use crate::config::TimeoutsOverride;
use crate::dialect::Endpoint;
use crate::error::{ApiError, Code};
use crate::gateway::audit::{Attempt, Outcome, Record};
use crate::gateway::{Admission, Caller, Claim, Gateway};
use crate::http::Head;
use crate::json;
use crate::ports::{BodyError, Clock, Request};
use crate::proxy::{Call, CallerRequest, Proxy};
use crate::router::{Ask, Needs, Router};
use crate::units::NanoUsd;
use bytes::Bytes;
use std::sync::Arc;

/// Serves one request for a count.
pub async fn serve<L: Layers, R: Request>(
    pipeline: &Arc<Pipeline<L>>,
    endpoint: impl Into<Endpoint>,
    request: R,
) -> Reply<L> {
    let clock = pipeline.layers.clock();
    let endpoint = endpoint.into();
    let mut intake = Intake::new(clock, endpoint.dialect, &request);
    let mut draft = Draft::new(pipeline.clone(), &intake);
    let admitted = match admit(pipeline, &endpoint, &mut intake, request, draft.record()).await {
        Ok(admitted) => admitted,
        Err(error) => {
            draft.refuse(error.code);
            return error_reply(&intake, &error);
        }
    };
    let mut record = draft.take();
    let counted = count(pipeline, &intake, &admitted, &mut record).await;
    record.duration_ms = clock.now().since(intake.at);
    match &counted {
        Ok(_) => (record.status, record.outcome) = (200, Outcome::Ok),
        Err(error) => {
            record.fail(error.code);
            record.outcome = Outcome::Refused;
        }
    }
    let model = record.model.clone();
    pipeline.layers.gateway().settle(&admitted.admission, &mut record).await;
    match counted {
        Ok(body) => {
            let mut head = Head::new(200, "application/json");
            headers::envelope(&mut head, &intake);
            headers::limits(&mut head, &admitted.admission);
            if let Some(model) = model {
                head.set("x-signalbox-model", model.to_string());
            }
            Reply::whole(head, body)
        }
        Err(error) => error_reply(&intake, &error),
    }
}

/// A count that was admitted.
struct Admitted {
    request: CallerRequest,
    ask: Ask,
    admission: Admission,
}

async fn admit<L: Layers, R: Request>(
    pipeline: &Arc<Pipeline<L>>,
    endpoint: &Endpoint,
    intake: &mut Intake,
    request: R,
    record: &mut Record,
) -> Result<Admitted, ApiError> {
    let gateway = pipeline.layers.gateway();
    let caller = gateway.authenticate(intake::chat_credential(&request, endpoint.dialect)?.as_deref()).await?;
    record.team = Some(caller.team.clone());
    record.key_id = Some(caller.key_id.clone());
    intake.read(&request)?;
    let caller = Caller { user: caller.user.or(intake.user.take()), ..caller };
    record.user = caller.user.clone();
    record.tags = std::mem::take(&mut intake.tags);
    intake::check_content_type(&request)?;
    let body = request.body(pipeline.max_body_bytes).await.map_err(|error| match error {
        BodyError::TooLarge => ApiError::new(Code::TooLarge, "The body is larger than this gateway accepts."),
        BodyError::Broken => ApiError::new(Code::InvalidRequest, "The request's body ended early."),
    })?;
    let mut facts = endpoint.dialect.inspect_count(&json::scan(&body, &json::Limits::default())?)?;
    endpoint.complete(&mut facts);
    let ask = Ask {
        model: intake.route.take().or(facts.model.clone()),
        needs: Needs { tools: facts.needs.tools, vision: facts.needs.vision, json_schema: facts.needs.json_schema },
        tokens_in: estimate::probable_input(&facts),
        max_output_tokens: None,
        allowed: gateway.allowed(&caller)?,
    };
    record.asked = ask.model.as_ref().map(|name| name.chars().take(128).collect());
    let claim = Claim {
        id: intake.id.clone(),
        now: intake.at,
        lease: pipeline.total_timeout,
        most: NanoUsd::ZERO,
        least: NanoUsd::ZERO,
    };
    let admission = gateway.admit(&caller, claim).await?;
    let request = CallerRequest::new(endpoint.dialect, body, facts, std::mem::take(&mut intake.forwarded));
    Ok(Admitted { request, ask, admission })
}

async fn count<L: Layers>(
    pipeline: &Arc<Pipeline<L>>,
    intake: &Intake,
    admitted: &Admitted,
    record: &mut Record,
) -> Result<Bytes, ApiError> {
    let candidates = pipeline.layers.router().candidates(&admitted.ask).map_err(refusal::error)?;
    let Some(model) = candidates.first() else {
        return Err(ApiError::new(Code::NoHealthyModel, "There is no model to count for."));
    };
    let clock = pipeline.layers.clock();
    let started = clock.now();
    let call = Call {
        request: &admitted.request,
        model,
        max_output_tokens: None,
        request_id: &intake.id,
        timeouts: TimeoutsOverride::default(),
        deadline: intake.at + intake.timeout.unwrap_or(pipeline.total_timeout),
    };
    let asked = pipeline.layers.proxy().count_tokens(&call).await;
    let (result, status) = match &asked {
        Ok(_) => ("ok", Some(200)),
        Err(failure) => (failure.error.code.as_str(), failure.status),
    };
    if !matches!(asked, Ok(None)) {
        let duration_ms = clock.now().since(started);
        record.attempts.push(Attempt { model: model.clone(), result, status, duration_ms });
    }
    let answer = asked.map_err(|failure| failure.error)?;
    record.model = Some(model.clone());
    Ok(answer.unwrap_or_else(|| admitted.request.dialect.write_count(admitted.ask.tokens_in).into()))
}

fn error_reply<L: Layers>(intake: &Intake, error: &ApiError) -> Reply<L> {
    let mut head = Head::new(error.code.status(), "application/json");
    headers::envelope(&mut head, intake);
    headers::retry(&mut head, error);
    Reply::whole(head, intake.dialect.write_error(error, &intake.id))
}
