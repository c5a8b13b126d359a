//! What is sealed is archived when the platform's clock comes round, in objects that anybody can check alone: in process, on
//! workerd with R2, and by the function's schedule into a bucket of S3.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[cfg(feature = "lambda-local")]
#[path = "archive/bucket.rs"]
mod bucket;

use serde_json::{Value, json};
use signalbox_tests::harness::{Client, free_port};
use signalbox_tests::simulator::{Options, Simulator};
use signalbox_tests::suite::document::ADMIN_KEY;
use signalbox_tests::suite::edge::Edge;
use signalbox_tests::suite::in_process::InProcess;
use signalbox_tests::suite::level::{Call, Level};
use signalbox_tests::virtual_time::{self, Faults};
use std::collections::BTreeMap;
use std::sync::Arc;
use verify_audit::{Key, verify};

const DAY_MS: u64 = 24 * 3_600_000;

/// What an administrator is told.
async fn ask(level: &impl Level, key: &str, method: &str, path: &str, body: Value) -> Value {
    let headers = [("authorization", format!("Bearer {key}")), ("content-type", "application/json".to_owned())];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let call = Call { method: method.to_owned(), path: path.to_owned(), headers, body, leave: None };
    serde_json::from_slice(&level.call(call).await.unwrap().body).unwrap_or_default()
}

/// A team's key.
async fn key(level: &impl Level) -> String {
    let made = ask(level, ADMIN_KEY, "POST", "/admin/v1/keys", json!({ "name": "archived", "team": "default" })).await;
    made["key"].as_str().unwrap().to_owned()
}

/// So many requests, each a record; a little later it is in its chain.
async fn send(level: &impl Level, key: &str, many: usize) {
    for _ in 0..many {
        ask(level, key, "POST", "/v1/embeddings", json!({ "model": "no-such-model", "input": "x" })).await;
    }
    level.pause(100).await;
}

/// The chain as the gateway verifies it, once it has so many records.
async fn chain(level: &impl Level, records: u64) -> Value {
    for _ in 0..200 {
        let told = ask(level, ADMIN_KEY, "GET", "/admin/v1/audit/verify?team=default", Value::Null).await;
        assert_eq!(told["ok"], true, "{told}");
        if told["chains"][0]["records"] == records {
            return told["chains"][0].clone();
        }
        level.pause(20).await;
    }
    panic!("the records do not come");
}

async fn public_key(level: &impl Level) -> Key {
    let told = ask(level, ADMIN_KEY, "GET", "/admin/v1/audit/checkpoints?team=default", Value::Null).await;
    Key::parse(told["key"]["public_key"].as_str().unwrap()).unwrap()
}

/// Holds an object against nothing but the key: it is whole, and signed to its end. Gives its first and last number.
#[track_caller]
fn hold(name: &str, text: &str, key: &Key) -> (u64, u64) {
    let report = verify(text, "", Some(key));
    assert!(report.ok(), "{name}: {report}");
    let (_, chain) = report.chains.iter().next().unwrap();
    let (first, (last, _)) = (chain.walk.first().unwrap(), chain.walk.last().unwrap());
    assert_eq!((chain.sealed, chain.sealed_to), (1, last), "{name}: {report}");
    assert!(name.ends_with(&format!("/{first:012}-{last:012}.jsonl")), "{name}");
    // Who changes a record cannot change the signature.
    let forged =
        text.replace("\"outcome\":\"refused\"", "\"outcome\":\"ok\"").replace("\"status\":404", "\"status\":200");
    assert!(forged == text || !verify(&forged, "", Some(key)).ok());
    (first, last)
}

/// The objects of the team, whose chain is archived from its first record to `last` without a gap.
#[track_caller]
fn hold_all(objects: &BTreeMap<String, String>, key: &Key, last: u64) {
    let mut next = 1;
    for (name, text) in objects.iter().filter(|(name, _)| name.starts_with("audit/default/")) {
        let (first, end) = hold(name, text, key);
        assert_eq!(first, next, "{name}");
        next = end + 1;
    }
    assert_eq!(next, last + 1, "{:?}", objects.keys());
}

fn in_process() -> InProcess {
    InProcess::new(virtual_time::Options::default(), &BTreeMap::new())
}

