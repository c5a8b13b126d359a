//! How a section is described once, and from that both read and published as JSON Schema.
//!
//! A section is a function over [`Fields`] that asks for its members by name. Over a table it reads
//! them and collects every problem; a key nobody asked for is unknown. Under test the same function,
//! over an empty table, notes what it asks for: that is the published schema, so the keys that are
//! parsed and the keys that are published cannot differ.

mod collections;
#[cfg(test)]
mod describe;
mod fields;
mod scalars;

pub(super) use collections::{Dict, List, OneOrMore};
pub(super) use fields::{Fields, Record};
pub(super) use scalars::{Flag, OneOf, Parsed, Real, Whole};

use super::problem::At;
use serde_json::Value;

/// A kind of value: what it is read into and how it is described.
pub(super) trait Kind {
    /// What a good value becomes.
    type Out;

    /// The kind as JSON Schema (draft 2020-12).
    #[cfg(test)]
    fn schema(&self) -> Value;

    /// Reads a value; `None` after recording at least one problem at `at`.
    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<Self::Out>;
}

/// Records that `value` is of the wrong type. The value itself is not repeated: it may be a secret.
#[inline(never)]
#[cold]
pub(super) fn wrong_type(at: &mut At<'_>, value: &Value, wanted: &str, hint: &str) {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    };
    at.problem(&["expected ", wanted, ", found ", found].concat(), hint);
}
