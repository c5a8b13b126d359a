//! From JSON to whatever derives serde's `Deserialize`.
//!
//! serde_json reads the same texts into the same values. But each of the shapes this product reads, more than a hundred, is compiled
//! against its reader with white space, places of errors and a second form, a struct written as an array, inlined: above a kilobyte
//! a shape, in a Worker that travels to every location. Here a struct is an object, and what all shapes share exists once. Members that a struct
//! does not know are passed over: `deny_unknown_fields` is not heard.

use super::cursor::Cursor;
use serde::de::{Deserialize, DeserializeOwned, Expected};
use std::fmt;

/// Reads a text whole.
pub fn parse<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, ReadError> {
    let mut cursor = Cursor::new(text);
    let read = T::deserialize(&mut cursor);
    cursor.finish(read)
}

/// Reads bytes whole.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ReadError> {
    text(bytes).and_then(parse)
}

/// The text that bytes are.
pub fn text(bytes: &[u8]) -> Result<&str, ReadError> {
    str::from_utf8(bytes).map_err(|error| ReadError::new("it is not UTF-8").placed(error.valid_up_to()))
}

/// Why a text could not be read: a sentence, and where.
#[derive(Debug)]
pub struct ReadError(Box<Fault>);

#[derive(Debug)]
struct Fault {
    message: String,
    /// The byte at which it was found, once that is known.
    at: Option<usize>,
}

impl ReadError {
    #[cold]
    pub(super) fn new(message: impl Into<String>) -> ReadError {
        ReadError(Box::new(Fault { message: message.into(), at: None }))
    }

    #[cold]
    pub(super) fn placed(mut self, at: usize) -> ReadError {
        self.0.at.get_or_insert(at);
        self
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where in the text, in bytes.
    pub fn at(&self) -> usize {
        self.0.at.unwrap_or_default()
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.message(), self.at())
    }
}

impl std::error::Error for ReadError {}

