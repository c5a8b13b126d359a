//! One process of the function: started, given events one at a time, frozen between them, killed.
//!
//! An instance is busy from [`Instance::deliver`] until its process polls for the next event, not until its answer ends:
//! what a function does between the two is part of the invocation, as on Lambda.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::task::AbortHandle;

use super::answer::Head;
use super::logs::Logs;
use super::options::Options;
use super::pool::Pool;
use super::runtime_api;
use crate::harness::{ends_with_parent, locked};

/// How long reading what a process left behind may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// An event on its way to a function.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) request_id: String,
    pub(crate) event: Bytes,
    /// Unix milliseconds.
    pub(crate) deadline_ms: u64,
    pub(crate) timeout: Duration,
    pub(crate) answer: oneshot::Sender<Answering>,
    /// The place among the processes allowed, given back when the instance is free again.
    pub(crate) place: OwnedSemaphorePermit,
}

/// The head of an answer, and its body as it comes. Dropped before the head: the function failed.
#[derive(Debug)]
pub(crate) struct Answering {
    pub(crate) head: Head,
    pub(crate) body: mpsc::Receiver<Piece>,
}

/// A piece of a body. A channel that closes without `End` was cut.
#[derive(Debug)]
pub(crate) enum Piece {
    Bytes(Bytes),
    End,
}

/// An event as the process gets it.
#[derive(Debug)]
pub(crate) struct Delivered {
    pub(crate) request_id: String,
    pub(crate) event: Bytes,
    pub(crate) deadline_ms: u64,
}

/// One process of the function.
#[derive(Debug)]
pub(crate) struct Instance {
    index: usize,
    pid: Pid,
    freeze: bool,
    pool: Weak<Pool>,
    events: mpsc::Sender<Delivered>,
    inside: Mutex<Inside>,
    logs: Logs,
}

#[derive(Debug)]
struct Inside {
    alive: bool,
    spawned: Instant,
    init: Option<Duration>,
    invocations: u64,
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    request_id: String,
    /// Taken when the head is known; dropped with the rest when the function fails before.
    answer: Option<oneshot::Sender<Answering>>,
    fetched: bool,
    /// The answer is over; what is left is the function's own end of it.
    answered: bool,
    watchdog: AbortHandle,
    _place: OwnedSemaphorePermit,
}

impl Drop for Current {
    fn drop(&mut self) {
        self.watchdog.abort();
    }
}

/// What can be known of a process from outside.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Counts processes from 0 in the order they were started.
    pub index: usize,
    /// Process id.
    pub pid: i32,
    /// Not yet ended.
    pub alive: bool,
    /// Working on an event.
    pub busy: bool,
    /// Events it was given.
    pub invocations: u64,
    /// Milliseconds from its start to its first poll, once it has polled.
    pub init_ms: Option<f64>,
}

