//! The books and the record at the end of a request, closed once, also when the caller leaves while they are being closed.

use super::finish::{Open, Part};
use super::{Layers, Pipeline, outside};
use crate::gateway::audit::{Attempt, Outcome, Record};
use crate::gateway::{Admission, Gateway};
use crate::ports::Clock;
use crate::router::{Concluded, Router};
use std::sync::Arc;

/// Closes the books and the record; behind everybody's back where somebody still is to be asked about the words.
pub(super) async fn settle<L: Layers>(pipeline: &Arc<Pipeline<L>>, mut open: Open) {
    let Some(words) = open.words.clone().filter(|words| !words.watchers().is_empty()) else {
        return close(pipeline, open).await;
    };
    let work = pipeline.clone();
    pipeline.layers.clock().spawn(async move {
        outside::watch(&work, &mut open.record, &words).await;
        close(&work, open).await;
    });
}

/// Tells the router what became of its decision, posts what was used and writes the record down.
async fn close<L: Layers>(pipeline: &Arc<Pipeline<L>>, mut open: Open) {
    if let Some(words) = open.words.take() {
        open.record.guardrails = words.hits();
        open.record.data_classes = words.classes();
    }
    open.record.duration_ms = pipeline.layers.clock().now().since(open.record.at);
    if let Some((decision, question)) = open.decision.take() {
        let record = &open.record;
        let answered = record.model.clone().filter(|_| record.outcome != Outcome::Refused);
        pipeline.layers.router().conclude(Concluded {
            decision,
            question,
            team: record.team.clone().unwrap_or_default(),
            at: record.at,
            answered,
            calls: record.attempts.len(),
            failed: record.attempts.iter().filter(|attempt| failed(attempt)).map(|one| one.model.clone()).collect(),
            outcome: record.outcome.as_str(),
            cost: record.cost_nano_usd,
            explain: open.explain,
        });
    }
    if let Some((route, lost)) = open.lost.take() {
        pipeline.layers.router().raced(&route, open.record.cost_nano_usd, lost);
    }
    let mut unsettled = Unsettled { pipeline: pipeline.clone(), what: Some((open.admission, open.record, open.parts)) };
    if let Some((admission, record, parts)) = &mut unsettled.what {
        post(pipeline, admission, record, parts).await;
    }
    unsettled.what = None;
}

/// Whether a call came to nothing by its model's fault, as far as that shows.
fn failed(attempt: &Attempt) -> bool {
    attempt.status != Some(200) && !["ok", "lost"].contains(&attempt.result)
}

async fn post<L: Layers>(pipeline: &Pipeline<L>, admission: &Admission, record: &mut Record, parts: &[Part]) {
    let gateway = pipeline.layers.gateway();
    for part in parts {
        gateway.settle_model(&part.admission, part.cost, part.tokens).await;
    }
    gateway.settle(admission, record).await;
}

/// A settlement under way. The caller may leave while the ledger takes it: dropped before that is
/// done, it is begun anew in the background. The ledger counts the first of an id.
struct Unsettled<L: Layers> {
    pipeline: Arc<Pipeline<L>>,
    what: Option<(Admission, Record, Vec<Part>)>,
}

impl<L: Layers> Drop for Unsettled<L> {
    fn drop(&mut self) {
        let Some((admission, mut record, parts)) = self.what.take() else { return };
        let pipeline = self.pipeline.clone();
        let task = async move { post(&pipeline, &admission, &mut record, &parts).await };
        self.pipeline.layers.clock().spawn(task);
    }
}
