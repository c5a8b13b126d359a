//! What the function's processes print: CloudWatch's stand-in.

use std::collections::VecDeque;
use std::io::PipeReader;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::unix::pipe::Receiver;

use crate::harness::locked;

/// Lines kept; the oldest go first.
const KEPT: usize = 50_000;

#[derive(Clone, Debug)]
pub(crate) struct Logs {
    lines: Arc<Mutex<VecDeque<String>>>,
    echo: bool,
}

impl Logs {
    pub(crate) fn new(echo: bool) -> Logs {
        Logs { lines: Arc::default(), echo }
    }

    /// Reads a process's output until its last writer is gone.
    pub(crate) fn follow(&self, output: PipeReader) -> std::io::Result<()> {
        let mut output = BufReader::new(Receiver::from_owned_fd(OwnedFd::from(output))?);
        let logs = self.clone();
        tokio::spawn(async move {
            let mut line = Vec::new();
            // An error reads like an end: nothing more will come.
            while output.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
                logs.add(String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned());
                line.clear();
            }
        });
        Ok(())
    }

    pub(crate) fn add(&self, line: String) {
        if self.echo {
            eprintln!("{line}");
        }
        let mut lines = locked(&self.lines);
        if lines.len() >= KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        locked(&self.lines).iter().cloned().collect()
    }
}
