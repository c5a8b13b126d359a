//! OAuth clients: create, list, show, rotate, revoke.

use super::key_fields::is_sane;
use super::keys::overlap;
use super::resources::unknown;
use super::shelf::listed;
use super::{Admin, Answer, Ask, unavailable};
use crate::config::{DEFAULT_TEAM, ModelPattern};
use crate::error::{ApiError, Code};
use crate::gateway::identity::clients::{Client, ID_PREFIX, SECRET_PREFIX, SHELF, Scope, parse};
use crate::gateway::keys::{PREFIX, SECRET_CHARS, token};
use crate::gateway::roles::Roles;
use crate::json::json;
use crate::ports::Ports;
use crate::records::{Range, Record, Write};
use crate::sorted::SortedMap;
use crate::time::rfc3339;
use serde::Deserialize;
use serde_json::Value;

/// Most model patterns, and most tags, of one client.
const MOST: usize = 256;
/// The members of a new client.
const MEMBERS: [&str; 7] = ["name", "organisation", "team", "roles", "models", "scopes", "tags"];

/// The body of `POST /admin/v1/oauth-clients`.
#[derive(Deserialize)]
struct NewClient {
    name: String,
    organisation: Option<String>,
    team: Option<String>,
    #[serde(default)]
    roles: Roles,
    models: Option<Vec<String>>,
    scopes: Option<Vec<Scope>>,
    #[serde(default)]
    tags: SortedMap<String, String>,
}

