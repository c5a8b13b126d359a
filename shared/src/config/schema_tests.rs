//! The published schema: pinned to a golden file, and never stricter or laxer than the parser where
//! a schema can say what the parser checks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use super::tests::FULL;
use super::*;
use crate::json::json;
use crate::sorted::SortedMap;
use std::cell::RefCell;

/// The keywords our schemas use, as draft 2020-12 defines them. An unknown one fails the test, so that
/// the check cannot pass by ignoring what it does not know.
fn valid(schema: &Value, value: &Value) -> bool {
    let Some(schema) = schema.as_object() else { return schema.as_bool().unwrap() };
    schema.iter().all(|(keyword, want)| match keyword.as_str() {
        "$schema" | "title" | "description" | "default" | "$defs" => true,
        "$ref" => want == routes::GROUP && valid(&routes::group_schema(), value),
        "type" => match want.as_str().unwrap() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "number" => value.is_number(),
            "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
            other => panic!("type {other}"),
        },
        "enum" => want.as_array().unwrap().contains(value),
        "minimum" => value.as_f64().is_none_or(|number| number >= want.as_f64().unwrap()),
        "maximum" => value.as_f64().is_none_or(|number| number <= want.as_f64().unwrap()),
        "pattern" => value.as_str().is_none_or(|text| matches(want.as_str().unwrap(), text)),
        "anyOf" => want.as_array().unwrap().iter().any(|schema| valid(schema, value)),
        "items" => value.as_array().is_none_or(|values| values.iter().all(|value| valid(want, value))),
        "minItems" => value.as_array().is_none_or(|values| values.len() as u64 >= want.as_u64().unwrap()),
        "required" => value
            .as_object()
            .is_none_or(|table| want.as_array().unwrap().iter().all(|name| table.contains_key(name.as_str().unwrap()))),
        "properties" => value.as_object().is_none_or(|table| {
            want.as_object()
                .unwrap()
                .iter()
                .all(|(name, schema)| table.get(name).is_none_or(|value| valid(schema, value)))
        }),
        "propertyNames" => {
            value.as_object().is_none_or(|table| table.keys().all(|name| valid(want, &Value::from(name.as_str()))))
        }
        "additionalProperties" => value.as_object().is_none_or(|table| {
            let known = schema.get("properties").and_then(Value::as_object);
            table.iter().all(|(name, value)| known.is_some_and(|known| known.contains_key(name)) || valid(want, value))
        }),
        other => panic!("keyword {other}"),
    })
}

/// Whether `text` matches `pattern`, which is compiled once.
fn matches(pattern: &str, text: &str) -> bool {
    thread_local!(static COMPILED: RefCell<SortedMap<String, regex_lite::Regex>> = RefCell::default());
    COMPILED.with_borrow_mut(|compiled| {
        let regex = compiled.entry(pattern.to_owned()).or_insert_with(|| regex_lite::Regex::new(pattern).unwrap());
        regex.is_match(text)
    })
}

fn full() -> Value {
    source::read(FULL, &mut Vec::new()).unwrap()
}

