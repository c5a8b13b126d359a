//! A reply on its way out: streamed piece by piece, or collected where the function is buffered.

use crate::ports::LambdaPorts;
use bytes::Bytes;
use http_body::{Body, Frame};
use lambda_http::http::{HeaderName, HeaderValue, Response, StatusCode};
use signalbox::app::{Standard, failed};
use signalbox::error::{ApiError, Code};
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

/// What a buffered invocation may answer, all of its JSON, less room for the head.
const MOST: usize = 6_291_556 - 65_536;

/// The answer in one piece, for an invocation that cannot stream. One that the platform would cut off is
/// an error in the dialect of `path`; the call is settled all the same.
pub(crate) async fn buffered(
    ports: &LambdaPorts,
    reply: Reply<Standard<LambdaPorts>>,
    path: &str,
) -> Response<lambda_http::Body> {
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
    if written(&body) <= MOST {
        return response(&reply.head, body);
    }
    let id = reply.head.headers.iter().find(|(name, _)| name == "x-signalbox-request-id");
    let error = ApiError::new(
        Code::UpstreamError,
        "The answer is larger than the 6 MB this function may give in one piece. Ask for less, or run it with \
         SIGNALBOX_RESPONSE_MODE=streaming.",
    );
    let (head, body) = failed(path, id.map_or("", |(_, id)| id), &error);
    response(&head, String::from_utf8_lossy(&body).into_owned().into())
}

/// How long a body is once it stands in the JSON of an answer.
fn written(body: &lambda_http::Body) -> usize {
    match body {
        lambda_http::Body::Text(text) => text
            .bytes()
            .map(|byte| match byte {
                b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
                0..=0x1f => 6,
                _ => 1,
            })
            .sum(),
        lambda_http::Body::Binary(bytes) => bytes.len().div_ceil(3).saturating_mul(4),
        lambda_http::Body::Empty => 0,
        // The enum is open; a kind we do not make has no length to us.
        _ => 0,
    }
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

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::unreachable, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::http::HttpClient;
    use crate::store::{Connection, Store, connect};

    /// Ports that nobody asks for anything.
    fn ports() -> LambdaPorts {
        let connection = Connection::from_env(|name| match name {
            "AWS_REGION" => Some("eu-central-1".to_owned()),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("none".to_owned()),
            _ => None,
        });
        LambdaPorts::new(HttpClient::default(), Store::new(connect(&connection.unwrap()), "none"), None)
    }

    async fn answer(body: &str) -> Response<lambda_http::Body> {
        let mut head = Head::new(200, "application/json");
        head.set("x-signalbox-request-id", "req_1");
        buffered(&ports(), Reply::whole(head, body.as_bytes().to_vec()), "/v1/messages").await
    }

    #[tokio::test]
    async fn fault_53_an_answer_beyond_what_the_platform_takes_in_one_piece_is_an_error_in_the_callers_dialect() {
        assert_eq!(answer(&"a".repeat(MOST)).await.status(), 200);
        // A quotation mark takes two bytes there.
        for large in ["a".repeat(MOST + 1), "\"".repeat(MOST / 2 + 1)] {
            let refused = answer(&large).await;
            assert_eq!(refused.status(), 502);
            let lambda_http::Body::Text(text) = refused.into_body() else { unreachable!("JSON is text") };
            let told: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!((told["type"].as_str(), told["request_id"].as_str()), (Some("error"), Some("req_1")));
            assert!(text.len() < 1_000 && text.contains("6 MB"));
        }
    }
}
