//! Calls to providers: one pooled HTTP/1.1 client with TLS, no redirects, no proxies, no cookies.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use signalbox::ports::{Body, Incoming, Outgoing, SendError};
use std::borrow::Cow;
use std::time::Duration;

/// Idle connections are dropped before providers and load balancers do so themselves (60 s is usual).
const POOL_IDLE: Duration = Duration::from_secs(50);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The client. Cloning shares its connections.
#[derive(Clone, Debug)]
pub struct HttpClient {
    inner: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Default for HttpClient {
    fn default() -> HttpClient {
        let mut tcp = HttpConnector::new();
        // Without this the first byte of a request can wait 40 ms for an acknowledgement.
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.enforce_http(false);
        let https = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().wrap_connector(tcp);
        let inner = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(POOL_IDLE)
            .pool_timer(TokioTimer::new())
            .build(https);
        HttpClient { inner }
    }
}

impl HttpClient {
    /// Sends a call and waits for the head of its answer.
    pub async fn send(&self, call: Outgoing) -> Result<Incoming<HttpBody>, SendError> {
        let mut request = Request::builder().method(call.method).uri(&call.url);
        for (name, value) in &call.headers {
            request = request.header(name.as_ref(), value);
        }
        let request = request
            .body(Full::new(Bytes::from(call.body)))
            .map_err(|error| SendError::Unreachable(error.to_string()))?;
        let response = self.inner.request(request).await.map_err(|error| match error.is_connect() {
            true => SendError::Unreachable(chain(&error)),
            false => SendError::Broken(chain(&error)),
        })?;
        let (head, body) = response.into_parts();
        let readable = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
            Some((Cow::Owned(name.as_str().to_owned()), str::from_utf8(value.as_bytes()).ok()?.to_owned()))
        };
        Ok(Incoming {
            status: head.status.as_u16(),
            headers: head.headers.iter().filter_map(readable).collect(),
            body: HttpBody(body),
        })
    }
}

/// A provider's body. Dropping it before its end closes the connection.
#[derive(Debug)]
pub struct HttpBody(hyper::body::Incoming);

impl Body for HttpBody {
    async fn chunk(&mut self) -> Result<Option<Bytes>, SendError> {
        loop {
            let Some(frame) = self.0.frame().await else { return Ok(None) };
            let frame = frame.map_err(|error| SendError::Broken(chain(&error)))?;
            // Trailers are none of ours.
            if let Ok(data) = frame.into_data() {
                return Ok(Some(data));
            }
        }
    }
}

/// An error with its causes, for the operator.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
