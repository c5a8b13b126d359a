//! The Function URL: HTTP on loopback in front of the processes.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::event::{Arrival, event};
use super::instance::{Answering, Piece};
use super::pool::{Pool, unix_ms};
use super::runtime_api::BUFFERED_LIMIT;

/// A request that is too large is read up to here all the same, so that its sender sees the refusal and not a reset.
const READ_OUT: usize = 256 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) pool: Arc<Pool>,
    pub(crate) port: u16,
    pub(crate) buffered: bool,
    serial: AtomicU64,
}

type Outgoing = Response<BoxBody<Bytes, io::Error>>;

impl Front {
    pub(crate) fn new(pool: Arc<Pool>, port: u16, buffered: bool) -> Front {
        Front { pool, port, buffered, serial: AtomicU64::new(0) }
    }

    /// Serves until the runtime ends.
    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(Arc::clone(&self).connection(stream))),
                // Out of descriptors, most likely: those in use are given back in time.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let service = service_fn(move |request| Arc::clone(&self).respond(request));
        // Ends in error when the caller leaves or the function dies in mid-answer.
        let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    async fn respond(self: Arc<Self>, request: Request<Incoming>) -> io::Result<Outgoing> {
        let (head, body) = request.into_parts();
        let Some(body) = read(body).await? else {
            return message(413, "Request Entity Too Large");
        };
        // `OPTIONS *`: Function URLs know only paths.
        if !head.uri.path().starts_with('/') {
            return message(400, "Bad Request");
        }
        let request_id = self.request_id();
        let event = self.event(&head, &body, &request_id);
        // Base64 and escapes count: the limit is on the event.
        if event.len() > BUFFERED_LIMIT {
            return message(413, "Request Entity Too Large");
        }
        // On a task of its own: a caller who leaves does not take the invocation along.
        let pool = Arc::clone(&self.pool);
        let invoked = tokio::spawn({
            let request_id = request_id.clone();
            async move { pool.invoke(request_id, Bytes::from(event)).await }
        });
        let Ok(Ok(answering)) = invoked.await else {
            return message(502, "Internal Server Error");
        };
        let mut response = Response::builder().status(answering.head.status).header("x-amzn-requestid", request_id);
        for (name, value) in &answering.head.headers {
            response = response.header(name, value);
        }
        if !self.buffered {
            return response.body(Relayed { pieces: answering.body }.boxed()).map_err(io::Error::other);
        }
        match whole(answering).await {
            Some(body) => response.body(full(body)).map_err(io::Error::other),
            None => message(502, "Internal Server Error"),
        }
    }

    fn event(&self, head: &Parts, body: &[u8], request_id: &str) -> Vec<u8> {
        event(head, body, &Arrival { request_id, unix_ms: unix_ms(), port: self.port })
    }

    /// Shaped like Lambda's, and different in every run: ids may be kept in a state that outlives the process.
    fn request_id(&self) -> String {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let (seconds, process) = (unix_ms() / 1000, std::process::id());
        format!(
            "{:08x}-{:04x}-4000-8{:03x}-{serial:012x}",
            seconds & 0xffff_ffff,
            process & 0xffff,
            process >> 16 & 0xfff
        )
    }
}

/// The whole request body; `None` when it is larger than Lambda takes.
async fn read(mut body: Incoming) -> io::Result<Option<Bytes>> {
    let mut whole = BytesMut::new();
    let mut read = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(bytes) = frame.map_err(io::Error::other)?.into_data() else {
            continue;
        };
        read = read.saturating_add(bytes.len());
        if read <= BUFFERED_LIMIT {
            whole.extend_from_slice(&bytes);
        } else if read > READ_OUT {
            break;
        }
    }
    Ok((read <= BUFFERED_LIMIT).then(|| whole.freeze()))
}

/// The whole answer, for the BUFFERED invoke mode; `None` when it was cut or is too large.
pub(crate) async fn whole(mut answering: Answering) -> Option<Bytes> {
    let mut whole = BytesMut::new();
    while let Some(piece) = answering.body.recv().await {
        match piece {
            Piece::Bytes(bytes) => whole.extend_from_slice(&bytes),
            Piece::End => return (whole.len() <= BUFFERED_LIMIT).then(|| whole.freeze()),
        }
    }
    None
}

/// A function's answer on its way to the caller. A function that died cuts it.
struct Relayed {
    pieces: mpsc::Receiver<Piece>,
}

impl Body for Relayed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(match ready!(self.pieces.poll_recv(context)) {
            Some(Piece::Bytes(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(Piece::End) => None,
            None => Some(Err(io::Error::other("the function ended in the middle of its answer"))),
        })
    }
}

fn full(body: Bytes) -> BoxBody<Bytes, io::Error> {
    Full::new(body).map_err(|never| match never {}).boxed()
}

/// An answer of the service itself, as Lambda words them.
fn message(status: u16, text: &str) -> io::Result<Outgoing> {
    let body = json!({"Message": text}).to_string();
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.body(full(Bytes::from(body))).map_err(io::Error::other)
}
