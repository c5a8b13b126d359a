//! What is done when nobody calls, each time the platform's clock comes round: in process, on workerd, and by the function's
//! schedule. Chains that nobody appends to any more are sealed, and definitions are taken from the servers that have them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use futures_util::future::select;
use serde_json::{Value, json};
use signalbox_tests::harness::Client;
use signalbox_tests::simulator::{Options, Simulator};
use signalbox_tests::suite::document::ADMIN_KEY;
use signalbox_tests::suite::edge::Edge;
use signalbox_tests::suite::in_process::InProcess;
use signalbox_tests::suite::level::{Call, Level};
use signalbox_tests::virtual_time;
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;

/// What an administrator is told.
async fn ask(level: &impl Level, key: &str, method: &str, path: &str, body: Value) -> Value {
    let headers = [("authorization", format!("Bearer {key}")), ("content-type", "application/json".to_owned())];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let call = Call { method: method.to_owned(), path: path.to_owned(), headers, body, leave: None };
    let answer = level.call(call).await.unwrap();
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

/// One request of the team `default`, so that its chain has something to seal.
async fn appended(level: &impl Level) {
    let made = ask(level, ADMIN_KEY, "POST", "/admin/v1/keys", json!({ "name": "sealed", "team": "default" })).await;
    let key = made["key"].as_str().unwrap();
    ask(level, key, "POST", "/v1/embeddings", json!({ "model": "no-such-model", "input": "x" })).await;
    assert_eq!(chain(level).await, json!([1, 0]), "a record, and nobody has sealed it");
}

/// How many records and checkpoints the chain has; asking does not seal.
async fn chain(level: &impl Level) -> Value {
    for _ in 0..100 {
        let told = ask(level, ADMIN_KEY, "GET", "/admin/v1/audit/verify?team=default", Value::Null).await;
        assert_eq!(told["ok"], true, "{told}");
        if told["chains"][0]["records"] == 1 {
            return json!([told["chains"][0]["records"], told["chains"][0]["checkpoints"]]);
        }
        level.pause(20).await;
    }
    panic!("the record does not come");
}

fn server() -> Value {
    json!({ "mcp": [{ "uri": "wiki://churn", "title": "Churn", "text": "Gone." }] })
}

/// A server of definitions, and the document that names it: nobody calls the gateway afterwards.
async fn named(level: &impl Level) {
    level.upstream().register("clocked", vec![serde_json::from_value(server()).unwrap()]).unwrap();
    let url = format!("{}/__use/clocked/mcp", level.upstream_url());
    let stored = ask(level, ADMIN_KEY, "PUT", "/admin/v1/config", json!({ "mcp": { "wiki": { "url": url } } })).await;
    assert_eq!(stored["valid"], true, "{stored}");
}

/// The server was asked once, and what it has is a definition.
async fn taken(level: &impl Level) {
    assert_eq!(level.upstream().seen(Some("clocked")).len(), 2, "its list, and its resource");
    let told = ask(level, ADMIN_KEY, "GET", "/admin/v1/context/wiki.churn", Value::Null).await;
    assert_eq!((&told["version"], &told["created_by"]), (&json!(1), &json!("mcp:wiki")), "{told}");
}

fn upstream() -> Arc<Simulator> {
    Arc::new(Simulator::start(Options::default()).unwrap())
}

#[test]
fn a_server_of_definitions_is_asked_when_it_is_due_and_sooner_where_it_failed() {
    let level = InProcess::new(virtual_time::Options::default(), &BTreeMap::new());
    let world = level.world().clone();
    world
        .executor()
        .run(async {
            named(&level).await;
            level.tend().await;
            taken(&level).await;
            level.tend().await;
            taken(&level).await;
            level
                .upstream()
                .register("clocked", vec![serde_json::from_value(json!({ "use": "500" })).unwrap()])
                .unwrap();
            level.pause(3_600_000).await;
            // A server that fails is taken for an older one, and greeted.
            for (pause, calls) in [(0, 4), (240_000, 4), (61_000, 6)] {
                level.pause(pause).await;
                level.tend().await;
                assert_eq!(level.upstream().seen(Some("clocked")).len(), calls, "after {pause} ms more");
            }
            assert_eq!(ask(&level, ADMIN_KEY, "GET", "/admin/v1/context/wiki.churn", Value::Null).await["version"], 1);
        })
        .unwrap();
}

#[test]
fn a_server_whose_asking_was_cut_off_is_asked_again_soon() {
    let level = InProcess::new(virtual_time::Options::default(), &BTreeMap::new());
    let world = level.world().clone();
    world
        .executor()
        .run(async {
            named(&level).await;
            let scripts = [json!({ "before_head": [{ "stall": true }] }), server()];
            let [stalls, answers] = scripts.map(|script| vec![serde_json::from_value(script).unwrap()]);
            level.upstream().register("clocked", stalls).unwrap();
            // Whoever asks is gone before there is an answer.
            let _ = select(pin!(level.tend()), pin!(level.pause(1_000))).await;
            level.upstream().register("clocked", answers).unwrap();
            for (pause, version) in [(240_000, Value::Null), (61_000, json!(1))] {
                level.pause(pause).await;
                level.tend().await;
                let told = ask(&level, ADMIN_KEY, "GET", "/admin/v1/context/wiki.churn", Value::Null).await;
                assert_eq!(told["version"], version, "after {pause} ms more: {told}");
            }
        })
        .unwrap();
}

#[test]
fn a_chain_that_nobody_appends_to_is_sealed_once() {
    let level = InProcess::new(virtual_time::Options::default(), &BTreeMap::new());
    let world = level.world().clone();
    world
        .executor()
        .run(async {
            appended(&level).await;
            level.tend().await;
            assert_eq!(chain(&level).await, json!([1, 1]));
            level.pause(60_000).await;
            level.tend().await;
            assert_eq!(chain(&level).await, json!([1, 1]), "nothing came, so nothing is sealed");
        })
        .unwrap();
}

#[tokio::test]
async fn the_workers_clock_seals_chains_and_takes_definitions() {
    let edge = Edge::start(upstream(), &BTreeMap::new()).unwrap();
    let level = edge.level().unwrap();
    appended(&level).await;
    named(&level).await;
    let told = Client::new(edge.url()).unwrap().get("/cdn-cgi/handler/scheduled").send().await.unwrap();
    assert_eq!((told.status, told.text().await.unwrap().as_str()), (200, "ok"));
    taken(&level).await;
    assert_eq!(chain(&level).await, json!([1, 1]));
}

#[cfg(feature = "lambda-local")]
#[tokio::test]
async fn the_functions_schedule_seals_chains_and_takes_definitions() {
    let lambda = signalbox_tests::suite::lambda::Lambda::start(upstream(), &BTreeMap::new(), 1).unwrap();
    let level = lambda.level().unwrap();
    appended(&level).await;
    named(&level).await;
    let template = std::fs::read_to_string(signalbox_tests::suite::packages::root().join("template.yaml")).unwrap();
    let event = template.lines().find_map(|line| line.trim().strip_prefix("Input: '")?.strip_suffix('\'')).unwrap();
    assert_eq!(lambda.local().invoke(event).await.unwrap(), 204);
    taken(&level).await;
    assert_eq!(chain(&level).await, json!([1, 1]));
}
