//! One thread, many futures, and a clock that moves when all of them wait.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use crate::harness::locked;

/// Runs futures on virtual time. Clones share clock and tasks.
#[derive(Clone, Debug, Default)]
pub struct Executor(Rc<Inner>);

type Task = Pin<Box<dyn Future<Output = ()>>>;

#[derive(Default)]
struct Inner {
    now_ms: Cell<u64>,
    serial: Cell<u64>,
    tasks: RefCell<BTreeMap<u64, Task>>,
    /// By instant, then by order of asking.
    timers: RefCell<BTreeMap<(u64, u64), Waker>>,
    ready: Arc<Ready>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Executor at {} ms with {} tasks", self.now_ms.get(), self.tasks.borrow().len())
    }
}

/// Ids of futures to be polled; [`MAIN`] is the one given to [`Executor::run`].
#[derive(Debug, Default)]
struct Ready(Mutex<VecDeque<u64>>);

const MAIN: u64 = 0;

struct Alarm {
    id: u64,
    ready: Arc<Ready>,
}

impl Wake for Alarm {
    fn wake(self: Arc<Alarm>) {
        let mut ready = locked(&self.ready.0);
        if !ready.contains(&self.id) {
            ready.push_back(self.id);
        }
    }
}

/// Everything waits, and nothing that could end the waiting is under way: a bug, or a stall without a timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlock;

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("everything waits for ever: no future is ready and no timer is set")
    }
}

impl std::error::Error for Deadlock {}

impl Executor {
    /// A clock that shows `now_ms`, milliseconds UTC.
    pub fn starting_at(now_ms: u64) -> Executor {
        let executor = Executor::default();
        executor.0.now_ms.set(now_ms);
        executor
    }

    /// The present, milliseconds UTC.
    pub fn now_ms(&self) -> u64 {
        self.0.now_ms.get()
    }

    /// Futures spawned and not yet done.
    pub fn tasks(&self) -> usize {
        self.0.tasks.borrow().len()
    }

    /// Runs `task` beside whatever [`run`](Executor::run) runs.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let id = self.serial();
        self.0.tasks.borrow_mut().insert(id, Box::pin(task));
        self.waker(id).wake();
    }

    /// Completes when the clock shows `ms` more than now.
    pub fn sleep(&self, ms: u64) -> Sleep {
        Sleep { executor: self.clone(), key: (self.now_ms().saturating_add(ms), self.serial()) }
    }

    /// Runs until `main` is done; what was spawned stays where it is until the next run.
    ///
    /// # Errors
    /// [`Deadlock`].
    pub fn run<T>(&self, main: impl Future<Output = T>) -> Result<T, Deadlock> {
        let mut main = pin!(main);
        self.waker(MAIN).wake();
        loop {
            let next = locked(&self.0.ready.0).pop_front();
            match next {
                Some(MAIN) => {
                    let waker = self.waker(MAIN);
                    if let Poll::Ready(value) = main.as_mut().poll(&mut Context::from_waker(&waker)) {
                        return Ok(value);
                    }
                }
                Some(id) => self.poll(id),
                None => self.advance()?,
            }
        }
    }

    fn poll(&self, id: u64) {
        // Taken out while it runs, so that it may spawn.
        let task = self.0.tasks.borrow_mut().remove(&id);
        let Some(mut task) = task else { return };
        let waker = self.waker(id);
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            self.0.tasks.borrow_mut().insert(id, task);
        }
    }

    /// Moves the clock to the next timer.
    fn advance(&self) -> Result<(), Deadlock> {
        let next = self.0.timers.borrow_mut().pop_first();
        let ((at, _), waker) = next.ok_or(Deadlock)?;
        self.0.now_ms.set(self.now_ms().max(at));
        waker.wake();
        Ok(())
    }

    fn serial(&self) -> u64 {
        let serial = self.0.serial.get().wrapping_add(1);
        self.0.serial.set(serial);
        serial
    }

    fn waker(&self, id: u64) -> Waker {
        Waker::from(Arc::new(Alarm { id, ready: Arc::clone(&self.0.ready) }))
    }
}

/// See [`Executor::sleep`]. Dropping it takes its timer away, so that time does not pass for nobody.
#[derive(Debug)]
pub struct Sleep {
    executor: Executor,
    key: (u64, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.executor.now_ms() >= self.key.0 {
            return Poll::Ready(());
        }
        self.executor.0.timers.borrow_mut().insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.executor.0.timers.borrow_mut().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_only_when_everything_waits_and_then_at_once() {
        let executor = Executor::starting_at(1_000);
        let (order, inside) = (Rc::new(RefCell::new(Vec::new())), executor.clone());
        let noted = Rc::clone(&order);
        let background = executor.clone();
        executor.spawn(async move {
            background.sleep(3_600_000).await;
            noted.borrow_mut().push(("background", background.now_ms()));
        });
        let noted = Rc::clone(&order);
        let done = executor.run(async move {
            inside.sleep(5).await;
            noted.borrow_mut().push(("first", inside.now_ms()));
            inside.sleep(7_200_000).await;
        });
        assert_eq!(done, Ok(()));
        assert_eq!(*order.borrow(), [("first", 1_005), ("background", 3_601_000)]);
        assert_eq!((executor.now_ms(), executor.tasks()), (7_201_005, 0));
    }

    #[test]
    fn waiting_for_nothing_is_told_instead_of_hanging() {
        assert_eq!(Executor::default().run(std::future::pending::<()>()), Err(Deadlock));
    }

    #[test]
    fn a_dropped_sleep_holds_nobody_up() {
        let executor = Executor::default();
        let inside = executor.clone();
        let done = executor.run(async move {
            {
                let mut sleep = pin!(inside.sleep(50));
                let _ = futures_util::poll!(sleep.as_mut());
            }
            std::future::pending::<()>().await;
        });
        assert_eq!((done, executor.now_ms()), (Err(Deadlock), 0));
    }
}
