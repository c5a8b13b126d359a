//! The Runtime API one process talks to.
//!
//! Shape: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.

use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::answer::{self, Head, Prelude};
use super::instance::{Answering, Delivered, Instance, Piece};

/// Lambda's limit for requests and buffered answers.
pub(crate) const BUFFERED_LIMIT: usize = 6 * 1024 * 1024;

/// Lambda's limit for streamed answers.
const STREAMED_LIMIT: usize = 200 * 1024 * 1024;

type Events = Arc<Mutex<mpsc::Receiver<Delivered>>>;

/// Serves until `stopped`, and then until the connections have ended: they do, as the process at their other end has.
pub(crate) async fn serve(
    listener: TcpListener,
    instance: Arc<Instance>,
    events: mpsc::Receiver<Delivered>,
    mut stopped: oneshot::Receiver<()>,
) {
    let events: Events = Arc::new(Mutex::new(events));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => break,
        };
        let Ok((stream, _)) = stream else { continue };
        let _ = stream.set_nodelay(true);
        let (instance, events) = (Arc::clone(&instance), Arc::clone(&events));
        let service = service_fn(move |request| respond(request, Arc::clone(&instance), Arc::clone(&events)));
        connections.spawn(async move {
            // Ends in error when the process dies; the task that waits for it says so.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
    while connections.join_next().await.is_some() {}
}

async fn respond(
    request: Request<Incoming>,
    instance: Arc<Instance>,
    events: Events,
) -> io::Result<Response<Full<Bytes>>> {
    let path = request.uri().path().to_owned();
    let Some(path) = path.strip_prefix("/2018-06-01/runtime/") else {
        return status(StatusCode::NOT_FOUND);
    };
    match path {
        "invocation/next" => next(&instance, &events).await,
        "init/error" => {
            let _ = request.into_body().collect().await;
            status(StatusCode::ACCEPTED)
        }
        _ => match path.strip_prefix("invocation/").and_then(|rest| rest.split_once('/')) {
            Some((id, "response")) => answered(request, &instance, id).await,
            Some((id, "error")) => {
                // The caller's side learns it from the way back being dropped.
                drop(instance.take_answer(id));
                let _ = request.into_body().collect().await;
                status(StatusCode::ACCEPTED)
            }
            Some(_) | None => status(StatusCode::NOT_FOUND),
        },
    }
}

async fn next(instance: &Arc<Instance>, events: &Events) -> io::Result<Response<Full<Bytes>>> {
    instance.polled();
    let Some(delivered) = events.lock().await.recv().await else {
        return status(StatusCode::GONE);
    };
    instance.fetched();
    let Delivered { request_id, event, deadline_ms } = delivered;
    Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", &request_id)
        .header("lambda-runtime-deadline-ms", deadline_ms)
        .header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:signalbox")
        .header(
            "lambda-runtime-trace-id",
            format!("Root=1-{};Parent=0000000000000001;Sampled=0", request_id.replace('-', "")),
        )
        .body(Full::new(event))
        .map_err(io::Error::other)
}

async fn answered(request: Request<Incoming>, instance: &Instance, id: &str) -> io::Result<Response<Full<Bytes>>> {
    let Some(back) = instance.take_answer(id) else {
        return refused("InvalidRequestID", "no such invocation is under way");
    };
    let header =
        |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let streamed = header("lambda-runtime-function-response-mode").eq_ignore_ascii_case("streaming");
    let kind = header("content-type");
    let body = request.into_body();
    let (pieces, received) = mpsc::channel(16);
    let begin = move |head: Head| {
        // Fails when the caller has left; the function is not told.
        drop(back.send(Answering { head, body: received }));
    };
    let read = match (streamed, kind.starts_with("application/vnd.awslambda.http-integration-response")) {
        (false, _) => buffered(body, begin, &pieces).await,
        (true, true) => stream(body, None, begin, &pieces).await,
        (true, false) => stream(body, Some(answer::plain_stream(&kind)), begin, &pieces).await,
    };
    instance.answered(id);
    match read {
        Ok(()) => status(StatusCode::ACCEPTED),
        Err(Unread::Refused(kind, message)) => refused(kind, &message),
        Err(Unread::Broken(error)) => Err(error),
    }
}

/// Why an answer could not be read.
enum Unread {
    /// The function's fault, told to it: type and message.
    Refused(&'static str, String),
    /// The connection ended.
    Broken(io::Error),
}

fn refuse(kind: &'static str) -> impl FnOnce(String) -> Unread {
    move |message| Unread::Refused(kind, message)
}

async fn buffered(mut body: Incoming, begin: impl FnOnce(Head), pieces: &mpsc::Sender<Piece>) -> Result<(), Unread> {
    let mut json = BytesMut::new();
    while let Some(chunk) = chunk(&mut body).await? {
        json.extend_from_slice(&chunk);
        if json.len() > BUFFERED_LIMIT {
            let message = format!("an answer of more than {BUFFERED_LIMIT} bytes");
            return Err(Unread::Refused("Function.ResponseSizeTooLarge", message));
        }
    }
    let (head, body) = answer::buffered(&json).map_err(refuse("Function.InvalidResponse"))?;
    begin(head);
    pass_on(pieces, body).await;
    let _ = pieces.send(Piece::End).await;
    Ok(())
}

async fn stream(
    mut body: Incoming,
    head: Option<Head>,
    begin: impl FnOnce(Head),
    pieces: &mpsc::Sender<Piece>,
) -> Result<(), Unread> {
    let mut begin = Some(begin);
    if let Some((head, begin)) = head.and_then(|head| Some((head, begin.take()?))) {
        begin(head);
    }
    let mut prelude = Prelude::default();
    let mut sent = 0_usize;
    while let Some(chunk) = chunk(&mut body).await? {
        let chunk = match begin.take() {
            None => chunk,
            Some(waiting) => match prelude.push(&chunk).map_err(refuse("Function.InvalidResponse"))? {
                Some((head, rest)) => {
                    waiting(head);
                    rest
                }
                None => {
                    begin = Some(waiting);
                    continue;
                }
            },
        };
        sent = sent.saturating_add(chunk.len());
        if sent > STREAMED_LIMIT {
            return Err(Unread::Refused(
                "Function.ResponseSizeTooLarge",
                format!("more than {STREAMED_LIMIT} bytes streamed"),
            ));
        }
        pass_on(pieces, chunk).await;
    }
    if begin.is_some() {
        return Err(Unread::Refused("Function.InvalidResponse", "the answer ended within its prelude".to_owned()));
    }
    let _ = pieces.send(Piece::End).await;
    Ok(())
}

async fn chunk(body: &mut Incoming) -> Result<Option<Bytes>, Unread> {
    loop {
        match body.frame().await {
            None => return Ok(None),
            Some(Err(error)) => return Err(Unread::Broken(io::Error::other(error))),
            // Trailers carry nothing that the caller gets.
            Some(Ok(frame)) => {
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            }
        }
    }
}

async fn pass_on(pieces: &mpsc::Sender<Piece>, bytes: Bytes) {
    if !bytes.is_empty() {
        // Fails when the caller has left: the function runs on all the same.
        let _ = pieces.send(Piece::Bytes(bytes)).await;
    }
}

fn status(status: StatusCode) -> io::Result<Response<Full<Bytes>>> {
    Response::builder().status(status).body(Full::default()).map_err(io::Error::other)
}

fn refused(kind: &str, message: &str) -> io::Result<Response<Full<Bytes>>> {
    let body = json!({"errorType": kind, "errorMessage": message}).to_string();
    let response = Response::builder().status(StatusCode::BAD_REQUEST).header("content-type", "application/json");
    response.body(Full::new(Bytes::from(body))).map_err(io::Error::other)
}
