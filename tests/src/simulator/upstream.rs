//! The simulated provider without any socket: which script answers, and what was asked.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;

use super::ask::{Ask, Parsed};
use super::builtin::{self, Wanted};
use super::friendly;
use super::log::{Entry, Log, Seen};
use super::script::{Answer, Script};
use crate::harness::locked;

/// Scripts by name, and the log. Share it between as many players as needed.
#[derive(Debug)]
pub struct Upstream {
    pace_ms: u64,
    scripts: Mutex<BTreeMap<String, Sequence>>,
    serial: AtomicU64,
    log: Log,
}

/// What answers a request.
#[derive(Debug)]
pub struct Answered {
    /// The name it was chosen by; `friendly` when none was given.
    pub name: String,
    /// What to play.
    pub script: Script,
    /// The log's entry, to be told what became of it.
    pub(crate) entry: Entry,
}

impl Answered {
    /// Tells the log of body bytes handed to the caller.
    pub fn sent(&self, bytes: usize) {
        self.entry.sent(bytes);
    }

    /// Tells the log that the script was played to its end. Dropped without it, the caller counts as gone.
    pub fn finish(&self) {
        self.entry.finish();
    }
}

#[derive(Debug)]
struct Sequence {
    answers: Vec<Answer>,
    used: usize,
}

impl Sequence {
    /// The next answer; the last one repeats.
    fn next(&mut self) -> Option<Answer> {
        let answer = self.answers.get(self.used).or(self.answers.last()).cloned();
        self.used = self.used.saturating_add(1);
        answer
    }
}

impl Upstream {
    /// `pace_ms` lies between two words of a friendly stream. With `keep_log` false nothing is remembered, for benchmarks.
    pub fn new(pace_ms: u64, keep_log: bool) -> Upstream {
        Upstream { pace_ms, scripts: Mutex::default(), serial: AtomicU64::new(0), log: Log::new(keep_log) }
    }

    /// Registers a sequence under a name, from its start: the first request gets the first answer, the last one repeats.
    ///
    /// # Errors
    /// A sentence naming what is wrong: an empty sequence, a script that cannot be played, a built-in that does not exist.
    pub fn register(&self, name: &str, answers: Vec<Answer>) -> Result<(), String> {
        if answers.is_empty() {
            return Err("an empty sequence answers nothing".to_owned());
        }
        for answer in &answers {
            match answer {
                Answer::Script(script) => script.check()?,
                Answer::Mcp(_) => {}
                Answer::Use { name } if builtin::exists(name) => {}
                Answer::Use { name } => {
                    return Err(format!("there is no built-in script {name:?}"));
                }
            }
        }
        locked(&self.scripts).insert(name.to_owned(), Sequence { answers, used: 0 });
        Ok(())
    }

    /// Forgets a registered name; true when there was one.
    pub fn forget(&self, name: &str) -> bool {
        locked(&self.scripts).remove(name).is_some()
    }

    /// Chooses the answer to a request and writes it down.
    pub fn answer(&self, ask: Ask) -> Answered {
        let parsed = ask.parse();
        let serial = self.serial.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let name = parsed.name.clone().unwrap_or_else(|| builtin::FRIENDLY.to_owned());
        let script = self.choose(&name, &parsed, serial);
        let entry = self.log.open(serial, ask, &name, script.status);
        Answered { name, script, entry }
    }

    fn choose(&self, name: &str, parsed: &Parsed, serial: u64) -> Script {
        let registered = locked(&self.scripts).get_mut(name).and_then(Sequence::next);
        let answer = registered.or_else(|| self.built_in_sequence(name));
        match answer {
            Some(Answer::Script(script)) => *script,
            Some(Answer::Mcp(server)) => server.script(&parsed.body),
            Some(Answer::Use { name }) => builtin::script(&name, &Wanted { parsed, serial, pace_ms: self.pace_ms })
                .unwrap_or_else(|| unknown(&name, parsed)),
            None => unknown(name, parsed),
        }
    }

    /// Built-ins that change with each request become registered on first use; the others need no memory.
    fn built_in_sequence(&self, name: &str) -> Option<Answer> {
        if let Some(answers) = builtin::sequence(name) {
            return locked(&self.scripts).entry(name.to_owned()).or_insert(Sequence { answers, used: 0 }).next();
        }
        builtin::exists(name).then(|| Answer::Use { name: name.to_owned() })
    }

    /// What was asked so far, oldest first; of one script where a name is given.
    pub fn seen(&self, script: Option<&str>) -> Vec<Seen> {
        self.log.seen(script)
    }

    /// Empties the log, or one script's part of it.
    pub fn clear_log(&self, script: Option<&str>) {
        self.log.clear(script);
    }
}

fn unknown(name: &str, parsed: &Parsed) -> Script {
    let message =
        format!("The simulator has no script {name:?}: register it with PUT /__script/{name}, or use a built-in one.");
    friendly::error(parsed.dialect, 404, &message).header("x-simulator", json!({ "unknown": name }).to_string())
}
