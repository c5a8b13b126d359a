//! How fast and for how much: limits and budgets, of whomever they are.
//!
//! A team has them in the configuration; a key has them where it is stored, kept as they were written. It is the same
//! text everywhere, read by the same reader, so a limit that the document learns is one that keys know too:
//! `limits = { rpm = 600, tpm = 400_000 }`, or a list of such tables with a `scope` each.

use super::problem::{At, Invalid};
use super::routes::{TARGET, Target};
use super::scope::{Party, SCOPE, Scope};
use super::shape::{Fields, Flag, Kind, List, OneOf, OneOrMore, Real, Record, Whole};
use crate::units::{Millis, NanoUsd};
pub use crate::window::Period;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What somebody may use: each of the limits and each of the budgets holds. The default binds nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(into = "Value")]
pub struct Terms {
    /// A key's, as they were written.
    written: Option<Map<String, Value>>,
    /// How fast.
    pub limits: Vec<UsageLimit>,
    /// For how much.
    pub budgets: Vec<Budget>,
}

/// One limit: of one measure, over one span, for each combination of a scope's parties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageLimit {
    /// What is counted, and over which span.
    pub measure: Measure,
    /// How much of it. Above zero.
    pub most: u64,
    /// Who shares it.
    pub scope: Scope,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Calls that begin in a span.
    Requests(Millis),
    /// Tokens read and written in a span.
    Tokens(Millis),
    /// Calls under way at a time.
    Parallel,
}

const SECOND: Millis = Millis(1_000);
const MINUTE: Millis = Millis(60_000);
const HOUR: Millis = Millis(3_600_000);
const DAY: Millis = Millis(86_400_000);

/// The words of a limits table.
const MEASURES: [(&str, &str, Measure); 8] = [
    ("rps", "requests in a second", Measure::Requests(SECOND)),
    ("rpm", "requests in a minute", Measure::Requests(MINUTE)),
    ("rph", "requests in an hour", Measure::Requests(HOUR)),
    ("rpd", "requests in 24 hours", Measure::Requests(DAY)),
    ("tpm", "tokens in a minute, read and written", Measure::Tokens(MINUTE)),
    ("tph", "tokens in an hour, read and written", Measure::Tokens(HOUR)),
    ("tpd", "tokens in 24 hours, read and written", Measure::Tokens(DAY)),
    ("parallel", "calls under way at a time", Measure::Parallel),
];

impl Measure {
    /// The word it is written as: `rpm`.
    pub fn as_str(self) -> &'static str {
        MEASURES.iter().find(|(_, _, measure)| *measure == self).map_or("", |(word, _, _)| *word)
    }
}

/// An amount that may be spent in a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// How much. Above zero.
    pub limit: NanoUsd,
    /// In which period.
    pub per: Period,
    /// Whether calls are refused when it is spent; a soft budget only reports.
    pub hard: bool,
    /// Who shares it.
    pub scope: Scope,
    /// Where calls go that it can no longer pay for, instead of being refused.
    pub on_exceeded: Option<Target>,
    /// At which parts of it the operator is told, in percent.
    pub alert_at: Vec<u64>,
}

/// Where a budget does not say at which parts of it the operator is told.
const ALERT_AT: [u64; 2] = [80, 100];

impl Terms {
    /// Nothing is bound.
    pub(super) const NONE: Terms = Terms { written: None, limits: Vec::new(), budgets: Vec::new() };

    /// Reads a key's `{"limits": …, "budgets": …}`, both optional: they hold within that key, whatever they are by.
    pub fn parse(value: Value) -> Result<Terms, Invalid> {
        Terms::owned(value, &Scope::of([Party::Key]))
    }

    /// Reads the same of another `owner`: a user's hold in every team of the organisation, an organisation's for all of it.
    pub fn owned(value: Value, owner: &Scope) -> Result<Terms, Invalid> {
        let mut problems = Vec::new();
        let read = Record(terms).read(&value, &mut At::root(&mut problems));
        match (read, value) {
            (Some((limits, budgets)), Value::Object(written)) => {
                let terms = Terms::of(limits, budgets, &Scope::default());
                if *owner != Scope::of([Party::Organisation]) {
                    terms.refuse_foreign(&mut At::root(&mut problems));
                }
                let terms = Terms::of(Some(vec![terms.limits]), Some(terms.budgets), owner);
                let written = (!written.is_empty()).then_some(written);
                if problems.is_empty() { Ok(Terms { written, ..terms }) } else { Err(Invalid { problems }) }
            }
            (_, _) => Err(Invalid { problems }),
        }
    }

