//! Tables with known members.

use super::{Kind, wrong_type};
use crate::config::problem::At;
use crate::config::suggest::nearest;
use serde_json::{Map, Value, json};

/// The members of one table, being read or being described.
pub(in crate::config) struct Fields<'a, 'p> {
    mode: Mode<'a, 'p>,
    /// Every member the section knows, later versions' included.
    known: Vec<&'static str>,
}

enum Mode<'a, 'p> {
    Reading { table: &'a Map<String, Value>, at: &'a mut At<'p> },
    Describing { properties: Map<String, Value>, required: Vec<&'static str> },
}

impl Fields<'_, '_> {
    /// A member that may be left out. `None` also when it is wrong, which is then recorded.
    pub(in crate::config) fn optional<K: Kind>(&mut self, name: &'static str, about: &str, kind: K) -> Option<K::Out> {
        self.known.push(name);
        match &mut self.mode {
            Mode::Reading { table, at } => kind.read(table.get(name)?, &mut at.key(name)),
            Mode::Describing { properties, .. } => {
                let mut schema = kind.schema();
                if let Some(members) = schema.as_object_mut() {
                    members.insert("description".to_owned(), about.into());
                }
                properties.insert(name.to_owned(), schema);
                None
            }
        }
    }

    /// A member that must be there. `None` when it is missing or wrong, which is recorded.
    pub(in crate::config) fn required<K: Kind>(&mut self, name: &'static str, about: &str, kind: K) -> Option<K::Out> {
        match &mut self.mode {
            Mode::Reading { table, at } if !table.contains_key(name) => {
                at.key(name).problem("is missing", format!("Add it: {about}"));
            }
            Mode::Reading { .. } => {}
            Mode::Describing { required, .. } => required.push(name),
        }
        self.optional(name, about, kind)
    }

    /// A member with a value of its own when it is left out.
    pub(in crate::config) fn defaulted<K: Kind>(
        &mut self,
        name: &'static str,
        about: &str,
        kind: K,
        default: K::Out,
    ) -> K::Out
    where
        K::Out: Clone + Into<Value>,
    {
        let value = self.optional(name, about, kind);
        if let Mode::Describing { properties, .. } = &mut self.mode
            && let Some(members) = properties.get_mut(name).and_then(Value::as_object_mut)
        {
            members.insert("default".to_owned(), default.clone().into());
        }
        value.unwrap_or(default)
    }

    /// Members of a later version: refused when present, because a policy that is written down and
    /// not enforced would be a lie.
    pub(in crate::config) fn later(&mut self, names: &[&'static str]) {
        self.known.extend(names);
        if let Mode::Reading { table, at } = &mut self.mode {
            for name in names.iter().filter(|name| table.contains_key(**name)) {
                at.key(name).problem("is not available in this version", "Remove it: it would not be enforced");
            }
        }
    }

    /// Records a problem between members, at the member `name`.
    pub(in crate::config) fn problem(&mut self, name: &str, message: impl Into<String>, hint: impl Into<String>) {
        if let Mode::Reading { at, .. } = &mut self.mode {
            at.key(name).problem(message, hint);
        }
    }

    fn report_unknown(&mut self) {
        let Mode::Reading { table, at } = &mut self.mode else { return };
        for key in table.keys().filter(|key| !self.known.contains(&key.as_str())) {
            let hint = match nearest(key, self.known.iter().copied()) {
                Some(name) => format!("Did you mean `{name}`?"),
                None => format!("Known here: {}", self.known.join(", ")),
            };
            at.key(key).problem("is not a known key", hint);
        }
    }
}

/// A table read by the given section.
pub(in crate::config) struct Record<T>(pub(in crate::config) fn(&mut Fields<'_, '_>) -> Option<T>);

impl<T> Kind for Record<T> {
    type Out = T;

    fn schema(&self) -> Value {
        let mut fields =
            Fields { mode: Mode::Describing { properties: Map::new(), required: Vec::new() }, known: Vec::new() };
        // Described, not read: every member is absent and what the section makes of that is of no interest.
        let _ = (self.0)(&mut fields);
        match fields.mode {
            Mode::Describing { properties, required } if required.is_empty() => {
                json!({ "type": "object", "properties": properties, "additionalProperties": false })
            }
            Mode::Describing { properties, required } => {
                json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
            }
            Mode::Reading { .. } => Value::Bool(true),
        }
    }

    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<T> {
        let Some(table) = value.as_object() else {
            wrong_type(at, value, "a table", "Write it as a table of keys and values");
            return None;
        };
        let mut fields = Fields { mode: Mode::Reading { table, at }, known: Vec::new() };
        let out = (self.0)(&mut fields);
        fields.report_unknown();
        out
    }
}
