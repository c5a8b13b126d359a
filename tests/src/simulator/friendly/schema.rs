//! A small instance of a JSON Schema, for structured output and tool arguments.

use serde_json::{Map, Value, json};

/// Deeper than this, a recursive schema gets null.
const DEEPEST: usize = 32;

/// The smallest instance that comes easily: required members only, the first of several alternatives, the shortest strings
/// and arrays. Follows local `$ref`s. Patterns and formats beyond dates, emails, URIs and UUIDs are not honoured.
pub(crate) fn minimal(schema: &Value) -> Value {
    instance(schema, schema, 0)
}

fn instance(schema: &Value, root: &Value, depth: usize) -> Value {
    if depth > DEEPEST {
        return Value::Null;
    }
    let deeper = |schema: &Value| instance(schema, root, depth.saturating_add(1));
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let pointer = target.strip_prefix('#').unwrap_or_default();
        return root.pointer(pointer).map_or(Value::Null, deeper);
    }
    if let Some(value) = schema.get("const") {
        return value.clone();
    }
    if let Some(value) = schema.get("enum").and_then(Value::as_array).and_then(|values| values.first()) {
        return value.clone();
    }
    for alternatives in ["anyOf", "oneOf"] {
        if let Some(first) = schema.get(alternatives).and_then(Value::as_array).and_then(|list| list.first()) {
            return deeper(first);
        }
    }
    if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
        return all_of(parts.iter().map(deeper));
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str),
        other => other.and_then(Value::as_str),
    };
    // Google's own schemas name types in capitals.
    match kind.map(str::to_ascii_lowercase).as_deref() {
        Some("string") => Value::String(string(schema)),
        Some("integer" | "number") => number(schema),
        Some("boolean") => json!(true),
        Some("null") => Value::Null,
        Some("array") => {
            let length = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0).min(100);
            let item = schema.get("items").map_or(Value::Null, deeper);
            Value::Array((0..length).map(|_| item.clone()).collect())
        }
        _ => object(schema, deeper),
    }
}

fn object(schema: &Value, mut member: impl FnMut(&Value) -> Value) -> Value {
    let mut members = Map::new();
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    for name in required.filter_map(Value::as_str) {
        let wanted = schema.get("properties").and_then(|properties| properties.get(name));
        members.insert(name.to_owned(), wanted.map_or(Value::Null, &mut member));
    }
    Value::Object(members)
}

/// Objects are merged; of anything else the last part that says something counts.
fn all_of(parts: impl Iterator<Item = Value>) -> Value {
    let mut merged = Map::new();
    let mut plain = None;
    for part in parts {
        if let Value::Object(members) = part {
            merged.extend(members);
        } else {
            plain = Some(part);
        }
    }
    plain.unwrap_or(Value::Object(merged))
}

fn string(schema: &Value) -> String {
    let known = match schema.get("format").and_then(Value::as_str) {
        Some("date-time") => Some("2025-01-01T00:00:00Z"),
        Some("date") => Some("2025-01-01"),
        Some("time") => Some("00:00:00Z"),
        Some("email") => Some("someone@example.com"),
        Some("uri" | "url") => Some("https://example.com"),
        Some("uuid") => Some("00000000-0000-4000-8000-000000000000"),
        _ => None,
    };
    if let Some(text) = known {
        return text.to_owned();
    }
    let shortest = schema.get("minLength").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let longest =
        schema.get("maxLength").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
    let text = "simulated".chars().cycle().take(shortest.clamp(9, 10_000).min(longest));
    text.collect()
}

fn number(schema: &Value) -> Value {
    if let Some(least) = schema.get("minimum") {
        return least.clone();
    }
    let above = schema.get("exclusiveMinimum").and_then(Value::as_i64);
    let most = schema.get("maximum").and_then(Value::as_i64);
    json!(above.map_or(0, |least| least.saturating_add(1)).min(most.unwrap_or(i64::MAX)))
}