/// Every document that differs from `value` in one place: a junk value, a missing key, a key too many.
fn mutations(value: &Value) -> Vec<Value> {
    let junk =
        || ["null", "true", "7", "-1", "0.5", "\"\"", "\"x y\"", "\"fast\"", "[]", "{}", "[7]", "1e300"].into_iter();
    let mut all: Vec<Value> = junk().map(|text| serde_json::from_str(text).unwrap()).collect();
    match value {
        Value::Object(table) => {
            for (name, member) in table {
                let with = |member| {
                    let mut table = table.clone();
                    table.insert(name.clone(), member);
                    Value::Object(table)
                };
                all.extend(mutations(member).into_iter().map(with));
                let mut without = table.clone();
                without.remove(name);
                all.push(without.into());
            }
            let mut more = table.clone();
            more.insert("nobody-asked".to_owned(), json!({}));
            all.push(more.into());
        }
        Value::Array(values) => {
            for (i, value) in values.iter().enumerate() {
                all.extend(mutations(value).into_iter().map(|value| {
                    let mut values = values.clone();
                    values[i] = value;
                    Value::Array(values)
                }));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    all
}

/// The schema as the parser's own description gives it.
fn schema() -> Value {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Signalbox configuration",
    });
    let Value::Object(document) = Record(document).schema() else { panic!("not a table") };
    schema.as_object_mut().unwrap().extend(document);
    // Groups hold groups: that schema has a name.
    schema["$defs"] = json!({ "group": routes::group_schema() });
    schema
}

#[test]
fn the_published_schema_is_what_the_parser_describes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/config/schema.json");
    // A line for each member, so that a change shows; without indents, which weigh two kilobytes in the Worker.
    let text = format!("{:#}\n", schema()).lines().map(|line| format!("{}\n", line.trim_start())).collect::<String>();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(path).unwrap(), "run with UPDATE_GOLDEN=1 if this is meant");
    assert_eq!(super::schema(), schema());
}

#[test]
fn the_full_example_uses_every_key_of_the_schema() {
    let mut unused = Vec::new();
    unused_keys(&schema(), &[&full()], "", &mut unused);
    assert_eq!(unused, Vec::<String>::new());
}

fn unused_keys(schema: &Value, values: &[&Value], path: &str, unused: &mut Vec<String>) {
    for alternative in schema.get("anyOf").and_then(Value::as_array).into_iter().flatten() {
        let fitting: Vec<&Value> = values.iter().copied().filter(|value| valid(alternative, value)).collect();
        unused_keys(alternative, &fitting, path, unused);
    }
    if let Some(items) = schema.get("items") {
        let inner: Vec<&Value> = values.iter().filter_map(|value| value.as_array()).flatten().collect();
        unused_keys(items, &inner, path, unused);
    }
    if let Some(named @ Value::Object(_)) = schema.get("additionalProperties") {
        let inner: Vec<&Value> =
            values.iter().filter_map(|value| value.as_object()).flat_map(|table| table.values()).collect();
        unused_keys(named, &inner, path, unused);
    }
    for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let path = format!("{path}.{name}");
        let inner: Vec<&Value> = values.iter().filter_map(|value| value.get(name)).collect();
        // A section that stands in two places is shown in full in one of them.
        if inner.is_empty() && !path.starts_with(".providers.timeouts.") && !path.starts_with(".timeouts.") {
            unused.push(path.clone());
        }
        unused_keys(schema, &inner, &path, unused);
    }
}

#[test]
fn what_the_parser_accepts_the_schema_accepts() {
    let schema = schema();
    assert!(valid(&schema, &full()));
    let (mut accepted, mut refused_by_both) = (0, 0);
    for document in mutations(&full()) {
        match (Config::from_value(&document), valid(&schema, &document)) {
            (Ok(_), true) => accepted += 1,
            (Ok(_), false) => panic!("the parser alone accepts {document}"),
            (Err(_), false) => refused_by_both += 1,
            // What only the parser can know: references, URLs, one key against another.
            (Err(invalid), true) => {
                let places = [
                    "provider",
                    "model",
                    "routes",
                    "rules",
                    "teams",
                    "guardrails",
                    "context",
                    "templates",
                    "transforms",
                    "default_route",
                    "cors.allow_origins",
                    "retries.base_ms",
                    "auth.raw_provider_keys",
                    "auth.console",
                    "export.otlp",
                ];
                let excused = |problem: &Problem| places.iter().any(|place| problem.path.starts_with(place));
                assert!(invalid.problems.iter().all(excused), "the schema alone accepts {document}\n{invalid}");
            }
        }
    }
    assert!(accepted > 20 && refused_by_both > 200, "{accepted} {refused_by_both}");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "(\\PC|[\\[\\]{}=\".,:#\n]){0,200}") {
        let _ = Config::parse(&text);
        let _ = Config::parse(&format!("{{{text}"));
        let _ = Config::parse(&format!("[routes.a]\ncandidates = [\"{text}\"]"));
    }
}
