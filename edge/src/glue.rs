//! The JavaScript in `glue.mjs` and `upstream.mjs`, as Rust sees it. A function that gives a `u32` begins an operation: see
//! [`crate::operation`].

use signalbox::http::Header;
use std::borrow::Cow;
use wasm_bindgen::prelude::*;
use worker::Env;
use worker::worker_sys::web_sys::ReadableStream;

#[wasm_bindgen(raw_module = "./glue.mjs")]
extern "C" {
    /// Waits.
    pub(crate) fn sleep(ms: f64) -> u32;

    /// Ends a wait before its time.
    pub(crate) fn wake(number: u32);

    /// Has [`crate::operation::run`] called soon.
    pub(crate) fn soon();

    /// Keeps the platform from ending the request's context until that number is released.
    pub(crate) fn hold() -> u32;

    /// Lets go of what was held.
    pub(crate) fn release(number: u32);

    /// Writes a line to the log.
    pub(crate) fn log(line: &str);

    /// 64 random bits.
    pub(crate) fn entropy() -> u64;

    /// A binding as text.
    pub(crate) fn binding(env: &Env, name: &str) -> Option<String>;

    /// Calls a tenant's object: commands in, replies out, both JSON.
    pub(crate) fn tenant(env: &Env, name: &str, commands: &str) -> u32;

    /// Asks a shelf's object, JSON in and out.
    pub(crate) fn shelf(env: &Env, name: &str, question: &str) -> u32;

    /// Brings the text that is stored under a name, or nothing.
    pub(crate) fn stored(env: &Env, name: &str) -> u32;

    /// Stores a text.
    pub(crate) fn store(env: &Env, name: &str, text: &str) -> u32;

    /// Brings every text that is stored under a name that begins so, as a list in JSON.
    #[wasm_bindgen(js_name = allStored)]
    pub(crate) fn all_stored(env: &Env, prefix: &str) -> u32;

    /// Writes an object of the archive.
    #[wasm_bindgen(js_name = putObject)]
    pub(crate) fn put_object(env: &Env, name: &str, text: &str) -> u32;

    /// Whether a signature is good: `yes` or `no`.
    pub(crate) fn verify(algorithm: &str, jwk: &str, message: &[u8], signature: &[u8]) -> u32;

    /// Signs with Ed25519.
    pub(crate) fn sign(seed: &[u8], message: &[u8]) -> u32;

    /// Signs with RSA and SHA-256; the key is PKCS #8.
    #[wasm_bindgen(js_name = signRs256)]
    pub(crate) fn sign_rs256(key: &[u8], message: &[u8]) -> u32;

    /// The public half of a seed's key pair, in base64url.
    #[wasm_bindgen(js_name = publicKey)]
    pub(crate) fn public_key(seed: &[u8]) -> u32;

    /// `encrypt` or `decrypt` with AES-256-GCM.
    pub(crate) fn cipher(direction: &str, key: &[u8], nonce: &[u8], about: &[u8], bytes: &[u8]) -> u32;

    /// Says which headers [`Call::envelope`] gives, a line each.
    pub(crate) fn want(names: &str);

    /// One request of a caller, and the way to answer it.
    pub type Call;

    /// Method, URL and the headers that were wanted, a line each.
    #[wasm_bindgen(method)]
    pub(crate) fn envelope(this: &Call) -> String;

    /// Brings the whole body.
    #[wasm_bindgen(method)]
    pub(crate) fn body(this: &Call) -> u32;

    /// Brings the whole body, or nothing if it is longer than `limit`.
    #[wasm_bindgen(method, js_name = bodyUpTo)]
    pub(crate) fn body_up_to(this: &Call, limit: f64) -> u32;

    /// Is done when the caller has gone.
    #[wasm_bindgen(method)]
    pub(crate) fn gone(this: &Call) -> u32;

    /// The answer, whole; headers as [`lines`].
    #[wasm_bindgen(method)]
    pub(crate) fn answer(this: &Call, status: u16, headers: &str, body: &[u8]);

    /// The answer, whose body flows.
    #[wasm_bindgen(method)]
    pub(crate) fn stream(this: &Call, status: u16, headers: &str, body: ReadableStream);
}

