//! Reads a text into a tree of values.
//!
//! serde_json's own reading of its `Value` takes an object with a certain name for something else, and brings its whole parser along for
//! that. Here a tree is what the text says, and nothing is compiled but this.

use super::ReadError;
use super::cursor::{Cursor, Inside, Number};
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// What becomes of a name that an object has already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Twice {
    /// The last one counts.
    Last,
    /// The text is refused: what its writer meant is anybody's guess.
    Refused,
}

/// Reads a text whole into a tree.
pub fn tree(text: &str) -> Result<Value, ReadError> {
    whole(text, Twice::Last)
}

/// The same, but that no object may name a member twice.
pub fn strict_tree(text: &str) -> Result<Value, ReadError> {
    whole(text, Twice::Refused)
}

/// Reads a text whole that must be an object.
pub fn object(text: &str) -> Result<Map<String, Value>, ReadError> {
    let mut cursor = Cursor::new(text);
    let read = members(&mut cursor, Twice::Last);
    cursor.finish(read)
}

/// Reads a tree that is a part of something derived: for `#[serde(deserialize_with)]`.
pub fn any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    let raw: Box<RawValue> = Deserialize::deserialize(deserializer)?;
    tree(raw.get()).map_err(Error::custom)
}

fn whole(text: &str, twice: Twice) -> Result<Value, ReadError> {
    let mut cursor = Cursor::new(text);
    let read = value(&mut cursor, twice);
    cursor.finish(read)
}

fn value(cursor: &mut Cursor<'_>, twice: Twice) -> Result<Value, ReadError> {
    Ok(match cursor.peek() {
        Some(b'"') => Value::String(cursor.string()?.into_owned()),
        Some(b'{') => Value::Object(members(cursor, twice)?),
        Some(b'[') => {
            let (mut items, mut read) = (Inside::enter(cursor, b'[')?, Vec::new());
            while items.next()? {
                read.push(value(items.cursor, twice)?);
            }
            Value::Array(read)
        }
        Some(b't' | b'f') => Value::Bool(cursor.boolean()?),
        Some(b'-' | b'0'..=b'9') => match cursor.number()? {
            Number::Natural(number) => number.into(),
            Number::Negative(number) => number.into(),
            Number::Float(number) => number.into(),
        },
        Some(_) | None if cursor.null()? => Value::Null,
        Some(_) | None => return Err(cursor.expected("a value")),
    })
}

fn members(cursor: &mut Cursor<'_>, twice: Twice) -> Result<Map<String, Value>, ReadError> {
    let (mut members, mut read) = (Inside::enter(cursor, b'{')?, Map::new());
    while let Some(name) = members.name()? {
        if twice == Twice::Refused && read.contains_key(&*name) {
            return Err(ReadError::new(format!("the key {name:?} is written twice")));
        }
        members.cursor.colon()?;
        let value = value(members.cursor, twice)?;
        read.insert(name.into_owned(), value);
    }
    Ok(read)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::json::json;

    #[test]
    fn a_tree_is_what_the_text_says() {
        let text = r#" {"a":[1,-2,0.5,"\u00e9",true,null,{}],"b":{"c":[]}} "#;
        assert_eq!(tree(text).unwrap(), json!({ "a": [1, -2, 0.5, "é", true, null, {}], "b": { "c": [] } }));
        assert_eq!(object(text).map(Value::Object).unwrap(), tree(text).unwrap());
        assert!(object("[]").is_err() && tree("{} {}").is_err() && tree("").is_err());
    }

    #[test]
    fn the_name_of_serde_json_s_raw_values_is_a_name_like_others() {
        let text = r#"{"$serde_json::private::RawValue":"[1]"}"#;
        assert_eq!(tree(text).unwrap().to_string(), text);
    }

    #[test]
    fn a_name_twice_counts_as_the_last_or_is_refused() {
        let text = r#"{"a":1,"b":{"a":2,"a":3}}"#;
        assert_eq!(tree(text).unwrap(), json!({ "a": 1, "b": { "a": 3 } }));
        assert_eq!(strict_tree(text).unwrap_err().to_string(), "the key \"a\" is written twice at byte 21");
    }
}
