//! A copy of a call, sent in the background to see how another model would do: what comes of it reaches no caller and no
//! budget. It is written down as a request of its own, which the audit line calls `shadow`.

use super::accept::Order;
use super::intake::Intake;
use super::{Layers, Pipeline};
use crate::config::{ModelId, TimeoutsOverride};
use crate::dialect::Observed;
use crate::gateway::Gateway;
use crate::gateway::audit::{Attempt, Outcome, Record};
use crate::ports::Clock;
use crate::proxy::{Call, CallerRequest, Content, Next, Proxy};
use futures_util::future::{Either, select};
use std::pin::pin;
use std::sync::Arc;

/// Sends the copy.
pub(super) fn send<L: Layers>(pipeline: &Arc<Pipeline<L>>, intake: &Intake, order: &Order, model: ModelId) {
    let (work, tariff) = (pipeline.clone(), order.tariff);
    // As it was sent, after what guardrails took out of it.
    let CallerRequest { operation, body, facts, forwarded, added, limit, .. } = &order.request;
    let mut request = CallerRequest::new(operation.clone(), body.clone(), facts.clone(), forwarded.clone());
    (request.added, request.limit) = (added.clone(), *limit);
    let (deadline, total) = (order.deadline, order.total);
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
        };
        let all = async {
            let answer = work.layers.proxy().call(&call).await.map_err(|failure| failure.error.code)?;
            let status = answer.status;
            let observed: Observed = match answer.content {
                Content::Whole { observed, .. } => observed,
                Content::Live(mut live) => {
                    while live.next().await != Next::End {}
                    live.end(model.provider.as_str(), None, call.request_id).0
                }
            };
            Ok((status, observed))
        };
        let result = match select(pin!(all), pin!(clock.sleep(total))).await {
            Either::Left((result, _)) => result,
            Either::Right(((), _)) => Err(crate::error::Code::Timeout),
        };
        let duration_ms = clock.now().since(began);
        let (result, status) = match result {
            Ok((status, observed)) => {
                let bill = tariff.bill(&work.catalog, &model, Some(&observed));
                (record.usage, record.cost_nano_usd, record.price_is_guess) = (bill.usage, bill.cost, bill.guess);
                (record.outcome, record.status) = (Outcome::Ok, status);
                ("ok", Some(status))
            }
            Err(code) => {
                record.fail(code);
                (code.as_str(), None)
            }
        };
        record.duration_ms = duration_ms;
        record.attempts.push(Attempt { model: model.clone(), result, status, duration_ms });
        work.layers.gateway().refuse(record);
    });
}
