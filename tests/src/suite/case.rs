//! What a case says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::token::Token;
use crate::simulator::Answer;

/// A file of cases: one subject.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The subject, in a sentence.
    pub about: String,
    /// Scripts that several of the cases use, beside their own.
    #[serde(default)]
    pub upstream: BTreeMap<String, Script>,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One case: a gateway, an upstream, and what is sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// A sentence that is true when the case passes.
    pub name: String,
    /// Numbers of the catalogue of faults.
    #[serde(default)]
    pub faults: Vec<u16>,
    /// Laid over the suite's own configuration, member by member; null takes a member away.
    #[serde(default)]
    pub config: Option<Value>,
    /// Over the suite's own bindings; null takes one away. The case then has a gateway of its own.
    #[serde(default)]
    pub bindings: BTreeMap<String, Option<String>>,
    /// Has a gateway of its own, because what it stores would be seen by other cases.
    #[serde(default)]
    pub alone: bool,
    /// The admin plane is closed or broken on purpose: no configuration, no key and no look into the books.
    #[serde(default)]
    pub closed: bool,
    /// What the upstream answers, by the name after `~` in the model.
    #[serde(default)]
    pub upstream: BTreeMap<String, Script>,
    /// Levels the case cannot run on, with the reason.
    #[serde(default)]
    pub not_on: BTreeMap<String, String>,
    /// Tokens that are signed before the first step, each known as `${token.NAME}`.
    #[serde(default)]
    pub tokens: BTreeMap<String, Token>,
    /// What is sent, in order.
    pub steps: Vec<Step>,
}

/// A sequence of answers, or the only one.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Script {
    /// One a request; the last repeats.
    Many(Vec<Answer>),
    /// Always the same.
    One(Answer),
}

impl Script {
    /// Puts the file's own scripts where they are used by name; other names are the simulator's built-in ones.
    fn resolve(&mut self, shared: &BTreeMap<String, Script>) {
        let resolved = self.answers().into_iter().flat_map(|answer| match &answer {
            Answer::Use { name } => shared.get(name).map_or_else(|| vec![answer.clone()], Script::answers),
            Answer::Script(_) | Answer::Mcp(_) => vec![answer],
        });
        *self = Script::Many(resolved.collect());
    }

    /// The sequence.
    pub fn answers(&self) -> Vec<Answer> {
        match self {
            Script::Many(answers) => answers.clone(),
            Script::One(answer) => vec![answer.clone()],
        }
    }
}

/// One request, or a pause.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Time that passes before it, in milliseconds.
    #[serde(default)]
    pub wait_ms: u64,
    /// The stores' state from here on, on virtual time.
    #[serde(default)]
    pub stores: Option<Stores>,
    /// The request.
    #[serde(default)]
    pub send: Option<Send>,
    /// What comes of it, as JSON of [`Expect`]; `on` holds by level what takes the place of its members, and `because`.
    #[serde(default)]
    pub expect: Value,
    /// Values for later steps, by name: a JSON pointer into `{"body": …}`, `{"stream": …}` or `{"headers": …}`.
    #[serde(default)]
    pub save: BTreeMap<String, String>,
}

/// The state of the stores.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Stores {
    /// All is well.
    Up,
    /// Keys and configuration cannot be read.
    DirectoryDown,
    /// Nothing can be admitted or settled.
    LedgerDown,
    /// The ledger works, its answers are lost.
    AnswersLost,
}

/// A request.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Send {
    /// The method; POST with a body, else GET.
    #[serde(default)]
    pub method: Option<String>,
    /// Path and query.
    pub path: String,
    /// Headers; a list sends one several times, null leaves out what would be sent by itself.
    #[serde(default)]
    pub headers: BTreeMap<String, Value>,
    /// Whose credential is sent, unless a header carries one.
    #[serde(default)]
    pub auth: Auth,
    /// A body of JSON.
    #[serde(default)]
    pub json: Option<Value>,
    /// A body of text, as it is.
    #[serde(default)]
    pub text: Option<String>,
    /// A body of bytes.
    #[serde(default)]
    pub base64: Option<String>,
    /// A large body, made when it is sent.
    #[serde(default)]
    pub generate: Option<Generate>,
    /// When the caller leaves.
    #[serde(default)]
    pub leave: Option<Leave>,
}

