//! A reply on its way out: whole, forwarded natively, or pumped.

use crate::glue::{self, Call, Pump};
use crate::operation::{Operation, Value};
use crate::ports::EdgePorts;
use bytes::Bytes;
use signalbox::app::Standard;
use signalbox::http::Head;
use signalbox::pipeline::{Reply, ReplyBody, ReplyStream};
use signalbox::ports::Clock;
use signalbox::proxy::failure::Stage;

type Stream = ReplyStream<Standard<EdgePorts>>;

/// How often a forwarded stream is looked at, at the most, in ms.
const LONGEST_TICK: u64 = 2_000;

/// Answers a call.
pub(crate) fn answer(ports: &EdgePorts, call: &Call, reply: Reply<Standard<EdgePorts>>) {
    match reply.body {
        ReplyBody::Whole(body) => whole(call, &reply.head, &body),
        ReplyBody::Stream(stream) if stream.is_untouched() => forward(ports, call, &reply.head, *stream),
        ReplyBody::Stream(stream) => pump(ports, call, &reply.head, *stream),
    }
}

/// A complete answer.
pub(crate) fn whole(call: &Call, head: &Head, body: &[u8]) {
    call.answer(head.status, &glue::lines(&head.headers), body);
}

/// The provider's bytes flow to the caller by themselves; a copy is watched to settle by.
fn forward(ports: &EdgePorts, call: &Call, head: &Head, mut stream: Stream) {
    let (tick, idle, left) = limits(ports, &stream);
    let pipe = stream.body_mut().upstream().pipe(tick, idle, left);
    call.stream(head.status, &glue::lines(&head.headers), pipe.readable());
    ports.spawn(async move {
        let end = loop {
            match step(Operation::new(pipe.watch()).await) {
                Step::Bytes(bytes) => stream.watch(&bytes),
                Step::End(end) => break end,
            }
        };
        let last = conclude(stream, end).await;
        let _ = Operation::new(pipe.finish(last)).await;
    });
}

/// Every piece passes through the core.
fn pump(ports: &EdgePorts, call: &Call, head: &Head, mut stream: Stream) {
    let (tick, idle, left) = limits(ports, &stream);
    let pump = Pump::new(&stream.body_mut().upstream(), tick, idle, left);
    call.stream(head.status, &glue::lines(&head.headers), pump.output());
    ports.spawn(async move {
        let write = |bytes: Bytes| {
            if !bytes.is_empty() {
                pump.write(&bytes);
            }
        };
        let mut out = stream.opening();
        let mut over = None;
        let end = loop {
            write(out);
            write(stream.judge().await);
            if let Some(end) = over {
                break end;
            }
            if stream.is_spent().await {
                break End::Spent;
            }
            out = match step(Operation::new(pump.next()).await) {
                Step::Bytes(bytes) => stream.pass(bytes.into()),
                Step::End(end) => {
                    over = Some(end);
                    if end == End::Body { stream.flush() } else { Bytes::new() }
                }
            };
        };
        let last = conclude(stream, end).await;
        let _ = Operation::new(pump.close(last)).await;
    });
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
    /// We ended it: there is no money for more.
    Spent,
}

fn step(next: Result<Value, String>) -> Step {
    let why = match next {
        Ok(Value::Bytes(bytes)) => return Step::Bytes(bytes),
        Ok(Value::Text(why)) => why,
        Ok(Value::Nothing | Value::Answer(..)) | Err(_) => String::new(),
    };
    Step::End(match why.as_str() {
        "gone" => End::Gone,
        "idle" => End::TimedOut(Stage::Idle),
        "total" => End::TimedOut(Stage::Total),
        _ => End::Body,
    })
}

/// Settles the stream; gives what the caller must still be sent.
async fn conclude(mut stream: Stream, end: End) -> Option<Box<[u8]>> {
    let stage = match end {
        // Dropping the stream settles it as left by the caller.
        End::Gone => return None,
        End::TimedOut(stage) => Some(stage),
        End::Spent => None,
        End::Body => {
            stream.body_mut().ended();
            None
        }
    };
    stream.conclude(stage).await.map(|bytes| bytes.as_ref().into())
}
