//! The simulator behind real sockets: what a caller on the network sees of a script.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use serde_json::{Value, json};
use signalbox_tests::harness::Client;
use signalbox_tests::simulator::{Chunking, Options, Script, Simulator, Step, True};

fn start() -> (Simulator, Client) {
    let simulator = Simulator::start(Options { pace_ms: 1, ..Options::default() }).unwrap();
    let client = Client::new(&simulator.url()).unwrap();
    (simulator, client)
}

fn chat(model: &str) -> Value {
    json!({"model": model, "stream": true, "messages": [{"role": "user", "content": "hello"}]})
}

const PATH: &str = "/v1/chat/completions";

/// The log learns of an end when the connection does.
async fn seen_done(simulator: &Simulator, script: &str) -> signalbox_tests::simulator::Seen {
    for _ in 0..200 {
        if let Some(seen) = simulator.seen(Some(script)).into_iter().find(|seen| seen.done) {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{script} has not ended: {:?}", simulator.seen(None));
}

#[tokio::test]
async fn a_stream_arrives_chunk_by_chunk_with_its_pauses() {
    let (simulator, client) = start();
    let steps = vec![Step::Send("a".into()), Step::DelayMs(60), Step::Send("b".into()), Step::Send("c".into())];
    simulator.script("paced", vec![Script::stream(steps).into()]).unwrap();
    let mut reply = client.post(PATH, &chat("m~paced")).send().await.unwrap();
    assert_eq!(reply.header("content-type"), Some("text/event-stream"));
    let (chunks, error) = reply.chunks().await;
    assert!(error.is_none());
    assert_eq!(chunks.iter().flat_map(|chunk| chunk.bytes.to_vec()).collect::<Vec<u8>>(), b"abc");
    assert!(chunks[1].at - chunks[0].at >= Duration::from_millis(50));
}

#[tokio::test]
async fn single_bytes_arrive_in_many_pieces() {
    let (simulator, client) = start();
    let script = Script::stream(vec![Step::Send("x".repeat(200))]).chunked(Chunking::OneByte);
    simulator.script("bytes", vec![script.into()]).unwrap();
    let (chunks, _) = client.post(PATH, &chat("m~bytes")).send().await.unwrap().chunks().await;
    assert_eq!(chunks.iter().map(|chunk| chunk.bytes.len()).sum::<usize>(), 200);
    assert!(chunks.len() > 100, "{} chunks", chunks.len());
}

#[tokio::test]
async fn a_cut_and_a_reset_deliver_what_came_before_and_then_fail() {
    let (simulator, client) = start();
    for (name, last) in [("cut-here", Step::Cut(True)), ("reset-here", Step::Reset(True))] {
        simulator.script(name, vec![Script::stream(vec![Step::Send("before".into()), last]).into()]).unwrap();
        let (chunks, error) = client.post(PATH, &chat(&format!("m~{name}"))).send().await.unwrap().chunks().await;
        assert_eq!(chunks[0].bytes, "before", "{name}");
        let error = format!("{:?}", error.unwrap());
        assert_eq!(error.contains("ConnectionReset"), name == "reset-here", "{name}: {error}");
        let seen = seen_done(&simulator, name).await;
        assert!(!seen.client_gone, "{name}");
        assert_eq!(seen.bytes_sent, 6, "{name}");
    }
}

#[tokio::test]
async fn an_end_before_the_head_gives_no_answer_at_all() {
    let (_simulator, client) = start();
    for name in ["cut-head", "reset-head"] {
        assert!(client.post(PATH, &chat(&format!("m~{name}"))).send().await.is_err(), "{name}");
    }
    let waiting = client.post(PATH, &chat("m~stall-head")).send();
    assert!(tokio::time::timeout(Duration::from_millis(100), waiting).await.is_err());
}

#[tokio::test]
async fn a_caller_who_leaves_is_noticed_while_streaming_stalling_or_waiting_for_a_head() {
    let (simulator, client) = start();
    let reply = client.post(PATH, &chat("m~pace-20")).send().await.unwrap();
    let got = reply.leave_after(300).await.unwrap();
    assert!(got.len() >= 300);
    assert!(seen_done(&simulator, "pace-20").await.client_gone);

    let reply = client.post(PATH, &chat("m~stall")).send().await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!simulator.seen(Some("stall"))[0].done, "a stall has no end of its own");
    drop(reply);
    assert!(seen_done(&simulator, "stall").await.client_gone);

    let waiting = client.post(PATH, &chat("m~stall-head")).send();
    assert!(tokio::time::timeout(Duration::from_millis(100), waiting).await.is_err());
    assert!(seen_done(&simulator, "stall-head").await.client_gone);
}

#[tokio::test]
async fn an_answer_read_to_its_end_leaves_the_connection_usable_and_the_caller_is_not_gone() {
    let (simulator, client) = start();
    for _ in 0..3 {
        let answer: Value = client
            .post(PATH, &json!({"model": "m", "messages": [{"role": "user", "content": "x"}]}))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(answer["object"], "chat.completion");
    }
    let seen = simulator.seen(None);
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|seen| seen.done && !seen.client_gone), "{seen:?}");
}

