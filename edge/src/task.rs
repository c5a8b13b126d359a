//! Runs the core's futures on the isolate's own event loop.
//!
//! A task is polled at once, on the stack of whoever woke it: the end of an operation (see
//! [`crate::operation`]) goes on with its task in the same turn. A promise and a microtask for every
//! step, as `wasm-bindgen-futures` has them, cost more than all that the core does with a request.

use crate::glue;
use slab::Slab;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

struct Task {
    /// `None` while it is being polled.
    future: Option<Pin<Box<dyn Future<Output = ()>>>>,
    waker: Waker,
}

thread_local! {
    static TASKS: RefCell<Slab<Task>> = const { RefCell::new(Slab::new()) };
    /// Who is to be polled, in order.
    static READY: RefCell<VecDeque<usize>> = const { RefCell::new(VecDeque::new()) };
    /// Somebody further up the stack polls until nobody is ready.
    static RUNNING: Cell<bool> = const { Cell::new(false) };
}

/// Wakes a task by its number. A number may already belong to a later task, which is then polled in vain.
struct Number(usize);

impl Wake for Number {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        READY.with_borrow_mut(|ready| ready.push_back(self.0));
        if !RUNNING.get() {
            // Whoever wakes from outside may be in the middle of something.
            glue::soon();
        }
    }
}

/// Runs a future to its end, as far as it comes now at once.
pub(crate) fn spawn(future: impl Future<Output = ()> + 'static) {
    let number = TASKS.with_borrow_mut(|tasks| {
        let entry = tasks.vacant_entry();
        let number = entry.key();
        entry.insert(Task { future: Some(Box::pin(future)), waker: Waker::from(Arc::new(Number(number))) });
        number
    });
    READY.with_borrow_mut(|ready| ready.push_back(number));
    run_after(|| ());
}

/// Does `something`, which may wake tasks, and polls all that are ready.
pub(crate) fn run_after(something: impl FnOnce()) {
    let outermost = !RUNNING.replace(true);
    something();
    if outermost {
        while let Some(number) = READY.with_borrow_mut(VecDeque::pop_front) {
            poll(number);
        }
        RUNNING.set(false);
    }
}

fn poll(number: usize) {
    let taken = TASKS.with_borrow_mut(|tasks| {
        let task = tasks.get_mut(number)?;
        Some((task.future.take()?, task.waker.clone()))
    });
    // Ended meanwhile.
    let Some((mut future, waker)) = taken else { return };
    let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
    match polled {
        Poll::Pending => TASKS.with_borrow_mut(|tasks| {
            if let Some(task) = tasks.get_mut(number) {
                task.future = Some(future);
            }
        }),
        Poll::Ready(()) => {
            // What its end drops may spawn.
            drop(future);
            TASKS.with_borrow_mut(|tasks| tasks.try_remove(number));
        }
    }
}
