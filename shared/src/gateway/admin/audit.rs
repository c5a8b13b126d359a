//! What was written down: `GET /admin/v1/audit`, one request's record, and what is still open.

use super::{Admin, Answer, Ask, unavailable};
use crate::error::{ApiError, Code};
use crate::gateway::archive::objects;
use crate::gateway::journal::{Lines, Place, head_key, known_key, line_of, read, shelf};
use crate::gateway::policy::TENANT;
use crate::http::query_parameters;
use crate::json::json;
use crate::ports::Ports;
use crate::time::{parse_rfc3339, rfc3339};
use crate::units::{Millis, Timestamp};
use crate::window::Window;
use serde_json::Value;

/// How many lines of an export a page may have.
const MAX_EXPORT: usize = 1_000;
/// How many lines are looked through for one page; a page may come out short, with a cursor to go on.
const MAX_LOOK: usize = 5_000;
/// How long after its beginning a request may be written down at the latest, its loss included, so that it is found by its
/// beginning.
const LATE: Millis = Millis(26 * 3_600_000);
/// What every reader of JSON lines knows them by.
const NDJSON: &str = "application/x-ndjson";

/// Members of a record that can be asked for by name.
const FILTERS: [&str; 10] =
    ["organisation", "project", "user", "key_id", "model", "route", "operation", "outcome", "code", "request_id"];

impl<P: Ports> Admin<P> {
    pub(super) async fn list_audit(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let pending = self.pending().await?;
        match ask.query("state").as_deref() {
            None | Some("closed") => {}
            Some("open") => {
                let open = |pending: &crate::gateway::ledger::Pending| {
                    let note: Value = crate::json::tree(&pending.note).unwrap_or_default();
                    json!({
                        "object": "audit.open",
                        "request_id": pending.id,
                        "team": note.get("team"),
                        "key_id": note.get("key_id"),
                        "user": note.get("user"),
                        "at": note.get("at"),
                        "held_nano_usd": pending.held,
                        "lease_ends_at": rfc3339(pending.until),
                    })
                };
                let team = ask.query("team");
                let data: Vec<Value> = pending.iter().map(open).collect();
                let ours = |one: &Value| team.is_none() || one.get("team").and_then(Value::as_str) == team.as_deref();
                let data: Vec<Value> = data.into_iter().filter(ours).collect();
                return Ok(Answer::ok(json!({ "object": "list", "data": data, "has_more": false })));
            }
            Some(_) => return Err(ApiError::invalid("state", "state is `open` or `closed`.")),
        }
        let export = format(ask, &["json", "jsonl"])? == "jsonl";
        let newest_first = match ask.query("order").as_deref() {
            None => !export,
            Some("desc") => true,
            Some("asc") => false,
            Some(_) => return Err(ApiError::invalid("order", "order is `asc` or `desc`.")),
        };
        let limit = if export { limit_up_to(ask, MAX_EXPORT, MAX_EXPORT)? } else { ask.limit()? };
        let place = match ask.query("cursor") {
            Some(cursor) => Some(Place::parse(&cursor).ok_or_else(|| {
                ApiError::invalid("cursor", "cursor is the `next_cursor` of the page before, as it was given.")
            })?),
            None => None,
        };
        let (from, to) = (instant(ask, "from")?, instant(ask, "to")?);
        let filter = Filter::of(ask, from, to);
        let begin = if newest_first { to.map(|to| to + LATE) } else { from };
        let teams = self.audited_teams(ask.query("team")).await?;
        let mut lines = Lines::new(&self.ports, TENANT, teams, newest_first, place.as_ref(), begin);
        let (mut found, mut next) = (Vec::new(), None);
        for looked in 0_usize.. {
            if found.len() == limit || looked == MAX_LOOK {
                break;
            }
            let Some((behind, line)) = lines.next().await.map_err(unavailable)? else {
                next = None;
                break;
            };
            next = Some(behind);
            let record: Value = crate::json::tree(&line).unwrap_or_default();
            if filter.holds(&record) {
                found.push((line, record));
            }
        }
        // A full page may be the last one.
        if next.is_some() && lines.next().await.map_err(unavailable)?.is_none() {
            next = None;
        }
        let next = next.map(|place| place.to_string());
        if export {
            let text: String = found.into_iter().flat_map(|(line, _)| [line, "\n".to_owned()]).collect();
            let mut answer = Answer::text(NDJSON, text);
            answer.headers.extend(next.map(|next| ("x-signalbox-next-cursor".into(), next)));
            return Ok(answer);
        }
        let data: Vec<Value> = found.into_iter().map(|(_, line)| line).collect();
        let archive = self.ports.has_archive().then(|| objects(ask.query("team").as_deref()));
        Ok(Answer::ok(json!({
            "object": "list", "data": data, "has_more": next.is_some(), "next_cursor": next, "archive": archive,
        })))
    }

