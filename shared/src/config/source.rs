//! From text to a tree: TOML for people, JSON for programs, the first byte decides.
//!
//! What the two formats leave to interpretation is refused here: a key written twice, a number that
//! is not finite, a date.

use super::problem::{At, Problem};
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;
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
    crate::json::parse_seed(text, Strict)
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
            crate::json::parse(number.as_str().trim_start_matches('+')).ok().map(Value::Number)
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

/// Reads any JSON value, refusing an object that names a member twice: `serde_json` alone keeps the
/// last one, and what its writer meant is anybody's guess.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = values.next_element_seed(Strict)? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut table = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if table.contains_key(&name) {
                return Err(serde::de::Error::custom(format_args!("the key {name:?} is written twice")));
            }
            table.insert(name, members.next_value_seed(Strict)?);
        }
        Ok(Value::Object(table))
    }
}
