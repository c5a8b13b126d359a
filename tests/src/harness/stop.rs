//! How the programs here end: SIGTERM, SIGINT, or their parent's end.

use std::future::Future;
use std::io;

use tokio::io::AsyncReadExt;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens for requests to stop. Made before a program says that it is ready: whoever reads that may stop it at once.
#[derive(Debug)]
pub struct Stop {
    runtime: Runtime,
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    /// Takes SIGTERM and SIGINT over from here on.
    ///
    /// # Errors
    /// Signals cannot be received.
    pub fn listen() -> io::Result<Stop> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (terminate, interrupt) = {
            let _inside = runtime.enter();
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
        };
        Ok(Stop { runtime, terminate, interrupt })
    }

    /// Does some work on this thread; `None` when a signal came first.
    pub fn unless_asked<F: Future>(&mut self, work: F) -> Option<F::Output> {
        let Stop { runtime, terminate, interrupt } = self;
        runtime.block_on(async {
            tokio::select! {
                done = work => Some(done),
                _ = terminate.recv() => None,
                _ = interrupt.recv() => None,
            }
        })
    }

    /// Blocks until a signal comes, and with `with_parent` until standard input ends.
    pub fn wait(mut self, with_parent: bool) {
        self.unless_asked(async {
            if with_parent {
                standard_input_closed().await;
            } else {
                std::future::pending::<()>().await;
            }
        });
        // A read of standard input may still be blocked.
        self.runtime.shutdown_background();
    }
}

async fn standard_input_closed() {
    let mut input = tokio::io::stdin();
    let mut ignored = [0; 256];
    while !matches!(input.read(&mut ignored).await, Ok(0) | Err(_)) {}
}
