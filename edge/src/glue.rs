//! The JavaScript in `glue.mjs`, as Rust sees it.

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use worker::Env;
use worker::worker_sys::web_sys::{ReadableStream, Request, Response};

#[wasm_bindgen(raw_module = "./glue.mjs")]
extern "C" {
    /// Keeps the platform from ending the request's context before `promise` settles.
    #[wasm_bindgen(js_name = waitUntil)]
    pub(crate) fn wait_until(promise: &Promise);

    /// 64 random bits.
    pub(crate) fn entropy() -> u64;

    /// An answer; headers as `name\nvalue\n…`.
    pub(crate) fn respond(status: u16, headers: &str, body: &JsValue) -> Response;

    /// The named headers of a request: names and values a line each.
    pub(crate) fn headers(request: &Request, names: &str) -> String;

    /// A binding as text.
    pub(crate) fn binding(env: &Env, name: &str) -> Option<String>;

    /// Resolves when the caller has gone.
    pub(crate) fn gone(request: &Request) -> Promise;

    /// Calls a tenant's object: commands in, replies out, both JSON.
    #[wasm_bindgen(catch)]
    pub(crate) async fn tenant(env: &Env, name: &str, commands: &str) -> Result<JsValue, JsValue>;

    /// One call to a provider.
    #[derive(Clone, Debug)]
    pub(crate) type Upstream;

    #[wasm_bindgen(constructor)]
    pub(crate) fn new() -> Upstream;

    #[wasm_bindgen(method, catch)]
    pub(crate) async fn send(
        this: &Upstream,
        url: &str,
        headers: &str,
        body: Uint8Array,
        forward: bool,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method)]
    pub(crate) fn header(this: &Upstream, name: &str) -> Option<String>;

    #[wasm_bindgen(method, catch)]
    pub(crate) async fn whole(this: &Upstream) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(crate) async fn read(this: &Upstream) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method)]
    pub(crate) fn stop(this: &Upstream, why: &str);

    #[wasm_bindgen(method)]
    pub(crate) fn pipe(this: &Upstream, tick: f64, idle: f64, left: f64) -> Pipe;

    /// A body that flows to the caller by itself.
    pub(crate) type Pipe;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn readable(this: &Pipe) -> ReadableStream;

    #[wasm_bindgen(method, catch)]
    pub(crate) async fn next(this: &Pipe) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(crate) async fn close(this: &Pipe, last: Option<Uint8Array>) -> Result<JsValue, JsValue>;

    /// A body that passes through the core piece by piece.
    pub(crate) type Pump;

    #[wasm_bindgen(constructor)]
    pub(crate) fn new(upstream: &Upstream, tick: f64, idle: f64, left: f64) -> Pump;

    #[wasm_bindgen(method, getter, js_name = readable)]
    pub(crate) fn stream(this: &Pump) -> ReadableStream;

    #[wasm_bindgen(method, catch, js_name = next)]
    pub(crate) async fn read(this: &Pump) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method)]
    pub(crate) fn write(this: &Pump, bytes: Uint8Array);

    #[wasm_bindgen(method, catch, js_name = close)]
    pub(crate) async fn finish(this: &Pump, last: Option<Uint8Array>) -> Result<JsValue, JsValue>;
}

/// Headers in the one string that crosses to JavaScript.
pub(crate) fn lines(headers: &[signalbox::http::Header]) -> String {
    let mut lines = String::with_capacity(headers.iter().map(|(name, value)| name.len() + value.len() + 2).sum());
    for (name, value) in headers {
        lines.push_str(name);
        lines.push('\n');
        // A line break in a value would be another header.
        lines.extend(value.chars().map(|c| if c == '\n' || c == '\r' { ' ' } else { c }));
        lines.push('\n');
    }
    lines
}

/// What a JavaScript exception says.
pub(crate) fn message(error: &JsValue) -> String {
    error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message())).unwrap_or_else(|| format!("{error:?}"))
}
