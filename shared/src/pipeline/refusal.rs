//! What a caller is told when the router has no plan.

use crate::error::{ApiError, Code};
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
            let code = code(rail);
            ApiError::new(code, format!("{what} is ruled out ({}). {}", why.join(", "), advice(rail)))
        }
    }
}

/// What the caller can do about it.
fn advice(rail: Option<Drop>) -> &'static str {
    match rail {
        Some(Drop::NotAllowed) => "GET /v1/models lists what this key may use.",
        Some(Drop::ContextTooSmall) => "Send less, or ask for a shorter answer.",
        Some(Drop::Residency | Drop::DataPolicy) => "Name a model that keeps these rules, or ask your administrator.",
        Some(Drop::OverBudget) => "Ask your administrator to raise the budget, or make the request cheaper.",
        Some(
            Drop::OtherKind
            | Drop::LacksTools
            | Drop::LacksVision
            | Drop::LacksJsonSchema
            | Drop::LacksDocuments
            | Drop::LacksAudio
            | Drop::LeftOut,
        ) => "Name a model that can do what the request needs.",
        Some(Drop::CoolingDown | Drop::CircuitOpen) => "Try again in a moment, or name another model.",
        Some(Drop::NotEnabled) | None => "Ask your administrator to bind a key of one of their providers.",
    }
}

fn code(rail: Option<Drop>) -> Code {
    match rail {
        Some(Drop::NotAllowed) => Code::ModelNotAllowed,
        Some(Drop::ContextTooSmall) => Code::ContextLengthExceeded,
        Some(Drop::Residency | Drop::DataPolicy) => Code::Residency,
        Some(Drop::OverBudget) => Code::InsufficientQuota,
        Some(
            Drop::OtherKind
            | Drop::LacksTools
            | Drop::LacksVision
            | Drop::LacksJsonSchema
            | Drop::LacksDocuments
            | Drop::LacksAudio
            | Drop::CoolingDown
            | Drop::CircuitOpen
            | Drop::LeftOut,
        ) => Code::NoHealthyModel,
        Some(Drop::NotEnabled) | None => Code::NotConfigured,
    }
}
