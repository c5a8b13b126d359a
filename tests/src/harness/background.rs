//! A thread with a runtime of its own.
//!
//! A server that a test starts must outlive the test's runtime when several tests share it, and must be usable from tests
//! that have no runtime at all. So each server lives on its own thread and ends when its handle is dropped.

use std::future::Future;
use std::io;
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

/// Ends the thread's work when dropped, and waits until it has ended.
#[derive(Debug)]
pub struct Background {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Runs `start` on a new thread's runtime; when it has given its value, spawned tasks run on until the handle is dropped.
    /// After that, `end` runs, and everything still spawned is dropped.
    ///
    /// # Errors
    /// What `start` fails with, or the thread's own failure to start.
    pub fn start<T, S, F, E, G>(name: &str, start: S, end: E) -> io::Result<(Background, T)>
    where
        T: Send + 'static,
        S: FnOnce() -> F + Send + 'static,
        F: Future<Output = io::Result<T>>,
        E: FnOnce() -> G + Send + 'static,
        G: Future<Output = ()>,
    {
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = mpsc::channel();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(tell.send(Err(error))),
            };
            runtime.block_on(async {
                let started = start().await;
                let runs = started.is_ok();
                if tell.send(started).is_ok() && runs {
                    // Both a message and a dropped handle mean: end.
                    let _ = stopped.await;
                    end().await;
                }
            });
            // A blocking task that hangs must not keep the test process.
            runtime.shutdown_background();
        })?;
        let value = told.recv().map_err(|_| io::Error::other(format!("{name} ended before it began")))??;
        Ok((Background { stop: Some(stop), thread: Some(thread) }, value))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of that thread has been printed already.
            let _ = thread.join();
        }
    }
}