impl Instance {
    /// Starts a process with a Runtime API of its own.
    pub(crate) async fn spawn(
        index: usize,
        options: &Options,
        environment: &[(String, String)],
        pool: Weak<Pool>,
        logs: Logs,
    ) -> io::Result<Arc<Instance>> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address: SocketAddr = listener.local_addr()?;
        let (output, sink) = io::pipe()?;
        let mut command = std::process::Command::new(&options.bootstrap);
        command.env_clear().envs(environment.iter().cloned()).env("AWS_LAMBDA_RUNTIME_API", address.to_string());
        command.stdin(Stdio::null()).stdout(sink.try_clone()?).stderr(sink);
        ends_with_parent(&mut command);
        let spawned = Instant::now();
        let mut command = tokio::process::Command::from(command);
        let mut child = command
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", options.bootstrap.display())))?;
        // The command holds the pipe's writing end: were it kept, the reader would see no end.
        drop(command);
        logs.follow(output)?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        let pid = pid.ok_or_else(|| io::Error::other("the function ended at once"))?;
        let (events, queue) = mpsc::channel(1);
        let inside = Inside { alive: true, spawned, init: None, invocations: 0, current: None };
        let instance =
            Arc::new(Instance { index, pid, freeze: options.freeze, pool, events, inside: Mutex::new(inside), logs });
        let (stop, stopped) = oneshot::channel();
        let api = tokio::spawn(runtime_api::serve(listener, Arc::clone(&instance), queue, stopped));
        let watched = Arc::clone(&instance);
        tokio::spawn(async move {
            let ended = child.wait().await;
            locked(&watched.inside).alive = false;
            let how = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
            // What it sent before it ended is still read.
            drop(stop);
            let _ = tokio::time::timeout(LAST_WORDS, api).await;
            watched.ended(&how);
        });
        Ok(instance)
    }

    pub(crate) fn status(&self) -> Status {
        let inside = locked(&self.inside);
        Status {
            index: self.index,
            pid: self.pid.as_raw(),
            alive: inside.alive,
            busy: inside.current.is_some(),
            invocations: inside.invocations,
            init_ms: inside.init.map(|init| init.as_secs_f64() * 1000.0),
        }
    }

    /// Gives the process an event. An instance that is dead or busy gives it back.
    pub(crate) fn deliver(self: &Arc<Self>, invocation: Invocation) -> Result<(), Invocation> {
        let mut inside = locked(&self.inside);
        if !inside.alive || inside.current.is_some() {
            return Err(invocation);
        }
        let Invocation { request_id, event, deadline_ms, timeout, answer, place } = invocation;
        let late = Arc::downgrade(self);
        let late_id = request_id.clone();
        let watchdog = tokio::spawn(async move {
            tokio::time::sleep(timeout).await;
            if let Some(instance) = late.upgrade() {
                instance.logs.add(format!("{late_id} Task timed out after {:.2} seconds", timeout.as_secs_f64()));
                instance.kill();
            }
        });
        inside.current = Some(Current {
            request_id: request_id.clone(),
            answer: Some(answer),
            fetched: false,
            answered: false,
            watchdog: watchdog.abort_handle(),
            _place: place,
        });
        inside.invocations = inside.invocations.saturating_add(1);
        self.signal(&inside, Signal::SIGCONT);
        // There is room: an instance that is not busy has fetched all it was given.
        drop(self.events.try_send(Delivered { request_id, event, deadline_ms }));
        Ok(())
    }

    /// The process polls for its next event: what it had is finished.
    pub(crate) fn polled(self: &Arc<Self>) {
        let finished = {
            let mut inside = locked(&self.inside);
            if inside.init.is_none() {
                inside.init = Some(inside.spawned.elapsed());
            }
            match &mut inside.current {
                // Started for this very event.
                Some(current) if !current.fetched => {
                    current.fetched = true;
                    return;
                }
                Some(_) | None => {
                    let finished = inside.current.take();
                    if self.freeze {
                        self.signal(&inside, Signal::SIGSTOP);
                    }
                    finished
                }
            }
        };
        if let Some(pool) = self.pool.upgrade() {
            pool.is_free(self);
        }
        // Only now: who waits for the place must find the instance among the free ones.
        drop(finished);
    }

    /// The event has been handed to the process.
    pub(crate) fn fetched(&self) {
        if let Some(current) = &mut locked(&self.inside).current {
            current.fetched = true;
        }
    }

    /// The current answer has come to its end, well or badly.
    pub(crate) fn answered(&self, request_id: &str) {
        let mut inside = locked(&self.inside);
        if let Some(current) = inside.current.as_mut().filter(|current| current.request_id == request_id) {
            current.answered = true;
        }
    }

    /// About to be free: its answer is over, and its next poll is on the way.
    pub(crate) fn is_finishing(&self) -> bool {
        let inside = locked(&self.inside);
        inside.alive && inside.current.as_ref().is_some_and(|current| current.answered)
    }

    /// The way back to the caller of this invocation; `None` for an id that is not the current one, or is answered already.
    pub(crate) fn take_answer(&self, request_id: &str) -> Option<oneshot::Sender<Answering>> {
        let mut inside = locked(&self.inside);
        inside.current.as_mut().filter(|current| current.request_id == request_id)?.answer.take()
    }

    /// Ends the process at once, wherever it is.
    pub(crate) fn kill(&self) {
        self.signal(&locked(&self.inside), Signal::SIGKILL);
    }

    /// Sends nothing to a process that has been waited for: its id may be another's.
    fn signal(&self, inside: &Inside, signal: Signal) {
        if inside.alive {
            // No such process: it has just ended, and the task that waits for it will say so.
            let _ = kill(self.pid, signal);
        }
    }

    fn ended(self: &Arc<Self>, how: &str) {
        let current = {
            let mut inside = locked(&self.inside);
            inside.alive = false;
            inside.current.take()
        };
        self.logs.add(format!("process {} ended: {how}", self.pid));
        if let Some(pool) = self.pool.upgrade() {
            pool.is_gone(self);
        }
        drop(current);
    }
}
