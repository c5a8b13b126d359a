//! One gateway asks another of its kind for its decisions, on both packages: same words on both ends of the wire.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::{Value, json};
use signalbox_tests::simulator::{Options, Simulator};
use signalbox_tests::suite::document::ADMIN_KEY;
use signalbox_tests::suite::edge::Edge;
use signalbox_tests::suite::lambda::Lambda;
use signalbox_tests::suite::level::{Answer, Call, Level};
use std::collections::BTreeMap;
use std::sync::Arc;

const FIRST: &str = "openai:gpt-5.4-mini~words-1";
const SECOND: &str = "anthropic:claude-haiku-4-5~words-3";

async fn ask(level: &impl Level, credential: &str, path: &str, body: Value) -> Answer {
    let headers = vec![
        ("authorization".to_owned(), format!("Bearer {credential}")),
        ("x-signalbox-explain".to_owned(), "1".to_owned()),
    ];
    let body = body.to_string().into_bytes();
    level.call(Call { method: "POST".into(), path: path.into(), headers, body, leave: None }).await.unwrap()
}

async fn key(level: &impl Level) -> String {
    let made = ask(level, ADMIN_KEY, "/admin/v1/keys", json!({ "name": "k" })).await;
    let made: Value = serde_json::from_slice(&made.body).unwrap();
    made["key"].as_str().unwrap().to_owned()
}

fn config(route: Value) -> Value {
    let price = |usd: u32| json!({ "usd_per_million": { "input": usd, "output": usd } });
    json!({ "models": { FIRST: price(9), SECOND: price(1) }, "routes": { "here": route } })
}

/// The one that decides goes by price; the one that asks would go by the order.
fn decider() -> BTreeMap<String, Option<String>> {
    let config = config(json!({ "strategy": "cost", "candidates": [FIRST, SECOND] }));
    BTreeMap::from([("SIGNALBOX_CONFIG".to_owned(), Some(config.to_string()))])
}

fn asker(url: &str, key: &str) -> BTreeMap<String, Option<String>> {
    let mut config = config(json!({ "candidates": [FIRST, SECOND] }));
    let url = format!("{}/v1/route", url.trim_end_matches('/'));
    config["router"] = json!({ "remote": { "url": url, "api_key": { "binding": "ROUTER_KEY" }, "timeout_ms": 5000 } });
    let bindings = [("SIGNALBOX_CONFIG", config.to_string()), ("ROUTER_KEY", key.to_owned())];
    bindings.into_iter().map(|(name, value)| (name.to_owned(), Some(value))).collect()
}

async fn is_decided_elsewhere(level: &impl Level) {
    let key = key(level).await;
    let body = json!({ "model": "here", "messages": [{ "role": "user", "content": "Hi" }] });
    let answer = ask(level, &key, "/v1/chat/completions", body).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    assert_eq!(answer.headers.get("x-signalbox-model").map(String::as_str), Some(SECOND));
    assert_eq!(answer.headers.get("x-signalbox-reason").map(String::as_str), Some("cheapest"));
    assert!(answer.headers["x-signalbox-decision"].contains("\"remote\":true"));
}

fn simulator() -> Arc<Simulator> {
    Arc::new(Simulator::start(Options { pace_ms: 3, ..Options::default() }).unwrap())
}

fn block_on(task: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(task);
}

#[test]
fn a_worker_asks_another_worker() {
    let there = Edge::start(simulator(), &decider()).unwrap();
    block_on(async {
        let level = there.level().unwrap();
        let here = Edge::start(simulator(), &asker(there.url(), &key(&level).await)).unwrap();
        is_decided_elsewhere(&here.level().unwrap()).await;
    });
}

#[test]
fn a_function_asks_another_function() {
    let there = Lambda::start(simulator(), &decider(), 1).unwrap();
    block_on(async {
        let level = there.level().unwrap();
        let here = Lambda::start(simulator(), &asker(there.local().url(), &key(&level).await), 1).unwrap();
        is_decided_elsewhere(&here.level().unwrap()).await;
    });
}
