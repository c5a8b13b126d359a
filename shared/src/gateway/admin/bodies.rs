//! What was said: `GET /admin/v1/audit/{request_id}/body`, and the subjects it is kept under: `/admin/v1/subjects`.
//!
//! Reading is written down before it is answered: who looks at what people said leaves a trace that cannot be taken away.

use super::shelf::{listed, nothing};
use super::{Admin, Answer, Ask, unavailable};
use crate::error::{ApiError, Code};
use crate::gateway::bodies::{Opened, SUBJECTS};
use crate::json::json;
use crate::ports::Ports;
use crate::records::{Range, Record, Write};
use crate::time::rfc3339;
use crate::units::Timestamp;
use serde_json::Value;

impl<P: Ports> Admin<P> {
    pub(super) async fn show_body(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let line = self.audit_line(ask.id()).await?;
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let kept = line.get("record").and_then(|record| record.get("bodies")).cloned().unwrap_or_default();
        let (team, digest) = (text(line.get("team")), text(kept.get("sha256")));
        if digest.is_empty() {
            return Err(ApiError::new(Code::NotFound, "Of this request only its record is kept."));
        }
        let (now, who) = (self.ports.now(), ask.who);
        let what = json!({
            "event": "body_read", "at": now, "via": who.via.as_str(), "key_id": who.key_id, "user": who.user,
            "read": ask.id(), "read_team": team,
        });
        self.recorder.witnessed(&self.ports, what).await.map_err(unavailable)?;
        let gone = |sentence: &str| ApiError::new(Code::NotFound, sentence);
        let opened = self.recorder.vault.open(&self.ports, &team, ask.id(), &digest).await.map_err(unavailable)?;
        let (request, answer) = match opened {
            Opened::Texts(request, answer) => (request, answer),
            Opened::Gone => return Err(gone("What was said is no longer kept.")),
            Opened::Erased => return Err(gone("Its subject was erased: nobody can read it any more.")),
            Opened::Altered => {
                let message = "What is kept is not what was written down: its SHA-256 is another.";
                return Err(ApiError::new(Code::Conflict, message));
            }
        };
        Ok(Answer::ok(json!({
            "object": "audit.body",
            "request_id": ask.id(),
            "kept": kept.get("kept"),
            "subject": kept.get("subject"),
            "truncated": kept.get("truncated"),
            "request": request,
            "answer": answer,
        })))
    }

    pub(super) async fn list_subjects(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let limit = ask.limit()?;
        let range = Range { after: ask.query("after"), limit: limit + 1, ..Range::default() };
        let records = self.ports.list_records(SUBJECTS, &range).await.map_err(unavailable)?;
        let page = records.get(..limit).unwrap_or(&records);
        let next = page.last().filter(|_| records.len() > limit).map(|record| record.key.as_str());
        Ok(listed(page.iter().map(shown).collect(), next))
    }

    /// Removes a subject's key, and with it what it said.
    pub(super) async fn erase_subject(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let record = self.ports.read_record(SUBJECTS, ask.id()).await.map_err(unavailable)?;
        ask.precondition(record.as_ref())?;
        record.ok_or_else(|| nothing("subject"))?;
        self.ports.write_records(SUBJECTS, vec![Write::remove(ask.id())]).await.map_err(unavailable)?;
        self.recorder.vault.subjects.forget(ask.id());
        Ok(Answer::ok(json!({ "object": "subject", "id": ask.id(), "deleted": true })))
    }
}

/// A subject as it is shown: never its key.
fn shown(record: &Record) -> Value {
    let kept: Value = crate::json::tree(&record.value).unwrap_or_default();
    let at = kept.get("created_at").and_then(Value::as_u64).map(|at| rfc3339(Timestamp(at)));
    json!({ "object": "subject", "id": record.key, "created_at": at })
}
