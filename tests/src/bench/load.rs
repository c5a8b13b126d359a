//! One phase of requests against one address, and what it took.

use std::cell::Cell;
use std::io;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use serde_json::Value;

use super::cpu;
use super::scenario::TOKEN;
use crate::harness::Client;

/// How long after a phase its process is still watched: settlements and audit lines follow the answers.
const TAIL: Duration = Duration::from_millis(120);

/// Who is asked.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its address, with the credentials on every request.
    pub client: Client,
    /// The process whose CPU counts; the upstream's own is of no interest.
    pub pid: Option<u32>,
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Call {
    /// The path.
    pub path: &'static str,
    /// The body.
    pub body: Value,
}

/// What one phase took.
#[derive(Clone, Debug, Default)]
pub struct Phase {
    /// CPU of the target's process per request, ms.
    pub cpu: Option<f64>,
    /// To the first byte of each body, ms.
    pub first: Vec<f64>,
    /// To the first token of each answer, ms: a gateway that waits until an answer has truly begun hands over the
    /// empty events before it later.
    pub token: Vec<f64>,
    /// To the end of each body, ms.
    pub end: Vec<f64>,
    /// Bytes of the last body, so that a wrong answer shows.
    pub bytes: usize,
}

/// Sends `requests` over `connections` at once.
///
/// # Errors
/// An answer is not 200, or is cut short.
pub async fn phase(target: &Target, call: &Call, connections: usize, requests: usize) -> io::Result<Phase> {
    let body = call.body.to_string();
    let left = Cell::new(requests);
    let before = target.pid.map(cpu::time).transpose()?;
    let lanes = (0..connections).map(|_| async {
        let mut own = Phase::default();
        while let Some(rest) = left.get().checked_sub(1) {
            left.set(rest);
            one(target, call.path, &body, &mut own).await?;
        }
        io::Result::Ok(own)
    });
    let lanes = try_join_all(lanes).await?;
    let mut all = Phase::default();
    for lane in lanes {
        all.first.extend(lane.first);
        all.token.extend(lane.token);
        all.end.extend(lane.end);
        all.bytes = all.bytes.max(lane.bytes);
    }
    if let (Some(pid), Some(before)) = (target.pid, before) {
        tokio::time::sleep(TAIL).await;
        let used = cpu::time(pid)?.saturating_sub(before);
        all.cpu = Some(ms(used) / requests as f64);
    }
    Ok(all)
}

async fn one(target: &Target, path: &str, body: &str, phase: &mut Phase) -> io::Result<()> {
    let request = target.client.request("POST", path).header("content-type", "application/json").body(body.to_owned());
    let begun = Instant::now();
    let mut reply = request.send().await?;
    if reply.status != 200 {
        let status = reply.status;
        return Err(io::Error::other(format!("{path} answered {status}: {}", reply.text().await?)));
    }
    let (mut first, mut token, mut seen, mut bytes) = (None, None, Vec::new(), 0);
    while let Some(chunk) = reply.chunk().await? {
        first.get_or_insert(chunk.at);
        bytes += chunk.bytes.len();
        if token.is_none() {
            seen.extend_from_slice(&chunk.bytes);
            if seen.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes()) {
                token = Some(chunk.at);
            }
        }
    }
    let end = Instant::now();
    phase.first.push(ms(first.unwrap_or(end).duration_since(begun)));
    phase.token.push(ms(token.unwrap_or(end).duration_since(begun)));
    phase.end.push(ms(end.duration_since(begun)));
    phase.bytes = bytes;
    Ok(())
}

/// A duration in ms.
pub fn ms(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}
