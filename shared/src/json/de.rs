//! What serde asks of a format, answered by the cursor. All of it is generic, so each method does as little as it can.

use super::ReadError;
use super::cursor::{Cursor, Inside, Number};
use super::fields::Fields;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};
use std::borrow::Cow;

/// Methods that read as another one does.
macro_rules! read_as {
    ($as:ident for $($name:ident $(($($_:tt: $type:ty),*))?)*) => {
        $(fn $name<V: Visitor<'de>>(self, $($($_: $type,)*)? visitor: V) -> Result<V::Value, ReadError> {
            self.$as(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for &mut Cursor<'de> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.peek() {
            Some(b'"') => self.deserialize_str(visitor),
            Some(b'{') => self.deserialize_map(visitor),
            Some(b'[') => self.deserialize_seq(visitor),
            Some(b't' | b'f') => self.deserialize_bool(visitor),
            Some(b'-' | b'0'..=b'9') => self.deserialize_f64(visitor),
            Some(_) | None => self.deserialize_unit(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_bool(self.boolean()?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.number()? {
            Number::Natural(number) => visitor.visit_u64(number),
            Number::Negative(number) => visitor.visit_i64(number),
            Number::Float(number) => visitor.visit_f64(number),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.string()? {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_str(&self.string()?)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.null()? {
            true => visitor.visit_unit(),
            false => Err(self.expected("a value")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.none()? {
            true => visitor.visit_none(),
            false => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        if name == Raw::NAME { visitor.visit_map(Raw(Some(self.raw()?))) } else { visitor.visit_newtype_struct(self) }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let mut items = Inside::enter(self, b'[')?;
        let value = visitor.visit_seq(&mut items)?;
        items.leave().map(|()| value)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let mut members = Inside::enter(self, b'{')?;
        let value = visitor.visit_map(&mut members)?;
        members.leave().map(|()| value)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let mut fields = Fields::enter(self, names)?;
        match visitor.visit_seq(&mut fields) {
            Ok(value) => fields.leave().map(|()| value),
            Err(error) => Err(fields.refused(error)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        if self.peek() == Some(b'"') {
            return visitor.visit_enum(Variant { cursor: self, has_value: false });
        }
        let mut members = Inside::enter(self, b'{')?;
        members.next()?;
        let value = visitor.visit_enum(Variant { cursor: &mut *members.cursor, has_value: true })?;
        members.leave().map(|()| value)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.skip()?;
        visitor.visit_unit()
    }

    read_as! { deserialize_f64 for deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 }
    read_as! { deserialize_f64 for deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 }
    read_as! { deserialize_str for deserialize_string deserialize_char deserialize_bytes deserialize_byte_buf }
    read_as! { deserialize_unit for deserialize_unit_struct(_: &'static str) }
    read_as! { deserialize_seq for deserialize_tuple(_: usize) deserialize_tuple_struct(_: &'static str, _: usize) }
}

impl<'de> SeqAccess<'de> for &mut Inside<'_, 'de> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        match self.next()? {
            true => seed.deserialize(&mut *self.cursor).map(Some),
            false => Ok(None),
        }
    }
}

impl<'de> SeqAccess<'de> for &mut Fields<'_, 'de> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        match seed.deserialize(self.next()?) {
            Err(_) if self.is_absent() => Ok(None),
            read => read.map(Some),
        }
    }
}

impl<'de> MapAccess<'de> for &mut Inside<'_, 'de> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        if !self.next()? {
            return Ok(None);
        }
        if self.cursor.peek() != Some(b'"') {
            return Err(self.cursor.expected("a member's name"));
        }
        seed.deserialize(&mut *self.cursor).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, ReadError> {
        self.cursor.colon()?;
        seed.deserialize(&mut *self.cursor)
    }
}

/// A variant: its name, or an object with its name and value.
struct Variant<'r, 'de> {
    cursor: &'r mut Cursor<'de>,
    has_value: bool,
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = ReadError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), ReadError> {
        let name = seed.deserialize(&mut *self.cursor)?;
        if self.has_value {
            self.cursor.colon()?;
        }
        Ok((name, self))
    }
}

impl<'de> Variant<'_, 'de> {
    fn value(&mut self) -> Result<&mut Cursor<'de>, ReadError> {
        if !self.has_value {
            return Err(self.cursor.expected("a variant with a value"));
        }
        Ok(self.cursor)
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = ReadError;

    fn unit_variant(self) -> Result<(), ReadError> {
        if self.has_value && !self.cursor.null()? {
            return Err(self.cursor.expected("null"));
        }
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(mut self, seed: T) -> Result<T::Value, ReadError> {
        seed.deserialize(self.value()?)
    }

    fn tuple_variant<V: Visitor<'de>>(mut self, _: usize, visitor: V) -> Result<V::Value, ReadError> {
        self.value()?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        mut self,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.value()?.deserialize_struct("", names, visitor)
    }
}

/// A value's text, as serde_json's `RawValue` wants to be told of it: in an object of one member.
struct Raw<'de>(Option<&'de str>);

impl Raw<'_> {
    /// What it asks a cursor for, and the member's name.
    const NAME: &'static str = "$serde_json::private::RawValue";
}

impl<'de> MapAccess<'de> for Raw<'de> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        self.0.map(|_| seed.deserialize(BorrowedStrDeserializer::new(Raw::NAME))).transpose()
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, ReadError> {
        seed.deserialize(BorrowedStrDeserializer::new(self.0.take().unwrap_or_default()))
    }
}
