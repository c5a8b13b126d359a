//! The Durable Objects of the built Worker on workerd, asked directly: no gateway in between.

use std::io::{BufRead, BufReader, Write as _};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use signalbox::gateway::ledger::spec::LedgerUnderTest;
use signalbox::gateway::ledger::{self, Reply};
use signalbox::records::spec::ShelfUnderTest;
use signalbox::records::{Range, Record, Write};
use signalbox::units::Timestamp;

use super::packages;
use crate::harness::{Guarded, locked};

/// How long workerd may take to start or to answer, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// A workerd with the Worker's objects. Dropping the last clone ends the process.
#[derive(Clone, Debug)]
pub struct Objects(Arc<Mutex<Process>>);

#[derive(Debug)]
struct Process {
    questions: ChildStdin,
    answers: Receiver<String>,
    _process: Guarded,
}

/// One object, by its name.
#[derive(Clone, Debug)]
pub struct Object {
    objects: Objects,
    name: String,
}

impl Objects {
    /// Starts workerd with nothing in any object.
    ///
    /// # Errors
    /// The Worker cannot be built, or workerd does not start.
    pub fn start() -> Result<Objects, String> {
        let mut command = Command::new("node");
        command
            .arg(packages::root().join("tests/src/suite/tenant.mjs"))
            // workerd names the modules from here.
            .current_dir(packages::root())
            .env("SUITE_MODULES", packages::worker()?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process = Guarded::spawn(command).map_err(|error| format!("node: {error}"))?;
        let child = process.child();
        let (questions, answers) = (child.stdin.take(), child.stdout.take());
        let (Some(questions), Some(out)) = (questions, answers) else { return Err("no pipes".to_owned()) };
        let (told, answers) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if told.send(line).is_err() {
                    return;
                }
            }
        });
        match answers.recv_timeout(PATIENCE) {
            Ok(line) if line == "ready" => {}
            other => return Err(format!("workerd did not start: {other:?}")),
        }
        Ok(Objects(Arc::new(Mutex::new(Process { questions, answers, _process: process }))))
    }

    /// The object of this name.
    #[must_use]
    pub fn object(&self, name: impl Into<String>) -> Object {
        Object { objects: self.clone(), name: name.into() }
    }

    /// Lets time pass, the objects' alarms with it.
    ///
    /// # Errors
    /// workerd is gone.
    pub fn sleep(&self, ms: u64) -> Result<(), String> {
        self.ask(&json!({ "sleep": ms })).map(drop)
    }

    fn ask(&self, question: &Value) -> Result<Value, String> {
        let mut process = locked(&self.0);
        writeln!(process.questions, "{question}").map_err(|error| error.to_string())?;
        let answer = process.answers.recv_timeout(PATIENCE).map_err(|error| error.to_string())?;
        serde_json::from_str(&answer).map_err(|error| format!("{error}: {answer}"))
    }
}

impl Object {
    /// Calls a method that takes and gives JSON.
    fn call(&self, method: &str, json: &str) -> Result<String, String> {
        let answer = self.objects.ask(&json!({ "object": self.name, "method": method, "json": json }))?;
        let text = answer.get("json").and_then(Value::as_str).map(str::to_owned);
        text.ok_or_else(|| format!("{method}: {answer}"))
    }

    /// Carries out commands of the ledger, in order.
    ///
    /// # Errors
    /// The object's own.
    pub fn perform(&self, commands: &[ledger::Command]) -> Result<Vec<Reply>, String> {
        let now = commands.iter().map(ledger::Command::now).max().unwrap_or_default();
        let turn = json!({ "now": now, "commands": commands });
        serde_json::from_str(&self.call("perform", &turn.to_string())?).map_err(|error| error.to_string())
    }

    fn shelf<T: serde::de::DeserializeOwned>(&self, ask: &Value, now: Timestamp) -> Result<T, String> {
        let answer = self.call("records", &json!({ "now": now, "ask": ask }).to_string())?;
        serde_json::from_str(&answer).map_err(|error| format!("{error}: {answer}"))
    }
}

impl LedgerUnderTest for Object {
    type Error = String;

    async fn apply(&mut self, batch: Vec<ledger::Command>) -> Result<Vec<Reply>, String> {
        self.perform(&batch)
    }
}

impl ShelfUnderTest for Object {
    type Error = String;

    async fn read(&mut self, key: &str, now: Timestamp) -> Result<Option<Record>, String> {
        self.shelf::<Vec<Record>>(&json!({ "read": key }), now).map(|found| found.into_iter().next())
    }

    async fn list(&mut self, range: &Range, now: Timestamp) -> Result<Vec<Record>, String> {
        self.shelf(&json!({ "list": range }), now)
    }

    async fn write(&mut self, writes: &[Write], now: Timestamp) -> Result<bool, String> {
        self.shelf(&json!({ "write": writes }), now)
    }
}
