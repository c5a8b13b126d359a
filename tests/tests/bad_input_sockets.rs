//! Bad input that only raw sockets can send, and callers only they can be: to the built Worker.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use signalbox_tests::harness::Client;
use signalbox_tests::simulator::{Options, Script, Simulator};
use signalbox_tests::suite::document::ADMIN_KEY;
use signalbox_tests::suite::edge::Edge;

/// A Worker, and a key of a team with a budget.
fn worker() -> (Edge, Arc<Simulator>, String) {
    let simulator = Arc::new(Simulator::start(Options { pace_ms: 1, ..Options::default() }).unwrap());
    let config = json!({ "teams": { "raw": { "budgets": [{ "usd": 1000, "per": "total" }] } } });
    let bindings = BTreeMap::from([("SIGNALBOX_CONFIG".to_owned(), Some(config.to_string()))]);
    let edge = Edge::start(Arc::clone(&simulator), &bindings).unwrap();
    let made = admin(&edge, "POST", "/admin/v1/keys", &json!({ "name": "raw", "team": "raw" }));
    let key = made["key"].as_str().unwrap_or_else(|| panic!("no key: {made}")).to_owned();
    (edge, simulator, key)
}

fn admin(edge: &Edge, method: &str, path: &str, body: &Value) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = Client::new(edge.url()).unwrap().with_key(ADMIN_KEY).unwrap();
        client.request(method, path).body(body.to_string()).send().await.unwrap().json().await.unwrap()
    })
}

/// Waits until something was charged and nothing is held any more.
fn wait_until_even(edge: &Edge) {
    let books = || admin(edge, "GET", "/admin/v1/budgets", &Value::Null)["data"][0].clone();
    for _ in 0..200 {
        let books = books();
        let posted = books["posted_nano_usd"].as_u64().unwrap();
        if (posted > 0, &books["held_nano_usd"], &books["unconfirmed_nano_usd"]) == (true, &json!(0), &json!(0)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the books are not even: {}", books());
}

/// Sends bytes as they are; reads until the answer has `enough`, the connection ends or ten seconds are over.
fn raw(edge: &Edge, bytes: &[u8], enough: &str) -> String {
    let mut stream = TcpStream::connect(edge.url().trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(bytes).unwrap();
    let (mut said, mut piece) = (Vec::new(), [0; 4_096]);
    while !String::from_utf8_lossy(&said).contains(enough) {
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(read) => said.extend_from_slice(&piece[..read]),
        }
    }
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn the_worker_refuses_a_hundred_megabytes_before_they_are_sent() {
    let (edge, simulator, key) = worker();
    for path in ["/v1/chat/completions", "/v1/messages"] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: worker\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: 104857600\r\n\r\n{{"
        );
        let said = raw(&edge, head.as_bytes(), "too_large");
        assert!(said.starts_with("HTTP/1.1 413"), "{path}: {said}");
        assert!(said.contains("too_large") && said.contains("request_id"), "{path}: {said}");
    }
    assert!(simulator.seen(None).is_empty());
}

#[test]
fn the_worker_waits_for_a_body_no_longer_than_the_caller_gives_the_call() {
    let (edge, simulator, key) = worker();
    for length in ["content-length: 1000", "transfer-encoding: chunked"] {
        let head = format!(
            "POST /v1/messages HTTP/1.1\r\nhost: worker\r\nauthorization: Bearer {key}\r\nx-signalbox-timeout-ms: 300\r\ncontent-type: application/json\r\n{length}\r\n\r\n"
        );
        let said = raw(&edge, head.as_bytes(), "request_id");
        assert!(said.starts_with("HTTP/1.1 504"), "{length}: {said}");
        assert!(
            said.contains(r#""type":"error""#) && said.contains("did not arrive within 300 ms"),
            "{length}: {said}"
        );
    }
    assert!(simulator.seen(None).is_empty());
}

#[test]
fn no_header_that_a_caller_nominates_takes_the_providers_credential_on_the_worker() {
    let (edge, simulator, key) = worker();
    let body = r#"{"model":"openai:gpt-5.4-mini~words-1","messages":[{"role":"user","content":"Hi"}]}"#;
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: worker\r\nconnection: close, x-api-key, authorization\r\nx-api-key: {key}\r\ncookie: a=b\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let said = raw(&edge, request.as_bytes(), "usage");
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    let seen = simulator.seen(None);
    assert_eq!(seen.len(), 1);
    for seen in seen {
        let header =
            |name: &str| seen.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        assert_eq!(header("authorization"), Some("Bearer canary-openai-credential"));
        assert_eq!(header("cookie"), None);
    }
}

#[test]
fn a_caller_who_breaks_off_within_its_request_leaves_the_worker_well_and_the_books_even() {
    let (edge, simulator, key) = worker();
    let body = r#"{"model":"openai:gpt-5.4-mini~words-1","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: worker\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    for cut in (0..request.len()).step_by(7) {
        let mut stream = TcpStream::connect(edge.url().trim_start_matches("http://")).unwrap();
        stream.write_all(&request.as_bytes()[..cut]).unwrap();
        stream.shutdown(if cut % 2 == 0 { Shutdown::Both } else { Shutdown::Write }).unwrap();
    }
    let said = raw(&edge, request.as_bytes(), "[DONE]");
    assert!(said.starts_with("HTTP/1.1 200") && said.contains("[DONE]"), "{said}");
    assert_eq!(simulator.seen(None).len(), 1, "half a request reached the provider");
    wait_until_even(&edge);
}

#[test]
fn a_caller_who_stops_reading_is_settled_when_the_time_of_the_call_is_over() {
    // More than the sockets between us take.
    let word = "word ".repeat(13_000);
    let chunk = json!({ "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{ "index": 0, "delta": { "content": word }, "finish_reason": null }] });
    let flood: Script = serde_json::from_value(json!({ "steps": vec![json!({ "data": chunk }); 400] })).unwrap();
    // Forwarded by itself, and translated piece by piece.
    for path in ["/v1/chat/completions", "/v1/messages"] {
        let (edge, simulator, key) = worker();
        simulator.script("flood", vec![flood.clone().into()]).unwrap();
        let body = r#"{"model":"openai:gpt-5.4-mini~flood","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: worker\r\nauthorization: Bearer {key}\r\nx-signalbox-timeout-ms: 3000\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(edge.url().trim_start_matches("http://")).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        assert_eq!(stream.read(&mut [0; 12]).unwrap(), 12, "{path}");
        std::thread::sleep(Duration::from_secs(3));
        wait_until_even(&edge);
        // It is still there, and does not read.
        drop(stream);
    }
}