/// Whose credential is sent.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// The case's virtual key.
    #[default]
    Key,
    /// The admin key.
    Admin,
    /// None.
    None,
}

/// `before`, then `repeat` that many `times`, then `after`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generate {
    /// The beginning.
    pub before: String,
    /// What is repeated.
    pub repeat: String,
    /// How often.
    pub times: usize,
    /// The end.
    pub after: String,
}

/// When the caller leaves.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Leave {
    /// After that many events with data.
    AfterEvents(usize),
    /// After at least that many bytes of the body.
    AfterBytes(usize),
    /// That many milliseconds after sending, whatever has come.
    AfterMs(u64),
}

/// What comes of a request. Absent members expect what is usual; see the folder's README.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The status; 200.
    #[serde(default = "ok")]
    pub status: u16,
    /// Headers by lower-case name.
    #[serde(default)]
    pub headers: Option<Value>,
    /// The body as JSON.
    #[serde(default)]
    pub body: Option<Value>,
    /// The body as text.
    #[serde(default)]
    pub text: Option<Value>,
    /// The body as a stream, put together; see [`stream`](super::stream).
    #[serde(default)]
    pub stream: Option<Value>,
    /// The requests that reached the upstream, in order.
    #[serde(default)]
    pub upstream: Option<Value>,
    /// The audit line. `false`: there is none.
    #[serde(default)]
    pub audit: Option<Value>,
    /// What the audit line says the request cost, in nano-dollars.
    #[serde(default)]
    pub cost: Option<u64>,
    /// Whether the books must be even afterwards: nothing held, posted what the audit lines say.
    #[serde(default = "yes")]
    pub settled: bool,
    /// Milliseconds from sending to the end of the answer, as `[least, most]`.
    #[serde(default)]
    pub took_ms: Option<[u64; 2]>,
}

fn ok() -> u16 {
    200
}

fn yes() -> bool {
    true
}

impl Step {
    /// What is expected on this level.
    ///
    /// # Errors
    /// The expectation cannot be read.
    pub fn expect(&self, level: &str) -> Result<Expect, String> {
        let mut expect =
            if self.expect.is_null() { Value::Object(serde_json::Map::new()) } else { self.expect.clone() };
        let differs = expect.as_object_mut().and_then(|members| members.remove("on"));
        if let Some(Value::Object(mut over)) = differs.and_then(|mut on| on.get_mut(level).map(Value::take)) {
            if !over.remove("because").is_some_and(|reason| reason.is_string()) {
                return Err(format!("on {level} it is otherwise: `because` must say why"));
            }
            if let Some(members) = expect.as_object_mut() {
                members.extend(over);
            }
        }
        serde_json::from_value(expect).map_err(|error| format!("expect: {error}"))
    }
}

/// The folder of the cases.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

/// The names of the files of cases, without `.json`, sorted.
///
/// # Errors
/// The folder cannot be read.
pub fn names() -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(".json").map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// Reads a file of cases and every expectation in it.
///
/// # Errors
/// What is wrong with the file.
pub fn read(name: &str) -> Result<File, String> {
    let path = folder().join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut file: File = serde_json::from_str(&text).map_err(|error| format!("{name}.json: {error}"))?;
    for case in &mut file.cases {
        for script in case.upstream.values_mut() {
            script.resolve(&file.upstream);
        }
        for (name, script) in &file.upstream {
            case.upstream.entry(name.clone()).or_insert_with(|| script.clone());
        }
        for level in ["in_process", "edge", "lambda"] {
            for step in &case.steps {
                step.expect(level).map_err(|problem| format!("{name}.json: {}: {problem}", case.name))?;
            }
        }
    }
    Ok(file)
}
