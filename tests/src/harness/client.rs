//! An HTTP/1.1 client for suites and load: plain loopback HTTP, kept-alive connections, and the instant of every chunk.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::TcpStream;

use super::locked;

type Connection = SendRequest<Full<Bytes>>;
type Idle = Arc<Mutex<Vec<Connection>>>;

/// A client of one `http://host:port`. Clones share their connections. Used within one runtime: its connections live there.
#[derive(Clone, Debug)]
pub struct Client {
    authority: String,
    headers: HeaderMap,
    idle: Idle,
}

impl Client {
    /// A client for a base URL like `http://127.0.0.1:8787`.
    ///
    /// # Errors
    /// The URL is not plain HTTP.
    pub fn new(url: &str) -> io::Result<Client> {
        let authority = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
        let authority =
            authority.ok_or_else(|| io::Error::other(format!("not a plain http:// URL: {url}")))?.to_owned();
        Ok(Client { authority, headers: HeaderMap::new(), idle: Idle::default() })
    }

    /// The same client with a header on every request.
    ///
    /// # Errors
    /// The name or value cannot be a header's.
    pub fn with_header(mut self, name: &str, value: &str) -> io::Result<Client> {
        self.headers.insert(header_name(name)?, header_value(value)?);
        Ok(self)
    }

    /// The same client with `authorization: Bearer …` on every request.
    ///
    /// # Errors
    /// The key cannot be a header's value.
    pub fn with_key(self, key: &str) -> io::Result<Client> {
        self.with_header("authorization", &format!("Bearer {key}"))
    }

    /// Starts a request; nothing is sent before [`Request::send`].
    pub fn request(&self, method: &str, path: &str) -> Request {
        Request {
            client: self.clone(),
            method: method.to_owned(),
            path: path.to_owned(),
            headers: self.headers.clone(),
            body: Bytes::new(),
            wrong: None,
        }
    }

    /// Starts a GET.
    pub fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    /// Starts a POST of JSON.
    pub fn post(&self, path: &str, body: &Value) -> Request {
        self.request("POST", path).header("content-type", "application/json").body(body.to_string())
    }

    async fn connection(&self) -> io::Result<(Connection, bool)> {
        while let Some(mut connection) = { locked(&self.idle).pop() } {
            // Ready at once, or closed by the other side.
            if connection.ready().await.is_ok() {
                return Ok((connection, true));
            }
        }
        let stream = TcpStream::connect(&self.authority).await?;
        stream.set_nodelay(true)?;
        let (connection, driver) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        // Its error is also the request's.
        tokio::spawn(async { drop(driver.await) });
        Ok((connection, false))
    }
}

/// A request being put together.
#[derive(Debug)]
pub struct Request {
    client: Client,
    method: String,
    path: String,
    headers: HeaderMap,
    body: Bytes,
    /// The first thing that could not be put together; [`Request::send`] tells it.
    wrong: Option<io::Error>,
}

impl Request {
    /// Adds a header; a repeated name is sent twice.
    pub fn header(mut self, name: &str, value: &str) -> Request {
        match (header_name(name), header_value(value)) {
            (Ok(name), Ok(value)) => drop(self.headers.append(name, value)),
            (Err(error), _) | (_, Err(error)) => drop(self.wrong.get_or_insert(error)),
        }
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Request {
        self.body = body.into();
        self
    }

    /// Sends, and waits for the head.
    ///
    /// # Errors
    /// No connection, or it ended before the head. A kept connection that turns out closed is replaced once.
    pub async fn send(self) -> io::Result<Reply> {
        if let Some(wrong) = self.wrong {
            return Err(wrong);
        }
        loop {
            let (mut connection, kept) = self.client.connection().await?;
            let mut request = hyper::Request::builder().method(self.method.as_str()).uri(&self.path);
            if let Some(headers) = request.headers_mut() {
                headers.extend(self.headers.clone());
                headers.entry("host").or_insert(header_value(&self.client.authority)?);
            }
            let request = request.body(Full::new(self.body.clone())).map_err(io::Error::other)?;
            let sent_at = Instant::now();
            match connection.send_request(request).await {
                Ok(response) => {
                    let head_at = Instant::now();
                    let (head, body) = response.into_parts();
                    return Ok(Reply {
                        status: head.status.as_u16(),
                        headers: head.headers,
                        sent_at,
                        head_at,
                        body,
                        connection: Some((connection, self.client.idle)),
                    });
                }
                // The other side closed it while it lay idle.
                Err(error) if kept && (error.is_canceled() || error.is_incomplete_message()) => {}
                Err(error) => return Err(io::Error::other(error)),
            }
        }
    }
}

/// An answer whose body is still to be read. Dropping it before its end closes the connection.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// When the request was handed to the connection.
    pub sent_at: Instant,
    /// When the head had come.
    pub head_at: Instant,
    body: Incoming,
    connection: Option<(Connection, Idle)>,
}

/// Body bytes with the instant they came.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// When.
    pub at: Instant,
    /// What.
    pub bytes: Bytes,
}

impl Reply {
    /// A header as text; nothing where it is absent or no text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The next bytes, or `None` at the body's proper end.
    ///
    /// # Errors
    /// The body was cut short.
    pub async fn chunk(&mut self) -> io::Result<Option<Chunk>> {
        loop {
            let Some(frame) = self.body.frame().await else {
                if let Some((connection, idle)) = self.connection.take() {
                    locked(&idle).push(connection);
                }
                return Ok(None);
            };
            if let Ok(bytes) = frame.map_err(io::Error::other)?.into_data() {
                return Ok(Some(Chunk { at: Instant::now(), bytes }));
            }
        }
    }

    /// All chunks up to the end, or up to where the body was cut, and then the error.
    pub async fn chunks(&mut self) -> (Vec<Chunk>, Option<io::Error>) {
        let mut chunks = Vec::new();
        loop {
            match self.chunk().await {
                Ok(Some(chunk)) => chunks.push(chunk),
                Ok(None) => return (chunks, None),
                Err(error) => return (chunks, Some(error)),
            }
        }
    }

    /// The whole body.
    ///
    /// # Errors
    /// The body was cut short.
    pub async fn bytes(mut self) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            all.extend_from_slice(&chunk.bytes);
        }
        Ok(all)
    }

    /// The whole body as text.
    ///
    /// # Errors
    /// The body was cut short or is no UTF-8.
    pub async fn text(self) -> io::Result<String> {
        String::from_utf8(self.bytes().await?).map_err(io::Error::other)
    }

    /// The whole body as JSON.
    ///
    /// # Errors
    /// The body was cut short or is not the JSON of `T`.
    pub async fn json<T: DeserializeOwned>(self) -> io::Result<T> {
        serde_json::from_slice(&self.bytes().await?).map_err(io::Error::other)
    }

    /// Reads until at least `bytes` have come, then closes the connection as a caller who leaves. Gives what had come.
    ///
    /// # Errors
    /// The body was cut short before.
    pub async fn leave_after(mut self, bytes: usize) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        while all.len() < bytes {
            let Some(chunk) = self.chunk().await? else {
                break;
            };
            all.extend_from_slice(&chunk.bytes);
        }
        Ok(all)
    }
}

fn header_name(name: &str) -> io::Result<HeaderName> {
    name.parse().map_err(io::Error::other)
}

fn header_value(value: &str) -> io::Result<HeaderValue> {
    value.parse().map_err(io::Error::other)
}
