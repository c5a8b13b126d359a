//! Budgets as they stand: `GET /admin/v1/budgets`.

use super::{Admin, Answer, Ask, unavailable};
use crate::config::{Budget, Scope};
use crate::error::ApiError;
use crate::gateway::Caller;
use crate::gateway::alerts::reached;
use crate::gateway::ledger::{BudgetState, Report, Standing, Window};
use crate::gateway::lines::{name, scope_of, team_scope};
use crate::gateway::live;
use crate::gateway::people;
use crate::gateway::policy::TENANT;
use crate::ports::Ports;
use crate::time::rfc3339;
use crate::units::{NanoUsd, Timestamp};
use serde_json::{Value, json};

impl<P: Ports> Admin<P> {
    /// Every budget with what is posted, held and unconfirmed in its current window: those of the teams in the
    /// configuration, for everybody who has used any of them, those that keys have of their own, and those of
    /// organisations and users once they were used.
    pub(super) async fn list_budgets(&self, _ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let now = self.ports.now();
        let report = Report { scope: String::new(), all: true, now };
        let standings = self.ports.report(TENANT, report).await.map_err(unavailable)?;
        let mut data = Vec::new();
        for (team, settings) in &self.config.teams {
            let team = team_scope(team.as_str());
            for budget in &settings.terms.budgets {
                if budget.scope == Scope::team() {
                    data.push(show(budget, &team, &standings, now));
                } else {
                    let ours = names(budget, &team, &standings, now);
                    data.extend(ours.into_iter().map(|name| show(budget, name, &standings, now)));
                }
            }
        }
        for record in self.ports.keys().await.map_err(unavailable)? {
            // A key that is over spends nothing any more.
            let Ok(caller) = Caller::of(&record, now) else { continue };
            let own =
                record.terms.budgets.iter().filter_map(|budget| Some((budget, name(&budget.scope, &caller, None)?)));
            data.extend(own.map(|(budget, name)| show(budget, &name, &standings, now)));
        }
        for (prefix, owner) in [(live::ORGANISATION, people::all_of_it()), (people::USER, people::wherever())] {
            for record in live::all(&self.ports, prefix).await.map_err(unavailable)? {
                let id = record.key.strip_prefix(prefix).unwrap_or_default();
                let Ok(members) = crate::json::parse(&record.value) else { continue };
                let Ok(terms) = people::terms(&members, &owner) else { continue };
                let user = (prefix == people::USER).then_some(id);
                for budget in &terms.budgets {
                    let of = |scope: &str| is_of(scope, if user.is_none() { Some(id) } else { None }, user);
                    let window = Window::at(budget.per, now);
                    let its = standings.iter().filter(|standing| {
                        standing.window == window
                            && scope_of(&standing.scope).as_ref() == Some(&budget.scope)
                            && of(&standing.scope)
                    });
                    data.extend(its.map(|standing| show(budget, &standing.scope, &standings, now)));
                }
            }
        }
        Ok(Answer::ok(json!({ "object": "list", "data": data })))
    }
}

/// Whether a name of the ledger's is of this organisation, and of this user.
fn is_of(scope: &str, organisation: Option<&str>, user: Option<&str>) -> bool {
    let has = |party: &str, id: &str| scope.split('/').any(|part| part.split_once(':') == Some((party, id)));
    organisation.is_none_or(|id| has("organisation", id)) && user.is_none_or(|id| has("user", id))
}

/// The names under which a budget of a team is kept just now.
fn names<'s>(budget: &Budget, team: &str, standings: &'s [Standing], now: Timestamp) -> Vec<&'s str> {
    let window = Window::at(budget.per, now);
    let within = |scope: &str| scope.strip_prefix(team).is_some_and(|rest| rest.starts_with('/'));
    let in_team = budget.scope.parties().contains(&crate::config::Party::Team);
    let ours = standings.iter().filter(|standing| {
        standing.window == window
            && scope_of(&standing.scope).as_ref() == Some(&budget.scope)
            && (!in_team || within(&standing.scope))
    });
    ours.map(|standing| standing.scope.as_str()).collect()
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
