//! What routes learn, between instances and from those who judge answers: `POST /v1/feedback`.
//!
//! Learned sums are read and written behind the callers' backs, a few routes a second: no request waits for them, and
//! nothing here can fail one. What instances add, they add: whoever comes second reads what the first one wrote.

use super::setup::Setup;
use super::{App, Standard, answer};
use crate::dialect::Dialect;
use crate::error::{ApiError, Code};
use crate::gateway::{Caller, Gateway as _};
use crate::json::json;
use crate::pipeline::{self, Reply};
use crate::ports::{Ports, Request, StoreError};
use crate::records::Write;
use crate::router::feedback::{FEEDBACK, Feedback, MAX_FEEDBACK_BYTES};
use crate::router::{TICKETS, Ticket};
use crate::units::{Millis, Timestamp};
use serde_json::Value;
use std::sync::Arc;

/// Where what was learned is kept, as `team/route`.
const LEARNED: &str = "learned";
/// How often somebody else may be faster before a merge is left for the next round.
const TRIES: usize = 3;
/// How long an answer can be judged.
const TICKET_LIFE: Millis = Millis(24 * 3_600_000);
/// How long what was said of it is kept, to learn from anew and so that it is not said twice.
const FEEDBACK_LIFE: Millis = Millis(30 * 24 * 3_600_000);

/// Writes tickets down and merges what was learned, where that is due. `None`: nothing is.
pub(super) fn due<P: Ports>(setup: &Arc<Setup<P>>, now: Timestamp) -> Option<Due> {
    let router = &setup.pipeline.layers.router;
    let due = Due { tickets: router.tickets().due(now), routes: router.lessons().due(now), now };
    (!due.tickets.is_empty() || !due.routes.is_empty()).then_some(due)
}

/// What is due.
pub(super) struct Due {
    tickets: Vec<(String, String)>,
    routes: Vec<String>,
    now: Timestamp,
}

/// Does it.
pub(super) async fn tend<P: Ports>(setup: &Arc<Setup<P>>, ports: &P, due: Due) {
    if !due.tickets.is_empty() {
        let until = due.now + TICKET_LIFE;
        let writes = due.tickets.into_iter().map(|(key, text)| Write::put(key, text).until(until)).collect();
        // A store that is down loses tickets: those answers can be judged here alone.
        let _ = ports.write_records(TICKETS, writes).await;
    }
    for route in due.routes {
        // What could not be kept stays new, and is added the next time.
        let _ = merge(setup, ports, &route).await;
        setup.pipeline.layers.router.lessons().merged(&route);
    }
}

async fn merge<P: Ports>(setup: &Arc<Setup<P>>, ports: &P, route: &str) -> Result<(), StoreError> {
    let lessons = setup.pipeline.layers.router.lessons();
    for _ in 0..TRIES {
        let kept = ports.read_record(LEARNED, route).await?;
        let Some(sum) = lessons.merge(route, kept.as_ref().map(|kept| kept.value.as_str())) else { return Ok(()) };
        let write = match &kept {
            Some(kept) => Write::replace(kept, sum),
            None => Write::create(route, sum),
        };
        if ports.write_records(LEARNED, vec![write]).await? {
            lessons.kept(route);
            return Ok(());
        }
    }
    Ok(())
}

impl<P: Ports> App<P> {
    /// `POST /v1/feedback`.
    pub(super) async fn feedback<R: Request>(&self, setup: &Arc<Setup<P>>, request: R) -> Reply<Standard<P>> {
        match take(setup, &self.inner.ports, request).await {
            Ok(taken) => answer(200, &taken),
            Err(error) => self.error(Dialect::OpenAiChat, &error),
        }
    }
}

async fn take<P: Ports, R: Request>(setup: &Arc<Setup<P>>, ports: &P, request: R) -> Result<Value, ApiError> {
    let credential = pipeline::credential(&request)?;
    let caller = setup.pipeline.layers.gateway.authenticate(credential.as_deref()).await?;
    pipeline::check_content_type(&request)?;
    let body = pipeline::body(ports, request, MAX_FEEDBACK_BYTES, pipeline::PATIENCE).await?;
    let feedback = Feedback::read(&body)?;
    let key = Ticket::key(&caller.team, &feedback.request);
    let router = &setup.pipeline.layers.router;
    let ticket = match router.tickets().find(&caller.team, &feedback.request) {
        Some(ticket) => ticket,
        None => {
            let kept = ports.read_record(TICKETS, &key).await.map_err(unavailable)?;
            let kept = kept.and_then(|kept| crate::json::tree(&kept.value).ok());
            let ticket = kept.and_then(|kept| Ticket::read(&caller.team, &feedback.request, &kept));
            ticket.ok_or_else(unknown)?
        }
    };
    let now = ports.now();
    let write = Write::create(&key, said(&feedback, &ticket, &caller, now)).until(now + FEEDBACK_LIFE);
    if ports.write_records(FEEDBACK, vec![write]).await.map_err(unavailable)? {
        router.judged(&ticket, feedback.worth());
        ports.log(&logged(&feedback, &ticket, &caller, now));
    } else {
        let before = ports.read_record(FEEDBACK, &key).await.map_err(unavailable)?;
        let before: Option<Value> = before.and_then(|before| crate::json::tree(&before.value).ok());
        if !same(&feedback, before.as_ref()) {
            return Err(ApiError::new(
                Code::Conflict,
                "This answer was judged already, and otherwise. What was said first counts.",
            ));
        }
    }
    Ok(json!({
        "object": "feedback", "request_id": feedback.request, "score": feedback.score, "label": feedback.label,
        "route": ticket.route, "model": ticket.model,
    }))
}

/// What is kept of it: enough to learn from it anew.
fn said(feedback: &Feedback, ticket: &Ticket, caller: &Caller, now: Timestamp) -> String {
    let mut kept = ticket.json();
    if let Some(members) = kept.as_object_mut() {
        let more = json!({ "score": feedback.score, "label": feedback.label, "by": caller.key_id, "at": now });
        members.extend(more.as_object().cloned().unwrap_or_default());
    }
    kept.to_string()
}

fn logged(feedback: &Feedback, ticket: &Ticket, caller: &Caller, now: Timestamp) -> String {
    let line = json!({
        "event": "feedback", "at": now, "request_id": feedback.request, "team": ticket.team, "key_id": caller.key_id,
        "route": ticket.route, "model": ticket.model, "score": feedback.score, "label": feedback.label,
    });
    line.to_string()
}

fn same(feedback: &Feedback, before: Option<&Value>) -> bool {
    let Some(before) = before else { return false };
    let label = before.get("label").and_then(Value::as_str);
    before.get("score").and_then(Value::as_f64) == Some(feedback.score) && label == feedback.label.as_deref()
}

/// The same for what never was and for what is another team's.
fn unknown() -> ApiError {
    let sentence = "No answer of this request can be judged. It must be one of your team's, not older than a day, on a route that learns (`learned` or `bandit`).";
    ApiError::new(Code::NotFound, sentence)
}

fn unavailable(problem: StoreError) -> ApiError {
    ApiError::new(Code::LimiterUnavailable, format!("The store does not answer: {}", problem.0))
}
