//! Asking an issuer for its keys. Nothing a token says decides where.

use super::jwks::{Find, Jwks};
use crate::config::BaseUrl;
use crate::jose::{Jwk, Jws, KeySet, object};
use crate::ports::{Outgoing, Ports, is_success};
use crate::sorted::SortedMap;
use crate::units::{Millis, Timestamp};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The longest answer an issuer may give.
const MAX_BYTES: usize = 256 * 1024;
/// How long an issuer may take for one answer.
const PATIENCE: Millis = Millis(5_000);
/// How long a request waits for keys that are being fetched, and how often it looks.
const WAITS: u32 = 700;
const LOOK_EVERY: Millis = Millis(10);

/// Where an issuer's keys are: the configuration's word.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The issuer, to the letter.
    pub issuer: String,
    /// Its keys; else found through its description.
    pub jwks_uri: Option<String>,
}

/// The keys of every issuer that was asked, across configurations: at most as many as those name.
#[derive(Clone, Debug, Default)]
pub struct Issuers(Arc<Mutex<SortedMap<Place, Jwks>>>);

/// Why there is no key for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoKey {
    /// The issuer has none for it.
    Unknown,
    /// The issuer does not answer.
    Down,
}

impl Issuers {
    /// Nothing panics while the lock is held, so a poisoned lock guards good data all the same.
    fn lock(&self) -> MutexGuard<'_, SortedMap<Place, Jwks>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key a token says it is signed with, and the state of the issuer's keys it is from.
    pub async fn key(&self, ports: &impl Ports, place: &Place, jws: &Jws<'_>) -> Result<(Jwk, u64), NoKey> {
        for _ in 0..WAITS {
            let (found, epoch) = {
                let mut all = self.lock();
                let jwks = all.entry(place.clone()).or_default();
                (jwks.find(jws.kid.as_deref(), jws.algorithm, ports.now()), jwks.epoch())
            };
            match found {
                Find::Key(key) => {
                    self.refresh(ports, place);
                    return Ok((*key, epoch));
                }
                Find::Fetch => self.spawn_fetch(ports, place),
                Find::Wait => {}
                Find::None => return Err(NoKey::Unknown),
                Find::Down => return Err(NoKey::Down),
            }
            ports.sleep(LOOK_EVERY).await;
        }
        Err(NoKey::Down)
    }

    /// The present state of an issuer's keys. Old ones are fetched again behind the caller's back.
    pub fn refresh(&self, ports: &impl Ports, place: &Place) -> u64 {
        let (due, epoch) = {
            let mut all = self.lock();
            let Some(jwks) = all.get_mut(place) else { return 0 };
            (jwks.is_due(ports.now()), jwks.epoch())
        };
        if due {
            self.spawn_fetch(ports, place);
        }
        epoch
    }

    fn spawn_fetch<P: Ports>(&self, ports: &P, place: &Place) {
        let (issuers, place, background) = (self.clone(), place.clone(), ports.clone());
        ports.spawn(async move {
            let fetched = fetch(&background, &place).await;
            if let Err(problem) = &fetched {
                let line = crate::json::json!({ "event": "issuer_error", "issuer": place.issuer, "problem": problem });
                background.log(&line.to_string());
            }
            let now = background.now();
            issuers.lock().entry(place).or_default().fetched(fetched.ok(), now);
        });
    }
}

async fn fetch(ports: &impl Ports, place: &Place) -> Result<KeySet, &'static str> {
    let uri = match &place.jwks_uri {
        Some(uri) => uri.clone(),
        None => description(ports, &place.issuer, "jwks_uri").await?,
    };
    let keys = KeySet::read(&get(ports, uri).await?).ok_or("its keys are no key set")?;
    if keys.is_empty() { Err("it has no key that can be used") } else { Ok(keys) }
}