#[tokio::test]
async fn scripts_and_the_log_are_reached_over_http_too() {
    let (_simulator, client) = start();
    let put = |body: &str| client.request("PUT", "/__script/two").body(body.to_owned()).send();
    assert_eq!(put(r#"{"steps": [{"sned": "x"}]}"#).await.unwrap().status, 400);
    assert_eq!(put(r#"[{"status": 418, "body": "no"}, {"use": "friendly"}]"#).await.unwrap().status, 200);
    assert_eq!(client.post(PATH, &chat("m~two")).send().await.unwrap().status, 418);
    let second = client.post(PATH, &chat("m~two")).header("x-probe", "1").send().await.unwrap();
    assert_eq!(second.status, 200);
    assert!(second.text().await.unwrap().ends_with("data: [DONE]\n\n"));
    let log: Value = client.get("/__log?script=two").send().await.unwrap().json().await.unwrap();
    assert_eq!(log.as_array().unwrap().len(), 2);
    assert_eq!(log[1]["headers"]["x-probe"], "1");
    assert_eq!(serde_json::from_str::<Value>(log[1]["body"].as_str().unwrap()).unwrap(), chat("m~two"));
    assert_eq!(client.request("DELETE", "/__log").send().await.unwrap().status, 200);
    let log: Value = client.get("/__log").send().await.unwrap().json().await.unwrap();
    assert_eq!(log, json!([]));
}

#[tokio::test]
async fn recorded_exchanges_play_with_their_bytes_and_chunks() {
    let shared = std::env::var("SIGNALBOX_SHARED")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared").to_owned());
    let corpus = std::path::Path::new(&shared).join("traffic/corpus/dev/openai");
    let Ok(cases) = std::fs::read_dir(&corpus) else {
        println!("skipped: no recorded traffic in {}", corpus.display());
        return;
    };
    let (simulator, client) = start();
    let mut played = 0;
    for case in cases.flatten().filter(|case| case.path().is_dir()) {
        let script = Script::recorded(&case.path()).unwrap();
        let status = script.status;
        simulator.script("recorded", vec![script.into()]).unwrap();
        let reply = client.post(PATH, &chat("m~recorded")).send().await.unwrap();
        assert_eq!(reply.status, status, "{:?}", case.path());
        let file =
            ["response.sse", "response.json"].iter().map(|name| case.path().join(name)).find(|path| path.is_file());
        if let Some(file) = file {
            assert_eq!(reply.bytes().await.unwrap(), std::fs::read(file).unwrap(), "{:?}", case.path());
            played += 1;
        }
    }
    assert!(played > 0);
}
