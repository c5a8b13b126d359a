//! Parameters of a request, held to bounds under whatever name its dialect has for them.

use super::{edited, text};
use crate::dialect::Dialect;
use crate::error::ApiError;
use crate::json::{self, Document, Limits};

/// What can be bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Parameter {
    /// Randomness.
    Temperature,
    /// Nucleus sampling.
    TopP,
    /// Only the k likeliest tokens.
    TopK,
    /// The longest answer, in tokens.
    MaxTokens,
    /// Against what was said often.
    FrequencyPenalty,
    /// Against what was said at all.
    PresencePenalty,
    /// How many answers.
    N,
}

/// What a parameter is held to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    /// Its value where a caller does not say.
    pub default: Option<f64>,
    /// The least it may be.
    pub min: Option<f64>,
    /// The most it may be.
    pub max: Option<f64>,
}

impl Bounds {
    /// These bounds with others: both hold, and the other's default comes first.
    pub fn and(self, other: Bounds) -> Bounds {
        let both = |one: Option<f64>, two: Option<f64>, of: fn(f64, f64) -> f64| match (one, two) {
            (Some(one), Some(two)) => Some(of(one, two)),
            (one, two) => one.or(two),
        };
        Bounds {
            default: other.default.or(self.default),
            min: both(self.min, other.min, f64::max),
            max: both(self.max, other.max, f64::min),
        }
    }

    /// The value of a parameter nobody said. An answer without a limit could be longer than the most it may be.
    pub(crate) fn unsaid(&self, parameter: Parameter) -> Option<f64> {
        let most = self.max.filter(|_| parameter == Parameter::MaxTokens);
        self.default.or(most).map(|value| self.held(value))
    }

    /// A value within. Where the bounds leave nothing, the most it may be is kept.
    fn held(&self, value: f64) -> f64 {
        let raised = self.min.map_or(value, |min| value.max(min));
        self.max.map_or(raised, |max| raised.min(max))
    }
}

impl Parameter {
    /// The members that say it, for callers of a dialect.
    fn names(self, dialect: Dialect) -> &'static [&'static str] {
        let gemini = dialect == Dialect::Gemini;
        match self {
            Parameter::Temperature => &["temperature"],
            Parameter::TopP if gemini => &["topP", "top_p"],
            Parameter::TopP => &["top_p"],
            Parameter::TopK if gemini => &["topK", "top_k"],
            Parameter::TopK => &["top_k"],
            Parameter::MaxTokens => match dialect {
                Dialect::OpenAiChat => &["max_tokens", "max_completion_tokens"],
                Dialect::OpenAiResponses => &["max_output_tokens"],
                Dialect::Anthropic => &["max_tokens"],
                Dialect::Gemini => &["maxOutputTokens", "max_output_tokens"],
            },
            Parameter::FrequencyPenalty if gemini => &["frequencyPenalty", "frequency_penalty"],
            Parameter::FrequencyPenalty => &["frequency_penalty"],
            Parameter::PresencePenalty if gemini => &["presencePenalty", "presence_penalty"],
            Parameter::PresencePenalty => &["presence_penalty"],
            Parameter::N if gemini => &["candidateCount", "candidate_count"],
            Parameter::N => &["n"],
        }
    }

    /// Whether a default may be written where a caller says nothing. Not where the dialect does not know it, and
    /// not where its name depends on who is called: that is left to whoever calls.
    fn may_be_added(self, dialect: Dialect, chat: bool) -> bool {
        let openai = dialect == Dialect::OpenAiChat;
        match self {
            Parameter::Temperature | Parameter::TopP => true,
            Parameter::TopK => matches!(dialect, Dialect::Anthropic | Dialect::Gemini),
            Parameter::MaxTokens => !(openai && chat),
            Parameter::FrequencyPenalty | Parameter::PresencePenalty | Parameter::N => {
                openai || dialect == Dialect::Gemini
            }
        }
    }
}

/// A body with its parameters within bounds; `None` where they are. `chat`: it is a conversation.
pub(super) fn bound(
    dialect: Dialect,
    body: &Document<'_>,
    bounds: &[(Parameter, Bounds)],
    chat: bool,
) -> Result<Option<Vec<u8>>, ApiError> {
    if dialect != Dialect::Gemini {
        let changes = changes(dialect, body, bounds, chat, "")?;
        return Ok((!changes.is_empty()).then(|| edited(body, &changes)));
    }
    let there = |name: &&str| body.get(name).is_some_and(|value| value != "null");
    let names: Vec<&str> = ["generationConfig", "generation_config"].into_iter().filter(there).collect();
    let names = if names.is_empty() { vec!["generationConfig"] } else { names };
    let mut configs = Vec::new();
    for name in names {
        let config = body.get(name).filter(|text| text.starts_with('{')).unwrap_or("{}");
        let document = json::scan(config.as_bytes(), &Limits::default())?;
        let changes = changes(dialect, &document, bounds, chat, "generationConfig.")?;
        if !changes.is_empty() {
            configs.push((name, text(edited(&document, &changes))));
        }
    }
    Ok((!configs.is_empty()).then(|| edited(body, &configs)))
}

