//! Sessions of people who signed in: kept on a shelf under the hash of a secret that only their browser has.
//!
//! A session ends when its person signs out, after a time without use, and after a time in any case; it gets a new secret
//! now and then, and the old one stays good for the moment in which requests are still under way with it. It is read
//! with every request of the admin plane and remembered by no process, so that its end is its end everywhere.

use super::Identity;
use crate::error::{ApiError, Code};
use crate::gateway::caller::Via;
use crate::gateway::keys::{Hasher, token};
use crate::gateway::roles::Role;
use crate::gateway::{Caller, denial};
use crate::json::json;
use crate::ports::{Ports, StoreError};
use crate::records::{Record, Write};
use crate::units::{Millis, Timestamp};
use serde_json::Value;

/// The shelf they are kept on.
pub const SHELF: &str = "sessions";
/// Characters of a session's secret.
const SECRET_CHARS: usize = 43;
/// Uses closer together than this are one.
const USED_AGAIN: Millis = Millis(60_000);
/// A secret of this age is replaced when the person is asked about, and how long it is good then.
const RENEW_AFTER: Millis = Millis(900_000);
const OVERLAP: Millis = Millis(60_000);

/// A session that is good.
#[derive(Clone, Debug)]
pub struct Session {
    /// Who signed in, as the identity provider said it then.
    pub caller: Caller,
    /// What a request must carry that changes something.
    pub csrf_token: String,
    /// When it ends in any case.
    pub ends_at: Timestamp,
    /// When it ends unless it is used.
    pub idle_at: Timestamp,
    made_at: Timestamp,
    used_at: Timestamp,
    record: Record,
}

/// A new secret for the browser.
#[derive(Debug)]
pub struct Opened {
    /// The secret.
    pub secret: String,
    /// When it ends in any case.
    pub ends_at: Timestamp,
}

fn place(hasher: &Hasher, secret: &str) -> String {
    hasher.hash(&["session", secret].join("\0"))
}

/// What a request must carry that changes something: a page of another site cannot know it.
fn csrf_token(hasher: &Hasher, secret: &str) -> String {
    hasher.hash(&["csrf", secret].join("\0"))
}

fn written(caller: &Caller, source: &str, made_at: Timestamp, used_at: Timestamp, ends_at: Timestamp) -> String {
    let Caller { key_id, organisation, team, user, roles, .. } = caller;
    json!({
        "source": source, "key_id": key_id, "organisation": organisation, "team": team, "user": user, "roles": roles,
        "made_at": made_at, "used_at": used_at, "ends_at": ends_at,
    })
    .to_string()
}

impl Session {
    /// A session as it is kept; `None` where it cannot be understood, or is of another identity provider.
    fn read(record: Record, source: &str, idle: Millis, csrf_token: String) -> Option<Session> {
        let kept: Value = crate::json::tree(&record.value).ok()?;
        let text = |name: &str| kept.get(name).and_then(Value::as_str).map(str::to_owned);
        let at = |name: &str| kept.get(name).and_then(Value::as_u64).map(Timestamp);
        (text("source")? == source).then_some(())?;
        let roles = kept.get("roles").and_then(Value::as_array).into_iter().flatten();
        let caller = Caller {
            via: Via::Session,
            key_id: text("key_id")?,
            organisation: text("organisation"),
            team: text("team")?,
            user: Some(text("user")?),
            roles: roles.filter_map(|role| Role::parse(role.as_str()?)).collect(),
            ..Caller::default()
        };
        let (used_at, ends_at) = (at("used_at")?, at("ends_at")?);
        let idle_at = (used_at + idle).min(ends_at);
        Some(Session { caller, csrf_token, ends_at, idle_at, made_at: at("made_at")?, used_at, record })
    }
}

impl<P: Ports> Identity<P> {
    /// Opens a session; one that the browser had before ends.
    pub async fn open_session(
        &self,
        hasher: &Hasher,
        caller: &Caller,
        before: Option<&str>,
    ) -> Result<Opened, ApiError> {
        let (console, _) = self.console()?;
        let now = self.ports.now();
        let (secret, ends_at) = (token(|| self.ports.entropy(), SECRET_CHARS), now + console.longest);
        let text = written(caller, &console.idp, now, now, ends_at);
        let mut writes = vec![Write::create(place(hasher, &secret), text).until(now + console.idle)];
        writes.extend(before.map(|before| Write::remove(place(hasher, before))));
        self.write_sessions(writes).await?;
        Ok(Opened { secret, ends_at })
    }

    /// The session of a secret, if it is good. That it was used is noted behind the caller's back.
    pub async fn session(&self, hasher: &Hasher, secret: &str) -> Result<Option<Session>, ApiError> {
        let Ok((console, _)) = self.console() else { return Ok(None) };
        if secret.len() != SECRET_CHARS {
            return Ok(None);
        }
        let record = self.ports.read_record(SHELF, &place(hasher, secret)).await;
        let record = record.map_err(|problem| self.sessions_down(&problem))?;
        let now = self.ports.now();
        let session = record.and_then(|record| {
            let session = Session::read(record, &console.idp, console.idle, csrf_token(hasher, secret))?;
            (session.used_at <= now && now < session.idle_at).then_some(session)
        });
        if let Some(session) = &session
            && now.since(session.used_at) >= USED_AGAIN
        {
            let text = written(&session.caller, &console.idp, session.made_at, now, session.ends_at);
            let write = Write::replace(&session.record, text).until((now + console.idle).min(session.ends_at));
            let ports = self.ports.clone();
            self.ports.spawn(async move {
                // Whoever was faster noted it, too; a store that is down lets the session end early.
                let _ = ports.write_records(SHELF, vec![write]).await;
            });
        }
        Ok(session)
    }

    /// Gives a session a new secret when its old one has become old. `None`: it has not, or another request was faster.
    pub async fn renew_session(&self, hasher: &Hasher, session: &Session) -> Result<Option<Opened>, ApiError> {
        let (console, _) = self.console()?;
        let now = self.ports.now();
        if now.since(session.made_at) < RENEW_AFTER {
            return Ok(None);
        }
        let Session { caller, record, ends_at, .. } = session;
        let secret = token(|| self.ports.entropy(), SECRET_CHARS);
        let last = (now + OVERLAP).min(*ends_at);
        let new = written(caller, &console.idp, now, now, *ends_at);
        let old = written(caller, &console.idp, now, now, last);
        let writes = vec![
            Write::create(place(hasher, &secret), new).until((now + console.idle).min(*ends_at)),
            Write::replace(record, old).until(last),
        ];
        let opened = Opened { secret, ends_at: *ends_at };
        Ok(self.write_sessions(writes).await?.then_some(opened))
    }

    /// Ends a session.
    pub async fn end_session(&self, hasher: &Hasher, secret: &str) -> Result<(), ApiError> {
        self.write_sessions(vec![Write::remove(place(hasher, secret))]).await.map(drop)
    }

    async fn write_sessions(&self, writes: Vec<Write>) -> Result<bool, ApiError> {
        self.ports.write_records(SHELF, writes).await.map_err(|problem| self.sessions_down(&problem))
    }

    fn sessions_down(&self, problem: &StoreError) -> ApiError {
        self.ports.log(&denial::store_line("sessions", problem));
        let sentence = "The store of sessions does not answer. Try again in a moment.";
        ApiError::new(Code::LimiterUnavailable, sentence).retry_after(Millis(1_000))
    }
}
