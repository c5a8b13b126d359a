//! The upstream simulator: providers as data.
//!
//! Everything it answers is a [`Script`]: what a test registers, the built-in faults, and the friendly answer of a first
//! call are the same type, played by one interpreter ([`Playback`]). [`Upstream`] chooses the script and keeps the log and
//! knows no socket, so the same scripts play on virtual time; [`Simulator`] puts it behind HTTP on loopback.
//!
//! # Which script answers a request?
//!
//! 1. the name in the path, `/__use/{name}/v1/…`;
//! 2. the name after `~` in the request's `model`, as in `gpt-4o-mini~fails-once`;
//! 3. none: `friendly`.
//!
//! A registered name wins over a built-in one. An unknown name is answered with a 404 that says so, never with something plausible.

mod ask;
mod body;
mod builtin;
mod friendly;
mod log;
mod mcp;
mod play;
mod script;
mod server;
mod socket;
mod upstream;

pub use ask::{Ask, Dialect};
pub use builtin::BUILT_IN;
pub(crate) use log::Entry;
pub use log::Seen;
pub use play::{Action, Playback};
pub use script::{Answer, Chunking, Script, Step, True};
pub use server::{Options, Simulator};
pub use upstream::{Answered, Upstream};
