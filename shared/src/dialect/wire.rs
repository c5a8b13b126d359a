//! How what providers send is read: each type says what it wants of a value, and one reader serves them all.
//!
//! serde's derive would write a reader of some kilobytes for each of the hundred shapes that answers
//! and events have, and the Worker is to stay small. Here the reader exists once. It walks the JSON and
//! tells a [`Sink`] what it meets; what the sink does not want is passed over. So a member of an
//! unexpected type is absent, an unknown one is no error, and of two of the same name the later counts.

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The text is not JSON. The reader keeps the reason; sinks only stop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Broken;

/// Takes a value apart, as far as it wants it. Whatever it does not implement is passed over.
pub(crate) trait Sink<'de> {
    /// The value is a string, borrowed where it has no escapes.
    fn text(&mut self, _: Cow<'de, str>) {}

    /// The value is a number, whole and not negative.
    fn count(&mut self, _: u64) {}

    /// The value is an object, whose members follow.
    fn object(&mut self) {}

    /// A member of the object. What is not read of it is passed over.
    fn member(&mut self, _: &str, _: &mut dyn Value<'de>) -> Result<(), Broken> {
        Ok(())
    }

    /// An item of an array, likewise.
    fn item(&mut self, _: &mut dyn Value<'de>) -> Result<(), Broken> {
        Ok(())
    }

    /// Reads the value into this.
    fn fill(&mut self, value: &mut dyn Value<'de>) -> Result<(), Broken>
    where
        Self: Sized,
    {
        value.read(self)
    }
}

/// A value that can be read, once.
pub(crate) trait Value<'de> {
    /// Tells the sink what it is.
    fn read(&mut self, sink: &mut dyn Sink<'de>) -> Result<(), Broken>;

    /// Its text, looked into by nobody.
    fn raw(&mut self) -> Result<&'de RawValue, Broken>;
}

/// A value as it stands; `null` is absence.
impl<'de> Sink<'de> for Option<&'de RawValue> {
    fn fill(&mut self, value: &mut dyn Value<'de>) -> Result<(), Broken> {
        *self = Some(value.raw()?).filter(|raw| raw.get() != "null");
        Ok(())
    }
}

/// Reads any value into `sink`.
pub(crate) fn read<'de, D: Deserializer<'de>>(deserializer: D, sink: &mut dyn Sink<'de>) -> Result<(), D::Error> {
    deserializer.deserialize_any(Walk { sink, or_else: None })
}

/// Reads an object into `sink`; anything else is an error.
pub(crate) fn read_object<'de, D: Deserializer<'de>>(
    deserializer: D,
    sink: &mut dyn Sink<'de>,
) -> Result<(), D::Error> {
    deserializer.deserialize_any(Walk { sink, or_else: Some("an object was expected") })
}

/// The one reader.
struct Walk<'s, 'de> {
    sink: &'s mut dyn Sink<'de>,
    /// What is wrong with anything but an object.
    or_else: Option<&'static str>,
}

impl Walk<'_, '_> {
    fn not_an_object<E: Error>(&self) -> Result<(), E> {
        self.or_else.map_or(Ok(()), |message| Err(E::custom(message)))
    }
}

impl<'de> Visitor<'de> for Walk<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.not_an_object()
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.not_an_object()
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.sink.count(number);
        self.not_an_object()
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        if let Ok(number) = u64::try_from(number) {
            self.sink.count(number);
        }
        self.not_an_object()
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        if (0.0..=1e15).contains(&number) && number.fract() == 0.0 {
            self.sink.count(number as u64);
        }
        self.not_an_object()
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        self.sink.text(Cow::Borrowed(text));
        self.not_an_object()
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<(), E> {
        self.sink.text(Cow::Owned(text));
        self.not_an_object()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.not_an_object()?;
        while items.next_element_seed(Inner { sink: &mut *self.sink, name: None })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        self.sink.object();
        while let Some(Name(name)) = members.next_key()? {
            members.next_value_seed(Inner { sink: &mut *self.sink, name: Some(&name) })?;
        }
        Ok(())
    }
}

/// A member's name, borrowed unless it has escapes.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// A member of an object, or an item of an array.
struct Inner<'s, 'de> {
    sink: &'s mut dyn Sink<'de>,
    name: Option<&'s str>,
}

impl<'de> DeserializeSeed<'de> for Inner<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let mut value = Unread { deserializer: Some(deserializer), failed: None };
        let done = match self.name {
            Some(name) => self.sink.member(name, &mut value),
            None => self.sink.item(&mut value),
        };
        match (done, value.deserializer) {
            (Ok(()), Some(unwanted)) => IgnoredAny::deserialize(unwanted).map(drop),
            (Ok(()), None) => Ok(()),
            (Err(Broken), _) => Err(value.failed.unwrap_or_else(|| D::Error::custom("a value was read twice"))),
        }
    }
}

/// A value that nobody has read yet, or what was wrong with it.
struct Unread<D, E> {
    deserializer: Option<D>,
    failed: Option<E>,
}

impl<'de, D: Deserializer<'de>> Unread<D, D::Error> {
    fn once<T>(&mut self, read: impl FnOnce(D) -> Result<T, D::Error>) -> Result<T, Broken> {
        let deserializer = self.deserializer.take().ok_or(Broken)?;
        read(deserializer).map_err(|error| {
            self.failed = Some(error);
            Broken
        })
    }
}

impl<'de, D: Deserializer<'de>> Value<'de> for Unread<D, D::Error> {
    fn read(&mut self, sink: &mut dyn Sink<'de>) -> Result<(), Broken> {
        self.once(|deserializer| read(deserializer, sink))
    }

    fn raw(&mut self) -> Result<&'de RawValue, Broken> {
        self.once(<&RawValue>::deserialize)
    }
}

/// Defines a shape of the wire: a struct whose members are sinks. `kind: Text<'a> as "type"` is a member
/// that is named otherwise on the wire.
macro_rules! wire {
    ($(#[$meta:meta])* $vis:vis struct $name:ident<$a:lifetime> { $($members:tt)* }) => {
        $crate::dialect::wire::wire!(@define [$(#[$meta])* $vis] $name [<$a>] [$a] $($members)*);
    };
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($members:tt)* }) => {
        $crate::dialect::wire::wire!(@define [$(#[$meta])* $vis] $name [] ['w] $($members)*);
    };
    (@define [$($head:tt)*] $name:ident [$($generics:tt)*] [$w:lifetime]
        $($(#[$meta:meta])* $vis:vis $field:ident: $type:ty $(as $wire:literal)?),* $(,)?) => {
        #[derive(Default)]
        $($head)* struct $name $($generics)* { $($(#[$meta])* $vis $field: $type),* }

        impl<$w> $crate::dialect::wire::Sink<$w> for $name $($generics)* {
            fn member(
                &mut self,
                name: &str,
                value: &mut dyn $crate::dialect::wire::Value<$w>,
            ) -> Result<(), $crate::dialect::wire::Broken> {
                $(if name == $crate::dialect::wire::wire!(@name $field $($wire)?) {
                    return $crate::dialect::wire::Sink::fill(&mut self.$field, value);
                })*
                Ok(())
            }
        }

        impl<'de: $w, $w> serde::Deserialize<'de> for $name $($generics)* {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let mut shape = $name::default();
                $crate::dialect::wire::read_object(deserializer, &mut shape)?;
                Ok(shape)
            }
        }
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $wire:literal) => { $wire };
}
pub(crate) use wire;