    /// A member as it was written: `limits` or `budgets`.
    pub fn written(&self, member: &str) -> Option<&Value> {
        self.written.as_ref()?.get(member)
    }

    /// The same with `limits` or `budgets` written anew; `None` takes them away.
    pub fn with(&self, member: &str, value: Option<Value>) -> Result<Terms, Invalid> {
        let mut written = self.written.clone().unwrap_or_default();
        match value {
            Some(value) => drop(written.insert(member.to_owned(), value)),
            None => drop(written.remove(member)),
        }
        Terms::parse(Value::Object(written))
    }

    /// Whether nothing is bound.
    pub fn is_empty(&self) -> bool {
        self.written.is_none() && self.limits.is_empty() && self.budgets.is_empty()
    }

    /// What is a key's or a user's is nobody's beyond it.
    fn refuse_foreign(&self, at: &mut At<'_>) {
        let foreign =
            |scope: &Scope| scope.parties().iter().any(|party| matches!(party, Party::Organisation | Party::Team));
        for (index, _) in self.budgets.iter().enumerate().filter(|(_, budget)| foreign(&budget.scope)) {
            at.key("budgets").index(index).key("scope").problem("reaches beyond its owner", "Leave it out");
        }
        if self.limits.iter().any(|limit| foreign(&limit.scope)) {
            at.key("limits").problem("reach beyond their owner", "Leave the scope out");
        }
    }

    /// What the two sections say, for `owner`.
    pub(super) fn of(limits: Option<Vec<Vec<UsageLimit>>>, budgets: Option<Vec<Budget>>, owner: &Scope) -> Terms {
        let within = |scope: Scope| scope.within(owner);
        let limits = limits.into_iter().flatten().flatten();
        let budgets = budgets.into_iter().flatten();
        Terms {
            written: None,
            limits: limits.map(|limit| UsageLimit { scope: within(limit.scope), ..limit }).collect(),
            budgets: budgets.map(|budget| Budget { scope: within(budget.scope), ..budget }).collect(),
        }
    }
}

