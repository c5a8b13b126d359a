//! Governed definitions: `/admin/v1/context`.
//!
//! A version never changes. What is said anew of a name is its next version; what is retired is given to nobody any more,
//! and its versions stay for those who ask what an answer was based on.

use super::ask::changed;
use super::resources::has;
use super::shelf::{List, nothing};
use super::{Admin, Answer, Ask, unavailable};
use crate::context::{Wrong, read};
use crate::error::{ApiError, Code};
use crate::gateway::definitions::{self, HEAD, RETIRED, RETIRED_BY, Said, Taken, Untaken, VERSION, version_key};
use crate::gateway::sync;
use crate::json;
use crate::json::json;
use crate::ports::Ports;
use crate::records::{Record, Write};
use crate::time::rfc3339;
use serde_json::{Map, Value};

/// What one of them is called.
const NOUN: &str = "definition";
/// How often a change is tried against others at the same definitions.
const TRIES: u32 = 5;
/// Lines of an import that are told to be wrong; the rest is likely wrong in the same way.
const MOST_PROBLEMS: usize = 20;

impl<P: Ports> Admin<P> {
    pub(super) async fn list_context(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let wanted: Vec<(&str, String)> = [("tags", "tag"), ("teams", "team"), ("owner", "owner")]
            .into_iter()
            .filter_map(|(member, name)| Some((member, ask.query(name)?)))
            .collect();
        let retired = ask.query("state").as_deref() == Some("retired");
        let show = |record: &Record| {
            let document: Value = crate::json::tree(&record.value).ok()?;
            let fits = wanted.iter().all(|(member, wanted)| has(&document, member, wanted));
            (fits && document.get(RETIRED).is_some() == retired).then_some(document)
        };
        self.page(ask, List { prefix: HEAD, descending: false, show: &show }).await
    }

    /// Makes a definition, or its next version where it says something new. Sent again it changes nothing, so it needs no
    /// `idempotency-key`.
    pub(super) async fn create_context(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let members = definitions::said(&ask.members()?);
        let wanted = read(&members).map_err(|Wrong { member, message }| ApiError::invalid(member, message))?;
        self.take_in(&[members], &ask.who.key_id).await?;
        let record = self.read(&format!("{HEAD}{}", wanted.id)).await?.ok_or_else(|| nothing(NOUN))?;
        Ok(Answer::ok(shown(&record)?).tagged(record.version).news())
    }

    /// Takes a definition a line, all or none of them.
    pub(super) async fn import_context(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let text = std::str::from_utf8(&ask.request.body)
            .map_err(|_| ApiError::new(Code::InvalidRequest, "The body must be JSON lines in UTF-8."))?;
        let (mut wanted, mut problems) = (Vec::new(), Vec::new());
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            match read_line(line, &wanted) {
                Ok(members) => wanted.push(members),
                Err(Wrong { member, message }) => {
                    problems.push(format!("line {number}: {member}: {message}"));
                    if problems.len() == MOST_PROBLEMS {
                        break;
                    }
                }
            }
        }
        if !problems.is_empty() {
            return Err(ApiError::new(Code::InvalidRequest, format!("Nothing was taken. {}", problems.join(" "))));
        }
        let Taken { created, unchanged } = self.take_in(&wanted, &ask.who.key_id).await?;
        let body = json!({ "object": "context.imported", "created": created, "unchanged": unchanged });
        Ok(Answer::ok(body).news())
    }

    /// Takes definitions, trying again where somebody else was faster.
    async fn take_in(&self, wanted: &[Map<String, Value>], by: &str) -> Result<Taken, ApiError> {
        for _ in 0..TRIES {
            match definitions::take(&self.ports, wanted, Said { by, at: self.ports.now() }, Vec::new()).await {
                Ok(taken) => return Ok(taken),
                Err(Untaken::Beaten) => {}
                Err(untaken) => return Err(refused(untaken)),
            }
        }
        Err(changed())
    }

    pub(super) async fn show_context(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let record = self.read(&format!("{HEAD}{}", ask.id())).await?.ok_or_else(|| nothing(NOUN))?;
        Ok(Answer::ok(shown(&record)?).tagged(record.version))
    }

    pub(super) async fn list_context_versions(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let prefix = format!("{VERSION}{}/", ask.id());
        let show = |record: &Record| crate::json::tree(&record.value).ok();
        self.page(ask, List { prefix: &prefix, descending: true, show: &show }).await
    }

    pub(super) async fn show_context_version(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let number = ask.args.get(1).and_then(|text| text.parse::<u64>().ok());
        let number = number.ok_or_else(|| ApiError::invalid("n", "n must be the number of a version."))?;
        let record = self.read(&version_key(ask.id(), number)).await?.ok_or_else(|| nothing("version"))?;
        Ok(Answer::ok(shown(&record)?))
    }

    /// Asks the servers that definitions are taken from, now; one that fails leaves what there is.
    pub(super) async fn sync_context(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let wanted = ask.query("source");
        let mut data = Vec::new();
        for source in self.sources.iter().filter(|source| wanted.as_ref().is_none_or(|wanted| *wanted == source.name)) {
            data.push(sync::sync(&self.ports, source).await.shown());
        }
        if data.is_empty() {
            return Err(ApiError::new(Code::NotFound, "There is no such server under `mcp` in the configuration."));
        }
        Ok(Answer::ok(json!({ "object": "context.synced", "data": data })).news())
    }

    /// Retires a definition.
    pub(super) async fn retire_context(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let now = self.ports.now();
        let key = format!("{HEAD}{}", ask.id());
        let retired = self.change(ask, &key, NOUN, |record| {
            let mut document = shown(record)?;
            if let Some(members) = document.as_object_mut() {
                members.entry(RETIRED).or_insert_with(|| Value::from(rfc3339(now)));
                members.insert(RETIRED_BY.to_owned(), Value::from(ask.who.key_id.as_str()));
            }
            let mut writes = definitions::told(now);
            writes.push(Write::replace(record, document.to_string()));
            Ok((writes, document))
        });
        let (document, version) = retired.await?;
        Ok(Answer::ok(document).tagged(version).news())
    }
}

fn shown(record: &Record) -> Result<Value, ApiError> {
    crate::json::tree(&record.value)
        .map_err(|error| ApiError::new(Code::InternalError, format!("A stored record cannot be read: {error}")))
}

fn refused(untaken: Untaken) -> ApiError {
    match untaken {
        Untaken::Full => ApiError::new(Code::Conflict, "There are 2000 definitions already. Retired ones count."),
        Untaken::Beaten => changed(),
        Untaken::Store(problem) => unavailable(problem),
    }
}

/// A line of an import; a name may stand in one line only.
fn read_line(line: &str, before: &[Map<String, Value>]) -> Result<Map<String, Value>, Wrong> {
    let wrong = |member: &str, message: &str| Wrong { member: member.to_owned(), message: message.to_owned() };
    let object = || wrong("(line)", "This must be a JSON object that names each member once.");
    json::scan(line.as_bytes(), &json::Limits::default()).map_err(|_| object())?;
    let members: Map<String, Value> = crate::json::object(line).map_err(|_| object())?;
    let members = definitions::said(&members);
    read(&members)?;
    match before.iter().any(|other| other.get("id") == members.get("id")) {
        true => Err(wrong("id", "This name stood in a line before.")),
        false => Ok(members),
    }
}