/// The members that must change, with their new values.
fn changes(
    dialect: Dialect,
    object: &Document<'_>,
    bounds: &[(Parameter, Bounds)],
    chat: bool,
    path: &str,
) -> Result<Vec<(&'static str, String)>, ApiError> {
    let mut changes = Vec::new();
    for (parameter, bounds) in bounds {
        let names = parameter.names(dialect);
        let mut said = false;
        for name in names {
            let Some(value) = object.get(name).filter(|value| *value != "null") else { continue };
            said = true;
            // Whoever reads a text as a number would be out of bounds.
            let value = crate::json::float(value).ok_or_else(|| {
                ApiError::invalid(format!("{path}{name}"), format!("`{path}{name}` must be a number."))
            })?;
            let held = bounds.held(value);
            if held != value {
                changes.push((*name, number(held)));
            }
        }
        if let (false, Some(value), Some(name)) = (said, bounds.unsaid(*parameter), names.first())
            && parameter.may_be_added(dialect, chat)
        {
            changes.push((*name, number(value)));
        }
    }
    Ok(changes)
}

/// A number as JSON; a whole one without a point, for readers of whole numbers.
fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 9e15 { (value as i64).to_string() } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn bound(dialect: Dialect, body: &str) -> Result<Option<String>, ApiError> {
        let bounds = [
            (Parameter::Temperature, Bounds { default: Some(0.2), min: None, max: Some(1.0) }),
            (Parameter::MaxTokens, Bounds { default: Some(100.0), min: Some(16.0), max: Some(1000.0) }),
            (Parameter::TopK, Bounds { default: Some(4.0), min: None, max: Some(40.0) }),
        ];
        let bound = dialect.bound(body.as_bytes(), &bounds, true)?;
        Ok(bound.map(|body| String::from_utf8(body).unwrap()))
    }

    #[test]
    fn parameters_are_within_bounds_by_whatever_name() {
        for (dialect, body, expected) in [
            (
                Dialect::OpenAiChat,
                r#"{"temperature":1.7,"max_tokens":5,"max_completion_tokens":5000,"x":1.0}"#,
                Some(r#"{"temperature":1,"max_tokens":16,"max_completion_tokens":1000,"x":1.0}"#),
            ),
            (Dialect::OpenAiChat, r#"{"temperature":0.70,"max_tokens":50}"#, None),
            (Dialect::OpenAiChat, r#"{"temperature":null}"#, Some(r#"{"temperature":0.2}"#)),
            (Dialect::OpenAiChat, r#"{"temperature":0,"top_k":99}"#, Some(r#"{"temperature":0,"top_k":40}"#)),
            (Dialect::OpenAiResponses, "{}", Some(r#"{"temperature":0.2,"max_output_tokens":100}"#)),
            (
                Dialect::Anthropic,
                r#"{"max_tokens":4096,"temperature":1}"#,
                Some(r#"{"max_tokens":1000,"temperature":1,"top_k":4}"#),
            ),
            (
                Dialect::Gemini,
                r#"{"generation_config":{"max_output_tokens":9999,"temperature":1.0},"a":1}"#,
                Some(r#"{"generation_config":{"max_output_tokens":1000,"temperature":1.0,"topK":4},"a":1}"#),
            ),
            (Dialect::Gemini, "{}", Some(r#"{"generationConfig":{"temperature":0.2,"maxOutputTokens":100,"topK":4}}"#)),
        ] {
            assert_eq!(bound(dialect, body).unwrap().as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn a_parameter_that_is_no_number_cannot_slip_through() {
        for (dialect, body, param) in [
            (Dialect::OpenAiChat, r#"{"temperature":"2"}"#, "temperature"),
            (Dialect::Gemini, r#"{"generationConfig":{"temperature":[2]}}"#, "generationConfig.temperature"),
        ] {
            assert_eq!(bound(dialect, body).unwrap_err().param.as_deref(), Some(param), "{body}");
        }
    }

    #[test]
    fn of_two_bounds_both_hold_and_the_later_default_counts() {
        let one = Bounds { default: Some(1.0), min: Some(0.0), max: Some(9.0) };
        let two = Bounds { default: Some(2.0), min: Some(1.0), max: None };
        assert_eq!(one.and(two), Bounds { default: Some(2.0), min: Some(1.0), max: Some(9.0) });
    }
}
