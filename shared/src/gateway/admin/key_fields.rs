//! What people may say of a key, member by member, and a key as it is shown.

use super::resources::unknown;
use crate::config::{Config, Invalid, ModelPattern};
use crate::error::{ApiError, Code};
use crate::gateway::keys::{KeyKind, KeyRecord};
use crate::gateway::roles::{Role, Roles};
use crate::json::json;
use crate::sorted::SortedMap;
use crate::time::{self, rfc3339};
use crate::units::Timestamp;
use serde_json::{Map, Value};

const MAX_TEXT_CHARS: usize = 128;
const MAX_MODELS: usize = 256;
const MAX_TAGS: usize = 32;
const MAX_TAG_CHARS: usize = 256;

/// What a new key may be given.
pub(super) const WHEN_MADE: &[&str] = &[
    "name",
    "kind",
    "organisation",
    "team",
    "project",
    "user",
    "tags",
    "roles",
    "models",
    "limits",
    "budgets",
    "expires_at",
];
/// What may be changed afterwards: not whose it is, because its books are kept under that.
pub(super) const WHEN_CHANGED: &[&str] =
    &["name", "project", "tags", "roles", "models", "limits", "budgets", "expires_at"];

/// Sets what `members` say. `null` puts a member back to what it is when nobody says.
pub(super) fn set(
    record: &mut KeyRecord,
    members: &Map<String, Value>,
    permitted: &[&str],
    config: &Config,
    now: Timestamp,
) -> Result<(), ApiError> {
    for (member, value) in members {
        if !permitted.contains(&member.as_str()) {
            return Err(unknown(member, permitted));
        }
        let value = Some(value).filter(|value| !value.is_null());
        match member.as_str() {
            "name" => record.name = text(member, value)?.ok_or_else(|| not_text(member))?,
            "team" => record.team = team(member, value, config)?,
            "organisation" => record.organisation = text(member, value)?,
            "project" => record.project = text(member, value)?,
            "user" => record.user = text(member, value)?,
            "kind" => record.kind = kind(member, value)?,
            "tags" => record.tags = tags(member, value)?,
            "roles" => record.roles = roles(member, value)?,
            "models" => record.models = models(member, value)?,
            "expires_at" => record.expires_at = instant(member, value, now)?,
            // What is left of the permitted ones.
            terms => record.terms = record.terms.with(terms, value.cloned()).map_err(|invalid| refused(&invalid))?,
        }
    }
    Ok(())
}

/// A key as the admin plane shows it: never its hash.
pub(super) fn show(record: &KeyRecord, now: Timestamp) -> Value {
    let is_over = record.expires_at.is_some_and(|at| at <= now);
    let state = match (record.revoked_at, is_over) {
        (Some(_), _) => "revoked",
        (None, true) => "expired",
        (None, false) => "active",
    };
    let kind = match record.kind {
        KeyKind::Standard => "standard",
        KeyKind::IdentityOnly => "identity_only",
    };
    let overlaps = record.previous.iter().filter(|previous| previous.until > now);
    json!({
        "object": "key",
        "id": record.id,
        "name": record.name,
        "state": state,
        "kind": kind,
        "organisation": record.organisation,
        "team": record.team,
        "project": record.project,
        "user": record.user,
        "tags": record.tags,
        "roles": record.roles,
        "models": record.models,
        "limits": record.terms.written("limits"),
        "budgets": record.terms.written("budgets"),
        "created_at": rfc3339(record.created_at),
        "expires_at": record.expires_at.map(rfc3339),
        "revoked_at": record.revoked_at.map(rfc3339),
        "replaced_keys_good_until": overlaps.map(|previous| rfc3339(previous.until)).collect::<Vec<_>>(),
    })
}

/// The first thing that is wrong with limits or budgets, at its place.
fn refused(invalid: &Invalid) -> ApiError {
    match invalid.problems.first() {
        Some(problem) => ApiError::invalid(problem.path.clone(), format!("{}. {}.", problem.message, problem.hint)),
        None => ApiError::new(Code::InvalidRequest, "limits or budgets cannot be read."),
    }
}

fn not_text(member: &str) -> ApiError {
    ApiError::invalid(member, format!("{member} must be a text of 1 to {MAX_TEXT_CHARS} printable characters."))
}

/// Whether a text can be shown, stored and compared without surprises.
pub(super) fn is_sane(text: &str, most: usize) -> bool {
    !text.is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control)
}

pub(super) fn text(member: &str, value: Option<&Value>) -> Result<Option<String>, ApiError> {
    let Some(value) = value else { return Ok(None) };
    let text = value.as_str().filter(|text| is_sane(text, MAX_TEXT_CHARS));
    text.map(|text| Some(text.to_owned())).ok_or_else(|| not_text(member))
}

fn team(member: &str, value: Option<&Value>, config: &Config) -> Result<String, ApiError> {
    let name = value.and_then(Value::as_str).filter(|name| config.team(name).is_some());
    name.map(str::to_owned).ok_or_else(|| {
        ApiError::invalid(
            member,
            "There is no such team. Make it with POST /admin/v1/teams, or add it to the configuration under [teams].",
        )
    })
}

