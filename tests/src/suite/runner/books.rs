//! The books of a case's team: every request written down once, nothing left held, posted what the audit says.

use serde_json::{Value, json};

use super::check::{LOOK_MS, PATIENCE_MS};
use crate::suite::case::Expect;
use crate::suite::document::{ADMIN_KEY, ANTHROPIC_KEY, GEMINI_KEY, Names, OPENAI_KEY, SECRET};
use crate::suite::level::{Answer, Level};
use crate::suite::matching::differences;

/// What was logged for a case, and what it adds up to.
pub(super) struct Books {
    scope: String,
    /// Lines of the log read so far, those from before the case included.
    read: usize,
    /// The case's own lines.
    lines: Vec<String>,
    /// What its audit lines say was spent.
    spent: u64,
    /// The admin plane is open and the ledger answers.
    readable: bool,
}

impl Books {
    pub(super) fn new(team: &str, level: &impl Level) -> Books {
        Books {
            scope: format!("team:{team}"),
            read: level.log_lines().len(),
            lines: Vec::new(),
            spent: 0,
            readable: true,
        }
    }

    /// Says whether anybody can look into the books now.
    pub(super) fn set_readable(&mut self, readable: bool) {
        self.readable = readable;
    }

    /// The audit lines written since the last look, but for those of copies: they are in nobody's books, and come when they come.
    fn look(&mut self, level: &impl Level) -> Vec<Value> {
        let lines = level.log_lines();
        let new: Vec<String> = lines.into_iter().skip(self.read).collect();
        self.read += new.len();
        let records = new.iter().filter_map(|line| {
            // A platform may put something before the JSON.
            let json = line.find('{').and_then(|at| line.get(at..))?;
            serde_json::from_str::<Value>(json).ok().filter(|record| record.get("event") == Some(&json!("request")))
        });
        let records = records.filter(|record| record.get("operation") != Some(&json!("shadow"))).collect();
        self.lines.extend(new);
        records
    }

    /// Waits for the request's audit line and for the books to be even.
    pub(super) async fn check<L: Level>(
        &mut self,
        level: &L,
        expect: &Expect,
        answer: &Answer,
        names: &Names,
    ) -> Vec<String> {
        let mut records = Vec::new();
        let mut waited = 0;
        let none_expected = expect.audit == Some(Value::Bool(false));
        loop {
            records.extend(self.look(level));
            if !records.is_empty() || waited >= PATIENCE_MS || (none_expected && waited >= 200) {
                break;
            }
            level.pause(LOOK_MS).await;
            waited += LOOK_MS;
        }
        let (mut problems, known) = (Vec::new(), records.len());
        let spent = |records: &[Value]| records.iter().filter_map(|r| r.get("cost_nano_usd")?.as_u64()).sum::<u64>();
        if self.readable && expect.settled {
            problems.extend(self.even(level, self.spent + spent(&records)).await);
            // A second settlement would come with a second line.
            records.extend(self.look(level));
        }
        self.spent += spent(&records);
        if records.len() != usize::from(!none_expected) {
            problems.push(format!("audit: {} lines in place of one ({known} at first): {records:?}", records.len()));
        }
        if let Some(record) = records.first() {
            problems.extend(audit(expect, answer, record, names));
        }
        problems
    }

    /// Looks at the team's budget until nothing is held, and it should be what was spent.
    async fn even<L: Level>(&self, level: &L, spent: u64) -> Vec<String> {
        let mut waited = 0;
        loop {
            let budgets = match super::admin(level, "GET", "/admin/v1/budgets", String::new()).await {
                Ok(budgets) => budgets,
                Err(problem) => return vec![problem],
            };
            let all = budgets.get("data").and_then(Value::as_array).into_iter().flatten();
            let problems: Vec<String> = all
                .filter(|budget| budget.get("scope").and_then(Value::as_str) == Some(&self.scope))
                .flat_map(|budget| {
                    let even = json!({"posted_nano_usd": spent, "held_nano_usd": 0, "unconfirmed_nano_usd": 0});
                    differences("budget", &even, Some(budget))
                })
                .collect();
            if problems.is_empty() || waited >= PATIENCE_MS {
                return problems;
            }
            level.pause(LOOK_MS).await;
            waited += LOOK_MS;
        }
    }

    /// The team's chain of records is whole, and costs what the log says.
    pub(super) async fn chained<L: Level>(&self, level: &L, team: &str) -> Vec<String> {
        if !self.readable {
            return Vec::new();
        }
        let path = format!("/admin/v1/audit/verify?team={team}");
        let verified = match super::admin(level, "GET", &path, String::new()).await {
            Ok(verified) => verified,
            Err(problem) => return vec![problem],
        };
        let whole = json!({"ok": true, "chains": [{"team": team, "next_cursor": null}]});
        differences("chain", &whole, Some(&verified))
    }

    /// Secrets that stand in the log.
    pub(super) fn leaks(&self, names: &Names) -> Vec<String> {
        let key = names.text("key");
        // Whatever a case plants begins so.
        let planted = ["canary-", "cs-sb-", "sk-sb-"];
        let fixed = [ADMIN_KEY, SECRET, OPENAI_KEY, ANTHROPIC_KEY, GEMINI_KEY, key.as_str()];
        let secrets: Vec<&str> = fixed.into_iter().chain(planted).collect();
        let leaked = |line: &&String| secrets.iter().any(|secret| !secret.is_empty() && line.contains(secret));
        self.lines.iter().filter(leaked).map(|line| format!("fault 92: a secret in the log: {line}")).collect()
    }
}

fn audit(expect: &Expect, answer: &Answer, record: &Value, names: &Names) -> Vec<String> {
    let mut problems = Vec::new();
    if let Some(expected) = expect.audit.as_ref().filter(|expected| expected.is_object()) {
        problems.extend(differences("audit", &names.fill_value(expected), Some(record)));
    }
    if let Some(cost) = expect.cost {
        problems.extend(differences("audit", &json!({"cost_nano_usd": cost}), Some(record)));
    }
    if let Some(id) = answer.headers.get("x-signalbox-request-id") {
        problems.extend(differences("audit", &json!({"request_id": id}), Some(record)));
    }
    if let Some(told) = answer.headers.get("x-signalbox-cost-usd") {
        problems.extend(differences("x-signalbox-cost-usd", &json!(told), record.get("cost_usd")));
    }
    problems
}
