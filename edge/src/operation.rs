//! What the core waits for in JavaScript.
//!
//! A function of `glue.mjs` or `upstream.mjs` begins an operation and gives its number. When it is done, JavaScript calls
//! one of the exports below, and whoever waits goes on within that call.

use crate::{glue, task};
use signalbox::sorted::SortedMap;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use wasm_bindgen::prelude::*;

/// What an operation brings.
#[derive(Debug)]
pub(crate) enum Value {
    Nothing,
    Bytes(Vec<u8>),
    Text(String),
    /// A provider's answer: its head, and its body if that was not too large.
    Answer(String, Option<Vec<u8>>),
}

impl Value {
    /// The bytes it is, if it is any.
    pub(crate) fn into_bytes(self) -> Option<Vec<u8>> {
        match self {
            Value::Bytes(bytes) => Some(bytes),
            Value::Nothing | Value::Text(_) | Value::Answer(..) => None,
        }
    }

    /// The text it is, if it is one.
    pub(crate) fn into_text(self) -> Option<String> {
        match self {
            Value::Text(text) => Some(text),
            Value::Nothing | Value::Bytes(_) | Value::Answer(..) => None,
        }
    }

    /// The answer it is, if it is one.
    pub(crate) fn into_answer(self) -> Option<(String, Option<Vec<u8>>)> {
        match self {
            Value::Answer(head, body) => Some((head, body)),
            Value::Nothing | Value::Bytes(_) | Value::Text(_) => None,
        }
    }
}

type Ended = Result<Value, String>;

enum State {
    Waiting(Waker),
    Ended(Ended),
}

thread_local! {
    static OPERATIONS: RefCell<SortedMap<u32, State>> = const { RefCell::new(SortedMap::new()) };
}

/// An operation under way: gives what it brings, or what its exception said. Dropped, it is forgotten,
/// not ended.
#[derive(Debug)]
pub(crate) struct Operation(u32);

impl Operation {
    /// The operation of that number, which JavaScript has just given.
    pub(crate) fn new(number: u32) -> Operation {
        OPERATIONS.with_borrow_mut(|all| all.insert(number, State::Waiting(Waker::noop().clone())));
        Operation(number)
    }
}

impl Future for Operation {
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Ended> {
        OPERATIONS.with_borrow_mut(|all| match all.remove(&self.0) {
            Some(State::Ended(ended)) => Poll::Ready(ended),
            Some(State::Waiting(_)) | None => {
                all.insert(self.0, State::Waiting(context.waker().clone()));
                Poll::Pending
            }
        })
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        OPERATIONS.with_borrow_mut(|all| all.remove(&self.0));
    }
}

/// Waits; dropped before its time, it leaves no timer behind.
pub(crate) async fn sleep(ms: f64) {
    struct Timer(u32);
    impl Drop for Timer {
        fn drop(&mut self) {
            glue::wake(self.0);
        }
    }
    let number = glue::sleep(ms);
    let _timer = Timer(number);
    let _ = Operation::new(number).await;
}

fn end(number: u32, ended: Ended) {
    let waker = OPERATIONS.with_borrow_mut(|all| match all.get_mut(&number) {
        Some(state) => match std::mem::replace(state, State::Ended(ended)) {
            State::Waiting(waker) => Some(waker),
            State::Ended(_) => None,
        },
        // Nobody waits any more.
        None => None,
    });
    if let Some(waker) = waker {
        task::run_after(|| waker.wake());
    }
}

/// It is done.
#[wasm_bindgen]
pub fn done(number: u32) {
    end(number, Ok(Value::Nothing));
}

/// It brought bytes.
#[wasm_bindgen]
pub fn brought(number: u32, bytes: Vec<u8>) {
    end(number, Ok(Value::Bytes(bytes)));
}

/// It brought text.
#[wasm_bindgen]
pub fn told(number: u32, text: String) {
    end(number, Ok(Value::Text(text)));
}

/// It brought a provider's whole answer.
#[wasm_bindgen]
pub fn answered(number: u32, head: String, body: Option<Vec<u8>>) {
    end(number, Ok(Value::Answer(head, body)));
}

/// It threw an exception that says this.
#[wasm_bindgen]
pub fn failed(number: u32, message: String) {
    end(number, Err(message));
}

/// Goes on with all that was woken outside of an operation.
#[wasm_bindgen]
pub fn run() {
    task::run_after(|| ());
}
