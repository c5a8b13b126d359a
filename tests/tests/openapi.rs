//! The OpenAPI document, held against both packages by schemathesis: requests made from it, good ones and bad ones, and every
//! answer compared with what it says: status, type, schema, methods that are allowed.
//!
//! A few questions an operation with a fixed seed; `OPENAPI_EXAMPLES` (`make openapi`) asks more, differently each time, and
//! in chains. What may be answered otherwise than the document lets expect stands in `tests/openapi/schemathesis.toml`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};
use signalbox_tests::harness::Client;
use signalbox_tests::simulator::{Options, Simulator};
use signalbox_tests::suite::document::ADMIN_KEY;
use signalbox_tests::suite::edge::Edge;
use signalbox_tests::suite::packages;

fn upstream() -> Arc<Simulator> {
    Arc::new(Simulator::start(Options { pace_ms: 1, ..Options::default() }).unwrap())
}

/// A gateway that knows its own URL.
fn bindings() -> BTreeMap<String, Option<String>> {
    let document = json!({ "auth": { "public_url": "https://llm.example.com" }, "teams": { "payments": {} } });
    [("SIGNALBOX_CONFIG".to_owned(), Some(document.to_string()))].into()
}

/// A key for the callers' endpoints.
async fn key(url: &str) -> String {
    let client = Client::new(url).unwrap().with_key(ADMIN_KEY).unwrap();
    let body = json!({ "name": "schemathesis", "team": "payments" }).to_string();
    let made: Value = client.request("POST", "/admin/v1/keys").body(body).send().await.unwrap().json().await.unwrap();
    made["key"].as_str().unwrap().to_owned()
}

fn hold(url: &str) {
    let Some(folder) = packages::schemathesis().unwrap_or_else(|problem| panic!("{problem}")) else {
        println!("notice: no Python 3.11 with venv on this machine; the OpenAPI document is not tried on the packages");
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let key = runtime.block_on(key(url));
    let mut command = Command::new(folder.join(".venv/bin/st"));
    command.args(["--config-file", "schemathesis.toml", "run", &format!("{url}/openapi.json")]);
    match std::env::var("OPENAPI_EXAMPLES") {
        Ok(examples) => {
            let seed = std::process::id().to_string();
            command.args(["--phases", "examples,coverage,fuzzing,stateful", "-n", &examples, "--seed", &seed]);
        }
        Err(_) => drop(command.args(["--phases", "examples,coverage,fuzzing", "-n", "3"])),
    }
    let output = command.current_dir(&folder).env("ADMIN_KEY", ADMIN_KEY).env("KEY", key).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_worker_answers_as_its_openapi_document_says() {
    let edge = Edge::start(upstream(), &bindings()).unwrap();
    hold(edge.url());
}

#[cfg(feature = "lambda-local")]
#[test]
fn the_function_answers_as_its_openapi_document_says() {
    let lambda = signalbox_tests::suite::lambda::Lambda::start(upstream(), &bindings(), 2).unwrap();
    hold(lambda.local().url());
}
