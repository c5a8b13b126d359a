//! A reply on its way out: whole, forwarded natively, or pumped.

use crate::glue::{self, Pump};
use crate::ports::EdgePorts;
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
    let idle = stream.idle().0;
    let left = stream.deadline().since(ports.now()).0;
    let tick = (idle / 4).clamp(1, LONGEST_TICK);
    let pipe = stream.body_mut().upstream().pipe(tick as f64, idle as f64, left as f64);
    let response = glue::respond(head.status, &glue::lines(&head.headers), &pipe.readable());
    ports.spawn(async move {
        let stage = loop {
            let next = pipe.next().await.unwrap_or(JsValue::UNDEFINED);
            if let Some(bytes) = next.dyn_ref::<Uint8Array>() {
                stream.watch(&bytes.to_vec());
                continue;
            }
            match next.as_string().as_deref() {
                // The caller left: dropping the stream settles it as that.
                Some("gone") => return,
                Some("idle") => break Some(Stage::Idle),
                Some("total") => break Some(Stage::Total),
                Some(_) | None => break None,
            }
        };
        let last = stream.conclude(stage).await.map(|bytes| Uint8Array::from(bytes.as_ref()));
        let _ = pipe.close(last).await;
    });
    response
}

/// Every piece passes through the core.
fn pump(ports: &EdgePorts, head: &Head, mut stream: Stream) -> Response {
    let pump = Pump::new();
    let response = glue::respond(head.status, &glue::lines(&head.headers), &pump.stream());
    ports.spawn(async move {
        while let Some(bytes) = stream.next().await {
            if pump.write(Uint8Array::from(bytes.as_ref())).await.is_err() {
                // The caller left: dropping the stream aborts the call and settles.
                return;
            }
        }
        let _ = pump.finish().await;
    });
    response
}
