//! Subjects and their keys. A key is random, kept wrapped under one derived from `SIGNALBOX_SECRET`, and made when its subject
//! first says something that is kept. Removing it is what erasing a subject means: nothing else can open what it sealed.

use crate::base64url;
use crate::gateway::audit::Record;
use crate::gateway::keys::{MIN_SECRET_BYTES, token};
use crate::json::json;
use crate::ports::{Clock, Crypto, DataKey, Ports, Records, StoreError};
use crate::records::Write;
use crate::sorted::SortedMap;
use crate::units::{Millis, Timestamp};
use hkdf::Hkdf;
use serde_json::Value;
use sha2::Sha256;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The shelf subjects are on.
pub const SHELF: &str = "subjects";
/// How long a process goes on sealing under a key it has read: what it seals after the key is gone is lost, never readable.
const FRESH: Millis = Millis(60_000);
/// How many keys a process remembers.
const MOST: usize = 256;

/// Whose words a request's are: its user's, where it names one, else its key's.
pub(super) fn subject_of(record: &Record) -> String {
    match (&record.user, &record.key_id) {
        (Some(user), _) => format!("user:{user}"),
        (None, Some(key)) => format!("key:{key}"),
        (None, None) => "nobody".to_owned(),
    }
}

/// A subject's key and its name. Another key after an erasure has another name.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) name: String,
    pub(super) key: DataKey,
}

/// The keys of subjects, as one process knows them.
#[derive(Clone, Debug, Default)]
pub struct Subjects {
    /// What keys are wrapped under: the first one, and what it was before a rotation.
    wraps: Vec<DataKey>,
    known: Arc<Mutex<SortedMap<String, (Timestamp, Known)>>>,
}

impl Subjects {
    /// With wrapping keys derived from `SIGNALBOX_SECRET` and the one before it.
    pub fn derive(secret: Option<&str>, previous: Option<&str>) -> Subjects {
        let good = [secret, previous].into_iter().flatten().filter(|secret| secret.len() >= MIN_SECRET_BYTES);
        let wrap = |secret: &str| {
            let mut key = [0; 32];
            Hkdf::<Sha256>::new(Some(b"signalbox"), secret.as_bytes()).expand(b"subjects v1", &mut key).ok()?;
            Some(DataKey::new(key))
        };
        Subjects { wraps: good.filter_map(wrap).collect(), known: Arc::default() }
    }

    fn known(&self) -> MutexGuard<'_, SortedMap<String, (Timestamp, Known)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets a subject here, at once.
    pub fn forget(&self, subject: &str) {
        self.known().remove(subject);
    }

    /// The key to seal under; made where there is none.
    pub(super) async fn to_seal<P: Ports>(&self, ports: &P, subject: &str) -> Result<Known, StoreError> {
        let now = ports.now();
        if let Some((at, known)) = self.known().get(subject)
            && now.since(*at) < FRESH
        {
            return Ok(known.clone());
        }
        let known = match self.to_open(ports, subject).await? {
            Some(known) => known,
            None => self.make(ports, subject).await?,
        };
        let mut all = self.known();
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(subject.to_owned(), (now, known.clone()));
        Ok(known)
    }

    /// The key as it is kept; `None` for a subject that never spoke or was erased.
    pub(super) async fn to_open<P: Records + Crypto>(
        &self,
        ports: &P,
        subject: &str,
    ) -> Result<Option<Known>, StoreError> {
        let Some(record) = ports.read_record(SHELF, subject).await? else { return Ok(None) };
        let kept: Value = crate::json::tree(&record.value).unwrap_or_default();
        let text = |name: &str| kept.get(name).and_then(Value::as_str);
        let wrapped = text("key").and_then(base64url::decode).unwrap_or_default();
        for wrap in &self.wraps {
            let key = opened(ports, wrap, &wrapped, subject.as_bytes()).await;
            if let (Some(key), Some(name)) = (key.and_then(|key| key.try_into().ok()), text("name")) {
                return Ok(Some(Known { name: name.to_owned(), key: DataKey::new(key) }));
            }
        }
        Err(StoreError(format!("the key of {subject} was wrapped under another SIGNALBOX_SECRET")))
    }

    async fn make<P: Ports>(&self, ports: &P, subject: &str) -> Result<Known, StoreError> {
        let wrap = self.wraps.first().ok_or_else(|| StoreError("there is no SIGNALBOX_SECRET".to_owned()))?;
        let mut key = [0; 32];
        random(ports, &mut key);
        let known = Known { name: token(|| ports.entropy(), 16), key: DataKey::new(key) };
        let wrapped = sealed(ports, wrap, &key, subject.as_bytes()).await.ok_or_else(failed)?;
        let text = json!({ "name": known.name, "key": base64url::encode(&wrapped), "created_at": ports.now() });
        if ports.write_records(SHELF, vec![Write::create(subject, text.to_string())]).await? {
            return Ok(known);
        }
        // Somebody else was faster.
        self.to_open(ports, subject).await?.ok_or_else(failed)
    }
}

fn failed() -> StoreError {
    StoreError("the platform does not encrypt".to_owned())
}

/// Fills with randomness.
fn random(clock: &impl Clock, bytes: &mut [u8]) {
    for some in bytes.chunks_mut(8) {
        some.copy_from_slice(clock.entropy().to_le_bytes().get(..some.len()).unwrap_or_default());
    }
}

/// Encrypts with AES-256-GCM under a nonce of its own, which stands before it.
pub(super) async fn sealed<P: Crypto + Clock>(ports: &P, key: &DataKey, text: &[u8], about: &[u8]) -> Option<Vec<u8>> {
    let mut nonce = [0; 12];
    random(ports, &mut nonce);
    let sealed = ports.encrypt(key, &nonce, about, text).await?;
    Some([&nonce[..], &sealed].concat())
}

/// Decrypts what was [`sealed`] about the same.
pub(super) async fn opened<P: Crypto>(ports: &P, key: &DataKey, sealed: &[u8], about: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = sealed.split_first_chunk::<12>()?;
    ports.decrypt(key, nonce, about, sealed).await
}
