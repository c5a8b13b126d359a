//! What only a model knows: `additionalModelRequestFields`, by the maker of the model.
//!
//! Converse has members for what all models take; the rest goes into one object that is handed to the
//! model as it stands. So this file, and no other, looks at what a model is called.

use crate::dialect::anthropic::request::{Plan, plan};
use crate::dialect::ir::{ChatRequest, Effort, Json, Thinking};
use crate::dialect::json_read::{Object, Path};
use crate::dialect::json_write::{Members, object};
use crate::dialect::{SamplingSupport, Target, ThinkingSupport, Warnings};

/// Whose model it is, as far as that makes a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Anthropic's.
    Claude,
    /// Amazon's.
    Nova,
    /// OpenAI's open weights.
    GptOss,
    /// Somebody else's.
    Other,
    /// An inference profile of the customer's own, whose name does not say.
    Unnamed,
}

impl Family {
    /// By the model's id: `us.anthropic.claude-…-v1:0`, `amazon.nova-…`, or an ARN that may hold one.
    pub(super) fn of(model: &str) -> Family {
        if model.contains("anthropic.claude") {
            Family::Claude
        } else if model.contains("amazon.nova") {
            Family::Nova
        } else if model.contains("openai.gpt-oss") {
            Family::GptOss
        } else if model.starts_with("arn:") {
            Family::Unnamed
        } else {
            Family::Other
        }
    }

    /// Whether it takes cache points.
    pub(super) fn caches(self) -> bool {
        match self {
            Family::Claude | Family::Nova | Family::Unnamed => true,
            Family::GptOss | Family::Other => false,
        }
    }
}

/// What the request's reasoning comes to for this model.
pub(super) fn reasoning(
    family: Family,
    request: &ChatRequest,
    target: &Target<'_>,
    warnings: &mut Warnings,
) -> Option<Reasoning> {
    let wish = &request.reasoning;
    match family {
        Family::Claude => {
            let limit = request.max_output_tokens.unwrap_or(target.default_max_output_tokens);
            let limit = target.max_output_tokens.map_or(limit, |cap| limit.min(cap));
            return Some(Reasoning::Claude(plan(request, target, limit, warnings)));
        }
        Family::Nova | Family::GptOss | Family::Other | Family::Unnamed if !wish.is_wanted() => return None,
        Family::Nova | Family::GptOss if target.quirks.thinking != ThinkingSupport::None => {}
        Family::Nova | Family::GptOss | Family::Other | Family::Unnamed => {
            warnings.dropped(request.origin.reasoning_path());
            return None;
        }
    }
    let by_budget =
        if let Some(Thinking::Budget(tokens)) = wish.thinking { Some(Effort::from_budget(tokens)) } else { None };
    let level = match wish.effort.or(by_budget).unwrap_or(Effort::Medium) {
        Effort::None | Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High | Effort::XHigh | Effort::Max => "high",
    };
    Some(if family == Family::Nova { Reasoning::Nova(level) } else { Reasoning::GptOss(level) })
}

/// Reasoning in a model's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reasoning {
    Claude(Plan),
    Nova(&'static str),
    GptOss(&'static str),
}

impl Reasoning {
    /// Whether sampling parameters are out of place beside it.
    pub(super) fn fixes_sampling(self) -> bool {
        match self {
            Reasoning::Claude(plan) => plan.thinks(),
            Reasoning::Nova(_) | Reasoning::GptOss(_) => false,
        }
    }
}

/// Writes `additionalModelRequestFields` where there is anything to say. What the caller wrote under
/// that name itself stands first and wins.
pub(super) fn write(
    o: &mut Members<'_>,
    family: Family,
    request: &ChatRequest,
    target: &Target<'_>,
    reasoning: Option<Reasoning>,
    warnings: &mut Warnings,
) {
    let mut ours: Vec<(&str, Vec<u8>)> = Vec::new();
    match reasoning {
        Some(Reasoning::Claude(plan)) => claude(&mut ours, plan, request),
        Some(Reasoning::Nova(level)) => ours.push((
            "reasoningConfig",
            whole(|o| {
                o.string("type", "enabled");
                o.string("maxReasoningEffort", level);
            }),
        )),
        Some(Reasoning::GptOss(level)) => ours.push(("reasoning_effort", format!("\"{level}\"").into_bytes())),
        None => {}
    }
    if let Some(k) = request.sampling.top_k {
        let refused =
            target.quirks.sampling == SamplingSupport::None || reasoning.is_some_and(Reasoning::fixes_sampling);
        match family {
            _ if refused => warnings.dropped("top_k"),
            Family::Nova => ours.push(("inferenceConfig", whole(|o| o.number("topK", k)))),
            Family::Claude | Family::Other | Family::Unnamed => ours.push(("top_k", k.to_string().into_bytes())),
            Family::GptOss => warnings.dropped("top_k"),
        }
    }
    let path = Path::Root;
    let callers = request.extra.iter().find(|(name, _)| name == FIELDS).map(|(_, json)| json);
    let theirs: Vec<(String, Json)> =
        callers.and_then(|json| Object::read(json.text(), &path).ok()).map(Object::rest).unwrap_or_default();
    ours.retain(|(name, _)| theirs.iter().all(|(known, _)| known != name));
    if ours.is_empty() && theirs.is_empty() {
        return;
    }
    o.object(FIELDS, |o| {
        theirs.iter().for_each(|(name, json)| o.json(name, json));
        ours.into_iter().for_each(|(name, mut json)| o.value(name).append(&mut json));
    });
}

/// The member's name.
pub(super) const FIELDS: &str = "additionalModelRequestFields";

fn claude(ours: &mut Vec<(&str, Vec<u8>)>, plan: Plan, request: &ChatRequest) {
    let display = request.reasoning.display.as_deref();
    let thinking = match plan.thinking {
        // Off is what a model on Bedrock does unasked.
        Some(Thinking::Disabled) | None => None,
        Some(Thinking::Adaptive) => Some(whole(|o| {
            o.string("type", "adaptive");
            o.maybe_string("display", display);
        })),
        Some(Thinking::Budget(tokens)) => Some(whole(|o| {
            o.string("type", "enabled");
            o.number("budget_tokens", tokens);
            o.maybe_string("display", display);
        })),
    };
    ours.extend(thinking.map(|json| ("thinking", json)));
    ours.extend(plan.effort.map(|effort| ("output_config", whole(|o| o.string("effort", effort.as_str())))));
}

fn whole(members: impl FnOnce(&mut Members<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    object(&mut out, members);
    out
}
