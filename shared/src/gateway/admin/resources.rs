//! What organisations, teams and users have in common: documents by name that are made, listed, shown, replaced, changed
//! and removed.
//!
//! Each is one record of the shelf, its value the JSON that is shown. What makes one of them different from the others is
//! its [`Resource`].

use super::ask::changed;
use super::once::Begun;
use super::shelf::{List, nothing};
use super::{Admin, Answer, Ask};
use crate::config::TeamName;
use crate::error::{ApiError, Code};
use crate::gateway::live::{self, MARKS};
use crate::gateway::people::is_id;
use crate::ports::Ports;
use crate::records::{MAX_RECORD_BYTES, Record, Write};
use crate::time::rfc3339;
use crate::units::Timestamp;
use serde_json::{Map, Value};

/// A kind of document.
pub(super) struct Resource {
    /// What one is called: also how its records' keys begin, up to a slash.
    pub noun: &'static str,
    /// The rule of its name, and the rule in words.
    pub id: (fn(&str) -> bool, &'static str),
    /// What people may say of one; see [`Member`].
    pub members: Option<&'static [Member]>,
    /// Whether every process must know of a change.
    pub is_live: bool,
    /// Where it is kept that one was removed, if that matters.
    pub gone: Option<&'static str>,
    /// Query parameters that filter a list: a member that must be this text, or a list with it.
    pub filters: &'static [&'static str],
}

/// A member of a document and its rule.
pub(super) struct Member {
    pub name: &'static str,
    pub holds: fn(&Value) -> bool,
    pub rule: &'static str,
}

impl Resource {
    fn key(&self, id: &str) -> String {
        format!("{}/{id}", self.noun)
    }

    /// Holds what people said against the members' rules; a resource without members has its own.
    fn check(&self, members: &Map<String, Value>) -> Result<(), ApiError> {
        let Some(known) = self.members else { return Ok(()) };
        for (name, value) in members {
            let Some(member) = known.iter().find(|member| member.name == name) else {
                return Err(unknown(name, &known.iter().map(|member| member.name).collect::<Vec<_>>()));
            };
            if !(member.holds)(value) {
                return Err(ApiError::invalid(member.name, format!("{} {}.", member.name, member.rule)));
            }
        }
        Ok(())
    }

    /// The document as it is kept: its marks, then what people said, without nulls.
    fn written(&self, id: &str, created_at: &Value, now: Timestamp, members: Map<String, Value>) -> Value {
        let mut whole = Map::new();
        let marks = [
            ("object", Value::from(self.noun)),
            ("id", Value::from(id)),
            ("created_at", created_at.clone()),
            ("updated_at", Value::from(rfc3339(now))),
        ];
        whole.extend(marks.map(|(name, value)| (name.to_owned(), value)));
        whole.extend(members.into_iter().filter(|(_, value)| !value.is_null()));
        Value::Object(whole)
    }

    fn writes(&self, write: Write, now: Timestamp) -> Vec<Write> {
        let mut writes = if self.is_live { live::tell(now, &[]) } else { Vec::new() };
        writes.push(write);
        writes
    }
}

/// The rule of the names of organisations and teams.
pub(super) const NAME: (fn(&str) -> bool, &str) =
    (|text| TeamName::parse(text).is_some(), "1 to 64 of a-z, 0-9, _ and -, beginning with a letter or a digit");
/// The rule of other names.
pub(super) const ID: (fn(&str) -> bool, &str) = (is_id, "1 to 128 letters, digits and any of . _ - @ + : |");

/// What people said, without the marks that an answer has beside it: an answer can be sent back as it came.
fn said(mut members: Map<String, Value>) -> Map<String, Value> {
    members.retain(|name, _| !MARKS.contains(&name.as_str()));
    members
}

fn too_large(value: &Value) -> Result<String, ApiError> {
    let text = value.to_string();
    if text.len() <= MAX_RECORD_BYTES {
        Ok(text)
    } else {
        Err(ApiError::new(Code::TooLarge, "It is larger than 256 KiB."))
    }
}

impl<P: Ports> Admin<P> {
    /// Makes a document; its `id` is in the body.
    pub(super) async fn make(&self, of: &Resource, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let once = match self.once(ask, of.noun).await? {
            Begun::New(once) => once,
            Begun::Before(answer) => return Ok(answer),
        };
        let members = ask.members()?;
        let (is_good, rule) = of.id;
        let id = members.get("id").and_then(Value::as_str).filter(|id| is_good(id)).map(str::to_owned);
        let id = id
            .ok_or_else(|| ApiError::invalid("id", format!("id must be {rule}. It names the {} for good.", of.noun)))?;
        let members = said(members);
        self.admits(of, &id, &members).await?;
        let now = self.ports.now();
        let document = of.written(&id, &Value::from(rfc3339(now)), now, members);
        let mut writes = of.writes(Write::create(of.key(&id), too_large(&document)?), now);
        writes.extend(of.gone.map(|gone| Write::remove([gone, &id].concat())));
        writes.extend(once.keep(self, 201, &document, None));
        if !self.write(writes).await? {
            let taken = ApiError::new(Code::Conflict, format!("There is a {} of this id already.", of.noun));
            return self.beaten(ask, of.noun, taken).await;
        }
        Ok(of.told(Answer::created(document).tagged(1)))
    }