fn kind(member: &str, value: Option<&Value>) -> Result<KeyKind, ApiError> {
    match value.map(Value::as_str) {
        None | Some(Some("standard")) => Ok(KeyKind::Standard),
        Some(Some("identity_only")) => Ok(KeyKind::IdentityOnly),
        Some(Some(_) | None) => Err(ApiError::invalid(member, "kind must be \"standard\" or \"identity_only\".")),
    }
}

fn tags(member: &str, value: Option<&Value>) -> Result<SortedMap<String, String>, ApiError> {
    let Some(value) = value else { return Ok(SortedMap::new()) };
    let tag = |(name, value): (&String, &Value)| {
        let value = value
            .as_str()
            .filter(|value| value.chars().count() <= MAX_TAG_CHARS && !value.chars().any(char::is_control));
        value.filter(|_| is_sane(name, MAX_TAG_CHARS)).map(|value| (name.clone(), value.to_owned()))
    };
    let tags = value.as_object().filter(|tags| tags.len() <= MAX_TAGS);
    tags.and_then(|tags| tags.iter().map(tag).collect()).ok_or_else(|| {
        ApiError::invalid(member, "tags must be an object of at most 32 printable texts, each at most 256 characters.")
    })
}

/// A list of roles.
pub(super) fn roles(member: &str, value: Option<&Value>) -> Result<Roles, ApiError> {
    let Some(value) = value else { return Ok(Roles::new()) };
    let role = |value: &Value| value.as_str().and_then(Role::parse);
    let roles = value.as_array().and_then(|roles| roles.iter().map(role).collect());
    roles.ok_or_else(|| ApiError::invalid(member, "roles must be a list of admin, billing, auditor and member."))
}

fn models(member: &str, value: Option<&Value>) -> Result<Option<Vec<String>>, ApiError> {
    let Some(value) = value else { return Ok(None) };
    let pattern =
        |value: &Value| value.as_str().filter(|pattern| ModelPattern::parse(pattern).is_some()).map(str::to_owned);
    let patterns = value.as_array().filter(|patterns| patterns.len() <= MAX_MODELS);
    patterns.and_then(|patterns| patterns.iter().map(pattern).collect()).map(Some).ok_or_else(|| {
        ApiError::invalid(member, "models must be at most 256 patterns such as \"fast\" or \"openai:*\".")
    })
}

fn instant(member: &str, value: Option<&Value>, now: Timestamp) -> Result<Option<Timestamp>, ApiError> {
    let Some(value) = value else { return Ok(None) };
    match value.as_str().and_then(time::parse_rfc3339) {
        Some(at) if at > now => Ok(Some(at)),
        Some(_) => Err(ApiError::invalid(member, format!("{member} lies in the past."))),
        None => {
            Err(ApiError::invalid(member, format!("{member} must be an instant in UTC such as 2027-01-31T00:00:00Z.")))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn made(members: Value) -> Result<KeyRecord, ApiError> {
        let mut record = KeyRecord::default();
        let members = members.as_object().cloned().unwrap_or_default();
        set(&mut record, &members, WHEN_MADE, &Config::default(), Timestamp(1_768_478_400_000)).map(|()| record)
    }

    #[test]
    fn a_key_is_what_its_members_say() {
        let record = made(json!({
            "name": "n", "kind": "identity_only", "team": "default", "user": "ada", "tags": {"app": "shop"},
            "roles": ["billing"], "models": ["fast"], "limits": {"rpm": 9}, "budgets": [{"usd": 1, "per": "day"}],
            "expires_at": "2027-01-31T00:00:00Z",
        }));
        let record = record.unwrap();
        assert_eq!((record.kind, record.terms.limits.len(), record.terms.budgets.len()), (KeyKind::IdentityOnly, 1, 1));
        let shown = show(&record, Timestamp(0));
        assert_eq!(shown.get("roles"), Some(&json!(["billing"])));
        assert_eq!(shown.get("limits"), Some(&json!({"rpm": 9})));
        assert_eq!(shown.get("hash"), None);
    }

    #[test]
    fn a_member_that_is_wrong_is_named_with_its_place() {
        for (members, param) in [
            (json!({"name": ""}), "name"),
            (json!({"name": "a\nb"}), "name"),
            (json!({"name": null}), "name"),
            (json!({"team": "nobody"}), "team"),
            (json!({"kind": "golden"}), "kind"),
            (json!({"tags": {"a": 1}}), "tags"),
            (json!({"roles": ["root"]}), "roles"),
            (json!({"models": ["a b"]}), "models"),
            (json!({"limits": {"rpm": -1}}), "limits.rpm"),
            (json!({"budgets": [{"usd": 1}]}), "budgets[0].per"),
            (json!({"expires_at": "2020-01-31T00:00:00Z"}), "expires_at"),
            (json!({"expires_at": "tomorrow"}), "expires_at"),
            (json!({"hash": "x"}), "hash"),
        ] {
            assert_eq!(made(members.clone()).unwrap_err().param.as_deref(), Some(param), "{members}");
        }
    }

    #[test]
    fn null_puts_a_member_back() {
        let mut record = made(json!({"name": "n", "models": ["fast"], "limits": {"rpm": 9}})).unwrap();
        let members = json!({"models": null, "limits": null});
        set(&mut record, members.as_object().unwrap(), WHEN_CHANGED, &Config::default(), Timestamp(0)).unwrap();
        assert!(record.models.is_none() && record.terms.is_empty());
    }
}