fn run<T>(level: &InProcess, work: impl Future<Output = T>) -> T {
    level.world().executor().run(work).unwrap()
}

fn latest(level: &InProcess) -> BTreeMap<String, String> {
    level.world().bucket().into_iter().collect()
}

#[test]
fn what_is_sealed_is_archived_once_and_whoever_reads_is_told_where_it_lies() {
    let level = in_process();
    run(&level, async {
        let key = key(&level).await;
        send(&level, &key, 3).await;
        level.tend().await;
        assert_eq!(chain(&level, 3).await["archive"], Value::Null, "there is no archive yet");

        level.world().make_bucket();
        for more in [0, 0, 2] {
            send(&level, &key, more).await;
            level.pause(60_000).await;
            level.tend().await;
        }
        let told = chain(&level, 5).await;
        assert_eq!((&told["archived_seq"], &told["archive"]), (&json!(5), &json!("audit/default/")));
        let list = ask(&level, ADMIN_KEY, "GET", "/admin/v1/audit?team=default", Value::Null).await;
        assert_eq!(list["archive"], "audit/default/");
        let gone = ask(&level, ADMIN_KEY, "GET", "/admin/v1/audit/req_1", Value::Null).await;
        assert!(gone["error"]["message"].as_str().unwrap().contains("audit/"), "{gone}");

        hold_all(&latest(&level), &public_key(&level).await, 5);
        let written: Vec<String> = level.world().bucket().into_iter().map(|(name, _)| name).collect();
        let ours: Vec<&String> = written.iter().filter(|name| name.starts_with("audit/default/")).collect();
        assert_eq!(
            ours,
            [
                "audit/default/2026-01-15/000000000001-000000000003.jsonl",
                "audit/default/2026-01-15/000000000004-000000000005.jsonl"
            ]
        );
        assert!(written.iter().any(|name| name.starts_with("audit/@system/")), "{written:?}");
    });
}

#[test]
fn an_object_that_is_written_again_is_the_same_and_only_what_the_bucket_took_counts() {
    let level = in_process();
    run(&level, async {
        let key = key(&level).await;
        level.world().make_bucket();
        send(&level, &key, 4).await;
        level.world().set_faults(Faults { bucket_answers_lost: true, ..Faults::default() });
        level.tend().await;
        assert_eq!(chain(&level, 4).await["archived_seq"], 0);
        assert!(level.log_lines().iter().any(|line| line.contains("the bucket's answer was lost")));
        level.world().set_faults(Faults::default());
        level.pause(60_000).await;
        // Another process, which remembers nothing.
        level.beside(&BTreeMap::new()).tend().await;
        assert_eq!(chain(&level, 4).await["archived_seq"], 4);
        let all = level.world().bucket();
        // The first that failed ended the round; it is what was written again.
        let again: Vec<&(String, String)> = all.iter().filter(|(name, _)| *name == all[0].0).collect();
        assert_eq!((again.len(), again[0]), (2, again[1]));
        hold_all(&latest(&level), &public_key(&level).await, 4);
    });
}

#[test]
fn a_long_stretch_becomes_several_objects_each_signed_to_its_end() {
    let level = in_process();
    run(&level, async {
        let key = key(&level).await;
        level.world().make_bucket();
        send(&level, &key, 1).await;
        level.tend().await;
        // None of the two has written so many that it would look after the chain itself.
        for _ in 0..2 {
            send(&level.beside(&BTreeMap::new()), &key, 600).await;
        }
        level.pause(60_000).await;
        level.tend().await;
        hold_all(&latest(&level), &public_key(&level).await, 1_201);
        let ends: Vec<String> = latest(&level).into_keys().filter(|name| name.contains("/default/")).collect();
        assert_eq!(ends.len(), 3, "{ends:?}");
    });
}

