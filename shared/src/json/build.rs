//! Writing values as they look: `serde_json::json!` for objects, but each member is a call of a function that exists once.

use super::tree::tree;
use serde::Serialize;
use serde_json::{Map, Value};

/// What `serde_json::json!` makes of the same text. A name is a literal or a variable.
macro_rules! json {
    ({ $($members:tt)* }) => {{
        #[allow(unused_mut)]
        let mut members = serde_json::Map::new();
        $crate::json::members!(members $($members)*);
        serde_json::Value::Object(members)
    }};
    ([ $($items:tt)* ]) => {{
        #[allow(unused_mut)]
        let mut items: Vec<serde_json::Value> = Vec::new();
        $crate::json::items!(items $($items)*);
        serde_json::Value::Array(items)
    }};
    (null) => { serde_json::Value::Null };
    ($value:expr) => { $crate::json::value(&$value) };
}

/// The members of an object, one after the other.
macro_rules! members {
    ($object:ident) => {};
    ($object:ident $name:tt : null $(, $($rest:tt)*)?) => {
        $crate::json::put(&mut $object, $name.as_ref(), serde_json::Value::Null);
        $($crate::json::members!($object $($rest)*);)?
    };
    ($object:ident $name:tt : { $($inner:tt)* } $(, $($rest:tt)*)?) => {
        $crate::json::put(&mut $object, $name.as_ref(), $crate::json::json!({ $($inner)* }));
        $($crate::json::members!($object $($rest)*);)?
    };
    ($object:ident $name:tt : [ $($inner:tt)* ] $(, $($rest:tt)*)?) => {
        $crate::json::put(&mut $object, $name.as_ref(), $crate::json::json!([ $($inner)* ]));
        $($crate::json::members!($object $($rest)*);)?
    };
    ($object:ident $name:tt : $value:expr $(, $($rest:tt)*)?) => {
        $crate::json::put(&mut $object, $name.as_ref(), $crate::json::value(&$value));
        $($crate::json::members!($object $($rest)*);)?
    };
}

/// The items of an array, one after the other.
macro_rules! items {
    ($array:ident) => {};
    ($array:ident null $(, $($rest:tt)*)?) => {
        $crate::json::add(&mut $array, serde_json::Value::Null);
        $($crate::json::items!($array $($rest)*);)?
    };
    ($array:ident { $($inner:tt)* } $(, $($rest:tt)*)?) => {
        $crate::json::add(&mut $array, $crate::json::json!({ $($inner)* }));
        $($crate::json::items!($array $($rest)*);)?
    };
    ($array:ident [ $($inner:tt)* ] $(, $($rest:tt)*)?) => {
        $crate::json::add(&mut $array, $crate::json::json!([ $($inner)* ]));
        $($crate::json::items!($array $($rest)*);)?
    };
    ($array:ident $value:expr $(, $($rest:tt)*)?) => {
        $crate::json::add(&mut $array, $crate::json::value(&$value));
        $($crate::json::items!($array $($rest)*);)?
    };
}

pub(crate) use {items, json, members};

/// Anything as a value; `null` for what JSON cannot say. By way of its text: there is one way to write each shape then, not two, and
/// none that knows of serde_json's parser. Nothing is built so while a call waits.
pub(crate) fn value<T: Serialize + ?Sized>(of: &T) -> Value {
    serde_json::to_string(of).ok().and_then(|text| tree(&text).ok()).unwrap_or_default()
}

pub(crate) fn put(object: &mut Map<String, Value>, name: &str, value: Value) {
    object.insert(name.to_owned(), value);
}

pub(crate) fn add(array: &mut Vec<Value>, value: Value) {
    array.push(value);
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_same_text_means_the_same_as_to_serde_json() {
        let (name, list, none) = ("n".to_owned(), [1, 2], None::<u8>);
        let ours =
            json!({ "a": 1, name: { "b": [{ "c": list }], "d": null, }, "e": {}, "f": list.len() + 1, "g": none });
        let theirs = serde_json::json!({ "a": 1, name: { "b": [{ "c": list }], "d": null, }, "e": {}, "f": list.len() + 1, "g": none });
        assert_eq!(ours.to_string(), theirs.to_string());
        assert_eq!(
            (json!([1, "x"]), json!(null), json!(list)),
            (serde_json::json!([1, "x"]), serde_json::Value::Null, serde_json::json!([1, 2]))
        );
    }
}
