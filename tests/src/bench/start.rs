//! From the start of the runtime's process to the first answer, and the size of what it has to load.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::cpu;
use super::load::ms;
use super::stats::median;
use super::workers::{Kind, Places, Worker};
use crate::harness::Client;

const PATIENCE: Duration = Duration::from_secs(20);

/// Medians over the starts.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Start {
    /// Process to answer, ms.
    pub wall_ms: f64,
    /// CPU of the process by then, ms.
    pub cpu_ms: f64,
}

/// Ours beside a trivial Worker.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Starts {
    /// Ours.
    pub ours: Start,
    /// One that answers by itself.
    pub trivial: Start,
}

/// Starts both in turn, `times` times each.
///
/// # Errors
/// One does not come up.
pub async fn measure(places: &Places, build: &Path, bindings: &[(&str, String)], times: usize) -> io::Result<Starts> {
    let (mut ours, mut trivial) = (Vec::new(), Vec::new());
    for _ in 0..=times {
        trivial.push(once(places, Kind::Trivial, &[]).await?);
        ours.push(once(places, Kind::Ours(build), bindings).await?);
    }
    Ok(Starts { ours: middle(&ours), trivial: middle(&trivial) })
}

/// The first start reads from the disk what later ones find in memory.
fn middle(starts: &[(f64, f64)]) -> Start {
    let (wall, cpu): (Vec<f64>, Vec<f64>) = starts.iter().skip(1).copied().unzip();
    Start { wall_ms: median(&wall), cpu_ms: median(&cpu) }
}

async fn once(places: &Places, kind: Kind<'_>, bindings: &[(&str, String)]) -> io::Result<(f64, f64)> {
    let begun = Instant::now();
    let worker = Worker::spawn(places, kind, bindings)?;
    let client = Client::new(&worker.url())?;
    loop {
        match client.get("/health").send().await {
            Ok(reply) if reply.status == 200 => return Ok((ms(begun.elapsed()), ms(cpu::time(worker.pid())?))),
            Ok(reply) => {
                let status = reply.status;
                return Err(io::Error::other(format!("/health answered {status}: {}", reply.text().await?)));
            }
            Err(error) if begun.elapsed() > PATIENCE => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_micros(500)).await,
        }
    }
}