#[wasm_bindgen(raw_module = "./upstream.mjs")]
extern "C" {
    /// Sends a call and brings the whole answer, or [`LATE`] after `patience` ms.
    pub(crate) fn exchange(method: &str, url: &str, headers: &str, body: &[u8], patience: f64, limit: f64) -> u32;

    /// One call to a provider whose answer flows.
    #[derive(Clone, Debug)]
    pub(crate) type Upstream;

    #[wasm_bindgen(constructor)]
    pub(crate) fn new() -> Upstream;

    /// Sends it; brings the status and all of [`READ`], a line each.
    #[wasm_bindgen(method)]
    pub(crate) fn send(this: &Upstream, method: &str, url: &str, headers: &str, body: &[u8], forward: bool) -> u32;

    /// Brings the next bytes, or nothing at the end.
    #[wasm_bindgen(method)]
    pub(crate) fn chunk(this: &Upstream) -> u32;

    #[wasm_bindgen(method)]
    pub(crate) fn stop(this: &Upstream, why: &str);

    #[wasm_bindgen(method)]
    pub(crate) fn pipe(this: &Upstream, tick: f64, idle: f64, left: f64) -> Pipe;

    /// A body that flows to the caller by itself.
    pub(crate) type Pipe;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn readable(this: &Pipe) -> ReadableStream;

    /// Brings bytes that passed, or the word for why there are no more.
    #[wasm_bindgen(method, js_name = next)]
    pub(crate) fn watch(this: &Pipe) -> u32;

    /// Ends the answer.
    #[wasm_bindgen(method, js_name = close)]
    pub(crate) fn finish(this: &Pipe, last: Option<Box<[u8]>>) -> u32;

    /// A body that passes through the core piece by piece.
    pub(crate) type Pump;

    #[wasm_bindgen(constructor)]
    pub(crate) fn new(upstream: &Upstream, tick: f64, idle: f64, left: f64) -> Pump;

    #[wasm_bindgen(method, getter, js_name = readable)]
    pub(crate) fn output(this: &Pump) -> ReadableStream;

    /// Brings the next bytes, or the word for why there are no more.
    #[wasm_bindgen(method)]
    pub(crate) fn next(this: &Pump) -> u32;

    #[wasm_bindgen(method)]
    pub(crate) fn write(this: &Pump, bytes: &[u8]);

    /// Ends the answer.
    #[wasm_bindgen(method)]
    pub(crate) fn close(this: &Pump, last: Option<Box<[u8]>>) -> u32;
}

/// Headers of a provider's answer that the core reads, in the order of `upstream.mjs`: of one that is brought
/// whole the first sixteen.
pub(crate) const READ: [&str; 22] = [
    "content-type",
    "content-length",
    "retry-after",
    "retry-after-ms",
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-tokens",
    "anthropic-ratelimit-requests-limit",
    "anthropic-ratelimit-requests-remaining",
    "anthropic-ratelimit-requests-reset",
    "anthropic-ratelimit-tokens-limit",
    "anthropic-ratelimit-tokens-remaining",
    "anthropic-ratelimit-tokens-reset",
    "content-disposition",
    "content-encoding",
    "content-range",
    "accept-ranges",
    "etag",
    "last-modified",
];

/// The exception of an exchange that took too long.
pub(crate) const LATE: &str = "late";

/// Status and headers of a provider's answer, from their lines.
pub(crate) fn head(lines: &str) -> (u16, Vec<Header>) {
    let mut lines = lines.split('\n');
    let status = lines.next().and_then(|status| status.parse().ok()).unwrap_or_default();
    let named = READ.iter().zip(lines).filter(|(_, value)| !value.is_empty());
    (status, named.map(|(name, value)| (Cow::Borrowed(*name), value.to_owned())).collect())
}

/// Headers in the one string that crosses to JavaScript.
pub(crate) fn lines(headers: &[Header]) -> String {
    let mut lines = String::with_capacity(headers.iter().map(|(name, value)| name.len() + value.len() + 2).sum());
    for (name, value) in headers {
        lines.push_str(name);
        lines.push('\n');
        // A line break in a value would be another header.
        if value.contains(['\n', '\r']) {
            lines.extend(value.chars().map(|c| if c == '\n' || c == '\r' { ' ' } else { c }));
        } else {
            lines.push_str(value);
        }
        lines.push('\n');
    }
    lines
}
