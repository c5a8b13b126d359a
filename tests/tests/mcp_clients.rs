//! The official clients of the Model Context Protocol read the gateway's definitions, on both packages.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::{Value, json};
use signalbox_tests::harness::Client;
use signalbox_tests::simulator::{Options, Simulator};
use signalbox_tests::suite::document::ADMIN_KEY;
use signalbox_tests::suite::edge::Edge;
use signalbox_tests::suite::packages;
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;

fn upstream() -> Arc<Simulator> {
    Arc::new(Simulator::start(Options { pace_ms: 1, ..Options::default() }).unwrap())
}

async fn admin(url: &str, method: &str, path: &str, body: String) -> Value {
    let client = Client::new(url).unwrap().with_key(ADMIN_KEY).unwrap();
    client.request(method, path).body(body).send().await.unwrap().json().await.unwrap()
}

/// A key, and definitions of which one is not for it.
async fn prepare(url: &str) -> String {
    let ours = json!({ "id": "revenue", "terms": ["Revenue"], "text": "Invoiced." });
    let theirs = json!({ "id": "theirs", "terms": ["Forecast"], "text": "Secret.", "teams": ["others"] });
    let taken = admin(url, "POST", "/admin/v1/context/import", format!("{ours}\n{theirs}")).await;
    assert_eq!(taken["created"], json!(["revenue@1", "theirs@1"]));
    let made = admin(url, "POST", "/admin/v1/keys", json!({ "name": "agent" }).to_string()).await;
    made["key"].as_str().unwrap().to_owned()
}

fn read_by_every_client(url: &str) {
    let folder = packages::javascript_clients().unwrap_or_else(|problem| panic!("{problem}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let key = runtime.block_on(prepare(url));
    let mut command = Command::new("node");
    command.arg(folder.join("mcp.mjs")).env("URL", format!("{url}/mcp")).env("KEY", key);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut versions = Vec::new();
    for line in said.lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let version = line.as_object_mut().unwrap().remove("version");
        versions.push(version.unwrap_or_default());
        let expected = json!({
            "client": line["client"],
            "resources": ["signalbox://context/revenue"],
            "text": "# Revenue\n\nInvoiced.\n",
            "hidden": "refused",
            "templates": ["signalbox://context/{id}"],
        });
        assert_eq!(line, expected);
    }
    assert_eq!(versions.len(), 3, "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(versions.last().unwrap(), "2026-07-28", "the newest client needs no handshake");
}

#[test]
fn work_with_the_worker() {
    let edge = Edge::start(upstream(), &BTreeMap::new()).unwrap();
    read_by_every_client(edge.url());
}

#[cfg(feature = "lambda-local")]
#[test]
fn work_with_the_function() {
    let lambda = signalbox_tests::suite::lambda::Lambda::start(upstream(), &BTreeMap::new(), 1).unwrap();
    read_by_every_client(lambda.local().url());
}
