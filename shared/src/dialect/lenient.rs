//! Types for reading what providers send: a value of the wrong type is absent, never an error.
//!
//! They borrow from the event they are read from, so an ordinary delta costs no allocation but the
//! text it carries.

use crate::usage::Tier;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Implements the visitor methods of values that are not wanted.
macro_rules! ignore_the_rest {
    (numbers) => {
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok(Default::default())
        }
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok(Default::default())
        }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok(Default::default())
        }
    };
    (common) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("anything")
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Default::default())
        }
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok(Default::default())
        }
    };
    (sequence) => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(Default::default())
        }
    };
    (map) => {
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(Default::default())
        }
    };
}
pub(crate) use ignore_the_rest;

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

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text<'a>, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Text<'de>;
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Some(Cow::Borrowed(text))))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Some(Cow::Owned(text.to_owned()))))
            }
            ignore_the_rest!(common);
            ignore_the_rest!(numbers);
            ignore_the_rest!(sequence);
            ignore_the_rest!(map);
        }
        deserializer.deserialize_any(V)
    }
}

/// The tier a provider says it served a call under; the standard one where it says nothing readable.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ServiceTier(pub(crate) Tier);

impl<'de> Deserialize<'de> for ServiceTier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ServiceTier, D::Error> {
        let word = Text::deserialize(deserializer)?;
        Ok(ServiceTier(word.some().map(Tier::parse).unwrap_or_default()))
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

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Count, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Count;
            fn visit_u64<E>(self, n: u64) -> Result<Count, E> {
                Ok(Count(Some(n)))
            }
            fn visit_i64<E>(self, n: i64) -> Result<Count, E> {
                Ok(Count(u64::try_from(n).ok()))
            }
            fn visit_f64<E>(self, n: f64) -> Result<Count, E> {
                Ok(Count(((0.0..=1e15).contains(&n) && n.fract() == 0.0).then_some(n as u64)))
            }
            fn visit_str<E>(self, _: &str) -> Result<Count, E> {
                Ok(Count(None))
            }
            ignore_the_rest!(common);
            ignore_the_rest!(sequence);
            ignore_the_rest!(map);
        }
        deserializer.deserialize_any(V)
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

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Many<T>, D::Error> {
        struct V<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for V<T> {
            type Value = Many<T>;
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Many<T>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Many(items))
            }
            fn visit_str<E>(self, _: &str) -> Result<Many<T>, E> {
                Ok(Many::default())
            }
            ignore_the_rest!(common);
            ignore_the_rest!(numbers);
            ignore_the_rest!(map);
        }
        deserializer.deserialize_any(V(std::marker::PhantomData))
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

impl<'de, T: Deserialize<'de>> Deserialize<'de> for One<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<One<T>, D::Error> {
        struct V<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for V<T> {
            type Value = One<T>;
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<One<T>, A::Error> {
                T::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(|value| One(Some(value)))
            }
            fn visit_str<E>(self, _: &str) -> Result<One<T>, E> {
                Ok(One(None))
            }
            ignore_the_rest!(common);
            ignore_the_rest!(numbers);
            ignore_the_rest!(sequence);
        }
        deserializer.deserialize_any(V(std::marker::PhantomData))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn values_of_another_type_are_absent() {
        for json in ["null", "true", "1", "-1", "1.5", "[1,[2]]", r#"{"a":{"b":1}}"#] {
            assert_eq!(serde_json::from_str::<Text<'_>>(json).unwrap(), Text(None), "{json}");
        }
        for json in ["null", "false", "-1", "1.5", "1e300", r#""7""#, "[7]", r#"{"a":7}"#, "99999999999999999999999"] {
            assert_eq!(serde_json::from_str::<Count>(json).unwrap(), Count(None), "{json}");
        }
        assert_eq!(serde_json::from_str::<Count>("7.0").unwrap(), Count(Some(7)));
        assert_eq!(Count(Some(u64::MAX)).tokens(), None);
        for json in ["null", "3", r#""x""#, r#"{"a":1}"#] {
            assert_eq!(serde_json::from_str::<Many<Count>>(json).unwrap(), Many(vec![]), "{json}");
        }
        for json in ["null", "3", r#""x""#, "[]"] {
            assert_eq!(
                serde_json::from_str::<One<std::collections::BTreeMap<String, u64>>>(json).unwrap(),
                One(None),
                "{json}"
            );
        }
    }
}
