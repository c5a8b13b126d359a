//! The official OpenAI and Anthropic SDKs as clients of both packages, each with providers of both dialects.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};
use signalbox_tests::harness::Client;
use signalbox_tests::simulator::{Answer, Options, Script, Simulator};
use signalbox_tests::suite::document::ADMIN_KEY;
use signalbox_tests::suite::edge::Edge;
use signalbox_tests::suite::packages;

fn upstream() -> Arc<Simulator> {
    let simulator = Simulator::start(Options { pace_ms: 1, ..Options::default() }).unwrap();
    Arc::new(simulator)
}

/// A limit that is over in a moment, once a check: the first request of every two meets it.
fn limited_now_and_then(simulator: &Simulator) {
    let limited = Script::json(429, json!({"error": {"message": "slow down", "type": "rate_limit_error"}}));
    let limited = Answer::from(limited.header("retry-after-ms", "20"));
    let friendly = Answer::Use { name: "words-1".to_owned() };
    let both = [limited, friendly];
    simulator.script("sdk-later", both.iter().cycle().take(8).cloned().collect()).unwrap();
}

async fn admin(url: &str, method: &str, path: &str, body: &Value) -> Value {
    let client = Client::new(url).unwrap().with_key(ADMIN_KEY).unwrap();
    client.request(method, path).body(body.to_string()).send().await.unwrap().json().await.unwrap()
}

/// Teams for the checks, and no retries of our own: here the SDK is to see the faults.
async fn keys(url: &str) -> [String; 3] {
    let document = json!({
        "retries": {"max": 0},
        "teams": {
            "good": {"budgets": [{"usd": 1000, "per": "total"}]},
            "broke": {"budgets": [{"usd": 0.000_001, "per": "total"}]},
            "narrow": {"models": ["cheap"]},
        },
    });
    admin(url, "PUT", "/admin/v1/config", &document).await;
    let mut keys = Vec::new();
    for team in ["good", "broke", "narrow"] {
        let made = admin(url, "POST", "/admin/v1/keys", &json!({"name": team, "team": team})).await;
        keys.push(made["key"].as_str().unwrap().to_owned());
    }
    keys.try_into().unwrap()
}

fn run(sdk: &str, url: &str, simulator: &Simulator) {
    let clients = packages::npm("tests/clients").unwrap_or_else(|problem| panic!("{problem}"));
    limited_now_and_then(simulator);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let [good, broke, narrow] = runtime.block_on(keys(url));
    let output = Command::new("node")
        .arg(clients.join("run.mjs"))
        .arg(sdk)
        .env("BASE_URL", url)
        .env("KEY", good)
        .env("BROKE_KEY", broke)
        .env("NARROW_KEY", narrow)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{said}");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("ok "), "{sdk}:\n{said}{told}");
}

fn on_the_worker(sdk: &str) {
    let simulator = upstream();
    let edge = Edge::start(Arc::clone(&simulator), &BTreeMap::new()).unwrap();
    run(sdk, edge.url(), &simulator);
}

#[test]
fn the_openai_sdk_works_with_the_worker() {
    on_the_worker("openai");
}

#[test]
fn the_anthropic_sdk_works_with_the_worker() {
    on_the_worker("anthropic");
}

#[cfg(feature = "lambda-local")]
mod lambda {
    use signalbox_tests::suite::lambda::Lambda;

    use super::*;

    fn on_lambda(sdk: &str) {
        let simulator = upstream();
        // One process serves one request at a time, and a stream that was left runs on.
        let lambda = Lambda::start(Arc::clone(&simulator), &BTreeMap::new(), 4).unwrap();
        run(sdk, lambda.local().url(), &simulator);
    }

    #[test]
    fn the_openai_sdk_works_with_the_function() {
        on_lambda("openai");
    }

    #[test]
    fn the_anthropic_sdk_works_with_the_function() {
        on_lambda("anthropic");
    }
}
