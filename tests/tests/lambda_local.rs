//! The local Lambda, held against a small real function (`examples/bootstrap.rs`).
#![cfg(feature = "lambda-local")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use signalbox_tests::harness::Client;
use signalbox_tests::lambda::{LambdaLocal, Options, State};
use support::{alive, bootstrap, process_state};

fn options() -> Options {
    Options::new(bootstrap())
}

fn start(options: Options) -> (LambdaLocal, Client) {
    let lambda = LambdaLocal::start(options).unwrap();
    let client = Client::new(lambda.url()).unwrap();
    (lambda, client)
}

async fn text(client: &Client, path: &str) -> String {
    client.get(path).send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn an_answer_is_streamed_as_the_function_writes_it() {
    let (_lambda, client) = start(options());
    let mut reply = client.get("/stream?chunks=4&ms=60").send().await.unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("text/plain"));
    assert_eq!(reply.header("x-invocation"), Some("1"));
    let cookies: Vec<_> = reply.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    let (chunks, error) = reply.chunks().await;
    assert!(error.is_none());
    let all: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.bytes.to_vec()).collect();
    assert_eq!(String::from_utf8(all).unwrap(), "xxxxxxxx 0\nxxxxxxxx 1\nxxxxxxxx 2\nxxxxxxxx 3\n");
    assert!(chunks.len() >= 4);
    assert!(
        // lambda_runtime's socket may hold the first chunk back for an acknowledgement, some 40 ms.
        chunks[3].at - chunks[0].at >= Duration::from_millis(100),
        "the chunks came at once"
    );
}

