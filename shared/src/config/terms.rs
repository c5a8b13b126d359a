//! Limits and budgets of one key: written through the admin plane, in the form they have in the document.
//!
//! They are kept as they were written and read by the document's own rules, so a limit that the document
//! learns is one that keys know too.

use super::problem::{At, Invalid};
use super::shape::{Fields, Kind as _, List, Record};
use super::teams::{self, Budget, BudgetScope, TeamLimits};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What binds one key beside what binds its team. The default binds nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Terms {
    written: Map<String, Value>,
    /// How fast the key may call.
    pub limits: TeamLimits,
    /// For how much; each of scope [`BudgetScope::Key`].
    pub budgets: Vec<Budget>,
}

impl Terms {
    /// Reads `{"limits": …, "budgets": …}`, both optional.
    pub fn parse(value: Value) -> Result<Terms, Invalid> {
        let mut problems = Vec::new();
        let read = Record(terms).read(&value, &mut At::root(&mut problems));
        foreign_scopes(&value, &mut At::root(&mut problems));
        match (read, value) {
            (Some((limits, budgets)), Value::Object(written)) if problems.is_empty() => {
                Ok(Terms { written, limits, budgets })
            }
            (_, _) => Err(Invalid { problems }),
        }
    }

    /// A member as it was written: `limits` or `budgets`.
    pub fn written(&self, member: &str) -> Option<&Value> {
        self.written.get(member)
    }

    /// The same with `limits` or `budgets` written anew; `None` takes them away.
    pub fn with(&self, member: &str, value: Option<Value>) -> Result<Terms, Invalid> {
        let mut written = self.written.clone();
        match value {
            Some(value) => drop(written.insert(member.to_owned(), value)),
            None => drop(written.remove(member)),
        }
        Terms::parse(Value::Object(written))
    }

    /// Whether nothing is bound.
    pub fn is_empty(&self) -> bool {
        self.written.is_empty()
    }
}

fn terms(fields: &mut Fields<'_, '_>) -> Option<(TeamLimits, Vec<Budget>)> {
    let limits = fields.optional("limits", "how fast the key may call", Record(teams::limits));
    let budgets = fields.optional("budgets", "what the key may spend", List { of: Record(teams::budget), min: 0 });
    let own = |budget: Budget| Budget { scope: BudgetScope::Key, ..budget };
    Some((limits.unwrap_or_default(), budgets.unwrap_or_default().into_iter().map(own).collect()))
}

/// A key's budget is nobody else's.
fn foreign_scopes(value: &Value, at: &mut At<'_>) {
    let budgets = value.get("budgets").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for (index, budget) in budgets.iter().enumerate() {
        if budget.get("scope").is_some_and(|scope| scope != "key") {
            at.key("budgets").index(index).key("scope").problem("is not the key's", "Leave it out");
        }
    }
}

impl TryFrom<Value> for Terms {
    type Error = Invalid;

    fn try_from(value: Value) -> Result<Terms, Invalid> {
        Terms::parse(value)
    }
}

impl From<Terms> for Value {
    fn from(terms: Terms) -> Value {
        Value::Object(terms.written)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use serde_json::json;

    #[test]
    fn terms_are_stored_as_they_were_written() {
        let written = json!({ "limits": { "rpm": 60 }, "budgets": [{ "usd": 2.5, "per": "day" }] });
        let terms = Terms::parse(written.clone()).unwrap();
        assert_eq!(terms.limits.rpm, Some(60));
        assert_eq!(terms.budgets[0].scope, BudgetScope::Key);
        assert_eq!(serde_json::to_value(&terms).unwrap(), written);
        assert_eq!(serde_json::from_value::<Terms>(written).unwrap(), terms);
    }

    #[test]
    fn what_would_bind_others_or_nobody_is_refused_with_its_path() {
        for (value, path) in [
            (json!({ "budgets": [{ "usd": 1, "per": "day", "scope": "team" }] }), "budgets[0].scope"),
            (json!({ "budgets": [{ "usd": -1, "per": "day" }] }), "budgets[0].usd"),
            (json!({ "limits": { "rpm": 0 } }), "limits.rpm"),
            (json!({ "limit": {} }), "limit"),
            (json!([]), "document"),
        ] {
            assert_eq!(Terms::parse(value.clone()).unwrap_err().problems[0].path, path, "{value}");
        }
    }
}
