//! Names that people give to things, each its own type so that a team is never taken for a route.

use crate::catalog::ModelName;
use std::borrow::Borrow;
use std::fmt;

/// The rule of every name people choose, as a regular expression for the schema.
pub(super) const NAME_PATTERN: &str = "^[a-z0-9][a-z0-9_-]{0,63}$";
/// The same rule in words.
pub(super) const NAME_RULE: &str = "Use 1 to 64 of a-z, 0-9, _ and -, beginning with a letter or a digit";

fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.len() <= 64
        && text.bytes().next().is_some_and(allowed)
        && text.bytes().all(|byte| allowed(byte) || byte == b'_' || byte == b'-')
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The name, when it keeps the rule: 1 to 64 of `a-z 0-9 _ -`, beginning with a letter or digit.
            pub fn parse(text: &str) -> Option<$name> {
                is_name(text).then(|| $name(text.to_owned()))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )* };
}

names! {
    /// A provider: `openai`, `acme`.
    ProviderId;
    /// A route of the configuration: what callers say as `model`.
    RouteName;
    /// A team.
    TeamName;
    /// A guardrail.
    GuardrailName;
    /// A policy of governed context.
    ContextName;
    /// A transformation.
    TransformName;
}

/// A model of one provider: `openai:gpt-5.4`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelId {
    /// Who serves it.
    pub provider: ProviderId,
    /// What that provider calls it.
    pub model: ModelName,
}

impl ModelId {
    /// Reads `provider:model`; the model's name may itself contain colons and slashes.
    pub fn parse(text: &str) -> Option<ModelId> {
        let (provider, model) = text.split_once(':')?;
        Some(ModelId { provider: ProviderId::parse(provider)?, model: ModelName::parse(model)? })
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.provider, self.model)
    }
}

impl serde::Serialize for ModelId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for ModelId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<ModelId, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        ModelId::parse(&text).ok_or_else(|| serde::de::Error::custom("not provider:model"))
    }
}

/// The name of an environment binding: `ACME_API_KEY`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BindingName(String);

/// The rule of a binding's name, as a regular expression for the schema.
pub(super) const BINDING_PATTERN: &str = "^[A-Z][A-Z0-9_]{0,127}$";

impl BindingName {
    /// The name, when it is one: capitals, digits and `_`, beginning with a letter, at most 128.
    pub fn parse(text: &str) -> Option<BindingName> {
        let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_uppercase());
        let rest = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        (first && rest && text.len() <= 128).then(|| BindingName(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_is_short_lower_case_and_plain() {
        for good in ["a", "0", "payments-eu_2", &"x".repeat(64)] {
            assert!(TeamName::parse(good).is_some(), "{good}");
        }
        for bad in ["", "-a", "_a", "A", "a b", "a.b", "a/b", "é", "a\n", &"x".repeat(65)] {
            assert!(TeamName::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_model_id_is_split_at_the_first_colon() {
        let id = ModelId::parse("ollama:llama3:8b").unwrap();
        assert_eq!((id.provider.as_str(), id.model.as_str()), ("ollama", "llama3:8b"));
        assert_eq!(id.to_string(), "ollama:llama3:8b");
        for bad in ["gpt-4o", ":gpt-4o", "openai:", "OpenAI:gpt-4o", "openai:../x"] {
            assert_eq!(ModelId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_binding_is_named_as_environment_variables_are() {
        assert!(BindingName::parse("ACME_API_KEY2").is_some());
        for bad in ["", "acme", "2KEY", "A-B", "A B", "_A"] {
            assert!(BindingName::parse(bad).is_none(), "{bad}");
        }
    }
}