#[tokio::test]
async fn the_function_gets_the_request_whole() {
    let (_lambda, client) = start(options().env("SIGNALBOX_EXTRA", "yes"));
    let body: Vec<u8> = (0..=255).collect();
    let request = client.request("PUT", "/echo?a=1&b=%2F").header("content-type", "application/octet-stream");
    let request = request.header("x-Mixed", "Case").header("cookie", "c=1; d=2").body(body.clone());
    let echo: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(echo["method"], "PUT");
    assert!(echo["uri"].as_str().unwrap().ends_with("/echo?a=1&b=%2F"), "{}", echo["uri"]);
    assert_eq!(echo["headers"]["x-mixed"], "Case");
    assert_eq!(echo["headers"]["cookie"], "c=1; d=2");
    assert_eq!(BASE64_STANDARD.decode(echo["body_b64"].as_str().unwrap()).unwrap(), body);
    assert_eq!(echo["env"]["SIGNALBOX_EXTRA"], "yes");
    assert_eq!(echo["env"]["SIGNALBOX_TABLE"], "signalbox");
    assert!(echo["env"]["AWS_ENDPOINT_URL_DYNAMODB"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    assert_eq!(echo["env"]["CARGO"], Value::Null, "the function sees more than it should");
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let left = echo["deadline"].as_u64().unwrap() - now;
    assert!((890_000..=900_000).contains(&left), "{left} ms to the deadline");
}

#[tokio::test]
async fn requests_one_after_another_use_one_process_and_together_several_up_to_the_limit() {
    let (lambda, client) = start(Options { instances: 3, ..options() });
    for expected in 1..=3 {
        assert_eq!(text(&client, "/invocation").await, expected.to_string());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(lambda.instances().len(), 1);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let client = client.clone();
        tasks.spawn(async move { text(&client, "/stream?chunks=2&ms=50").await });
    }
    let answers = tasks.join_all().await;
    assert!(answers.iter().all(|answer| answer.ends_with("1\n")), "{answers:?}");
    let instances = lambda.instances();
    assert_eq!(instances.len(), 3, "{instances:?}");
    assert_eq!(instances.iter().map(|instance| instance.invocations).sum::<u64>(), 11);
    assert!(instances.iter().all(|instance| instance.init_ms.is_some()));
}

#[tokio::test]
async fn a_caller_who_leaves_does_not_stop_the_function() {
    let (lambda, client) = start(Options { instances: 1, ..options() });
    let reply = client.get("/stream?chunks=10&ms=20&bytes=100").send().await.unwrap();
    reply.leave_after(150).await.unwrap();
    let line = lambda.wait_for_log(Duration::from_secs(5), |line| line == "streamed /stream").await;
    assert!(line.is_some(), "{:?}", lambda.logs());
    assert_eq!(text(&client, "/invocation").await, "2");
}

#[tokio::test]
async fn a_caller_who_leaves_before_the_head_does_not_stop_the_function_either() {
    let (lambda, client) = start(Options { instances: 1, ..options() });
    let busy = client.get("/stream?chunks=2&ms=150").send().await.unwrap();
    let waiting = client.get("/stream?chunks=1&bytes=3").send();
    assert!(tokio::time::timeout(Duration::from_millis(30), waiting).await.is_err());
    busy.text().await.unwrap();
    let streamed = || lambda.logs().iter().filter(|line| *line == "streamed /stream").count();
    for _ in 0..200 {
        if streamed() == 2 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the second never ran: {:?}", lambda.logs());
}

#[tokio::test]
async fn a_process_that_dies_cuts_its_answer_and_is_replaced() {
    let (lambda, client) = start(options());
    let (chunks, error) = client.get("/die?chunks=5").send().await.unwrap().chunks().await;
    let all: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.bytes.to_vec()).collect();
    assert_eq!(String::from_utf8(all).unwrap(), "xxxxxxxx 0\nxxxxxxxx 1\n");
    assert!(error.is_some(), "the end looked like a proper one");
    assert_eq!(text(&client, "/invocation").await, "1");
    assert!(lambda.logs().iter().any(|line| line.contains("ended: signal: 6")), "{:?}", lambda.logs());
}

#[tokio::test]
async fn a_process_can_be_killed_in_the_middle_of_a_stream() {
    let (lambda, client) = start(Options { instances: 1, ..options() });
    let mut reply = client.get("/stream?chunks=1000&ms=10").send().await.unwrap();
    reply.chunk().await.unwrap().unwrap();
    let pid = lambda.instances()[0].pid;
    assert!(lambda.instances()[0].busy);
    assert!(lambda.kill_instance(0));
    let (_, error) = reply.chunks().await;
    assert!(error.is_some());
    assert_eq!(text(&client, "/invocation").await, "1", "a new process answers");
    assert!(!alive(pid));
    assert!(!lambda.kill_instance(0), "it is dead already");
}

#[tokio::test]
async fn a_failing_invocation_is_a_502_and_the_process_goes_on() {
    let (lambda, client) = start(Options { instances: 1, ..options() });
    let reply = client.get("/fail").send().await.unwrap();
    assert_eq!(reply.status, 502);
    assert_eq!(reply.json::<Value>().await.unwrap()["Message"], "Internal Server Error");
    assert_eq!(text(&client, "/invocation").await, "2");
    assert_eq!(lambda.instances().len(), 1);
}

/// A signal needs a moment to arrive.
async fn wait_until_stopped(pid: i32) {
    let until = Instant::now() + Duration::from_secs(5);
    while process_state(pid) != "T" {
        assert!(Instant::now() < until, "it is not frozen");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn nothing_runs_between_events_when_frozen() {
    let (lambda, client) = start(Options { freeze: true, instances: 1, ..options() });
    let pid = lambda.instances()[0].pid;
    wait_until_stopped(pid).await;
    text(&client, "/ticking?chunks=1").await;
    let ticks = || lambda.logs().iter().filter(|line| line.starts_with("tick")).count();
    wait_until_stopped(pid).await;
    // What it had printed is still on its way here.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let before = ticks();
    assert!(before < 20, "{before} ticks");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(ticks(), before);
    text(&client, "/stream?chunks=2&ms=100").await;
    assert!(ticks() > before, "it did not thaw");
}

#[tokio::test]
async fn at_its_deadline_a_function_is_killed() {
    let (lambda, client) = start(Options { timeout: Duration::from_millis(200), ..options() });
    let since = Instant::now();
    let (_, error) = client.get("/stream?chunks=1000&ms=10").send().await.unwrap().chunks().await;
    assert!(error.is_some());
    assert!(since.elapsed() >= Duration::from_millis(150));
    assert!(lambda.logs().iter().any(|line| line.contains("timed out after 0.20 seconds")));
    assert_eq!(text(&client, "/invocation").await, "1");
}

#[test]
fn a_hostile_request_line_or_host_reaches_no_function_that_would_fail_over_it() {
    use std::io::{Read, Write};
    let (lambda, _) = start(options());
    let address = lambda.url().strip_prefix("http://").unwrap().to_owned();
    let answer = |request: &str| {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(answer("OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"), "400");
    assert_eq!(answer("GET /health HTTP/1.1\r\nhost: [\r\nconnection: close\r\n\r\n"), "200");
    assert_eq!(answer("GET //a/..%2f%00%zz?%zz&= HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"), "200");
    assert_eq!(lambda.instances().len(), 1, "{:?}", lambda.logs());
}

#[tokio::test]
async fn requests_over_six_megabytes_are_refused() {
    let (_lambda, client) = start(options());
    let post = |bytes: usize, kind: &str| {
        client.request("POST", "/invocation").header("content-type", kind).body("x".repeat(bytes)).send()
    };
    assert_eq!(post(6_000_000, "text/plain").await.unwrap().status, 200);
    assert_eq!(post(6_300_000, "text/plain").await.unwrap().status, 413);
    assert_eq!(post(6_000_000, "application/octet-stream").await.unwrap().status, 413, "base64 counts");
    assert_eq!(post(100_000_000, "text/plain").await.unwrap().status, 413);
}

#[tokio::test]
async fn buffered_functions_and_buffered_urls_answer_whole() {
    let (_lambda, client) = start(options().env("BUFFERED", "1"));
    let reply = client.get("/some/path").send().await.unwrap();
    assert_eq!((reply.status, reply.header("content-type")), (207, Some("text/plain")));
    assert_eq!(reply.text().await.unwrap(), "buffered /some/path");

    let (_lambda, client) = start(Options { buffered: true, ..options() });
    let mut reply = client.get("/stream?chunks=3&ms=20").send().await.unwrap();
    assert_eq!(reply.header("content-length"), Some("33"));
    assert_eq!(reply.chunks().await.0.len(), 1);
    assert_eq!(client.get("/stream?chunks=7&bytes=1000000").send().await.unwrap().status, 502, "over 6 MB");
}

#[test]
fn a_function_that_does_not_come_up_is_an_error_that_says_what_it_printed() {
    let error = LambdaLocal::start(options().env("REFUSE_TO_START", "1")).unwrap_err().to_string();
    assert!(error.contains("refusing to start") && error.contains("exit status: 3"), "{error}");
    let error = LambdaLocal::start(Options::new("/nowhere/bootstrap")).unwrap_err().to_string();
    assert!(error.contains("/nowhere/bootstrap"), "{error}");
}

#[test]
fn nothing_is_left_when_the_handle_is_dropped() {
    let lambda = LambdaLocal::start(Options { freeze: true, ..options() }).unwrap();
    let pid = lambda.instances()[0].pid;
    assert!(alive(pid));
    drop(lambda);
    assert!(!alive(pid));
}

#[tokio::test]
async fn dynamodb_has_its_table_and_keeps_it_in_a_folder() {
    let folder = std::env::temp_dir().join(format!("signalbox-lambda-local-{}", std::process::id()));
    let state = State::Folder(folder.clone());
    for round in 0..2 {
        let (lambda, _) = start(Options { state: state.clone(), ..options() });
        let dynamodb = Client::new(lambda.dynamodb_url()).unwrap();
        let call = |operation: &str, body: &str| {
            dynamodb
                .request("POST", "/")
                .header("content-type", "application/x-amz-json-1.0")
                .header("x-amz-target", &format!("DynamoDB_20120810.{operation}"))
                .header("x-amz-date", "20250101T000000Z")
                .header("authorization", "AWS4-HMAC-SHA256 Credential=local/20250101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
                .body(body.to_owned())
                .send()
        };
        let get = r#"{"TableName":"signalbox","Key":{"pk":{"S":"a"},"sk":{"S":"b"}}}"#;
        let item: Value = call("GetItem", get).await.unwrap().json().await.unwrap();
        assert_eq!(item.get("Item").is_some(), round == 1, "{item}");
        let put = r#"{"TableName":"signalbox","Item":{"pk":{"S":"a"},"sk":{"S":"b"}}}"#;
        assert_eq!(call("PutItem", put).await.unwrap().status, 200);
        let ttl: Value =
            call("DescribeTimeToLive", r#"{"TableName":"signalbox"}"#).await.unwrap().json().await.unwrap();
        assert_eq!(ttl["TimeToLiveDescription"]["AttributeName"], "ttl");
    }
    std::fs::remove_dir_all(folder).unwrap();
}
