//! Reading JSON member by member, so that an error can name its path and nothing is lost unnoticed.
//!
//! Values stay borrowed text until someone asks for them; every level is scanned once more than it
//! is deep, which for a chat is a handful. `null` counts as absent throughout.

use super::ir::Json;
use super::text;
use crate::error::ApiError;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Where in a document a value stands: `messages[0].content`. Lives on the stack.
#[derive(Clone, Copy)]
pub(crate) enum Path<'p> {
    Root,
    Member(&'p Path<'p>, &'p str),
    Item(&'p Path<'p>, usize),
}

impl<'p> Path<'p> {
    pub(crate) fn member(&'p self, name: &'p str) -> Path<'p> {
        Path::Member(self, name)
    }

    pub(crate) fn item(&'p self, index: usize) -> Path<'p> {
        Path::Item(self, index)
    }

    pub(crate) fn invalid(&self, message: impl Into<String>) -> ApiError {
        ApiError::invalid(self.to_string(), message)
    }

    fn expected(&self, what: &str) -> ApiError {
        self.invalid(format!("`{self}` must be {what}."))
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Member(Path::Root, name) => f.write_str(name),
            Path::Member(parent, name) => write!(f, "{parent}.{name}"),
            Path::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// An object whose members are taken one by one; what is left over can be asked for.
pub(crate) struct Object<'a, 'p> {
    members: Vec<(Cow<'a, str>, Option<&'a RawValue>)>,
    pub(crate) path: &'p Path<'p>,
}

impl<'a, 'p> Object<'a, 'p> {
    /// The object in `text`; an error when it is something else.
    pub(crate) fn read(text: &'a str, path: &'p Path<'p>) -> Result<Object<'a, 'p>, ApiError> {
        match crate::json::parse::<RawMembers<'a>>(text) {
            Ok(RawMembers(members)) => Ok(Object { members, path }),
            Err(_) => Err(match path {
                Path::Root => ApiError::new(crate::error::Code::InvalidRequest, "The body must be a JSON object."),
                Path::Member(..) | Path::Item(..) => path.expected("an object"),
            }),
        }
    }

    /// The same object with members named in snake_case under their camelCase names: JSON of protocol
    /// buffers is read in either.
    pub(crate) fn camel_case(mut self) -> Object<'a, 'p> {
        for (name, _) in self.members.iter_mut().filter(|(name, _)| name.contains('_')) {
            let mut camel = String::with_capacity(name.len());
            for (place, word) in name.trim_start_matches('_').split('_').enumerate() {
                let mut letters = word.chars();
                match letters.next().filter(|_| place > 0) {
                    Some(first) => {
                        camel.push(first.to_ascii_uppercase());
                        camel.push_str(letters.as_str());
                    }
                    None => camel.push_str(word),
                }
            }
            *name = Cow::Owned(camel);
        }
        self
    }

    /// The member's value, taken out; `null` is absence.
    pub(crate) fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let slot = self.members.iter_mut().find(|(key, value)| value.is_some() && key == name)?;
        slot.1.take().filter(|raw| raw.get() != "null")
    }

    /// Whether the member is there and not `null`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(key, value)| key == name && value.is_some_and(|raw| raw.get() != "null"))
    }

    /// The member's value, left where it is.
    pub(crate) fn peek(&self, name: &str) -> Option<&'a RawValue> {
        self.members.iter().find(|(key, _)| key == name)?.1.filter(|raw| raw.get() != "null")
    }

    pub(crate) fn json(&mut self, name: &str) -> Option<Json> {
        self.take(name).map(Json::from)
    }

    pub(crate) fn string(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        self.take(name).map(|raw| read_string(raw, &self.path.member(name))).transpose()
    }

    pub(crate) fn required_string(&mut self, name: &str) -> Result<String, ApiError> {
        self.string(name)?.ok_or_else(|| self.path.member(name).expected("a string"))
    }

    pub(crate) fn boolean(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        self.parsed(name, "true or false")
    }

    pub(crate) fn number(&mut self, name: &str) -> Result<Option<f64>, ApiError> {
        self.parsed(name, "a number")
    }

    pub(crate) fn count(&mut self, name: &str) -> Result<Option<u64>, ApiError> {
        self.parsed(name, "an integer of at least 0")
    }

    pub(crate) fn integer(&mut self, name: &str) -> Result<Option<i64>, ApiError> {
        self.parsed(name, "an integer")
    }

    fn parsed<T: Deserialize<'a>>(&mut self, name: &str, what: &str) -> Result<Option<T>, ApiError> {
        let read = |raw: &'a RawValue| crate::json::parse(raw.get()).map_err(|_| self.path.member(name).expected(what));
        let raw =
            self.members.iter_mut().find(|(key, value)| value.is_some() && key == name).and_then(|slot| slot.1.take());
        raw.filter(|raw| raw.get() != "null").map(read).transpose()
    }

    /// The items of an array member; empty when it is absent.
    pub(crate) fn items(&mut self, name: &str) -> Result<Vec<&'a RawValue>, ApiError> {
        self.take(name).map_or(Ok(Vec::new()), |raw| read_items(raw, &self.path.member(name)))
    }

    /// What nobody took, in order, without `null`s.
    pub(crate) fn rest(self) -> Vec<(String, Json)> {
        let kept = self.members.into_iter().filter_map(|(name, value)| Some((name, value?)));
        kept.filter(|(_, raw)| raw.get() != "null").map(|(name, raw)| (name.into_owned(), Json::from(raw))).collect()
    }

    /// What nobody took, in order, `null`s too.
    pub(crate) fn rest_with_nulls(self) -> Vec<(String, Json)> {
        let kept = self.members.into_iter().filter_map(|(name, value)| Some((name, value?)));
        kept.map(|(name, raw)| (name.into_owned(), Json::from(raw))).collect()
    }

    /// The paths of what nobody took.
    pub(crate) fn rest_paths(self, paths: &mut Vec<String>) {
        let path = self.path;
        for (name, value) in self.members {
            if paths.len() < 64 && value.is_some_and(|raw| raw.get() != "null") {
                paths.push(path.member(&name).to_string());
            }
        }
    }
}

