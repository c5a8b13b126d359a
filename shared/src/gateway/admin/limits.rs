//! Limits as they stand: `GET /admin/v1/limits`.

use super::shelf::listed;
use super::{Admin, Answer, Ask, unavailable};
use crate::config::{Measure, UsageLimit};
use crate::error::ApiError;
use crate::gateway::ledger::RateKind;
use crate::gateway::ledger::decide::{Draw, RateKey};
use crate::gateway::policy::TENANT;
use crate::json::json;
use crate::ports::Ports;
use crate::sorted::SortedMap;
use crate::time::rfc3339;
use crate::units::{Millis, Timestamp};
use serde_json::Value;

impl<P: Ports> Admin<P> {
    /// Every limit with what is used of it, by name: of whom it is as of [budgets](Admin::list_budgets), and of those whom nobody
    /// can name before they call, those that are drawn on just now.
    pub(super) async fn list_limits(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let (now, many, after) = (self.ports.now(), ask.limit()?, ask.query("after"));
        // What processes were lent of them and do not need.
        self.recorder.allowances.give_back(&self.ports, true).await;
        let drawn = self.ports.rates(TENANT, now).await.map_err(unavailable)?;
        let mut all = SortedMap::new();
        for owned in self.owners().await? {
            for limit in &owned.terms.limits {
                let (kind, per) = of(limit.measure);
                let same = drawn.iter().filter(|draw| (draw.key.kind, draw.key.per) == (kind, per));
                let known: Vec<&str> = same.map(|draw| draw.key.scope.as_str()).collect();
                for scope in owned.names(&limit.scope, &known) {
                    let shown = show(limit, RateKey { scope, kind, per }, &drawn, now);
                    all.insert(shown.0, shown.1);
                }
            }
        }
        let mut rest = all.into_iter().filter(|(id, _)| after.as_ref().is_none_or(|after| id > after)).peekable();
        let (mut data, mut last) = (Vec::new(), None);
        while data.len() < many
            && let Some((id, limit)) = rest.next()
        {
            data.push(limit);
            last = Some(id);
        }
        Ok(listed(data, last.as_deref().filter(|_| rest.peek().is_some())))
    }
}

fn of(measure: Measure) -> (RateKind, Millis) {
    match measure {
        Measure::Requests(per) => (RateKind::Requests, per),
        Measure::Tokens(per) => (RateKind::Tokens, per),
        Measure::Parallel => (RateKind::Parallel, Millis(0)),
    }
}

/// A limit under its id: two of one scope and measure that differ are two, the lower of which holds.
fn show(limit: &UsageLimit, key: RateKey, drawn: &[Draw], now: Timestamp) -> (String, Value) {
    let draw = drawn.iter().find(|draw| draw.key == key).cloned().unwrap_or(Draw::standing(&key, 0, 0));
    let state = draw.state(limit.most, now);
    let id = format!("{}|{}|{}", key.scope, limit.measure.as_str(), limit.most);
    let resets = (key.kind != RateKind::Parallel).then(|| rfc3339(now + state.reset_after));
    let shown = json!({
        "object": "limit",
        "id": id,
        "scope": key.scope,
        "measure": limit.measure.as_str(),
        "per_ms": key.per,
        "limit": limit.most,
        "used": limit.most.saturating_sub(state.remaining),
        "remaining": state.remaining,
        "resets_at": resets,
    });
    (id, shown)
}
