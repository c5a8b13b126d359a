//! Model names from callers are hostile until proved plain: they end in URLs, logs and headers.

use crate::error::{ApiError, Code};
use std::fmt;

/// The longest model name any provider could have, in bytes.
const LONGEST: usize = 256;

/// A name a provider could have given to a model.
///
/// Letters, digits and `. _ - : / @ + ~ =` of ASCII, at most 256 bytes, with no empty, `.` or `..`
/// path segment. That holds for the names of every provider we know of (fine-tunes, Hugging Face
/// paths, tagged local models, resource names) and keeps out `../`, `%2f`, CRLF, control and
/// bidirectional characters and look-alike letters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelName(String);

impl ModelName {
    /// The name, when it keeps the rule above.
    pub fn parse(text: &str) -> Option<ModelName> {
        let plain = text.len() <= LONGEST
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-:/@+~=".contains(&byte))
            && text.split('/').all(|segment| !matches!(segment, "" | "." | ".."));
        plain.then(|| ModelName(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a caller wrote as `model`, proved plain but not yet looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelRef(ModelName);

impl ModelRef {
    /// Reads a caller's `model`. What no provider could have is a model that does not exist (404);
    /// the message does not repeat it.
    pub fn parse(text: &str) -> Result<ModelRef, ApiError> {
        ModelName::parse(text).map(ModelRef).ok_or_else(|| ApiError {
            param: Some("model".to_owned()),
            ..ApiError::new(
                Code::ModelNotFound,
                "No model has a name like this one. GET /v1/models lists the names you can use.",
            )
        })
    }

    /// What the caller wrote.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_of_real_providers_are_accepted() {
        for name in [
            "gpt-5.4",
            "ft:gpt-4o-2024-08-06:acme::AbC123",
            "accounts/fireworks/models/deepseek-v3p1",
            "meta-llama/Llama-3.3-70B-Instruct-Turbo",
            "llama3:8b",
            "@cf/meta/llama-3.1-8b-instruct",
            "publishers/google/models/gemini-pro@001",
            "gpt-4o~fails-once",
            "deployment@version=2",
        ] {
            assert_eq!(ModelRef::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn hostile_names_are_models_that_do_not_exist() {
        let long = "a".repeat(10_240);
        for name in [
            "",
            "../../etc/passwd",
            "a/../b",
            "a/./b",
            "..",
            "a//b",
            "/a",
            "a/",
            "a\r\nx-evil: 1",
            "a%2fb",
            "a%2e%2e/b",
            "a?b=c",
            "a#b",
            "a\\b",
            "a b",
            "gpt\u{202e}4o",
            "g\u{0440}t-4o",
            "a\0b",
            "\u{feff}gpt-4o",
            "a\u{200b}b",
            "${jndi:ldap}",
            "<script>",
            &long,
        ] {
            let error = ModelRef::parse(name).unwrap_err();
            assert_eq!(error.code, Code::ModelNotFound, "{name:?}");
            assert!(name.is_empty() || !error.message.contains(name), "{name:?}");
        }
    }
}
