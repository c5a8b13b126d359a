//! The Worker beside the bare one and the upstream itself: CPU, latency, time to the first byte.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::{Value, json};
use signalbox_rails::{RAILS, guardrail};

use super::load::{Phase, Target, phase};
use super::peers::Peers;
use super::scenario::{Scenario, Team, all, routes};
use super::stats::{Spread, median, percentile};
use super::upstream::Upstream;
use super::workers::{Kind, Places, Worker};
use crate::harness::{Client, wait_until_healthy};
use crate::suite::document::Names;
use crate::suite::token::{Token, jwk};

pub(super) const ADMIN: &str = "bench-admin-key";
/// How much longer the first round is, which does not count.
const WARM_UP: usize = 5;
const SECRET: &str = "a secret for benchmarks only, 32 bytes and more";
/// Limits that are checked and never reached.
const CONFIG: &str = "[teams.guarded]\nguardrails = \"all\"\n[teams.free]\n[teams.limited]\nlimits = { rpm = 1_000_000_000 }\nbudgets = [{ usd = 1_000_000, per = \"month\", hard = true }]\n[teams.lent]\nescrow = true\nlimits = { rpm = 1_000_000_000 }\nbudgets = [{ usd = 1_000_000, per = \"month\", hard = true }]\n";
/// Whose tokens are taken, too.
const ISSUER: &str = "https://login.example.com";

/// One row: an arm at a number of connections.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The scenario.
    pub scenario: &'static str,
    /// Whose figures: `direct`, `bare`, a peer, or an arm of ours.
    pub arm: String,
    /// An arm of ours.
    pub ours: bool,
    /// Connections used at once.
    pub connections: usize,
    /// CPU of the worker's process per request, ms; the median over rounds.
    pub cpu_ms: Option<f64>,
    /// CPU as a multiple of the bare Worker's, of the same round; the median over rounds.
    pub cpu_ratio: Option<f64>,
    /// The same at the quietest: of the lowest tenth of both. Other work on the machine only ever adds.
    pub cpu_ratio_quiet: Option<f64>,
    /// To the first byte of the body, ms.
    pub first_ms: Spread,
    /// To the first token, ms.
    pub token_ms: Spread,
    /// To the body's end, ms.
    pub end_ms: Spread,
    /// First token over the bare Worker's.
    pub token_over_bare: Spread,
    /// End over the bare Worker's.
    pub end_over_bare: Spread,
    /// End over the direct call's.
    pub end_over_direct: Spread,
    /// Bytes of a body.
    pub bytes: usize,
}

/// How much is measured.
#[derive(Clone, Debug)]
pub struct Effort {
    /// Builds of our Worker: the one that is judged, and others beside it to see what a change is worth.
    pub builds: Vec<PathBuf>,
    /// Rounds that count; one more warms up.
    pub rounds: usize,
    /// Only what contains this in `scenario/arm`.
    pub only: String,
    /// Numbers of connections: the first takes a scenario's larger number of requests.
    pub connections: Vec<usize>,
}

/// The configuration and keys both packages are measured with, as bindings.
pub fn bindings(upstream: &str) -> Vec<(&'static str, String)> {
    let idp = format!(
        "[auth.idp.corp]\nissuer = \"{ISSUER}\"\naudience = \"bench\"\nalgorithms = [\"EdDSA\"]\njwks_uri = \"{upstream}/__use/keys/keys\"\nclaims = {{ team = \"team\" }}\n"
    );
    vec![
        ("SIGNALBOX_ADMIN_KEY", ADMIN.to_owned()),
        ("SIGNALBOX_SECRET", SECRET.to_owned()),
        ("SIGNALBOX_CONFIG", format!("{CONFIG}{}{idp}{}", guardrail("all", &RAILS), routes())),
        ("OPENAI_API_KEY", "bench".to_owned()),
        ("OPENAI_BASE_URL", format!("{upstream}/v1")),
        ("ANTHROPIC_API_KEY", "bench".to_owned()),
        ("ANTHROPIC_BASE_URL", upstream.to_owned()),
    ]
}

