//! What differs between two documents, path by path.

use crate::json::json;
use crate::sorted;
use serde_json::{Map, Value};

/// Every value that was added, removed or changed, in the order of the paths. Tables are compared member by member; anything
/// else, lists too, as a whole: an entry of a list has no name that would stay the same.
pub(super) fn differences(before: &Value, after: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    compare("", Some(before), Some(after), &mut found);
    found
}

fn compare(path: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Value>) {
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => members(path, old, new, found),
        // A table that came or went is told member by member, too, unless it is empty.
        (Some(Value::Object(old)), None) if !old.is_empty() => members(path, old, &Map::new(), found),
        (None, Some(Value::Object(new))) if !new.is_empty() => members(path, &Map::new(), new, found),
        (Some(old), Some(new)) if old == new => {}
        (Some(old), Some(new)) => found.push(json!({ "path": path, "change": "changed", "from": old, "to": new })),
        (Some(old), None) => found.push(json!({ "path": path, "change": "removed", "from": old })),
        (None, Some(new)) => found.push(json!({ "path": path, "change": "added", "to": new })),
        (None, None) => {}
    }
}

fn members(path: &str, old: &Map<String, Value>, new: &Map<String, Value>, found: &mut Vec<Value>) {
    let added = new.keys().filter(|name| !old.contains_key(*name));
    let mut names: Vec<&String> = old.keys().chain(added).collect();
    sorted::sort(&mut names);
    for name in names {
        let bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        let name_in_path = if bare { name.clone() } else { format!("{name:?}") };
        let dot = if path.is_empty() { "" } else { "." };
        compare(&format!("{path}{dot}{name_in_path}"), old.get(name), new.get(name), found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_with_its_path_and_what_was_and_is() {
        let before = json!({ "a": 1, "b": { "c": [1], "d": 1 }, "gone": { "x": 1 }, "same": { "y": 1 } });
        let after =
            json!({ "a": 2, "b": { "c": [1, 2], "d": 1 }, "models": { "acme:large": { "q": 1 } }, "same": { "y": 1 } });
        assert_eq!(
            differences(&before, &after),
            [
                json!({ "path": "a", "change": "changed", "from": 1, "to": 2 }),
                json!({ "path": "b.c", "change": "changed", "from": [1], "to": [1, 2] }),
                json!({ "path": "gone.x", "change": "removed", "from": 1 }),
                json!({ "path": "models.\"acme:large\".q", "change": "added", "to": 1 }),
            ]
        );
    }

    #[test]
    fn a_document_does_not_differ_from_itself_and_an_empty_table_counts() {
        let document = json!({ "teams": { "a": {} } });
        assert_eq!(differences(&document, &document), Vec::<Value>::new());
        assert_eq!(differences(&json!({}), &document).len(), 1);
    }
}