    pub(super) async fn show_audit(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        self.audit_line(ask.id()).await.map(Answer::ok)
    }

    /// The line of a request's record.
    pub(super) async fn audit_line(&self, request_id: &str) -> Result<Value, ApiError> {
        self.pending().await?;
        let shelf = shelf(TENANT);
        let known = self.ports.read_record(&shelf, &known_key(request_id)).await.map_err(unavailable)?;
        let line = match known.and_then(|known| line_of(&known.value)) {
            Some(key) => self.ports.read_record(&shelf, &key).await.map_err(unavailable)?,
            None => None,
        };
        let line = line.and_then(|line| crate::json::tree(&line.value).ok());
        line.ok_or_else(|| {
            let archived =
                if self.ports.has_archive() { " here. Older records are in the archive, below audit/" } else { "" };
            ApiError::new(Code::NotFound, format!("No request of this id was written down, or no longer{archived}."))
        })
    }

    /// The team that is asked for, or all that have a chain.
    pub(super) async fn audited_teams(&self, team: Option<String>) -> Result<Vec<String>, ApiError> {
        if let Some(team) = team {
            return Ok(vec![team]);
        }
        let (mut teams, prefix) = (Vec::new(), head_key(""));
        let name = |key: &str| key.strip_prefix(&prefix).map(str::to_owned);
        let found = |record: crate::records::Record| teams.extend(name(&record.key));
        read::all(&self.ports, &shelf(TENANT), prefix.clone(), None, |_| true, found).await.map_err(unavailable)?;
        Ok(teams)
    }
}

/// What a record must be like.
struct Filter {
    wanted: Vec<(&'static str, String)>,
    tags: Vec<(String, String)>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Filter {
    fn of(ask: &Ask<'_>, from: Option<Timestamp>, to: Option<Timestamp>) -> Filter {
        let wanted = FILTERS.into_iter().filter_map(|name| Some((name, ask.query(name)?))).collect();
        let tags = query_parameters(&ask.request.query);
        let tags = tags.filter_map(|(name, value)| Some((name.strip_prefix("tag.")?.to_owned(), value))).collect();
        Filter { wanted, tags, from, to }
    }

    fn holds(&self, line: &Value) -> bool {
        let Some(record) = line.get("record") else { return false };
        let is = |name: &str, wanted: &str| record.get(name).and_then(Value::as_str) == Some(wanted);
        let tag = |name: &str| record.get("tags").and_then(|tags| tags.get(name)).and_then(Value::as_str);
        let at = Timestamp(record.get("at").and_then(Value::as_u64).unwrap_or(0));
        self.wanted.iter().all(|(name, wanted)| is(name, wanted))
            && self.tags.iter().all(|(name, wanted)| tag(name) == Some(wanted))
            && self.from.is_none_or(|from| from <= at)
            && self.to.is_none_or(|to| at < to)
    }
}

/// `format`: one of these words; the first unless asked otherwise.
pub(super) fn format(ask: &Ask<'_>, words: &[&'static str]) -> Result<&'static str, ApiError> {
    let first = words.first().copied().unwrap_or_default();
    let Some(asked) = ask.query("format") else { return Ok(first) };
    let known = words.iter().find(|word| **word == asked);
    known.copied().ok_or_else(|| ApiError::invalid("format", format!("format is one of: {}.", words.join(", "))))
}

/// `limit`, where pages may be of another size than elsewhere.
pub(super) fn limit_up_to(ask: &Ask<'_>, most: usize, usual: usize) -> Result<usize, ApiError> {
    let Some(text) = ask.query("limit") else { return Ok(usual) };
    let limit = text.parse().ok().filter(|limit| (1..=most).contains(limit));
    limit.ok_or_else(|| ApiError::invalid("limit", format!("limit must be a whole number from 1 to {most}.")))
}

/// An instant as people write them in queries: RFC 3339, or the name of an hour, a day or a month for its beginning.
pub(super) fn instant(ask: &Ask<'_>, name: &'static str) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = ask.query(name) else { return Ok(None) };
    let window = || text.parse::<Window>().ok().filter(|window| window.resets_at().is_some()).map(|w| w.start());
    let instant = parse_rfc3339(&text).or_else(window);
    let hint = "is an instant like 2026-11-21T04:00:00Z, a day like 2026-11-21 or a month like 2026-11, in UTC.";
    instant.map(Some).ok_or_else(|| ApiError::invalid(name, format!("{name} {hint}")))
}