    pub(super) async fn list(&self, of: &Resource, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let wanted: Vec<(&str, String)> =
            of.filters.iter().filter_map(|name| Some((*name, ask.query(name)?))).collect();
        let show = |record: &Record| {
            let document: Value = crate::json::tree(&record.value).ok()?;
            wanted.iter().all(|(name, wanted)| has(&document, name, wanted)).then_some(document)
        };
        self.page(ask, List { prefix: &of.key(""), descending: false, show: &show }).await
    }

    pub(super) async fn show(&self, of: &Resource, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let record = self.read(&of.key(ask.id())).await?.ok_or_else(|| nothing(of.noun))?;
        Ok(Answer::ok(document(&record)?.into()).tagged(record.version))
    }

    /// Puts another document in the place of one.
    pub(super) async fn replace(&self, of: &Resource, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let members = said(ask.members()?);
        self.amend(of, ask, |_| members.clone()).await
    }

    /// Changes the members that are said, by the rules of RFC 7396: null takes one away.
    pub(super) async fn patch(&self, of: &Resource, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let changes = said(ask.members()?);
        self.amend(of, ask, |before| {
            let mut members = Value::Object(before);
            merge(&mut members, &Value::Object(changes.clone()));
            members.as_object().cloned().unwrap_or_default()
        })
        .await
    }

    async fn amend(
        &self,
        of: &Resource,
        ask: &Ask<'_>,
        amended: impl Fn(Map<String, Value>) -> Map<String, Value>,
    ) -> Result<Answer, ApiError> {
        let now = self.ports.now();
        let key = of.key(ask.id());
        let before = self.read(&key).await?.ok_or_else(|| nothing(of.noun))?;
        self.admits(of, ask.id(), &amended(said(document(&before)?))).await?;
        let changed = self.change(ask, &key, of.noun, |record| {
            let before = document(record)?;
            let created_at = before.get("created_at").cloned().unwrap_or_default();
            let members = amended(said(before));
            of.check(&members)?;
            let document = of.written(ask.id(), &created_at, now, members);
            Ok((of.writes(Write::replace(record, too_large(&document)?), now), document))
        });
        let (document, version) = changed.await?;
        Ok(of.told(Answer::ok(document).tagged(version)))
    }

    pub(super) async fn remove(&self, of: &Resource, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let record = self.read(&of.key(ask.id())).await?.ok_or_else(|| nothing(of.noun))?;
        ask.precondition(Some(&record))?;
        let mut removal = Write::replace(&record, "");
        removal.value = None;
        let now = self.ports.now();
        let mut writes = of.writes(removal, now);
        writes.extend(of.gone.map(|gone| Write::put([gone, ask.id()].concat(), rfc3339(now))));
        if !self.write(writes).await? {
            return Err(changed());
        }
        Ok(of.told(Answer::ok(crate::json::json!({ "object": of.noun, "id": ask.id(), "deleted": true }))))
    }

    /// Whether a document of this name may say this.
    async fn admits(&self, of: &Resource, id: &str, members: &Map<String, Value>) -> Result<(), ApiError> {
        of.check(members)?;
        if of.members.is_none() { self.admits_team(id, members).await } else { Ok(()) }
    }
}

impl Resource {
    fn told(&self, answer: Answer) -> Answer {
        if self.is_live { answer.news() } else { answer }
    }
}

fn document(record: &Record) -> Result<Map<String, Value>, ApiError> {
    crate::json::object(&record.value)
        .map_err(|error| ApiError::new(Code::InternalError, format!("A stored record cannot be read: {error}")))
}

/// The answer about a member that is not among those of a body.
pub(super) fn unknown(name: &str, known: &[&str]) -> ApiError {
    let message = format!("There is no such member here. Known: {}.", known.join(", "));
    ApiError::invalid(name.chars().take(64).collect::<String>(), message)
}

/// Whether a member is a text, or a list with it.
pub(super) fn has(document: &Value, member: &str, wanted: &str) -> bool {
    match document.get(member) {
        Some(Value::String(text)) => text == wanted,
        Some(Value::Array(items)) => items.iter().any(|item| item == wanted),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => false,
    }
}

/// A JSON merge patch (RFC 7396).
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else { return };
    for (name, change) in changes {
        if change.is_null() {
            members.remove(name);
        } else {
            merge(members.entry(name.clone()).or_insert(Value::Null), change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_patch_is_a_merge_patch() {
        for (before, patch, after) in [
            (json!({"a": 1, "b": 2}), json!({"a": null, "c": {"d": 1}}), json!({"b": 2, "c": {"d": 1}})),
            (json!({"c": {"d": 1, "e": 2}}), json!({"c": {"d": null}}), json!({"c": {"e": 2}})),
            (json!({"a": [1, 2]}), json!({"a": [3]}), json!({"a": [3]})),
            (json!({"a": 1}), json!({"a": {"b": null, "c": 1}}), json!({"a": {"c": 1}})),
        ] {
            let mut target = before;
            merge(&mut target, &patch);
            assert_eq!(target, after);
        }
    }
}
