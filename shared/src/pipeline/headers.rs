//! The headers an answer bears, whatever its dialect.

use super::cache::Standing;
use super::intake::Intake;
use crate::config::ModelId;
use crate::dialect::{Dialect, Warnings};
use crate::error::{ApiError, Code};
use crate::gateway::ledger::{RateKind, RateState};
use crate::http::Head;
use crate::router::Decision;
use crate::units::{Millis, NanoUsd};

const WARNINGS: &str = "x-signalbox-warnings";

/// Headers every answer has.
pub(super) fn envelope(head: &mut Head, intake: &Intake) {
    identity(head, intake.dialect, &intake.id);
    head.set("traceparent", intake.traceparent.clone());
    if let Some(context) = &intake.context {
        head.set("x-signalbox-context", context.clone());
    }
    if !intake.notes.is_empty() {
        head.set(WARNINGS, intake.notes.join(", "));
    }
}

/// The request's id, and what every answer shares.
pub(super) fn identity(head: &mut Head, dialect: Dialect, id: &str) {
    head.set("x-signalbox-request-id", id);
    // SDKs show the id they find under their provider's name for it.
    match dialect {
        Dialect::OpenAiChat | Dialect::OpenAiResponses => head.set("x-request-id", id),
        Dialect::Anthropic => head.set("request-id", id),
        // Google has none.
        Dialect::Gemini => {}
    }
    head.set("cache-control", "no-store");
}

/// Headers that explain what answered and why.
pub(super) fn decision(head: &mut Head, decision: &Decision, model: &ModelId, attempts: usize) {
    head.set("x-signalbox-model", model.to_string());
    head.set("x-signalbox-route", decision.route.clone().unwrap_or_else(|| "direct".to_owned()));
    head.set("x-signalbox-reason", decision.reason.as_str());
    self::attempts(head, attempts);
}

/// How many calls were made for it.
pub(super) fn attempts(head: &mut Head, attempts: usize) {
    head.set("x-signalbox-attempts", attempts.to_string());
}

/// How the cache stood, where there is one.
pub(super) fn cache(head: &mut Head, standing: Option<Standing>) {
    if let Some(standing) = standing {
        head.set("x-signalbox-cache", standing.as_str());
    }
}

/// The most of a decision that goes with an answer: some proxies take 8 KiB of headers in all.
const MOST_EXPLAINED: usize = 4_096;

/// The whole decision, for a caller who asked for it. A header, because no SDK stumbles over one it does not know.
pub(super) fn explain(head: &mut Head, decision: &Decision) {
    let text = serde_json::to_string(decision).unwrap_or_default();
    let text = match text.len() <= MOST_EXPLAINED {
        true => text,
        // Of a long list, those who were dropped matter least: the plan stays whole.
        false => serde_json::to_string(&Decision { considered: Vec::new(), ..decision.clone() }).unwrap_or_default(),
    };
    if text.len() <= MOST_EXPLAINED && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        head.set("x-signalbox-decision", text);
    }
}

/// What a translation could not carry, beside what the gateway could not do.
pub(super) fn warnings(head: &mut Head, intake: &Intake, warnings: &Warnings) {
    if let Some(value) = warnings.header_value() {
        let all: Vec<&str> = intake.notes.iter().copied().chain([value.as_str()]).collect();
        head.headers.retain(|(name, _)| name != WARNINGS);
        head.set(WARNINGS, all.join(", "));
    }
}

/// What a complete answer cost, in dollars.
pub(super) fn cost(head: &mut Head, cost: NanoUsd) {
    head.set("x-signalbox-cost-usd", cost.to_string());
}

/// How the caller's limits stand: OpenAI's names where it has any, and the IETF's RateLimit fields
/// (draft-ietf-httpapi-ratelimit-headers).
pub(super) fn limits(head: &mut Head, rates: &[RateState]) {
    let seconds = |span: Millis| span.0.div_ceil(1_000);
    let (mut policies, mut standings) = (Vec::new(), Vec::new());
    for RateState { kind, per, limit, remaining, reset_after, .. } in rates {
        let [name, limits, remainings, resets] = match kind {
            RateKind::Requests => [
                "requests",
                "x-ratelimit-limit-requests",
                "x-ratelimit-remaining-requests",
                "x-ratelimit-reset-requests",
            ],
            RateKind::Parallel => {
                policies.push(format!("\"parallel\";q={limit};qu=\"concurrent-requests\""));
                standings.push(format!("\"parallel\";r={remaining}"));
                continue;
            }
            RateKind::Tokens => {
                ["tokens", "x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"]
            }
        };
        head.set(limits, limit.to_string());
        head.set(remainings, remaining.to_string());
        head.set(resets, format!("{}ms", reset_after.0));
        policies.push(format!("\"{name}\";q={limit};w={}", seconds(*per)));
        standings.push(format!("\"{name}\";r={remaining};t={}", seconds(*reset_after)));
    }
    if !policies.is_empty() {
        head.set("ratelimit-policy", policies.join(", "));
        head.set("ratelimit", standings.join(", "));
    }
}

/// Where the time went, in milliseconds.
pub(super) fn timing(head: &mut Head, gateway: Millis, upstream: Millis) {
    head.set("server-timing", format!("gateway;dur={}, upstream;dur={}", gateway.0, upstream.0));
}

/// When to come back after a provider's 429 that does not say.
const USUAL_WAIT: Millis = Millis(1_000);

/// Headers that tell an SDK whether and when to try again.
pub(super) fn retry(head: &mut Head, error: &ApiError) {
    let usual = (error.code == Code::UpstreamRateLimited).then_some(USUAL_WAIT);
    if let Some(wait) = error.retry_after.or(usual) {
        head.set("retry-after", wait.0.div_ceil(1_000).to_string());
        head.set("retry-after-ms", wait.0.to_string());
    }
    match error.code {
        // Official SDKs retry every 429 and 5xx; these will not heal by themselves.
        Code::InsufficientQuota | Code::NotConfigured | Code::UpstreamAuthError => head.set("x-should-retry", "false"),
        // A request larger than the whole limit: it never passes.
        Code::RateLimitExceeded if error.retry_after.is_none() => head.set("x-should-retry", "false"),
        Code::InvalidApiKey | Code::TokenExpired => head.set("www-authenticate", "Bearer"),
        // They retry a 409 too, which helps where the first request is still under way.
        Code::IdempotencyConflict if error.retry_after.is_none() => head.set("x-should-retry", "false"),
        Code::InvalidRequest
        | Code::ContextLengthExceeded
        | Code::ModelNotAllowed
        | Code::PermissionDenied
        | Code::GuardrailBlocked
        | Code::Residency
        | Code::ModelNotFound
        | Code::NotFound
        | Code::MethodNotAllowed
        | Code::IdempotencyConflict
        | Code::Conflict
        | Code::PreconditionFailed
        | Code::TooLarge
        | Code::UnsupportedMediaType
        | Code::RateLimitExceeded
        | Code::UpstreamRateLimited
        | Code::UpstreamError
        | Code::NoHealthyModel
        | Code::UpstreamOverloaded
        | Code::LimiterUnavailable
        | Code::Timeout
        | Code::InternalError => {}
    }
}
