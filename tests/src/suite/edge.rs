//! The second level: the built Worker on workerd.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::document::bindings;
use super::packages;
use super::socket::Socket;
use crate::harness::{Guarded, free_port, locked};
use crate::simulator::Simulator;

/// How long workerd may take to listen, on a machine that is busy.
const START: Duration = Duration::from_secs(60);

/// A Worker on a workerd of its own. Dropping it ends the process.
#[derive(Debug)]
pub struct Edge {
    url: String,
    lines: Arc<Mutex<VecDeque<String>>>,
    simulator: Arc<Simulator>,
    bindings: String,
    /// What it keeps, and where it listens again after a crash.
    kept: Option<Kept>,
    process: Mutex<Guarded>,
}

/// Stores on disk, and a port of its own.
#[derive(Debug)]
struct Kept {
    folder: PathBuf,
    port: u16,
}

impl Drop for Kept {
    fn drop(&mut self) {
        // What is left lies among the system's temporary files.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Edge {
    /// Starts the Worker with the suite's bindings and a case's changes to them.
    ///
    /// # Errors
    /// It cannot be built, or does not start; what it said is part of the error.
    pub fn start(simulator: Arc<Simulator>, changes: &BTreeMap<String, Option<String>>) -> Result<Edge, String> {
        Edge::begin(simulator, changes, None)
    }

    /// The same with stores on disk, so that it can [`crash`](Edge::crash).
    ///
    /// # Errors
    /// As of [`start`](Edge::start), or there is no room for its stores.
    pub fn start_kept(simulator: Arc<Simulator>, changes: &BTreeMap<String, Option<String>>) -> Result<Edge, String> {
        let port = free_port().map_err(|error| error.to_string())?;
        let folder = std::env::temp_dir().join(format!("signalbox-suite-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        Edge::begin(simulator, changes, Some(Kept { folder, port }))
    }

    fn begin(
        simulator: Arc<Simulator>,
        changes: &BTreeMap<String, Option<String>>,
        kept: Option<Kept>,
    ) -> Result<Edge, String> {
        let bindings = serde_json::json!(bindings(&simulator.url(), changes)).to_string();
        let lines = Arc::default();
        let (process, url) = launch(&bindings, kept.as_ref(), &lines)?;
        Ok(Edge { url, lines, simulator, bindings, kept, process: Mutex::new(process) })
    }

    /// Kills workerd outright, with everything in flight, and starts it again on what it has kept.
    ///
    /// # Errors
    /// It keeps nothing, or does not start again.
    pub fn crash(&self) -> Result<(), String> {
        let kept = self.kept.as_ref().ok_or("this one keeps nothing")?;
        let mut process = locked(&self.process);
        process.kill();
        *process = launch(&self.bindings, Some(kept), &self.lines)?.0;
        Ok(())
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

/// Starts workerd; gives it and where it listens.
fn launch(
    bindings: &str,
    kept: Option<&Kept>,
    lines: &Arc<Mutex<VecDeque<String>>>,
) -> Result<(Guarded, String), String> {
    let mut command = Command::new("node");
    command
        .arg(packages::root().join("tests/src/suite/edge.mjs"))
        // workerd names the modules from here.
        .current_dir(packages::root())
        .env("SUITE_MODULES", packages::worker()?)
        .env("SUITE_BINDINGS", bindings)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(Kept { folder, port }) = kept {
        command.env("SUITE_KEEP", folder).env("SUITE_PORT", port.to_string());
    }
    let mut process = Guarded::spawn(command).map_err(|error| format!("node: {error}"))?;
    let child = process.child();
    let listening = child.stdout.take().map(|out| follow(out, lines));
    let _errors = child.stderr.take().map(|out| follow(out, lines));
    let listening = listening.and_then(|listening| listening.recv_timeout(START).ok());
    let url = listening.ok_or_else(|| format!("the Worker did not start: {:?}", locked(lines)))?;
    Ok((process, url))
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
