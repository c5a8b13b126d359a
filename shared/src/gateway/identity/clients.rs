//! OAuth clients: programs that trade a secret for short-lived tokens. Records on a shelf, remembered for seconds.

use super::recent::Recent;
use crate::config::{ModelAccess, ModelPattern};
use crate::gateway::Caller;
use crate::gateway::caller::Via;
use crate::gateway::roles::Roles;
use crate::ports::{Ports, StoreError};
use crate::sorted::SortedMap;
use crate::units::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The shelf they are kept on.
pub const SHELF: &str = "oauth-clients";
/// Every client's id begins so.
pub const ID_PREFIX: &str = "client_";
/// Every client's secret begins so, for people and for scanners.
pub const SECRET_PREFIX: &str = "cs-sb-";

/// What a token may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Calls to models.
    Inference,
    /// The admin plane, as far as the client's roles go.
    Admin,
}

impl Scope {
    /// All of them.
    pub const ALL: [Scope; 2] = [Scope::Inference, Scope::Admin];

    /// The scope as OAuth spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Inference => "inference",
            Scope::Admin => "admin",
        }
    }

    /// Reads a list of scopes, separated by spaces (RFC 6749, section 3.3). `None`: one of them is not known.
    pub fn list(text: &str) -> Option<Vec<Scope>> {
        let known = |word: &str| Scope::ALL.into_iter().find(|scope| scope.as_str() == word);
        text.split(' ').filter(|word| !word.is_empty()).map(known).collect()
    }
}

/// A client as it is stored: everything but its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Its public id, `client_…`.
    pub id: String,
    /// The keyed hash of its secret.
    pub hash: String,
    /// What people call it.
    pub name: String,
    /// The organisation it belongs to; else its team's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// The team whose limits and budgets it draws on.
    pub team: String,
    /// What it may do on the admin plane.
    #[serde(default, skip_serializing_if = "Roles::is_empty")]
    pub roles: Roles,
    /// Model patterns it is restricted to, within the team's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<String>>,
    /// What its tokens may be used for.
    pub scopes: Vec<Scope>,
    /// Attribution of every call.
    #[serde(default, skip_serializing_if = "SortedMap::is_empty")]
    pub tags: SortedMap<String, String>,
    /// The secret before the last rotation, by its hash, and until when it is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<(String, Timestamp)>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

impl Client {
    /// The hashes of secrets that are good now.
    pub fn hashes(&self, now: Timestamp) -> impl Iterator<Item = &str> {
        let previous = self.previous.as_ref().filter(move |(_, until)| now < *until).map(|(hash, _)| hash.as_str());
        std::iter::once(self.hash.as_str()).chain(previous)
    }

    /// The caller that presents a token of this client with these scopes, both as they are now: what was taken from the
    /// client since is taken from its tokens, too.
    pub fn caller(&self, scopes: &[Scope]) -> Caller {
        let has = |scope: Scope| scopes.contains(&scope) && self.scopes.contains(&scope);
        let patterns = |texts: &Vec<String>| texts.iter().filter_map(|text| ModelPattern::parse(text)).collect();
        let models = match has(Scope::Inference) {
            true => self.models.as_ref().map_or(ModelAccess::All, |texts| ModelAccess::Only(patterns(texts))),
            false => ModelAccess::Only(Vec::new()),
        };
        Caller {
            via: Via::Token,
            key_id: self.id.clone(),
            organisation: self.organisation.clone(),
            team: self.team.clone(),
            tags: self.tags.clone(),
            roles: if has(Scope::Admin) { self.roles.clone() } else { Roles::new() },
            models,
            ..Caller::default()
        }
    }
}

/// What one process remembers of clients.
#[derive(Clone, Debug, Default)]
pub struct Clients(Arc<Mutex<Recent<Client>>>);

impl Clients {
    fn lock(&self) -> MutexGuard<'_, Recent<Client>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A client, as of some seconds ago at the most.
    pub async fn find(&self, ports: &impl Ports, id: &str) -> Result<Option<Client>, StoreError> {
        let recent = self.lock().get(id, ports.now());
        let Some((client, is_asker)) = recent else { return self.read(ports, id).await };
        if is_asker {
            let (clients, background, id) = (self.clone(), ports.clone(), id.to_owned());
            ports.spawn(async move {
                // A store that is down changes nothing: the entry ends by its age.
                let _ = clients.read(&background, &id).await;
            });
        }
        Ok(client)
    }

    /// A client as it stands in the store.
    pub async fn read(&self, ports: &impl Ports, id: &str) -> Result<Option<Client>, StoreError> {
        let record = ports.read_record(SHELF, id).await?;
        let client = record.map(|record| parse(&record.value)).transpose()?;
        self.lock().put(id, client.clone(), ports.now());
        Ok(client)
    }

    /// What this process has just written, known to it at once.
    pub fn put(&self, client: &Client, now: Timestamp) {
        self.lock().put(&client.id, Some(client.clone()), now);
    }
}

/// Reads a stored client.
pub fn parse(text: &str) -> Result<Client, StoreError> {
    crate::json::parse(text).map_err(|error| StoreError(format!("a stored client cannot be read: {error}")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::gateway::roles::Role;

    fn client() -> Client {
        let text = r#"{"id":"client_1","hash":"new","name":"n","team":"t","scopes":["inference","admin"],"created_at":1,"previous":["old",100]}"#;
        parse(text).unwrap()
    }

    #[test]
    fn a_token_is_worth_what_it_was_asked_for_and_what_its_client_still_has() {
        let client = Client { roles: Roles::from([Role::Auditor]), models: Some(vec!["fast".into()]), ..client() };
        let both = client.caller(&Scope::ALL);
        assert!(both.models.permits("fast") && !both.models.permits("smart") && both.roles.contains(&Role::Auditor));
        assert!(client.caller(&[Scope::Inference]).roles.is_empty());
        assert!(!client.caller(&[Scope::Admin]).models.permits("fast"));
        let less = Client { scopes: vec![Scope::Inference], ..client };
        assert!(less.caller(&Scope::ALL).roles.is_empty());
    }

    #[test]
    fn a_rotated_secret_is_good_until_the_overlap_ends() {
        let client = client();
        assert_eq!(client.hashes(Timestamp(99)).collect::<Vec<_>>(), ["new", "old"]);
        assert_eq!(client.hashes(Timestamp(100)).collect::<Vec<_>>(), ["new"]);
    }

    #[test]
    fn scopes_are_known_or_the_list_is_none() {
        assert_eq!(Scope::list("admin  inference"), Some(vec![Scope::Admin, Scope::Inference]));
        assert_eq!(Scope::list(""), Some(vec![]));
        assert_eq!(Scope::list("inference everything"), None);
    }
}
