//! The simulated provider in a process of its own, so that its work is nobody else's.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::{Client, Guarded, Stop};
use crate::simulator::{Options, Simulator};

/// The argument with which the benchmark starts itself as the upstream.
pub const ARGUMENT: &str = "--as-upstream";

/// A running upstream; ends when dropped.
#[derive(Debug)]
pub struct Upstream {
    url: String,
    _process: Guarded,
}

impl Upstream {
    /// Starts this program again as the upstream.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start() -> io::Result<Upstream> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(ARGUMENT).stdout(Stdio::piped());
        let mut process = Guarded::spawn(command)?;
        let out = process.child().stdout.take().ok_or_else(|| io::Error::other("the upstream has no output"))?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        Ok(Upstream { url: line.trim().to_owned(), _process: process })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Registers what is answered to models that end in `~name`.
    ///
    /// # Errors
    /// The script is refused.
    pub async fn register(&self, name: &str, script: &Value) -> io::Result<()> {
        let reply = Client::new(&self.url)?
            .request("PUT", &format!("/__script/{name}"))
            .body(script.to_string())
            .send()
            .await?;
        match reply.status {
            200 => Ok(()),
            _ => Err(io::Error::other(format!("script {name}: {}", reply.text().await?))),
        }
    }
}

/// The upstream's own main: unpaced, without a log, until a signal comes.
///
/// # Errors
/// No port is left.
pub fn serve() -> io::Result<()> {
    let simulator = Simulator::start(Options { port: 0, pace_ms: 0, keep_log: false })?;
    let stop = Stop::listen()?;
    let mut out = io::stdout();
    writeln!(out, "{}", simulator.url())?;
    out.flush()?;
    stop.wait(false);
    Ok(())
}
