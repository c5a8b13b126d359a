//! A platform without a machine: the core's ports in memory, on a clock that jumps.
//!
//! [`World`] implements [`signalbox::ports`] over the simulator's scripts, a map of keys and the specification's own
//! ledger. Time passes only when everything waits, and then at once: an hour of stalls is tested in a millisecond, and the
//! same seed gives the same run, to the byte.

mod executor;
mod random;
mod stores;
mod transport;
mod world;

pub use executor::{Deadlock, Executor};
pub use random::SplitMix;
pub use stores::Faults;
pub use transport::PlayedBody;
pub use world::{Options, World};
