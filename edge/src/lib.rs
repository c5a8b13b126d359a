//! Signalbox as a Cloudflare Worker: the core's ports over fetch, KV and Durable Objects.
//!
//! `entry.mjs` is the module the platform runs; it calls [`serve`] for every request and builds a
//! new instance of this wasm after a trap.

mod glue;
mod journal;
mod ledger;
mod operation;
mod ports;
mod reply;
mod request;
mod shelf;
mod task;
mod tenant;

use futures_util::future::{Either, select};
use glue::Call;
use operation::Operation;
use ports::EdgePorts;
use request::Request;
use signalbox::app::App;
use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use worker::Env;

pub use operation::{answered, brought, done, failed, run, told};
pub use shelf::Shelf;
pub use tenant::Tenant;

thread_local! {
    /// The product, as long as this isolate lives.
    static APP: RefCell<Option<(App<EdgePorts>, EdgePorts)>> = const { RefCell::new(None) };
}

#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
    glue::want(&signalbox::ports::REQUEST_HEADERS.join("\n"));
}

/// Serves one request. Runs to its end even if the caller leaves, unless the runtime tells us so:
/// then everything under way is dropped, which aborts the provider's call and settles.
#[wasm_bindgen]
pub fn serve(call: Call, env: Env) {
    let (app, ports) = app(env);
    let call = Rc::new(call);
    task::spawn(async move {
        let left = Operation::new(call.gone());
        let served = pin!(app.serve(Request::new(call.clone())));
        match select(served, left).await {
            Either::Left((reply, _)) => reply::answer(&ports, &call, reply),
            // Nobody reads this one.
            Either::Right(_) => call.answer(499, "", &[]),
        }
    });
}

/// Does what has to be done once a minute; gives word by `done`.
#[wasm_bindgen]
pub fn tend(env: Env, done: js_sys::Function) {
    let (app, _) = app(env);
    task::spawn(async move {
        app.tend().await;
        // Who asked may be gone.
        let _ = done.call0(&JsValue::NULL);
    });
}

/// Answers a call during which the wasm trapped.
#[wasm_bindgen]
pub fn broken(call: &Call, path: &str, request_id: &str) {
    let (head, body) = signalbox::app::broken(path, request_id);
    reply::whole(call, &head, &body);
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