impl<'de> Deserialize<'de> for Terms {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Terms, D::Error> {
        Terms::parse(crate::json::any(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl From<Terms> for Value {
    fn from(terms: Terms) -> Value {
        Value::Object(terms.written.unwrap_or_default())
    }
}

/// What the two sections of a table say.
type Sections = (Option<Vec<Vec<UsageLimit>>>, Option<Vec<Budget>>);

fn terms(fields: &mut Fields<'_, '_>) -> Option<Sections> {
    Some((fields.optional("limits", "how fast", LIMITS), fields.optional("budgets", "for how much", BUDGETS)))
}

/// One table, or several.
pub(super) const LIMITS: OneOrMore<Record<Vec<UsageLimit>>> = OneOrMore(Record(limits));
/// A list of tables.
pub(super) const BUDGETS: List<Record<Budget>> = List { of: Record(budget), min: 0 };

fn limits(fields: &mut Fields<'_, '_>) -> Option<Vec<UsageLimit>> {
    let range = || Whole { min: 1, max: 1_000_000_000_000 };
    let wanted = MEASURES.map(|(word, about, measure)| (measure, fields.optional(word, about, range())));
    let scope = scope(fields);
    let limit =
        |(measure, most): (Measure, Option<u64>)| Some(UsageLimit { measure, most: most?, scope: scope.clone() });
    Some(wanted.into_iter().filter_map(limit).collect())
}

/// Empty where it is not said: then it is the owner's.
fn scope(fields: &mut Fields<'_, '_>) -> Scope {
    let about = "who shares it: organisation, team, project, user, key, provider, model, tag:NAME, or a list of them";
    fields.optional("scope", about, SCOPE).map_or_else(Scope::default, Scope::of)
}

fn budget(fields: &mut Fields<'_, '_>) -> Option<Budget> {
    // A nano-dollar to a billion dollars: below it is nothing, above it arithmetic is no longer exact.
    let usd = fields.required(
        "usd",
        "how much, in dollars",
        Real { min: 1e-9, max: 1e9, hint: "Use dollars, from 0.000000001 to 1000000000" },
    );
    let periods = OneOf {
        words: &[
            ("hour", Period::Hour),
            ("day", Period::Day),
            ("week", Period::Week),
            ("month", Period::Month),
            ("total", Period::Total),
        ],
        later: &[],
    };
    let per = fields.required("per", "the period: hour, day, week, month or total", periods);
    let hard = fields.defaulted("hard", "refuse calls when it is spent", Flag, true);
    let scope = scope(fields);
    let on_exceeded =
        fields.optional("on_exceeded", "where calls go that it cannot pay for, instead of being refused", TARGET);
    let percent = List { of: Whole { min: 1, max: 1_000 }, min: 0 };
    let alert_at = fields.optional("alert_at", "at which percents of it one line is logged; else 80 and 100", percent);
    let alert_at = alert_at.unwrap_or_else(|| ALERT_AT.to_vec());
    Some(Budget { on_exceeded, alert_at, limit: NanoUsd::from_usd(usd?)?, per: per?, hard, scope })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use serde_json::json;

    #[test]
    fn several_windows_and_scopes_hold_at_once_and_what_names_no_scope_is_its_owners() {
        let limits = json!([{ "rpm": 60, "tpd": 400_000 }, { "rps": 2, "scope": ["user", "tag:app"] }]);
        let terms = Terms::parse(json!({ "limits": limits, "budgets": [{ "usd": 2, "per": "day" }] })).unwrap();
        let told: Vec<String> = terms
            .limits
            .iter()
            .map(|limit| format!("{} {} {}", limit.measure.as_str(), limit.most, limit.scope.words().join("+")))
            .collect();
        assert_eq!(told, ["rpm 60 key", "tpd 400000 key", "rps 2 user+key+tag:app"]);
        assert_eq!(terms.budgets[0].scope.words(), ["key"]);
    }

    #[test]
    fn a_users_terms_hold_in_every_team_and_an_organisations_for_all_of_it() {
        let user = Scope::of([Party::Organisation, Party::User]);
        let terms = Terms::owned(
            json!({ "limits": { "rpm": 6 }, "budgets": [{ "usd": 1, "per": "day", "scope": "model" }] }),
            &user,
        );
        let terms = terms.unwrap();
        assert_eq!(terms.limits[0].scope.words(), ["organisation", "user"]);
        assert_eq!(terms.budgets[0].scope.words(), ["organisation", "user", "model"]);
        assert!(Terms::owned(json!({ "limits": { "rpm": 6, "scope": "team" } }), &user).is_err());
        let all = Scope::of([Party::Organisation]);
        let terms = Terms::owned(json!({ "limits": [{ "rpm": 6 }, { "rps": 1, "scope": "team" }] }), &all).unwrap();
        assert_eq!(terms.limits[1].scope.words(), ["organisation", "team"]);
    }

    #[test]
    fn a_budget_is_an_exact_amount_above_zero() {
        let with = |usd: f64| Terms::parse(json!({ "budgets": [{ "usd": usd, "per": "total" }] }));
        for (usd, nano) in [(500.0, 500_000_000_000), (1e-9, 1), (0.1, 100_000_000), (1e9, 1_000_000_000_000_000_000)] {
            let budget = with(usd).unwrap().budgets.remove(0);
            assert_eq!((budget.limit, budget.hard), (NanoUsd(nano), true), "{usd}");
        }
        for usd in [0.0, -1.0, 1e10, 1e-10] {
            assert_eq!(with(usd).unwrap_err().problems[0].path, "budgets[0].usd");
        }
    }

    #[test]
    fn terms_are_stored_as_they_were_written() {
        let written = json!({ "limits": { "rpm": 60 }, "budgets": [{ "usd": 2.5, "per": "day", "scope": "model" }] });
        let terms = Terms::parse(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&terms).unwrap(), written);
        assert_eq!(serde_json::from_value::<Terms>(written).unwrap(), terms);
        assert_eq!(serde_json::from_str::<Terms>("{}").unwrap(), Terms::default());
    }

    #[test]
    fn what_would_bind_others_or_nobody_is_refused_with_its_path() {
        for (value, path) in [
            (json!({ "budgets": [{ "usd": 1, "per": "day", "scope": "team" }] }), "budgets[0].scope"),
            (json!({ "budgets": [{ "usd": -1, "per": "day" }] }), "budgets[0].usd"),
            (json!({ "limits": { "rpm": 0 } }), "limits.rpm"),
            (json!({ "limits": [] }), "limits"),
            (json!({ "limits": { "rpm": 1, "scope": "organisation" } }), "limits"),
            (json!({ "limit": {} }), "limit"),
            (json!([]), "document"),
        ] {
            assert_eq!(Terms::parse(value.clone()).unwrap_err().problems[0].path, path, "{value}");
        }
    }
}
