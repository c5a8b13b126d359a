//! JSON Schema (draft 2020-12), the keywords that answers are described with.
//!
//! `type`, `enum`, `const`, `properties`, `required`, `additionalProperties`, `patternProperties`, `propertyNames`,
//! `minProperties`, `maxProperties`, `items`, `prefixItems`, `contains`, `minItems`, `maxItems`, `uniqueItems`, `minLength`,
//! `maxLength`, `pattern`, `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `multipleOf`, `allOf`, `anyOf`,
//! `oneOf`, `not`, `if`/`then`/`else`, and `$ref` within the document. `format` is an annotation, as the draft has it.

use super::pattern::Pattern;
use crate::sorted;
use serde_json::{Map, Value};

/// How far references and schemas in schemas are followed: a cycle that eats nothing ends here.
const DEEPEST: usize = 64;
/// As many steps as one answer may take: schemas of references to references are exponential.
const MOST_STEPS: usize = 200_000;

/// A schema that answers are held to.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema(Value);

impl Schema {
    /// A schema; what is wrong with it otherwise. Patterns that are not linear are refused.
    pub fn new(schema: Value) -> Result<Schema, &'static str> {
        check(&schema, 0)?;
        Ok(Schema(schema))
    }

    /// Whether a text is JSON that follows the schema. A fence of Markdown around it is none.
    pub fn is_followed(&self, text: &str) -> bool {
        let Ok(value) = crate::json::tree(text) else { return false };
        let mut steps = MOST_STEPS;
        let holds = Check { root: &self.0, steps: &mut steps }.holds(&self.0, &value, 0);
        // Given up is not followed, also where a schema asks for the opposite.
        holds && steps > 0
    }
}

