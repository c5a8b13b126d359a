//! A copy of a call, sent in the background to see how another model would do: what comes of it reaches no caller and no
//! budget. It is written down as a request of its own, which the audit line calls `shadow`. Where the route learns, it
//! teaches: by a judge's word, or by coming to the same as what the caller was answered.

use super::accept::Order;
use super::charge::Tariff;
use super::intake::Intake;
use super::{Layers, Pipeline, cascade, judge};
use crate::config::{Judge, ModelId, TimeoutsOverride};
use crate::dialect::Observed;
use crate::gateway::Gateway;
use crate::gateway::audit::{Attempt, Outcome, Record};
use crate::ports::Clock;
use crate::proxy::{Answer, Call, CallerRequest, Content, Next, Proxy};
use crate::router::learn::agreement;
use crate::router::learn::fixed::ONE;
use crate::router::learn::gates::{self, Flaw};
use crate::router::{Ask, Decision, Router};
use futures_util::future::{Either, select};
use std::pin::pin;
use std::sync::Arc;

/// What the caller was answered, for a copy's answer to be held against.
pub(super) struct Beside {
    route: String,
    model: ModelId,
    /// What it said, where it came in one piece.
    said: Option<String>,
}

impl Beside {
    pub(super) fn of<B>(order: &Order, decision: &Decision, model: &ModelId, answer: &Answer<B>) -> Option<Beside> {
        let route = decision.route.clone().filter(|_| decision.shadow_teaches)?;
        Some(Beside { route, model: model.clone(), said: cascade::told(order, answer) })
    }
}

/// Sends the copy.
pub(super) fn send<L: Layers>(
    pipeline: &Arc<Pipeline<L>>,
    intake: &Intake,
    order: &Order,
    (model, judge): (ModelId, Option<Judge>),
    beside: Option<Beside>,
) {
    // Whatever key the caller brought, the copy is made with ours.
    let (work, tariff) = (pipeline.clone(), Tariff { byok: false, ..order.tariff });
    // As it was sent, after what guardrails took out of it.
    let CallerRequest { operation, body, facts, forwarded, added, limit, .. } = &order.request;
    let mut request = CallerRequest::new(operation.clone(), body.clone(), facts.clone(), forwarded.clone());
    (request.added, request.limit) = (added.clone(), *limit);
    let (deadline, total, ask) = (order.deadline, order.total, order.ask.clone());
    let mut record = Record {
        at: intake.at,
        request_id: format!("{}-shadow", intake.id),
        operation: "shadow",
        dialect: intake.dialect.as_str(),
        team: Some(order.ask.team.clone()),
        user: order.ask.user.clone(),
        tags: order.ask.tags.clone(),
        stream: request.facts.stream,
        model: Some(model.clone()),
        // Beside the request, within its trace.
        trace: intake.traceparent.clone(),
        traced: true,
        ..Record::default()
    };
    pipeline.layers.clock().spawn(async move {
        let clock = work.layers.clock();
        let began = clock.now();
        let call = Call {
            request: &request,
            model: &model,
            max_output_tokens: request.limit,
            request_id: &record.request_id,
            deadline,
            timeouts: TimeoutsOverride::default(),
            // Nobody reads the answer.
            words: None,
            metered: false,
        };
        let all = async {
            let answer = work.layers.proxy().call(&call).await.map_err(|failure| failure.error.code)?;
            let status = answer.status;
            let (said, observed): (Said, Observed) = match answer.content {
                Content::Whole { body, observed, stream } => {
                    let response = if stream { None } else { request.dialect.read_response(&body).ok() };
                    (response.map_or(Ok(None), |response| cascade::said(&response)), observed)
                }
                Content::Live(mut live) => {
                    let held = live.hold(judge::ANSWER as u64).await;
                    while live.next().await != Next::End {}
                    let said = Some(held.text).filter(|_| !held.calls_tool);
                    (Ok(said), live.end(model.provider.as_str(), None, call.request_id).0)
                }
            };
            Ok((status, said, observed))
        };
        let result = match select(pin!(all), pin!(clock.sleep(total))).await {
            Either::Left((result, _)) => result,
            Either::Right(((), _)) => Err(crate::error::Code::Timeout),
        };
        let duration_ms = clock.now().since(began);
        let mut learned = None;
        let (result, status) = match result {
            Ok((status, said, observed)) => {
                let bill = tariff.bill(&work.catalog, &model, Some(&observed));
                (record.usage, record.cost_nano_usd, record.price_is_guess) = (bill.usage, bill.cost, bill.guess);
                (record.outcome, record.status) = (Outcome::Ok, status);
                learned = Some(said);
                ("ok", Some(status))
            }
            Err(code) => {
                record.fail(code);
                (code.as_str(), None)
            }
        };
        record.duration_ms = duration_ms;
        record.attempts.push(Attempt { model: model.clone(), result, status, duration_ms });
        if let (Some(said), Some(beside)) = (learned, beside) {
            let teacher = Teacher { pipeline: &work, ask: &ask, beside: &beside, model: &model };
            match judge {
                Some(judge) => teacher.judged(&mut record, &judge, &request.body, said).await,
                None => teacher.compared(said),
            }
        }
        work.layers.gateway().refuse(record);
    });
}

/// What a copy's answer says: none that can be judged, or a refusal.
type Said = Result<Option<String>, Flaw>;

/// Who tells the router what a copy's answer and the caller's were worth.
struct Teacher<'t, L: Layers> {
    pipeline: &'t Arc<Pipeline<L>>,
    ask: &'t Ask,
    beside: &'t Beside,
    model: &'t ModelId,
}

impl<L: Layers> Teacher<'_, L> {
    fn learn(&self, model: &ModelId, worth: i32) {
        self.pipeline.layers.router().learn(self.ask, &self.beside.route, model, worth);
    }

    /// The copy's answer, if it is one at all; one that surely is none teaches that.
    fn fit(&self, said: Said) -> Option<String> {
        let text = match said {
            Ok(text) => text?,
            Err(_) => {
                self.learn(self.model, 0);
                return None;
            }
        };
        if gates::text(&text, 1).is_some() {
            self.learn(self.model, 0);
            return None;
        }
        Some(text)
    }

    /// A judge says of each what it was worth.
    async fn judged(&self, record: &mut Record, judge: &Judge, request: &[u8], said: Said) {
        let copy = self.fit(said).map(|text| (self.model, text));
        let callers = self.beside.said.clone().map(|text| (&self.beside.model, text));
        for (model, text) in copy.into_iter().chain(callers) {
            if let Some(will_do) = judge::verdict(self.pipeline, record, judge, request, &text).await {
                self.learn(model, if will_do { ONE } else { 0 });
            }
        }
    }

    /// Two that come to the same are believed. Of two that differ the stronger model's is, where they contradict each
    /// other.
    fn compared(&self, said: Said) {
        let copy = self.fit(said).as_deref().and_then(agreement::outcome);
        let (Some(copy), Some(callers)) = (copy, self.beside.said.as_deref().and_then(agreement::outcome)) else {
            return;
        };
        let of = [self.model, &self.beside.model];
        if copy == callers {
            return of.into_iter().for_each(|model| self.learn(model, ONE));
        }
        let stronger = self.pipeline.layers.router().stronger(&self.beside.route);
        let plain = agreement::is_plain(&copy) && agreement::is_plain(&callers);
        if let Some(stronger) = stronger.filter(|stronger| plain && of.contains(&stronger)) {
            of.into_iter().for_each(|model| self.learn(model, if *model == stronger { ONE } else { 0 }));
        }
    }
}
