//! Holds an expectation against what was seen.
//!
//! An object expects its members and permits others; a list expects its items and no others; anything else expects itself.
//! An object whose only member begins with `$` is a matcher:
//!
//! | matcher | holds for |
//! |---|---|
//! | `{"$absent": true}` | a member that is not there |
//! | `{"$any": true}` | anything that is there, null too |
//! | `{"$contains": x}` | a text with `x` in it; a list with an item that matches `x` |
//! | `{"$lacks": x}` | the opposite of `$contains`; an absent member lacks everything |
//! | `{"$starts": "x"}`, `{"$ends": "x"}` | a text that begins or ends so |
//! | `{"$exact": x}` | `x` and nothing more, members in any order |
//! | `{"$json": x}` | a text that is JSON matching `x` |
//! | `{"$length": n}` | a text of `n` bytes, a list of `n` items |
//! | `{"$between": [a, b]}` | a number, or a text of one, from `a` to `b` |
//! | `{"$one_of": [x, …]}` | what matches one of these |

use serde_json::Value;

/// Everything that is not as expected, each with its path. `path` is where `actual` stands.
pub fn differences(path: &str, expected: &Value, actual: Option<&Value>) -> Vec<String> {
    let mut problems = Vec::new();
    compare(path, expected, actual, &mut problems);
    problems
}

fn compare(path: &str, expected: &Value, actual: Option<&Value>, problems: &mut Vec<String>) {
    if let Some((name, argument)) = matcher(expected) {
        if !holds(name, argument, actual) {
            problems.push(format!("{path}: expected {expected}, saw {}", shown(actual)));
        }
        return;
    }
    match (expected, actual) {
        (Value::Object(members), Some(Value::Object(seen))) => {
            for (name, member) in members {
                compare(&format!("{path}.{name}"), member, seen.get(name), problems);
            }
        }
        (Value::Array(items), Some(Value::Array(seen))) => {
            if items.len() != seen.len() {
                let what = shown(actual);
                problems.push(format!("{path}: expected {} items, saw {}: {what}", items.len(), seen.len()));
            }
            for (index, (item, seen)) in items.iter().zip(seen).enumerate() {
                compare(&format!("{path}[{index}]"), item, Some(seen), problems);
            }
        }
        (Value::Number(number), Some(Value::Number(seen))) if number.as_f64() == seen.as_f64() => {}
        (expected, Some(seen)) if expected == seen => {}
        (expected, actual) => problems.push(format!("{path}: expected {expected}, saw {}", shown(actual))),
    }
}

/// The name and argument of a matcher.
fn matcher(expected: &Value) -> Option<(&str, &Value)> {
    let members = expected.as_object().filter(|members| members.len() == 1)?;
    let (name, argument) = members.iter().next()?;
    Some((name.strip_prefix('$')?, argument))
}

fn holds(name: &str, argument: &Value, actual: Option<&Value>) -> bool {
    let text = actual.and_then(Value::as_str);
    let wanted = argument.as_str().unwrap_or_default();
    let contains = || match (text, actual) {
        (Some(text), _) => text.contains(wanted),
        (None, Some(Value::Array(items))) => items.iter().any(|item| differences("", argument, Some(item)).is_empty()),
        (None, _) => false,
    };
    match name {
        "absent" => actual.is_none(),
        "any" => actual.is_some(),
        "contains" => contains(),
        "lacks" => !contains(),
        "starts" => text.is_some_and(|text| text.starts_with(wanted)),
        "ends" => text.is_some_and(|text| text.ends_with(wanted)),
        "exact" => actual == Some(argument),
        "json" => text
            .and_then(|text| serde_json::from_str::<Value>(text).ok())
            .is_some_and(|value| differences("", argument, Some(&value)).is_empty()),
        "length" => {
            let length = text.map(str::len).or(actual.and_then(Value::as_array).map(Vec::len));
            length.and_then(|length| u64::try_from(length).ok()) == argument.as_u64()
        }
        "between" => {
            let number = actual.and_then(Value::as_f64).or(text.and_then(|text| text.parse().ok()));
            let bound = |index| argument.get(index).and_then(Value::as_f64);
            number.zip(bound(0)).zip(bound(1)).is_some_and(|((number, low), high)| (low..=high).contains(&number))
        }
        "one_of" => {
            let choices = argument.as_array().map(Vec::as_slice).unwrap_or_default();
            choices.iter().any(|choice| differences("", choice, actual).is_empty())
        }
        // A misspelt matcher must not pass for one that holds.
        _ => false,
    }
}

/// A value as a problem tells it, in one line of bounded length.
fn shown(value: Option<&Value>) -> String {
    const LONGEST: usize = 600;
    let Some(value) = value else { return "nothing".to_owned() };
    let text = value.to_string();
    if text.len() <= LONGEST {
        return text;
    }
    let short: String = text.chars().take(LONGEST).collect();
    format!("{short}… ({} bytes)", text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_matcher_holds_for_one_thing_and_not_for_another() {
        for (matcher, good, bad) in [
            (json!({"$absent": true}), json!({}), json!({"x": null})),
            (json!({"$any": true}), json!({"x": null}), json!({})),
            (json!({"$contains": "b"}), json!({"x": "abc"}), json!({"x": "ac"})),
            (json!({"$contains": {"a": 1}}), json!({"x": [{"a": 1, "b": 2}]}), json!({"x": [{"a": 2}]})),
            (json!({"$lacks": "b"}), json!({"x": "ac"}), json!({"x": "abc"})),
            (json!({"$starts": "a"}), json!({"x": "ab"}), json!({"x": "ba"})),
            (json!({"$ends": "a"}), json!({"x": "ba"}), json!({"x": "ab"})),
            (json!({"$exact": {"a": 1}}), json!({"x": {"a": 1}}), json!({"x": {"a": 1, "b": 1}})),
            (json!({"$json": {"a": 1}}), json!({"x": "{\"a\": 1, \"b\": 2}"}), json!({"x": "{\"a\": 2}"})),
            (json!({"$length": 2}), json!({"x": [1, 2]}), json!({"x": [1]})),
            (json!({"$between": [1, 2]}), json!({"x": "1.5"}), json!({"x": 3})),
            (json!({"$one_of": [1, "a"]}), json!({"x": "a"}), json!({"x": "b"})),
            (json!({"a": [1, {"$any": true}]}), json!({"x": {"a": [1, 2], "c": 3}}), json!({"x": {"a": [1]}})),
        ] {
            let expected = json!({"x": matcher});
            assert_eq!(differences("it", &expected, Some(&good)), Vec::<String>::new(), "{expected}");
            assert!(!differences("it", &expected, Some(&bad)).is_empty(), "{expected}");
        }
    }

    #[test]
    fn a_misspelt_matcher_never_holds() {
        assert!(!differences("it", &json!({"$contain": "a"}), Some(&json!("a"))).is_empty());
    }

    #[test]
    fn a_problem_names_its_path() {
        let problems = differences("body", &json!({"a": [{"b": 1}]}), Some(&json!({"a": [{"b": 2}]})));
        assert_eq!(problems, ["body.a[0].b: expected 1, saw 2"]);
    }
}
