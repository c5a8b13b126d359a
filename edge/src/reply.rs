//! A reply on its way out: whole, forwarded natively, or pumped.

use crate::glue::{self, Pump};
use crate::ports::EdgePorts;
use bytes::Bytes;
use js_sys::Uint8Array;
use signalbox::app::Standard;
use signalbox::http::Head;
use signalbox::pipeline::{Reply, ReplyBody, ReplyStream};
use signalbox::ports::Clock;
use signalbox::proxy::failure::Stage;
use wasm_bindgen::{JsCast, JsValue};
use worker::worker_sys::web_sys::Response;

type Stream = ReplyStream<Standard<EdgePorts>>;

/// How often a forwarded stream is looked at, at the most, in ms.
const LONGEST_TICK: u64 = 2_000;

/// The Worker's answer for a reply.
pub(crate) fn respond(ports: &EdgePorts, reply: Reply<Standard<EdgePorts>>) -> Response {
    match reply.body {
        ReplyBody::Whole(body) => whole(&reply.head, &body),
        ReplyBody::Stream(stream) if stream.is_untouched() => forward(ports, &reply.head, *stream),
        ReplyBody::Stream(stream) => pump(ports, &reply.head, *stream),
    }
}

/// A complete answer.
pub(crate) fn whole(head: &Head, body: &[u8]) -> Response {
    glue::respond(head.status, &glue::lines(&head.headers), &Uint8Array::from(body).into())
}

/// The provider's bytes flow to the caller by themselves; a copy is watched to settle by.
fn forward(ports: &EdgePorts, head: &Head, mut stream: Stream) -> Response {
    let (tick, idle, left) = limits(ports, &stream);
    let pipe = stream.body_mut().upstream().pipe(tick, idle, left);
    let response = glue::respond(head.status, &glue::lines(&head.headers), &pipe.readable());
    ports.spawn(async move {
        let end = loop {
            match step(pipe.next().await) {
                Step::Bytes(bytes) => stream.watch(&bytes),
                Step::End(end) => break end,
            }
        };
        let _ = pipe.close(conclude(stream, end).await).await;
    });
    response
}

/// Every piece passes through the core.
fn pump(ports: &EdgePorts, head: &Head, mut stream: Stream) -> Response {
    let (tick, idle, left) = limits(ports, &stream);
    let pump = Pump::new(&stream.body_mut().upstream(), tick, idle, left);
    let response = glue::respond(head.status, &glue::lines(&head.headers), &pump.stream());
    ports.spawn(async move {
        let write = |bytes: Bytes| {
            if !bytes.is_empty() {
                pump.write(Uint8Array::from(bytes.as_ref()));
            }
        };
        write(stream.opening());
        let end = loop {
            match step(pump.read().await) {
                Step::Bytes(bytes) => write(stream.pass(bytes.into())),
                Step::End(end) => break end,
            }
        };
        if end == End::Body {
            write(stream.flush());
        }
        let _ = pump.finish(conclude(stream, end).await).await;
    });
    response
}

/// How often a stream is looked at, how long it may be silent and how long it may last, in ms.
fn limits(ports: &EdgePorts, stream: &Stream) -> (f64, f64, f64) {
    let idle = stream.idle().0;
    let left = stream.deadline().since(ports.now()).0;
    ((idle / 4).clamp(1, LONGEST_TICK) as f64, idle as f64, left as f64)
}

/// What the next look at a body brings.
enum Step {
    Bytes(Vec<u8>),
    End(End),
}

/// Why there are no more bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The body ended or broke; what was read of it tells which.
    Body,
    /// The caller left.
    Gone,
    /// We ended it.
    TimedOut(Stage),
}

fn step(next: Result<JsValue, JsValue>) -> Step {
    let next = next.unwrap_or(JsValue::UNDEFINED);
    if let Some(bytes) = next.dyn_ref::<Uint8Array>() {
        return Step::Bytes(bytes.to_vec());
    }
    Step::End(match next.as_string().as_deref() {
        Some("gone") => End::Gone,
        Some("idle") => End::TimedOut(Stage::Idle),
        Some("total") => End::TimedOut(Stage::Total),
        Some(_) | None => End::Body,
    })
}

/// Settles the stream; gives what the caller must still be sent.
async fn conclude(mut stream: Stream, end: End) -> Option<Uint8Array> {
    let stage = match end {
        // Dropping the stream settles it as left by the caller.
        End::Gone => return None,
        End::TimedOut(stage) => Some(stage),
        End::Body => None,
    };
    stream.conclude(stage).await.map(|bytes| Uint8Array::from(bytes.as_ref()))
}
