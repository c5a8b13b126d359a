//! The OpenAPI schema of `parameters` and `responseSchema`, as the JSON Schema every other dialect
//! takes. Towards Google nothing is lowered: it takes JSON Schema too, in `parametersJsonSchema`.

use crate::dialect::gemini::citation::json_of;
use crate::dialect::ir::Json;
use crate::dialect::json_read::{Object, Path, read_items};
use crate::dialect::json_write::{Items, array, object, string};
use crate::dialect::text;
use serde_json::value::RawValue;

/// Deeper than any schema people write; a body nests no deeper than the scanner permits anyway.
const DEEPEST: usize = 64;

/// The same schema: types in lower case, `nullable` as a type, counts as numbers, Google's own order
/// of properties left out (the properties keep theirs).
pub(super) fn to_json_schema(raw: &RawValue) -> Json {
    let mut out = Vec::with_capacity(raw.get().len());
    schema(&mut out, raw, 0);
    json_of(&out)
}

fn schema(out: &mut Vec<u8>, raw: &RawValue, depth: usize) {
    let path = Path::Root;
    let Some(members) = Object::read(raw.get(), &path).ok().filter(|_| depth < DEEPEST) else {
        return out.extend_from_slice(raw.get().as_bytes());
    };
    let mut members = members.camel_case();
    let nullable = members.boolean("nullable").ok().flatten() == Some(true);
    members.take("propertyOrdering");
    object(out, |o| {
        for (name, json) in members.rest_with_nulls() {
            let Ok(value) = crate::json::parse::<&RawValue>(json.text()) else { continue };
            match name.as_str() {
                "type" => {
                    if let Some(kind) = text::decode(value.get()) {
                        if kind != "TYPE_UNSPECIFIED" {
                            write_type(o.value("type"), &kind.to_ascii_lowercase(), nullable);
                        }
                    } else {
                        o.json(&name, &json);
                    }
                }
                // A word of Google's for an enumeration, no format.
                "format" if value.get() == "\"enum\"" => {}
                "properties" | "$defs" | "defs" | "definitions" | "patternProperties" => {
                    named_schemas(o.value(&name), value, depth + 1);
                }
                "items" | "additionalProperties" | "not" | "contains" => schema(o.value(&name), value, depth + 1),
                "anyOf" | "oneOf" | "allOf" | "prefixItems" => match read_items(value, &path) {
                    Ok(items) => {
                        array(o.value(&name), |a| items.iter().for_each(|raw| schema(a.value(), raw, depth + 1)))
                    }
                    Err(_) => o.json(&name, &json),
                },
                "minItems" | "maxItems" | "minLength" | "maxLength" | "minProperties" | "maxProperties" => {
                    // 64-bit integers are strings in the JSON of protocol buffers.
                    match text::decode(value.get()).and_then(|text| text.parse::<u64>().ok()) {
                        Some(count) => o.number(&name, count),
                        None => o.json(&name, &json),
                    }
                }
                _ => o.json(&name, &json),
            }
        }
    });
}

fn write_type(out: &mut Vec<u8>, kind: &str, nullable: bool) {
    if nullable {
        array(out, |a: &mut Items<'_>| {
            a.string(kind);
            a.string("null");
        });
    } else {
        string(out, kind);
    }
}

/// An object whose members are schemas, by names that are the caller's own.
fn named_schemas(out: &mut Vec<u8>, raw: &RawValue, depth: usize) {
    let path = Path::Root;
    let Ok(members) = Object::read(raw.get(), &path) else { return out.extend_from_slice(raw.get().as_bytes()) };
    object(out, |o| {
        for (name, json) in members.rest_with_nulls() {
            if let Ok(value) = crate::json::parse::<&RawValue>(json.text()) {
                schema(o.value(&name), value, depth);
            }
        }
    });
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn googles_schema_becomes_json_schema_with_every_keyword_and_in_order() {
        let google = r#"{"type":"OBJECT","propertyOrdering":["b","a"],"properties":{"type":{"type":"STRING","format":"enum","enum":["X"]},
            "b":{"type":"ARRAY","items":{"type":"INTEGER","nullable":true},"minItems":"1"},"any_of":{"any_of":[{"type":"NUMBER"},{"type":"BOOLEAN"}]}},
            "required":["b"],"additionalProperties":false}"#;
        let expected = r#"{"type":"object","properties":{"type":{"type":"string","enum":["X"]},"b":{"type":"array","items":{"type":["integer","null"]},"minItems":1},"any_of":{"anyOf":[{"type":"number"},{"type":"boolean"}]}},"required":["b"],"additionalProperties":false}"#;
        assert_eq!(to_json_schema(serde_json::from_str(google).unwrap()).text(), expected);
    }

    #[test]
    fn what_is_no_schema_stays_as_it_is() {
        for json in ["true", "[1]", r#"{"type":["string","null"]}"#, r#"{"properties":3}"#] {
            assert_eq!(to_json_schema(serde_json::from_str(json).unwrap()).text(), json);
        }
    }
}
