//! The Lambda package: what its start costs, and what an invocation adds.

use std::io;
use std::path::Path;

use serde::Serialize;

use super::cpu;
use super::edge::{bindings, key, token};
use super::load::{Phase, Target, phase};
use super::scenario::{Team, all};
use super::stats::{Spread, median};
use super::upstream::Upstream;
use crate::harness::Client;
use crate::lambda::{LambdaLocal, Options};

/// One way through the function, one request at a time.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The scenario.
    pub scenario: &'static str,
    /// The arm.
    pub arm: &'static str,
    /// CPU of the function's process per invocation, ms; the median over rounds.
    pub cpu_ms: f64,
    /// To the first byte, ms.
    pub first_ms: Spread,
    /// To the end, ms.
    pub end_ms: Spread,
    /// First byte over the direct call's; the local Runtime API is part of it.
    pub first_over_direct: Spread,
    /// End over the direct call's.
    pub end_over_direct: Spread,
}

/// Everything of the package.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// The stripped binary, bytes.
    pub binary_bytes: u64,
    /// Process to first poll, ms.
    pub init_ms: Spread,
    /// Resident after start, bytes.
    pub resident_idle_bytes: u64,
    /// Resident after all invocations, bytes.
    pub resident_used_bytes: u64,
    /// Invocations.
    pub rows: Vec<Row>,
}

/// Measures a release bootstrap.
///
/// # Errors
/// It does not come up, or an answer is not what is asked for.
pub async fn measure(bootstrap: &Path, upstream: &Upstream, rounds: usize, starts: usize) -> io::Result<Figures> {
    let start = || {
        let options = bindings(upstream.url())
            .into_iter()
            .fold(Options { instances: 1, ..Options::new(bootstrap) }, |options, (name, value)| {
                options.env(name, value)
            });
        LambdaLocal::start(options)
    };
    let mut init = Vec::new();
    for _ in 0..starts {
        init.extend(first(&start()?)?.init_ms);
    }
    let lambda = start()?;
    let pid = u32::try_from(first(&lambda)?.pid).map_err(io::Error::other)?;
    let resident_idle_bytes = cpu::resident(pid)?;
    let (free, limited) = (key(lambda.url(), Team::Free).await?, key(lambda.url(), Team::Limited).await?);
    let (lent, guarded) = (key(lambda.url(), Team::Lent).await?, key(lambda.url(), Team::Guarded).await?);
    let token = token(upstream).await?;
    let direct = Target { client: Client::new(upstream.url())?, pid: None };
    let mut rows = Vec::new();
    // Paced streams would measure the pace.
    for scenario in all().into_iter().filter(|scenario| !scenario.name.starts_with("paced")) {
        upstream.register(scenario.name, &scenario.script).await?;
        let requests = scenario.requests[1];
        let lanes: Vec<Target> = scenario
            .arms
            .iter()
            .map(|arm| {
                Ok(Target {
                    client: Client::new(lambda.url())?.with_key(match arm.team {
                        Team::Free => &free,
                        Team::Limited => &limited,
                        Team::Lent => &lent,
                        Team::Guarded => &guarded,
                        Team::Token => &token,
                    })?,
                    pid: Some(pid),
                })
            })
            .collect::<io::Result<_>>()?;
        let mut plain = Vec::new();
        let mut own: Vec<Vec<Phase>> = lanes.iter().map(|_| Vec::new()).collect();
        for round in 0..=rounds {
            let base = phase(&direct, &scenario.plain, 1, requests).await?;
            if round > 0 {
                plain.push(base);
            }
            for ((arm, target), phases) in scenario.arms.iter().zip(&lanes).zip(&mut own) {
                let one = phase(target, &arm.call, 1, requests).await?;
                if round > 0 {
                    phases.push(one);
                }
            }
        }
        rows.extend(scenario.arms.iter().zip(&own).map(|(arm, phases)| row(scenario.name, arm.name, phases, &plain)));
    }
    Ok(Figures {
        binary_bytes: std::fs::metadata(bootstrap)?.len(),
        init_ms: Spread::of(&init),
        resident_idle_bytes,
        resident_used_bytes: cpu::resident(pid)?,
        rows,
    })
}

fn first(lambda: &LambdaLocal) -> io::Result<crate::lambda::Status> {
    lambda.instances().into_iter().next().ok_or_else(|| io::Error::other("the function has no process"))
}

fn row(scenario: &'static str, arm: &'static str, own: &[Phase], direct: &[Phase]) -> Row {
    let first =
        |phases: &[Phase]| Spread::of(&phases.iter().flat_map(|phase| phase.first.iter().copied()).collect::<Vec<_>>());
    let end =
        |phases: &[Phase]| Spread::of(&phases.iter().flat_map(|phase| phase.end.iter().copied()).collect::<Vec<_>>());
    Row {
        scenario,
        arm,
        cpu_ms: median(&own.iter().filter_map(|phase| phase.cpu).collect::<Vec<_>>()),
        first_ms: first(own),
        end_ms: end(own),
        first_over_direct: first(own).over(first(direct)),
        end_over_direct: end(own).over(end(direct)),
    }
}
