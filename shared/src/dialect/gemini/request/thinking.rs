//! How much to think: Gemini 2.5 takes a number of tokens, later models a level.

use crate::dialect::ir::{ChatRequest, Effort, Reasoning, Thinking};
use crate::dialect::json_read::Object;
use crate::dialect::json_write::Members;
use crate::dialect::{Dialect, Effect, Target, ThinkingSupport, Warnings};
use crate::error::ApiError;

/// The largest budget every model with budgets takes.
const MOST_BUDGET: u64 = 24_576;

/// `thinkingConfig`.
pub(super) fn read(config: &mut Object<'_, '_>, unread: &mut Vec<String>) -> Result<Reasoning, ApiError> {
    let mut reasoning = Reasoning::default();
    let path = *config.path;
    let path = path.member("thinkingConfig");
    let Some(raw) = config.take("thinkingConfig") else { return Ok(reasoning) };
    let mut thinking = Object::read(raw.get(), &path)?.camel_case();
    let shown = thinking.boolean("includeThoughts")?.unwrap_or(false);
    let level = thinking.string("thinkingLevel")?;
    reasoning.effort = level.as_deref().and_then(|level| Effort::from_name(&level.to_ascii_lowercase()));
    reasoning.thinking = match thinking.integer("thinkingBudget")? {
        Some(0) => Some(Thinking::Disabled),
        Some(tokens) => Some(u64::try_from(tokens).map_or(Thinking::Adaptive, Thinking::Budget)),
        None if shown => Some(Thinking::Adaptive),
        None => None,
    };
    thinking.rest_paths(unread);
    Ok(reasoning)
}

pub(super) fn write(o: &mut Members<'_>, request: &ChatRequest, target: &Target<'_>, warnings: &mut Warnings) {
    let reasoning = &request.reasoning;
    if reasoning.effort.is_none() && reasoning.thinking.is_none() {
        return;
    }
    let path = match (request.origin, reasoning.thinking) {
        (Dialect::OpenAiChat | Dialect::OpenAiResponses, Some(_)) => "thinking",
        (Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::Anthropic | Dialect::Gemini, _) => {
            request.origin.reasoning_path()
        }
    };
    let wanted = reasoning.is_wanted();
    // In Anthropic's dialect an effort alone does not ask to see thoughts.
    let shown = wanted
        && reasoning.display.as_deref() != Some("omitted")
        && (reasoning.thinking.is_some() || request.origin != Dialect::Anthropic);
    match target.quirks.thinking {
        ThinkingSupport::None if wanted => warnings.dropped(path),
        ThinkingSupport::None => {}
        ThinkingSupport::Budget => o.object("thinkingConfig", |o| {
            let (budget, effect) = budget(reasoning);
            if let Some(effect) = effect {
                warnings.add(path, effect);
            }
            o.maybe_number("thinkingBudget", budget);
            if shown {
                o.boolean("includeThoughts", true);
            }
        }),
        ThinkingSupport::Adaptive => o.object("thinkingConfig", |o| {
            let (level, effect) = level(reasoning, target.quirks.minimal_effort);
            if let Some(effect) = effect {
                warnings.add(path, effect);
            }
            o.maybe_string("thinkingLevel", level);
            if shown {
                o.boolean("includeThoughts", true);
            }
        }),
    }
}

/// 0 is off, -1 leaves it to the model.
fn budget(reasoning: &Reasoning) -> (Option<i64>, Option<Effect>) {
    let tokens = match (reasoning.thinking, reasoning.effort) {
        (Some(Thinking::Disabled), _) | (None, Some(Effort::None)) => return (Some(0), None),
        (Some(Thinking::Budget(tokens)), _) => tokens,
        (Some(Thinking::Adaptive) | None, Some(effort)) => effort.budget().min(MOST_BUDGET),
        (Some(Thinking::Adaptive), None) => return (Some(-1), None),
        (None, None) => return (None, None),
    };
    let fits = tokens.min(MOST_BUDGET);
    (i64::try_from(fits).ok(), (fits != tokens).then_some(Effect::Clamped))
}

/// Thinking cannot be switched off here; the least there is stands for it.
fn level(reasoning: &Reasoning, minimal: bool) -> (Option<&'static str>, Option<Effect>) {
    let least = if minimal { "minimal" } else { "low" };
    let (effort, converted) = match (reasoning.thinking, reasoning.effort) {
        (Some(Thinking::Disabled), _) => (Some(Effort::None), false),
        (Some(Thinking::Budget(tokens)), None) => (Some(Effort::from_budget(tokens)), true),
        (Some(Thinking::Budget(_) | Thinking::Adaptive) | None, effort) => (effort, false),
    };
    let word = match effort {
        Some(Effort::None) => return (Some(least), Some(Effect::Converted)),
        Some(Effort::Minimal) => return (Some(least), (!minimal).then_some(Effect::Clamped)),
        Some(Effort::Low) => Some("low"),
        Some(Effort::Medium) => Some("medium"),
        Some(Effort::High) => Some("high"),
        Some(Effort::XHigh | Effort::Max) => return (Some("high"), Some(Effect::Clamped)),
        None => None,
    };
    (word, converted.then_some(Effect::Converted))
}
