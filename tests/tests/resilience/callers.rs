//! Who calls: three ways to reach three providers, and what came of it.

use super::weather::{NAMES, SCENE_MS, USUAL_MS, Weather};
use serde_json::{Value, json};
use signalbox::ports::{Outgoing, Transport};
use signalbox::units::Millis;
use signalbox_tests::suite::document::ADMIN_KEY;
use signalbox_tests::suite::in_process::InProcess;
use signalbox_tests::suite::level::{Call, Level};
use signalbox_tests::virtual_time::Options;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What a client of one's own waits for an answer.
const PATIENCE: Millis = Millis(30_000);
/// What an answer costs: 20 tokens in at 1 dollar a million, 10 out at 2.
const ANSWER_NANO_USD: u64 = 20 * 1_000 + 10 * 2_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    RoundRobin,
    Ordered,
    Latency,
    Hedged,
}

impl Caller {
    pub(crate) const ALL: [Caller; 4] = [Caller::RoundRobin, Caller::Ordered, Caller::Latency, Caller::Hedged];

    pub(crate) fn about(self) -> &'static str {
        match self {
            Caller::RoundRobin => "round robin",
            Caller::Ordered => "one after the other",
            Caller::Latency => "**`latency`**",
            Caller::Hedged => "**`race`**",
        }
    }

    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Caller::Latency | Caller::Hedged)
    }

    fn route(self) -> &'static str {
        if self == Caller::Hedged { "hedged" } else { "swift" }
    }
}

/// What came of all calls.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    calls: u64,
    took: Vec<u64>,
    /// What answers cost that somebody got, and all that was billed.
    useful: u64,
    billed: u64,
}

impl Tally {
    pub(crate) fn success_percent(&self) -> f64 {
        100.0 * self.took.len() as f64 / self.calls.max(1) as f64
    }

    /// How much longer than on a good day the answers took.
    pub(crate) fn added_ms(&self, percentile: usize) -> u64 {
        let mut took = self.took.clone();
        took.sort_unstable();
        let at = (took.len() * percentile / 100).min(took.len().saturating_sub(1));
        took.get(at).copied().unwrap_or(0).saturating_sub(USUAL_MS)
    }

    pub(crate) fn waste_percent(&self) -> f64 {
        100.0 * self.billed.saturating_sub(self.useful) as f64 / self.billed.max(1) as f64
    }
}

/// Plays a scene to its end.
pub(crate) fn play(weather: Weather, caller: Caller) -> Tally {
    let candidates: Vec<String> = NAMES.iter().map(|name| format!("openai:m~{name}")).collect();
    let price = json!({ "usd_per_million": { "input": 1, "output": 2 }, "max_output_tokens": 100 });
    let models: Value =
        candidates.iter().map(|id| (id.clone(), price.clone())).collect::<serde_json::Map<_, _>>().into();
    let timeouts = json!({ "headers_ms": 3_000, "first_token_ms": 3_000 });
    let config = json!({
        "models": models,
        "routes": {
            "swift": { "strategy": "latency", "candidates": candidates, "timeouts": timeouts },
            "hedged": {
                "strategy": "race",
                "candidates": [{ "strategy": "latency", "candidates": candidates }, { "candidates": candidates }],
                "timeouts": timeouts,
            },
        },
    });
    let changes = BTreeMap::from([("SIGNALBOX_CONFIG".to_owned(), Some(config.to_string()))]);
    let level = InProcess::new(Options { seed: 7, ..Options::default() }, &changes);
    let tally = Rc::new(RefCell::new(Tally::default()));
    let world = level.world().clone();
    world.executor().spawn(weather.happen(world.clone()));
    let running = world.clone();
    let noted = Rc::clone(&tally);
    let scene = async move {
        let key = key(&level).await;
        for tick in 0..SCENE_MS / 100 - 100 {
            for _ in 0..weather.arrivals(tick) {
                let (level, key, noted) = (level.clone(), key.clone(), Rc::clone(&noted));
                let number = noted.borrow().calls;
                noted.borrow_mut().calls += 1;
                running.executor().spawn(async move {
                    let began = level.now_ms();
                    let (answered, billed) = match caller {
                        Caller::RoundRobin => alone(&level, &[NAMES[number as usize % 3]]).await,
                        Caller::Ordered => alone(&level, &NAMES).await,
                        Caller::Latency | Caller::Hedged => (ours(&level, &key, caller.route()).await, 0),
                    };
                    let mut tally = noted.borrow_mut();
                    tally.billed += billed;
                    if answered {
                        tally.useful += ANSWER_NANO_USD;
                        let took = level.now_ms() - began;
                        tally.took.push(took);
                    }
                });
            }
            running.executor().sleep(100).await;
        }
        // Until the last one has given up.
        running.executor().sleep(120_000).await;
    };
    world.executor().run(scene).unwrap();
    let mut tally = Rc::try_unwrap(tally).expect("every call is over").into_inner();
    if caller.is_ours() {
        let lines = world.log_lines();
        let records = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        tally.billed = records.filter_map(|record| record["cost_nano_usd"].as_u64()).sum();
    }
    tally
}

async fn key(level: &InProcess) -> String {
    let headers = vec![("authorization".to_owned(), format!("Bearer {ADMIN_KEY}"))];
    let body = br#"{"name":"k"}"#.to_vec();
    let call = Call { method: "POST".into(), path: "/admin/v1/keys".into(), headers, body, leave: None };
    let made: Value = serde_json::from_slice(&level.call(call).await.unwrap().body).unwrap();
    made["key"].as_str().unwrap().to_owned()
}

fn body(model: &str) -> Vec<u8> {
    json!({ "model": model, "stream": true, "max_tokens": 100, "messages": [{ "role": "user", "content": "Hi" }] })
        .to_string()
        .into_bytes()
}

/// Through the gateway: whether the answer came, whole.
async fn ours(level: &InProcess, key: &str, route: &str) -> bool {
    let headers = vec![("authorization".to_owned(), format!("Bearer {key}"))];
    let call =
        Call { method: "POST".into(), path: "/v1/chat/completions".into(), headers, body: body(route), leave: None };
    let answer = level.call(call).await.unwrap();
    answer.status == 200 && !answer.cut && String::from_utf8_lossy(&answer.body).contains("[DONE]")
}

/// A client of one's own: one provider after the other until one answers. Whoever was given up on may bill all the same.
async fn alone(level: &InProcess, names: &[&str]) -> (bool, u64) {
    let mut billed = 0;
    for name in names {
        let call = Outgoing {
            method: "POST",
            url: format!("{}/v1/chat/completions", level.upstream_url()),
            headers: Vec::new(),
            body: body(&format!("m~{name}")),
            forward: false,
        };
        match level.world().exchange(call, PATIENCE, 1 << 20).await {
            Ok(answer) if answer.status == 200 => return (true, billed + ANSWER_NANO_USD),
            Ok(_) => {}
            Err(_) => billed += 20 * 1_000,
        }
    }
    (false, billed)
}
