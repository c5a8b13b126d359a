//! What was used: `GET /admin/v1/usage`. Exact sums of the audit records, from the hourly figures kept beside them.

use super::audit::{format, instant};
use super::{Admin, Answer, Ask, unavailable};
use crate::error::ApiError;
use crate::gateway::journal::{Figures, NAMES, Sums, is_tokens, read, shelf, sums_prefix};
use crate::gateway::policy::TENANT;
use crate::gateway::system::SYSTEM;
use crate::json::json;
use crate::ports::Ports;
use crate::sorted::SortedMap;
use crate::time::rfc3339;
use crate::units::{Millis, Timestamp};
use crate::window::{Period, Window};
use serde_json::{Map, Value};

/// The most groups an answer has.
const MAX_GROUPS: usize = 20_000;
const HOUR: Millis = Millis(3_600_000);

/// One thing figures are grouped by.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Group {
    Team,
    Provider,
    /// A member of a record, by our name and the record's.
    Member(&'static str, &'static str),
    Tag(String),
    /// Whatever tags there are, each by itself.
    Tags,
}

impl Group {
    fn parse(word: &str) -> Option<Group> {
        Some(match word {
            "organisation" => Group::Member("organisation", "organisation"),
            "team" => Group::Team,
            "project" => Group::Member("project", "project"),
            "provider" => Group::Provider,
            "user" => Group::Member("user", "user"),
            "key" => Group::Member("key", "key_id"),
            "model" => Group::Member("model", "model"),
            "route" => Group::Member("route", "route"),
            "operation" => Group::Member("operation", "operation"),
            "outcome" => Group::Member("outcome", "outcome"),
            "tag" => Group::Tags,
            tag => Group::Tag(tag.strip_prefix("tag.").filter(|name| !name.is_empty())?.to_owned()),
        })
    }

    fn name(&self) -> String {
        match self {
            Group::Team => "team".to_owned(),
            Group::Provider => "provider".to_owned(),
            Group::Member(name, _) => (*name).to_owned(),
            Group::Tag(name) => format!("tag.{name}"),
            Group::Tags => "tag".to_owned(),
        }
    }

    /// What it is in a record: one thing, but for tags, of which a record may have several.
    fn values(&self, team: &str, group: &Value) -> Vec<Option<String>> {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        vec![match self {
            Group::Team => Some(team.to_owned()),
            Group::Provider => text(group.get("model")).and_then(|model| Some(model.split_once(':')?.0.to_owned())),
            Group::Member(_, member) => text(group.get(member)),
            Group::Tag(name) => text(group.get("tags").and_then(|tags| tags.get(name))),
            Group::Tags => match group.get("tags").and_then(Value::as_object).filter(|tags| !tags.is_empty()) {
                Some(tags) => {
                    let pair = |(name, value): (&String, &Value)| Some(format!("{name}:{}", value.as_str()?));
                    return tags.iter().map(pair).collect();
                }
                None => None,
            },
        }]
    }
}

/// What is summed, by group and span of time.
type Table = SortedMap<(Option<String>, Vec<Option<String>>), Sums>;

impl<P: Ports> Admin<P> {
    pub(super) async fn show_usage(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let now = self.ports.now();
        let csv = format(ask, &["json", "csv"])? == "csv";
        let (groups, interval) = groups(ask)?;
        let month = Window::at(Period::Month, now).start();
        let from = Window::at(Period::Hour, instant(ask, "from")?.unwrap_or(month));
        // Figures are kept by the hour: an end within one takes all of it.
        let to = instant(ask, "to")?.unwrap_or(now + Millis(1));
        let to = Window::at(Period::Hour, Timestamp(to.0.saturating_add(HOUR.0 - 1)));
        self.pending().await?;

        let (mut table, mut total, shelf) = (Table::new(), Sums::default(), shelf(TENANT));
        // What the system's own chain counts is no use of anything.
        let teams = self.audited_teams(ask.query("team")).await?;
        for team in teams.into_iter().filter(|team| team != SYSTEM) {
            let prefix = sums_prefix(&team);
            let (begin, end) = (format!("{prefix}{from}"), format!("{prefix}{to}"));
            let add = |record: crate::records::Record| {
                let hour = record.key.strip_prefix(&prefix).and_then(|rest| rest.split('/').next());
                let hour = hour.and_then(|hour| hour.parse::<Window>().ok());
                let (Some(hour), Ok(figures)) = (hour, crate::json::parse::<Figures>(&record.value)) else { return };
                let group: Value = crate::json::tree(&figures.group).unwrap_or_default();
                let span = interval.map(|period| Window::at(period, hour.start()).to_string());
                for values in rows(&groups, &team, &group) {
                    table.entry((span.clone(), values)).or_default().add(&figures.sums);
                }
                total.add(&figures.sums);
            };
            let before_end = |key: &str| key < end.as_str();
            let read = read::all(&self.ports, &shelf, prefix.clone(), Some(begin), before_end, add);
            read.await.map_err(unavailable)?;
            if table.len() > MAX_GROUPS {
                let hint = "These are more groups than one answer holds: ask for a shorter time, or group by less.";
                return Err(ApiError::invalid("group_by", hint));
            }
        }
        let names: Vec<String> = groups.iter().map(Group::name).collect();
        if csv {
            return Ok(Answer::text("text/csv; charset=utf-8", written(&table, interval, &names)));
        }
        let data: Vec<Value> = table.iter().map(|(key, sums)| row(key, sums, interval, &names)).collect();
        Ok(Answer::ok(json!({
            "object": "usage",
            "from": rfc3339(from.start()),
            "to": rfc3339(to.start()),
            "interval": interval.map(word),
            "group_by": names,
            "data": data,
            "total": Value::Object(figures(&total).collect()),
        })))
    }
}

