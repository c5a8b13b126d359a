//! Budgets as they stand: `GET /admin/v1/budgets`.

use super::{Admin, Answer, Ask, unavailable};
use crate::config::Budget;
use crate::error::ApiError;
use crate::gateway::alerts::reached;
use crate::gateway::ledger::{BudgetState, Standing, Window};
use crate::gateway::shards;
use crate::json::json;
use crate::ports::Ports;
use crate::time::rfc3339;
use crate::units::{NanoUsd, Timestamp};
use serde_json::Value;

impl<P: Ports> Admin<P> {
    /// Every budget with what is posted, held and unconfirmed in its current window: those of the teams in the
    /// configuration, for everybody who has used any of them, those that keys have of their own, and those of
    /// organisations and users once they were used.
    pub(super) async fn list_budgets(&self, _ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let now = self.ports.now();
        self.recorder.allowances.give_back(&self.ports, true).await;
        let standings = shards::books(&self.ports, &self.config).await.map_err(unavailable)?;
        let mut data = Vec::new();
        for owned in self.owners().await? {
            for budget in &owned.terms.budgets {
                let window = Window::at(budget.per, now);
                let current = standings.iter().filter(|standing| standing.window == window);
                let known: Vec<&str> = current.map(|standing| standing.scope.as_str()).collect();
                let names = owned.names(&budget.scope, &known);
                data.extend(names.iter().map(|name| show(budget, name, &standings, now)));
            }
        }
        Ok(Answer::ok(json!({ "object": "list", "data": data })))
    }
}

fn show(budget: &Budget, scope: &str, standings: &[Standing], now: Timestamp) -> Value {
    let window = Window::at(budget.per, now);
    let standing = standings.iter().find(|standing| standing.window == window && standing.scope == scope);
    let (posted, held, unconfirmed) = standing.map(|s| (s.posted, s.held, s.unconfirmed)).unwrap_or_default();
    let (limit, hard) = (budget.limit, budget.hard);
    let spent = posted + held + unconfirmed;
    let state = BudgetState { scope: scope.to_owned(), window, limit, spent, hard };
    json!({
        "object": "budget",
        "scope": scope,
        "per": budget.per,
        "window": window,
        "hard": hard,
        "limit_usd": limit.to_string(),
        "spent_usd": spent.to_string(),
        "limit_nano_usd": limit,
        "posted_nano_usd": posted,
        "held_nano_usd": held,
        "unconfirmed_nano_usd": unconfirmed,
        "resets_at": window.resets_at().map(rfc3339),
        "on_exceeded": budget.on_exceeded.as_ref().map(ToString::to_string),
        "alerts": reached(budget, &state, NanoUsd::ZERO).collect::<Vec<_>>(),
    })
}