/// A string; anything else is an error.
pub(crate) fn read_string(raw: &RawValue, path: &Path<'_>) -> Result<String, ApiError> {
    text::decode(raw.get()).ok_or_else(|| path.expected("a string"))
}

/// The items of an array; anything else is an error.
pub(crate) fn read_items<'a>(raw: &'a RawValue, path: &Path<'_>) -> Result<Vec<&'a RawValue>, ApiError> {
    crate::json::parse(raw.get()).map_err(|_| path.expected("an array"))
}

/// The items of an array, or the one value that stands for an array of it, as JSON of protocol buffers
/// may have it.
pub(crate) fn read_list<'a>(raw: &'a RawValue, path: &Path<'_>) -> Result<Vec<&'a RawValue>, ApiError> {
    if raw.get().starts_with('[') { read_items(raw, path) } else { Ok(vec![raw]) }
}

/// The body as text, or the error a caller gets.
pub(crate) fn body_text(body: &[u8]) -> Result<&str, ApiError> {
    std::str::from_utf8(body)
        .map_err(|_| ApiError::new(crate::error::Code::InvalidRequest, "The body must be JSON in UTF-8."))
}

/// All members of an object in order, keys decoded, values untouched.
pub(crate) struct RawMembers<'a>(pub(crate) Vec<(Cow<'a, str>, Option<&'a RawValue>)>);

impl<'de: 'a, 'a> Deserialize<'de> for RawMembers<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RawMembers<'a>, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = RawMembers<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawMembers<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(Key(key)) = map.next_key()? {
                    members.push((key, Some(map.next_value::<&RawValue>()?)));
                }
                Ok(RawMembers(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// A key, borrowed unless it has escapes.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