/// A new key of a team.
///
/// # Errors
/// The gateway does not create it.
pub async fn key(url: &str, team: Team) -> io::Result<String> {
    let team = match team {
        Team::Free | Team::Token => "free",
        Team::Limited => "limited",
        Team::Lent => "lent",
        Team::Guarded => "guarded",
    };
    let reply = Client::new(url)?
        .with_key(ADMIN)?
        .post("/admin/v1/keys", &json!({ "name": "bench", "team": team }))
        .send()
        .await?;
    let answer: Value = reply.json().await?;
    let key = answer.get("key").and_then(Value::as_str).map(str::to_owned);
    key.ok_or_else(|| io::Error::other(format!("no key: {answer}")))
}

/// A token of the identity provider, whose keys are at the upstream; good for an hour, and as long as they usually are.
///
/// # Errors
/// It cannot be made.
pub async fn token(upstream: &Upstream) -> io::Result<String> {
    upstream.register("keys", &json!({ "body": { "keys": [jwk("a")] } })).await?;
    let claims = json!({
        "iss": ISSUER, "aud": "bench", "sub": "bench", "team": "free", "exp": "now+3600", "email": "somebody@example.com",
        "groups": ["engineering", "payments", "everybody"], "scope": "openid profile email",
    });
    let token: Token = serde_json::from_value(json!({ "claims": claims }))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(io::Error::other)?;
    Ok(token.sign(now.as_secs(), &Names::default()))
}

struct Ours {
    worker: Worker,
    free: String,
    limited: String,
    lent: String,
    guarded: String,
    token: String,
}

impl Ours {
    async fn start(places: &Places, build: &Path, upstream: &Upstream) -> io::Result<Ours> {
        let worker = Worker::spawn(places, Kind::Ours(build), &bindings(upstream.url()))?.ready()?;
        wait_until_healthy(&worker.url(), Duration::from_secs(20)).await?;
        let (free, limited) = (key(&worker.url(), Team::Free).await?, key(&worker.url(), Team::Limited).await?);
        let (lent, guarded) = (key(&worker.url(), Team::Lent).await?, key(&worker.url(), Team::Guarded).await?);
        Ok(Ours { worker, free, limited, lent, guarded, token: token(upstream).await? })
    }

    fn target(&self, team: Team) -> io::Result<Target> {
        let key = match team {
            Team::Free => &self.free,
            Team::Limited => &self.limited,
            Team::Lent => &self.lent,
            Team::Guarded => &self.guarded,
            Team::Token => &self.token,
        };
        Ok(Target { client: Client::new(&self.worker.url())?.with_key(key)?, pid: Some(self.worker.pid()) })
    }
}

struct Lane {
    name: String,
    ours: bool,
    target: Target,
    call: super::load::Call,
    phases: Vec<Phase>,
}