/// The rows of the table that a record is counted in.
fn rows(groups: &[Group], team: &str, group: &Value) -> Vec<Vec<Option<String>>> {
    groups.iter().fold(vec![Vec::new()], |rows, by| {
        let values = by.values(team, group);
        let longer =
            |row: &Vec<_>| values.iter().map(|value| [row.as_slice(), std::slice::from_ref(value)].concat()).collect();
        rows.iter().flat_map(|row| -> Vec<Vec<_>> { longer(row) }).collect()
    })
}

/// What is grouped by, and the span of time, which `group_by` may name, too.
fn groups(ask: &Ask<'_>) -> Result<(Vec<Group>, Option<Period>), ApiError> {
    let (asked, spanned) = (ask.query("group_by"), ask.query("interval"));
    let mut interval = match spanned.as_deref() {
        None => None,
        Some(word) => {
            let period = period(word);
            Some(period.ok_or_else(|| ApiError::invalid("interval", "interval is hour, day or month."))?)
        }
    };
    let mut groups = Vec::new();
    for word in asked.as_deref().unwrap_or("team").split(',').map(str::trim) {
        match (period(word), Group::parse(word)) {
            (Some(period), _) if interval.is_none_or(|other| other == period) => interval = Some(period),
            (None, Some(group)) => groups.push(group),
            (Some(_), _) => return Err(ApiError::invalid("group_by", "One span of time can be grouped by at a time.")),
            (None, None) => {
                let known = "organisation, team, project, user, key, model, provider, route, operation, outcome, tag, tag.NAME, hour, day and month, separated by commas.";
                return Err(ApiError::invalid("group_by", format!("group_by may name {known}")));
            }
        }
    }
    Ok((groups, interval))
}

fn period(word: &str) -> Option<Period> {
    match word {
        "hour" => Some(Period::Hour),
        "day" => Some(Period::Day),
        "month" => Some(Period::Month),
        _ => None,
    }
}

fn word(period: Period) -> &'static str {
    match period {
        Period::Hour => "hour",
        Period::Day => "day",
        Period::Week => "week",
        Period::Month => "month",
        Period::Total => "total",
    }
}

/// Figures as they are shown: tokens are called tokens.
fn column(name: &str) -> String {
    if is_tokens(name) { format!("{name}_tokens") } else { name.to_owned() }
}

fn figures(sums: &Sums) -> impl Iterator<Item = (String, Value)> + '_ {
    let all =
        [("total_tokens".to_owned(), json!(sums.tokens())), ("cost_usd".to_owned(), json!(sums.cost().to_string()))];
    sums.named().map(|(name, sum)| (column(name), json!(sum))).chain(all)
}

fn row(
    (span, values): &(Option<String>, Vec<Option<String>>),
    sums: &Sums,
    interval: Option<Period>,
    names: &[String],
) -> Value {
    let mut row = Map::new();
    if let (Some(span), Some(period)) = (span, interval) {
        row.insert(word(period).to_owned(), json!(span));
    }
    row.extend(names.iter().cloned().zip(values.iter().map(|value| json!(value))));
    row.extend(figures(sums));
    Value::Object(row)
}

/// The table as CSV (RFC 4180).
fn written(table: &Table, interval: Option<Period>, names: &[String]) -> String {
    let figures_of = |sums: &Sums| figures(sums).map(|(_, value)| value).collect::<Vec<_>>();
    let head = interval.map(word).into_iter().map(str::to_owned).chain(names.iter().cloned());
    let columns = NAMES.into_iter().map(column).chain(["total_tokens".to_owned(), "cost_usd".to_owned()]);
    let mut text: String = head.map(|name| cell(&name)).chain(columns).collect::<Vec<_>>().join(",");
    text.push_str("\r\n");
    for ((span, values), sums) in table {
        let texts = span.iter().cloned().chain(values.iter().map(|value| value.clone().unwrap_or_default()));
        let numbers = figures_of(sums).into_iter().map(|value| match value {
            Value::String(text) => text,
            number @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                number.to_string()
            }
        });
        let cells: Vec<String> = texts.map(|text| cell(&text)).chain(numbers).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

/// A text in quotes. One that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, "CSV injection"):
/// users and tags are what callers say they are.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    format!("\"{}{}\"", if formula { "'" } else { "" }, text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_no_quote_ends_one() {
        for (text, want) in [
            ("payments", "\"payments\""),
            ("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=1", "\"'\t=1\""),
            ("a,b\nc", "\"a,b\nc\""),
            ("", "\"\""),
        ] {
            assert_eq!(cell(text), want);
        }
    }
}
