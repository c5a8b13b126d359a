//! Numbers, flags and texts.

use super::{Kind, wrong_type};
use crate::config::problem::At;
use crate::config::suggest::nearest;
#[cfg(test)]
use crate::json::json;
use serde_json::Value;

/// A whole number between two bounds, both included.
pub(in crate::config) struct Whole {
    pub(in crate::config) min: u64,
    pub(in crate::config) max: u64,
}

impl Kind for Whole {
    type Out = u64;

    #[cfg(test)]
    fn schema(&self) -> Value {
        json!({ "type": "integer", "minimum": self.min, "maximum": self.max })
    }

    #[inline(never)]
    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<u64> {
        let hint = || format!("Use a whole number from {} to {}", self.min, self.max);
        let Value::Number(number) = value else {
            wrong_type(at, value, "a whole number", &hint());
            return None;
        };
        // JSON has one number type: 1e3 and 1000.0 are whole as well. 2^53 is where floats stop being exact.
        let exact = |float: &f64| float.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(float);
        let whole = number.as_u64().or_else(|| number.as_f64().filter(exact).map(|float| float as u64));
        match whole {
            Some(whole) if (self.min..=self.max).contains(&whole) => Some(whole),
            Some(_) => {
                at.problem("is out of range", &hint());
                None
            }
            None => {
                at.problem("is not a whole number of zero or more", &hint());
                None
            }
        }
    }
}

/// A finite number in a range, both ends included.
pub(in crate::config) struct Real {
    pub(in crate::config) min: f64,
    pub(in crate::config) max: f64,
    /// Both in words.
    pub(in crate::config) hint: &'static str,
}

impl Kind for Real {
    type Out = f64;

    #[cfg(test)]
    fn schema(&self) -> Value {
        json!({ "type": "number", "minimum": self.min, "maximum": self.max })
    }

    #[inline(never)]
    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<f64> {
        let Some(number) = value.as_f64() else {
            wrong_type(at, value, "a number", self.hint);
            return None;
        };
        let good = (self.min..=self.max).contains(&number);
        if !good {
            at.problem("is out of range", self.hint);
        }
        good.then_some(number)
    }
}

/// `true` or `false`.
pub(in crate::config) struct Flag;

impl Kind for Flag {
    type Out = bool;

    #[cfg(test)]
    fn schema(&self) -> Value {
        json!({ "type": "boolean" })
    }

    #[inline(never)]
    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<bool> {
        if let Value::Bool(flag) = value {
            return Some(*flag);
        }
        wrong_type(at, value, "true or false", "Write true or false, without quotes");
        None
    }
}

/// A text with a grammar of its own.
pub(in crate::config) struct Parsed<T> {
    /// Reads the text; `Err` says what is wrong with it, without repeating it.
    pub(in crate::config) parse: fn(&str) -> Result<T, &'static str>,
    /// The grammar as far as a regular expression can say it, for the schema.
    #[cfg_attr(not(test), expect(dead_code, reason = "part of the schema"))]
    pub(in crate::config) pattern: &'static str,
    /// What would be right.
    pub(in crate::config) hint: &'static str,
}

impl<T> Kind for Parsed<T> {
    type Out = T;

    #[cfg(test)]
    fn schema(&self) -> Value {
        json!({ "type": "string", "pattern": self.pattern })
    }

    #[inline(never)]
    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<T> {
        let Value::String(text) = value else {
            wrong_type(at, value, "a text", self.hint);
            return None;
        };
        (self.parse)(text).map_err(|wrong| at.problem(wrong, self.hint)).ok()
    }
}

/// One of a few words.
pub(in crate::config) struct OneOf<T: 'static> {
    /// The words and what they mean.
    pub(in crate::config) words: &'static [(&'static str, T)],
    /// Words that mean something to a later version.
    pub(in crate::config) later: &'static [&'static str],
}

impl<T: Copy> Kind for OneOf<T> {
    type Out = T;

    #[cfg(test)]
    fn schema(&self) -> Value {
        json!({ "enum": self.words.iter().map(|(word, _)| *word).collect::<Vec<_>>() })
    }

    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<T> {
        let found = value.as_str().and_then(|text| self.words.iter().find(|(word, _)| *word == text));
        if found.is_none() {
            let words: Vec<&str> = self.words.iter().map(|(word, _)| *word).collect();
            not_a_word(value, &words, self.later, at);
        }
        found.map(|(_, meaning)| *meaning)
    }
}

#[inline(never)]
#[cold]
fn not_a_word(value: &Value, known: &[&str], later: &[&str], at: &mut At<'_>) {
    let hint = ["Use one of: ", &known.join(", ")].concat();
    let Value::String(text) = value else { return wrong_type(at, value, "a text", &hint) };
    if let Some(word) = later.iter().find(|word| *word == text) {
        return at.problem(&["`", word, "` is not available in this version"].concat(), &hint);
    }
    match nearest(text, known.iter().copied()) {
        Some(word) => at.problem("is not a word that is known here", &["Did you mean `", word, "`?"].concat()),
        None => at.problem("is not a word that is known here", &hint),
    }
}
