//! The simulator behind HTTP/1.1 on loopback, with its control paths.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioTimer;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use super::BUILT_IN;
use super::ask::Ask;
use super::body::PlayedBody;
use super::log::Seen;
use super::play::Action;
use super::script::{Answer, Script};
use super::socket::{ResetSwitch, Socket};
use super::upstream::{Answered, Upstream};
use crate::harness::Background;

/// How a simulator is started.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The port; 0 takes any.
    pub port: u16,
    /// Milliseconds between two words of a friendly stream.
    pub pace_ms: u64,
    /// Whether requests are remembered; a benchmark wants no memory.
    pub keep_log: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { port: 0, pace_ms: 30, keep_log: true }
    }
}

/// A running simulator; dropping it ends it.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    upstream: Arc<Upstream>,
    _background: Background,
}

impl Simulator {
    /// Starts on loopback, on a thread of its own.
    ///
    /// # Errors
    /// The port is taken, or the thread cannot start.
    pub fn start(options: Options) -> io::Result<Simulator> {
        let upstream = Arc::new(Upstream::new(options.pace_ms, options.keep_log));
        let served = Arc::clone(&upstream);
        let start = move || async move {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
            let address = listener.local_addr()?;
            tokio::spawn(accept(listener, served));
            Ok(address)
        };
        let (background, address) = Background::start("simulator", start, || async {})?;
        Ok(Simulator { address, upstream, _background: background })
    }

    /// `http://127.0.0.1:PORT`, which is Anthropic's base URL; OpenAI's is this with `/v1`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The provider bindings that lead a gateway here.
    pub fn bindings(&self) -> [(&'static str, String); 4] {
        [
            ("OPENAI_API_KEY", "simulator".to_owned()),
            ("OPENAI_BASE_URL", format!("{}/v1", self.url())),
            ("ANTHROPIC_API_KEY", "simulator".to_owned()),
            ("ANTHROPIC_BASE_URL", self.url()),
        ]
    }

    /// Registers what a name answers.
    ///
    /// # Errors
    /// As [`Upstream::register`].
    pub fn script(&self, name: &str, answers: Vec<Answer>) -> Result<(), String> {
        self.upstream.register(name, answers)
    }

    /// The log, of one script where a name is given.
    pub fn seen(&self, script: Option<&str>) -> Vec<Seen> {
        self.upstream.seen(script)
    }

    /// What is behind the sockets.
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }
}

async fn accept(listener: TcpListener, upstream: Arc<Upstream>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(connection(stream, Arc::clone(&upstream)))),
            // Out of descriptors, most likely: those in use are given back in time.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn connection(stream: TcpStream, upstream: Arc<Upstream>) {
    // Without it small events would wait for acknowledgements; a socket that refuses is a dead one.
    let _ = stream.set_nodelay(true);
    let reset = ResetSwitch::default();
    let socket = Socket::new(stream, reset.clone());
    let service = service_fn(move |request| respond(request, Arc::clone(&upstream), reset.clone()));
    // Ends in error whenever a script cuts or a caller leaves: both are in the log.
    let _ = hyper::server::conn::http1::Builder::new().timer(TokioTimer::new()).serve_connection(socket, service).await;
}

type Answering = Response<BoxBody<Bytes, io::Error>>;

async fn respond(request: Request<Incoming>, upstream: Arc<Upstream>, reset: ResetSwitch) -> io::Result<Answering> {
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let headers = head.headers.iter();
    let headers =
        headers.map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let headers: Vec<(String, String)> = headers.collect();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    if let Some(answer) = control(head.method.as_str(), &path, &body, &upstream) {
        return whole(answer);
    }
    let unix_seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let ask = Ask { method: head.method.as_str().to_owned(), path, headers, body: body.to_vec(), unix_seconds };
    play(upstream.answer(ask), reset).await
}

/// Plays up to the head; the body does the rest.
async fn play(answered: Answered, reset: ResetSwitch) -> io::Result<Answering> {
    let Answered { script, entry, .. } = answered;
    let mut playback = script.play();
    loop {
        match playback.next() {
            Some(Action::Delay(ms)) => tokio::time::sleep(Duration::from_millis(ms)).await,
            Some(Action::Stall) => std::future::pending::<()>().await,
            Some(Action::Head) => break,
            Some(Action::Reset) => {
                reset.set();
                entry.finish();
                return Err(io::Error::other("reset by the script"));
            }
            Some(Action::Cut | Action::Send(_) | Action::End) | None => {
                entry.finish();
                return Err(io::Error::other("cut by the script"));
            }
        }
    }
    let mut response = Response::builder().status(script.status);
    for (name, value) in script.head() {
        response = response.header(name, value);
    }
    response.body(PlayedBody::new(playback, entry, reset).boxed()).map_err(io::Error::other)
}

fn whole(script: Script) -> io::Result<Answering> {
    let mut response = Response::builder().status(script.status);
    for (name, value) in script.head() {
        response = response.header(name, value);
    }
    let body = Full::new(Bytes::from(script.whole_body())).map_err(|never| match never {});
    response.body(body.boxed()).map_err(io::Error::other)
}

/// The control paths: `/__script/{name}`, `/__log`, and `/`, which tells how to use them. They are not logged.
fn control(method: &str, path: &str, body: &[u8], upstream: &Upstream) -> Option<Script> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let refused = |message: String| Some(Script::json(400, json!({ "error": message })));
    let only = query.split('&').find_map(|pair| pair.strip_prefix("script="));
    if let Some(name) = path.strip_prefix("/__script/") {
        return match method {
            "PUT" => match answers(body).and_then(|answers| upstream.register(name, answers)) {
                Ok(()) => Some(Script::json(200, json!({ "registered": name }))),
                Err(message) => refused(message),
            },
            "DELETE" => Some(Script::json(200, json!({ "forgotten": upstream.forget(name) }))),
            _ => refused("PUT a script or a list of scripts here, or DELETE it".to_owned()),
        };
    }
    match (method, path) {
        ("GET", "/__log") => Some(Script::json(200, json!(upstream.seen(only)))),
        ("DELETE", "/__log") => {
            upstream.clear_log(only);
            Some(Script::json(200, json!({})))
        }
        ("GET", "/") => Some(Script::json(200, Value::String(usage()))),
        _ => None,
    }
}

/// One script, or a list of them; the error is the one of the form that was meant.
fn answers(body: &[u8]) -> Result<Vec<Answer>, String> {
    let one = |value: Value| -> Result<Answer, String> {
        if value.get("use").is_some() {
            return serde_json::from_value(value).map_err(|error| error.to_string());
        }
        let script: Script = serde_json::from_value(value).map_err(|error| error.to_string())?;
        Ok(Answer::from(script))
    };
    let body: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if let Value::Array(list) = body { list.into_iter().map(one).collect() } else { Ok(vec![one(body)?]) }
}

fn usage() -> String {
    let mut text = "Signalbox's upstream simulator\n\n\
        POST /v1/chat/completions, POST /v1/messages, GET /v1/models  answers, under any prefix\n\
        PUT /__script/NAME   a script, or a list of scripts, one a request\n\
        GET, DELETE /__log   requests seen (?script=NAME)\n\n\
        A script is chosen by a model named like gpt-5.4~NAME, or by the path /__use/NAME/v1/…\n\nBuilt in:\n"
        .to_owned();
    for (name, what) in BUILT_IN {
        text.push_str(&format!("  {name:<14} {what}\n"));
    }
    text
}
