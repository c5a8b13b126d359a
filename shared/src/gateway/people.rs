//! What the records of organisations and users make of a caller: whether they may come, where they belong, what they may
//! do, and what binds them beside their team and key.
//!
//! A record is for those whom the identity itself names: a key that belongs to a user, a token, a session. Whom a request
//! names in a header is its sender's word. A user that was removed is refused until made again, a user without a record
//! is nobody special. Records are remembered until an administrator changes anything, see `gateway::live`.

use super::Caller;
use super::caller::Via;
use super::live::{Live, SHELF, unreadable};
use super::policy::{Keys, lock};
use super::roles::{Role, Roles};
use crate::config::{Config, DEFAULT_TEAM, Party, Scope, Terms};
use crate::error::{ApiError, Code};
use crate::ports::{Ports, StoreError};
use futures_util::future::try_join;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The records of users, by id.
pub const USER: &str = "user/";
/// The marks of those who were removed.
pub const GONE: &str = "user-gone/";
/// The longest id of a record.
const MAX_ID_BYTES: usize = 128;

/// A user as their record says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Why they may not come, if so.
    barred: Option<&'static str>,
    organisation: Option<String>,
    teams: Vec<String>,
    roles: Roles,
    terms: Arc<Terms>,
}

/// The id of a record as it stands in paths and keys: nothing that would have to be escaped there twice.
pub fn is_id(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-@+:|".contains(c);
    (1..=MAX_ID_BYTES).contains(&text.len()) && text.chars().all(plain)
}

/// An organisation's scope.
pub fn all_of_it() -> Scope {
    Scope::of([Party::Organisation])
}

/// A user's scope: the user in the organisation, whichever team a call is for.
pub fn wherever() -> Scope {
    Scope::of([Party::Organisation, Party::User])
}

/// `limits` and `budgets` of a record. The error says what is wrong with them.
pub fn terms(record: &Map<String, Value>, owner: &Scope) -> Result<Terms, String> {
    let own = ["limits", "budgets"].into_iter().filter_map(|name| Some((name.to_owned(), record.get(name)?.clone())));
    Terms::owned(Value::Object(own.collect()), owner).map_err(|invalid| invalid.to_string())
}

impl Person {
    fn read(record: &Map<String, Value>) -> Result<Person, String> {
        let texts = |name: &str| -> Vec<String> {
            let items = record.get(name).and_then(Value::as_array).into_iter().flatten();
            items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
        };
        let is_disabled = record.get("disabled") == Some(&Value::Bool(true));
        Ok(Person {
            barred: is_disabled.then_some("This user is disabled. Ask your administrator."),
            organisation: record.get("organisation").and_then(Value::as_str).map(str::to_owned),
            teams: texts("teams"),
            roles: texts("roles").iter().filter_map(|text| Role::parse(text)).collect(),
            terms: Arc::new(terms(record, &wherever())?),
        })
    }
}

/// The record of a user. `None`: there is none.
pub async fn find<P: Ports>(ports: &P, keys: &Keys, user: Option<&str>) -> Result<Option<Arc<Person>>, StoreError> {
    let Some(user) = user.filter(|user| is_id(user)) else { return Ok(None) };
    let known = lock(keys).live.person(user);
    let epoch = match known {
        Ok(person) => return Ok(person),
        Err(epoch) => epoch,
    };
    let (key, gone) = ([USER, user].concat(), [GONE, user].concat());
    let (record, gone) = try_join(ports.read_record(SHELF, &key), ports.read_record(SHELF, &gone)).await?;
    let person = match (record, gone) {
        (Some(record), _) => {
            let read = crate::json::object(&record.value).map_err(|error| error.to_string());
            let person = read.and_then(|read| Person::read(&read));
            Some(Arc::new(person.map_err(|problem| unreadable(&record, &problem))?))
        }
        (None, Some(_)) => {
            let barred = Some("This user was removed. Ask your administrator.");
            Some(Arc::new(Person { barred, ..Person::default() }))
        }
        (None, None) => None,
    };
    lock(keys).live.meet(epoch, user, person.clone());
    Ok(person)
}

