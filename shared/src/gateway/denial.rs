//! What a caller is told when the ledger says no, and the operator when a store says nothing.

use super::ledger::{BudgetState, Denial, RateKind};
use crate::error::{ApiError, Code};
use crate::ports::StoreError;
use crate::units::{Millis, NanoUsd, Timestamp};

/// The error for a denial: which scope, which window, how much, and when to come back.
pub fn error(denial: &Denial, now: Timestamp) -> ApiError {
    match denial {
        Denial::Budget(budget) => budget_error(budget, now),
        Denial::Rate { rate, retry_after } => {
            let unit = match rate.kind {
                RateKind::Requests => "requests",
                RateKind::Tokens => "tokens",
                RateKind::Parallel => "calls",
            };
            let span = match rate.kind {
                RateKind::Requests | RateKind::Tokens => format!("per {} s", rate.per.0 / 1_000),
                RateKind::Parallel => "at a time".to_owned(),
            };
            let limit = format!("{} is limited to {} {unit} {span}", rate.scope, rate.limit);
            match retry_after {
                Some(wait) => ApiError::new(
                    Code::RateLimitExceeded,
                    format!("{limit}. Try again in {} s.", wait.0.div_ceil(1_000).max(1)),
                )
                .retry_after(*wait),
                None => ApiError::new(
                    Code::RateLimitExceeded,
                    format!("{limit}, and this request alone needs more. Make it smaller."),
                ),
            }
        }
        Denial::Over => {
            ApiError::new(Code::IdempotencyConflict, "A request of this id is already over. Send a new one.")
        }
    }
}

fn budget_error(budget: &BudgetState, now: Timestamp) -> ApiError {
    let period = budget.window.period().adjective();
    let standing = format!("${} of ${} are used or reserved", budget.spent, budget.limit);
    let mut message = match budget.remaining() {
        NanoUsd::ZERO => format!("The {period} budget of {} is spent: {standing}", budget.scope),
        _ => format!("What is left of the {period} budget of {} cannot pay for this request: {standing}", budget.scope),
    };
    match budget.window.resets_at() {
        Some(at) => message.push_str(&format!(". It resets in {}.", span(at.since(now)))),
        None => message.push('.'),
    }
    message
        .push_str(" Ask your administrator to raise it, or make the request cheaper (a smaller max_tokens or model).");
    ApiError::new(Code::InsufficientQuota, message)
}

fn span(span: Millis) -> String {
    let minutes = span.0.div_ceil(60_000);
    match (minutes / 1_440, minutes / 60, minutes) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {} min", minutes % 60),
        (days, hours, _) => format!("{days} d {} h", hours % 24),
    }
}

/// A line for the operator about a store that failed.
pub fn store_line(what: &str, problem: &StoreError) -> String {
    crate::json::json!({ "event": "store_error", "store": what, "problem": problem.0 }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_as_people_say_them() {
        for (ms, said) in
            [(1, "1 min"), (3_600_000, "1 h 0 min"), (5_400_000, "1 h 30 min"), (100 * 3_600_000, "4 d 4 h")]
        {
            assert_eq!(span(Millis(ms)), said);
        }
    }
}
