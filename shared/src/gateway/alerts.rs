//! Budgets that are nearly or wholly used are told to the operator: one line, once a window for each threshold.
//!
//! A process remembers what it told. What others told stands on a shelf of records, asked only when something new
//! is to be told and in the background: no call waits for it.

use super::denial;
use super::ledger::BudgetState;
use crate::config::Budget;
use crate::json::json;
use crate::ports::Ports;
use crate::records::Write;
use crate::sorted::SortedSet;
use crate::units::{Millis, NanoUsd};
use std::sync::{Arc, Mutex, PoisonError};

/// Where it is written who told what.
const SHELF: &str = "alerts";
/// How long that is kept past a window's end; of a window without end, for ever.
const KEPT: Millis = Millis(86_400_000);
/// More than this is forgotten, and asked of the shelf again.
const MOST: usize = 4_096;

/// What this process has told.
#[derive(Clone, Debug, Default)]
pub(super) struct Alerts(Arc<Mutex<SortedSet<String>>>);

/// The thresholds of a budget that are reached, in percent; `own` is what the call that looks has just reserved,
/// which may come to less.
pub(super) fn reached(budget: &Budget, state: &BudgetState, own: NanoUsd) -> impl Iterator<Item = u64> {
    let used = u128::from(state.spent.saturating_sub(own).0) * 100;
    let limit = u128::from(state.limit.0.max(1));
    budget.alert_at.iter().copied().filter(move |percent| used >= u128::from(*percent) * limit)
}

impl Alerts {
    /// Tells what a call has learned of a budget, unless it was told already.
    pub(super) fn consider<P: Ports>(&self, ports: &P, budget: &Budget, state: &BudgetState, own: NanoUsd) {
        for percent in reached(budget, state, own) {
            let key = format!("{percent}|{}|{}", state.window, state.scope);
            if !self.is_new(&key) {
                continue;
            }
            let line = json!({
                "event": "budget_alert",
                "scope": state.scope,
                "window": state.window,
                "hard": state.hard,
                "threshold_percent": percent,
                "spent_usd": state.spent.saturating_sub(own).to_string(),
                "limit_usd": state.limit.to_string(),
            });
            let expires_at = state.window.resets_at().map(|at| at + KEPT);
            let told = Write { expires_at, ..Write::create(key, "") };
            let owned = ports.clone();
            ports.spawn(async move {
                match owned.write_records(SHELF, vec![told]).await {
                    Ok(true) => owned.log(&line.to_string()),
                    Ok(false) => {}
                    // Told twice is better than not at all.
                    Err(problem) => {
                        owned.log(&denial::store_line("alerts", &problem));
                        owned.log(&line.to_string());
                    }
                }
            });
        }
    }

    fn is_new(&self, key: &str) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= MOST {
            told.clear();
        }
        told.insert(key.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Period, Scope};
    use crate::gateway::ledger::Window;
    use crate::units::Timestamp;

    #[test]
    fn a_threshold_is_reached_by_what_others_use() {
        let budget = Budget {
            limit: NanoUsd(200),
            per: Period::Month,
            hard: false,
            scope: Scope::team(),
            on_exceeded: None,
            alert_at: vec![80, 100],
        };
        let state = |spent| BudgetState {
            scope: "team:a".into(),
            window: Window::at(Period::Month, Timestamp(0)),
            limit: NanoUsd(200),
            spent: NanoUsd(spent),
            hard: false,
        };
        for (spent, own, wanted) in [(159, 0, vec![]), (160, 0, vec![80]), (260, 101, vec![]), (200, 0, vec![80, 100])]
        {
            assert_eq!(reached(&budget, &state(spent), NanoUsd(own)).collect::<Vec<_>>(), wanted, "{spent} {own}");
        }
    }

    #[test]
    fn what_was_told_is_not_told_again() {
        let alerts = Alerts::default();
        assert!(alerts.is_new("80|2026-10|team:a") && !alerts.is_new("80|2026-10|team:a"));
        assert!(alerts.is_new("100|2026-10|team:a"));
    }
}
