//! How soon a question is answered that was asked before in other words: the semantic cache on workerd, with real weights.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};

use super::cpu;
use super::edge::{ADMIN, bindings, key};
use super::load::ms;
use super::scenario::{Team, openai_answer};
use super::stats::Spread;
use super::upstream::Upstream;
use super::workers::{Kind, Places, Worker};
use crate::harness::{Client, wait_until_healthy};

/// What a hit takes.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Semantic {
    /// To the end of the body over one connection, ms.
    pub hit_ms: Spread,
    /// CPU of the process, ms.
    pub cpu_ms: f64,
}

const CONFIG: &str = "[cache]\nsemantic = { ttl = \"1h\", threshold = 0.8, mode = \"on\" }\n[teams.free]\n";
const ASKED: &str = "What is the refund for a parcel that came 3 days late?";
/// The same in other words.
const AGAIN: &str = "Could you tell me the refund for a parcel that came 3 days late?";
const HITS: usize = 300;
/// The first hits are the runtime's to compile in.
const WARM_UP: usize = 50;
/// Weights are read, and answers kept, behind the callers' backs.
const PATIENCE: Duration = Duration::from_secs(20);

/// Measures hits; `None`, with a notice, where the weights are absent.
///
/// # Errors
/// The Worker does not start, or does not come to answer by meaning.
pub async fn measure(places: &Places, build: &Path, upstream: &Upstream) -> io::Result<Option<Semantic>> {
    let Some(weights) = weights(&places.root) else {
        eprintln!("notice: no weights of the embedding in ../shared; hits of the semantic cache are not measured");
        return Ok(None);
    };
    upstream.register("semantic", &json!({ "body": openai_answer() })).await?;
    let mut bindings = bindings(upstream.url());
    for (name, value) in &mut bindings {
        if *name == "SIGNALBOX_CONFIG" {
            CONFIG.clone_into(value);
        }
    }
    let worker = Worker::spawn(places, Kind::Ours(build), &bindings)?.ready()?;
    wait_until_healthy(&worker.url(), PATIENCE).await?;
    let stored = Client::new(&worker.url())?.with_key(ADMIN)?.request("PUT", "/admin/v1/embedding").body(weights);
    if stored.send().await?.status != 200 {
        return Err(io::Error::other("the weights were not taken"));
    }
    let client = Client::new(&worker.url())?.with_key(&key(&worker.url(), Team::Free).await?)?;
    let begun = Instant::now();
    while !(ask(&client, ASKED).await?.0 && ask(&client, AGAIN).await?.0) {
        if begun.elapsed() > PATIENCE {
            return Err(io::Error::other("nothing is answered by what it means"));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (mut took, mut before) = (Vec::new(), Duration::ZERO);
    for number in 0..WARM_UP + HITS {
        if number == WARM_UP {
            before = cpu::time(worker.pid())?;
        }
        let (hit, lasted) = ask(&client, AGAIN).await?;
        if !hit {
            return Err(io::Error::other("what was answered by its meaning once was not the next time"));
        }
        took.extend((number >= WARM_UP).then_some(lasted));
    }
    let used = cpu::time(worker.pid())?.saturating_sub(before);
    Ok(Some(Semantic { hit_ms: Spread::of(&took), cpu_ms: ms(used) / HITS as f64 }))
}

/// Whether it was answered by what it means, and how long that took.
async fn ask(client: &Client, text: &str) -> io::Result<(bool, f64)> {
    let body: Value =
        json!({ "model": "openai:gpt-5.4-mini~semantic", "messages": [{ "role": "user", "content": text }] });
    let begun = Instant::now();
    let reply = client.post("/v1/chat/completions", &body).send().await?;
    let hit = reply.header("x-signalbox-cache") == Some("semantic");
    reply.text().await?;
    Ok((hit, ms(begun.elapsed())))
}

/// Weights with their vocabulary behind them, read in place.
fn weights(root: &Path) -> Option<Vec<u8>> {
    let shared = std::env::var_os("SIGNALBOX_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let file = |name: &str| std::fs::read(shared.join("routing/embedding").join(name)).ok();
    Some([file("minilm_static_64.semb")?, file("vocab.txt")?].concat())
}