#[test]
fn a_chain_that_has_lost_its_beginning_is_archived_from_where_it_begins_and_the_gap_is_logged() {
    let document = json!({ "teams": { "default": { "audit": { "retention_days": 1 } } } }).to_string();
    let changes = BTreeMap::from([("SIGNALBOX_CONFIG".to_owned(), Some(document))]);
    let level = InProcess::new(virtual_time::Options::default(), &changes);
    run(&level, async {
        let key = key(&level).await;
        send(&level, &key, 3).await;
        level.tend().await;
        level.pause(2 * DAY_MS).await;
        level.world().make_bucket();
        send(&level, &key, 2).await;
        level.tend().await;
        let name = "audit/default/2026-01-17/000000000004-000000000005.jsonl";
        assert_eq!(hold(name, &latest(&level)[name], &public_key(&level).await), (4, 5));
        let gap = level.log_lines().into_iter().find(|line| line.contains("archive_gap") && line.contains("default"));
        let gap: Value = serde_json::from_str(&gap.unwrap()).unwrap();
        assert_eq!((&gap["after_seq"], &gap["before_seq"]), (&json!(0), &json!(4)));
    });
}

fn upstream() -> Arc<Simulator> {
    Arc::new(Simulator::start(Options::default()).unwrap())
}

#[tokio::test]
async fn the_worker_archives_to_r2() {
    let port = free_port().unwrap().to_string();
    let archive = Client::new(&format!("http://127.0.0.1:{port}")).unwrap();
    let edge = Edge::start(upstream(), &BTreeMap::from([("ARCHIVE".to_owned(), Some(port))])).unwrap();
    let level = edge.level().unwrap();
    let key = key(&level).await;
    send(&level, &key, 3).await;
    chain(&level, 3).await;
    let told = Client::new(edge.url()).unwrap().get("/cdn-cgi/handler/scheduled").send().await.unwrap();
    assert_eq!(told.status, 200);
    assert_eq!(chain(&level, 3).await["archived_seq"], 3);
    let objects: BTreeMap<String, String> = archive.get("/").send().await.unwrap().json().await.unwrap();
    hold_all(&objects, &public_key(&level).await, 3);
}

#[cfg(feature = "lambda-local")]
fn lambda(bucket: &bucket::Bucket, secret: &str) -> signalbox_tests::suite::lambda::Lambda {
    let changes = [
        ("BUCKET", bucket::NAME),
        ("ENDPOINT", bucket.url()),
        ("REGION", "eu-central-1"),
        ("ACCESS_KEY_ID", bucket::ACCESS_KEY),
        ("SECRET_ACCESS_KEY", secret),
    ];
    let changes = changes.map(|(name, value)| (format!("SIGNALBOX_ARCHIVE_{name}"), Some(value.to_owned())));
    signalbox_tests::suite::lambda::Lambda::start(upstream(), &changes.into(), 1).unwrap()
}

/// The event of the function's schedule.
#[cfg(feature = "lambda-local")]
fn minute() -> String {
    let template = std::fs::read_to_string(signalbox_tests::suite::packages::root().join("template.yaml")).unwrap();
    let event = template.lines().find_map(|line| line.trim().strip_prefix("Input: '")?.strip_suffix('\''));
    event.unwrap().to_owned()
}

#[cfg(feature = "lambda-local")]
#[tokio::test]
async fn the_function_archives_to_a_bucket_of_s3() {
    let bucket = bucket::Bucket::start();
    let lambda = lambda(&bucket, bucket::SECRET_KEY);
    let level = lambda.level().unwrap();
    let key = key(&level).await;
    send(&level, &key, 3).await;
    chain(&level, 3).await;
    assert_eq!(lambda.local().invoke(&minute()).await.unwrap(), 204);
    assert_eq!(chain(&level, 3).await["archived_seq"], 3);
    hold_all(&bucket.objects(), &public_key(&level).await, 3);
    assert!(bucket.objects().keys().any(|name| name.starts_with("audit/@system/")));
}

#[cfg(feature = "lambda-local")]
#[tokio::test]
async fn a_bucket_that_does_not_believe_the_signature_gets_nothing_and_the_log_says_why() {
    let bucket = bucket::Bucket::start();
    let lambda = lambda(&bucket, "another secret");
    let level = lambda.level().unwrap();
    let key = key(&level).await;
    send(&level, &key, 1).await;
    chain(&level, 1).await;
    assert_eq!(lambda.local().invoke(&minute()).await.unwrap(), 204);
    assert_eq!(chain(&level, 1).await["archived_seq"], 0);
    assert!(bucket.objects().is_empty());
    let logs = lambda.local().logs().join("\n");
    assert!(logs.contains("403 SignatureDoesNotMatch") && !logs.contains("another secret"), "{logs}");
}
