//! Where texts are kept: a shelf for each team, a record for each request. The record of the request names its SHA-256.

use super::Spoken;
use super::subjects::{self, Subjects, subject_of};
use crate::base64url;
use crate::gateway::audit::Record;
use crate::gateway::denial;
use crate::gateway::journal::{Hash, hex};
use crate::json::json;
use crate::ports::{Ports, StoreError};
use crate::records::Write;
use crate::units::Millis;
use serde_json::Value;

const DAY: Millis = Millis(24 * 3_600_000);

/// The shelf of a team's texts.
fn shelf(team: &str) -> String {
    format!("bodies/{team}")
}

/// Keeps texts and gives them back.
#[derive(Clone, Debug, Default)]
pub struct Vault {
    /// Whose they are.
    pub subjects: Subjects,
}

/// What became of kept texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// The request's text and the answer's.
    Texts(String, String),
    /// They were kept no longer than their record's retention.
    Gone,
    /// Their subject was erased: nobody can read them any more.
    Erased,
    /// They are not those that were written down.
    Altered,
}

impl Vault {
    /// Keeps what was said in a request; gives what its record says of it. What cannot be kept is said there, too: a record
    /// never waits for more than the store's own time limits.
    pub(in crate::gateway) async fn keep<P: Ports>(
        &self,
        ports: &P,
        record: &Record,
        spoken: Spoken,
        days: u32,
    ) -> Value {
        let (bodies, request, answer, is_truncated) = spoken.texts();
        let subject = subject_of(record);
        match self.store(ports, record, &subject, &format!("{}\n{request}{answer}", request.len()), days).await {
            Ok(digest) => json!({
                "kept": bodies.as_str(), "subject": subject, "sha256": digest, "truncated": is_truncated,
            }),
            Err(problem) => {
                ports.log(&denial::store_line("bodies", &problem));
                json!({ "kept": "none", "subject": subject })
            }
        }
    }

    async fn store<P: Ports>(
        &self,
        ports: &P,
        record: &Record,
        subject: &str,
        text: &str,
        days: u32,
    ) -> Result<String, StoreError> {
        let known = self.subjects.to_seal(ports, subject).await?;
        let sealed = subjects::sealed(ports, &known.key, text.as_bytes(), record.request_id.as_bytes()).await;
        let sealed = sealed.ok_or_else(|| StoreError("the platform does not encrypt".to_owned()))?;
        let kept = json!({ "subject": subject, "key": known.name, "sealed": base64url::encode(&sealed) }).to_string();
        let digest = hex(&Hash::of(&[kept.as_bytes()]).0);
        let until = ports.now() + Millis(DAY.0.saturating_mul(u64::from(days)));
        let shelf = shelf(record.team.as_deref().unwrap_or_default());
        // A settlement that is begun anew seals anew; its record is the one that counts.
        let write = Write::put(record.request_id.as_str(), kept).until(until);
        ports.write_records(&shelf, vec![write]).await.map(|_| digest)
    }

    /// Gives the texts back that a record of `team` says are kept under `digest`.
    pub(in crate::gateway) async fn open<P: Ports>(
        &self,
        ports: &P,
        team: &str,
        id: &str,
        digest: &str,
    ) -> Result<Opened, StoreError> {
        let Some(record) = ports.read_record(&shelf(team), id).await? else { return Ok(Opened::Gone) };
        if hex(&Hash::of(&[record.value.as_bytes()]).0) != digest {
            return Ok(Opened::Altered);
        }
        let kept: Value = crate::json::tree(&record.value).unwrap_or_default();
        let text = |name: &str| kept.get(name).and_then(Value::as_str).unwrap_or_default();
        let known = self.subjects.to_open(ports, text("subject")).await?;
        let Some(known) = known.filter(|known| known.name == text("key")) else { return Ok(Opened::Erased) };
        let sealed = base64url::decode(text("sealed")).unwrap_or_default();
        let plain = subjects::opened(ports, &known.key, &sealed, id.as_bytes()).await;
        Ok(plain.and_then(|plain| split(&plain)).map_or(Opened::Altered, |(asked, told)| Opened::Texts(asked, told)))
    }
}

/// Takes both texts apart.
fn split(plain: &[u8]) -> Option<(String, String)> {
    let (length, texts) = std::str::from_utf8(plain).ok()?.split_once('\n')?;
    let (request, answer) = texts.split_at_checked(length.parse().ok()?)?;
    Some((request.to_owned(), answer.to_owned()))
}
