//! Creates that may be repeated: `idempotency-key`.
//!
//! What was created and how it was answered are written in one transaction, so of any number of requests with one
//! idempotency key exactly one creates, and the others get its answer. The answer is kept for a day. A secret in it is
//! not kept: it is made from a salt, and made again from it.

use super::{Admin, Answer, Ask};
use crate::error::{ApiError, Code};
use crate::gateway::keys::{Hasher, token};
use crate::ports::Ports;
use crate::records::Write;
use crate::units::Millis;
use serde::{Deserialize, Serialize};
use serde_json::Value;

const KEPT: Millis = Millis(24 * 3_600_000);
const MAX_KEY_BYTES: usize = 255;

/// What is kept of a request that created something.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    /// Tells another request with the same idempotency key from a repetition.
    imprint: String,
    status: u16,
    #[serde(deserialize_with = "crate::json::any")]
    body: Value,
    salt: String,
    /// The member of the body that holds the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// A request that has not been answered yet.
pub(super) struct Once {
    /// Where the answer is kept, and the request's imprint; `None` where it may not be repeated.
    place: Option<(String, String)>,
    salt: String,
}

/// Whether a request is a repetition.
pub(super) enum Begun {
    /// It is new.
    New(Once),
    /// It was answered: this is the answer.
    Before(Answer),
}

impl<P: Ports> Admin<P> {
    /// What is known of this request. `target` is what it would change.
    pub(super) async fn once(&self, ask: &Ask<'_>, target: &str) -> Result<Begun, ApiError> {
        let hasher = self.hasher()?;
        let salt = token(|| self.ports.entropy(), 22);
        let Some(key) = ask.request.idempotency_key.as_deref() else {
            return Ok(Begun::New(Once { place: None, salt }));
        };
        if key.len() > MAX_KEY_BYTES || key.chars().any(char::is_control) {
            return Err(ApiError::invalid("idempotency-key", "idempotency-key must be printable, at most 255 bytes."));
        }
        let place = format!("once/{}", hasher.hash(&["once", &ask.who.key_id, target, key].join("\0")));
        let body = String::from_utf8_lossy(&ask.request.body);
        let imprint = hasher.hash(&["request", target, &body].join("\0"));
        let Some(record) = self.read(&place).await? else {
            return Ok(Begun::New(Once { place: Some((place, imprint)), salt }));
        };
        let kept: Kept = crate::json::parse(&record.value)
            .map_err(|error| ApiError::new(Code::InternalError, format!("A kept answer cannot be read: {error}")))?;
        if kept.imprint != imprint {
            let message = "This idempotency-key was used for another request. Send a new one.";
            return Err(ApiError::new(Code::IdempotencyConflict, message));
        }
        let body = with_secret(kept.body, kept.secret.as_deref(), &hasher.key_of(&kept.salt));
        let mut answer = Answer { status: kept.status, ..Answer::ok(body) };
        answer.headers.push(("idempotent-replayed".into(), "true".to_owned()));
        Ok(Begun::Before(answer))
    }

    pub(super) fn hasher(&self) -> Result<&Hasher, ApiError> {
        let missing = || ApiError::new(Code::NotConfigured, "Set SIGNALBOX_SECRET (at least 32 bytes) first.");
        self.hasher.as_ref().ok_or_else(missing)
    }

    /// The answer to a change that was not made because its records were there: that of the request that was faster, if
    /// it had the same idempotency key.
    pub(super) async fn beaten(&self, ask: &Ask<'_>, target: &str, else_: ApiError) -> Result<Answer, ApiError> {
        match self.once(ask, target).await? {
            Begun::Before(answer) => Ok(answer),
            Begun::New(_) => Err(else_),
        }
    }
}

impl Once {
    /// The secret this request makes.
    pub(super) fn secret(&self, hasher: &Hasher) -> String {
        hasher.key_of(&self.salt)
    }

    /// The writes that keep the answer, to be made together with what it is about.
    pub(super) fn keep<P: Ports>(
        &self,
        admin: &Admin<P>,
        status: u16,
        body: &Value,
        secret: Option<&str>,
    ) -> Vec<Write> {
        let Some((place, imprint)) = &self.place else { return Vec::new() };
        let kept = Kept {
            imprint: imprint.clone(),
            status,
            body: body.clone(),
            salt: self.salt.clone(),
            secret: secret.map(str::to_owned),
        };
        // Plain data with string keys cannot fail to serialise.
        let text = serde_json::to_string(&kept).unwrap_or_default();
        vec![Write::create(place, text).until(admin.ports.now() + KEPT)]
    }
}

/// The body with the secret in its place.
pub(super) fn with_secret(mut body: Value, member: Option<&str>, secret: &str) -> Value {
    if let (Some(member), Some(members)) = (member, body.as_object_mut()) {
        members.insert(member.to_owned(), Value::String(secret.to_owned()));
    }
    body
}
