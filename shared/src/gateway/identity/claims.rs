//! What a token says, held to what is expected of it (RFC 8725), and the caller that follows.
//!
//! Nothing here knows where a token came from or whether its signature is good: [`read`] says what a token with these
//! claims would be worth. Times come last, so that only a token that was good once is told that it has expired.

use crate::config::authentication::{Claims, Found};
use crate::gateway::Caller;
use crate::gateway::caller::Via;
use crate::gateway::roles::Role;
use crate::jose::{Jws, object};
use crate::units::{Millis, Timestamp};
use serde_json::{Map, Value};

/// How far clocks may differ.
pub(crate) const SKEW: Millis = Millis(60_000);
/// The longest name that is taken from a token.
const MAX_NAME_BYTES: usize = 256;

/// What a token must say to be good here.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'c> {
    /// `iss`, to the letter.
    pub issuer: &'c str,
    /// One of `aud`.
    pub audience: &'c str,
    /// What `typ` may be, without `application/`.
    pub types: &'c [&'c str],
    /// Whether `typ` may be left out.
    pub untyped: bool,
    /// How far ahead the end may lie.
    pub longest: Millis,
}

/// Why a token is not good, as the operator's log says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is for something else than access.
    Type,
    /// The payload is no object of JSON without repeated names.
    Payload,
    /// It is by somebody else.
    Issuer,
    /// It is for somebody else.
    Audience,
    /// It says of nobody, or of somebody with a name that cannot be written down.
    Subject,
    /// Its times are missing, or no times.
    Times,
    /// It is good later, or was made later than now.
    Early,
    /// Its end lies too far ahead.
    Lifetime,
    /// It has ended.
    Expired,
    /// Its issuer's keys have none for it.
    Key,
    /// The algorithm is not one its issuer signs with.
    Algorithm,
    /// The signature is not good.
    Signature,
    /// A claim that should say who it is does not.
    Claim,
    /// What it stands for was revoked.
    Revoked,
    /// Its issuer says that it is no good.
    Inactive,
}

impl Refused {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Refused::Type => "type",
            Refused::Payload => "payload",
            Refused::Issuer => "issuer",
            Refused::Audience => "audience",
            Refused::Subject => "subject",
            Refused::Times => "times",
            Refused::Early => "early",
            Refused::Lifetime => "lifetime",
            Refused::Expired => "expired",
            Refused::Key => "key",
            Refused::Algorithm => "algorithm",
            Refused::Signature => "signature",
            Refused::Claim => "claim",
            Refused::Revoked => "revoked",
            Refused::Inactive => "inactive",
        }
    }
}

/// The claims of a token that says what it should, its times apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// All of them.
    pub claims: Map<String, Value>,
    /// `sub`.
    pub subject: String,
    /// `exp`.
    pub expires_at: Timestamp,
    not_before: Timestamp,
    longest: Millis,
}

/// The payload of a token, as an object.
pub fn payload(jws: &Jws<'_>) -> Result<Map<String, Value>, Refused> {
    object(&jws.payload).ok_or(Refused::Payload)
}

/// Holds a token's claims to what is expected.
pub fn read(jws: &Jws<'_>, claims: Map<String, Value>, expected: &Expected<'_>) -> Result<Told, Refused> {
    if !(jws.is_of_type(expected.types) || jws.typ.is_none() && expected.untyped) {
        return Err(Refused::Type);
    }
    if claims.get("iss").is_none_or(|iss| iss != expected.issuer) {
        return Err(Refused::Issuer);
    }
    if !is_for(&claims, expected.audience) {
        return Err(Refused::Audience);
    }
    let subject =
        claims.get("sub").and_then(Value::as_str).filter(|sub| is_name(sub)).ok_or(Refused::Subject)?.to_owned();
    let expires_at = instant(&claims, "exp")?.ok_or(Refused::Times)?;
    let started = [instant(&claims, "nbf")?, instant(&claims, "iat")?];
    let not_before = started.into_iter().flatten().max().unwrap_or(Timestamp(0));
    Ok(Told { claims, subject, expires_at, not_before, longest: expected.longest })
}

impl Told {
    /// Whether now is a time at which the token is good.
    pub fn at(&self, now: Timestamp) -> Result<(), Refused> {
        match () {
            () if self.not_before > now + SKEW => Err(Refused::Early),
            () if self.expires_at + SKEW <= now => Err(Refused::Expired),
            () if self.expires_at > now + self.longest + SKEW => Err(Refused::Lifetime),
            () => Ok(()),
        }
    }
}

/// Whether `aud`, a text or a list of texts, holds this one.
pub fn is_for(claims: &Map<String, Value>, audience: &str) -> bool {
    match claims.get("aud") {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(all)) => all.iter().all(Value::is_string) && all.iter().any(|one| one == audience),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => false,
    }
}

/// A NumericDate (RFC 7519): seconds, perhaps with a fraction. Beyond the year 9999 it is no instant.
pub fn instant(claims: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, Refused> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_f64().filter(|seconds| (0.0..253_402_300_800.0).contains(seconds)).ok_or(Refused::Times)?;
    Ok(Some(Timestamp((seconds * 1_000.0) as u64)))
}

/// Whether a text can be written down as somebody's name.
pub fn is_name(text: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// The caller that claims speak of. A claim that is configured must be there: somebody whose group is missing is not
/// somebody without one.
pub fn caller(rules: &Claims, claims: &Map<String, Value>, via: Via, key_id: String) -> Result<Caller, Refused> {
    let one = |found: Found| match found {
        Found::Texts(texts) => texts.into_iter().next().filter(|text| is_name(text)).ok_or(Refused::Claim),
        Found::Nothing | Found::Other => Err(Refused::Claim),
    };
    let named = |path: &Option<_>| {
        path.as_ref().map(|path: &crate::config::authentication::ClaimPath| one(path.find(claims))).transpose()
    };
    let roles = match rules.roles.as_ref().map_or(Found::Nothing, |path| path.find(claims)) {
        // Roles of other systems stand beside ours.
        Found::Texts(texts) => texts.iter().filter_map(|text| Role::parse(text)).collect(),
        Found::Nothing => Default::default(),
        Found::Other => return Err(Refused::Claim),
    };
    Ok(Caller {
        via,
        key_id,
        organisation: named(&rules.organisation)?,
        team: named(&rules.team)?.unwrap_or_else(|| crate::config::DEFAULT_TEAM.to_owned()),
        user: Some(one(rules.user.find(claims))?),
        roles,
        ..Caller::default()
    })
}
