//! The processes of a function: which one gets an event, and when another is started.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::sync::{Notify, Semaphore, oneshot};

use super::instance::{Answering, Instance, Invocation, Status};
use super::logs::Logs;
use super::options::Options;
use crate::harness::locked;

/// See [`Pool::take_free`].
const A_MOMENT: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(crate) struct Pool {
    options: Options,
    environment: Vec<(String, String)>,
    logs: Logs,
    /// As many as processes may be busy.
    places: Arc<Semaphore>,
    all: Mutex<Vec<Arc<Instance>>>,
    /// The one used last is used first, as on Lambda.
    free: Mutex<Vec<Arc<Instance>>>,
    /// One has become free.
    freed: Notify,
}

impl Pool {
    pub(crate) fn new(options: Options, environment: Vec<(String, String)>, logs: Logs) -> Arc<Pool> {
        let places = Arc::new(Semaphore::new(options.instances.max(1)));
        Arc::new(Pool {
            options,
            environment,
            logs,
            places,
            all: Mutex::default(),
            free: Mutex::default(),
            freed: Notify::new(),
        })
    }

    /// Starts a process before there is an event for it.
    pub(crate) async fn warm(self: &Arc<Self>) -> io::Result<Arc<Instance>> {
        let index = locked(&self.all).len();
        let pool = Arc::downgrade(self);
        let instance = Instance::spawn(index, &self.options, &self.environment, pool, self.logs.clone()).await?;
        locked(&self.all).push(Arc::clone(&instance));
        Ok(instance)
    }

    /// Gives an event to a process, starting one when none is free. An error is the function's failure.
    pub(crate) async fn invoke(self: &Arc<Self>, request_id: String, event: Bytes) -> io::Result<Answering> {
        let gone = |_| io::Error::other("the function is being stopped");
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(gone)?;
        let (answer, answered) = oneshot::channel();
        let timeout = self.options.timeout;
        let deadline_ms = unix_ms().saturating_add(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX));
        let mut invocation = Invocation { request_id, event, deadline_ms, timeout, answer, place };
        loop {
            let instance = match self.take_free().await {
                Some(instance) => instance,
                None => self.warm().await?,
            };
            match instance.deliver(invocation) {
                Ok(()) => break,
                // It died while it lay idle.
                Err(back) => invocation = back,
            }
        }
        answered.await.map_err(|_| io::Error::other("the function failed before it answered"))
    }

    /// A free process, or one that is free in a moment: callers here are so near that the next request of one who has just
    /// been answered comes before the function's next poll. A caller on a network never sees that.
    async fn take_free(&self) -> Option<Arc<Instance>> {
        let until = tokio::time::Instant::now() + A_MOMENT;
        loop {
            if let Some(instance) = locked(&self.free).pop() {
                return Some(instance);
            }
            if !locked(&self.all).iter().any(|instance| instance.is_finishing()) {
                return None;
            }
            // The notice is kept when it comes before this line.
            tokio::time::timeout_at(until, self.freed.notified()).await.ok()?;
        }
    }

    pub(crate) fn is_free(&self, instance: &Arc<Instance>) {
        locked(&self.free).push(Arc::clone(instance));
        self.freed.notify_one();
    }

    pub(crate) fn is_gone(&self, instance: &Arc<Instance>) {
        locked(&self.free).retain(|free| !Arc::ptr_eq(free, instance));
    }

    pub(crate) fn statuses(&self) -> Vec<Status> {
        locked(&self.all).iter().map(|instance| instance.status()).collect()
    }

    /// Kills a process by its index; false when there is none alive.
    pub(crate) fn kill(&self, index: usize) -> bool {
        let instance = locked(&self.all).get(index).cloned();
        instance.filter(|instance| instance.status().alive).is_some_and(|instance| {
            instance.kill();
            true
        })
    }

    /// Kills every process and waits until all have ended.
    pub(crate) async fn stop(&self) {
        self.places.close();
        while self.statuses().iter().any(|status| status.alive) {
            for index in 0..self.statuses().len() {
                self.kill(index);
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
