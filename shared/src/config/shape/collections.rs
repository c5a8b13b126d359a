//! Lists, and tables whose keys are chosen by people.

use super::{Kind, wrong_type};
use crate::config::problem::At;
#[cfg(test)]
use crate::json::json;
use crate::sorted::SortedMap;
use serde_json::Value;

/// A list of at least `min` values of one kind.
pub(in crate::config) struct List<K> {
    pub(in crate::config) of: K,
    pub(in crate::config) min: usize,
}

impl<K: Kind> Kind for List<K> {
    type Out = Vec<K::Out>;

    #[cfg(test)]
    fn schema(&self) -> Value {
        match self.min {
            0 => json!({ "type": "array", "items": self.of.schema() }),
            min => json!({ "type": "array", "items": self.of.schema(), "minItems": min }),
        }
    }

    /// The good values: the bad ones are recorded, and a document with problems is refused whole.
    #[inline(never)]
    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<Vec<K::Out>> {
        let Value::Array(values) = value else {
            wrong_type(at, value, "a list", "Write it in brackets: [ … ]");
            return None;
        };
        if values.len() < self.min {
            at.problem("has too few entries", &format!("List at least {}", self.min));
            return None;
        }
        Some(values.iter().enumerate().filter_map(|(i, value)| self.of.read(value, &mut at.index(i))).collect())
    }
}

/// One value of a kind, or a list of at least one.
pub(in crate::config) struct OneOrMore<K>(pub(in crate::config) K);

impl<K: Kind> Kind for OneOrMore<K> {
    type Out = Vec<K::Out>;

    #[cfg(test)]
    fn schema(&self) -> Value {
        let one = self.0.schema();
        json!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    }

    #[inline(never)]
    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<Vec<K::Out>> {
        match value {
            Value::Array(values) if values.is_empty() => {
                at.problem("has too few entries", "List at least 1");
                None
            }
            Value::Array(values) => {
                Some(values.iter().enumerate().filter_map(|(i, value)| self.0.read(value, &mut at.index(i))).collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                self.0.read(value, at).map(|one| vec![one])
            }
        }
    }
}

/// A table from names to values of one kind.
pub(in crate::config) struct Dict<N, K> {
    /// Reads a name.
    pub(in crate::config) name: fn(&str) -> Option<N>,
    /// The rule of names as a regular expression, for the schema.
    #[cfg_attr(not(test), expect(dead_code, reason = "part of the schema"))]
    pub(in crate::config) pattern: &'static str,
    /// The rule of names in words.
    pub(in crate::config) rule: &'static str,
    /// The kind of the values.
    pub(in crate::config) of: K,
}

impl<N: Ord, K: Kind> Kind for Dict<N, K> {
    type Out = SortedMap<N, K::Out>;

    #[cfg(test)]
    fn schema(&self) -> Value {
        json!({ "type": "object", "propertyNames": { "pattern": self.pattern }, "additionalProperties": self.of.schema() })
    }

    /// The good entries: the bad ones are recorded, and a document with problems is refused whole.
    #[inline(never)]
    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<SortedMap<N, K::Out>> {
        let Value::Object(table) = value else {
            wrong_type(at, value, "a table", "Write it as a table of names and values");
            return None;
        };
        let mut entries = SortedMap::new();
        for (key, value) in table {
            let mut at = at.key(key);
            let name = (self.name)(key);
            if name.is_none() {
                at.problem("is not a good name", self.rule);
            }
            let value = self.of.read(value, &mut at);
            if let (Some(name), Some(value)) = (name, value) {
                entries.insert(name, value);
            }
        }
        Some(entries)
    }
}
