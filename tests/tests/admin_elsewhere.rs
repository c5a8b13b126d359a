//! What an administrator changes in one process holds in every other within five seconds, also while the key store still gives
//! what was there before, as Workers KV does for up to a minute.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::{Value, json};
use signalbox_tests::suite::document::ADMIN_KEY;
use signalbox_tests::suite::in_process::InProcess;
use signalbox_tests::suite::level::{Answer, Call, Level};
use signalbox_tests::virtual_time::Options;
use std::collections::BTreeMap;

async fn ask(level: &InProcess, credential: &str, method: &str, path: &str, body: Value) -> Answer {
    let headers = vec![("authorization".to_owned(), format!("Bearer {credential}"))];
    let body = body.to_string().into_bytes();
    level.call(Call { method: method.to_owned(), path: path.to_owned(), headers, body, leave: None }).await.unwrap()
}

async fn administer(level: &InProcess, method: &str, path: &str, body: Value) -> Value {
    let answer = ask(level, ADMIN_KEY, method, path, body).await;
    assert!(answer.status < 300, "{method} {path}: {}", String::from_utf8_lossy(&answer.body));
    serde_json::from_slice(&answer.body).unwrap()
}

/// Whether `key` is let in, and if not with which words.
async fn status(level: &InProcess, key: &str) -> u16 {
    ask(level, key, "GET", "/v1/models", Value::Null).await.status
}

/// Waits until `key` is answered with `wanted` here too.
async fn within_five_seconds(level: &InProcess, key: &str, wanted: u16) {
    for second in 1..=5 {
        level.world().executor().sleep(1_000).await;
        if status(level, key).await == wanted {
            break;
        }
        assert!(second < 5, "still not {wanted} after five seconds");
    }
}

#[test]
fn a_revocation_holds_everywhere_within_five_seconds_however_long_the_key_store_lags() {
    let here = InProcess::new(Options::default(), &BTreeMap::new());
    let there = here.beside(&BTreeMap::new());
    let world = here.world().clone();
    world
        .executor()
        .run(async {
            let made = administer(&here, "POST", "/admin/v1/keys", json!({ "name": "k" })).await;
            let (key, id) = (made["key"].as_str().unwrap(), made["id"].as_str().unwrap());
            assert_eq!((status(&here, key).await, status(&there, key).await), (200, 200));
            world.freeze_keys();
            administer(&here, "DELETE", &format!("/admin/v1/keys/{id}"), Value::Null).await;
            assert_eq!(status(&here, key).await, 401, "at once where it was revoked");
            // Under traffic: a request every second.
            within_five_seconds(&there, key, 401).await;
            // And for as long as the key store lags.
            world.executor().sleep(120_000).await;
            assert_eq!((status(&here, key).await, status(&there, key).await), (401, 401));
        })
        .unwrap();
}

#[test]
fn who_is_disabled_is_refused_everywhere_within_five_seconds() {
    let here = InProcess::new(Options::default(), &BTreeMap::new());
    let there = here.beside(&BTreeMap::new());
    let world = here.world().clone();
    world
        .executor()
        .run(async {
            administer(&here, "POST", "/admin/v1/users", json!({ "id": "ada" })).await;
            let made = administer(&here, "POST", "/admin/v1/keys", json!({ "name": "k", "user": "ada" })).await;
            let key = made["key"].as_str().unwrap();
            assert_eq!((status(&here, key).await, status(&there, key).await), (200, 200));
            administer(&here, "PATCH", "/admin/v1/users/ada", json!({ "disabled": true })).await;
            assert_eq!(status(&here, key).await, 403, "at once where it was done");
            within_five_seconds(&there, key, 403).await;
        })
        .unwrap();
}

#[test]
fn a_process_that_slept_lets_nobody_in_on_old_news() {
    let here = InProcess::new(Options::default(), &BTreeMap::new());
    let there = here.beside(&BTreeMap::new());
    let world = here.world().clone();
    world
        .executor()
        .run(async {
            let made = administer(&here, "POST", "/admin/v1/keys", json!({ "name": "k" })).await;
            let (key, id) = (made["key"].as_str().unwrap(), made["id"].as_str().unwrap());
            assert_eq!(status(&there, key).await, 200);
            world.freeze_keys();
            administer(&here, "DELETE", &format!("/admin/v1/keys/{id}"), Value::Null).await;
            world.executor().sleep(5_001).await;
            assert_eq!(status(&there, key).await, 401, "the first request after a pause");
        })
        .unwrap();
}

#[test]
fn a_new_secret_a_team_and_a_document_are_taken_over_within_five_seconds() {
    let here = InProcess::new(Options::default(), &BTreeMap::new());
    let there = here.beside(&BTreeMap::new());
    let world = here.world().clone();
    world
        .executor()
        .run(async {
            let made = administer(&here, "POST", "/admin/v1/keys", json!({ "name": "k" })).await;
            let (key, id) = (made["key"].as_str().unwrap(), made["id"].as_str().unwrap());
            assert_eq!(status(&there, key).await, 200);
            world.freeze_keys();
            let turned = administer(&here, "POST", &format!("/admin/v1/keys/{id}/rotate"), json!({})).await;
            administer(&here, "POST", "/admin/v1/teams", json!({ "id": "new" })).await;
            administer(&here, "PUT", "/admin/v1/config", json!({ "passthrough": { "enabled": false } })).await;
            // One request wakes the other process up.
            world.executor().sleep(2_001).await;
            status(&there, "sk-sb-unknown").await;
            world.executor().sleep(2_000).await;
            assert_eq!(status(&there, turned["key"].as_str().unwrap()).await, 200);
            assert_eq!(status(&there, key).await, 401);
            let teams = administer(&there, "GET", "/admin/v1/teams", Value::Null).await;
            assert_eq!(teams["data"][0]["id"], "new");
            let made = ask(&there, ADMIN_KEY, "POST", "/admin/v1/keys", json!({ "name": "n", "team": "new" })).await;
            assert_eq!(made.status, 201, "the team is in force there");
            assert_eq!(ask(&there, ADMIN_KEY, "GET", "/passthrough/openai/v1/files", Value::Null).await.status, 404);
        })
        .unwrap();
}
