//! What a caller is told when the router has no plan, and when a provider refuses the key that they brought.

use crate::error::{ApiError, Code};
use crate::proxy::{Failure, Retry};
use crate::router::{Drop, Refusal};

/// The error for a refusal: it names the rail and what each candidate failed at.
pub(super) fn error(refusal: Refusal) -> ApiError {
    match refusal {
        Refusal::Unknown(error) => error,
        Refusal::NoProvider => ApiError::new(
            Code::NotConfigured,
            "No provider is configured. Bind a provider's API key, such as OPENAI_API_KEY or ANTHROPIC_API_KEY.",
        ),
        Refusal::Rails { route, dropped } => {
            let what = route.map_or_else(|| "This model".to_owned(), |route| format!("Every candidate of `{route}`"));
            let why: Vec<String> =
                dropped.iter().take(8).map(|(model, drop)| format!("{model}: {}", drop.as_str())).collect();
            // The rail that decided is the last one a candidate came to: they are in the order in which they are held up.
            let rail = dropped.iter().map(|(_, drop)| *drop).max();
            let (code, advice) = meant(rail);
            ApiError::new(code, format!("{what} is ruled out ({}). {advice}", why.join(", ")))
        }
    }
}

/// A failure of a call with the caller's own key: what a provider has against that key is no business of an administrator.
pub(super) fn theirs(mut failure: Failure) -> Failure {
    // As a rate limit that nobody should try again on is a quota.
    let told = match (failure.error.code, failure.retry) {
        (Code::UpstreamAuthError, _) => {
            "The provider refused the key that you brought, or does not permit it this call. Check your provider key."
        }
        (Code::UpstreamRateLimited, Retry::Elsewhere) => "Your account at the provider is out of quota.",
        (_, Retry::Never | Retry::Same | Retry::Elsewhere) => return failure,
    };
    failure.error.message = told.into();
    failure
}

/// What a rail is called on the wire, and what the caller can do about it.
fn meant(rail: Option<Drop>) -> (Code, &'static str) {
    match rail {
        Some(Drop::NotAllowed) => (Code::ModelNotAllowed, "GET /v1/models lists what this key may use."),
        Some(Drop::ContextTooSmall) => (Code::ContextLengthExceeded, "Send less, or ask for a shorter answer."),
        Some(Drop::Residency | Drop::DataPolicy) => {
            (Code::Residency, "Name a model that keeps these rules, or ask your administrator.")
        }
        Some(Drop::OverBudget) => {
            (Code::InsufficientQuota, "Ask your administrator to raise the budget, or make the request cheaper.")
        }
        Some(
            Drop::OtherKind
            | Drop::LacksTools
            | Drop::LacksVision
            | Drop::LacksJsonSchema
            | Drop::LacksDocuments
            | Drop::LacksAudio
            | Drop::LeftOut,
        ) => (Code::NoHealthyModel, "Name a model that can do what the request needs."),
        Some(Drop::CoolingDown | Drop::CircuitOpen) => {
            (Code::NoHealthyModel, "Try again in a moment, or name another model.")
        }
        Some(Drop::NotEnabled) | None => {
            (Code::NotConfigured, "Ask your administrator to bind a key of one of their providers.")
        }
    }
}
