//! One spelling for each JSON value, so that a hash means the value: RFC 8785, for what records are made of.
//!
//! Members are sorted by their names' UTF-16 units, nothing is escaped that need not be, there is no white space. Numbers
//! are integers below 2^64; records hold no others, and one that came in all the same is written as it was read.

use crate::sorted;
use serde_json::Value;
use std::cmp::Ordering;

/// The canonical text of a value.
pub fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted::sort_by(&mut sorted, |(one, _), (other, _)| by_utf16(one, other));
            text.push('{');
            for (at, (name, item)) in sorted.into_iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                string(name, text);
                text.push(':');
                write(item, text);
            }
            text.push('}');
        }
        Value::String(value) => string(value, text),
        Value::Null | Value::Bool(_) | Value::Number(_) => text.push_str(&value.to_string()),
    }
}

/// Bytes are in the same order but for what lies beyond the first 65,536 characters.
fn by_utf16(one: &str, other: &str) -> Ordering {
    match one.is_ascii() {
        true => one.cmp(other),
        false => one.encode_utf16().cmp(other.encode_utf16()),
    }
}

/// serde_json escapes exactly what RFC 8785 wants escaped, in its spelling; a string cannot fail to be written.
pub(super) fn string(value: &str, text: &mut String) {
    text.push_str(&serde_json::to_string(value).unwrap_or_default());
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_spelling() {
        let value: Value = serde_json::from_str(
            "{ \"b\": [1, {\"z\":null,\"a\":true}], \"a\":\"\\u20ac\\u000f\\n\\/\", \"\\ud83d\\ude00\": 18446744073709551615, \"\\ufb33\": 0 }",
        )
        .unwrap();
        // U+1F600 begins with the unit D83D, which comes before FB33, though its code point comes after.
        let want =
            "{\"a\":\"€\\u000f\\n/\",\"b\":[1,{\"a\":true,\"z\":null}],\"😀\":18446744073709551615,\"\u{fb33}\":0}";
        assert_eq!(canonical(&value), want);
        assert_eq!(canonical(&serde_json::from_str(want).unwrap()), want);
    }
}
