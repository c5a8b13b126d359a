//! What the guardrails of a request cost by themselves: the same code as in the Worker, in wasm on workerd, in a loop.

use std::io;
use std::path::Path;

use serde::Serialize;

use super::cpu;
use super::load::ms;
use super::stats::median;
use super::workers::{Kind, Places, Worker};
use crate::harness::Client;

/// One of them, or all.
#[derive(Clone, Debug, Serialize)]
pub struct Rail {
    /// Its kind, or [`ALL`].
    pub kind: &'static str,
    /// CPU of the process for 4 kB, µs; the median over rounds.
    pub cpu_us: f64,
}

/// All rails together.
pub const ALL: &str = "all";
/// How often a text is looked at in a round: long enough that the request around it is nothing.
const TIMES: u32 = 1_000;
const ROUNDS: u32 = 7;

/// Measures each alone, then all together.
///
/// # Errors
/// The runtime does not start, or does not answer.
pub async fn measure(places: &Places, wasm: &Path) -> io::Result<Vec<Rail>> {
    let worker = Worker::spawn(places, Kind::Rails(wasm), &[])?.ready()?;
    let client = Client::new(&worker.url())?;
    let mut measured = Vec::new();
    let kinds = signalbox_rails::RAILS.map(|(kind, _)| kind).into_iter().chain([ALL]);
    for (number, kind) in kinds.enumerate() {
        let mut rounds = Vec::new();
        // The first round is the runtime's to compile in.
        for round in 0..=ROUNDS {
            let before = cpu::time(worker.pid())?;
            let reply = client.get(&format!("/{number}/{TIMES}")).send().await?;
            if reply.status != 200 {
                return Err(io::Error::other(format!("{kind}: {}", reply.text().await?)));
            }
            reply.text().await?;
            let used = ms(cpu::time(worker.pid())?.saturating_sub(before)) * 1e3 / f64::from(TIMES);
            rounds.extend((round > 0).then_some(used));
        }
        measured.push(Rail { kind, cpu_us: median(&rounds) });
    }
    Ok(measured)
}
