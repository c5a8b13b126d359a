//! The second level: the built Worker on workerd.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::document::bindings;
use super::packages;
use super::socket::Socket;
use crate::harness::{Guarded, locked};
use crate::simulator::Simulator;

/// How long workerd may take to listen, on a machine that is busy.
const START: Duration = Duration::from_secs(60);

/// A Worker on a workerd of its own. Dropping it ends the process.
#[derive(Debug)]
pub struct Edge {
    url: String,
    lines: Arc<Mutex<VecDeque<String>>>,
    simulator: Arc<Simulator>,
    _process: Guarded,
}

impl Edge {
    /// Starts the Worker with the suite's bindings and a case's changes to them.
    ///
    /// # Errors
    /// It cannot be built, or does not start; what it said is part of the error.
    pub fn start(simulator: Arc<Simulator>, changes: &BTreeMap<String, Option<String>>) -> Result<Edge, String> {
        let modules = packages::worker()?;
        let bindings = bindings(&simulator.url(), changes);
        let mut command = Command::new("node");
        command
            .arg(packages::root().join("tests/src/suite/edge.mjs"))
            // workerd names the modules from here.
            .current_dir(packages::root())
            .env("SUITE_MODULES", modules)
            .env("SUITE_BINDINGS", serde_json::json!(bindings).to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = Guarded::spawn(command).map_err(|error| format!("node: {error}"))?;
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let child = process.child();
        let listening = child.stdout.take().map(|out| follow(out, &lines));
        let _errors = child.stderr.take().map(|out| follow(out, &lines));
        let listening = listening.and_then(|listening| listening.recv_timeout(START).ok());
        match listening {
            Some(url) => Ok(Edge { url, lines, simulator, _process: process }),
            None => Err(format!("the Worker did not start: {:?}", locked(&lines))),
        }
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the Worker and its host have printed so far.
    pub fn lines(&self) -> Vec<String> {
        locked(&self.lines).iter().cloned().collect()
    }

    /// A client of it, as a level.
    ///
    /// # Errors
    /// None in practice: the URL is plain HTTP.
    pub fn level(&self) -> std::io::Result<Socket> {
        let lines = Arc::clone(&self.lines);
        let log = move || locked(&lines).iter().cloned().collect();
        Socket::new("edge", &self.url, Arc::clone(&self.simulator), log)
    }
}

/// Reads a stream of output into `lines` until it ends; tells the address it listens on when that is printed.
fn follow(out: impl std::io::Read + Send + 'static, lines: &Arc<Mutex<VecDeque<String>>>) -> Receiver<String> {
    let (told, listening) = channel();
    let lines = Arc::clone(lines);
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if let Some(url) = line.strip_prefix("listening on ") {
                // Nobody waits for it any more when it came too late.
                let _ = told.send(url.to_owned());
            }
            locked(&lines).push_back(line);
        }
    });
    listening
}
