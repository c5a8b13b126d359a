//! How the programs here end: SIGTERM, SIGINT, or their parent's end.

use std::io;

use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};

/// Blocks until the process is asked to stop: SIGTERM, SIGINT, and with `with_parent` the end of standard input.
///
/// # Errors
/// Signals cannot be received.
pub fn stop_requested(with_parent: bool) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let stopped = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = standard_input_closed(), if with_parent => {}
        }
        Ok(())
    });
    // A read of standard input may still be blocked.
    runtime.shutdown_background();
    stopped
}

async fn standard_input_closed() {
    let mut input = tokio::io::stdin();
    let mut ignored = [0; 256];
    while !matches!(input.read(&mut ignored).await, Ok(0) | Err(_)) {}
}