impl serde::de::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> ReadError {
        ReadError::new(message.to_string())
    }

    // Of a struct, `Fields` says which one. What serde would have said is a text for each.
    #[inline(always)]
    fn invalid_length(_: usize, _: &dyn Expected) -> ReadError {
        ReadError::new("the array has too few items")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};
    use serde_json::Value;
    use serde_json::value::RawValue;
    use std::borrow::Cow;

    #[derive(Debug, PartialEq, Deserialize, Serialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Plain,
        Told(u8),
        Pair(i64, bool),
        Named { at: f64 },
    }

    #[derive(Debug, PartialEq, Deserialize, Serialize)]
    struct Shape<'a> {
        #[serde(borrow)]
        text: Cow<'a, str>,
        #[serde(default)]
        kinds: Vec<Kind>,
        number: Option<i32>,
        nothing: (),
    }

    #[test]
    fn derived_shapes_are_read_as_they_are_written() {
        let kinds = vec![Kind::Plain, Kind::Told(255), Kind::Pair(i64::MIN, true), Kind::Named { at: -0.5 }];
        let shape = Shape { text: "a\u{1f600}\"\n".into(), kinds, number: Some(-7), nothing: () };
        assert_eq!(parse::<Shape<'_>>(&serde_json::to_string(&shape).unwrap()).unwrap(), shape);
        let spaced = "\t{ \"nothing\" : null ,\"other\":[{}, [1e999]], \"text\": \"plain\",\r\n\"number\":null} ";
        let read: Shape<'_> = parse(spaced).unwrap();
        assert!(matches!(read, Shape { text: Cow::Borrowed("plain"), number: None, .. }), "{read:?}");
        assert_eq!(parse::<Vec<Kind>>(r#"["plain",{"plain":null}]"#).unwrap(), [Kind::Plain, Kind::Plain]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let wrong = |text: &str| parse::<Shape<'_>>(text).unwrap_err().to_string();
        assert_eq!(wrong(""), "the text ends where an object was expected at byte 0");
        assert_eq!(wrong(r#"{"text":"x","text":"y"}"#), "duplicate field `text` at byte 18");
        assert_eq!(wrong(r#"{"text":"x""#), "the text ends where a comma or a closing bracket was expected at byte 11");
        assert_eq!(wrong(r#"{"text":"x"}"#), "missing field `nothing` at byte 12");
        assert_eq!(wrong(r#"{"text":7}"#), "expected a string at byte 8");
        assert_eq!(wrong(r#"["x",[],null,null]"#), "expected an object at byte 0");
        assert_eq!(wrong(r#"{"text":"x","nothing":null,"kinds":[],"text":"y"}"#), "duplicate field `text` at byte 44");
        assert_eq!(
            wrong(r#"{"text":"x","nothing":null,"kinds":[{"pair":[1]}]}"#),
            "the array has too few items at byte 47"
        );
        assert!(wrong(r#"{"text":"x","kinds":["none"]}"#).starts_with("unknown variant `none`, expected one of"));
        assert_eq!(read::<Value>(b"\"a\xff").unwrap_err().to_string(), "it is not UTF-8 at byte 2");
    }

    #[test]
    fn the_text_of_a_value_is_kept_to_the_letter() {
        let text = r#"[ {"a" : 1.50e+3, "b":"\ud800"} , -0 ]"#;
        let raw: Vec<&RawValue> = parse(text).unwrap();
        assert_eq!(raw.iter().map(|raw| raw.get()).collect::<Vec<_>>(), [r#"{"a" : 1.50e+3, "b":"\ud800"}"#, "-0"]);
        let owned: Box<RawValue> = parse(text).unwrap();
        assert_eq!(owned.get(), text);
        assert!(parse::<&RawValue>("{\"a\":01}").is_err());
    }

    /// What both readers make of a text. Of a float with many digits, serde_json's last one may be another.
    fn both(text: &str) -> (Option<String>, Option<String>) {
        let ours = parse::<Value>(text).ok().map(|value| value.to_string());
        (ours, serde_json::from_str::<Value>(text).ok().map(|value| value.to_string()))
    }

    #[test]
    fn serde_json_takes_and_refuses_the_same_texts() {
        let texts = [
            "0",
            "-0",
            "-0.0",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "1e+",
            "1E5",
            "1e999",
            "-1e400",
            "18446744073709551615",
            "18446744073709551616",
            "-9223372036854775808",
            "-9223372036854775809",
            "tru",
            "true",
            "nul",
            "null",
            "[",
            "[]",
            "[,]",
            "[1,]",
            "[1 2]",
            "{",
            "{}",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":1 \"b\":2}",
            "{1:2}",
            "\"",
            "\"\\\"",
            "\"\\u12\"",
            "\"\\u00e9\"",
            "\"\\ud83d\\ude00\"",
            "\"\\ud83d\"",
            "\"\\ude00\"",
            "\"\\ud83d\\u0041\"",
            "\"\\ud83dx\"",
            "\"\\x\"",
            "\"\u{1}\"",
            "\"\u{7f}\"",
            "1 1",
            "\u{feff}1",
            " \n\t\r1 ",
        ];
        for text in texts {
            let (ours, theirs) = both(text);
            assert_eq!(ours, theirs, "{text}");
        }
        for depth in [126, 127, 128, 129] {
            let (ours, theirs) = both(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
            assert_eq!(ours, theirs, "{depth}");
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            "\\PC*".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec(("\\PC{0,6}", inner), 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_come_back_and_broken_texts_are_refused_alike(value in any_value(), at in any::<prop::sample::Index>(), with in "[\\[\\]{},:\"0ntf\\\\ e.-]?") {
            let text = value.to_string();
            prop_assert_eq!(parse::<Value>(&text).unwrap(), value);
            let places: Vec<(usize, char)> = text.char_indices().collect();
            let (place, character) = *at.get(&places);
            let mut broken = text.clone();
            broken.replace_range(place..place + character.len_utf8(), &with);
            let (ours, theirs) = both(&broken);
            prop_assert_eq!(ours.is_some(), theirs.is_some(), "{}", broken);
        }
    }
}
