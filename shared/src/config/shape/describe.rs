//! Notes what a section asks for, and makes a JSON Schema of it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::Fields;
use crate::config::problem::At;
use crate::json::json;
use serde_json::{Map, Value};

/// The members of one table.
#[derive(Default)]
pub(super) struct Description {
    pub(super) properties: Map<String, Value>,
    pub(super) required: Vec<&'static str>,
}

impl Description {
    pub(super) fn member(&mut self, name: &'static str, about: &str, mut schema: Value) {
        schema.as_object_mut().unwrap().insert("description".to_owned(), about.into());
        self.properties.insert(name.to_owned(), schema);
    }

    pub(super) fn set_default(&mut self, name: &'static str, default: Value) {
        self.properties[name].as_object_mut().unwrap().insert("default".to_owned(), default);
    }
}

/// The schema of the table a section reads.
pub(super) fn table<T>(section: fn(&mut Fields<'_, '_>) -> Option<T>) -> Value {
    let (empty, mut ignored, mut description) = (Map::new(), Vec::new(), Description::default());
    let mut at = At::root(&mut ignored);
    section(&mut Fields::describing(&empty, &mut at, &mut description));
    let mut schema = json!({ "type": "object", "properties": description.properties });
    if !description.required.is_empty() {
        schema["required"] = description.required.into();
    }
    schema["additionalProperties"] = false.into();
    schema
}
