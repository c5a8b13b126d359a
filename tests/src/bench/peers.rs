//! The gateways people could take instead, as their makers publish them, on the runtime that ours runs on.
//!
//! `make bench` installs and bundles them (`bench/peers`); one that is not there is told and left out.

use std::io::{self, Write};

use serde::Serialize;

use super::load::{Call, Target, phase};
use super::report::Size;
use super::scenario::Scenario;
use super::workers::{Kind, Places, Worker};
use crate::harness::Client;

/// A peer, as the report names it.
#[derive(Clone, Debug, Serialize)]
pub struct Peer {
    /// Whose.
    pub name: &'static str,
    /// What was measured, or why nothing was.
    pub told: String,
    /// Its modules.
    pub size: Option<Size>,
}

/// What is known of one: its bundle, and the headers that send a request to an upstream of ours.
struct Known {
    name: &'static str,
    module: &'static str,
    package: &'static str,
    headers: fn(provider: &str, upstream: &str) -> Vec<(&'static str, String)>,
}

const KNOWN: [Known; 1] = [Known {
    name: "portkey",
    module: "portkey.mjs",
    package: "@portkey-ai/gateway",
    headers: |provider, upstream| {
        vec![
            ("x-portkey-provider", provider.to_owned()),
            ("x-portkey-custom-host", format!("{upstream}/v1")),
            ("authorization", "Bearer bench".to_owned()),
        ]
    },
}];

/// Running peers; they end when dropped.
pub struct Peers {
    running: Vec<(&'static Known, Worker)>,
    /// All of them, running or not.
    pub told: Vec<Peer>,
}

impl Peers {
    /// Starts what is there.
    ///
    /// # Errors
    /// The place of a bundle cannot be read.
    pub async fn start(places: &Places) -> io::Result<Peers> {
        let mut peers = Peers { running: Vec::new(), told: Vec::new() };
        for known in &KNOWN {
            let bundle = places.root.join("bench/build").join(known.module);
            let (told, size) = match begin(places, known).await {
                Ok(worker) => {
                    peers.running.push((known, worker));
                    let bytes = std::fs::read(&bundle)?;
                    let version = version(places, known).unwrap_or_default();
                    (format!("{} {version} on the same workerd", known.package), Some(Size::of(&bytes)?))
                }
                Err(error) => (format!("not measured: {error}"), None),
            };
            eprintln!("{}: {told}", known.name);
            peers.told.push(Peer { name: known.name, told, size });
        }
        Ok(peers)
    }

    /// Who answers a scenario as it should be answered, and with which call.
    ///
    /// # Errors
    /// A header cannot be one.
    pub async fn lanes(
        &mut self,
        scenario: &Scenario,
        upstream: &str,
    ) -> io::Result<Vec<(&'static str, Target, Call)>> {
        let mut lanes = Vec::new();
        for (known, worker) in &self.running {
            let mut client = Client::new(&worker.url())?;
            for (name, value) in (known.headers)(scenario.provider, upstream) {
                client = client.with_header(name, &value)?;
            }
            let target = Target { client, pid: Some(worker.pid()) };
            match phase(&target, &scenario.peers, 1, 1).await {
                Ok(_) => lanes.push((known.name, target, scenario.peers.clone())),
                Err(error) => {
                    let told = self.told.iter_mut().filter(|peer| peer.name == known.name);
                    told.for_each(|peer| peer.told.push_str(&format!("; not in {}: {error}", scenario.name)));
                }
            }
        }
        Ok(lanes)
    }
}

async fn begin(places: &Places, known: &'static Known) -> io::Result<Worker> {
    let bundle = places.root.join("bench/build").join(known.module);
    if !bundle.is_file() {
        return Err(io::Error::other(format!("there is no {}, which `make peers` builds", bundle.display())));
    }
    let worker = Worker::spawn(places, Kind::Peer(known.module), &[])?.ready()?;
    // It listens before its modules are evaluated; whatever it answers, it runs.
    Client::new(&worker.url())?.get("/").send().await?.bytes().await?;
    Ok(worker)
}

fn version(places: &Places, known: &Known) -> Option<String> {
    let manifest = places.root.join("bench/node_modules").join(known.package).join("package.json");
    let manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(manifest).ok()?).ok()?;
    manifest.get("version")?.as_str().map(str::to_owned)
}

impl Size {
    /// Of bytes by themselves.
    ///
    /// # Errors
    /// None in practice: the compressor writes to memory.
    pub fn of(bytes: &[u8]) -> io::Result<Size> {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(bytes)?;
        Ok(Size { raw: bytes.len(), gzip: gzip.finish()?.len() })
    }
}
