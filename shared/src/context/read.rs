//! A definition as it is written: JSON in, a [`Definition`] or what is wrong with it out.
//!
//! The same reading holds for administrators, for imports, for what an MCP server offers and for what is kept: nothing is
//! in force that could not have been written by hand.

use super::Definition;
use crate::time::parse_rfc3339;
use crate::units::Millis;
use serde_json::{Map, Value};

/// The longest text of a definition, in bytes.
const MAX_TEXT_BYTES: usize = 16 * 1024;
/// The longest of its words, names and tags, in bytes.
const MAX_WORD_BYTES: usize = 128;
/// The most entries of each of its lists.
const MAX_ENTRIES: usize = 64;
/// The longest time a certification may be good: a hundred years.
const LONGEST: u64 = 100 * 366 * 24 * 3_600_000;

/// What is wrong with a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The member.
    pub member: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

fn wrong(member: &str, rule: &str) -> Wrong {
    Wrong { member: member.chars().take(64).collect(), message: format!("{member} {rule}.") }
}

const MEMBERS: [&str; 10] =
    ["id", "terms", "aliases", "text", "owner", "certified_by", "certified_at", "valid_for", "tags", "teams"];

/// Reads what somebody says of a definition. It has no version yet.
pub fn read(members: &Map<String, Value>) -> Result<Definition, Wrong> {
    if let Some(name) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        let name: String = name.chars().take(64).collect();
        return Err(Wrong {
            message: format!("A definition has no such member. Known: {}.", MEMBERS.join(", ")),
            member: name,
        });
    }
    let id = text(members, "id")?.filter(|id| is_id(id));
    let id = id.ok_or_else(|| {
        wrong("id", "must be 1 to 64 of a-z, 0-9, _, . and -, beginning with a letter or a digit: it names the definition for good")
    })?;
    let terms = words(members, "terms")?;
    if terms.is_empty() {
        return Err(wrong("terms", "must be a list of what it is called, the term itself first"));
    }
    let said = members.get("text").and_then(Value::as_str).unwrap_or_default();
    let printable = said.chars().all(|c| !c.is_control() || c == '\n' || c == '\t');
    if said.trim().is_empty() || said.len() > MAX_TEXT_BYTES || !printable {
        return Err(wrong("text", "must be what it means: printable text of at most 16384 bytes"));
    }
    let at = text(members, "certified_at")?;
    let certified_at = at.map(|text| parse_rfc3339(&text).ok_or_else(|| wrong("certified_at", INSTANT))).transpose()?;
    let span = text(members, "valid_for")?;
    let valid_for = span.map(|text| lasting(&text).ok_or_else(|| wrong("valid_for", SPAN))).transpose()?;
    if valid_for.is_some() && certified_at.is_none() {
        return Err(wrong("certified_at", "must be there where valid_for is: it says since when"));
    }
    Ok(Definition {
        id,
        version: 0,
        terms,
        aliases: words(members, "aliases")?,
        text: said.to_owned(),
        owner: text(members, "owner")?,
        certified_by: text(members, "certified_by")?,
        certified_at,
        valid_for,
        vanished_at: None,
        tags: words(members, "tags")?,
        teams: words(members, "teams")?,
    })
}

const INSTANT: &str = "must be an instant in UTC like 2026-11-21T04:00:00Z";
const SPAN: &str = "must be a number and a unit, such as 90d or 1year";

fn lasting(text: &str) -> Option<Millis> {
    crate::time::parse_span(text).filter(|span| (1..=LONGEST).contains(&span.0))
}

/// A name that stands in headers, keys and URLs as it is.
fn is_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=64).contains(&text.len())
        && text.bytes().next().is_some_and(allowed)
        && text.bytes().all(|byte| allowed(byte) || b"_.-".contains(&byte))
}

fn is_word(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= MAX_WORD_BYTES && !text.chars().any(char::is_control)
}

fn text(members: &Map<String, Value>, name: &str) -> Result<Option<String>, Wrong> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if is_word(text) => Ok(Some(text.clone())),
        Some(Value::String(_) | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(wrong(name, "must be a printable text of at most 128 bytes"))
        }
    }
}

fn words(members: &Map<String, Value>, name: &str) -> Result<Vec<String>, Wrong> {
    let items = match members.get(name) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) => items.as_slice(),
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => &[Value::Null],
    };
    let word = |item: &Value| item.as_str().filter(|text| is_word(text)).map(|text| text.trim().to_owned());
    let read: Option<Vec<String>> = items.iter().map(word).collect();
    read.filter(|words| words.len() <= MAX_ENTRIES)
        .ok_or_else(|| wrong(name, "must be a list of at most 64 printable texts of at most 128 bytes"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(value: &Value) -> Result<Definition, Wrong> {
        read(value.as_object().unwrap())
    }

    #[test]
    fn a_definition_is_read_whole_or_the_member_that_is_wrong_is_named() {
        let good = json!({
            "id": "revenue", "terms": ["Revenue"], "aliases": ["net sales"], "text": "Invoiced, without tax.\nIn EUR.",
            "owner": "finance", "certified_by": "cfo@example.com", "certified_at": "2026-01-01T00:00:00Z",
            "valid_for": "90d", "tags": ["finance"], "teams": [],
        });
        let read = of(&good).unwrap();
        assert_eq!(read.valid_until(), parse_rfc3339("2026-04-01T00:00:00Z"));
        assert_eq!((read.term(), read.is_for("anybody")), ("Revenue", true));
        for (member, value) in [
            ("id", json!("Revenue")),
            ("id", json!("a@1")),
            ("id", json!(null)),
            ("terms", json!([])),
            ("terms", json!("Revenue")),
            ("terms", json!(["a\u{7}"])),
            ("aliases", json!(vec!["x"; 65])),
            ("text", json!("  ")),
            ("text", json!("x".repeat(16_385))),
            ("text", json!("a\u{0}b")),
            ("certified_at", json!("yesterday")),
            ("certified_at", json!(null)),
            ("valid_for", json!("a while")),
            ("valid_for", json!("900years")),
            ("owner", json!(7)),
            ("version", json!(3)),
        ] {
            let mut bad = good.clone();
            bad.as_object_mut().unwrap().insert(member.to_owned(), value.clone());
            assert_eq!(of(&bad).unwrap_err().member, member, "{value}");
        }
    }
}
