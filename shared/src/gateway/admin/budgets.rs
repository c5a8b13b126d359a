//! Budgets as they stand: `GET /admin/v1/budgets`.

use super::{Admin, Answer, Ask, unavailable};
use crate::config::BudgetScope;
use crate::error::ApiError;
use crate::gateway::ledger::{Report, Window};
use crate::gateway::policy::{TENANT, team_scope};
use crate::ports::Ports;
use crate::time::rfc3339;
use serde_json::json;

impl<P: Ports> Admin<P> {
    /// Every team budget of the configuration with what is posted, held and unconfirmed in its
    /// current window. Budgets per user and key have as many ledgers as users and keys; they are not
    /// enumerated here.
    pub(super) async fn list_budgets(&self, _ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let now = self.ports.now();
        let mut data = Vec::new();
        for (name, team) in &self.config.teams {
            let scope = team_scope(name.as_str());
            if team.budgets.is_empty() {
                continue;
            }
            let report = Report { scope: scope.clone(), now };
            let standings = self.ports.report(TENANT, report).await.map_err(unavailable)?;
            for budget in team.budgets.iter().filter(|budget| budget.scope == BudgetScope::Team) {
                let window = Window::at(budget.per, now);
                let standing = standings.iter().find(|standing| standing.window == window);
                let (posted, held, unconfirmed) =
                    standing.map(|s| (s.posted, s.held, s.unconfirmed)).unwrap_or_default();
                data.push(json!({
                    "object": "budget",
                    "scope": scope,
                    "window": window,
                    "hard": budget.hard,
                    "limit_usd": budget.limit.to_string(),
                    "spent_usd": (posted + held + unconfirmed).to_string(),
                    "limit_nano_usd": budget.limit,
                    "posted_nano_usd": posted,
                    "held_nano_usd": held,
                    "unconfirmed_nano_usd": unconfirmed,
                    "resets_at": window.resets_at().map(rfc3339),
                }));
            }
        }
        Ok(Answer::ok(json!({ "object": "list", "data": data })))
    }
}
