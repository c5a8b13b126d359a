//! A small function to test the local Lambda with: each path is a way to behave.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use hyper::body::{Body, Frame};
use lambda_http::{Error, Request, RequestExt, Response, service_fn};
use serde_json::json;
use tokio::sync::mpsc;

/// A body that ends when its sender is dropped.
struct Channel(mpsc::Receiver<Bytes>);

impl Body for Channel {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

static INVOCATIONS: AtomicU64 = AtomicU64::new(0);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    if std::env::var("REFUSE_TO_START").is_ok() {
        eprintln!("refusing to start");
        std::process::exit(3);
    }
    if std::env::var("BUFFERED").is_ok() {
        return lambda_http::run(service_fn(|request: Request| async move {
            let (status, kind, text) = (207, "text/plain", format!("buffered {}", request.uri().path()));
            Response::builder().status(status).header("content-type", kind).body(text).map_err(Error::from)
        }))
        .await;
    }
    lambda_http::run_with_streaming_response(service_fn(handle)).await
}

async fn handle(request: Request) -> Result<Response<Channel>, Error> {
    let number = |name: &str, default: u64| -> u64 {
        let query = request.query_string_parameters();
        query.first(name).and_then(|value| value.parse().ok()).unwrap_or(default)
    };
    let invocation = INVOCATIONS.fetch_add(1, Ordering::Relaxed) + 1;
    let (chunks, ms, bytes) = (number("chunks", 3), number("ms", 0), number("bytes", 8));
    let path = request.uri().path().to_owned();
    println!("{}", json!({"path": path, "invocation": invocation, "pid": std::process::id()}));
    if path == "/fail" {
        return Err("failing as asked".into());
    }
    if let Some(answer) = gateway(&request) {
        return answer;
    }
    let echoed = echo(&request);
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        match path.as_str() {
            "/echo" => drop(sender.send(Bytes::from(echoed)).await),
            "/invocation" => drop(sender.send(Bytes::from(invocation.to_string())).await),
            _ => {
                for index in 0..chunks {
                    if path == "/die" && index == 2 {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        std::process::abort();
                    }
                    let filler = "x".repeat(usize::try_from(bytes).unwrap());
                    let _ = sender.send(Bytes::from(format!("{filler} {index}\n"))).await;
                    tokio::time::sleep(Duration::from_millis(ms)).await;
                }
                println!("streamed {path}");
            }
        }
        drop(sender);
        if path == "/ticking" {
            for tick in 0..1000 {
                println!("tick {tick}");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    });
    let response = Response::builder()
        .header("content-type", "text/plain")
        .header("x-invocation", invocation)
        .header("set-cookie", "a=1")
        .header("set-cookie", "b=2");
    Ok(response.body(Channel(receiver))?)
}

/// As much of a gateway as a developer's run asks for before the first call.
fn gateway(request: &Request) -> Option<Result<Response<Channel>, Error>> {
    const KEY: &str = "key-of-the-example";
    let authorization = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    let bearer = authorization.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let admin = std::env::var("SIGNALBOX_ADMIN_KEY").unwrap_or_default();
    let (status, body) = match (request.method().as_str(), request.uri().path()) {
        ("GET", "/health") => (200, json!({})),
        ("GET", "/v1/models") if bearer == KEY => (200, json!({})),
        ("GET", "/v1/models") => (401, json!({})),
        ("GET", "/console/") => (404, json!({})),
        ("POST", "/admin/v1/keys") if bearer == admin && !admin.is_empty() => (201, json!({"key": KEY})),
        ("POST", "/admin/v1/keys") => (401, json!({"error": "not the administrator"})),
        _ => return None,
    };
    let (sender, receiver) = mpsc::channel(1);
    drop(sender.try_send(Bytes::from(body.to_string())));
    let response = Response::builder().status(status).header("content-type", "application/json");
    Some(response.body(Channel(receiver)).map_err(Error::from))
}

/// What arrived, as JSON.
fn echo(request: &Request) -> String {
    let headers: BTreeMap<&str, String> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let environment: BTreeMap<String, String> = std::env::vars().collect();
    let context = request.lambda_context();
    json!({
        "method": request.method().as_str(),
        "uri": request.uri().to_string(),
        "headers": headers,
        "body_b64": BASE64_STANDARD.encode(request.body().as_ref()),
        "env": environment,
        "request_id": context.request_id,
        "deadline": context.deadline,
    })
    .to_string()
}
