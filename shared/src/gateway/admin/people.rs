//! Organisations and users: who belongs together, and who may do what.

use super::key_fields::roles;
use super::resources::{ID, Member, NAME, Resource, has};
use super::{Admin, Answer, Ask};
use crate::config::Scope;
use crate::error::{ApiError, Code};
use crate::gateway::live;
use crate::gateway::people::{self, is_id};
use crate::ports::Ports;
use serde_json::{Map, Value};

const ORGANISATIONS: Resource = Resource {
    noun: "organisation",
    id: NAME,
    members: Some(&[
        Member { name: "name", holds: is_text, rule: "must be a text of at most 256 printable characters" },
        Member { name: "description", holds: is_text, rule: "must be a text of at most 256 printable characters" },
        Member {
            name: "limits",
            holds: |value| are_terms("limits", value, &people::all_of_it()),
            rule: "must be as a section [teams.…] has them, without a scope beyond it",
        },
        Member {
            name: "budgets",
            holds: |value| are_terms("budgets", value, &people::all_of_it()),
            rule: "must be as a section [teams.…] has them, without a scope beyond it",
        },
    ]),
    is_live: true,
    gone: None,
    filters: &[],
};

const USERS: Resource = Resource {
    noun: "user",
    id: ID,
    members: Some(&[
        Member { name: "name", holds: is_text, rule: "must be a text of at most 256 printable characters" },
        Member { name: "email", holds: is_email, rule: "must be an address such as ada@example.com" },
        Member { name: "organisation", holds: is_name, rule: "must be the id of an organisation" },
        Member { name: "teams", holds: are_names, rule: "must be a list of at most 64 teams" },
        Member { name: "roles", holds: are_roles, rule: "must be a list of admin, billing, auditor and member" },
        Member { name: "disabled", holds: Value::is_boolean, rule: "must be true or false" },
        Member {
            name: "limits",
            holds: |value| are_terms("limits", value, &people::wherever()),
            rule: "must be as a section [teams.…] has them, without a scope beyond it",
        },
        Member {
            name: "budgets",
            holds: |value| are_terms("budgets", value, &people::wherever()),
            rule: "must be as a section [teams.…] has them, without a scope beyond it",
        },
    ]),
    is_live: true,
    gone: Some(people::GONE),
    filters: &["organisation", "teams", "email"],
};

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.chars().count() <= 256 && !text.chars().any(char::is_control))
}

fn is_email(value: &Value) -> bool {
    let parts = value.as_str().filter(|_| is_text(value)).and_then(|text| text.split_once('@'));
    parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
}

fn is_name(value: &Value) -> bool {
    value.as_str().is_some_and(is_id)
}

fn are_names(value: &Value) -> bool {
    value.as_array().is_some_and(|names| names.len() <= 64 && names.iter().all(is_name))
}

fn are_terms(member: &str, value: &Value, owner: &Scope) -> bool {
    value.is_null() || people::terms(&Map::from_iter([(member.to_owned(), value.clone())]), owner).is_ok()
}

fn are_roles(value: &Value) -> bool {
    value.is_array() && roles("roles", Some(value)).is_ok()
}

impl<P: Ports> Admin<P> {
    pub(super) async fn create_organisation(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        self.make(&ORGANISATIONS, ask).await
    }

    pub(super) async fn list_organisations(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        self.list(&ORGANISATIONS, ask).await
    }

    pub(super) async fn show_organisation(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        self.show(&ORGANISATIONS, ask).await
    }

    pub(super) async fn replace_organisation(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        self.replace(&ORGANISATIONS, ask).await
    }

    pub(super) async fn patch_organisation(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        self.patch(&ORGANISATIONS, ask).await
    }

    /// Removes an organisation that has no team any more.
    pub(super) async fn remove_organisation(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let teams = live::all(&self.ports, live::TEAM).await.map_err(super::unavailable)?;
        let is_its = |team: &Value| has(team, "organisation", ask.id());
        let own = self.document.get("teams").and_then(Value::as_object);
        let is_used = own.is_some_and(|teams| teams.values().any(is_its))
            || teams.iter().filter_map(|team| crate::json::tree(&team.value).ok()).any(|team| is_its(&team));
        if is_used {
            let message = "Teams belong to this organisation. Move or remove them first.";
            return Err(ApiError::new(Code::Conflict, message));
        }
        self.remove(&ORGANISATIONS, ask).await
    }

    pub(super) async fn create_user(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        self.make(&USERS, ask).await
    }

    pub(super) async fn list_users(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        self.list(&USERS, ask).await
    }

    pub(super) async fn show_user(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        self.show(&USERS, ask).await
    }

    pub(super) async fn replace_user(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        self.replace(&USERS, ask).await
    }

    pub(super) async fn patch_user(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        self.patch(&USERS, ask).await
    }

    pub(super) async fn remove_user(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        self.remove(&USERS, ask).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_address_has_a_name_and_a_host() {
        assert!(is_email(&json!("ada@example.com")));
        for bad in [json!("ada"), json!("@example.com"), json!("ada@"), json!("a@b@c"), json!(1), json!("a\n@b")] {
            assert!(!is_email(&bad), "{bad}");
        }
    }
}
