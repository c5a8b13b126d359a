//! What suites and benchmarks share: an HTTP client that tells when each byte came, child processes that are never left
//! behind, threads that live as long as what they serve, and waiting until something is ready.

mod background;
mod client;
mod process;
mod ready;
mod stop;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use background::Background;
pub use client::{Chunk, Client, Reply, Request};
pub use process::{Guarded, ends_with_parent};
pub use ready::{free_port, wait_for_port, wait_until_healthy};
pub use stop::Stop;

/// Locks, also after a panic elsewhere: what the harness keeps is consistent between any two statements.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
