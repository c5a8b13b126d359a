//! A reply on its way out: streamed piece by piece, or collected where the function is buffered.

use crate::ports::LambdaPorts;
use bytes::Bytes;
use http_body::{Body, Frame};
use lambda_http::http::{HeaderName, HeaderValue, Response, StatusCode};
use signalbox::app::Standard;
use signalbox::http::Head;
use signalbox::pipeline::{Reply, ReplyBody};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// Pieces on their way. It cannot fail: an error in a body would be written into the answer as data,
/// so failures are the dialect's error event by the time they get here.
pub(crate) struct Pieces(mpsc::Receiver<Bytes>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// The answer as a stream. Its end is held back until everything it left to do is done, because
/// after the end the process may be frozen.
pub(crate) fn streamed(ports: LambdaPorts, reply: Reply<Standard<LambdaPorts>>) -> Response<Pieces> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::task::spawn_local(async move {
        match reply.body {
            ReplyBody::Whole(body) => {
                let _ = sender.send(body).await;
            }
            ReplyBody::Stream(mut stream) => {
                while let Some(bytes) = stream.next().await {
                    if sender.send(bytes).await.is_err() {
                        // The runtime gave the answer up: dropping the stream settles it.
                        break;
                    }
                }
            }
        }
        ports.drain().await;
        drop(sender);
    });
    response(&reply.head, Pieces(receiver))
}

/// The answer in one piece, for an invocation that cannot stream.
pub(crate) async fn buffered(ports: &LambdaPorts, reply: Reply<Standard<LambdaPorts>>) -> Response<lambda_http::Body> {
    let body = match reply.body {
        ReplyBody::Whole(body) => body.to_vec(),
        ReplyBody::Stream(mut stream) => {
            let mut whole = Vec::new();
            while let Some(bytes) = stream.next().await {
                whole.extend_from_slice(&bytes);
            }
            whole
        }
    };
    ports.drain().await;
    // As text where it is text, which spares the event a third of its size.
    let body = String::from_utf8(body)
        .map_or_else(|error| lambda_http::Body::Binary(error.into_bytes()), lambda_http::Body::Text);
    response(&reply.head, body)
}

fn response<B>(head: &Head, body: B) -> Response<B> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(head.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &head.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_ref()), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
