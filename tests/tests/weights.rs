//! The real weights of the embedding, of either size, are stored through both packages and read back by them, where they are
//! present. A function takes 6 MB in one event, and those of 128 numbers come close to it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::{Value, json};
use signalbox_tests::simulator::{Options, Simulator};
use signalbox_tests::suite::document::ADMIN_KEY;
use signalbox_tests::suite::edge::Edge;
use signalbox_tests::suite::level::{Answer, Call, Level};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

const REIMBURSED: &str = "Will you reimburse customers whose goods came damaged?";

/// Weights with their vocabulary behind them; `None`, with a notice, where they are absent.
fn weights(numbers: u32) -> Option<Vec<u8>> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared");
    let root = std::env::var("SIGNALBOX_SHARED").unwrap_or_else(|_| beside.to_owned());
    let folder = Path::new(&root).join("routing/embedding");
    let file = |name: &str| std::fs::read(folder.join(name)).ok();
    let both = file(&format!("minilm_static_{numbers}.semb")).zip(file("vocab.txt"));
    if both.is_none() {
        println!("skipped: no weights in {}", folder.display());
    }
    both.map(|(weights, words)| [weights, words].concat())
}

async fn ask(level: &impl Level, key: &str, method: &str, path: &str, body: Vec<u8>) -> Answer {
    let headers = vec![("authorization".to_owned(), format!("Bearer {key}"))];
    level.call(Call { method: method.to_owned(), path: path.to_owned(), headers, body, leave: None }).await.unwrap()
}

async fn admin(level: &impl Level, method: &str, path: &str, body: Vec<u8>) -> Value {
    let answer = ask(level, ADMIN_KEY, method, path, body).await;
    serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{path}: {}", answer.status))
}

async fn chat(level: &impl Level, key: &str, text: &str) -> Answer {
    let body = json!({ "model": "openai:gpt-5.4-mini", "messages": [{ "role": "user", "content": text }] });
    ask(level, key, "POST", "/v1/chat/completions", body.to_string().into_bytes()).await
}

async fn hold(level: &impl Level) {
    let topics = json!({
        "refunds": { "examples": [
            "How do I get a refund for a cancelled order?", "I want a refund, the parcel arrived broken",
            "When will the refund for my purchase be paid?", "Please return the money for my order",
        ] },
        "travel": { "examples": [
            "Which visa do I need to travel to Brazil?", "Book me a flight from Oslo to Rome for Friday",
            "What can I take in my hand luggage on the flight?", "Is the train to Paris faster than the plane?",
        ] },
    });
    let config = json!({
        "cache": { "semantic": { "ttl": "1h", "threshold": 0.8, "mode": "on" } },
        "context": { "default": { "meaning": { "threshold": 0.55 } } },
        "router": { "topics": topics },
        "routes": { "by-topic": { "strategy": "semantic", "candidates": [
            "openai:gpt-5.4-mini", { "model": "openai:gpt-5.4", "topics": ["refunds"] },
        ] } },
    });
    assert_eq!(admin(level, "PUT", "/admin/v1/config", config.to_string().into()).await["valid"], true);
    let refunds = json!({
        "id": "refunds", "terms": ["Refund policy"],
        "text": "Money is given back within 30 days of purchase if the parcel is unopened.",
    });
    admin(level, "POST", "/admin/v1/context", refunds.to_string().into()).await;
    let made = admin(level, "POST", "/admin/v1/keys", json!({ "name": "asks" }).to_string().into()).await;
    let key = made["key"].as_str().unwrap();
    for numbers in [64, 128] {
        let Some(weights) = weights(numbers) else { return };
        let told = admin(level, "PUT", "/admin/v1/embedding", weights).await;
        assert_eq!(told["dimensions"], numbers, "{told}");
        assert_eq!(admin(level, "GET", "/admin/v1/embedding", Vec::new()).await, told);
        let question = format!("What is the refund for parcel {numbers}?");
        let mut given = Answer::default();
        // The weights are read behind the callers' backs.
        for _ in 0..100 {
            level.pause(100).await;
            given = chat(level, key, &question).await;
            if given.headers.contains_key("x-signalbox-context") {
                break;
            }
        }
        assert_eq!(given.headers["x-signalbox-context"], "refunds@1", "{:?}", given.headers);
        assert!(!given.headers.contains_key("x-signalbox-warnings"));
        level.pause(300).await;
        let again = chat(level, key, &question.replace("What is", "Could you tell me")).await;
        assert_eq!(again.headers["x-signalbox-cache"], "semantic", "{:?}", again.headers);
        // None of these words is in an example; what they mean is.
        let asked = json!({ "model": "by-topic", "messages": [{ "role": "user", "content": REIMBURSED }] });
        let asked = asked.to_string().into_bytes();
        let told = ask(level, key, "POST", "/v1/chat/completions", asked).await;
        assert_eq!(told.headers["x-signalbox-model"], "openai:gpt-5.4", "{:?}", told.headers);
        let other = chat(level, key, "Write a poem about the sea.").await;
        assert!(!other.headers.contains_key("x-signalbox-context"));
    }
}

fn upstream() -> Arc<Simulator> {
    Arc::new(Simulator::start(Options { pace_ms: 1, ..Options::default() }).unwrap())
}

#[tokio::test]
async fn the_worker_takes_weights_of_either_size() {
    let edge = Edge::start(upstream(), &BTreeMap::new()).unwrap();
    hold(&edge.level().unwrap()).await;
}

#[cfg(feature = "lambda-local")]
#[tokio::test]
async fn the_function_takes_weights_of_either_size() {
    let lambda = signalbox_tests::suite::lambda::Lambda::start(upstream(), &BTreeMap::new(), 1).unwrap();
    hold(&lambda.level().unwrap()).await;
}
