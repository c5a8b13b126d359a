//! Types for reading what providers send: a value of the wrong type is absent, never an error.
//!
//! They borrow from the event they are read from, so an ordinary delta costs no allocation but the
//! text it carries. How they are read is said in [`wire`](super::wire).

use super::wire::{Broken, Sink, Value, read};
use crate::usage::Tier;
use serde::de::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A string, borrowed where it has no escapes; empty when the value is something else.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Text<'a>(pub(crate) Option<Cow<'a, str>>);

impl Text<'_> {
    /// The string unless it is absent or empty.
    pub(crate) fn some(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.is_empty())
    }
}

impl<'a> Text<'a> {
    /// The string unless it is absent or empty.
    pub(crate) fn into_some(self) -> Option<Cow<'a, str>> {
        self.0.filter(|text| !text.is_empty())
    }
}

impl<'a> Sink<'a> for Text<'a> {
    fn text(&mut self, text: Cow<'a, str>) {
        self.0 = Some(text);
    }
}

/// The tier a provider says it served a call under; the standard one where it says nothing readable.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ServiceTier(pub(crate) Tier);

impl<'de> Sink<'de> for ServiceTier {
    fn text(&mut self, text: Cow<'de, str>) {
        if !text.is_empty() {
            self.0 = Tier::parse(&text);
        }
    }
}

/// A number of tokens, an index, a time: an integer from 0 to a billion billions, whole floats
/// included; absent when the value is something else.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Count(pub(crate) Option<u64>);

impl Count {
    /// The largest number of tokens believed: a thousand million. No model reads or writes that much
    /// in a call, and sums of such numbers stay far from overflow.
    const MOST_TOKENS: u64 = 1_000_000_000;

    /// The number as a number of tokens, if it is believable.
    pub(crate) fn tokens(self) -> Option<u64> {
        self.0.filter(|&tokens| tokens <= Count::MOST_TOKENS)
    }
}

impl<'de> Sink<'de> for Count {
    fn count(&mut self, number: u64) {
        self.0 = Some(number);
    }
}

/// An array of `T`; empty when the value is something else.
#[derive(Debug, PartialEq)]
pub(crate) struct Many<T>(pub(crate) Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Many<T> {
        Many(Vec::new())
    }
}

/// What an array can be read into items of.
pub(crate) trait Item<'de>: Sized {
    fn read(value: &mut dyn Value<'de>) -> Result<Self, Broken>;
}

impl<'de, T: Sink<'de> + Default> Item<'de> for T {
    fn read(value: &mut dyn Value<'de>) -> Result<T, Broken> {
        let mut item = T::default();
        item.fill(value)?;
        Ok(item)
    }
}

impl<'de> Item<'de> for &'de RawValue {
    fn read(value: &mut dyn Value<'de>) -> Result<&'de RawValue, Broken> {
        value.raw()
    }
}

impl<'de, T: Item<'de>> Sink<'de> for Many<T> {
    fn item(&mut self, value: &mut dyn Value<'de>) -> Result<(), Broken> {
        self.0.push(T::read(value)?);
        Ok(())
    }
}

/// An object read as `T`; absent when the value is something else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct One<T>(pub(crate) Option<T>);

impl<T> Default for One<T> {
    fn default() -> One<T> {
        One(None)
    }
}

impl<'de, T: Sink<'de> + Default> Sink<'de> for One<T> {
    fn object(&mut self) {
        self.0 = Some(T::default());
    }

    fn member(&mut self, name: &str, value: &mut dyn Value<'de>) -> Result<(), Broken> {
        self.0.as_mut().map_or(Ok(()), |inner| inner.member(name, value))
    }
}

impl<'de, T: Sink<'de>> Sink<'de> for Box<T> {
    fn member(&mut self, name: &str, value: &mut dyn Value<'de>) -> Result<(), Broken> {
        (**self).member(name, value)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text<'a>, D::Error> {
        let mut text = Text::default();
        read(deserializer, &mut text)?;
        Ok(text)
    }
}

impl<'de, T: Item<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Many<T>, D::Error> {
        let mut many = Many::default();
        read(deserializer, &mut many)?;
        Ok(many)
    }
}

impl<'de, T: Sink<'de> + Default> Deserialize<'de> for One<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<One<T>, D::Error> {
        let mut one = One::default();
        read(deserializer, &mut one)?;
        Ok(one)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::wire::wire;
    use super::*;

    wire! {
        #[derive(Debug, PartialEq)]
        struct Numbered {
            number: Count as "n",
        }
    }

    fn count(json: &str) -> Count {
        let mut count = Count::default();
        read(&mut serde_json::Deserializer::from_str(json), &mut count).unwrap();
        count
    }

    #[test]
    fn values_of_another_type_are_absent() {
        for json in ["null", "true", "1", "-1", "1.5", "[1,[2]]", r#"{"a":{"b":1}}"#] {
            assert_eq!(serde_json::from_str::<Text<'_>>(json).unwrap(), Text(None), "{json}");
        }
        for json in ["null", "false", "-1", "1.5", "1e300", r#""7""#, "[7]", r#"{"a":7}"#, "99999999999999999999999"] {
            assert_eq!(count(json), Count(None), "{json}");
        }
        assert_eq!(count("7.0"), Count(Some(7)));
        assert_eq!(Count(Some(u64::MAX)).tokens(), None);
        for json in ["null", "3", r#""x""#, r#"{"a":1}"#] {
            assert_eq!(serde_json::from_str::<Many<Count>>(json).unwrap(), Many(vec![]), "{json}");
        }
        for json in ["null", "3", r#""x""#, "[]"] {
            assert_eq!(serde_json::from_str::<One<Numbered>>(json).unwrap(), One(None), "{json}");
        }
    }
    #[test]
    fn an_object_is_read_as_far_as_it_is_known() {
        let read = |json| serde_json::from_str::<One<Numbered>>(json).map(|one| one.0.and_then(|one| one.number.0));
        let table = [("{}", None), (r#"{"x":[{"n":1}],"n":3,"y":{"n":2}}"#, Some(3)), (r#"{"\u006e":4}"#, Some(4))];
        for (json, expected) in table {
            assert_eq!(read(json).unwrap(), expected, "{json}");
        }
        // The later of two counts, unless it is no number.
        assert_eq!(read(r#"{"n":1,"n":2,"n":"x"}"#).unwrap(), Some(2));
        for json in [r#"{"n":}"#, r#"{"x":[1,}"#, r#"{"n":1"#, r#"{"x":{"y":tru}}"#, "{\"x\":\"\n\"}"] {
            assert!(read(json).is_err(), "{json}");
            assert!(serde_json::from_str::<Numbered>(json).is_err(), "{json}");
        }
        for json in ["[]", "[1]", "1", "-1", "1.5", r#""x""#, "null", "true"] {
            assert!(serde_json::from_str::<Numbered>(json).is_err(), "{json}");
        }
    }
}