/// The caller with what the records say of them.
pub fn placed(caller: Caller, person: Option<&Person>, live: &Live, config: &Config) -> Result<Caller, ApiError> {
    let mut caller = match person {
        Some(person) => joined(caller, person)?,
        None => caller,
    };
    let of_team = || config.team(&caller.team)?.organisation.clone();
    caller.organisation = caller.organisation.take().or_else(of_team);
    let organisation = caller.organisation.as_deref().and_then(|name| live.organisation(name));
    caller.beside.extend(organisation.cloned());
    Ok(caller)
}

fn joined(mut caller: Caller, person: &Person) -> Result<Caller, ApiError> {
    if let Some(sentence) = person.barred {
        return Err(ApiError::new(Code::PermissionDenied, sentence));
    }
    // A key has the roles it was given: a program's key must not open what its owner may do in person.
    let in_person = match caller.via {
        Via::Idp | Via::Session => true,
        Via::Nothing | Via::AdminKey | Via::Key | Via::Token | Via::ProviderKey => false,
    };
    if in_person {
        caller.roles.extend(person.roles.iter().copied());
    }
    if !person.teams.is_empty() && !person.teams.contains(&caller.team) {
        match person.teams.first() {
            Some(first) if in_person && caller.team == DEFAULT_TEAM => caller.team.clone_from(first),
            Some(_) | None => {
                let sentence =
                    format!("This user does not belong to the team `{}`. Ask your administrator.", caller.team);
                return Err(ApiError::new(Code::PermissionDenied, sentence));
            }
        }
    }
    caller.organisation = caller.organisation.or_else(|| person.organisation.clone());
    if !person.terms.is_empty() {
        caller.beside.push(person.terms.clone());
    }
    Ok(caller)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn person(record: Value) -> Person {
        Person::read(record.as_object().unwrap()).unwrap()
    }

    fn come(via: Via, team: &str, record: Value) -> Result<Caller, ApiError> {
        let caller = Caller { via, team: team.into(), user: Some("ada".into()), ..Caller::default() };
        placed(caller, Some(&person(record)), &Live::default(), &Config::default())
    }

    #[test]
    fn a_disabled_user_may_not_come_by_any_way() {
        for via in [Via::Key, Via::Idp, Via::Session] {
            assert_eq!(come(via, "a", json!({ "disabled": true })).unwrap_err().code, Code::PermissionDenied);
            assert!(come(via, "a", json!({ "disabled": false })).is_ok());
        }
    }

    #[test]
    fn roles_of_a_record_are_the_persons_and_not_their_keys() {
        let record = json!({ "roles": ["auditor"] });
        assert_eq!(come(Via::Idp, "a", record.clone()).unwrap().roles, Roles::from([Role::Auditor]));
        assert!(come(Via::Key, "a", record).unwrap().roles.is_empty());
    }

    #[test]
    fn whose_record_lists_teams_belongs_to_no_other() {
        let record = json!({ "teams": ["a", "b"] });
        assert_eq!(come(Via::Key, "b", record.clone()).unwrap().team, "b");
        assert!(come(Via::Key, "c", record.clone()).is_err());
        assert!(come(Via::Key, "default", record.clone()).is_err());
        assert!(come(Via::Idp, "c", record.clone()).is_err());
        assert_eq!(come(Via::Idp, "default", record).unwrap().team, "a", "where the token names none");
        assert_eq!(come(Via::Key, "c", json!({})).unwrap().team, "c");
    }

    #[test]
    fn terms_of_a_record_bind_its_user() {
        let record = json!({ "limits": { "rpm": 1 }, "organisation": "acme", "name": "Ada" });
        let caller = come(Via::Key, "a", record).unwrap();
        assert_eq!((caller.beside.len(), caller.organisation.as_deref()), (1, Some("acme")));
        assert!(Person::read(json!({ "limits": { "rpm": 0 } }).as_object().unwrap()).is_err());
    }

    #[test]
    fn an_id_stands_in_a_path_as_it_is() {
        for good in ["a", "ada@example.com", "auth0|5f7c", "A.b-c_d+e:f"] {
            assert!(is_id(good), "{good}");
        }
        for bad in ["", "a/b", "a b", "é", "a%2f", &"x".repeat(129)] {
            assert!(!is_id(bad), "{bad}");
        }
    }
}
