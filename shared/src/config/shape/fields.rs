//! Tables with known members.

#[cfg(test)]
use super::describe::{self, Description};
use super::{Kind, wrong_type};
use crate::config::problem::At;
use crate::config::suggest::nearest;
use serde_json::{Map, Value};

/// The members of one table, while a section asks for them.
pub(in crate::config) struct Fields<'a, 'p> {
    table: &'a Map<String, Value>,
    at: &'a mut At<'p>,
    /// Every member the section knows, later versions' included.
    known: Vec<&'static str>,
    #[cfg(test)]
    description: Option<&'a mut Description>,
}

impl<'a, 'p> Fields<'a, 'p> {
    fn new(table: &'a Map<String, Value>, at: &'a mut At<'p>) -> Fields<'a, 'p> {
        Fields {
            table,
            at,
            known: Vec::new(),
            #[cfg(test)]
            description: None,
        }
    }

    /// Fields that note in `description` what is asked for.
    #[cfg(test)]
    pub(super) fn describing(
        table: &'a Map<String, Value>,
        at: &'a mut At<'p>,
        description: &'a mut Description,
    ) -> Fields<'a, 'p> {
        Fields { description: Some(description), ..Fields::new(table, at) }
    }

    /// A member that may be left out. `None` also when it is wrong, which is then recorded.
    #[cfg_attr(not(test), allow(unused_variables, reason = "what it is about is for the schema"))]
    pub(in crate::config) fn optional<K: Kind>(&mut self, name: &'static str, about: &str, kind: K) -> Option<K::Out> {
        #[cfg(test)]
        if let Some(description) = &mut self.description {
            description.member(name, about, kind.schema());
        }
        let (value, mut at) = self.member(name)?;
        kind.read(value, &mut at)
    }

    /// A member that must be there. `None` when it is missing or wrong, which is recorded.
    pub(in crate::config) fn required<K: Kind>(&mut self, name: &'static str, about: &str, kind: K) -> Option<K::Out> {
        #[cfg(test)]
        if let Some(description) = &mut self.description {
            description.required.push(name);
        }
        if !self.table.contains_key(name) {
            self.problem(name, "is missing", &["Add it: ", about].concat());
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
        K::Out: Copy + Into<Value>,
    {
        let value = self.optional(name, about, kind);
        #[cfg(test)]
        if let Some(description) = &mut self.description {
            description.set_default(name, default.into());
        }
        value.unwrap_or(default)
    }

    /// Records that `name` is not there although what else is there asks for it.
    pub(in crate::config) fn missing(&mut self, name: &str, hint: &str) {
        if !self.table.contains_key(name) {
            self.problem(name, "is missing", &["Add it: ", hint].concat());
        }
    }

    /// Records a problem between members, at the member `name`.
    pub(in crate::config) fn problem(&mut self, name: &str, message: &str, hint: &str) {
        self.at.key(name).problem(message, hint);
    }

    /// Where the table stands, for problems of what is within its members.
    pub(in crate::config) fn place(&mut self) -> At<'_> {
        self.at.here()
    }

    #[inline(never)]
    fn member(&mut self, name: &'static str) -> Option<(&'a Value, At<'_>)> {
        self.known.push(name);
        Some((self.table.get(name)?, self.at.key(name)))
    }

    #[inline(never)]
    fn report_unknown(&mut self) {
        for key in self.table.keys().filter(|key| !self.known.contains(&key.as_str())) {
            let hint = match nearest(key, self.known.iter().copied()) {
                Some(name) => ["Did you mean `", name, "`?"].concat(),
                None => ["Known here: ", &self.known.join(", ")].concat(),
            };
            self.at.key(key).problem("is not a known key", &hint);
        }
    }
}

/// A table read by the given section.
pub(in crate::config) struct Record<T>(pub(in crate::config) fn(&mut Fields<'_, '_>) -> Option<T>);

impl<T> Kind for Record<T> {
    type Out = T;

    #[cfg(test)]
    fn schema(&self) -> Value {
        describe::table(self.0)
    }

    #[inline(never)]
    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<T> {
        let Some(table) = value.as_object() else {
            wrong_type(at, value, "a table", "Write it as a table of keys and values");
            return None;
        };
        let mut fields = Fields::new(table, at);
        let out = (self.0)(&mut fields);
        fields.report_unknown();
        out
    }
}
