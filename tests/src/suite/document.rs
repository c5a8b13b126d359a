//! The gateway a case runs against: bindings, configuration, and the names it may use in its texts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::case::Case;

/// The admin key of every gateway of the suite.
pub const ADMIN_KEY: &str = "the-admin-key-of-the-suite";
/// Its secret.
pub const SECRET: &str = "the secret of the suite, longer than thirty-two bytes";
/// The key of the OpenAI provider; planted to be looked for in logs.
pub const OPENAI_KEY: &str = "canary-openai-credential";
/// The key of the Anthropic provider.
pub const ANTHROPIC_KEY: &str = "canary-anthropic-credential";
/// The key of the Gemini provider.
pub const GEMINI_KEY: &str = "canary-gemini-credential";

/// What every gateway of the suite is bound to, with a case's changes.
pub fn bindings(upstream: &str, case: &BTreeMap<String, Option<String>>) -> BTreeMap<String, String> {
    let usual = [
        ("SIGNALBOX_ADMIN_KEY", ADMIN_KEY.to_owned()),
        ("SIGNALBOX_SECRET", SECRET.to_owned()),
        ("OPENAI_API_KEY", OPENAI_KEY.to_owned()),
        ("OPENAI_BASE_URL", format!("{upstream}/v1")),
        ("ANTHROPIC_API_KEY", ANTHROPIC_KEY.to_owned()),
        ("ANTHROPIC_BASE_URL", upstream.to_owned()),
        ("GEMINI_API_KEY", GEMINI_KEY.to_owned()),
        ("GEMINI_BASE_URL", upstream.to_owned()),
    ];
    let mut all: BTreeMap<String, String> = usual.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    for (name, value) in case {
        match value {
            Some(value) => drop(all.insert(name.clone(), value.replace("${upstream}", upstream))),
            None => drop(all.remove(name)),
        }
    }
    all
}

/// The configuration of a case: the team with a budget that is never the point, a price for every model the case names,
/// retries without pauses; then what the case says.
pub fn config(case: &Case, team: &str) -> Value {
    let models: Map<String, Value> = models(case).into_iter().map(|id| (id, model())).collect();
    let mut document = json!({
        "models": models,
        "teams": { team: { "budgets": [{ "usd": 1000, "per": "total", "hard": true }] } },
        "retries": { "base_ms": 1, "cap_ms": 2000 },
    });
    if let Some(over) = &case.config {
        lay_over(&mut document, over);
    }
    document
}

/// In nano-dollars: a token of input costs 1,000, of output 2,000, of reasoning 3,000; of input from the cache 100, into
/// it 1,250, for an hour 2,000.
fn model() -> Value {
    json!({
        "usd_per_million": {
            "input": 1, "output": 2, "reasoning": 3, "cache_read": 0.1, "cache_write": 1.25, "cache_write_1h": 2,
        },
        "context_tokens": 100_000,
        "max_output_tokens": 4_096,
    })
}

/// Every `provider:model~script` the case mentions.
fn models(case: &Case) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut look = |text: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-:/@+~".contains(c);
        if text.contains(':') && text.contains('~') && !text.contains("//") && text.chars().all(plain) {
            found.insert(text.to_owned());
        }
    };
    for step in &case.steps {
        let Some(send) = &step.send else { continue };
        // Gemini's model stands in the path.
        if let Some((_, model)) = send.path.split_once("/models/") {
            look(
                &model
                    .split(":generateContent")
                    .flat_map(|text| text.split(":streamGenerateContent"))
                    .next()
                    .unwrap_or_default()
                    .replace("%3A", ":"),
            );
        }
        let text = send.text.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
        for json in send.json.iter().chain(&text) {
            walk(json, &mut look);
        }
    }
    if let Some(config) = &case.config {
        walk(config, &mut look);
    }
    found
}

fn walk(value: &Value, look: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => look(text),
        Value::Array(items) => items.iter().for_each(|item| walk(item, look)),
        Value::Object(members) => members.values().for_each(|member| walk(member, look)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Objects are merged, null takes away, anything else replaces.
pub fn lay_over(document: &mut Value, over: &Value) {
    match (document, over) {
        (Value::Object(members), Value::Object(changes)) => {
            for (name, change) in changes {
                if change.is_null() {
                    members.remove(name);
                } else {
                    lay_over(members.entry(name.clone()).or_insert(Value::Null), change);
                }
            }
        }
        (document, over) => *document = over.clone(),
    }
}

/// The names a case can use as `${name}`. A text that is nothing else becomes the value itself; within a text, or as a
/// member's name, texts are put in.
#[derive(Clone, Debug, Default)]
pub struct Names(BTreeMap<String, Value>);

impl Names {
    /// Defines a name, or changes it.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// The text of a name; empty when there is none.
    pub fn text(&self, name: &str) -> String {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// The text with every name put in.
    pub fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, value) in &self.0 {
            let hole = format!("${{{name}}}");
            if text.contains(&hole) {
                text = text.replace(&hole, &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            }
        }
        text
    }

    /// The value with every name put in.
    pub fn fill_value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => {
                let whole =
                    text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).and_then(|name| self.0.get(name));
                whole.cloned().unwrap_or_else(|| Value::String(self.fill(text)))
            }
            Value::Array(items) => items.iter().map(|item| self.fill_value(item)).collect(),
            Value::Object(members) => {
                Value::Object(members.iter().map(|(name, member)| (self.fill(name), self.fill_value(member))).collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }
}
