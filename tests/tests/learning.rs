//! What one process is told of its answers, others know: tickets, judgements and sums travel through the stores, behind the
//! callers' backs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::{Value, json};
use signalbox_tests::suite::document::ADMIN_KEY;
use signalbox_tests::suite::in_process::InProcess;
use signalbox_tests::suite::level::{Answer, Call, Level};
use signalbox_tests::virtual_time::Options;
use std::collections::BTreeMap;

const CHEAP: &str = "openai:gpt-5.4-mini~words-1";
const STRONG: &str = "anthropic:claude-haiku-4-5~words-3";

async fn ask(level: &InProcess, credential: &str, method: &str, path: &str, body: Value) -> Answer {
    let headers = vec![("authorization".to_owned(), format!("Bearer {credential}"))];
    let body = body.to_string().into_bytes();
    // In a box: without optimisation the gateway's future is large, and each place that waits for it has room of its own.
    Box::pin(level.call(Call { method: method.into(), path: path.into(), headers, body, leave: None })).await.unwrap()
}

async fn administer(level: &InProcess, method: &str, path: &str, body: Value) -> Value {
    let answer = ask(level, ADMIN_KEY, method, path, body).await;
    assert!(answer.status < 300, "{method} {path}: {}", String::from_utf8_lossy(&answer.body));
    serde_json::from_slice(&answer.body).unwrap()
}

/// Asks for an answer; tells its request's id.
async fn chat(level: &InProcess, key: &str, prompt: &str) -> String {
    let body = json!({ "model": "picks", "messages": [{ "role": "user", "content": prompt }] });
    let answer = ask(level, key, "POST", "/v1/chat/completions", body).await;
    assert_eq!(answer.status, 200);
    answer.headers["x-signalbox-request-id"].clone()
}

fn config() -> BTreeMap<String, Option<String>> {
    let routes = json!({ "picks": { "strategy": "learned", "strong_share": 0.5, "candidates": [CHEAP, STRONG] } });
    BTreeMap::from([("SIGNALBOX_CONFIG".to_owned(), Some(json!({ "routes": routes }).to_string()))])
}

async fn outcomes(level: &InProcess) -> u64 {
    let told = administer(level, "GET", "/admin/v1/router/learning", Value::Null).await;
    told["data"].as_array().unwrap().iter().filter_map(|route| route["outcomes"].as_u64()).sum()
}

/// Plays a scene of two processes over the same stores, with a key of both.
fn between_two(scene: impl AsyncFnOnce(&InProcess, &InProcess, &str)) {
    let here = InProcess::new(Options::default(), &config());
    let there = here.beside(&config());
    let world = here.world().clone();
    let played = async {
        let key = administer(&here, "POST", "/admin/v1/keys", json!({ "name": "k" })).await;
        scene(&here, &there, key["key"].as_str().unwrap()).await;
    };
    world.executor().run(played).unwrap();
}

#[test]
fn what_two_processes_are_told_adds_up_in_both() {
    between_two(async |here, there, key| {
        for (n, level) in [here, there].into_iter().cycle().take(12).enumerate() {
            let id = chat(level, key, &format!("Write poem {n} about the sea.")).await;
            let said = json!({ "request_id": id, "score": 1 });
            assert_eq!(ask(level, key, "POST", "/v1/feedback", said).await.status, 200);
        }
        for _ in 0..8 {
            here.world().executor().sleep(2_000).await;
            chat(here, key, "Anything else?").await;
            chat(there, key, "Anything else?").await;
        }
        here.world().executor().sleep(10).await;
        assert_eq!((outcomes(here).await, outcomes(there).await), (12, 12));
    });
}

#[test]
fn an_answer_of_another_process_is_judged_once_wherever_it_is_said() {
    between_two(async |here, there, key| {
        let id = chat(here, key, "Write a poem about the sea.").await;
        here.world().executor().sleep(1_000).await;
        let said = |score: f64| json!({ "request_id": id, "score": score });
        assert_eq!(ask(there, key, "POST", "/v1/feedback", said(0.5)).await.status, 200);
        assert_eq!(ask(here, key, "POST", "/v1/feedback", said(0.5)).await.status, 200, "the same again");
        assert_eq!(ask(here, key, "POST", "/v1/feedback", said(0.6)).await.status, 409, "something else");
        assert_eq!((outcomes(here).await, outcomes(there).await), (0, 1), "it was learned where it was said first");
        // A day later nobody remembers what was asked.
        here.world().executor().sleep(25 * 3_600_000).await;
        let other = here.beside(&config());
        let old = ask(&other, key, "POST", "/v1/feedback", json!({ "request_id": id, "score": 1 })).await;
        assert_eq!(old.status, 404);
    });
}

#[test]
fn decisions_are_counted_over_all_processes_once_each_and_by_days() {
    between_two(async |here, there, key| {
        let count = async |level: &InProcess, days: &str| {
            let told = administer(level, "GET", &["/admin/v1/decisions/summary", days].concat(), Value::Null).await;
            let routes = told["routes"].as_array().unwrap().iter();
            let by_route: u64 = routes.filter_map(|route| route["decisions"].as_u64()).sum();
            assert_eq!(told["decisions"].as_u64(), Some(by_route));
            by_route
        };
        for _ in 0..5 {
            for level in [here, there] {
                chat(level, key, "Hi").await;
                chat(level, key, "Hi").await;
            }
            here.world().executor().sleep(6_000).await;
        }
        let last = (count(here, "").await, count(there, "").await);
        assert!(last.0 >= 18 && last.0 <= 20 && last.1 >= 18 && last.1 <= 20, "{last:?}");
        chat(here, key, "Hi").await;
        chat(there, key, "Hi").await;
        here.world().executor().sleep(10).await;
        // Each knows all but the other's last, which is added with its next.
        assert_eq!((count(here, "").await, count(there, "").await), (21, 21));
        here.world().executor().sleep(24 * 3_600_000).await;
        let other = here.beside(&config());
        assert_eq!((count(&other, "").await, count(&other, "?days=2").await), (0, 20));
        for bad in ["0", "32", "-1", "x"] {
            let answer =
                ask(&other, ADMIN_KEY, "GET", &format!("/admin/v1/decisions/summary?days={bad}"), Value::Null).await;
            assert_eq!(answer.status, 400, "{bad}");
        }
    });
}