/// Measures every scenario.
///
/// # Errors
/// Something does not start, or an answer is not what is asked for.
pub async fn measure(places: &Places, upstream: &Upstream, peers: &mut Peers, effort: &Effort) -> io::Result<Vec<Row>> {
    let mut ours = Vec::new();
    for build in &effort.builds {
        ours.push(Ours::start(places, build, upstream).await?);
    }
    let bare = Worker::spawn(places, Kind::Bare, &[("UPSTREAM", upstream.url().to_owned())])?.ready()?;

    let mut scenarios: Vec<Scenario> = all();
    for scenario in &mut scenarios {
        scenario.arms.retain(|arm| format!("{}/{}", scenario.name, arm.name).contains(&effort.only));
    }
    scenarios.retain(|scenario| !scenario.arms.is_empty());
    let mut plan = Vec::new();
    for scenario in &scenarios {
        upstream.register(scenario.name, &scenario.script).await?;
        let others = peers.lanes(scenario, upstream.url()).await?;
        for (connections, requests) in effort.connections.iter().zip(scenario.requests) {
            let mut lanes = vec![
                Lane {
                    name: "direct".to_owned(),
                    ours: false,
                    target: Target { client: Client::new(upstream.url())?, pid: None },
                    call: scenario.plain.clone(),
                    phases: Vec::new(),
                },
                Lane {
                    name: "bare".to_owned(),
                    ours: false,
                    target: Target { client: Client::new(&bare.url())?, pid: Some(bare.pid()) },
                    call: scenario.plain.clone(),
                    phases: Vec::new(),
                },
            ];
            for (name, target, call) in others.clone() {
                lanes.push(Lane { name: name.to_owned(), ours: false, target, call, phases: Vec::new() });
            }
            for arm in &scenario.arms {
                for (at, ours) in ours.iter().enumerate() {
                    let name = if at == 0 { arm.name.to_owned() } else { format!("{} #{at}", arm.name) };
                    lanes.push(Lane {
                        name,
                        ours: true,
                        target: ours.target(arm.team)?,
                        call: arm.call.clone(),
                        phases: Vec::new(),
                    });
                }
            }
            plan.push((scenario.name, *connections, requests, lanes));
        }
    }
    for round in 0..=effort.rounds {
        eprintln!("round {round} of {}", effort.rounds);
        for (_, connections, requests, lanes) in &mut plan {
            // Nobody is always measured right after the same one.
            let turn = round % lanes.len().max(1);
            lanes.rotate_left(turn);
            for lane in lanes.iter_mut() {
                // The first round is the runtime's to compile in.
                let requests = if round == 0 { *requests * WARM_UP } else { *requests };
                let phase = phase(&lane.target, &lane.call, *connections, requests).await?;
                if round > 0 {
                    lane.phases.push(phase);
                }
            }
            lanes.rotate_right(turn);
        }
    }
    Ok(plan.iter().flat_map(|(scenario, connections, _, lanes)| rows(scenario, *connections, lanes)).collect())
}

fn rows(scenario: &'static str, connections: usize, lanes: &[Lane]) -> Vec<Row> {
    let all = |phases: &[Phase], of: fn(&Phase) -> &Vec<f64>| {
        phases.iter().flat_map(|phase| of(phase).iter().copied()).collect::<Vec<_>>()
    };
    let named =
        |name: &str| lanes.iter().find(|lane| lane.name == name).map(|lane| lane.phases.as_slice()).unwrap_or_default();
    let (bare, direct) = (named("bare"), named("direct"));
    let first = |phases: &[Phase]| Spread::of(&all(phases, |phase| &phase.first));
    let token = |phases: &[Phase]| Spread::of(&all(phases, |phase| &phase.token));
    let end = |phases: &[Phase]| Spread::of(&all(phases, |phase| &phase.end));
    let row = |lane: &Lane| {
        let cpu: Vec<f64> = lane.phases.iter().filter_map(|phase| phase.cpu).collect();
        let ratios: Vec<f64> =
            lane.phases.iter().zip(bare).filter_map(|(own, bare)| Some(own.cpu? / bare.cpu?)).collect();
        let lowest = |phases: &[Phase]| {
            let cpu: Vec<f64> = phases.iter().filter_map(|phase| phase.cpu).collect();
            percentile(&cpu, 0.1)
        };
        let quiet = lowest(&lane.phases) / lowest(bare);
        Row {
            scenario,
            arm: lane.name.clone(),
            ours: lane.ours,
            connections,
            cpu_ms: (!cpu.is_empty()).then(|| median(&cpu)),
            cpu_ratio: (!ratios.is_empty()).then(|| median(&ratios)),
            cpu_ratio_quiet: (!ratios.is_empty() && quiet.is_finite()).then_some(quiet),
            first_ms: first(&lane.phases),
            token_ms: token(&lane.phases),
            end_ms: end(&lane.phases),
            token_over_bare: token(&lane.phases).over(token(bare)),
            end_over_bare: end(&lane.phases).over(end(bare)),
            end_over_direct: end(&lane.phases).over(end(direct)),
            bytes: lane.phases.last().map_or(0, |phase| phase.bytes),
        }
    };
    lanes.iter().map(row).collect()
}
