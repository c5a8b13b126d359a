//! From text to a tree: TOML for people, JSON for programs, the first byte decides.
//!
//! What the two formats leave to interpretation is refused here: a key written twice, a number that
//! is not finite, a date.

use super::problem::{At, Problem};
use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

/// The largest document that is read, in bytes.
const LARGEST: usize = 1 << 20;

/// Reads a document. A text whose first byte that is not white space is `{` is JSON, any other TOML.
pub(super) fn read(text: &str, problems: &mut Vec<Problem>) -> Option<Value> {
    if text.len() > LARGEST {
        At::root(problems).problem("is larger than 1 MiB", "Shorten it");
        return None;
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') { json(text, problems) } else { toml(text, problems) }
}

fn json(text: &str, problems: &mut Vec<Problem>) -> Option<Value> {
    crate::json::strict_tree(text)
        .map_err(|error| {
            problems.push(Problem {
                path: place(text, error.at()),
                message: format!("JSON: {}", error.message()),
                hint: "Correct the JSON at this place".to_owned(),
            });
        })
        .ok()
}

fn toml(text: &str, problems: &mut Vec<Problem>) -> Option<Value> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let offset = error.span().map_or(0, |span| span.start);
        let path = place(text, offset);
        problems.push(Problem {
            path,
            message: format!("TOML: {}", error.message()),
            hint: "Correct the TOML at this place".to_owned(),
        });
    }
    if !errors.is_empty() {
        return None;
    }
    toml_table(table.get_ref(), &mut At::root(problems))
}

/// `line 3, column 7` of a byte offset; columns count characters.
fn place(text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}")
}

fn toml_table(table: &DeTable<'_>, at: &mut At<'_>) -> Option<Value> {
    let mut members = Map::new();
    let mut good = true;
    for (key, value) in table {
        let key = key.get_ref().as_ref();
        match toml_value(value.get_ref(), &mut at.key(key)) {
            Some(value) => drop(members.insert(key.to_owned(), value)),
            None => good = false,
        }
    }
    good.then_some(Value::Object(members))
}

fn toml_value(value: &DeValue<'_>, at: &mut At<'_>) -> Option<Value> {
    let scalar = match value {
        DeValue::String(text) => Some(Value::from(text.as_ref())),
        DeValue::Boolean(flag) => Some(Value::from(*flag)),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok().map(Value::from),
        DeValue::Float(number) => {
            // Read as JSON reads it, so that both formats mean the same number; nan and inf are none.
            crate::json::tree(number.as_str().trim_start_matches('+')).ok().filter(Value::is_number)
        }
        DeValue::Datetime(_) => None,
        DeValue::Array(values) => {
            let read: Vec<_> =
                values.iter().enumerate().map(|(i, value)| toml_value(value.get_ref(), &mut at.index(i))).collect();
            return read.into_iter().collect::<Option<Vec<_>>>().map(Value::Array);
        }
        DeValue::Table(table) => return toml_table(table, at),
    };
    if scalar.is_none() {
        at.problem("is not a value that is used here", "Use a text, a finite number of 64 bits, true or false");
    }
    scalar
}