/// A place the issuer's description of itself names (OpenID Connect Discovery 1.0, section 4).
pub async fn description(ports: &impl Ports, issuer: &str, member: &str) -> Result<String, &'static str> {
    place_in(&described(ports, issuer).await?, issuer, member)
}

async fn described(ports: &impl Ports, issuer: &str) -> Result<Map<String, Value>, &'static str> {
    let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let description = object(&get(ports, url).await?).ok_or("its description is no object of JSON")?;
    let is_its = description.get("issuer").is_some_and(|named| named == issuer);
    if is_its { Ok(description) } else { Err("its description is of another issuer") }
}

fn place_in(description: &Map<String, Value>, issuer: &str, member: &str) -> Result<String, &'static str> {
    let place = description.get(member).and_then(Value::as_str).ok_or("its description lacks a place")?;
    let url = BaseUrl::parse(place).map_err(|_| "its description names a place that is no URL")?;
    // An issuer elsewhere has nothing on this machine.
    let encrypted = place.starts_with("https://") || url.is_private() && issuer.starts_with("http://");
    if encrypted { Ok(place.to_owned()) } else { Err("its description names a place without encryption") }
}

/// Where people sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// Where they are sent.
    pub authorization: String,
    /// Where what they bring back is redeemed.
    pub token: String,
    /// Whether they always bring back who sent them (RFC 9207).
    pub says_issuer: bool,
}

/// How long a description is believed, and an issuer that gave none is left alone.
const DESCRIBED: Millis = Millis(300_000);
const REST: Millis = Millis(1_000);

/// How often those who wait for what another asked look whether it is there.
const PAUSE: Millis = Millis(20);

/// The last description that was asked for, or why there is none, and since when somebody asks anew: strangers decide how often
/// and how many at once want to sign in.
#[derive(Clone, Debug, Default)]
pub struct Descriptions(Arc<Mutex<(Option<Described>, Option<Timestamp>)>>);

/// Of whom, when, and what.
type Described = (String, Timestamp, Result<SignIn, &'static str>);

impl Descriptions {
    /// Where people sign in with this issuer.
    pub async fn of(&self, ports: &impl Ports, issuer: &str) -> Result<SignIn, &'static str> {
        while let Some(known) = self.known(issuer, ports.now()) {
            match known {
                Some(said) => return said,
                None => ports.sleep(PAUSE).await,
            }
        }
        let said = described(ports, issuer).await.and_then(|description| {
            Ok(SignIn {
                authorization: place_in(&description, issuer, "authorization_endpoint")?,
                token: place_in(&description, issuer, "token_endpoint")?,
                says_issuer: description.get("authorization_response_iss_parameter_supported")
                    == Some(&Value::Bool(true)),
            })
        });
        let told = Some((issuer.to_owned(), ports.now(), said.clone()));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (told, None);
        said
    }

    /// What is known; `Some(None)`: somebody is asking, who has an answer by then or was ended. `None`: it is the caller's turn.
    fn known(&self, issuer: &str, now: Timestamp) -> Option<Option<Result<SignIn, &'static str>>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some((whose, at, said)), _) = &*known {
            let good = if said.is_ok() { DESCRIBED } else { REST };
            if whose == issuer && *at <= now && now.since(*at) < good {
                return Some(Some(said.clone()));
            }
        }
        if known.1.is_some_and(|since| since <= now && now.since(since) <= PATIENCE) {
            return Some(None);
        }
        known.1 = Some(now);
        None
    }
}

async fn get(ports: &impl Ports, url: String) -> Result<Vec<u8>, &'static str> {
    let headers = vec![(Cow::Borrowed("accept"), "application/json".to_owned())];
    let call = Outgoing { method: "GET", url, headers, body: Vec::new(), forward: false };
    let answer = ports.exchange(call, PATIENCE, MAX_BYTES).await.map_err(|_| "it does not answer")?;
    if !is_success(answer.status) {
        return Err("it answers with an error");
    }
    answer.body.map(|body| body.to_vec()).ok_or("its answer is too long")
}