impl<P: Ports> Admin<P> {
    pub(super) async fn create_client(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let shape = "{\"name\": …, \"organisation\": …, \"team\": …, \"roles\": […], \"models\": […], \"scopes\": […], \"tags\": {…}}";
        let new: NewClient = ask.json(shape)?;
        if let Some(name) = ask.members()?.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
            return Err(unknown(name, &MEMBERS));
        }
        let team = new.team.clone().unwrap_or_else(|| DEFAULT_TEAM.to_owned());
        self.check_client(&new, &team)?;
        let (id, secret) = match ask.request.idempotency_key.as_deref() {
            Some(key) => self.named_again(ask, key)?,
            None => {
                let id = format!("{ID_PREFIX}{}", token(|| self.ports.entropy(), 16));
                (id, format!("{SECRET_PREFIX}{}", token(|| self.ports.entropy(), SECRET_CHARS)))
            }
        };
        let client = Client {
            id,
            hash: self.hasher()?.hash(&secret),
            name: new.name,
            organisation: new.organisation,
            team,
            roles: new.roles,
            models: new.models,
            scopes: new.scopes.unwrap_or_else(|| vec![Scope::Inference]),
            tags: new.tags,
            previous: None,
            created_at: self.ports.now(),
            revoked_at: None,
        };
        let written = self.write_client(&client, Write::create(&client.id, text(&client))).await;
        if let Err(error) = written {
            return self.made_before(&client, secret, error).await;
        }
        Ok(Answer::created(with_secret(&client, secret)).tagged(1))
    }

    /// Id and secret of a client that is made under an idempotency key: the same however often it is asked for, so
    /// that it is made once.
    fn named_again(&self, ask: &Ask<'_>, key: &str) -> Result<(String, String), ApiError> {
        if !is_sane(key, 255) {
            return Err(ApiError::invalid("idempotency-key", "idempotency-key must be printable, at most 255 bytes."));
        }
        let hasher = self.hasher()?;
        let place = hasher.hash(&["oauth client", &ask.who.key_id, key].join("\0"));
        let made = hasher.key_of(&place);
        let secret = made.strip_prefix(PREFIX).unwrap_or_default();
        Ok((format!("{ID_PREFIX}{}", place.get(..24).unwrap_or_default()), format!("{SECRET_PREFIX}{secret}")))
    }

    /// The answer where a client of this id was there already: the first one's, if the same was asked for.
    async fn made_before(&self, client: &Client, secret: String, error: ApiError) -> Result<Answer, ApiError> {
        let record = self.ports.read_record(SHELF, &client.id).await.map_err(unavailable)?;
        let Some(record) = record else { return Err(error) };
        let before = parse(&record.value).map_err(unavailable)?;
        let same = Client { created_at: before.created_at, ..client.clone() };
        if same != before {
            let message =
                "This idempotency-key was used for another request, or its client was changed since. Send a new one.";
            return Err(ApiError::new(Code::IdempotencyConflict, message));
        }
        let mut answer = Answer::created(with_secret(&before, secret)).tagged(record.version);
        answer.headers.push(("idempotent-replayed".into(), "true".to_owned()));
        Ok(answer)
    }

    fn check_client(&self, new: &NewClient, team: &str) -> Result<(), ApiError> {
        let sane = |text: &str| (1..=128).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        let bad = |pattern: &String| ModelPattern::parse(pattern).is_none();
        match () {
            () if !sane(&new.name) => Err(ApiError::invalid("name", "name must be 1 to 128 printable characters.")),
            () if new.organisation.as_deref().is_some_and(|name| !sane(name)) => {
                Err(ApiError::invalid("organisation", "organisation must be 1 to 128 printable characters."))
            }
            () if self.config.team(team).is_none() => Err(ApiError::invalid(
                "team",
                "There is no such team in the configuration. Add it under [teams] first.",
            )),
            () if new.models.as_ref().is_some_and(|models| models.len() > MOST || models.iter().any(bad)) => Err(
                ApiError::invalid("models", "models must be at most 256 patterns such as \"fast\" or \"openai:*\"."),
            ),
            () if new.scopes.as_ref().is_some_and(Vec::is_empty) => {
                Err(ApiError::invalid("scopes", "scopes must hold inference, admin or both."))
            }
            () if new.tags.len() > MOST || !new.tags.iter().all(|(name, value)| sane(name) && sane(value)) => {
                Err(ApiError::invalid("tags", "tags must have printable names and values of 1 to 128 characters."))
            }
            () => Ok(()),
        }
    }

    pub(super) async fn list_clients(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let limit = ask.limit()?;
        let range = Range { after: ask.query("after"), limit: limit + 1, ..Range::default() };
        let records = self.ports.list_records(SHELF, &range).await.map_err(unavailable)?;
        let clients: Result<Vec<Client>, _> = records.iter().take(limit).map(|record| parse(&record.value)).collect();
        let clients = clients.map_err(unavailable)?;
        let next = clients.last().filter(|_| records.len() > limit).map(|client| client.id.as_str());
        Ok(listed(clients.iter().map(show).collect(), next))
    }

    pub(super) async fn show_client(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let (record, client) = self.find_client(ask).await?;
        Ok(Answer::ok(show(&client)).tagged(record.version))
    }

    pub(super) async fn revoke_client(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let (record, client) = self.find_client(ask).await?;
        // Revoking twice keeps the first time.
        let revoked_at = client.revoked_at.or(Some(self.ports.now()));
        let client = Client { revoked_at, previous: None, ..client };
        self.write_client(&client, Write::replace(&record, text(&client))).await?;
        Ok(Answer::ok(show(&client)).tagged(record.version + 1))
    }

    pub(super) async fn rotate_client(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let overlap = overlap(ask)?;
        let (record, client) = self.find_client(ask).await?;
        if client.revoked_at.is_some() {
            return Err(ApiError::new(Code::InvalidRequest, "The client is revoked. Create another."));
        }
        let (secret, hash) = self.new_secret()?;
        let until = self.ports.now() + overlap;
        let client = Client { previous: Some((client.hash, until)), hash, ..client };
        self.write_client(&client, Write::replace(&record, text(&client))).await?;
        Ok(Answer::ok(with_secret(&client, secret)).tagged(record.version + 1))
    }

    fn new_secret(&self) -> Result<(String, String), ApiError> {
        let missing = || ApiError::new(Code::NotConfigured, "Set SIGNALBOX_SECRET (at least 32 bytes) first.");
        let hasher = self.hasher.as_ref().ok_or_else(missing)?;
        let secret = format!("{SECRET_PREFIX}{}", token(|| self.ports.entropy(), SECRET_CHARS));
        let hash = hasher.hash(&secret);
        Ok((secret, hash))
    }

    async fn find_client(&self, ask: &Ask<'_>) -> Result<(Record, Client), ApiError> {
        let record = self.ports.read_record(SHELF, ask.id()).await.map_err(unavailable)?;
        ask.precondition(record.as_ref())?;
        let nobody = "There is no client of this id. GET /admin/v1/oauth-clients lists them.";
        let record = record.ok_or_else(|| ApiError::new(Code::NotFound, nobody))?;
        let client = parse(&record.value).map_err(unavailable)?;
        Ok((record, client))
    }

    async fn write_client(&self, client: &Client, write: Write) -> Result<(), ApiError> {
        match self.ports.write_records(SHELF, vec![write]).await.map_err(unavailable)? {
            true => {
                self.identity.clients.put(client, self.ports.now());
                Ok(())
            }
            false => Err(ApiError::new(
                Code::PreconditionFailed,
                "The client was changed by somebody else meanwhile. Read it and try again.",
            )),
        }
    }
}

fn text(client: &Client) -> String {
    // Plain data with string keys cannot fail to serialise.
    serde_json::to_string(client).unwrap_or_default()
}

/// A client as the admin plane shows it: never its hashes.
fn show(client: &Client) -> Value {
    json!({
        "object": "oauth_client",
        "id": client.id,
        // What OAuth calls it (RFC 7591, section 3.2.1).
        "client_id": client.id,
        "name": client.name,
        "organisation": client.organisation,
        "team": client.team,
        "roles": client.roles,
        "models": client.models,
        "scopes": client.scopes,
        "tags": client.tags,
        "overlap_until": client.previous.as_ref().map(|(_, until)| rfc3339(*until)),
        "created_at": rfc3339(client.created_at),
        "revoked_at": client.revoked_at.map(rfc3339),
    })
}

/// The same with its new secret: shown this once.
fn with_secret(client: &Client, secret: String) -> Value {
    let mut shown = show(client);
    if let Some(members) = shown.as_object_mut() {
        members.insert("client_secret".to_owned(), secret.into());
    }
    shown
}
