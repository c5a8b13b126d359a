//! A decision without a call: `POST /v1/route`.
//!
//! It is asked with what a call would be asked with, in any dialect, or with an ask that somebody else read from a request,
//! perhaps with a view of the world and a number for chance: so another gateway asks this one, in the same words in which its
//! own router would have been asked, and so a decision that was kept is made again. It reserves nothing and costs nothing.

use super::accept;
use super::intake::{self, Intake};
use super::reply::error_reply;
use super::{Layers, Pipeline, Reply, headers, refusal};
use crate::dialect::{Dialect, Endpoint};
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::http::Head;
use crate::json;
use crate::operation::Operation;
use crate::ports::{Clock, Request};
use crate::router::{Ask, Decision, Question, Router, Signals};
use crate::units::Millis;
use std::sync::Arc;

/// Answers one dry run.
pub async fn dry_run<L: Layers, R: Request>(pipeline: &Arc<Pipeline<L>>, request: R) -> Reply<L> {
    let unread = Operation::Chat(Dialect::OpenAiChat.into());
    let mut intake = Intake::new(pipeline.layers.clock(), &unread, &request);
    match decide(pipeline, unread, &mut intake, request).await {
        Ok(decision) => {
            let mut head = Head::new(200, "application/json");
            headers::envelope(&mut head, &intake);
            // Plain data with string keys cannot fail to serialise.
            Reply::whole(head, serde_json::to_vec(&decision).unwrap_or_default())
        }
        Err(error) => error_reply(pipeline.layers.clock(), &intake, &error, Millis(0)),
    }
}

async fn decide<L: Layers, R: Request>(
    pipeline: &Arc<Pipeline<L>>,
    unread: Operation,
    intake: &mut Intake,
    request: R,
) -> Result<Decision, ApiError> {
    let gateway = pipeline.layers.gateway();
    let caller = gateway.authenticate(intake::credential(&request)?.as_deref()).await?;
    intake.read(&unread, &request)?;
    let caller = caller.asking(intake.user.take(), std::mem::take(&mut intake.tags));
    intake::check_content_type(&request)?;
    let anthropic = request.header("anthropic-version").is_some();
    let (clock, router) = (pipeline.layers.clock(), pipeline.layers.router());
    let patience = intake.timeout.unwrap_or(pipeline.total_timeout);
    let mut body = intake::body(clock, request, pipeline.max_body_bytes, patience).await?;
    let allowed = gateway.allowed(&caller)?;
    let question: Question = match is_question(&body) {
        true => json::read(&body).map_err(|error| {
            ApiError::invalid("ask", format!("`ask` and `view` are not as they should be: {error}."))
        })?,
        false => {
            let operation = operation(&body, anthropic)?;
            let mut facts = operation.inspect(&body)?;
            let mut ask = accept::ask(&operation, intake, &facts, &caller, allowed.clone());
            // What it is about, and how hard it looks; what learns is not told of calls that are not made.
            ask.signals = Signals { seen: None, ..accept::signals(pipeline, &ask, &body, true) };
            // As long as the call would be.
            accept::prepare(pipeline, &operation, intake, &mut ask, &mut body, &mut facts)?;
            Question { ask, view: None, entropy: None }
        }
    };
    let mut ask = question.ask;
    // Who asks for another may not ask for more than its own key may use.
    ask.allowed.extend(allowed);
    let view = question.view.unwrap_or_else(|| {
        // What is known here of a session is its own team's to know.
        let session = ask.session.clone().filter(|_| ask.team == caller.team);
        router.view(&Ask { session, ..ask.clone() }, clock.now())
    });
    let entropy = question.entropy.unwrap_or_else(|| clock.entropy());
    let decision = router.decide(&ask, &view, entropy).map_err(refusal::error)?;
    Ok(Decision { id: intake.id.clone(), ..decision })
}

/// What a body asks for, by a member that no other has. Anthropic's chats begin as OpenAI's do; SDKs for them say so in a
/// header.
fn operation(body: &[u8], anthropic: bool) -> Result<Operation, ApiError> {
    let body = json::scan(body, &json::Limits::default())?;
    let has = |name: &str| body.get(name).is_some();
    let dialect = if has("contents") {
        Dialect::Gemini
    } else if has("messages") {
        if anthropic || has("system") { Dialect::Anthropic } else { Dialect::OpenAiChat }
    } else if has("input") {
        Dialect::OpenAiResponses
    } else if has("prompt") {
        return Ok(Operation::Completions);
    } else if has("documents") {
        return Ok(Operation::Rerank);
    } else {
        Dialect::OpenAiChat
    };
    // Gemini's path names the model, and there is none here.
    let model = body.get("model").and_then(|model| json::parse(model).ok());
    Ok(Operation::Chat(Endpoint { model, ..dialect.into() }))
}

/// Whether a body holds an ask; a call has no such member.
fn is_question(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Members {
        #[serde(default)]
        ask: Option<serde::de::IgnoredAny>,
    }
    json::read::<Members>(body).is_ok_and(|members| members.ask.is_some())
}
