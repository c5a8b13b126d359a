//! Signalbox as a Cloudflare Worker: the core's ports over fetch, KV and Durable Objects.
//!
//! `entry.mjs` is the module the platform runs; it calls [`serve`] for every request and builds a
//! new instance of this wasm after a trap.

mod glue;
mod ledger;
mod ports;
mod reply;
mod request;
mod tenant;

use futures_util::future::{Either, select};
use ports::EdgePorts;
use request::Request;
use signalbox::app::App;
use std::cell::RefCell;
use std::pin::pin;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::Env;
use worker::worker_sys::web_sys;

pub use tenant::Tenant;

thread_local! {
    /// The product, as long as this isolate lives.
    static APP: RefCell<Option<(App<EdgePorts>, EdgePorts)>> = const { RefCell::new(None) };
}

#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// Serves one request. Runs to its end even if the caller leaves, unless the runtime tells us so:
/// then everything under way is dropped, which aborts the provider's call and settles.
#[wasm_bindgen]
pub async fn serve(request: web_sys::Request, env: Env) -> web_sys::Response {
    let (app, ports) = app(env);
    let left = pin!(JsFuture::from(glue::gone(&request)));
    let served = pin!(app.serve(Request::new(request)));
    match select(served, left).await {
        Either::Left((reply, _)) => reply::respond(&ports, reply),
        // Nobody reads this one.
        Either::Right(_) => glue::respond(499, "", &JsValue::NULL),
    }
}

/// The answer to a request during which the wasm trapped. Headers as `name\nvalue\n…`.
#[wasm_bindgen]
pub fn broken(path: &str, request_id: &str) -> web_sys::Response {
    let (head, body) = signalbox::app::broken(path, request_id);
    reply::whole(&head, &body)
}

fn app(env: Env) -> (App<EdgePorts>, EdgePorts) {
    APP.with_borrow_mut(|app| {
        app.get_or_insert_with(|| {
            let ports = EdgePorts::new(env.clone());
            let bindings = move |name: &str| glue::binding(&env, name);
            (App::new(ports.clone(), bindings), ports)
        })
        .clone()
    })
}