/// Whether a schema can be checked at all.
fn check(schema: &Value, depth: usize) -> Result<(), &'static str> {
    if depth > DEEPEST {
        return Err("is nested too deeply");
    }
    match schema {
        Value::Object(members) => members.iter().try_for_each(|(name, value)| match (name.as_str(), value) {
            ("pattern", Value::String(pattern)) => Pattern::of_schema(pattern).map(|_| ()),
            ("$ref", Value::String(place)) if !place.starts_with('#') => Err("refers to another document"),
            ("enum" | "const" | "default" | "examples", _) => Ok(()),
            _ => check(value, depth + 1),
        }),
        Value::Array(items) => items.iter().try_for_each(|item| check(item, depth + 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

struct Check<'a> {
    root: &'a Value,
    steps: &'a mut usize,
}

impl<'a> Check<'a> {
    fn holds(&mut self, schema: &'a Value, value: &Value, depth: usize) -> bool {
        *self.steps = self.steps.saturating_sub(1);
        if depth > DEEPEST || *self.steps == 0 {
            *self.steps = 0;
            return false;
        }
        match schema {
            Value::Bool(all) => *all,
            Value::Object(keywords) => {
                keywords.iter().all(|(name, keyword)| self.keyword(name, keyword, keywords, value, depth + 1))
            }
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => true,
        }
    }

    fn keyword(
        &mut self,
        name: &str,
        keyword: &'a Value,
        all: &'a Map<String, Value>,
        value: &Value,
        depth: usize,
    ) -> bool {
        let list = || keyword.as_array().map(Vec::as_slice).unwrap_or_default();
        match name {
            "$ref" => keyword
                .as_str()
                .and_then(|place| self.root.pointer(place.strip_prefix('#')?))
                .is_none_or(|schema| self.holds(schema, value, depth)),
            "type" => is_type(keyword, value) || list().iter().any(|one| is_type(one, value)),
            "enum" => list().iter().any(|one| equal(one, value)),
            "const" => equal(keyword, value),
            "allOf" => list().iter().all(|schema| self.holds(schema, value, depth)),
            "anyOf" => list().iter().any(|schema| self.holds(schema, value, depth)),
            "oneOf" => list().iter().filter(|schema| self.holds(schema, value, depth)).count() == 1,
            "not" => !self.holds(keyword, value, depth),
            "if" => {
                let branch = if self.holds(keyword, value, depth) { "then" } else { "else" };
                all.get(branch).is_none_or(|schema| self.holds(schema, value, depth))
            }
            _ => match value {
                Value::Object(members) => self.object(name, keyword, all, members, depth),
                Value::Array(items) => self.array(name, keyword, all, items, depth),
                Value::String(text) => string(name, keyword, text),
                Value::Number(number) => number.as_f64().is_none_or(|number| numeric(name, keyword, number)),
                Value::Null | Value::Bool(_) => true,
            },
        }
    }

    fn object(
        &mut self,
        name: &str,
        keyword: &'a Value,
        all: &'a Map<String, Value>,
        members: &Map<String, Value>,
        depth: usize,
    ) -> bool {
        match name {
            "required" => keyword
                .as_array()
                .is_none_or(|names| names.iter().filter_map(Value::as_str).all(|name| members.contains_key(name))),
            "properties" => keyword.as_object().is_none_or(|known| {
                known
                    .iter()
                    .all(|(name, schema)| members.get(name).is_none_or(|value| self.holds(schema, value, depth)))
            }),
            "patternProperties" => keyword.as_object().is_none_or(|known| {
                known.iter().all(|(pattern, schema)| {
                    let pattern = Pattern::of_schema(pattern).ok();
                    members
                        .iter()
                        .filter(|(name, _)| pattern.as_ref().is_some_and(|pattern| pattern.is_in(name)))
                        .all(|(_, value)| self.holds(schema, value, depth))
                })
            }),
            "additionalProperties" => {
                let known = all.get("properties").and_then(Value::as_object);
                let patterns: Vec<Pattern> = all
                    .get("patternProperties")
                    .and_then(Value::as_object)
                    .map(|known| known.keys().filter_map(|pattern| Pattern::of_schema(pattern).ok()).collect())
                    .unwrap_or_default();
                members
                    .iter()
                    .filter(|(name, _)| !known.is_some_and(|known| known.contains_key(name.as_str())))
                    .filter(|(name, _)| !patterns.iter().any(|pattern| pattern.is_in(name)))
                    .all(|(_, value)| self.holds(keyword, value, depth))
            }
            "propertyNames" => members.keys().all(|name| self.holds(keyword, &Value::String(name.clone()), depth)),
            "minProperties" => at_least(keyword, members.len()),
            "maxProperties" => at_most(keyword, members.len()),
            _ => true,
        }
    }

    fn array(
        &mut self,
        name: &str,
        keyword: &'a Value,
        all: &'a Map<String, Value>,
        items: &[Value],
        depth: usize,
    ) -> bool {
        match name {
            "items" => {
                let before = all.get("prefixItems").and_then(Value::as_array).map_or(0, Vec::len);
                items.iter().skip(before).all(|item| self.holds(keyword, item, depth))
            }
            "prefixItems" => {
                let schemas = keyword.as_array().map(Vec::as_slice).unwrap_or_default();
                schemas.iter().zip(items).all(|(schema, item)| self.holds(schema, item, depth))
            }
            "contains" => items.iter().any(|item| self.holds(keyword, item, depth)),
            "minItems" => at_least(keyword, items.len()),
            "maxItems" => at_most(keyword, items.len()),
            "uniqueItems" => {
                let mut texts: Vec<String> = items.iter().map(Value::to_string).collect();
                sorted::sort(&mut texts);
                texts.dedup();
                keyword != &Value::Bool(true) || texts.len() == items.len()
            }
            _ => true,
        }
    }
}

fn at_least(keyword: &Value, count: usize) -> bool {
    keyword.as_u64().is_none_or(|least| count as u64 >= least)
}

fn at_most(keyword: &Value, count: usize) -> bool {
    keyword.as_u64().is_none_or(|most| count as u64 <= most)
}

fn is_type(name: &Value, value: &Value) -> bool {
    match (name.as_str().unwrap_or_default(), value) {
        ("integer", Value::Number(number)) => {
            number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        ("object", Value::Object(_))
        | ("array", Value::Array(_))
        | ("string", Value::String(_))
        | ("number", Value::Number(_))
        | ("boolean", Value::Bool(_))
        | ("null", Value::Null) => true,
        _ => false,
    }
}

/// Numbers are equal by their value: 1 and 1.0.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (a, b) => a == b,
    }
}

fn string(name: &str, keyword: &Value, text: &str) -> bool {
    match name {
        "minLength" => at_least(keyword, text.chars().count()),
        "maxLength" => at_most(keyword, text.chars().count()),
        "pattern" => keyword
            .as_str()
            .and_then(|pattern| Pattern::of_schema(pattern).ok())
            .is_none_or(|pattern| pattern.is_in(text)),
        _ => true,
    }
}

fn numeric(name: &str, keyword: &Value, number: f64) -> bool {
    let Some(bound) = keyword.as_f64() else { return true };
    match name {
        "minimum" => number >= bound,
        "maximum" => number <= bound,
        "exclusiveMinimum" => number > bound,
        "exclusiveMaximum" => number < bound,
        "multipleOf" => bound > 0.0 && ((number / bound).round() - number / bound).abs() < 1e-9,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]
    use super::*;
    use serde_json::json;

    fn follows(schema: Value, value: Value) -> bool {
        Schema::new(schema).expect("good").is_followed(&value.to_string())
    }

    #[test]
    fn an_answer_follows_its_schema_or_does_not() {
        let schema = json!({
            "type": "object", "required": ["name", "age"], "additionalProperties": false,
            "properties": {
                "name": { "type": "string", "minLength": 1, "pattern": "^[A-Z]" },
                "age": { "type": "integer", "minimum": 0, "maximum": 150 },
                "tags": { "type": "array", "items": { "$ref": "#/$defs/tag" }, "uniqueItems": true },
            },
            "$defs": { "tag": { "enum": ["a", "b", 1] } },
        });
        assert!(follows(schema.clone(), json!({ "name": "Ana", "age": 5.0, "tags": ["a", 1.0] })));
        for bad in [
            json!({ "name": "Ana" }),
            json!({ "name": "ana", "age": 5 }),
            json!({ "name": "Ana", "age": -1 }),
            json!({ "name": "Ana", "age": 5, "more": 1 }),
            json!({ "name": "Ana", "age": 5, "tags": ["a", "a"] }),
            json!([]),
        ] {
            assert!(!follows(schema.clone(), bad.clone()), "{bad}");
        }
    }

    #[test]
    fn choices_and_conditions_are_followed() {
        let either = json!({ "oneOf": [{ "type": "integer" }, { "minimum": 2 }] });
        assert!(follows(either.clone(), json!(1)) && follows(either.clone(), json!(2.5)) && !follows(either, json!(3)));
        let when =
            json!({ "if": { "required": ["a"] }, "then": { "required": ["b"] }, "else": { "maxProperties": 0 } });
        assert!(
            follows(when.clone(), json!({ "a": 1, "b": 2 }))
                && follows(when.clone(), json!({}))
                && !follows(when, json!({ "a": 1 }))
        );
        assert!(!follows(json!({ "not": { "const": null } }), json!(null)));
    }

    #[test]
    fn a_schema_that_runs_in_circles_ends() {
        assert!(!follows(json!({ "$ref": "#" }), json!(1)));
        let twice = json!({ "anyOf": [{ "$ref": "#" }, { "$ref": "#" }] });
        assert!(!follows(twice, json!(1)));
    }

    #[test]
    fn text_that_is_no_json_follows_nothing_and_a_foreign_reference_is_refused() {
        assert!(!Schema::new(json!({})).expect("good").is_followed("```json\n{}\n```"));
        assert!(Schema::new(json!({ "$ref": "https://example.org/s.json" })).is_err());
        assert!(Schema::new(json!({ "pattern": "(?=x)" })).is_err());
    }
}
