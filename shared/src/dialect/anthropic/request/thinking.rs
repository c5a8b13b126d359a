//! How much to think, in the words the model at hand takes, and what that forbids beside it.

use crate::dialect::ir::{ChatRequest, Effort, Part, Role, Seal, SealFormat, Thinking, ToolChoice};
use crate::dialect::{Dialect, Effect, Target, ThinkingSupport, Warnings};

/// The smallest budget Anthropic takes.
const LEAST_BUDGET: u64 = 1_024;

/// What to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::dialect) struct Plan {
    pub(in crate::dialect) thinking: Option<Thinking>,
    pub(in crate::dialect) effort: Option<Effort>,
}

impl Plan {
    /// Whether the model will think; then it takes no sampling parameters and no forced tool.
    pub(in crate::dialect) fn thinks(&self) -> bool {
        matches!(self.thinking, Some(Thinking::Adaptive | Thinking::Budget(_)))
    }
}

pub(in crate::dialect) fn plan(
    request: &ChatRequest,
    target: &Target<'_>,
    max_tokens: u64,
    warnings: &mut Warnings,
) -> Plan {
    let wish = request.reasoning.thinking;
    let effort = request.reasoning.effort;
    let path = match (request.origin, wish) {
        (Dialect::OpenAiChat | Dialect::OpenAiResponses, None) => request.origin.reasoning_path(),
        (Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::Anthropic, _) => "thinking",
        (Dialect::Gemini, _) => request.origin.reasoning_path(),
    };
    let level = effort.map(level);
    // An effort alone asks for reasoning; in Anthropic's dialect it does not.
    let wish = wish.or(match (request.origin, effort) {
        (Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::Gemini, Some(Effort::None)) => {
            Some(Thinking::Disabled)
        }
        (Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::Gemini, Some(_)) => Some(Thinking::Adaptive),
        (Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::Gemini, None) | (Dialect::Anthropic, _) => None,
    });
    let plan = match (target.quirks.thinking, wish) {
        (ThinkingSupport::None, Some(Thinking::Adaptive | Thinking::Budget(_))) => {
            warnings.dropped(path);
            return Plan::default();
        }
        (ThinkingSupport::None, Some(Thinking::Disabled) | None) => return Plan::default(),
        (_, None) => {
            return Plan { thinking: None, effort: level.flatten() };
        }
        (_, Some(Thinking::Disabled)) => {
            return Plan { thinking: Some(Thinking::Disabled), effort: None };
        }
        (ThinkingSupport::Adaptive, Some(Thinking::Adaptive)) => {
            Plan { thinking: Some(Thinking::Adaptive), effort: level.flatten() }
        }
        (ThinkingSupport::Adaptive, Some(Thinking::Budget(tokens))) => {
            warnings.add(request.origin.budget_path(), Effect::Converted);
            let level = level.flatten().or(Some(Effort::from_budget(tokens)));
            Plan { thinking: Some(Thinking::Adaptive), effort: level }
        }
        (ThinkingSupport::Budget, Some(Thinking::Adaptive)) => {
            if request.origin == Dialect::Anthropic {
                warnings.add(path, Effect::Converted);
            }
            budget(effort.unwrap_or(Effort::Medium).budget(), max_tokens)
        }
        (ThinkingSupport::Budget, Some(Thinking::Budget(tokens))) => {
            let plan = budget(tokens, max_tokens);
            if plan.thinks() && plan.thinking != Some(Thinking::Budget(tokens)) {
                warnings.add(request.origin.budget_path(), Effect::Clamped);
            }
            plan
        }
    };
    let forced = matches!(request.tool_choice, Some(ToolChoice::Required | ToolChoice::Named(_)));
    let unsigned = matches!(plan.thinking, Some(Thinking::Budget(_))) && continues_without_thoughts(request);
    if !plan.thinks() || (request.origin != Dialect::Anthropic && forced) || unsigned {
        warnings.dropped(path);
        return Plan::default();
    }
    plan
}

/// Anthropic's levels begin at low.
fn level(effort: Effort) -> Option<Effort> {
    match effort {
        Effort::None => None,
        Effort::Minimal | Effort::Low => Some(Effort::Low),
        Effort::Medium | Effort::High | Effort::XHigh | Effort::Max => Some(effort),
    }
}

/// A budget that leaves at least half of a small answer for the answer, where there is room at all.
fn budget(tokens: u64, max_tokens: u64) -> Plan {
    let tokens = if tokens < max_tokens { tokens } else { max_tokens / 2 }.max(LEAST_BUDGET);
    Plan { thinking: (tokens < max_tokens).then_some(Thinking::Budget(tokens)), effort: None }
}

/// Whether the model is in the middle of using tools and its thoughts from before are gone: with a
/// budget, Anthropic then refuses to think on.
fn continues_without_thoughts(request: &ChatRequest) -> bool {
    let mut latest = request.messages.iter().rev();
    let Some(user) = latest.next().filter(|message| message.role == Role::User) else { return false };
    if !user.content.iter().any(|part| matches!(part, Part::ToolResult { .. })) {
        return false;
    }
    let Some(assistant) = latest.find(|message| message.role == Role::Assistant) else { return false };
    let signed = |part: &Part| {
        matches!(
            part,
            Part::Thinking { signature: Some(Seal { format: SealFormat::Anthropic, .. }), .. }
                | Part::RedactedThinking(Seal { format: SealFormat::Anthropic, .. })
        )
    };
    !assistant.content.first().is_some_and(signed)
}
